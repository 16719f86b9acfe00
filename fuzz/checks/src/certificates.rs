//! What users upload to IAM: certificates with their chains, private keys, SSH public keys.

use certificates::{Certificate, SshPublicKey, key_matches, verify_chain};

const CERTIFICATE: &str = include_str!("../../../crates/certificates/tests/documents/ec.crt");
const PRIVATE_KEY: &str = include_str!("../../../crates/certificates/tests/documents/ec.key");
const DOCUMENTS: [&str; 9] = [
    CERTIFICATE,
    PRIVATE_KEY,
    include_str!("../../../crates/certificates/tests/documents/rsa.crt"),
    include_str!("../../../crates/certificates/tests/documents/rsa.key"),
    include_str!("../../../crates/certificates/tests/documents/rsa.pkcs8"),
    include_str!("../../../crates/certificates/tests/documents/ed25519.pkcs8"),
    include_str!("../../../crates/certificates/tests/documents/rsa.pub"),
    include_str!("../../../crates/certificates/tests/documents/rsa.pub.pem"),
    include_str!("../../../crates/certificates/tests/documents/rsa.pkcs1.pub.pem"),
];
/// 2026-12-01.
const NOW: i64 = 1_796_083_200;

/// Any bytes, as each of these.
///
/// Whatever is accepted is what it says: an SSH key is the same however it is written, and ours issued no
/// other certificate than itself.
pub fn parse(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(key) = SshPublicKey::parse(text) {
        for written in [key.to_ssh(), key.to_pem()] {
            let again = SshPublicKey::parse(&written).expect("a key that was written is read");
            assert_eq!(
                (again.blob(), again.fingerprint()),
                (key.blob(), key.fingerprint())
            );
        }
    }
    let own = Certificate::from_pem(CERTIFICATE).expect("the certificate is valid");
    if let Ok(certificates) = Certificate::list_from_pem(text) {
        for certificate in &certificates {
            let _ = certificate.validity(NOW);
            let is_own = key_matches(certificate, PRIVATE_KEY).expect("the key is valid");
            let issued = verify_chain(certificate, std::slice::from_ref(&own), NOW).is_ok();
            assert!(!issued || *certificate == own);
            // Another certificate may have the same key.
            assert!(is_own || *certificate != own);
        }
        let _ = verify_chain(&own, &certificates, NOW);
    }
    let _ = key_matches(&own, text);
}

/// The documents.
pub fn seeds() -> Vec<Vec<u8>> {
    let chain = DOCUMENTS[2].repeat(2);
    let documents = DOCUMENTS.into_iter().map(str::to_owned);
    documents.chain([chain]).map(String::into_bytes).collect()
}
