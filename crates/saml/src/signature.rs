//! XML signatures in the one form that SAML allows (SAML 2.0 Core, section 5.4): enveloped in the
//! element that they sign, with one reference to it.
//!
//! What comes out is not a verdict on a document but the *bytes that were digested*, and nothing else
//! is read afterwards. However the document around them was rearranged, those bytes are what the
//! provider signed.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use base64::Engine as _;

use crate::BASE64;
use crate::certificate::{RsaAlgorithm, SigningKey};
use crate::names::{DSIG, EXC_C14N};
use crate::tree::{Canonicalization, Node, Tree};
use crate::xml::{Element, XmlError};

/// The transform that leaves the signature itself out.
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SignatureError(pub(crate) &'static str);

impl From<XmlError> for SignatureError {
    fn from(error: XmlError) -> Self {
        SignatureError(error.0)
    }
}

/// The canonical bytes of the element that `signature` is a child of, once they are proven to be
/// signed by one of the keys.
pub(crate) fn signed_bytes(
    tree: &Tree<'_>,
    signature: Node,
    keys: &[SigningKey],
) -> Result<Vec<u8>, SignatureError> {
    let target = tree
        .parent(signature)
        .ok_or(SignatureError("the signature is not in an element"))?;
    let id = tree
        .attribute(target, "ID")
        .filter(|id| !id.is_empty())
        .ok_or(SignatureError("the signed element has no ID"))?;
    if tree.identifiers().get(id) != Some(&1) {
        return Err(SignatureError("an ID is there twice"));
    }
    let parts = Parts::of(tree, signature)?;

    // `SignedInfo` is proven first, and then read from the bytes that were proven.
    let method = parts.canonicalization_method;
    let named = tree.attribute(method, "Algorithm").unwrap_or_default();
    let canonicalization = Canonicalization::from_uri(named).ok_or(SignatureError(
        "the canonicalization method is not supported",
    ))?;
    let prefixes = prefix_list_of(tree, method);
    let signed_info = tree.canonical(parts.signed_info, None, canonicalization, &prefixes)?;
    let text = as_text(&signed_info)?;
    let info = SignedInfo::parse(text)?;
    let value = decode(&tree.text(parts.signature_value))?;
    let is_signed = keys
        .iter()
        .any(|key| key.verifies(info.algorithm, &signed_info, &value));
    if !is_signed {
        return Err(SignatureError("no key of the provider made the signature"));
    }

    if info.uri.strip_prefix('#') != Some(id) {
        return Err(SignatureError("the signature refers to another element"));
    }
    let bytes = tree.canonical(
        target,
        Some(signature),
        info.canonicalization,
        &info.prefixes,
    )?;
    if digest(info.digest_algorithm, &bytes).as_ref() != info.digest {
        return Err(SignatureError("the signed element was changed"));
    }
    Ok(bytes)
}

/// The children of a `Signature`. An `Object` is refused: nothing but the enclosing element is signed,
/// and it is where signed elements are moved to in order to hide them.
struct Parts {
    signed_info: Node,
    canonicalization_method: Node,
    signature_value: Node,
}

impl Parts {
    fn of(tree: &Tree<'_>, signature: Node) -> Result<Parts, SignatureError> {
        let children = tree.children(signature);
        let (info, value) = match children.as_slice() {
            [info, value] => (*info, *value),
            [info, value, key] if tree.is(*key, DSIG, "KeyInfo") => (*info, *value),
            _ => return Err(SignatureError("the signature has other parts than it may")),
        };
        if !tree.is(info, DSIG, "SignedInfo") || !tree.is(value, DSIG, "SignatureValue") {
            return Err(SignatureError("the signature has other parts than it may"));
        }
        let method = tree.children(info).first().copied();
        let method = method.filter(|node| tree.is(*node, DSIG, "CanonicalizationMethod"));
        Ok(Parts {
            signed_info: info,
            canonicalization_method: method
                .ok_or(SignatureError("the signature names no canonicalization"))?,
            signature_value: value,
        })
    }
}

/// What a `SignedInfo` says.
struct SignedInfo {
    algorithm: RsaAlgorithm,
    uri: String,
    canonicalization: Canonicalization,
    prefixes: Vec<String>,
    digest_algorithm: &'static Algorithm,
    digest: Vec<u8>,
}

impl SignedInfo {
    fn parse(text: &str) -> Result<SignedInfo, SignatureError> {
        let info = Element::parse(text)?;
        let method = info.one(DSIG, "SignatureMethod")?;
        let algorithm = RsaAlgorithm::from_uri(algorithm_of(method))
            .ok_or(SignatureError("the signature method is not supported"))?;
        // Exactly one reference (trap: a second one could carry what is signed elsewhere).
        let reference = info.one(DSIG, "Reference")?;
        if info.children.len() != 3 {
            return Err(SignatureError("the signature has other parts than it may"));
        }
        let (canonicalization, prefixes) = transforms(reference)?;
        let digest_method = reference.one(DSIG, "DigestMethod")?;
        Ok(SignedInfo {
            algorithm,
            uri: reference.attribute("URI").unwrap_or_default().to_owned(),
            canonicalization,
            prefixes,
            digest_algorithm: digest_algorithm(algorithm_of(digest_method))
                .ok_or(SignatureError("the digest method is not supported"))?,
            digest: decode(&reference.one(DSIG, "DigestValue")?.text)?,
        })
    }
}

/// The transforms: the enveloped signature, then at most one canonicalization.
fn transforms(reference: &Element) -> Result<(Canonicalization, Vec<String>), SignatureError> {
    let refused = SignatureError("the signature has other transforms than it may");
    let transforms = reference.one(DSIG, "Transforms")?;
    let (enveloped, canonicalization) = match transforms.children.as_slice() {
        [enveloped] => (enveloped, None),
        [enveloped, canonicalization] => (enveloped, Some(canonicalization)),
        _ => return Err(refused),
    };
    if !enveloped.name.is(DSIG, "Transform") || algorithm_of(enveloped) != ENVELOPED {
        return Err(refused);
    }
    let Some(transform) = canonicalization else {
        return Ok((Canonicalization::DEFAULT, Vec::new()));
    };
    if !transform.name.is(DSIG, "Transform") {
        return Err(refused);
    }
    let mode = Canonicalization::from_uri(algorithm_of(transform)).ok_or(refused)?;
    let prefixes = transform.at_most_one(EXC_C14N, "InclusiveNamespaces")?;
    let prefixes = prefixes.and_then(|list| list.attribute("PrefixList"));
    Ok((mode, words(prefixes.unwrap_or_default())))
}

fn prefix_list_of(tree: &Tree<'_>, method: Node) -> Vec<String> {
    let children = tree.children(method);
    let list = children
        .iter()
        .find(|node| tree.is(**node, EXC_C14N, "InclusiveNamespaces"));
    let list = list.and_then(|node| tree.attribute(*node, "PrefixList"));
    words(list.unwrap_or_default())
}

fn words(list: &str) -> Vec<String> {
    list.split_ascii_whitespace().map(str::to_owned).collect()
}

fn algorithm_of(method: &Element) -> &str {
    method.attribute("Algorithm").unwrap_or_default()
}

/// RFC 9231, section 2.1, and XML Encryption, section 5.8. SHA-1 is not among them.
fn digest_algorithm(uri: &str) -> Option<&'static Algorithm> {
    Some(match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => &SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &SHA512,
        _ => return None,
    })
}

fn decode(base64: &str) -> Result<Vec<u8>, SignatureError> {
    let text: String = base64.split_ascii_whitespace().collect();
    let decoded = BASE64.decode(text);
    decoded.map_err(|_| SignatureError("the signature is not base64"))
}

/// Canonical XML is UTF-8.
pub(crate) fn as_text(canonical: &[u8]) -> Result<&str, SignatureError> {
    std::str::from_utf8(canonical).map_err(|_| SignatureError("canonical XML is not UTF-8"))
}
