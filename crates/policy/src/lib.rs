//! The IAM policy language: parse, validate, compile, decide, explain.
//!
//! The cast of an example: account `111122223333` has the user `ana` and the repository
//! `app`. Ana's policy lets her push; the repository's policy forbids it from outside the
//! office.
//!
//! ```
//! use policy::{Authority, Context, Document, DocumentKind, Effect, PolicyRef, PolicySet,
//!              Principal, Request, decide, explain};
//!
//! // When a policy is stored it is parsed and validated; a refusal has AWS's code and words.
//! let push = Document::parse(r#"{"Version": "2012-10-17", "Statement": {"Sid": "Push",
//!     "Effect": "Allow", "Action": ["ecr:PutImage", "ecr:*Layer*"],
//!     "Resource": "arn:aws:ecr:*:111122223333:repository/app"}}"#, DocumentKind::Managed)?;
//! let office = Document::parse(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny",
//!     "Principal": "*", "Action": "ecr:PutImage",
//!     "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}"#,
//!     DocumentKind::EcrRepository)?;
//!
//! // When somebody's policies change their union is compiled, once.
//! let identity = PolicySet::compile([(PolicyRef::new(DocumentKind::Managed, "push"), &push)]);
//! let resource = PolicySet::compile([(PolicyRef::new(DocumentKind::EcrRepository, "app"), &office)]);
//!
//! // Each request is then decided from references alone.
//! let ana = Principal::user("arn:aws:iam::111122223333:user/ana", Some("AIDAEXAMPLEEXAMPLE12"));
//! let context = ana.context().set("aws:SourceIp", "198.51.100.7");
//! let request = Request {
//!     principal: &ana,
//!     action: "ecr:PutImage",
//!     resource: "arn:aws:ecr:us-east-1:111122223333:repository/app",
//!     resource_account: Some("111122223333"),
//!     context: &context,
//! };
//! let authority = Authority {
//!     identity: Some(&identity),
//!     resource: Some(&resource),
//!     ..Authority::default()
//! };
//! let decision = decide(&request, &authority);
//! assert_eq!(decision.effect, Effect::ExplicitlyDenied);
//! assert_eq!(decision.statement.unwrap().policy.name.as_ref(), "app");
//! assert_eq!(
//!     decision.denial_message(ana.arn(), request.action, request.resource),
//!     "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecr:PutImage on \
//!      resource: arn:aws:ecr:us-east-1:111122223333:repository/app with an explicit deny in a \
//!      resource-based policy");
//!
//! // The same with its trace: which element matched, and what it saw.
//! let trace = explain(&request, &authority).to_string();
//! assert!(trace.contains("yes Condition NotIpAddress aws:SourceIp: 203.0.113.0/24 (saw 198.51.100.7)"));
//! # Ok::<(), policy::PolicyError>(())
//! ```
//!
//! # How it is built
//!
//! A text becomes shapes (`json`, `parse`), the shapes are checked (`validate`, `named`, `resource`),
//! statements are compiled (`compiled`, from `pattern`, `glob`, `condition`, `arn`) and filed by
//! action and resource (`set`, `trie`). `decide` combines the policy types; everything
//! about who outranks whom is there and nowhere else. `explain` walks the same statements
//! without the index. [`scenario`] reads all of it from one JSON document, [`language`] is what
//! tools for documents share with it.
//!
//! **Invariant:** pure. No I/O, no clock, no randomness: the time is a condition key
//! (`aws:CurrentTime`) like any other. **Invariant:** a decision never looks anything up;
//! whom a policy means by an ARN was settled when the policy was stored (principals are
//! pinned to unique IDs, [`Document::map_principals`]).
//!
//! # What it costs
//!
//! A decision walks two radix trees along the action and the resource and then looks at the
//! statements whose literal parts fit: some hundred nanoseconds, also among 10,000 statements
//! about other things. It allocates only for actions above 256 bytes, for
//! `BinaryEquals`, for `?` in patterns on texts beyond ASCII, for variables in patterns of
//! more than two dozen parts, and for variables in ARN operators whose values bring colons along.
//! Patterns are matched in one pass over the resource. A text of more than 1 MiB, or nested
//! deeper than 16, is refused unread.
//!
//! # Where the documents are silent
//!
//! How they combine:
//! - *RCPs* are never silent: `RCPFullAWSAccess` is attached to every level and cannot be
//!   detached, so a level without it is read as if it were there. They reach the services of
//!   AWS's list as it stands in `rcp`, with its date. About an action without a resource, of
//!   which the page says nothing, they decide.
//! - *What temporary credentials may not call* (`sts:GetFederationToken` by a role's session) is no
//!   matter of policies: a decision leaves it out, an explanation notes it.
//! - *Several policy types deny*: AWS names one of them. Here the first in the order RCP, SCP,
//!   resource, identity, boundary, session; of those that are merely silent the first in the
//!   order SCP, identity (or trust), boundary, session, resource.
//! - *A KMS key without a policy* is one whose policy was not given: an absent type does not take
//!   part. A role without a trust policy trusts nobody.
//! - *`sts:GetSessionToken`* is as free as `sts:GetCallerIdentity`, of Denies too.
//!
//! Principals:
//! - *`*` in an Allow of a trust policy* does not trust every identity provider: OIDC and SAML
//!   identities must be named by their provider. In a Deny it reaches them.
//! - *An account* delegates to its principals whatever the partition.
//! - *Tokens of a shared provider* are scoped by a list of subjects only when none of them is `*`.
//!   One report of IAM says that it looks at the first alone.
//!
//! Conditions:
//! - *Variables* are expanded for string, ARN and Boolean operators. The page of the operators
//!   includes Boolean, the page of the variables does not. In ARN operators a value may be
//!   several fields, or the whole ARN.
//! - *`ForAnyValue:…IfExists`* holds without the key: `IfExists` speaks last.
//! - *`Null`* takes a list without values, and one whose values are all empty, for an absent
//!   key, as `ForAllValues` does; the one empty value of a tag is a value.
//! - *Values of a wrong type* (`IpAddress: "x"`) match nothing; only dates are refused when a
//!   document is stored. *Four digits* are a year and not seconds.
//!
//! Resources:
//! - *Without a resource* (`*`) `aws:ResourceAccount` is the caller's account, where a scenario does
//!   not say another.
//! - *A `*` in `Resource`* may match colons wherever it stands; the guide speaks of segments and
//!   of wildcards at their end that reach beyond.

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
pub use decide::{Authority, Decision, Effect, Reason, Request, StatementRef, decide};
pub use document::{
    ConditionEntry, Document, Element, PrincipalElement, PrincipalEntry, PrincipalType, Statement,
    StatementEffect, Text, Version, size_without_white_space,
};
pub use document_kind::{DocumentKind, UnknownKind};
pub use error::{PolicyError, PolicyErrorCode};
pub use explain::{
    AskedTrace, ElementTrace, Explanation, Missing, Nearest, PolicyTrace, StatementPlace,
    StatementTrace, explain,
};
pub use json::Position;
pub use policy_set::{PolicyRef, PolicySet};
pub use principal::{Principal, PrincipalKind};
pub use principal_syntax::NamedPrincipal;
pub use print::Printable;
