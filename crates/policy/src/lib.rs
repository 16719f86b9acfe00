//! The IAM policy language: parse, validate, compile, decide, explain. Pure: no I/O, no clock.

mod context;
mod decide;
mod document;
mod error;
mod json;
mod principal;
mod set;

pub use context::{Context, ContextValue};
pub use decide::{Authority, Decision, Effect, Reason, Request, StatementRef, decide};
pub use document::{
    ConditionEntry, Document, DocumentKind, Element, PrincipalElement, PrincipalEntry,
    PrincipalType, Statement, StatementEffect, Text, Version, size_without_white_space,
};
pub use error::{PolicyError, PolicyErrorCode};
pub use json::Position;
pub use principal::{Principal, PrincipalKind};
pub use set::{PolicyRef, PolicySet};
