//! The parts of the language that tools for documents need: condition operators, typed values,
//! JSON with positions, and the rules that a stored document was checked against.
//!
//! Decisions do not need this module. It exists so that a linter or an editor reads a document
//! with the engine's own rules instead of a second copy of them.
//!
//! ```
//! use policy::language::{Operator, Quantifier, Test};
//!
//! let operator = Operator::parse("ForAnyValue:StringNotLikeIfExists").ok_or("unknown operator")?;
//! assert_eq!(operator.quantifier, Quantifier::ForAnyValue);
//! assert_eq!(operator.test, Test::StringLike);
//! assert!(operator.negated && operator.if_exists);
//! # Ok::<(), &str>(())
//! ```

pub use crate::glob::is_open;
pub use crate::operator::{Compare, Operator, Quantifier, Test};
pub use crate::principal::is_account_id;
pub use crate::rcp::covers as rcp_covers;
pub use crate::resource::in_full as resource_in_full;
pub use crate::value::{Network, date, number};

use crate::context::Context;
use crate::document::{Text, Version};
use crate::document_kind::DocumentKind;
use crate::pattern::{Flavour, Pattern};

/// JSON with the position of each value.
pub mod json {
    pub use crate::json::{JsonError, Member, Node, Value, parse};
}

/// Identity providers that serve the public, and the claims that tell their customers apart.
pub mod shared_providers {
    pub use crate::validate::providers::{GITHUB, is_scoped, keys};
}

/// Whether an entry of `Action`, which may have wildcards, covers an action.
pub fn action_matches(entry: &str, action: &str) -> bool {
    let entry = entry.to_ascii_lowercase();
    let pattern = Pattern::new(&entry, Version::V2012, Flavour::Wildcards);
    pattern.matches(&action.to_ascii_lowercase(), &Context::new())
}

/// Whether an entry of `Resource` is `*` or has the form of an ARN that the kind of document may
/// hold.
pub fn is_valid_resource(text: &Text, kind: DocumentKind) -> bool {
    crate::resource::check(text, kind).is_ok()
}
