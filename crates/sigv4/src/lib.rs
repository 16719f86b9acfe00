//! AWS Signature Version 4: verify it, and make it. No I/O, no clock.

mod error;
mod key;
mod parts;
mod presented;
mod sign;

pub use error::SigError;
pub use key::{Scope, SecretKey, SigningKey};
pub use parts::{Parts, PathStyle};
pub use presented::{Expected, Presented, parse};
pub use sign::{Credentials, SignedHeaders, presign, sign};
