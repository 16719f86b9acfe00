//! What the fuzz targets share: the checks, apart from libFuzzer, so that a finding can be
//! replayed anywhere.
//!
//! ```
//! // A target is a check over any bytes; it panics on a finding.
//! policy_fuzz::texts::parse(br#"{"Version": "2012-10-17", "Statement": []}"#);
//! policy_fuzz::patterns::matching(b"*a?\0banana");
//! policy_fuzz::decisions::decide(b"\x00\x01\x02\x03");
//! policy_fuzz::signatures::parse(b"GET\n/\n\nhost: localhost");
//! policy_fuzz::forms::parse(b"Action=ListUsers&MaxItems=10");
//! policy_fuzz::metadata::parse(b"GET\n/latest/\nhost: 127.0.0.1:1338");
//! policy_fuzz::saml_responses::parse(b"<samlp:Response/>");
//! policy_fuzz::certificates::parse(b"-----BEGIN CERTIFICATE-----");
//! ```

pub mod certificates;
pub mod decisions;
pub mod forms;
pub mod metadata;
pub mod patterns;
pub mod saml_responses;
pub mod seeds;
pub mod signatures;
pub mod texts;
mod wild;

/// The excerpt of AWS's tables that the linter's own tests use.
#[path = "../../crates/policy-lint/tests/excerpt/mod.rs"]
mod excerpt;

/// The composer of scenarios that the property tests use.
#[path = "../../crates/policy/tests/world/mod.rs"]
mod world;

/// The slow evaluator that the property tests use.
#[path = "../../crates/policy/tests/reference/mod.rs"]
mod reference;
