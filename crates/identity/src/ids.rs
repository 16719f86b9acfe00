//! Generated names: unique ids, access key ids, secrets.

use aws_types::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::iam::entity::Kind;
use zeroize::Zeroizing;

use crate::Error;
use aws_types::{Entropy, draw};

pub(crate) const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters of a unique id behind its prefix.
const UNIQUE_ID_CHARS: usize = 17;

/// A fresh unique id: a prefix that tells the kind (UG reference_identifiers, "Unique
/// ID prefixes") and 17 random base 32 digits, 85 bits.
pub(crate) fn unique_id(kind: Kind, entropy: &dyn Entropy) -> Result<String, Error> {
    let prefix = match kind {
        Kind::User => "AIDA",
        Kind::Group => "AGPA",
        Kind::Role => "AROA",
        Kind::Policy => "ANPA",
        Kind::InstanceProfile => "AIPA",
        Kind::ServerCertificate => "ASCA",
        // AWS shows no unique ids of these.
        Kind::OidcProvider => "OIDC",
        Kind::SamlProvider => "SAML",
        Kind::MfaDevice => "VMFA",
    };
    prefixed::<UNIQUE_ID_CHARS>(prefix, entropy)
}

/// `prefix` and so many random base 32 digits.
fn prefixed<const DIGITS: usize>(prefix: &str, entropy: &dyn Entropy) -> Result<String, Error> {
    let bytes = draw::<DIGITS>(entropy)?;
    // 256 is a multiple of 32, so each digit is equally likely.
    let digits = bytes
        .iter()
        .map(|byte| char::from(BASE32[usize::from(byte & 31)]));
    Ok(prefix.chars().chain(digits).collect())
}

/// The id of a service-specific credential: `ACCA` and 17 digits (UG reference_identifiers).
pub(crate) fn service_credential_id(entropy: &dyn Entropy) -> Result<String, Error> {
    prefixed::<UNIQUE_ID_CHARS>("ACCA", entropy)
}

/// The id of an SSH public key: `APKA` and 16 digits, as in the ids that the CodeCommit User Guide shows.
pub(crate) fn ssh_public_key_id(entropy: &dyn Entropy) -> Result<String, Error> {
    prefixed::<16>("APKA", entropy)
}

/// The id of a signing certificate: 32 digits without a prefix (AWS CLI Reference,
/// `upload-signing-certificate`).
pub(crate) fn signing_certificate_id(entropy: &dyn Entropy) -> Result<String, Error> {
    prefixed::<32>("", entropy)
}

/// A random UUID (RFC 9562, version 4), for tasks and jobs.
pub(crate) fn uuid(entropy: &dyn Entropy) -> Result<String, Error> {
    let mut bytes = draw::<16>(entropy)?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = aws_types::hex::encode(bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

/// A fresh id of a SAML provider (`SAMLSP…`) or of one of its private keys (`SAMLPK…`): 22 characters at
/// least, by the model's `privateKeyIdType`.
pub(crate) fn saml_id(prefix: &str, entropy: &dyn Entropy) -> Result<String, Error> {
    prefixed::<20>(prefix, entropy)
}

/// The kind of access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// `AKIA…`
    LongTerm,
    /// `ASIA…`
    Temporary,
}

/// Random bits of an access key id; the rest of its 80 tell the account.
const KEY_RANDOM_BITS: u32 = 39;

/// A fresh access key id of 20 characters. As in AWS's own, the account stands in it:
/// sixteen base 32 digits are 80 bits, one set, 40 of the account's number, 39 random.
pub(crate) fn access_key_id(
    kind: KeyKind,
    account: AccountId,
    entropy: &dyn Entropy,
) -> Result<String, Error> {
    let random = u128::from(u64::from_be_bytes(draw(entropy)?));
    let account: u128 = account.as_str().parse().map_err(Error::internal)?;
    let bits = (1 << 79) | (account << KEY_RANDOM_BITS) | (random & ((1 << KEY_RANDOM_BITS) - 1));
    let prefix = match kind {
        KeyKind::LongTerm => "AKIA",
        KeyKind::Temporary => "ASIA",
    };
    let digits = (0..16).rev().map(|at| {
        let digit = (bits >> (5 * at)) & 31;
        // At most 31, so the conversion cannot fail and the index is within.
        char::from(BASE32[usize::try_from(digit).unwrap_or(0)])
    });
    Ok(prefix.chars().chain(digits).collect())
}

/// The account that stands in an access key id, `None` when none does.
pub(crate) fn account_of_key(access_key_id: &str) -> Option<AccountId> {
    let digits = access_key_id
        .strip_prefix("AKIA")
        .or_else(|| access_key_id.strip_prefix("ASIA"))?;
    if digits.len() != 16 {
        return None;
    }
    let mut bits: u128 = 0;
    for digit in digits.bytes() {
        let value = BASE32.iter().position(|known| *known == digit)?;
        bits = (bits << 5) | u128::try_from(value).ok()?;
    }
    let account = (bits >> KEY_RANDOM_BITS) & ((1 << 40) - 1);
    format!("{account:012}").parse().ok()
}

/// A fresh secret access key: 40 characters of base 64, 240 random bits.
pub(crate) fn secret_access_key(entropy: &dyn Entropy) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(draw::<30>(entropy)?);
    Ok(Zeroizing::new(STANDARD.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::SystemEntropy;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_access_key_id_tells_its_account(number in 0_u64..1_000_000_000_000) {
            let account: AccountId = format!("{number:012}").parse().unwrap();
            for kind in [KeyKind::LongTerm, KeyKind::Temporary] {
                let id = access_key_id(kind, account, &SystemEntropy).unwrap();
                prop_assert_eq!(id.len(), 20);
                prop_assert_eq!(account_of_key(&id), Some(account));
            }
        }

        #[test]
        fn any_text_has_an_account_or_none(text in "\\PC*") {
            let _ = account_of_key(&text);
        }
    }

    #[test]
    fn aws_published_key_ids_decode_to_their_accounts() {
        // The ids in AWS's documentation are made up and decode to nothing that exists;
        // this one is the usual example of the encoding.
        assert_eq!(
            account_of_key("ASIAQNZGKIQY56JQ7WML").map(|account| account.to_string()),
            Some("029608264753".to_owned())
        );
        assert_eq!(account_of_key("AKIA"), None);
        assert_eq!(account_of_key("AKIAIOSFODNN7EXAMPL1"), None);
    }

    #[test]
    fn unique_ids_and_secrets_have_their_shapes() {
        let id = unique_id(Kind::Role, &SystemEntropy).unwrap();
        let named = policy::NamedPrincipal::parse(policy::PrincipalType::Aws, &id);
        assert_eq!(named, Some(policy::NamedPrincipal::UniqueId(&id)));
        assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
        assert_eq!(secret_access_key(&SystemEntropy).unwrap().len(), 40);
    }
}
