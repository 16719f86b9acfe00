//! Which responses are taken.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use saml::Refused;

#[test]
fn takes_a_signed_assertion_and_a_signed_response() {
    let facts = Facts::default();
    let assertion = idp().signed(&facts.assertion(), "_a1");
    for response in [
        facts.signed_assertion(idp()),
        facts.signed_response(idp()),
        // Both.
        idp().signed(&response(&assertion), "_r1"),
    ] {
        let assertion = accept(&response).unwrap();
        assert_eq!(assertion.id, "_a1");
        assert_eq!(assertion.recipient, ENDPOINT);
        let name = assertion.name_id.as_ref().unwrap();
        assert_eq!(
            (name.value.as_str(), name.subject_type()),
            ("alice", "persistent")
        );
        let values = assertion.values("https://aws.amazon.com/SAML/Attributes/Role");
        assert_eq!(values, [ROLE]);
    }
}

/// The same document written otherwise: canonicalization must make it the same again.
#[test]
fn takes_a_response_that_was_rewritten_without_a_change_of_meaning() {
    let plain = Facts::default().signed_assertion(idp());
    for rewritten in [
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{plain}\n<!-- end -->"),
        plain.replace("></saml:AuthnStatement>", " />"),
        plain.replace(
            "ID=\"_a1\" IssueInstant=\"2026-11-26T11:59:00Z\" Version=\"2.0\"",
            "Version='2.0'\n  IssueInstant='2026-11-26T11:59:00Z' ID='_a1'",
        ),
        plain.replace("alice<", "al&#105;ce<"),
        plain.replace("alice<", "<![CDATA[alice]]><"),
        plain.replace(
            "<samlp:Response ",
            "<samlp:Response xmlns:unused=\"urn:x\" ",
        ),
    ] {
        assert_ne!(rewritten, plain);
        let assertion = accept(&rewritten).unwrap();
        assert_eq!(assertion.name_id.unwrap().value, "alice");
    }
}

/// Trap 8, comment truncation: a comment inside a name neither shortens it nor breaks the signature.
#[test]
fn takes_text_across_comments() {
    let facts = Facts {
        name_id: "<saml:NameID>alice@example.com.evil.example</saml:NameID>".to_owned(),
        ..Facts::default()
    };
    let signed = facts.signed_assertion(idp());
    let commented = signed.replace("alice@example.com.evil", "alice@example.com<!-- -->.evil");
    assert_ne!(commented, signed);
    let assertion = accept(&commented).unwrap();
    assert_eq!(
        assertion.name_id.unwrap().value,
        "alice@example.com.evil.example"
    );
}

/// Trap 8: each change of what is signed, and each signature that is not the provider's.
#[test]
fn refuses_what_the_provider_did_not_sign() {
    let facts = Facts::default();
    let plain = facts.signed_assertion(idp());
    for (what, response) in [
        ("no signature", response(&facts.assertion())),
        ("another key", facts.signed_assertion(stranger())),
        ("another name", plain.replace("alice<", "admin<")),
        ("another attribute", plain.replace("role/ci", "role/admin")),
        ("white space in text", plain.replace("alice<", "alice <")),
        (
            "a new attribute",
            plain.replace("<saml:NameID ", "<saml:NameID x=\"1\" "),
        ),
        (
            "an element more",
            plain.replace("<saml:Subject>", "<saml:Subject><x></x>"),
        ),
        (
            "another namespace",
            plain.replace("SAML:2.0:assertion\" ID", "SAML:2.1:assertion\" ID"),
        ),
        (
            "another method",
            plain.replace("#rsa-sha256", "#rsa-sha512"),
        ),
        (
            "another digest",
            plain.replace("xmlenc#sha256", "xmlenc#sha512"),
        ),
        (
            "a comment more in a value of base64",
            plain.replace("<ds:DigestValue>", "<ds:DigestValue>A"),
        ),
    ] {
        let refused = open(&response).unwrap_err();
        assert!(
            matches!(refused, Refused::Signature(_) | Refused::Malformed(_)),
            "{what}: {refused:?}"
        );
    }
    let valid = open(&plain);
    assert!(valid.is_ok(), "{valid:?}");
}

