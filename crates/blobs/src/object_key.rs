//! Names of stored copies.

use std::fmt;
use std::str::FromStr;

use crate::digest::hex;
use crate::{Algorithm, Digest, Error};

/// Where one stored copy of a blob is. The database maps a digest to it.
///
/// Each copy has a key that no other copy had or will have. Removing the file of a key therefore never
/// removes a copy that was just stored under the same digest.
///
/// The text form is a path, which is the file's in a directory and the object's name in an object store:
/// `objects/7f/7f3c…` (32 hexadecimal digits).
///
/// Up to version 0.1 a blob was stored under its digest. Such a file stays where it is, and its path is
/// its key: `sha256/ab/ab12…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Form);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Unique([u8; 16]),
    Digest(Digest),
}

/// A text that is not an [`ObjectKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an object key is `objects/`, two and 32 lower-case hexadecimal digits, or a digest's path"
)]
pub struct ObjectKeyError;

/// The first part of keys that are no digests.
pub(crate) const UNIQUE: &str = "objects";

impl ObjectKey {
    /// The key of these random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(Form::Unique(bytes))
    }

    /// A key that no copy had before.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::io("draw random bytes")(error.into()))?;
        Ok(Self::from_random(bytes))
    }

    /// The key of a copy that version 0.1 stored.
    #[must_use]
    pub const fn of_digest(digest: Digest) -> Self {
        Self(Form::Digest(digest))
    }

    /// The first byte, by which a directory spreads its files.
    pub(crate) fn first_byte(&self) -> u8 {
        match &self.0 {
            Form::Unique(bytes) => bytes[0],
            Form::Digest(digest) => digest.as_bytes()[0],
        }
    }

    /// The folder below which files are spread.
    pub(crate) fn area(&self) -> &'static str {
        match &self.0 {
            Form::Unique(_) => UNIQUE,
            Form::Digest(digest) => digest.algorithm().name(),
        }
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> String {
        match &self.0 {
            Form::Unique(bytes) => hex(bytes),
            Form::Digest(digest) => digest.hex(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{:02x}/{}",
            self.area(),
            self.first_byte(),
            self.name()
        )
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({self})")
    }
}

impl FromStr for ObjectKey {
    type Err = ObjectKeyError;

    fn from_str(text: &str) -> Result<Self, ObjectKeyError> {
        let mut parts = text.split('/');
        let (Some(area), Some(prefix), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ObjectKeyError);
        };
        let key = match area {
            UNIQUE => Self(Form::Unique(unique(name).ok_or(ObjectKeyError)?)),
            _ => {
                let algorithms = [Algorithm::Sha256, Algorithm::Sha512];
                algorithms
                    .into_iter()
                    .find(|algorithm| algorithm.name() == area)
                    .and_then(|_| format!("{area}:{name}").parse().ok())
                    .map(Self::of_digest)
                    .ok_or(ObjectKeyError)?
            }
        };
        match prefix == format!("{:02x}", key.first_byte()) {
            true => Ok(key),
            false => Err(ObjectKeyError),
        }
    }
}

fn unique(name: &str) -> Option<[u8; 16]> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if name.len() != 32 || !name.bytes().all(is_hex) {
        return None;
    }
    u128::from_str_radix(name, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_key() {
        let hex = "7f3c0000000000000000000000000001";
        assert!(format!("objects/7f/{hex}").parse::<ObjectKey>().is_ok());
        for text in [
            String::new(),
            format!("objects/7e/{hex}"),
            format!("objects/7f/{}", hex.to_uppercase()),
            format!("objects/7f/{hex}/"),
            format!("/objects/7f/{hex}"),
            format!("objects/7f/{}", &hex[1..]),
            format!("objects/7f/+{}", &hex[1..]),
            format!("sha256/7f/{hex}"),
            format!("md5/7f/{hex}"),
            "objects/../../etc/passwd".to_owned(),
        ] {
            assert_eq!(text.parse::<ObjectKey>(), Err(ObjectKeyError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16], content: Vec<u8>) {
            for key in [
                ObjectKey::from_random(bytes),
                ObjectKey::of_digest(Digest::sha256_of(&content)),
                ObjectKey::of_digest(Digest::sha512_of(&content)),
            ] {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}
