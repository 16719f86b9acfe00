//! The IAM policy language: parse, validate, compile, decide, explain.
//!
//! Example: account `111122223333` has the user `ana` and the repository `app`. Ana's policy allows
//! pushes; the repository's policy denies them from outside the office network.
//!
//! ```
//! use policy::{ApplicablePolicies, Context, Document, DocumentKind, Effect, PolicyRef, PolicySet,
//!              Principal, Request, decide, explain};
//!
//! // A policy is parsed and validated when it is stored; errors have AWS's code and message.
//! let push = Document::parse(r#"{"Version": "2012-10-17", "Statement": {"Sid": "Push",
//!     "Effect": "Allow", "Action": ["ecr:PutImage", "ecr:*Layer*"],
//!     "Resource": "arn:aws:ecr:*:111122223333:repository/app"}}"#, DocumentKind::Managed)?;
//! let office = Document::parse(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny",
//!     "Principal": "*", "Action": "ecr:PutImage",
//!     "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}"#,
//!     DocumentKind::EcrRepository)?;
//!
//! // The union of a principal's policies is compiled once, when they change.
//! let identity = PolicySet::compile([(PolicyRef::new(DocumentKind::Managed, "push"), &push)]);
//! let resource = PolicySet::compile([(PolicyRef::new(DocumentKind::EcrRepository, "app"), &office)]);
//!
//! // Each request is then decided from references.
//! let ana = Principal::user("arn:aws:iam::111122223333:user/ana", Some("AIDAEXAMPLEEXAMPLE12"));
//! let context = ana.context().set("aws:SourceIp", "198.51.100.7");
//! let request = Request {
//!     principal: &ana,
//!     action: "ecr:PutImage",
//!     resource: "arn:aws:ecr:us-east-1:111122223333:repository/app",
//!     resource_account: Some("111122223333"),
//!     context: &context,
//! };
//! let applicable = ApplicablePolicies {
//!     identity: Some(&identity),
//!     resource: Some(&resource),
//!     ..ApplicablePolicies::default()
//! };
//! let decision = decide(&request, &applicable);
//! assert_eq!(decision.effect, Effect::ExplicitlyDenied);
//! assert_eq!(decision.statement.unwrap().policy.name.as_ref(), "app");
//! assert_eq!(
//!     decision.denial_message(ana.arn(), request.action, request.resource),
//!     "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecr:PutImage on \
//!      resource: arn:aws:ecr:us-east-1:111122223333:repository/app with an explicit deny in a \
//!      resource-based policy");
//!
//! // The same with a trace: which element matched, and what it was compared with.
//! let trace = explain(&request, &applicable).to_string();
//! assert!(trace.contains("yes Condition NotIpAddress aws:SourceIp: 203.0.113.0/24 (saw 198.51.100.7)"));
//! # Ok::<(), policy::PolicyError>(())
//! ```
//!
//! # Modules
//!
//! [`Document::parse`] reads a text (`json`, `parse`) and checks it (`validate`, `principal_syntax`,
//! `resource`). A [`CompiledDocument`] holds its compiled statements (`compiled`, from `pattern`,
//! `glob`, `condition`, `arn`); a [`PolicySet`] indexes those of several documents by action and
//! resource (`policy_set`, `trie`). `decide` combines the policy types and is the only module that
//! knows their precedence. `explain` walks the same statements without the index. [`scenario`] reads
//! a request and its policies from one JSON document, [`language`] is what tools for documents share
//! with the engine.
//!
//! **Invariant:** the crate is pure. No I/O, no clock, no randomness: the time is a condition key
//! (`aws:CurrentTime`) like any other. **Invariant:** a decision looks nothing up. Which user or role
//! a policy means by an ARN is settled when the policy is stored: the caller replaces ARNs with
//! unique IDs ([`Document::map_principals`]).
//!
//! # Cost
//!
//! A decision walks two radix trees along the action and the resource, and then evaluates the
//! statements whose literal parts match: some hundred nanoseconds, also among 10,000 statements
//! about other resources. It allocates only for actions above 256 bytes, for `BinaryEquals`, for
//! `?` in patterns on texts beyond ASCII, for variables in patterns of more than 24 parts, and for
//! variables in ARN operators whose values contain colons. Patterns are matched in one pass over the
//! resource. A text of more than 1 MiB, or nested deeper than 16, is refused before it is read.
//!
//! A compiled document keeps its text and 3 to 20 bytes for each byte of it. Sets share their
//! documents; [`PolicySet::heap_bytes`] says what a set keeps, for caches that are bounded in bytes.
//!
//! # Choices where AWS's documents are silent
//!
//! Combining policies:
//! - *RCPs* always allow: `RCPFullAWSAccess` is attached to every level and cannot be detached, so a
//!   level without it is evaluated as if it were there. They apply to the services in `rcp`, which is
//!   AWS's list at the date given there. The page does not mention actions without a resource; RCPs
//!   apply to them too.
//! - *Calls that temporary credentials cannot make* (`sts:GetFederationToken` by a role's session) do
//!   not depend on policies: a decision ignores this, an explanation notes it.
//! - *Several policy types deny*: AWS names one of them. Here it is the first in the order RCP, SCP,
//!   resource, identity, boundary, session; if several types only do not allow, the first in the
//!   order SCP, identity (or trust), boundary, session, resource.
//! - *A KMS key without a policy* is a key whose policy was not given: an absent policy type is not
//!   evaluated. A role without a trust policy trusts nobody.
//! - *`sts:GetSessionToken`* needs no permission and ignores Denies, like `sts:GetCallerIdentity`.
//!
//! Principals:
//! - *`*` in an Allow of a trust policy* does not trust every identity provider: OIDC and SAML
//!   identities must be named by their provider. A Deny with `*` applies to them.
//! - *An account* delegates to its principals in any partition.
//! - *Tokens of a shared provider* are scoped by a list of subjects only if none of them is `*`.
//!   One report about IAM says that it looks at the first entry alone.
//!
//! Conditions:
//! - *Variables* are expanded for string, ARN and Boolean operators. The page of the operators
//!   includes Boolean, the page of the variables does not. In ARN operators a value may contain
//!   several fields, or the whole ARN.
//! - *`ForAnyValue:…IfExists`* holds if the key is missing: `IfExists` takes precedence.
//! - *`Null`* treats a list without values, and one whose values are all empty, as a missing key, like
//!   `ForAllValues`; the single empty value of a tag is a value.
//! - *A key without values* (`{"StringEquals": {"key": []}}`): a Deny applies, an Allow grants nothing.
//!   For set operators and `IfExists` Access Analyzer's reference is followed (`condition`).
//! - *Values of a wrong type* (`IpAddress: "x"`) match nothing; only dates are checked when a
//!   document is stored. *Four digits* are a year and not seconds.
//!
//! Resources:
//! - *An incomplete ARN* is completed in identity-based policies, SCPs and RCPs (`resource`). If it has
//!   a `*` that matches past colons, it also matches as written.
//! - *Without a resource* (`*`) `aws:ResourceAccount` is the caller's account, unless a scenario sets
//!   it.
//! - *A `*` in `Resource`* matches colons wherever it is; the guide speaks of segments, and of
//!   wildcards at their end that match beyond.

