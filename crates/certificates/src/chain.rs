//! The chain of a server certificate: each certificate was issued by the one after it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::name::Name;

use crate::rsa::RSA_ENCRYPTION;
use crate::{Certificate, Validity};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The named curves (RFC 5480, section 2.1.1.1).
pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(crate) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(crate) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// `id-Ed25519` (RFC 8410, section 3), a key's and a signature's.
pub(crate) const ED25519_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 8017, appendix C.
const SHA1_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
/// RFC 5758, section 3.2.
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// A certificate of the chain that is not issued by the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate at index {index} was not issued by the next one")]
pub struct InvalidChain {
    /// The certificate's place, where the server certificate is 0 and its issuer 1; -1 where the last
    /// certificate issued none of the others.
    pub index: i32,
}

/// Checks that the first certificate of `chain` issued `certificate`, and each further one the one before
/// it. The last need not be a root.
///
/// Certificates are checked from the last one down, as Java's PKIX validation does with the last one as its
/// trust anchor: the indexes in AWS's messages are those of its exceptions. Of the last one nothing is asked
/// but its name and its key; the others must be valid at `now`, in seconds since the epoch, and authorities
/// but for the first.
///
/// # Errors
/// [`InvalidChain`] with the first certificate that fails.
pub fn verify_chain(
    certificate: &Certificate,
    chain: &[Certificate],
    now: i64,
) -> Result<(), InvalidChain> {
    let path: Vec<&Certificate> = std::iter::once(certificate).chain(chain).collect();
    let links = path.iter().zip(path.iter().skip(1)).enumerate();
    for (at, (issued, issuer)) in links.rev() {
        let is_last = at + 2 == path.len();
        let at = i32::try_from(at).unwrap_or(i32::MAX);
        let (inner, outer) = (
            issued.parsed.tbs_certificate(),
            issuer.parsed.tbs_certificate(),
        );
        if !is_same_name(inner.issuer(), outer.subject()) {
            let index = if is_last { -1 } else { at };
            return Err(InvalidChain { index });
        }
        let is_valid = issued.validity(now) == Validity::Valid;
        let may_issue = at == 0 || issued.is_authority();
        if !is_valid || !may_issue || !is_signed_by(issued, issuer) {
            return Err(InvalidChain { index: at });
        }
    }
    Ok(())
}

/// Whether names are the same: the case of letters, the amount of white space and the kind of string do not
/// count (RFC 5280, section 7.1).
fn is_same_name(one: &Name, other: &Name) -> bool {
    let folded = |name: &Name| {
        let text = name.to_string().to_lowercase();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    one == other || folded(one) == folded(other)
}

/// Whether the key of `issuer` made the signature of `issued`. An algorithm that is not known made none.
fn is_signed_by(issued: &Certificate, issuer: &Certificate) -> bool {
    let algorithm = issued.parsed.signature_algorithm();
    // RFC 5280, section 4.1.1.2: the signed part names the same algorithm.
    if algorithm != issued.parsed.tbs_certificate().signature() {
        return false;
    }
    let info = issuer.parsed.tbs_certificate().subject_public_key_info();
    let curve = info.algorithm.parameters.as_ref();
    let curve = curve.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let Some(verification) = verification(algorithm.oid, info.algorithm.oid, curve) else {
        return false;
    };
    let (Some(key), Some(signature), Some(signed)) = (
        info.subject_public_key.as_bytes(),
        issued.parsed.signature().as_bytes(),
        issued.signed_bytes(),
    ) else {
        return false;
    };
    UnparsedPublicKey::new(verification, key)
        .verify(signed, signature)
        .is_ok()
}

/// How a signature is verified: by the signature's algorithm, the key's, and the key's curve.
fn verification(
    signature: ObjectIdentifier,
    key: ObjectIdentifier,
    curve: Option<ObjectIdentifier>,
) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (key, signature, curve) {
        // Old roots and their intermediates have such signatures. Nothing trusts a chain for it.
        (RSA_ENCRYPTION, SHA1_WITH_RSA, _) => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (RSA_ENCRYPTION, SHA256_WITH_RSA, _) => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (RSA_ENCRYPTION, SHA384_WITH_RSA, _) => &RSA_PKCS1_2048_8192_SHA384,
        (RSA_ENCRYPTION, SHA512_WITH_RSA, _) => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA256, Some(P256)) => &ECDSA_P256_SHA256_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA384, Some(P256)) => &ECDSA_P256_SHA384_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA512, Some(P256)) => &ECDSA_P256_SHA512_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA256, Some(P384)) => &ECDSA_P384_SHA256_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA384, Some(P384)) => &ECDSA_P384_SHA384_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA512, Some(P384)) => &ECDSA_P384_SHA512_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA256, Some(P521)) => &ECDSA_P521_SHA256_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA384, Some(P521)) => &ECDSA_P521_SHA384_ASN1,
        (EC_PUBLIC_KEY, ECDSA_WITH_SHA512, Some(P521)) => &ECDSA_P521_SHA512_ASN1,
        (ED25519_ID, ED25519_ID, _) => &ED25519,
        _ => return None,
    })
}
