//! Certificates, private keys and chains.

#![allow(clippy::unwrap_used)]

use certificates::{
    Certificate, InvalidChain, MalformedCertificate, PrivateKeyError, Validity, key_matches,
    verify_chain,
};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519,
    SignatureAlgorithm, date_time_ymd,
};

const RSA: &str = include_str!("documents/rsa.crt");
/// 2026-12-01.
const NOW: i64 = 1_796_083_200;
const DAY: i64 = 24 * 3600;

fn read(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

#[test]
fn one_certificate_is_read_from_a_text() {
    let certificate = read(RSA);
    for text in [
        RSA.replace('\n', "\r\n"),
        format!("\n\n{RSA}\n"),
        RSA.trim().to_owned(),
    ] {
        assert_eq!(read(&text), certificate);
    }
    let key = include_str!("documents/rsa.key");
    let cut = RSA.replacen("\nMII", "\nMIJ", 1);
    for text in [
        "",
        "certbody",
        key,
        &format!("{RSA}{RSA}"),
        &format!("{RSA}{key}"),
        &cut,
        &format!("x{RSA}"),
    ] {
        assert_eq!(
            Certificate::from_pem(text),
            Err(MalformedCertificate),
            "{text}"
        );
    }
    assert_eq!(Certificate::list_from_pem(&RSA.repeat(3)).unwrap().len(), 3);
    assert_eq!(Certificate::list_from_pem("\n"), Err(MalformedCertificate));
}

fn params(name: &str, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

#[test]
fn a_certificate_holds_between_its_dates() {
    let key = KeyPair::generate().unwrap();
    let certificate = read(&params("a", false).self_signed(&key).unwrap().pem());
    // 2026-01-01 and 2027-01-01.
    let (begin, end) = (1_767_225_600, 1_798_761_600);
    assert_eq!(certificate.not_after(), end);
    for (at, validity) in [
        (begin - 301, Validity::NotYet),
        // Clocks differ.
        (begin - 300, Validity::Valid),
        (NOW, Validity::Valid),
        (end, Validity::Valid),
        (end + 1, Validity::Expired),
    ] {
        assert_eq!(certificate.validity(at), validity, "{at}");
    }
}

#[test]
fn an_extension_that_is_there_twice_makes_a_certificate_malformed() {
    let key = KeyPair::generate().unwrap();
    let mut params = params("a", false);
    let extension = || CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    params.custom_extensions = vec![extension()];
    assert!(Certificate::from_pem(&params.self_signed(&key).unwrap().pem()).is_ok());
    params.custom_extensions = vec![extension(), extension()];
    let pem = params.self_signed(&key).unwrap().pem();
    assert_eq!(Certificate::from_pem(&pem), Err(MalformedCertificate));
}

#[test]
fn a_private_key_is_that_of_its_certificate_alone() {
    let certificates = [
        ("rsa", RSA),
        ("rsa1024", include_str!("documents/rsa1024.crt")),
        ("ec", include_str!("documents/ec.crt")),
        ("p521", include_str!("documents/p521.crt")),
        ("ed25519", include_str!("documents/ed25519.crt")),
    ];
    let keys = [
        ("rsa", include_str!("documents/rsa.key")),
        ("rsa", include_str!("documents/rsa.pkcs8")),
        ("rsa1024", include_str!("documents/rsa1024.key")),
        ("ec", include_str!("documents/ec.key")),
        ("ec", include_str!("documents/ec.pkcs8")),
        ("p521", include_str!("documents/p521.key")),
        ("ed25519", include_str!("documents/ed25519.pkcs8")),
    ];
    for (name, certificate) in certificates {
        let certificate = read(certificate);
        for (of, key) in keys {
            assert_eq!(
                key_matches(&certificate, key),
                Ok(name == of),
                "{name}, key of {of}"
            );
        }
    }
}

#[test]
fn private_keys_that_cannot_be_read_are_refused() {
    let key = include_str!("documents/rsa.key");
    // A digit within the primes: the key is no longer consistent.
    let line = key.lines().nth(12).unwrap();
    let digit = if line.starts_with('A') { "B" } else { "A" };
    let damaged = key.replace(line, &format!("{digit}{}", &line[1..]));
    for (what, text) in [
        ("text", "privatekey"),
        ("nothing", ""),
        ("a certificate", RSA),
        ("an encrypted key", include_str!("documents/encrypted.key")),
        (
            "an encrypted key in PKCS #8",
            include_str!("documents/encrypted.pkcs8"),
        ),
        ("two keys", &key.repeat(2)),
        ("a public key", include_str!("documents/rsa.pub.pem")),
        (
            "a key of another kind than it says",
            &key.replace("RSA", "EC"),
        ),
        ("a damaged key", &damaged),
    ] {
        assert_eq!(
            key_matches(&read(RSA), text),
            Err(PrivateKeyError),
            "{what}"
        );
    }
}

/// An authority.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Ca {
    fn root(name: &str, algorithm: &'static SignatureAlgorithm) -> Ca {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = params(name, true);
        let pem = params.self_signed(&key).unwrap().pem();
        Ca {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn sub(&self, params: CertificateParams, algorithm: &'static SignatureAlgorithm) -> Ca {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Ca {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn leaf(&self) -> String {
        self.sub(params("leaf", false), &PKCS_ECDSA_P256_SHA256).pem
    }
}

fn verify(leaf: &str, chain: &[&str]) -> Result<(), i32> {
    let chain = Certificate::list_from_pem(&chain.concat()).unwrap();
    verify_chain(&read(leaf), &chain, NOW).map_err(|InvalidChain { index }| index)
}

#[test]
fn a_chain_begins_with_the_issuer_and_goes_on_in_order() {
    let root = Ca::root("root", &PKCS_ECDSA_P384_SHA384);
    let upper = root.sub(params("upper", true), &PKCS_ECDSA_P521_SHA512);
    let lower = upper.sub(params("lower", true), &PKCS_ED25519);
    let leaf = lower.leaf();
    for chain in [
        // The last need not be a root.
        &[&lower.pem[..]][..],
        &[&lower.pem, &upper.pem],
        &[&lower.pem, &upper.pem, &root.pem],
    ] {
        assert_eq!(verify(&leaf, chain), Ok(()));
    }
    let other = Ca::root("root", &PKCS_ECDSA_P384_SHA384);
    let old = {
        let mut params = params("lower", true);
        params.not_after = date_time_ymd(2026, 6, 1);
        upper.sub(params, &PKCS_ED25519)
    };
    let plain = upper.sub(params("lower", false), &PKCS_ED25519);
    let cases: [(&str, &str, &[&str], i32); 8] = [
        ("no issuer", &leaf, &[&root.pem], -1),
        ("another order", &leaf, &[&upper.pem, &lower.pem], -1),
        ("a gap", &leaf, &[&lower.pem, &root.pem], -1),
        ("a gap below", &leaf, &[&upper.pem, &root.pem], 0),
        (
            "the certificate itself",
            &leaf,
            &[&leaf, &lower.pem, &upper.pem],
            1,
        ),
        ("another key of that name", &upper.pem, &[&other.pem], 0),
        ("an expired issuer", &old.leaf(), &[&old.pem, &upper.pem], 1),
        (
            "an issuer that is no authority",
            &plain.leaf(),
            &[&plain.pem, &upper.pem],
            1,
        ),
    ];
    for (what, leaf, chain, index) in cases {
        assert_eq!(verify(leaf, chain), Err(index), "{what}");
    }
    let certificates = [read(&lower.pem)];
    let later = verify_chain(&read(&leaf), &certificates, NOW + 365 * DAY);
    assert_eq!(later, Err(InvalidChain { index: 0 }));
}

#[test]
fn names_of_issuers_ignore_case_and_the_kind_of_string() {
    let key = KeyPair::generate().unwrap();
    let subject = params("Example  CA", true);
    let pem = subject.self_signed(&key).unwrap().pem();
    let mut named = CertificateParams::new(Vec::new()).unwrap();
    named.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let printable = rcgen::string::PrintableString::try_from("example ca").unwrap();
    named.distinguished_name.push(
        DnType::CommonName,
        rcgen::DnValue::PrintableString(printable),
    );
    let issuer = Issuer::new(named, key);
    let leaf = params("leaf", false)
        .signed_by(&KeyPair::generate().unwrap(), &issuer)
        .unwrap()
        .pem();
    assert_eq!(verify(&leaf, &[&pem]), Ok(()));
}

proptest! {
    #[test]
    fn a_damaged_certificate_is_refused_or_read(at in 0..2000_usize, byte in 0x20..0x7f_u8) {
        let mut text = RSA.as_bytes().to_vec();
        let at = at % text.len();
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        if let Ok(certificate) = Certificate::from_pem(&text) {
            // It is its own issuer by name, and no longer by signature where it changed.
            let chain = [read(RSA)];
            let is_whole = verify_chain(&certificate, &chain, NOW).is_ok();
            prop_assert_eq!(is_whole, certificate == chain[0]);
        }
    }
}
