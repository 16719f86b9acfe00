//! Words that every crate shares: account IDs, regions, ARNs. Built only valid.

mod account_id;
mod arn;
mod region;

pub use account_id::AccountId;
pub use arn::Arn;
pub use region::Region;

/// A text that is not what it should be. The offending text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected}")]
pub struct Invalid {
    /// What it should have been.
    pub expected: &'static str,
}
