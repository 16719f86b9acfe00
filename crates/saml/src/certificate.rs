//! The keys of a provider's certificates. A certificate only carries a key here: who signed it and
//! whether its time is over does not count (IAM User Guide, "Create a SAML identity provider in IAM").

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA384, RsaParameters, UnparsedPublicKey,
};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

/// The shortest modulus (the same page: "IAM requires a key size of at least 1024 bits").
const MODULUS_BITS_MIN: usize = 1024;
/// The longest modulus that signatures are checked with, which bounds their cost.
const MODULUS_BITS_MAX: usize = 8192;
/// `rsaEncryption` (RFC 8017, appendix C).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// An RSA key that a provider signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// `RSAPublicKey` in DER.
    public_key: Vec<u8>,
}

/// The signature algorithms that are accepted. SHA-1 is not: collisions can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl RsaAlgorithm {
    /// RFC 9231, section 2.3.
    pub(crate) fn from_uri(uri: &str) -> Option<RsaAlgorithm> {
        Some(match uri {
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => RsaAlgorithm::Sha256,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => RsaAlgorithm::Sha384,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => RsaAlgorithm::Sha512,
            _ => return None,
        })
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            RsaAlgorithm::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            RsaAlgorithm::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
            RsaAlgorithm::Sha512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        }
    }
}

/// Why a certificate is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not a certificate in DER.
    #[error("a certificate cannot be read")]
    Malformed,
    /// An extension is there twice.
    #[error("a certificate has an extension twice")]
    RepeatedExtension,
    /// Not RSA.
    #[error("a certificate's key is not an RSA key")]
    NotRsa,
    /// Under 1024 bits, or over 8192.
    #[error("a certificate's RSA key has fewer than 1024 or more than 8192 bits")]
    KeySize,
}

impl SigningKey {
    /// The key of a certificate in DER.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn from_certificate(der: &[u8]) -> Result<SigningKey, CertificateError> {
        let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let certificate = certificate.tbs_certificate();
        let mut extensions: Vec<_> = certificate
            .extensions()
            .into_iter()
            .flatten()
            .map(|extension| extension.extn_id)
            .collect();
        let count = extensions.len();
        extensions.sort_unstable();
        extensions.dedup();
        if extensions.len() != count {
            return Err(CertificateError::RepeatedExtension);
        }
        let info = certificate.subject_public_key_info();
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(CertificateError::NotRsa);
        }
        let public_key = info
            .subject_public_key
            .as_bytes()
            .ok_or(CertificateError::Malformed)?;
        SigningKey::from_der(public_key)
    }

    /// The key as `RSAPublicKey` in DER, to be stored.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.public_key
    }

    /// A key that was stored.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn from_der(der: &[u8]) -> Result<SigningKey, CertificateError> {
        match modulus_bits(der).ok_or(CertificateError::Malformed)? {
            MODULUS_BITS_MIN..=MODULUS_BITS_MAX => Ok(SigningKey {
                public_key: der.to_vec(),
            }),
            _ => Err(CertificateError::KeySize),
        }
    }

    pub(crate) fn verifies(
        &self,
        algorithm: RsaAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(algorithm.parameters(), &self.public_key)
            .verify(message, signature)
            .is_ok()
    }
}

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017, A.1.1).
fn modulus_bits(public_key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(public_key).ok()?;
    let bits = reader
        .sequence(|reader| -> x509_cert::der::Result<usize> {
            let modulus = UintRef::decode(reader)?;
            UintRef::decode(reader)?;
            let bytes = modulus.as_bytes();
            let leading = bytes.first().map_or(8, |byte| byte.leading_zeros());
            Ok(bytes.len() * 8 - usize::try_from(leading).unwrap_or(0))
        })
        .ok()?;
    reader.is_finished().then_some(bits)
}
