//! AWS Organizations: rows and their statements, one file a resource.
//!
//! Functions know no rule: who may read a row, what must not be deleted and how many there may be is
//! the caller's. Every write belongs in a transaction of [`SCOPE`]: a check on one account of an
//! organization may rely on another's rows.

pub mod attachment;
pub mod delegation;
pub mod handshake;
pub mod member;
pub mod organization;
pub mod policy;
pub mod request;
pub mod tag;
pub mod unit;

use crate::Scope;

/// The scope of all changes of organizations.
pub const SCOPE: Scope<'static> = Scope::System("organizations");
