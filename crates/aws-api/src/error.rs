//! Errors, as the protocols encode them.

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

/// The HTTP status of an error: from 400 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorStatus(u16);

impl ErrorStatus {
    /// 400
    pub const BAD_REQUEST: Self = Self::of::<400>();
    /// 401
    pub const UNAUTHORIZED: Self = Self::of::<401>();
    /// 403
    pub const FORBIDDEN: Self = Self::of::<403>();
    /// 404
    pub const NOT_FOUND: Self = Self::of::<404>();
    /// 405
    pub const METHOD_NOT_ALLOWED: Self = Self::of::<405>();
    /// 408
    pub const REQUEST_TIMEOUT: Self = Self::of::<408>();
    /// 409
    pub const CONFLICT: Self = Self::of::<409>();
    /// 412
    pub const PRECONDITION_FAILED: Self = Self::of::<412>();
    /// 413
    pub const CONTENT_TOO_LARGE: Self = Self::of::<413>();
    /// 414
    pub const URI_TOO_LONG: Self = Self::of::<414>();
    /// 416
    pub const RANGE_NOT_SATISFIABLE: Self = Self::of::<416>();
    /// 500
    pub const INTERNAL_SERVER_ERROR: Self = Self::of::<500>();
    /// 501
    pub const NOT_IMPLEMENTED: Self = Self::of::<501>();
    /// 503
    pub const SERVICE_UNAVAILABLE: Self = Self::of::<503>();

    /// The status `STATUS`. One that is no error's does not compile:
    ///
    /// ```compile_fail
    /// aws_api::ErrorStatus::of::<200>();
    /// ```
    #[must_use]
    pub const fn of<const STATUS: u16>() -> Self {
        const { assert!(STATUS >= 400 && STATUS < 600, "not the status of an error") };
        Self(STATUS)
    }

    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Whether the server failed, and not the client.
    #[must_use]
    pub const fn is_server_error(self) -> bool {
        self.0 >= 500
    }
}

