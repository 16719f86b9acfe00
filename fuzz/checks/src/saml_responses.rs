//! SAML: metadata and responses, against documents that a provider signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml::{Metadata, Provider};

const METADATA: &str = include_str!("../../../crates/saml/tests/documents/metadata.xml");
const RESPONSES: [&str; 2] = [
    include_str!("../../../crates/saml/tests/documents/signed-assertion.xml"),
    include_str!("../../../crates/saml/tests/documents/signed-response.xml"),
];

/// Any bytes, as metadata and as a response.
///
/// Nobody but the provider makes an assertion: whatever is accepted says what the provider's own
/// documents say.
pub fn parse(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(metadata) = Metadata::parse(text)
    {
        assert!(!metadata.entity_id.is_empty() && !metadata.signing_keys.is_empty());
    }
    let metadata = Metadata::parse(METADATA).expect("the metadata is valid");
    let provider = Provider {
        metadata: &metadata,
        decryption_keys: &[],
        requires_encryption: false,
    };
    let Ok(assertion) = saml::open(&STANDARD.encode(bytes), &provider) else {
        return;
    };
    let signed = RESPONSES.map(|response| {
        let opened = saml::open(&STANDARD.encode(response), &provider);
        opened.expect("the response is signed")
    });
    assert!(signed.contains(&assertion), "{assertion:?}");
}

/// The documents.
pub fn seeds() -> Vec<Vec<u8>> {
    let documents = RESPONSES.into_iter().chain([METADATA]);
    documents.map(|text| text.as_bytes().to_vec()).collect()
}
