//! Percent-encoding (RFC 3986, section 2.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters: what SigV4 canonical requests and IAM's policy
/// documents encode.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same without the slash, for paths.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes all but `A-Z a-z 0-9 - . _ ~`. Hexadecimal digits are upper-case.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes bytes in the same way; they need not be UTF-8.
pub fn encode_bytes(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, RESERVED).to_string()
}

/// Encodes the segments of a path and keeps its slashes.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, RESERVED_IN_PATH).to_string()
}

/// Encodes the bytes of a path and keeps its slashes.
pub fn encode_path_bytes(path: &[u8]) -> String {
    percent_encoding::percent_encode(path, RESERVED_IN_PATH).to_string()
}

/// Decodes strictly: `None` for a `%` without two hexadecimal digits and for what is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// Decodes a value of a form or query, where `+` is a space. Strict like [`decode`].
pub fn decode_form(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decode(text);
    }
    let spaced = text.replace('+', " ");
    decode(&spaced).map(|text| Cow::Owned(text.into_owned()))
}

/// Decodes leniently: a `%` without two hexadecimal digits stands for itself.
pub fn decode_lenient(text: &str) -> Cow<'_, [u8]> {
    percent_decode_str(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_all_but_unreserved_characters() {
        assert_eq!(encode("aZ0-._~ /+%\u{e9}"), "aZ0-._~%20%2F%2B%25%C3%A9");
        assert_eq!(encode_path("a b/c"), "a%20b/c");
    }

    #[test]
    fn strict_decoding_refuses_what_is_malformed() {
        assert_eq!(decode("a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(decode("a+b").as_deref(), Some("a+b"));
        assert_eq!(decode_form("a+b%2B").as_deref(), Some("a b+"));
        for bad in ["%", "%2", "%2g", "%%20", "%ff", "a%"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode_lenient("%2gx%41"), &b"%2gxA"[..]);
    }

    proptest! {
        #[test]
        fn decoding_reverses_encoding(text in ".*") {
            let encoded = encode(&text);
            prop_assert_eq!(decode(&encoded).map(Cow::into_owned), Some(text.clone()));
            prop_assert_eq!(decode_form(&encoded).map(Cow::into_owned), Some(text));
        }
    }
}