impl PartialEq<u16> for ErrorStatus {
    fn eq(&self, other: &u16) -> bool {
        self.0 == *other
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
    pub status: ErrorStatus,
    /// Who caused it.
    pub fault: Fault,
    /// The message.
    pub message: String,
    /// Further members of the error's shape, JSON only (`lastValidByteReceived`).
    pub members: Vec<(&'static str, serde_json::Value)>,
}

impl WireError {
    /// An error without further members.
    pub fn new(
        code: &'static str,
        status: ErrorStatus,
        fault: Fault,
        message: impl Into<String>,
    ) -> Self {
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
    /// A value that the model allows and the operation does not.
    InvalidParameterValue,
    /// The body cannot be decoded: invalid syntax, or a value of the wrong type.
    Malformed,
    /// The URL's query cannot be decoded.
    MalformedQueryString,
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
        Self::InvalidParameterValue,
        Self::Malformed,
        Self::MalformedQueryString,
        Self::MissingAuthenticationToken,
        Self::NotImplemented,
        Self::RequestTooLarge,
        Self::ServiceUnavailable,
        Self::SignatureDoesNotMatch,
        Self::Throttling,
        Self::Validation,
    ];

    /// Code and HTTP status in JSON, then in the Query form.
    const fn names(self) -> [(&'static str, ErrorStatus); 2] {
        match self {
            Self::AccessDenied => [
                ("AccessDeniedException", ErrorStatus::of::<400>()),
                ("AccessDenied", ErrorStatus::of::<403>()),
            ],
            Self::ExpiredToken => [
                ("ExpiredTokenException", ErrorStatus::of::<400>()),
                ("ExpiredToken", ErrorStatus::of::<403>()),
            ],
            Self::IncompleteSignature => [
                ("IncompleteSignatureException", ErrorStatus::of::<400>()),
                ("IncompleteSignature", ErrorStatus::of::<400>()),
            ],
            Self::InternalFailure => [
                ("InternalFailure", ErrorStatus::of::<500>()),
                ("InternalFailure", ErrorStatus::of::<500>()),
            ],
            Self::InvalidAction => [
                ("UnknownOperationException", ErrorStatus::of::<400>()),
                ("InvalidAction", ErrorStatus::of::<400>()),
            ],
            // IAM API Reference, "Common Errors"; the codes of parameters that the model allows.
            Self::InvalidParameterValue => [
                ("InvalidParameterValue", ErrorStatus::of::<400>()),
                ("InvalidParameterValue", ErrorStatus::of::<400>()),
            ],
            Self::InvalidClientTokenId => [
                ("UnrecognizedClientException", ErrorStatus::of::<400>()),
                ("InvalidClientTokenId", ErrorStatus::of::<403>()),
            ],
            Self::Malformed => [
                ("SerializationException", ErrorStatus::of::<400>()),
                ("MalformedInput", ErrorStatus::of::<400>()),
            ],
            // IAM API Reference, "Common Errors": 404, though it is the client's mistake.
            Self::MalformedQueryString => [
                ("SerializationException", ErrorStatus::of::<400>()),
                ("MalformedQueryString", ErrorStatus::of::<404>()),
            ],
            Self::MissingAuthenticationToken => [
                (
                    "MissingAuthenticationTokenException",
                    ErrorStatus::of::<400>(),
                ),
                ("MissingAuthenticationToken", ErrorStatus::of::<403>()),
            ],
            // 501, because SDKs retry after 500, 502, 503 and 504.
            Self::NotImplemented => [
                ("NotImplemented", ErrorStatus::of::<501>()),
                ("NotImplemented", ErrorStatus::of::<501>()),
            ],
            Self::RequestTooLarge => [
                ("RequestEntityTooLargeException", ErrorStatus::of::<413>()),
                ("RequestEntityTooLarge", ErrorStatus::of::<413>()),
            ],
            Self::ServiceUnavailable => [
                ("ServiceUnavailableException", ErrorStatus::of::<503>()),
                ("ServiceUnavailable", ErrorStatus::of::<503>()),
            ],
            Self::SignatureDoesNotMatch => [
                ("InvalidSignatureException", ErrorStatus::of::<400>()),
                ("SignatureDoesNotMatch", ErrorStatus::of::<403>()),
            ],
            Self::Throttling => [
                ("ThrottlingException", ErrorStatus::of::<400>()),
                ("Throttling", ErrorStatus::of::<400>()),
            ],
            Self::Validation => [
                ("ValidationException", ErrorStatus::of::<400>()),
                ("ValidationError", ErrorStatus::of::<400>()),
            ],
        }
    }

    /// The code on the wire.
    pub const fn code(self, protocol: Protocol) -> &'static str {
        let [json, query] = self.names();
        match protocol {
            Protocol::Json | Protocol::RestJson => json.0,
            Protocol::Query => query.0,
        }
    }

    /// The HTTP status.
    pub const fn status(self, protocol: Protocol) -> ErrorStatus {
        let [json, query] = self.names();
        match (protocol, self) {
            // Access Analyzer API Reference, "Common Error Types": the codes of JSON, with statuses that say
            // what is wrong.
            (
                Protocol::RestJson,
                Self::AccessDenied
                | Self::ExpiredToken
                | Self::IncompleteSignature
                | Self::InvalidClientTokenId
                | Self::MissingAuthenticationToken
                | Self::SignatureDoesNotMatch,
            ) => ErrorStatus::FORBIDDEN,
            (Protocol::RestJson, Self::InvalidAction) => ErrorStatus::NOT_FOUND,
            (Protocol::RestJson, Self::Throttling) => ErrorStatus::of::<429>(),
            (Protocol::Json | Protocol::RestJson, _) => json.1,
            (Protocol::Query, _) => query.1,
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
