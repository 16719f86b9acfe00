//! SSH public keys of IAM users: RSA of 2,048 bits or more, as `ssh-rsa` or in PEM (IAM API Reference,
//! UploadSSHPublicKey).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use x509_cert::der::asn1::{Any, AnyRef, BitStringRef, UintRef};
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::pem;
use crate::rsa::{RSA_ENCRYPTION, RsaPublicKey};

const SSH_RSA: &str = "ssh-rsa";
/// The same page: "The minimum bit-length of the public key is 2048 bits".
const BITS_MIN: usize = 2048;
/// OpenSSH's own limit (`SSHBUF_MAX_BIGNUM`).
const BITS_MAX: usize = 16384;

/// The form in which a key was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `ssh-rsa AAAA… comment`
    Ssh,
    /// `-----BEGIN PUBLIC KEY-----`, or `RSA PUBLIC KEY`.
    Pem,
}

/// Why a key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    /// Neither `ssh-rsa` nor a public key in PEM.
    #[error("the encoding of the public key is not ssh-rsa or PEM")]
    Encoding,
    /// In a known encoding, and no RSA key of an allowed size.
    #[error("the public key is not an RSA key of 2,048 bits or more")]
    Invalid,
}

/// An RSA public key for SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPublicKey {
    key: RsaPublicKey,
    encoding: Encoding,
}

impl SshPublicKey {
    /// Reads a key in either encoding, with white space around it.
    ///
    /// # Errors
    /// [`SshKeyError`]
    pub fn parse(text: &str) -> Result<SshPublicKey, SshKeyError> {
        let text = text.trim_ascii();
        let (key, encoding) = match text.starts_with("-----BEGIN ") {
            true => (from_pem(text)?, Encoding::Pem),
            false => (from_line(text)?, Encoding::Ssh),
        };
        // A modulus is a product of odd primes, and an even exponent has no inverse.
        let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        let is_usable = (BITS_MIN..=BITS_MAX).contains(&key.bits())
            && is_odd(&key.modulus)
            && is_odd(&key.exponent)
            && key.exponent != [1];
        match is_usable {
            true => Ok(SshPublicKey { key, encoding }),
            false => Err(SshKeyError::Invalid),
        }
    }

    /// The form in which the key was written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The key as SSH sends it (RFC 4253, section 6.6): the same for each way to write it.
    #[must_use]
    pub fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        push_string(&mut blob, SSH_RSA.as_bytes());
        push_number(&mut blob, &self.key.exponent);
        push_number(&mut blob, &self.key.modulus);
        blob
    }

    /// The MD5 digest of [`SshPublicKey::blob`] as `ssh-keygen -l -E md5` shows it. It tells keys apart for
    /// people and protects nothing.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Md5::digest(self.blob());
        let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(":")
    }

    /// The key as `ssh-rsa AAAA…`.
    #[must_use]
    pub fn to_ssh(&self) -> String {
        format!("{SSH_RSA} {}", STANDARD.encode(self.blob()))
    }

    /// The key as a `SubjectPublicKeyInfo` in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.der().unwrap_or_default())
    }

    /// `SubjectPublicKeyInfo` in DER. It does not fail for keys of the sizes above.
    fn der(&self) -> x509_cert::der::Result<Vec<u8>> {
        let mut numbers = UintRef::new(&self.key.modulus)?.to_der()?;
        numbers.extend(UintRef::new(&self.key.exponent)?.to_der()?);
        let key = Any::new(Tag::Sequence, numbers)?.to_der()?;
        SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef {
                oid: RSA_ENCRYPTION,
                parameters: Some(AnyRef::NULL),
            },
            subject_public_key: BitStringRef::from_bytes(&key)?,
        }
        .to_der()
    }
}

fn from_pem(text: &str) -> Result<RsaPublicKey, SshKeyError> {
    let blocks = pem::blocks(text).ok_or(SshKeyError::Invalid)?;
    let [block] = &blocks[..] else {
        return Err(SshKeyError::Invalid);
    };
    let key = match block.label {
        "PUBLIC KEY" => {
            let info = SubjectPublicKeyInfoRef::from_der(&block.der);
            let info = info.map_err(|_| SshKeyError::Invalid)?;
            let is_rsa = info.algorithm.oid == RSA_ENCRYPTION;
            let key = info.subject_public_key.as_bytes().filter(|_| is_rsa);
            key.and_then(RsaPublicKey::from_der)
        }
        "RSA PUBLIC KEY" => RsaPublicKey::from_der(&block.der),
        _ => return Err(SshKeyError::Encoding),
    };
    key.ok_or(SshKeyError::Invalid)
}

/// `ssh-rsa`, the blob in base 64, and a comment, on one line.
fn from_line(text: &str) -> Result<RsaPublicKey, SshKeyError> {
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some(SSH_RSA) {
        return Err(SshKeyError::Encoding);
    }
    if text.contains(['\n', '\r']) {
        return Err(SshKeyError::Invalid);
    }
    let blob = words.next().and_then(|word| STANDARD.decode(word).ok());
    let key = blob.and_then(|blob| {
        let mut rest = &blob[..];
        if take_string(&mut rest)? != SSH_RSA.as_bytes() {
            return None;
        }
        let exponent = take_number(&mut rest)?.to_vec();
        let modulus = take_number(&mut rest)?.to_vec();
        rest.is_empty()
            .then_some(RsaPublicKey { modulus, exponent })
    });
    key.ok_or(SshKeyError::Invalid)
}

/// A string of RFC 4251, section 5: its length in four bytes, and its bytes.
fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (taken, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// A positive `mpint` (the same section), which has no more zeros in front than its sign takes.
fn take_number<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let number = take_string(rest)?;
    match number {
        [0, first, ..] if first & 0x80 != 0 => number.get(1..),
        [first, ..] if (1..0x80).contains(first) => Some(number),
        _ => None,
    }
}

fn push_string(blob: &mut Vec<u8>, bytes: &[u8]) {
    // At most 2,049 bytes.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    blob.extend(length.to_be_bytes());
    blob.extend(bytes);
}

fn push_number(blob: &mut Vec<u8>, number: &[u8]) {
    let is_negative = number.first().is_some_and(|first| first & 0x80 != 0);
    let mut bytes = vec![0; usize::from(is_negative)];
    bytes.extend(number);
    push_string(blob, &bytes);
}
