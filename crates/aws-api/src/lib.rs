//! The AWS APIs of Amazon ECR, IAM and STS as Rust types. (Skeleton: codecs follow.)

#[macro_use]
mod macros;

mod error;
mod pattern;
mod secret;
mod service;
mod shape;
mod value;

pub mod ecr;
pub mod iam;
pub mod sts;
pub mod vocab;

pub use error::{Fault, WireError};
pub use pattern::Pattern;
pub use secret::{Blob, Secret};
pub use service::{Op, Operation, Protocol, Service};
pub use shape::{Kind, Member, Shape, UNIT};
pub use value::{Mismatch, Shaped, Value};
pub use vocab::{AccountId, Arn, Region};

/// What the generated modules import.
pub(crate) mod generated {
    pub(crate) use crate::pattern::Pattern;
    pub(crate) use crate::secret::{Blob, Secret};
    pub(crate) use crate::shape::{Kind, Member, Shape};
    pub(crate) use crate::value::{Mismatch, Shaped, Value};
    pub(crate) use jiff::Timestamp;
    pub(crate) use std::collections::BTreeMap;
}
