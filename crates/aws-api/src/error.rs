//! Errors, as both protocols encode them.

use crate::Protocol;

/// Who caused an error (`<Type>` in XML).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller.
    Sender,
    /// The service.
    Receiver,
}

impl Fault {
    /// The value in XML.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

/// An error as a client sees it.
///
/// Built from a modelled error (`iam::ErrorCode::NoSuchEntity.with("…")`) or a
/// common one (`CommonError::AccessDenied.with(protocol, "…")`).
#[derive(Clone, Debug, PartialEq)]
pub struct WireError {
    /// AWS's error code (`NoSuchEntity`).
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Who caused it.
    pub fault: Fault,
    /// The message.
    pub message: String,
    /// Further members of the error's shape, JSON only (`lastValidByteReceived`).
    pub members: Vec<(&'static str, serde_json::Value)>,
}

impl WireError {
    /// An error without further members.
    pub fn new(code: &'static str, status: u16, fault: Fault, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            fault,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// The same error with one more member.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for WireError {}

/// The errors that every operation can return, which no model lists. Their
/// names and statuses depend on the protocol ("Common Errors" in the API
/// references of ECR, IAM and STS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommonError {
    /// No policy allows it, or one denies it.
    AccessDenied,
    /// The credentials have expired.
    ExpiredToken,
    /// The signature's parts are incomplete or contradict each other.
    IncompleteSignature,
    /// The service failed.
    InternalFailure,
    /// No such operation.
    InvalidAction,
    /// No such access key, or a session token that was not issued here.
    InvalidClientTokenId,
    /// The body cannot be decoded: invalid syntax, or a value of the wrong type.
    Malformed,
    /// The request is not signed.
    MissingAuthenticationToken,
    /// The operation, or a parameter of it, exists in the model but is not built.
    NotImplemented,
    /// The body exceeds the size limit.
    RequestTooLarge,
    /// The service cannot answer now.
    ServiceUnavailable,
    /// The signature is wrong, too old or too far ahead.
    SignatureDoesNotMatch,
    /// Too many requests.
    Throttling,
    /// Values outside their limits.
    Validation,
}

impl CommonError {
    /// Every one, for tables and tests.
    pub const ALL: &'static [Self] = &[
        Self::AccessDenied,
        Self::ExpiredToken,
        Self::IncompleteSignature,
        Self::InternalFailure,
        Self::InvalidAction,
        Self::InvalidClientTokenId,
        Self::Malformed,
        Self::MissingAuthenticationToken,
        Self::NotImplemented,
        Self::RequestTooLarge,
        Self::ServiceUnavailable,
        Self::SignatureDoesNotMatch,
        Self::Throttling,
        Self::Validation,
    ];

    /// Code and HTTP status in JSON, then in the Query form.
    const fn names(self) -> [(&'static str, u16); 2] {
        match self {
            Self::AccessDenied => [("AccessDeniedException", 400), ("AccessDenied", 403)],
            Self::ExpiredToken => [("ExpiredTokenException", 400), ("ExpiredToken", 403)],
            Self::IncompleteSignature => [
                ("IncompleteSignatureException", 400),
                ("IncompleteSignature", 400),
            ],
            Self::InternalFailure => [("InternalFailure", 500), ("InternalFailure", 500)],
            Self::InvalidAction => [("UnknownOperationException", 400), ("InvalidAction", 400)],
            Self::InvalidClientTokenId => [
                ("UnrecognizedClientException", 400),
                ("InvalidClientTokenId", 403),
            ],
            Self::Malformed => [("SerializationException", 400), ("MalformedInput", 400)],
            Self::MissingAuthenticationToken => [
                ("MissingAuthenticationTokenException", 400),
                ("MissingAuthenticationToken", 403),
            ],
            // 501, because SDKs retry after 500, 502, 503 and 504.
            Self::NotImplemented => [("NotImplemented", 501), ("NotImplemented", 501)],
            Self::RequestTooLarge => [
                ("RequestEntityTooLargeException", 413),
                ("RequestEntityTooLarge", 413),
            ],
            Self::ServiceUnavailable => [
                ("ServiceUnavailableException", 503),
                ("ServiceUnavailable", 503),
            ],
            Self::SignatureDoesNotMatch => [
                ("InvalidSignatureException", 400),
                ("SignatureDoesNotMatch", 403),
            ],
            Self::Throttling => [("ThrottlingException", 400), ("Throttling", 400)],
            Self::Validation => [("ValidationException", 400), ("ValidationError", 400)],
        }
    }

    /// The code on the wire.
    pub const fn code(self, protocol: Protocol) -> &'static str {
        let [json, query] = self.names();
        match protocol {
            Protocol::Json => json.0,
            Protocol::Query => query.0,
        }
    }

    /// The HTTP status.
    pub const fn status(self, protocol: Protocol) -> u16 {
        let [json, query] = self.names();
        match protocol {
            Protocol::Json => json.1,
            Protocol::Query => query.1,
        }
    }

    /// Who caused it.
    pub const fn fault(self) -> Fault {
        match self {
            Self::InternalFailure | Self::ServiceUnavailable | Self::NotImplemented => {
                Fault::Receiver
            }
            _ => Fault::Sender,
        }
    }

    /// The error on the wire, with its message.
    pub fn with(self, protocol: Protocol, message: impl Into<String>) -> WireError {
        WireError::new(
            self.code(protocol),
            self.status(protocol),
            self.fault(),
            message,
        )
    }
}
