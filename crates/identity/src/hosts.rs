//! Hosts with a role: invitations, joining, credentials, revocation (the service `berth`).
//!
//! A host is to Berth what an EC2 instance is to AWS. It joins once with the code of an invitation, which
//! names an instance profile, and registers a key of its own. With that key it asks for credentials of
//! the profile's role: `ec2.amazonaws.com` assumes the role, so the role's trust policy decides, and the
//! session's name is the host's id.
//!
//! A session of a host is good while the host is not revoked and its profile holds the role; this is
//! looked up at every use, as all that a session points at.

mod credentials;
mod invitations;
mod join;
mod proof;
mod registry;
mod tags;

pub(crate) use registry::is_entitled;

use aws_api::CommonError;
use aws_api::berth::ErrorCode;
use aws_types::{Entropy, draw, hex};
use jiff::Timestamp;
use store::{Scope, Topic, Write};

use crate::{Authorized, Error, Identity};

/// Hosts of an account that are not revoked.
const HOSTS_MAX: i64 = 10_000;

/// Invitations of an account that can be used.
const INVITATIONS_MAX: i64 = 1_000;

/// The service that assumes the role of an instance profile (IAM User Guide, "Using an IAM role to grant
/// permissions to applications running on Amazon EC2 instances").
const SERVICE: &str = "ec2.amazonaws.com";

impl Identity {
    /// Begins a change of an account's hosts, of which caches learn when it is committed.
    async fn change_hosts(&self, account: &str) -> Result<Write, Error> {
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        tx.touch(Topic::Account(account));
        Ok(tx)
    }
}

/// `prefix` and 17 random hexadecimal digits, as EC2's resource ids.
fn resource_id(prefix: &str, entropy: &dyn Entropy) -> Result<String, Error> {
    let mut digits = hex::encode(draw::<9>(entropy)?);
    digits.truncate(17);
    Ok(format!("{prefix}{digits}"))
}

/// `arn:aws:berth:us-east-1:123456789012:host/i-0123456789abcdef0`
fn host_arn(region: &str, account: &str, id: &str) -> String {
    format!("arn:aws:berth:{region}:{account}:host/{id}")
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::HostNotFound,
        format!("The host with the id '{id}' does not exist in this account and region."),
    )
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidParameter, message.into())
}

/// As for a role that does not trust the host: its profile has none, or got another one meanwhile.
fn no_role() -> Error {
    Error::new(
        CommonError::AccessDenied,
        "Not authorized to perform sts:AssumeRole",
    )
}

/// A stored time. One that is out of range cannot have been written.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The id in a host's ARN; `None` for an ARN that names no host of the caller's account and region.
fn id_in_arn<'a>(cx: &Authorized, arn: &'a str) -> Option<&'a str> {
    let prefix = host_arn(cx.region.as_str(), cx.account.as_str(), "");
    arn.strip_prefix(&prefix)
}