/// Weak algorithms, and forms of a signature that could cover something else than its parent.
#[test]
fn refuses_signatures_of_another_form() {
    let facts = Facts::default();
    let assertion = facts.assertion();
    let digest = {
        use base64::Engine as _;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, assertion.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(digest)
    };
    let info = signed_info("_a1", &digest);
    let insert = |signature: &str| {
        let with = format!("</saml:Issuer>{signature}");
        response(&assertion.replacen("</saml:Issuer>", &with, 1))
    };
    assert!(open(&insert(&idp().signature_of(&info))).is_ok());
    let reference =
        &info[info.find("<ds:Reference").unwrap()..info.find("</ds:SignedInfo").unwrap()];
    for (what, info) in [
        ("SHA-1", info.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1")),
        ("HMAC with the public key", info.replace("#rsa-sha256", "#hmac-sha256")),
        ("no method", info.replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "")),
        ("the whole document", info.replace("URI=\"#_a1\"", "URI=\"\"")),
        ("no reference", info.replace(reference, "")),
        ("two references", info.replace(reference, &reference.repeat(2))),
        ("another element", info.replace("#_a1", "#_r1")),
        ("XPointer", info.replace("#_a1", "#xpointer(id('_a1'))")),
        ("a file", info.replace("#_a1", "file:///etc/passwd")),
        ("XSLT", info.replace("2000/09/xmldsig#enveloped-signature", "TR/1999/REC-xslt-19991116")),
        (
            "XPath",
            info.replace(
                "<ds:Transforms>",
                "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"></ds:Transform>",
            ),
        ),
        ("another element in SignedInfo", info.replace("</ds:SignedInfo>", "<x></x></ds:SignedInfo>")),
    ] {
        let refused = open(&insert(&idp().signature_of(&info))).unwrap_err();
        assert!(matches!(refused, Refused::Signature(_)), "{what}: {refused:?}");
    }
    let with_object = idp()
        .signature_of(&info)
        .replace("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>");
    assert!(matches!(
        open(&insert(&with_object)),
        Err(Refused::Signature(_))
    ));
}

/// Trap 8: no document type, whatever it declares.
#[test]
fn refuses_a_document_type() {
    let plain = Facts::default().signed_assertion(idp());
    for doctype in [
        "<!DOCTYPE a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "<!DOCTYPE a SYSTEM \"http://attacker.example/a.dtd\">",
        "<!DOCTYPE a [<!ATTLIST saml:Assertion ID ID #IMPLIED>]>",
    ] {
        let refused = open(&format!("{doctype}{plain}")).unwrap_err();
        assert!(
            matches!(refused, Refused::Malformed(_)),
            "{doctype}: {refused:?}"
        );
    }
}

/// Trap 8: 100,000 characters of base64, and what is no response at all.
#[test]
fn refuses_what_is_too_long_and_what_is_no_response() {
    let metadata = idp().parsed();
    let provider = saml::Provider {
        metadata: &metadata,
        decryption_keys: &[],
        requires_encryption: false,
    };
    let padded = |length: usize| {
        let plain = Facts::default().signed_assertion(idp());
        let text = format!("{plain}<!--{}-->", "x".repeat(length - plain.len() - 7));
        saml::open(&encode(&text), &provider)
    };
    assert!(padded(74_998).is_ok());
    assert!(matches!(padded(75_010), Err(Refused::Malformed(_))));
    assert_eq!(saml::open("%%%%", &provider), Err(Refused::NotBase64));
    let plain = Facts::default().signed_assertion(idp());
    for response in [
        String::new(),
        "hello".to_owned(),
        Facts::default().assertion(),
        idp().signed(&Facts::default().assertion(), "_a1"),
        plain.replace("status:Success", "status:Responder"),
        plain.replace(
            "ID=\"_r1\" IssueInstant=\"2026-11-26T11:59:00Z\" Version=\"2.0\"",
            "ID=\"_r1\" Version=\"1.1\"",
        ),
    ] {
        assert!(
            matches!(open(&response), Err(Refused::Malformed(_))),
            "{response}"
        );
    }
}

