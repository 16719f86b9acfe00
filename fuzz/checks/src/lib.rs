//! What the fuzz targets check, apart from libFuzzer, so that a finding can be replayed anywhere and the
//! tests of the workspace run every check on its seeds.
//!
//! ```
//! // A check takes any bytes and panics on a finding.
//! fuzz_checks::texts::parse(br#"{"Version": "2012-10-17", "Statement": []}"#);
//! fuzz_checks::patterns::matching(b"*a?\0banana");
//! fuzz_checks::tokens::present(b"{\"alg\":\"ES256\"}\n{}");
//! fuzz_checks::manifests::parse(b"{}");
//! // A target is a check by its name.
//! fuzz_checks::check("route", b"GET\n/v2/team/app/manifests/v1");
//! ```
//!
//! [`TARGETS`] lists them. `fuzz/fuzz_targets` has a program for each, and `fuzz/README.md` says what a
//! finding of each is.

pub mod certificates;
pub mod decisions;
pub mod forms;
pub mod key_sets;
pub mod lifecycle_policies;
pub mod manifests;
pub mod metadata;
pub mod patterns;
pub mod routes;
pub mod saml_responses;
pub mod seeds;
pub mod signatures;
pub mod texts;
pub mod tokens;
mod wild;

/// The excerpt of AWS's tables that the linter's own tests use.
#[path = "../../../crates/policy-lint/tests/excerpt/mod.rs"]
mod excerpt;

/// The composer of scenarios that the property tests use.
#[path = "../../../crates/policy/tests/world/mod.rs"]
mod world;

/// The slow evaluator that the property tests use.
#[path = "../../../crates/policy/tests/reference/mod.rs"]
mod reference;

/// A check of any bytes; it panics on a finding.
pub type Check = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Check); 15] = [
    ("parser", texts::parse),
    ("validator", texts::validate),
    ("linter", texts::lint),
    ("matcher", patterns::matching),
    ("decision", decisions::decide),
    ("signature", signatures::parse),
    ("form", forms::parse),
    ("metadata", metadata::parse),
    ("saml", saml_responses::parse),
    ("certificates", certificates::parse),
    ("token", tokens::present),
    ("keys", key_sets::parse),
    ("manifest", manifests::parse),
    ("route", routes::parse),
    ("lifecycle", lifecycle_policies::parse),
];

/// Runs the check of a target.
///
/// # Panics
/// On a finding, and for a target that does not exist.
pub fn check(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, check) = found.expect("a target of `TARGETS`");
    check(bytes);
}
