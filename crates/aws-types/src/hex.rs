//! Lower-case hexadecimal, as digests and signatures are written.

/// Encodes bytes as lower-case hexadecimal digits.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    ::hex::encode(bytes)
}

/// Decodes exactly `N` bytes. Upper-case digits are refused: AWS and OCI write lower-case digits
/// only, and a value must have one spelling.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    ::hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn decodes_only_lower_case_of_the_right_length() {
        assert_eq!(super::decode::<2>("0aff"), Some([0x0a, 0xff]));
        for bad in ["", "0af", "0aFF", "0aff00", "0ag0", "0af\u{e9}"] {
            assert_eq!(super::decode::<2>(bad), None, "{bad}");
        }
        assert_eq!(super::encode([0x0a, 0xff]), "0aff");
    }
}
