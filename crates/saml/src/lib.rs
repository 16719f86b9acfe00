//! SAML 2.0 responses: from the text that a user brings to what their identity provider says of them.
//!
//! A provider is known by its [`Metadata`]. [`open`] takes a response in base64 and returns its
//! [`Assertion`]; [`Assertion::check`] says whether that is for here and now. What its attributes mean
//! at AWS is in [`claims`]. An [`AuthnRequest`] asks a provider for a response.
//!
//! ```
//! let error = saml::Metadata::parse("<EntityDescriptor/>").unwrap_err();
//! assert_eq!(error, saml::MetadataError::Length);
//! ```
//!
//! # The promise
//! Only what a key of the provider signed is read, and it is read from the canonical bytes that were
//! digested, never from the document around them. A response with a document type, with other than one
//! assertion, or with a signature at another place than directly in the element that it signs, is
//! refused before any key is tried. Sizes, depths and counts are bounded.
//!
//! # What is absent
//! No I/O, no clock, no accounts, no decision. No SHA-1, no RSA PKCS #1 v1.5 key transport, no keys of
//! other kinds than RSA, no signed requests.

mod assertion;
mod certificate;
pub mod claims;
mod encryption;
mod metadata;
mod names;
mod request;
mod response;
mod signature;
mod tree;
mod xml;

pub use assertion::{AGE_SECONDS_MAX, Assertion, Attribute, NameId, Presented};
pub use certificate::{CertificateError, SigningKey};
pub use encryption::{DecryptionKey, InvalidPrivateKey};
pub use metadata::{Metadata, MetadataError};
pub use request::{AuthnRequest, service_provider_metadata};
pub use response::{Provider, open};

use base64::engine::general_purpose::STANDARD as BASE64;

/// The characters of a response in base64, at most (STS API Reference, AssumeRoleWithSAML).
pub const ASSERTION_CHARS_MAX: usize = 100_000;
/// The characters of metadata (IAM API Reference, CreateSAMLProvider).
pub const METADATA_CHARS_MIN: usize = 1_000;
/// The most characters of metadata.
pub const METADATA_CHARS_MAX: usize = 10_000_000;

/// Why a response is refused. `Display` says what is wrong for the log; what a caller is told is
/// decided by whoever answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text is not base64.
    #[error("the response is not base64")]
    NotBase64,
    /// Not a response of the form that is read here.
    #[error("{0}")]
    Malformed(&'static str),
    /// Not signed by the provider.
    #[error("{0}")]
    Signature(&'static str),
    /// Of another issuer than the provider.
    #[error("the issuer is not the provider's entity id")]
    Issuer,
    /// Older than five minutes, or past one of its own ends.
    #[error("the assertion is expired")]
    Expired,
    /// From the future.
    #[error("the assertion is not valid yet")]
    NotYet,
    /// For another audience.
    #[error("the assertion is for another audience")]
    Audience,
    /// To be sent elsewhere.
    #[error("the assertion is for another recipient")]
    Recipient,
    /// An attribute that AWS reads has a value that it may not have.
    #[error("{0}")]
    Claim(&'static str),
}
