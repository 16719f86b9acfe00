//! The private keys of server certificates. They are compared with a certificate's key and not kept here.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use x509_cert::der::{Decode, Reader, Result as DerResult, SliceReader};
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::Certificate;
use crate::chain::{EC_PUBLIC_KEY, ED25519_ID};
use crate::pem;
use crate::rsa::{RSA_ENCRYPTION, RsaPublicKey};

/// From this many bits on the whole RSA key is checked; the library takes no shorter ones, and AWS does.
const CHECKED_RSA_BITS: usize = 2048;
/// The longest RSA key, which bounds the cost of the check.
const RSA_BITS_MAX: usize = 8192;

/// A text that is not an unencrypted private key in PEM: RSA, ECDSA on P-256, P-384 or P-521, or Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot be read, or is encrypted")]
pub struct PrivateKeyError;

/// Whether the private key, in PEM, is that of the certificate.
///
/// # Errors
/// [`PrivateKeyError`]
pub fn key_matches(certificate: &Certificate, private_key: &str) -> Result<bool, PrivateKeyError> {
    let blocks = pem::blocks(private_key).ok_or(PrivateKeyError)?;
    // OpenSSL writes the curve ahead of an EC key.
    let mut keys = blocks.iter().filter(|block| block.label != "EC PARAMETERS");
    let (Some(block), None) = (keys.next(), keys.next()) else {
        return Err(PrivateKeyError);
    };
    let public = match block.label {
        "RSA PRIVATE KEY" => rsa(&block.der),
        "EC PRIVATE KEY" => ec(&block.der),
        "PRIVATE KEY" => pkcs8(&block.der),
        _ => None,
    };
    let public = public.ok_or(PrivateKeyError)?;
    let info = certificate.parsed.tbs_certificate();
    let info = info.subject_public_key_info();
    let Some(key) = info.subject_public_key.as_bytes() else {
        return Ok(false);
    };
    Ok(match (public, info.algorithm.oid) {
        (Public::Rsa(public), RSA_ENCRYPTION) => RsaPublicKey::from_der(key) == Some(public),
        // The curve is told by the length of the point.
        (Public::Point(point), EC_PUBLIC_KEY) | (Public::Ed25519(point), ED25519_ID) => {
            key == point
        }
        _ => false,
    })
}

/// The public half of a private key.
enum Public {
    Rsa(RsaPublicKey),
    /// An uncompressed point.
    Point(Vec<u8>),
    Ed25519(Vec<u8>),
}

fn rsa(der: &[u8]) -> Option<Public> {
    let key = RsaPublicKey::of_private_key(der)?;
    match key.bits() {
        0..CHECKED_RSA_BITS => {}
        CHECKED_RSA_BITS..=RSA_BITS_MAX => {
            RsaKeyPair::from_der(der).ok()?;
        }
        _ => return None,
    }
    Some(Public::Rsa(key))
}

/// An `ECPrivateKey` (RFC 5915) or one in PKCS #8, on whichever curve.
fn ec(der: &[u8]) -> Option<Public> {
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let pair = curves
        .into_iter()
        .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok())?;
    Some(Public::Point(pair.public_key().as_ref().to_vec()))
}

/// A `PrivateKeyInfo` (RFC 5208, section 5).
fn pkcs8(der: &[u8]) -> Option<Public> {
    let mut reader = SliceReader::new(der).ok()?;
    let read = reader.sequence(|reader| -> DerResult<(ObjectIdentifier, Vec<u8>)> {
        UintRef::decode(reader)?;
        let algorithm = AlgorithmIdentifierRef::decode(reader)?;
        let key = <&OctetStringRef>::decode(reader)?;
        // Attributes, or the public key of RFC 5958.
        while !reader.is_finished() {
            AnyRef::decode(reader)?;
        }
        Ok((algorithm.oid, key.as_bytes().to_vec()))
    });
    let (algorithm, key) = read.ok()?;
    let key = zeroize::Zeroizing::new(key);
    match algorithm {
        RSA_ENCRYPTION => rsa(&key),
        EC_PUBLIC_KEY => ec(der),
        ED25519_ID => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
            Some(Public::Ed25519(pair.public_key().as_ref().to_vec()))
        }
        _ => None,
    }
}
