//! Names of uploads.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An upload's name: a UUID in lower-case text (RFC 9562, section 4), which is also its file's name.
///
/// The caller chooses it, from its own source of randomness: see [`UploadId::from_random`].
///
/// Inside this crate, temporary files have ids of another UUID version. They are never given out, and no
/// text parses to one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId([u8; 16]);

/// A text that is not an [`UploadId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an upload's id is a lower-case UUID of version 4")]
pub struct UploadIdError;

impl UploadId {
    /// A version 4 UUID from 16 random bytes (six bits are overwritten: RFC 9562, section 5.4).
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// The id of a file that no client knows of: a version 8 UUID (RFC 9562, section 5.8).
    pub(crate) const fn temporary(bytes: [u8; 16]) -> Self {
        let mut id = Self::from_random(bytes);
        id.0[6] = id.0[6] & 0x0f | 0x80;
        id
    }

    /// Whether it was made by [`UploadId::temporary`].
    pub(crate) const fn is_temporary(&self) -> bool {
        self.0[6] >> 4 == 8
    }

    /// The id of this text, be it an upload's or a temporary file's.
    pub(crate) fn parse_any(text: &str) -> Result<Self, UploadIdError> {
        parse(text).map(Self)
    }

    /// The 16 bytes, as a database may keep them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        let id = Self(parse(text)?);
        match id.0[6] >> 4 {
            4 => Ok(id),
            _ => Err(UploadIdError),
        }
    }
}

fn parse(text: &str) -> Result<[u8; 16], UploadIdError> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return Err(UploadIdError);
    }
    let mut bytes = [0_u8; 16];
    let mut nibbles = 0;
    for (at, &digit) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if digit != b'-' {
                return Err(UploadIdError);
            }
            continue;
        }
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(UploadIdError),
        };
        bytes[nibbles / 2] = bytes[nibbles / 2] << 4 | value;
        nibbles += 1;
    }
    Ok(bytes)
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_lower_case_uuids() {
        for text in [
            "",
            "../../etc/passwd",
            "5D4F8A0E-7C3B-4E63-9D4A-0F1E2D3C4B5A",
            "5d4f8a0e7c3b4e639d4a0f1e2d3c4b5a",
            "5d4f8a0e-7c3b-4e63-9d4a-0f1e2d3c4b5",
            "5d4f8a0e-7c3b-4e63-9d4a-0f1e2d3c4b5a0",
            "5d4f8a0e-7c3b-4e63-9d4a/0f1e2d3c4b5a",
            "5d4f8a0e-7c3b-8e63-9d4a-0f1e2d3c4b5a",
        ] {
            assert_eq!(text.parse::<UploadId>(), Err(UploadIdError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16]) {
            let id = UploadId::from_random(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(&id.to_string()[14..15], "4");
            prop_assert!(!id.is_temporary());
            let temporary = UploadId::temporary(bytes);
            prop_assert!(temporary.is_temporary());
            prop_assert_eq!(UploadId::parse_any(&temporary.to_string()), Ok(temporary));
            prop_assert_eq!(temporary.to_string().parse::<UploadId>(), Err(UploadIdError));
        }
    }
}
