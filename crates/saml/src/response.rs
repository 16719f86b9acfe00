//! Finds the assertion that the provider signed in a response.

use base64::Engine as _;

use crate::assertion::Assertion;
use crate::certificate::SigningKey;
use crate::encryption::{DecryptionKey, decrypt};
use crate::metadata::Metadata;
use crate::names::{ASSERTION, DSIG, PROTOCOL};
use crate::signature::{SignatureError, as_text, signed_bytes};
use crate::tree::{Node, Tree};
use crate::xml::{Element, XmlError};
use crate::{ASSERTION_CHARS_MAX, BASE64, Refused};

/// `urn:oasis:names:tc:SAML:2.0:status:Success`
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// What a provider's responses are checked against.
#[derive(Clone, Copy, Debug)]
pub struct Provider<'p> {
    /// Its metadata.
    pub metadata: &'p Metadata,
    /// The keys that open encrypted assertions, in the order in which they are tried.
    pub decryption_keys: &'p [DecryptionKey],
    /// Whether an assertion that is not encrypted is refused.
    pub requires_encryption: bool,
}

impl From<XmlError> for Refused {
    fn from(error: XmlError) -> Self {
        Refused::Malformed(error.0)
    }
}

impl From<SignatureError> for Refused {
    fn from(error: SignatureError) -> Self {
        Refused::Signature(error.0)
    }
}

/// The assertion of a response in base64, once its signature, its structure and its issuer are
/// proven. Its times and its audience are not checked yet: see [`Assertion::check`].
///
/// # Errors
/// [`Refused`]
pub fn open(encoded: &str, provider: &Provider<'_>) -> Result<Assertion, Refused> {
    if encoded.len() > ASSERTION_CHARS_MAX {
        return Err(Refused::Malformed("the response is too long"));
    }
    let encoded: String = encoded.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(encoded).map_err(|_| Refused::NotBase64)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Refused::Malformed("the response is not UTF-8"))?;
    let element = assertion_element(&text, provider)?;
    let assertion = Assertion::read(&element)?;
    if assertion.issuer != provider.metadata.entity_id {
        return Err(Refused::Issuer);
    }
    Ok(assertion)
}

/// The signed `Assertion` of a response.
fn assertion_element(text: &str, provider: &Provider<'_>) -> Result<Element, Refused> {
    let keys = &provider.metadata.signing_keys;
    let tree = Tree::parse(text)?;
    let root = tree.root();
    if !tree.is(root, PROTOCOL, "Response") || tree.attribute(root, "Version") != Some("2.0") {
        return Err(Refused::Malformed("the root is no Response of SAML 2.0"));
    }
    require_success(&tree, root)?;
    let assertion = only_assertion(&tree, root)?;
    let is_encrypted = tree.is(assertion, ASSERTION, "EncryptedAssertion");
    if provider.requires_encryption && !is_encrypted {
        return Err(Refused::Malformed("the assertion is not encrypted"));
    }
    let signatures = Signatures::of(&tree, root, (!is_encrypted).then_some(assertion))?;

    // Of what is signed, the signed bytes are read; all that is signed must be signed well.
    let response = match signatures.of_response {
        Some(signature) => Some(proven(&tree, signature, keys)?),
        None => None,
    };
    let own = match signatures.of_assertion {
        Some(signature) => Some(proven(&tree, signature, keys)?),
        None => None,
    };
    if is_encrypted {
        let (around, is_signed) = match response {
            Some(response) => (response, true),
            None => (Element::parse(text)?, false),
        };
        let encrypted = around.one(ASSERTION, "EncryptedAssertion")?;
        let text = decrypt(encrypted, provider.decryption_keys)?;
        return decrypted_element(&text, is_signed, keys);
    }
    match (own, response) {
        (Some(assertion), _) => Ok(assertion),
        (None, Some(response)) => Ok(response.one(ASSERTION, "Assertion")?.clone()),
        (None, None) => Err(Refused::Signature("the response is not signed")),
    }
}

/// An assertion that was encrypted. It is signed by itself, or was a part of a signed response.
fn decrypted_element(text: &str, is_signed: bool, keys: &[SigningKey]) -> Result<Element, Refused> {
    let tree = Tree::parse(text)?;
    let root = tree.root();
    if tree.all(ASSERTION, "Assertion") != [root] {
        return Err(Refused::Malformed(
            "what was encrypted is not one assertion",
        ));
    }
    let signatures = Signatures::of(&tree, root, Some(root))?;
    match signatures.of_assertion {
        Some(signature) => proven(&tree, signature, keys),
        None if is_signed => Ok(Element::parse(text)?),
        None => Err(Refused::Signature("the response is not signed")),
    }
}

fn proven(tree: &Tree<'_>, signature: Node, keys: &[SigningKey]) -> Result<Element, Refused> {
    let bytes = signed_bytes(tree, signature, keys)?;
    Ok(Element::parse(as_text(&bytes)?)?)
}

fn require_success(tree: &Tree<'_>, root: Node) -> Result<(), Refused> {
    let child = |of: Node, local| {
        let children = tree.children(of);
        let found = children
            .into_iter()
            .find(|node| tree.is(*node, PROTOCOL, local));
        found.ok_or(Refused::Malformed("the response has no status"))
    };
    let code = child(child(root, "Status")?, "StatusCode")?;
    match tree.attribute(code, "Value") {
        Some(SUCCESS) => Ok(()),
        _ => Err(Refused::Malformed(
            "the provider did not authenticate the user",
        )),
    }
}

/// The one assertion, encrypted or not. Another one anywhere, in an extension, in a signature or in the
/// assertion itself, is refused: each published way of signature wrapping needs a second one.
fn only_assertion(tree: &Tree<'_>, root: Node) -> Result<Node, Refused> {
    let mut found = tree.all(ASSERTION, "Assertion");
    found.extend(tree.all(ASSERTION, "EncryptedAssertion"));
    match found.as_slice() {
        [assertion] if tree.parent(*assertion) == Some(root) => Ok(*assertion),
        _ => Err(Refused::Malformed(
            "the response does not have exactly one assertion",
        )),
    }
}

/// The signatures, each a child of what it may sign.
struct Signatures {
    of_response: Option<Node>,
    of_assertion: Option<Node>,
}

impl Signatures {
    fn of(tree: &Tree<'_>, root: Node, assertion: Option<Node>) -> Result<Signatures, Refused> {
        let mut signatures = Signatures {
            of_response: None,
            of_assertion: None,
        };
        for signature in tree.all(DSIG, "Signature") {
            let parent = tree.parent(signature);
            let place = if parent.is_some() && parent == assertion {
                &mut signatures.of_assertion
            } else if parent == Some(root) {
                &mut signatures.of_response
            } else {
                return Err(Refused::Signature("a signature is where none may be"));
            };
            if place.replace(signature).is_some() {
                return Err(Refused::Signature("an element is signed twice"));
            }
        }
        Ok(signatures)
    }
}
