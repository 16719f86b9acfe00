//! RSA public keys (RFC 8017, appendix A.1).

use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, Result, SliceReader};

/// `rsaEncryption` (RFC 8017, appendix C).
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Modulus and exponent, big endian, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RsaPublicKey {
    pub(crate) modulus: Vec<u8>,
    pub(crate) exponent: Vec<u8>,
}

impl RsaPublicKey {
    /// `RSAPublicKey` in DER.
    pub(crate) fn from_der(der: &[u8]) -> Option<RsaPublicKey> {
        let mut reader = SliceReader::new(der).ok()?;
        let key = reader.sequence(RsaPublicKey::read).ok()?;
        reader.is_finished().then_some(key)
    }

    /// The public half of an `RSAPrivateKey` in DER, of two primes.
    pub(crate) fn of_private_key(der: &[u8]) -> Option<RsaPublicKey> {
        let mut reader = SliceReader::new(der).ok()?;
        let key = reader.sequence(|reader| -> Result<RsaPublicKey> {
            UintRef::decode(reader)?;
            let key = RsaPublicKey::read(reader)?;
            // Private exponent, primes, their exponents, coefficient.
            for _ in 0..6 {
                UintRef::decode(reader)?;
            }
            Ok(key)
        });
        reader.is_finished().then_some(key.ok()?)
    }

    fn read(reader: &mut SliceReader<'_>) -> Result<RsaPublicKey> {
        let modulus = UintRef::decode(reader)?.as_bytes().to_vec();
        let exponent = UintRef::decode(reader)?.as_bytes().to_vec();
        Ok(RsaPublicKey { modulus, exponent })
    }

    /// Bits of the modulus.
    pub(crate) fn bits(&self) -> usize {
        let leading = self.modulus.first().map_or(8, |byte| byte.leading_zeros());
        self.modulus.len() * 8 - usize::try_from(leading).unwrap_or(0)
    }
}
