//! I4: SSH public keys are RSA of 2,048 bits or more, as `ssh-rsa` or in PEM; their fingerprint is MD5.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certificates::{Encoding, SshKeyError, SshPublicKey};
use proptest::prelude::*;

const SSH: &str = include_str!("documents/rsa.pub");
const PEM: &str = include_str!("documents/rsa.pub.pem");
const PKCS1: &str = include_str!("documents/rsa.pkcs1.pub.pem");
/// `ssh-keygen -l -E md5 -f rsa.pub`
const FINGERPRINT: &str = "32:3c:aa:82:4c:54:5c:74:d9:b6:ec:a8:a6:b5:72:44";

#[test]
fn i4_a_key_is_the_same_in_each_encoding() {
    for (text, encoding) in [
        (SSH, Encoding::Ssh),
        (PEM, Encoding::Pem),
        (PKCS1, Encoding::Pem),
    ] {
        let key = SshPublicKey::parse(text).unwrap();
        assert_eq!(key.encoding(), encoding);
        assert_eq!(key.fingerprint(), FINGERPRINT);
        // As OpenSSH and OpenSSL write them.
        assert!(SSH.starts_with(&key.to_ssh()));
        assert_eq!(key.to_pem(), PEM);
    }
    let crlf = PEM.replace('\n', "\r\n");
    for text in [
        &crlf,
        &format!("\n{SSH}\n"),
        &SSH.replace(" me@example", ""),
    ] {
        assert_eq!(
            SshPublicKey::parse(text).unwrap().fingerprint(),
            FINGERPRINT
        );
    }
}

/// A line with a changed blob.
fn with_blob(change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let blob = STANDARD.decode(SSH.split(' ').nth(1).unwrap()).unwrap();
    format!("ssh-rsa {}", STANDARD.encode(change(blob)))
}

#[test]
fn i4_other_keys_are_refused() {
    let one_line = SSH.trim();
    let cases: [(&str, String, SshKeyError); 15] = [
        ("text", "not a key".into(), SshKeyError::Encoding),
        ("nothing", " ".into(), SshKeyError::Encoding),
        (
            "another algorithm",
            one_line.replace("ssh-rsa", "ssh-ed25519"),
            SshKeyError::Encoding,
        ),
        (
            "a private key",
            include_str!("documents/rsa.key").into(),
            SshKeyError::Encoding,
        ),
        (
            "a certificate",
            include_str!("documents/rsa.crt").into(),
            SshKeyError::Encoding,
        ),
        (
            "a key on a curve",
            include_str!("documents/ec.pub.pem").into(),
            SshKeyError::Invalid,
        ),
        (
            "1,024 bits",
            include_str!("documents/rsa1024.pub").into(),
            SshKeyError::Invalid,
        ),
        ("two keys", format!("{PEM}{PEM}"), SshKeyError::Invalid),
        (
            "two lines",
            format!("{one_line}\n{one_line}"),
            SshKeyError::Invalid,
        ),
        ("no blob", "ssh-rsa".into(), SshKeyError::Invalid),
        (
            "no base 64",
            "ssh-rsa AAAA-AAA me".into(),
            SshKeyError::Invalid,
        ),
        (
            "a blob of another algorithm",
            with_blob(|blob| {
                blob.iter()
                    .map(|byte| if *byte == b's' { b't' } else { *byte })
                    .collect()
            }),
            SshKeyError::Invalid,
        ),
        (
            "more behind the blob",
            with_blob(|mut blob| {
                blob.extend([0, 0, 0, 0]);
                blob
            }),
            SshKeyError::Invalid,
        ),
        (
            "a blob that is cut",
            with_blob(|blob| blob[..blob.len() - 1].to_vec()),
            SshKeyError::Invalid,
        ),
        (
            "an even modulus",
            with_blob(|mut blob| {
                *blob.last_mut().unwrap() &= 0xfe;
                blob
            }),
            SshKeyError::Invalid,
        ),
    ];
    for (what, text, error) in cases {
        assert_eq!(SshPublicKey::parse(&text), Err(error), "{what}");
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_alike(text in "(ssh-rsa )?[A-Za-z0-9+/=]{0,40}( me)?") {
        if let Ok(key) = SshPublicKey::parse(&text) {
            prop_assert_eq!(SshPublicKey::parse(&key.to_ssh()).unwrap().blob(), key.blob());
        }
    }

    #[test]
    fn a_damaged_key_is_another_key_or_none(at in 0..600_usize, byte in 0x20..0x7f_u8) {
        let mut text = PEM.as_bytes().to_vec();
        let at = at % text.len();
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        if let Ok(key) = SshPublicKey::parse(&text) {
            prop_assert_eq!(SshPublicKey::parse(&key.to_ssh()).unwrap().blob(), key.blob());
            prop_assert_eq!(SshPublicKey::parse(&key.to_pem()).unwrap().blob(), key.blob());
        }
    }
}
