//! The instance metadata service, version 2 (EC2 User Guide, "Use the Instance Metadata Service to access
//! instance metadata", "How Instance Metadata Service Version 2 works").
//!
//! Version 1, which takes a GET without a token, does not exist here. A request is checked in this order:
//! the connection's user ([`crate::peer`]), the headers ([`guard`]), the token ([`tokens`]), the path.

pub mod documents;
pub mod guard;
pub mod routes;
pub mod tokens;

pub use documents::Instance;
pub use guard::Hosts;
pub use routes::{Answer, Wants, respond};
pub use tokens::Tokens;