mod arn;
mod case_fold;
mod compiled;
mod condition;
mod context;
mod decide;
mod denial;
mod detect;
mod document;
mod document_kind;
mod error;
mod explain;
mod glob;
mod heap;
mod json;
pub mod language;
mod operator;
mod parse;
mod pattern;
mod policy_set;
mod principal;
mod principal_syntax;
mod print;
mod rcp;
mod resource;
pub mod scenario;
mod trie;
mod validate;
mod value;

pub use compiled::{CompiledDocument, Grant};
pub use context::{Context, ContextValue};
pub use decide::{ApplicablePolicies, Decision, Effect, Reason, Request, StatementRef, decide};
pub use document::{
    ConditionEntry, Document, Element, PrincipalElement, PrincipalEntry, PrincipalType, Statement,
    StatementEffect, Text, Version, size_without_white_space,
};
pub use document_kind::{DocumentKind, UnknownKind};
pub use error::{PolicyError, PolicyErrorCode};
pub use explain::{
    ElementTrace, Explanation, Missing, Nearest, PolicyTrace, RequestTrace, StatementPlace,
    StatementTrace, explain,
};
pub use json::Position;
pub use policy_set::{PolicyRef, PolicySet};
pub use principal::{Principal, PrincipalKind};
pub use principal_syntax::NamedPrincipal;
pub use print::Printable;
