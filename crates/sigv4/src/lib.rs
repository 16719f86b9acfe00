//! AWS Signature Version 4: verify it, and make it. No I/O, no clock.
//!
//! A server goes three steps: find the signature, look up the secret of its access key, verify.
//!
//! ```
//! use sigv4::{Expected, RequestParts, Lifetime, PathStyle, SecretKey, Signer};
//!
//! let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
//! let body_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
//! let now_epoch_seconds = 1_440_938_160;
//!
//! // The client.
//! let host: (&str, &[u8]) = ("host", b"sts.example.com");
//! let request = RequestParts { method: "GET", path: "/", query: "Action=GetCallerIdentity", headers: &[host] };
//! let signer = Signer {
//!     access_key_id: "AKIDEXAMPLE", secret: &secret, session_token: None,
//!     region: "us-east-1", service: "sts", now_epoch_seconds, path_style: PathStyle::Standard,
//! };
//! let signed = signer.sign(&request, body_sha256)?;
//!
//! // The server: everything as it came over the wire.
//! let date = ("x-amz-date", signed.x_amz_date.as_bytes());
//! let authorization = ("authorization", signed.authorization.as_bytes());
//! let request = RequestParts { headers: &[host, date, authorization], ..request };
//! let presented = sigv4::parse(&request)?;
//! assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
//! let expected = Expected {
//!     service: "sts", region: None, payload_sha256_hex: body_sha256,
//!     now_epoch_seconds: now_epoch_seconds + 60, path_style: PathStyle::Standard, lifetime: Lifetime::Stated,
//! };
//! presented.verify(&request, &secret, &expected)?;
//! assert!(presented.verify(&request, &SecretKey::new("another"), &expected).is_err());
//! # Ok::<(), sigv4::SigError>(())
//! ```
//!
//! # Errors, in AWS's order
//!
//! [`parse`] finds what is missing or malformed; then the server may say that it does not know the key;
//! [`Presented::verify`] checks the time, that `host` and every `x-amz-*` header is signed, the scope,
//! and last the signature, in constant time. The texts are AWS's and hold no signature and no token.
//!
//! # Invariants
//!
//! * The body's hash is that of the body as received, never what a header claims.
//! * What could be read two ways is refused: a second `Authorization`, `X-Amz-Date`,
//!   `X-Amz-Security-Token` or `Host`, or a signature in the header and another in the query.
//! * Absent on purpose: SigV4A, chunked S3 payloads, unsigned payloads, and any cache. [`SigningKey`]
//!   is there to be cached by the server.

mod canonical;
mod error;
mod key;
mod presented;
mod request_parts;
mod sign;
mod time;
mod verify;

pub use error::SigError;
pub use key::{CredentialScope, SecretKey, SigningKey};
pub use presented::{Presented, parse};
pub use request_parts::{PathStyle, RequestParts};
pub use sign::{SignedHeaders, Signer};
pub use verify::{Expected, Lifetime, SKEW_SECONDS_MAX};

#[cfg(test)]
mod suite;
