//! The part of AWS Secrets Manager that the registry needs: the credentials of pull through cache rules.
//!
//! Amazon ECR reads a rule's credential from a secret whose name begins with `ecr-pullthroughcache/` (ECR user
//! guide, "Storing your upstream repository credentials in an AWS Secrets Manager secret"). This crate keeps
//! such secrets and no other ones.
//!
//! ```text
//! let made  = secrets.create_secret(&proof, input).await?;   // aws secretsmanager create-secret
//! let value = secrets.get_secret_value(&proof, input).await?; // whoever may secretsmanager:GetSecretValue
//! let value = secrets.current_value(service, &arn, now).await?; // the registry, for a rule that names it
//! ```
//!
//! # Invariants
//! - A value is sealed before it is written, with the secret's name and the version's id: a row that was
//!   copied to another secret does not open.
//! - No value is in an error, a log or an audit event: they are [`aws_api::Secret`]s, which print nothing.
//! - A secret whose recovery window is over does not exist, whether its row was removed yet or not.
//!
//! # What is absent
//! No rotation, no replicas, no resource policies (`GetResourcePolicy` answers that there is none). No HTTP, no
//! SQL, no clock, and no keys: the sealer is passed in ([`Seal`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod common;
mod error;
pub mod kms;
mod listing;
mod name;
mod operations;
mod reads;
mod seal;
mod secrets;
mod tags;
mod value;

pub use error::Error;
pub use name::{NAME_PREFIX, arn, parse_id};
pub use seal::{BoxFuture, Seal, SealFailed};
pub use secrets::{SecretFacts, Secrets};
pub use value::PlainValue;
