//! The host's key: ECDSA on P-256, made on the host and never leaving it.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Error, Result};

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// The longest key file that is read. A P-256 key in PKCS #8 has about 240 characters.
const FILE_BYTES_MAX: u64 = 4096;

/// A private key.
pub struct HostKey(EcdsaKeyPair);

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostKey")
    }
}

impl HostKey {
    /// Makes a key and writes it to a new file that its owner alone may read.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the random source failed.
    pub fn create(path: &Path) -> Result<HostKey> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(Error::internal)?;
        let encoded = Zeroizing::new(STANDARD.encode(document.as_ref()));
        let mut pem = Zeroizing::new(format!("{PEM_BEGIN}\n"));
        for line in encoded.as_bytes().chunks(64) {
            // Base64 is ASCII.
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(PEM_END);
        pem.push('\n');
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()
        };
        write().map_err(Error::file("cannot write", path))?;
        HostKey::from_pkcs8(document.as_ref())
    }

    /// Reads a key file. It must be this user's, or root's, and nobody else may read or write it.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, or holds no P-256 key.
    pub fn load(path: &Path) -> Result<HostKey> {
        let mut options = std::fs::OpenOptions::new();
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let file = options.read(true).open(path);
        let file = file.map_err(Error::file("cannot read", path))?;
        // Of the file that is open, so that it cannot be exchanged in between.
        let metadata = file.metadata().map_err(Error::file("cannot read", path))?;
        let shown = path.display();
        if !metadata.is_file() {
            return Err(Error::Invalid(format!("{shown} is not a file")));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(Error::Invalid(format!(
                "{shown} can be read or written by other users (mode {:04o}): the host's key may be stolen; \
                 revoke the host and join again, or if nobody used it run chmod 600 {shown}",
                metadata.mode() & 0o7777
            )));
        }
        let own = rustix::process::geteuid().as_raw();
        if metadata.uid() != own && metadata.uid() != 0 {
            return Err(Error::Invalid(format!(
                "{shown} belongs to the user {} and not to this one ({own})",
                metadata.uid()
            )));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(Error::file("cannot read", path))?;
        let body = text
            .trim()
            .strip_prefix(PEM_BEGIN)
            .and_then(|rest| rest.strip_suffix(PEM_END));
        let encoded: Zeroizing<String> = Zeroizing::new(
            body.unwrap_or_default()
                .chars()
                .filter(|c| !c.is_ascii_whitespace())
                .collect(),
        );
        let der = STANDARD.decode(&*encoded).unwrap_or_default();
        HostKey::from_pkcs8(&Zeroizing::new(der))
            .map_err(|_| Error::Invalid(format!("{shown} holds no P-256 key in PKCS #8")))
    }

    fn from_pkcs8(der: &[u8]) -> Result<HostKey> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der)
            .map(HostKey)
            .map_err(Error::internal)
    }

    /// The public key, as a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// None that is known of.
    pub fn public_key(&self) -> Result<Vec<u8>> {
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
            self.0.public_key().as_der().map_err(Error::internal)?;
        Ok(der.as_ref().to_vec())
    }

    /// Signs a text: ECDSA with SHA-256, in DER.
    ///
    /// # Errors
    /// The random source failed.
    pub fn sign(&self, text: &str) -> Result<Vec<u8>> {
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes());
        Ok(signature.map_err(Error::internal)?.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_read_back_from_a_file_of_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host.key");
        let made = HostKey::create(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = HostKey::load(&path).unwrap();
        assert_eq!(made.public_key().unwrap(), read.public_key().unwrap());
        let spki = read.public_key().unwrap();
        let signature = read.sign("text").unwrap();
        let point = &spki[spki.len() - 65..];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .verify(b"text", &signature)
            .unwrap();
        // A second key does not replace the first.
        assert!(HostKey::create(&path).is_err());
    }

    #[test]
    fn refuses_a_key_that_others_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host.key");
        HostKey::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = HostKey::load(&path).unwrap_err().to_string();
            assert!(error.contains("other users"), "{mode:o}: {error}");
        }
        let link = dir.path().join("link.key");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(HostKey::load(&link).is_err());
    }

    #[test]
    fn refuses_what_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host.key");
        for text in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let error = HostKey::load(&path).unwrap_err().to_string();
            assert!(error.contains("no P-256 key"), "{error}");
        }
    }
}
