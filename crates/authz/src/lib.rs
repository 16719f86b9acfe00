//! Authorization: who may do what, and the proof of it.
//!
//! An example. Ana of account `111122223333` asks for `ecr:PutImage` on the repository `app`.
//! The server knows who she is ([`Caller`]) and what the operation needs ([`Requirements`]). It
//! asks [`authorize`], which looks the repository up through [`Facts`], evaluates Ana's policies
//! with the repository's, and answers with [`Authorized`] or with a denial in AWS's words:
//!
//! ```
//! # use authz::testing::{Empty, caller, context};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use authz::{Refused, ResourceSelector, Rule, SessionScope, authorize, require};
//! use aws_api::authorization::AccessLevel;
//!
//! let rule = Rule {
//!     action: "ecr:PutImage",
//!     access: AccessLevel::Write,
//!     sessions: SessionScope::ANY,
//! };
//! let app = ResourceSelector::Repository { registry: None, name: "app".to_owned() };
//!
//! // Ana has no policy at all.
//! let ana = caller("arn:aws:iam::111122223333:user/ana", None);
//! let refused = authorize(&Empty, context(ana), &rule, &require(app.clone()), ()).await;
//! let Err(Refused::Denied(denial)) = refused else { panic!("nothing allows it") };
//! assert_eq!(
//!     denial.message,
//!     "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecr:PutImage on \
//!      resource: arn:aws:ecr:us-east-1:111122223333:repository/app because no identity-based \
//!      policy allows the ecr:PutImage action",
//! );
//!
//! // Bob may.
//! let policy = r#"{"Version": "2012-10-17", "Statement": {
//!     "Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}"#;
//! let bob = caller("arn:aws:iam::111122223333:user/bob", Some(policy));
//! let proof = authorize(&Empty, context(bob), &rule, &require(app), "the input").await;
//! let (proof, input) = proof.unwrap().into_parts();
//! assert_eq!((proof.action(), input), ("ecr:PutImage", "the input"));
//! # });
//! ```
//!
//! # Invariants
//! - Only [`authorize`] makes an [`Authorized`], and the functions of the domains take one. A code
//!   path without a decision does not compile.
//! - The server's own work has no caller. It names itself with [`Authority::Service`], from a
//!   closed list.
//! - Creating with tags is tagging: [`Rule::checks`] adds the Tag action.
//! - A denial of another account's resource reads the same whether or not the resource exists, and
//!   takes the same queries ([`Facts::resource`], [`Facts::equalize`]).
//!
//! # What is absent
//! No HTTP, no SQL and no clock. Policies are evaluated by the crate `policy`; what they say about
//! a principal is loaded by `identity`.

mod caller;
mod decision;
mod proof;
mod requirements;
mod session_scope;
#[cfg(feature = "testing")]
pub mod testing;

pub use caller::{AccountControls, Caller, CallerKind, Credential, Federation, SessionInfo};
pub use decision::{
    DecisionRecord, Denial, Facts, Refused, Resource, StatementName, authorize, check,
    is_allowed_under,
};
pub use proof::{Authority, Authorized, Client, Decided, RequestContext, ServiceName};
pub use requirements::{
    Check, EntityKind, Requirements, ResourceSelector, Rule, SecondFactor, Tag, require,
    require_action, require_each,
};
pub use session_scope::{SessionRefused, SessionScope};
