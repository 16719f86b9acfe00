//! Content digests: the names of blobs, computed from their bytes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use thiserror::Error;

/// A registered digest algorithm (OCI image-spec, "Descriptors", "Registered algorithms").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 32 bytes; what every client uses.
    Sha256,
    /// 64 bytes; computed only where a client asks for it.
    Sha512,
}

impl Algorithm {
    /// The name in front of the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of the digest in bytes; its text has twice as many characters.
    pub const fn bytes_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const BYTES_MAX: usize = 64;

/// `sha256:<64 lower-case hex digits>` or `sha512:<128>`. Only a valid one can be built, so a
/// digest is safe as a file name.
///
/// ```
/// let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// let digest: blobs::Digest = text.parse()?;
/// assert_eq!(digest, blobs::Digest::sha256_of(b""));
/// assert_eq!(digest.to_string(), text);
/// # Ok::<(), blobs::DigestError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: Algorithm,
    // The tail beyond the algorithm's length stays zero.
    bytes: [u8; BYTES_MAX],
}

/// Why a text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// No `algorithm:hex` form, or an encoded part of the wrong length or alphabet.
    #[error("`{0}` is not a digest of the form `sha256:<64 lower-case hex digits>`")]
    Malformed(String),
    /// The form is right; the algorithm is none that is registered.
    #[error("digest algorithm `{0}` is not supported: use `sha256` or `sha512`")]
    UnsupportedAlgorithm(String),
}

impl Digest {
    /// Builds a digest from its raw bytes; `None` when their number is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        if raw.len() != algorithm.bytes_len() {
            return None;
        }
        let mut bytes = [0; BYTES_MAX];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { algorithm, bytes })
    }

    /// The sha256 digest of `content`.
    pub fn sha256_of(content: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_sha256(sha2::Sha256::digest(content).into())
    }

    /// The sha512 digest of `content`.
    pub fn sha512_of(content: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_sha512(sha2::Sha512::digest(content).into())
    }

    pub(crate) fn from_sha256(raw: [u8; 32]) -> Self {
        let mut bytes = [0; BYTES_MAX];
        bytes[..32].copy_from_slice(&raw);
        Self {
            algorithm: Algorithm::Sha256,
            bytes,
        }
    }

    pub(crate) fn from_sha512(bytes: [u8; 64]) -> Self {
        Self {
            algorithm: Algorithm::Sha512,
            bytes,
        }
    }

    /// Which algorithm made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw digest, 32 or 64 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.bytes_len()]
    }

    /// The encoded part: lower-case hex without the algorithm.
    pub fn hex(&self) -> String {
        hex(self.as_bytes())
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        // Upper case is refused: two spellings of one digest would be two names.
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        // Errors repeat the text: cut it, so that hostile input stays short in answers and logs.
        let malformed = || DigestError::Malformed(text.chars().take(160).collect());
        let (name, hex) = text.split_once(':').ok_or_else(malformed)?;
        let Some(algorithm) = Algorithm::from_name(name) else {
            // OCI image-spec, "Digests": component ([+._-] component)*, components of [a-z0-9].
            let plausible = !name.is_empty()
                && name.len() <= 64
                && !hex.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b));
            return Err(if plausible {
                DigestError::UnsupportedAlgorithm(name.to_owned())
            } else {
                malformed()
            });
        };
        if hex.len() != 2 * algorithm.bytes_len() {
            return Err(malformed());
        }
        let mut bytes = [0; BYTES_MAX];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
                return Err(malformed());
            };
            *byte = high << 4 | low;
        }
        Ok(Self { algorithm, bytes })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.bytes == other.bytes
    }
}

impl Eq for Digest {}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digest {
    /// The order of the texts.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.algorithm, &self.bytes).cmp(&(other.algorithm, &other.bytes))
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.algorithm.hash(state);
        self.as_bytes().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_texts_are_digests() {
        let hex64 = "a".repeat(64);
        for text in [
            String::new(),
            "sha256".into(),
            "sha256:".into(),
            hex64.clone(),
            format!(":{hex64}"),
            format!("SHA256:{hex64}"),
            format!("sha256:{}", "A".repeat(64)),
            format!("sha256:{}", "a".repeat(63)),
            format!("sha256:{}", "a".repeat(65)),
            format!("sha512:{hex64}"),
            format!("sha256:{}/../x", "a".repeat(59)),
            format!("sha256:{}é", "a".repeat(62)),
            format!("../x:{hex64}"),
        ] {
            assert!(
                matches!(text.parse::<Digest>(), Err(DigestError::Malformed(_))),
                "{text}"
            );
        }
        assert_eq!(
            "md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>(),
            Err(DigestError::UnsupportedAlgorithm("md5".into()))
        );
    }

    proptest! {
        #[test]
        fn text_and_back(content: Vec<u8>) {
            for digest in [Digest::sha256_of(&content), Digest::sha512_of(&content)] {
                prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
                prop_assert_eq!(Digest::from_bytes(digest.algorithm(), digest.as_bytes()), Some(digest));
            }
        }

        #[test]
        fn order_is_that_of_the_texts(a: [u8; 32], b: [u8; 32]) {
            let (a, b) = (Digest::from_sha256(a), Digest::from_sha256(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
