//! Policy ids.
//!
//! The package has none. Those that AWS's documents or tools print are kept; the others are derived
//! from the policy's ARN, so that they are unique and never change.

/// Ids that AWS's documents and transcripts of the AWS CLI show, by name.
const KNOWN: &[(&str, &str)] = &[
    ("AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK"),
    (
        "AmazonEC2ContainerRegistryFullAccess",
        "ANPAIESRL7KD7IIVF6V4W",
    ),
    (
        "AmazonEC2ContainerRegistryPowerUser",
        "ANPAJDNE5PIHROIBGGDDW",
    ),
    (
        "AmazonEC2ContainerRegistryReadOnly",
        "ANPAIFYZPA37OOHVIH7KQ",
    ),
    ("IAMFullAccess", "ANPAI7XKCFMBPM3QQRRVQ"),
    ("IAMReadOnlyAccess", "ANPAJKSO7NDY4T57MWDSQ"),
    ("IAMUserChangePassword", "ANPAJ4L4MM2A7QIEB56MS"),
    ("PowerUserAccess", "ANPAJYRXTHIB4FOVS3ZXS"),
    ("ReadOnlyAccess", "ANPAILL3HVNFSB6DCOWYQ"),
    ("SecurityAudit", "ANPAIX2T3QCXHR2OGGCTO"),
];

/// The id of the policy with this path and name: `ANPA` and 17 characters of base32, as AWS's.
pub fn id(path: &str, name: &str) -> String {
    if let Some((_, id)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return (*id).to_owned();
    }
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // FNV-1a over 128 bits: spread, not secrecy, is needed; 17 characters take 85 of the bits.
    let arn = format!("arn:aws:iam::aws:policy{path}{name}");
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in arn.bytes() {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let digit = |at: u32| char::from(ALPHABET[(hash >> (5 * at)) as usize & 31]);
    "ANPA".chars().chain((0..17).map(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_awss_and_differ() {
        assert_eq!(id("/", "AdministratorAccess"), "ANPAIWMBCKSKIEE64ZLYK");
        let one = id("/", "AmazonEC2ContainerRegistryPullOnly");
        assert_eq!(one.len(), 21);
        assert!(one.starts_with("ANPA"));
        assert_ne!(
            one,
            id("/service-role/", "AmazonEC2ContainerRegistryPullOnly")
        );
        assert_ne!(one, id("/", "AmazonEC2ContainerRegistryPullOnlx"));
    }
}
