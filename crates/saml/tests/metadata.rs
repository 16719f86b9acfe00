//! Which metadata is taken (S1).

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use aws_lc_rs::rsa::KeySize;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use saml::{CertificateError, Metadata, MetadataError};

#[test]
fn s1_reads_the_issuer_and_several_certificates() {
    let (first, second) = (&idp().certificate, &stranger().certificate);
    for (keys, count) in [
        (vec![("signing", first)], 1),
        (vec![("", first)], 1),
        (vec![("signing", first), ("signing", second)], 2),
        (vec![("signing", first), ("encryption", second)], 1),
        (vec![("signing", first), ("signing", first)], 1),
    ] {
        let keys: Vec<(&str, &str)> = keys.iter().map(|(p, c)| (*p, c.as_str())).collect();
        let metadata = Metadata::parse(&metadata(&keys)).unwrap();
        assert_eq!(metadata.entity_id, ENTITY_ID);
        assert_eq!(metadata.signing_keys.len(), count, "{keys:?}");
    }
    // Base64 in lines, as most providers write it.
    let lines: Vec<&str> = first
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    let metadata = metadata(&[(
        "signing",
        &format!("\n      {}\n    ", lines.join("\n      ")),
    )]);
    assert_eq!(Metadata::parse(&metadata).unwrap().signing_keys.len(), 1);
}

/// Either key of a provider that changes its certificate is good; a key that was removed is not.
#[test]
fn s1_any_certificate_of_the_metadata_verifies() {
    let both = metadata(&[
        ("signing", &stranger().certificate),
        ("signing", &idp().certificate),
    ]);
    let both = Metadata::parse(&both).unwrap();
    let provider = |metadata| saml::Provider {
        metadata,
        decryption_keys: &[],
        requires_encryption: false,
    };
    for signer in [idp(), stranger()] {
        let response = encode(&Facts::default().signed_assertion(signer));
        assert!(saml::open(&response, &provider(&both)).is_ok());
    }
    let response = encode(&Facts::default().signed_assertion(stranger()));
    assert!(saml::open(&response, &provider(&idp().parsed())).is_err());
}

#[test]
fn s1_refuses_what_is_no_metadata_of_an_identity_provider() {
    let plain = idp().metadata();
    assert!(Metadata::parse(&plain).is_ok());
    let refused = |text: &str| Metadata::parse(text).unwrap_err();
    assert_eq!(refused(&"a".repeat(999)), MetadataError::Length);
    assert!(matches!(refused(&"a".repeat(1000)), MetadataError::Xml(_)));
    assert!(matches!(
        refused(&format!("\u{FEFF}{plain}")),
        MetadataError::Xml(_)
    ));
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    for (from, to) in [
        ("UTF-8", "UTF-16"),
        (declaration, "<!DOCTYPE a>"),
        (
            declaration,
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>",
        ),
    ] {
        let text = plain.replace(from, to);
        assert!(matches!(refused(&text), MetadataError::Xml(_)), "{to}");
    }
    for (from, to) in [
        ("SAML:2.0:metadata", "SAML:1.1:metadata"),
        ("md:EntityDescriptor", "md:EntitiesDescriptor"),
        ("entityID", "entityId"),
        ("IDPSSODescriptor", "SPSSODescriptor"),
        ("SAML:2.0:protocol", "SAML:1.1:protocol"),
        ("use=\"signing\"", "use=\"encryption\""),
        ("X509Certificate", "X509CRL"),
    ] {
        let text = plain.replace(from, to);
        assert!(matches!(refused(&text), MetadataError::Provider(_)), "{to}");
    }
    for certificate in ["", "!", "AAAA", &STANDARD.encode("no certificate")] {
        let text = metadata(&[("signing", certificate)]);
        let expected = MetadataError::Certificate(CertificateError::Malformed);
        assert_eq!(refused(&text), expected, "{certificate}");
    }
    // A certificate with a byte more at its end is none.
    let mut longer = STANDARD.decode(&idp().certificate).unwrap();
    longer.push(0);
    let text = metadata(&[("signing", &STANDARD.encode(longer))]);
    assert_eq!(
        refused(&text),
        MetadataError::Certificate(CertificateError::Malformed)
    );
}

