//! Findings over policy documents: what is refused, and what is accepted but probably not meant.
//!
//! A document that IAM accepts may grant nothing, or more than its author expects. [`validate`]
//! reports where, why, and what to write instead, in the form of IAM Access Analyzer's
//! `ValidatePolicy`. Checks that Access Analyzer has too use its codes (IAM User Guide, *IAM policy
//! validation check reference*); the other codes are Berth's own.
//!
//! ```
//! use policy::DocumentKind;
//! use policy_lint::{AwsCatalogue, Code, validate};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
//!     "Action": ["iam:PassRole", "ecr:PutImages"], "Resource": "*"}}"#;
//! let findings = validate(text, DocumentKind::Managed, &AwsCatalogue);
//!
//! let pass_role = &findings[0];
//! assert_eq!(pass_role.code, Code::PassRoleWithStarInResource);
//! assert_eq!(pass_role.code.level().finding_type(), "SECURITY_WARNING");
//! assert_eq!((pass_role.position.line, pass_role.position.column), (2, 16));
//! assert!(pass_role.code.learn_more().ends_with("-pass-role-with-star-in-resource"));
//!
//! let misspelt = &findings[1];
//! assert_eq!(misspelt.code, Code::InvalidAction);
//! assert_eq!(misspelt.help, "did you mean `ecr:PutImage`?");
//! // Where it is: as a path and as a span of the text.
//! let location = policy_lint::Locations::new(text).find(misspelt.position);
//! assert_eq!(location.path_string(), "Statement.Action[1]");
//! assert_eq!(&text[location.start.offset as usize..location.end.offset as usize], "\"ecr:PutImages\"");
//! ```
//!
//! # How it is built
//!
//! `syntax` and `elements` report what the language refuses, with Access Analyzer's codes. On a document that can
//! be read, `checks` runs the others, one module for each part of a statement (`actions`,
//! `resources`, `conditions`, `principals`) or for a subject (`danger`, `ecr`, `github`, `rcp`,
//! `tags`, `redundancy`, …).
//!
//! What services, actions and condition keys there are comes from a [`Catalogue`]:
//! [`AwsCatalogue`] has AWS's tables, [`Nothing`] leaves out the checks that need one.
//!
//! **Invariant:** pure. No I/O and no clock. **Invariant:** a finding never changes a decision; the
//! policy engine does not depend on this crate.
//!
//! # Errors have evidence
//!
//! An error claims that a part of the document has no effect, so it needs a statement of AWS. That
//! the service authorization reference does not list something is not one: the reference has gaps.
//! Errors about actions, resources and keys are limited to services whose requests Berth answers
//! itself (ECR, IAM, STS); for other services the same observation is a warning. AWS's managed
//! policies are the measure, as Access Analyzer reports errors for about 1 % of them.
//!
//! # What it costs
//!
//! Entries of one element, and statements, are compared in pairs, and wildcards with everything
//! that the catalogue has. Equal entries are checked once. What differs is counted in steps, and
//! each kind of work has [`STEPS_MAX`] of them; when they are used up, its checks report nothing
//! more. There are at most [`FINDINGS_MAX`] findings. If one of these limits was reached, the last
//! finding says so ([`Code::ChecksIncomplete`]).

mod actions;
mod addresses;
mod arn_forms;
mod arns;
mod audience;
mod aws;
mod budget;
mod catalogue;
mod checks;
mod codes;
mod conditions;
mod covering;
mod danger;
mod documented;
mod ecr;
mod elements;
mod facts;
mod finding;
mod github;
mod globs;
mod identifiers;
mod keys;
mod linter;
mod location;
mod logic;
mod messages;
mod principals;
mod rcp;
mod redundancy;
mod regions;
mod resources;
mod services;
mod sessions;
mod shape;
mod syntax;
mod tags;
mod unlisted;
mod validate;
mod values;
mod variables;
mod who;
mod wildcards;

pub use aws::AwsCatalogue;
pub use budget::{SIMILAR_MAX, STEPS_MAX};
pub use catalogue::{ActionFacts, Catalogue, KeyFacts, KeyType, Nothing, ResourceType};
pub use checks::{lint, lint_counted};
pub use codes::{Code, Level};
pub use finding::{FINDINGS_MAX, Finding};
pub use location::{Location, Locations, PathElement};
pub use validate::validate;
