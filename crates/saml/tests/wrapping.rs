//! Signature wrapping: the eight ways of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky et
//! al., USENIX Security 2012) in the numbering of SAML Raider, each with a signed assertion and, where
//! it differs, with a signed response (trap 8).
//!
//! In each, the document holds what the provider signed, unchanged, and a forged assertion that a
//! careless reader takes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use saml::Refused;

struct Pieces {
    /// The assertion with its signature in it, as it was signed.
    signed: String,
    /// The same without the signature.
    unsigned: String,
    signature: String,
    /// An assertion for someone else, with its own ID.
    evil: String,
}

fn pieces() -> Pieces {
    let unsigned = Facts::default().assertion();
    let signature = idp().signature(&unsigned, "_a1");
    Pieces {
        signed: idp().signed(&unsigned, "_a1"),
        evil: unsigned.replace("alice", "admin").replace("_a1", "_evil"),
        unsigned,
        signature,
    }
}

/// `element` with `inner` as its last child.
fn within(element: &str, inner: &str) -> String {
    let end = element.rfind("</").unwrap();
    format!("{}{inner}{}", &element[..end], &element[end..])
}

/// `element` with `inner` behind its first `Issuer`.
fn behind_issuer(element: &str, inner: &str) -> String {
    element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{inner}"), 1)
}

fn object(content: &str) -> String {
    format!("<ds:Object>{content}</ds:Object>")
}

#[test]
fn the_pieces_are_accepted_unwrapped() {
    let pieces = pieces();
    assert!(accept(&response(&pieces.signed)).is_ok());
    assert!(
        accept(&response(&behind_issuer(
            &pieces.unsigned,
            &pieces.signature
        )))
        .is_ok()
    );
    assert!(accept(&Facts::default().signed_response(idp())).is_ok());
}

#[test]
fn refuses_all_eight_variants_of_wrapping() {
    let Pieces {
        signed,
        unsigned,
        signature,
        evil,
    } = pieces();
    let whole = Facts::default().signed_response(idp());
    let whole_signature = {
        let unsigned = response(&Facts::default().assertion());
        idp().signature(&unsigned, "_r1")
    };
    let whole_unsigned = response(&Facts::default().assertion());
    let evil_response = response(&evil).replace("ID=\"_r1\"", "ID=\"_evil_r\"");
    let nested = |signature: &str, content: &str| within(signature, &object(content));
    let variants = [
        // 1: a forged response around; the signed one is in the signature, which signs it detached.
        (
            "XSW1",
            behind_issuer(&evil_response, &nested(&whole_signature, &whole_unsigned)),
        ),
        // 2: the same, the original before the signature.
        (
            "XSW2",
            behind_issuer(
                &evil_response,
                &format!("{whole_unsigned}{whole_signature}"),
            ),
        ),
        // 3: a forged assertion before the signed one.
        ("XSW3", response(&format!("{evil}{signed}"))),
        // 4: the signed one inside the forged one.
        ("XSW4", response(&within(&evil, &signed))),
        // 5: the forged one keeps the signature; the original stands at the end of the response.
        (
            "XSW5",
            response(&format!("{}{unsigned}", behind_issuer(&evil, &signature))),
        ),
        // 6: the original is inside the signature of the forged one.
        (
            "XSW6",
            response(&behind_issuer(&evil, &nested(&signature, &unsigned))),
        ),
        // 7: the forged one in an extension, before the signed one.
        (
            "XSW7",
            response(&format!(
                "<samlp:Extensions>{evil}</samlp:Extensions>{signed}"
            )),
        ),
        // 8: the original in an object of the forged one's signature.
        (
            "XSW8",
            response(&behind_issuer(&evil, &nested(&signature, &signed))),
        ),
    ];
    for (name, response) in &variants {
        assert!(
            response.contains("admin"),
            "{name} holds no forged assertion"
        );
        let refused = open(response).expect_err(name);
        assert!(
            matches!(refused, Refused::Malformed(_) | Refused::Signature(_)),
            "{name}: {refused:?}"
        );
    }
    // With the same ID on both, so that a reader that resolves `#ID` may find either.
    for (name, response) in &variants {
        let same = response.replace("_evil_r", "_r1").replace("_evil", "_a1");
        assert!(open(&same).is_err(), "{name} with one ID");
    }
    // Inside a response that is signed as a whole, nothing can be added.
    for (name, wrapped) in [
        ("a second assertion", within(&whole, &evil)),
        (
            "an extension",
            behind_issuer(
                &whole,
                &format!("<samlp:Extensions>{evil}</samlp:Extensions>"),
            ),
        ),
        ("behind the root", format!("{whole}{evil}")),
    ] {
        assert!(open(&wrapped).is_err(), "{name}");
    }
}

/// The forged assertion hides from a reader that counts: as an encrypted one, under another case of
/// the name, in another namespace, or in a comment.
#[test]
fn reads_nothing_beside_the_signed_element() {
    let Pieces { signed, evil, .. } = pieces();
    let encrypted = "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"></saml:EncryptedAssertion>";
    assert!(open(&response(&format!("{encrypted}{signed}"))).is_err());
    for beside in [
        evil.replace("saml:Assertion", "saml:assertion"),
        evil.replace("SAML:2.0:assertion", "SAML:1.0:assertion"),
        format!("<!--{evil}-->"),
        format!("<x><![CDATA[{evil}]]></x>"),
    ] {
        for response in [
            response(&format!("{beside}{signed}")),
            response(&format!("{signed}{beside}")),
        ] {
            let name = open(&response).unwrap().name_id.unwrap();
            assert_eq!(name.value, "alice");
        }
    }
}