fn with_key(key: &rcgen::KeyPair, twice: bool) -> String {
    let mut params = rcgen::CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
    if twice {
        let extension = || rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        params.custom_extensions = vec![extension(), extension()];
    }
    let certificate = params.self_signed(key).unwrap();
    metadata(&[("signing", &STANDARD.encode(certificate.der()))])
}

#[test]
fn s1_refuses_other_keys_than_rsa_and_repeated_extensions() {
    let refused = |text: String| Metadata::parse(&text).unwrap_err();
    let elliptic = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    assert_eq!(
        refused(with_key(&elliptic, false)),
        MetadataError::Certificate(CertificateError::NotRsa)
    );
    assert_eq!(
        refused(with_key(&elliptic, true)),
        MetadataError::Certificate(CertificateError::RepeatedExtension)
    );
    // The shortest modulus that is taken, and one that is shorter: self-signed.
    for (certificate, expected) in [
        (include_str!("certificates/rsa1024.txt"), Ok(1)),
        (
            include_str!("certificates/rsa512.txt"),
            Err(MetadataError::Certificate(CertificateError::KeySize)),
        ),
    ] {
        let parsed = Metadata::parse(&metadata(&[("signing", certificate)]));
        assert_eq!(parsed.map(|metadata| metadata.signing_keys.len()), expected);
    }
    assert!(Idp::new(KeySize::Rsa4096).parsed().signing_keys.len() == 1);
}

/// S1: an end in the past is not enforced, neither of the metadata nor of a certificate. (The
/// certificate of 1024 bits ended in 2020.)
#[test]
fn s1_takes_metadata_and_certificates_whose_time_is_over() {
    let certificate = include_str!("certificates/rsa1024.txt");
    let text = metadata(&[("signing", certificate)])
        .replace("entityID=", "validUntil=\"2001-01-01T00:00:00Z\" entityID=");
    assert!(Metadata::parse(&text).is_ok());
}

/// Browsers are sent to an `https` URL of the HTTP-Redirect binding, and only where requests need no signature.
#[test]
fn reads_where_browsers_are_sent_to() {
    let plain = idp().metadata();
    assert_eq!(
        Metadata::parse(&plain).unwrap().sign_on_url.as_deref(),
        Some(SIGN_ON)
    );
    let protocols = "protocolSupportEnumeration";
    let query = plain.replace(SIGN_ON, "https://idp.example/sso?a=1&amp;b=2");
    assert_eq!(
        Metadata::parse(&query).unwrap().sign_on_url.as_deref(),
        Some("https://idp.example/sso?a=1&b=2")
    );
    for (from, to) in [
        (SIGN_ON, "javascript:alert(1)"),
        (SIGN_ON, "http://idp.example/sso"),
        (SIGN_ON, "https:///sso"),
        (SIGN_ON, "//idp.example/sso"),
        (SIGN_ON, "https://idp.example/sso#x"),
        (SIGN_ON, "https://idp.example/s so"),
        (SIGN_ON, "https://idp.example\\@evil.example/"),
        ("bindings:HTTP-Redirect", "bindings:SOAP"),
        (
            protocols,
            "WantAuthnRequestsSigned=\"true\" protocolSupportEnumeration",
        ),
        (
            protocols,
            "WantAuthnRequestsSigned=\"1\" protocolSupportEnumeration",
        ),
    ] {
        let changed = Metadata::parse(&plain.replace(from, to)).unwrap();
        assert_eq!(changed.sign_on_url, None, "{to}");
    }
    let refused = plain.replace(
        protocols,
        "WantAuthnRequestsSigned=\"false\" protocolSupportEnumeration",
    );
    assert!(Metadata::parse(&refused).unwrap().sign_on_url.is_some());
}
