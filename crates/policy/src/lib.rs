//! The IAM policy language: parse, validate, compile, decide, explain. Pure: no I/O, no clock.

mod compiled;
mod condition;
mod context;
mod decide;
mod denial;
mod document;
mod error;
mod explain;
mod fold;
mod glob;
mod json;
mod operator;
mod parse;
mod pattern;
mod principal;
mod resource;
pub mod scenario;
mod set;
mod trie;
mod validate;
mod value;

pub use context::{Context, ContextValue};
pub use decide::{Authority, Decision, Effect, Reason, Request, StatementRef, decide};
pub use document::{
    ConditionEntry, Document, DocumentKind, Element, PrincipalElement, PrincipalEntry,
    PrincipalType, Statement, StatementEffect, Text, Version, size_without_white_space,
};
pub use error::{PolicyError, PolicyErrorCode};
pub use explain::{ElementTrace, Explanation, Nearest, PolicyTrace, StatementTrace, explain};
pub use json::Position;
pub use principal::{Principal, PrincipalKind};
pub use set::{PolicyRef, PolicySet};
