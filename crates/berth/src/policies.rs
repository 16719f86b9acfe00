//! `berth policy`: the policy engine without a server. The rules live in the `policy` crate; here
//! files are read and answers printed.

mod input;
mod scenarios;
mod validate;

pub use scenarios::{evaluate, explain, test};
pub use validate::validate;
