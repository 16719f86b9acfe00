//! The APIs of Access Analyzer, Amazon ECR, IAM, KMS, Organizations, Secrets Manager, STS and Berth as Rust
//! types, with the codecs of the three protocols and AWS's validation messages. No behaviour lives here.
//!
//! # Decoding a request, encoding a response
//!
//! A client requests a user from IAM. The server parses the form, finds the
//! operation, and gets a validated Rust value, or AWS's error:
//!
//! ```
//! use aws_api::{Form, Operation, Service, decode_form, encode_error, encode_response, iam};
//!
//! let form = Form::parse(b"Action=GetUser&Version=2010-05-08&UserName=alice")?;
//! let operation = Service::Iam.operation(form.action().unwrap_or_default());
//! assert_eq!(operation, Some(Operation::Iam(iam::Operation::GetUser)));
//!
//! let input = decode_form::<iam::ops::GetUser>(&form)?;
//! assert_eq!(input.user_name.as_deref(), Some("alice"));
//!
//! // The handler returns the response type, or one of the model's errors.
//! let error = iam::ErrorCode::NoSuchEntity.with("The user with name alice cannot be found.");
//! let answer = encode_error(Service::Iam, &error, "0f1e2d3c-0000-4000-8000-000000000000");
//! assert_eq!(answer.status, 404);
//!
//! // A value that violates the model never reaches the handler.
//! let form = Form::parse(b"Action=GetUser&UserName=al%2Fice")?;
//! let refused = decode_form::<iam::ops::GetUser>(&form).unwrap_err();
//! assert_eq!(refused.wire().code, "ValidationError");
//! assert_eq!(
//!     refused.wire().message,
//!     "The specified value for userName is invalid. It must contain only alphanumeric \
//!      characters and/or the following: +=,.@_-",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is generated
//!
//! `cargo xtask codegen` reads the service models of the `botocore` package, and
//! this repository's own model of `berth`, and writes [`access_analyzer`], [`ecr`], [`iam`], [`kms`],
//! [`organizations`], [`secrets_manager`], [`sts`] and [`berth`]: for each shape a row in a table ([`Shape`]) and a Rust type. One
//! interpreter walks the tables and converts between bytes and a tree ([`Value`]);
//! the generated types convert from and to that tree. So there is one codec for
//! all operations, and the generated code is tables, not functions.
//!
//! - Decoding: bytes → tree (strings borrowed from the body) → validation → Rust type.
//! - Encoding: Rust type → tree (strings borrowed from the type) → bytes.
//!
//! Servers use [`decode_request`] and [`encode_response`]; clients use
//! [`encode_request`] and [`decode_response`].
//!
//! # Invariants
//!
//! - A decoded input satisfies every limit of its model, required members included.
//! - Secrets ([`Secret`]) appear in requests and responses and nowhere else.
//! - Decoding terminates for any input: depth, counts and sizes are bounded.

#[macro_use]
mod macros;

mod codec;
mod error;
mod json;
mod limits;
mod pattern;
mod query;
mod query_json;
mod rest;
mod secret;
mod service;
mod shape;
mod validate;
mod value;
mod xml;

#[cfg(test)]
mod tests;

pub mod access_analyzer;
mod arns;
pub mod authorization;
pub mod berth;
pub mod ecr;
pub mod iam;
pub mod kms;
pub mod organizations;
pub mod secrets_manager;
pub mod sts;

pub use codec::{
    DecodeCause, DecodeError, RemoteError, ResponseError, WireRequest, WireResponse, audit_json,
    decode_error, decode_form, decode_request, decode_response, decode_rest, encode_error,
    encode_error_as, encode_request, encode_response, encode_response_as,
};
pub use error::{CommonError, ErrorStatus, Fault, WireError};
pub use pattern::Pattern;
pub use query::Form;
pub use query_json::ResponseFormat;
pub use rest::{Http, RestHead};
pub use secret::{Blob, Secret};
pub use service::{Op, Operation, Protocol, Service};
pub use shape::{Binding, Kind, Member, Shape, UNIT};
pub use validate::Violation;
pub use value::{Mismatch, Shaped, Value};

/// The imports of the generated modules.
pub(crate) mod generated {
    pub(crate) use crate::pattern::Pattern;
    pub(crate) use crate::secret::{Blob, Secret};
    #[allow(unused_imports)] // Only services of restJson1 have bindings.
    pub(crate) use crate::shape::Binding;
    pub(crate) use crate::shape::{Kind, Member, Shape};
    pub(crate) use crate::value::{Mismatch, Shaped, Value};
    pub(crate) use jiff::Timestamp;
    pub(crate) use std::collections::BTreeMap;
}
