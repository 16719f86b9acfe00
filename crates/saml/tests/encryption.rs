//! Encrypted assertions (S2).

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use saml::{Assertion, DecryptionKey, InvalidPrivateKey, Provider, Refused};

const MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

fn private_key(of: &Idp) -> DecryptionKey {
    DecryptionKey::from_pem(&of.pem()).unwrap()
}

fn public_key(of: &Idp) -> OaepPublicEncryptingKey {
    let pem = of.pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = PrivateDecryptingKey::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
    OaepPublicEncryptingKey::new(key.public_key()).unwrap()
}

/// An `EncryptedAssertion`, with AES-256-GCM and SHA-256 or AES-128-CBC and SHA-1.
fn encrypted(assertion: &str, to: &Idp, gcm: bool) -> String {
    let public = public_key(to);
    let mut room = vec![0; public.ciphertext_size()];
    let (secret, transport, algorithm) = match gcm {
        true => (
            [7_u8; 32].as_slice(),
            &OAEP_SHA256_MGF1SHA256,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        ),
        false => (
            [7_u8; 16].as_slice(),
            &OAEP_SHA1_MGF1SHA1,
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        ),
    };
    let wrapped = STANDARD.encode(public.encrypt(transport, secret, &mut room, None).unwrap());
    let mut bytes = assertion.as_bytes().to_vec();
    let sealed = match gcm {
        true => {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).unwrap());
            let nonce = Nonce::assume_unique_for_key([9; 12]);
            key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes)
                .unwrap();
            [[9; 12].as_slice(), &bytes].concat()
        }
        false => {
            let padding = 16 - bytes.len() % 16;
            bytes.extend(std::iter::repeat_n(0xAA, padding - 1));
            bytes.push(u8::try_from(padding).unwrap());
            let key = EncryptingKey::cbc(UnboundCipherKey::new(&AES_128, secret).unwrap()).unwrap();
            let iv = EncryptionContext::Iv128(FixedLength::from([9; 16]));
            key.less_safe_encrypt(&mut bytes, iv).unwrap();
            [[9; 16].as_slice(), &bytes].concat()
        }
    };
    let method = match gcm {
        true => "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
             <x:MGF xmlns:x=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"></x:MGF>\
             </xenc:EncryptionMethod>".to_owned(),
        false => format!("<xenc:EncryptionMethod Algorithm=\"{MGF1P}\"></xenc:EncryptionMethod>"),
    };
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
         <xenc:EncryptionMethod Algorithm=\"{algorithm}\"></xenc:EncryptionMethod>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>{method}\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue>\
         </xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>",
        STANDARD.encode(sealed)
    )
}

fn open_with(response: &str, keys: &[DecryptionKey]) -> Result<Assertion, Refused> {
    let metadata = idp().parsed();
    let provider = Provider {
        metadata: &metadata,
        decryption_keys: keys,
        requires_encryption: true,
    };
    saml::open(&encode(response), &provider)
}

#[test]
fn s2_opens_encrypted_assertions_with_either_key() {
    let facts = Facts::default();
    let signed = idp().signed(&facts.assertion(), "_a1");
    let keys = [private_key(idp()), private_key(stranger())];
    for gcm in [true, false] {
        for to in [idp(), stranger()] {
            // A signed assertion in it, and an unsigned one in a signed response.
            let inner = response(&encrypted(&signed, to, gcm));
            let outer = idp().signed(&response(&encrypted(&facts.assertion(), to, gcm)), "_r1");
            for response in [inner, outer] {
                let assertion = open_with(&response, &keys).unwrap();
                assert_eq!(assertion.name_id.unwrap().value, "alice");
            }
        }
    }
}

#[test]
fn s2_refuses_what_is_not_signed_not_encrypted_or_for_another_key() {
    let facts = Facts::default();
    let signed = idp().signed(&facts.assertion(), "_a1");
    let keys = [private_key(idp())];
    // Anyone may encrypt: that is no proof of anything.
    let unsigned = response(&encrypted(&facts.assertion(), idp(), true));
    assert!(matches!(
        open_with(&unsigned, &keys),
        Err(Refused::Signature(_))
    ));
    let forged = facts.assertion().replace("alice", "admin");
    let two = format!("<x>{signed}{forged}</x>");
    for (what, response) in [
        ("not encrypted", facts.signed_assertion(idp())),
        (
            "for another key",
            response(&encrypted(&signed, stranger(), true)),
        ),
        ("two in one", response(&encrypted(&two, idp(), true))),
        (
            "one beside it",
            response(&format!("{}{forged}", encrypted(&signed, idp(), true))),
        ),
        ("two", response(&encrypted(&signed, idp(), true).repeat(2))),
        ("nothing in it", response(&encrypted("", idp(), true))),
        (
            "changed",
            response(
                &encrypted(&signed, idp(), true)
                    .replace("EncryptedKey><xenc:Enc", "EncryptedKey><!-- --><xenc:Enc")
                    .replace("aes256-gcm", "aes128-gcm"),
            ),
        ),
        (
            "RSA 1.5",
            response(
                &encrypted(&signed, idp(), false)
                    .replace(MGF1P, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
            ),
        ),
    ] {
        let refused = open_with(&response, &keys).unwrap_err();
        assert!(
            matches!(refused, Refused::Malformed(_)),
            "{what}: {refused:?}"
        );
    }
    let response = response(&encrypted(&signed, idp(), true));
    assert!(matches!(
        open_with(&response, &[]),
        Err(Refused::Malformed(_))
    ));
}

#[test]
fn s2_takes_unencrypted_rsa_keys_in_pem_alone() {
    let pem = idp().pem();
    assert!(DecryptionKey::from_pem(&pem).is_ok());
    assert!(DecryptionKey::from_pem(&format!("\n{pem}\n")).is_ok());
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    // PKCS #1 is the octet string at the end of PKCS #8: a header of 26 bytes for 2048 bits.
    let pkcs1 = common::pem("RSA PRIVATE KEY", &der[26..]);
    assert!(DecryptionKey::from_pem(&pkcs1).is_ok());
    let elliptic = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    for text in [
        String::new(),
        "key".to_owned(),
        pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "CERTIFICATE"),
        pem.replacen('M', "N", 1),
        elliptic.serialize_pem(),
    ] {
        assert_eq!(
            DecryptionKey::from_pem(&text).unwrap_err(),
            InvalidPrivateKey,
            "{text}"
        );
    }
}
