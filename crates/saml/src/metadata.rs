//! A provider's metadata: who it is, which keys it signs with, and where browsers are sent to sign in (SAML 2.0
//! Metadata, sections 2.3 and 2.4). No endpoint of the provider is called.

use base64::Engine as _;

use crate::certificate::{CertificateError, SigningKey};
use crate::names::{DSIG, METADATA, PROTOCOL};
use crate::xml::{Attribute, Name, Sink, XmlError, read};
use crate::{BASE64, METADATA_CHARS_MAX, METADATA_CHARS_MIN};

/// The certificates of a provider, at most. Each costs a check of every response that is not signed
/// with the first.
const SIGNING_KEYS_MAX: usize = 20;
/// `SingleSignOnService` of the HTTP-Redirect binding (SAML 2.0 Bindings, section 3.4).
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
/// The characters of the URL that browsers are sent to, at most: the request comes behind it.
const SIGN_ON_URL_CHARS_MAX: usize = 2048;
/// The characters of one certificate, at most.
const CERTIFICATE_CHARS_MAX: usize = 100_000;

/// What is used of a provider's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The issuer of its assertions.
    pub entity_id: String,
    /// The keys that it may sign with, in the order of the document.
    pub signing_keys: Vec<SigningKey>,
    /// Where browsers are sent to sign in, by the HTTP-Redirect binding. None where the metadata has no such
    /// place, and where the provider takes signed requests alone.
    pub sign_on_url: Option<String>,
}

/// Why metadata is not taken. AWS says `Could not parse metadata` for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not XML, or XML with a document type.
    #[error("{0}")]
    Xml(&'static str),
    /// Too short or too long.
    #[error("the metadata has fewer than 1,000 or more than 10,000,000 characters")]
    Length,
    /// It does not describe one identity provider of SAML 2.0.
    #[error("{0}")]
    Provider(&'static str),
    /// A signing certificate that cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl From<XmlError> for MetadataError {
    fn from(error: XmlError) -> Self {
        MetadataError::Xml(error.0)
    }
}

impl Metadata {
    /// Reads a metadata document. Neither `validUntil` nor a certificate's end counts, as at AWS (IAM
    /// User Guide, "Create a SAML identity provider in IAM").
    ///
    /// # Errors
    /// [`MetadataError`]
    pub fn parse(text: &str) -> Result<Metadata, MetadataError> {
        let chars = text.chars().count();
        if !(METADATA_CHARS_MIN..=METADATA_CHARS_MAX).contains(&chars) {
            return Err(MetadataError::Length);
        }
        if text.starts_with('\u{FEFF}') {
            return Err(MetadataError::Xml(
                "the metadata begins with a byte order mark",
            ));
        }
        let mut scan = Scan::default();
        read(text, &mut scan)?;
        let entity_id =
            scan.entity_id
                .filter(|id| !id.is_empty())
                .ok_or(MetadataError::Provider(
                    "the root is no EntityDescriptor with an entityID",
                ))?;
        if !scan.is_identity_provider {
            let message = "the metadata has no IDPSSODescriptor of SAML 2.0";
            return Err(MetadataError::Provider(message));
        }
        let mut signing_keys = Vec::new();
        for certificate in scan.certificates {
            let text: String = certificate.split_ascii_whitespace().collect();
            let der = BASE64
                .decode(text)
                .map_err(|_| CertificateError::Malformed)?;
            let key = SigningKey::from_certificate(&der)?;
            if !signing_keys.contains(&key) {
                signing_keys.push(key);
            }
        }
        if signing_keys.is_empty() {
            let message = "the identity provider has no signing certificate";
            return Err(MetadataError::Provider(message));
        }
        Ok(Metadata {
            entity_id,
            signing_keys,
            sign_on_url: scan.sign_on_url.filter(|_| !scan.wants_signed_requests),
        })
    }
}

/// Whether browsers may be sent to a URL: `https`, without a fragment, without characters that no URL has.
fn may_be_opened(url: &str) -> bool {
    let rest = url.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && url.len() <= SIGN_ON_URL_CHARS_MAX
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b))
}

/// Collects from a document of up to ten million characters without keeping it as a tree.
#[derive(Default)]
struct Scan {
    path: Vec<Step>,
    entity_id: Option<String>,
    is_identity_provider: bool,
    wants_signed_requests: bool,
    sign_on_url: Option<String>,
    certificates: Vec<String>,
}

/// Where an element stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Entity,
    IdentityProvider,
    SigningKey,
    KeyInfo,
    X509Data,
    X509Certificate,
    Other,
}

impl Sink for Scan {
    fn start(&mut self, name: Name, attributes: Vec<Attribute>) -> Result<(), XmlError> {
        let attribute = |local: &str| {
            let found = attributes.iter().find(|a| a.name.is("", local));
            found.map(|a| a.value.as_str())
        };
        let step = match self.path.last() {
            None if name.is(METADATA, "EntityDescriptor") => {
                self.entity_id = attribute("entityID").map(str::to_owned);
                Step::Entity
            }
            Some(Step::Entity) if name.is(METADATA, "IDPSSODescriptor") => {
                let protocols = attribute("protocolSupportEnumeration").unwrap_or_default();
                match protocols.split_ascii_whitespace().any(|p| p == PROTOCOL) {
                    true => {
                        self.is_identity_provider = true;
                        self.wants_signed_requests |=
                            matches!(attribute("WantAuthnRequestsSigned"), Some("true" | "1"));
                        Step::IdentityProvider
                    }
                    false => Step::Other,
                }
            }
            Some(Step::IdentityProvider) if name.is(METADATA, "SingleSignOnService") => {
                let location = attribute("Location").filter(|url| may_be_opened(url));
                if attribute("Binding") == Some(REDIRECT) && self.sign_on_url.is_none() {
                    self.sign_on_url = location.map(str::to_owned);
                }
                Step::Other
            }
            // Without `use`, a key serves both purposes.
            Some(Step::IdentityProvider)
                if name.is(METADATA, "KeyDescriptor")
                    && attribute("use").is_none_or(|purpose| purpose == "signing") =>
            {
                Step::SigningKey
            }
            Some(Step::SigningKey) if name.is(DSIG, "KeyInfo") => Step::KeyInfo,
            Some(Step::KeyInfo) if name.is(DSIG, "X509Data") => Step::X509Data,
            Some(Step::X509Data) if name.is(DSIG, "X509Certificate") => {
                if self.certificates.len() == SIGNING_KEYS_MAX {
                    return Err(XmlError("the metadata has more than 20 certificates"));
                }
                self.certificates.push(String::new());
                Step::X509Certificate
            }
            _ => Step::Other,
        };
        self.path.push(step);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        if self.path.last() == Some(&Step::X509Certificate)
            && let Some(certificate) = self.certificates.last_mut()
        {
            if certificate.len() + text.len() > CERTIFICATE_CHARS_MAX {
                return Err(XmlError("a certificate is too long"));
            }
            certificate.push_str(text);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), XmlError> {
        self.path.pop();
        Ok(())
    }
}