/// Trap 9, row by row.
#[test]
fn checks_issuer_times_audience_and_recipient() {
    let at = |facts: &Facts, now| check(&open(&facts.signed_assertion(idp())).unwrap(), now);
    let plain = Facts::default();
    // Issued at 11:59:00, and over at 12:04:00 by its own words: five minutes either way.
    for (now, expected) in [
        ("2026-11-26T11:57:59Z", Err(Refused::NotYet)),
        ("2026-11-26T11:58:00Z", Ok(())),
        ("2026-11-26T12:03:59Z", Ok(())),
        ("2026-11-26T12:04:00Z", Err(Refused::Expired)),
    ] {
        assert_eq!(at(&plain, now), expected, "{now}");
    }
    let long = Facts {
        confirmations: confirmation(ENDPOINT, "2026-11-27T12:00:00Z"),
        conditions: conditions("2026-11-26T11:59:00Z", "2026-11-27T12:00:00Z", &[ENDPOINT]),
        ..plain.clone()
    };
    assert_eq!(at(&long, "2026-11-26T12:04:00Z"), Ok(()));
    assert_eq!(at(&long, "2026-11-26T12:04:01Z"), Err(Refused::Expired));

    let open_ended = "<saml:Conditions></saml:Conditions>".to_owned();
    for (what, facts, expected) in [
        (
            "another audience",
            Facts { conditions: conditions("2026-11-26T11:59:00Z", "2026-11-26T12:04:00Z", &["https://other.example"]), ..plain.clone() },
            Refused::Audience,
        ),
        ("no restriction", Facts { conditions: open_ended, ..plain.clone() }, Refused::Audience),
        ("no conditions", Facts { conditions: String::new(), ..plain.clone() }, Refused::Audience),
        (
            "a second restriction",
            Facts {
                conditions: plain.conditions.replace(
                    "</saml:Conditions>",
                    "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience>\
                     </saml:AudienceRestriction></saml:Conditions>",
                ),
                ..plain.clone()
            },
            Refused::Audience,
        ),
        (
            "a longer audience",
            Facts { conditions: plain.conditions.replace(ENDPOINT, "https://signin.aws.amazon.com/saml.evil.example"), ..plain.clone() },
            Refused::Audience,
        ),
        (
            "another recipient",
            Facts { confirmations: confirmation("https://other.example/acs", "2026-11-26T12:04:00Z"), ..plain.clone() },
            Refused::Recipient,
        ),
        (
            "the confirmation is over",
            Facts { confirmations: confirmation(ENDPOINT, "2026-11-26T12:00:00Z"), ..plain.clone() },
            Refused::Expired,
        ),
        (
            "the conditions are over",
            Facts { conditions: conditions("2026-11-26T11:59:00Z", "2026-11-26T12:00:00Z", &[ENDPOINT]), ..plain.clone() },
            Refused::Expired,
        ),
        (
            "the conditions have not begun",
            Facts { conditions: conditions("2026-11-26T12:02:00Z", "2026-11-26T12:04:00Z", &[ENDPOINT]), ..plain.clone() },
            Refused::NotYet,
        ),
        (
            "the provider's session is over",
            Facts {
                authn: "<saml:AuthnStatement AuthnInstant=\"2026-11-26T11:00:00Z\" SessionNotOnOrAfter=\"2026-11-26T12:00:00Z\"></saml:AuthnStatement>".to_owned(),
                ..plain.clone()
            },
            Refused::Expired,
        ),
    ] {
        assert_eq!(at(&facts, NOW), Err(expected), "{what}");
    }
    let other = Facts {
        issuer: "https://other.example".to_owned(),
        ..plain
    };
    assert_eq!(open(&other.signed_assertion(idp())), Err(Refused::Issuer));
}

/// S3: exactly one `SubjectConfirmation`, with `NotOnOrAfter` and `Recipient`, for the bearer.
#[test]
fn s3_requires_one_complete_subject_confirmation() {
    let one = confirmation(ENDPOINT, "2026-11-26T12:04:00Z");
    for confirmations in [
        String::new(),
        one.repeat(2),
        one.replace(" Recipient=\"https://signin.aws.amazon.com/saml\"", ""),
        one.replace(" NotOnOrAfter=\"2026-11-26T12:04:00Z\"", ""),
        one.replace("cm:bearer", "cm:holder-of-key"),
        one.replace("2026-11-26T12:04:00Z", "tomorrow"),
    ] {
        let facts = Facts {
            confirmations,
            ..Facts::default()
        };
        let refused = open(&facts.signed_assertion(idp())).unwrap_err();
        assert!(matches!(refused, Refused::Malformed(_)), "{refused:?}");
    }
    // S5: without a name the assertion is read; whoever takes it refuses.
    let nameless = Facts {
        name_id: String::new(),
        ..Facts::default()
    };
    assert_eq!(
        accept(&nameless.signed_response(idp())).unwrap().name_id,
        None
    );
}
