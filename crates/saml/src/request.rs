//! A request for authentication, in the URL that a browser is sent to.

use aws_types::percent;
use base64::Engine as _;
use jiff::Timestamp;

use crate::BASE64;
use crate::names::{ASSERTION, METADATA, PROTOCOL};

/// The binding of responses (SAML 2.0 Bindings, section 3.5).
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// Asks a provider to authenticate whoever the browser is of (SAML 2.0 Core, section 3.4.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthnRequest<'r> {
    /// The request's id, an XML name: the response names it.
    pub id: &'r str,
    /// Who asks: the entity id that the provider knows.
    pub issuer: &'r str,
    /// Where the provider takes requests.
    pub sign_on_url: &'r str,
    /// Where the response is to be sent to, by the HTTP-POST binding.
    pub consumer_url: &'r str,
    /// Now.
    pub issued: Timestamp,
}

impl AuthnRequest<'_> {
    /// The document.
    #[must_use]
    pub fn document(&self) -> String {
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" ID=\"{}\" Version=\"2.0\" IssueInstant=\"{}\" \
             Destination=\"{}\" ProtocolBinding=\"{POST}\" \
             AssertionConsumerServiceURL=\"{}\"><saml:Issuer xmlns:saml=\"{ASSERTION}\">{}</saml:Issuer>\
             </samlp:AuthnRequest>",
            escaped(self.id),
            self.issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
            escaped(self.sign_on_url),
            escaped(self.consumer_url),
            escaped(self.issuer),
        )
    }

    /// The URL that the browser is sent to (SAML 2.0 Bindings, section 3.4.4.1). `relay_state` comes back with
    /// the response.
    #[must_use]
    pub fn redirect_url(&self, relay_state: &str) -> String {
        let request = BASE64.encode(deflated(self.document().as_bytes()));
        let separator = match self.sign_on_url.contains('?') {
            true => '&',
            false => '?',
        };
        format!(
            "{}{separator}SAMLRequest={}&RelayState={}",
            self.sign_on_url,
            percent::encode(&request),
            percent::encode(relay_state)
        )
    }
}

/// The metadata of a service provider that takes signed assertions at one place and asks by requests without a
/// signature (SAML 2.0 Metadata, section 2.4.4). Its entity id is the URL of that place.
#[must_use]
pub fn service_provider_metadata(consumer_url: &str) -> String {
    let url = escaped(consumer_url);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"{url}\">\n  \
         <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
         protocolSupportEnumeration=\"{PROTOCOL}\">\n    \
         <md:AssertionConsumerService Binding=\"{POST}\" Location=\"{url}\" index=\"0\" isDefault=\"true\"/>\n  \
         </md:SPSSODescriptor>\n</md:EntityDescriptor>\n"
    )
}

/// The DEFLATE form of a text, in blocks that are stored as they are (RFC 1951, section 3.2.4): a request is
/// short, so compressing it gains little.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 5);
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out
}

/// Text in an element or in an attribute with double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_stands_in_the_url_as_one_stored_block() {
        let request = AuthnRequest {
            id: "_1",
            issuer: "https://registry.example/saml?a=1&b=\"2\"",
            sign_on_url: "https://idp.example/sso?tenant=1",
            consumer_url: "https://registry.example/saml",
            issued: "2026-11-26T12:00:00.5Z".parse().unwrap(),
        };
        let document = request.document();
        assert!(document.contains(" IssueInstant=\"2026-11-26T12:00:00Z\""));
        assert!(
            document
                .contains(">https://registry.example/saml?a=1&amp;b=&quot;2&quot;</saml:Issuer>")
        );
        let url = request.redirect_url("a b");
        let rest = url
            .strip_prefix("https://idp.example/sso?tenant=1&SAMLRequest=")
            .unwrap();
        let (encoded, state) = rest.split_once('&').unwrap();
        assert_eq!(state, "RelayState=a%20b");
        let bytes = BASE64
            .decode(percent::decode(encoded).unwrap().as_bytes())
            .unwrap();
        let length = u16::try_from(document.len()).unwrap();
        assert_eq!(bytes[0], 1);
        assert_eq!(bytes[1..3], length.to_le_bytes());
        assert_eq!(bytes[3..5], (!length).to_le_bytes());
        assert_eq!(&bytes[5..], document.as_bytes());
    }
}
