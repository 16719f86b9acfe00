//! AWS Organizations: an organization of accounts of this server, its units, its policies, and who may
//! administer it. One file a resource.
//!
//! Common to all operations: the organization is the caller's own. Which callers may do what is decided
//! before they are called: the resources of an organization belong to its management account, so a member
//! needs the delegation policy ([`Identity::organization_facts`]). A write is one transaction that touches
//! the organization's topic, and the topic of each account whose place in it changes. Lists are in the
//! order of ids, and a page has 20 entries at most.

mod accounts;
mod attachments;
mod controls;
mod create_account;
mod delegation;
mod facts;
mod handshakes;
mod lifecycle;
mod messages;
mod paging;
mod policies;
mod resource_policy;
mod root_access;
mod tags;
mod tree;
mod units;

pub use controls::AccountControls;
pub use create_account::CREATE_ACCOUNT_JOB;
pub use facts::OrganizationFacts;
pub(crate) use root_access::is_administrator as is_root_administrator;

use aws_types::draw;
use jiff::Timestamp;
use store::organizations::organization::{self, Organization};
use store::organizations::{SCOPE, attachment, member, tag};
use store::{Conn, Topic, Write};

use crate::{Authorized, Error, Identity};

/// The operations of AWS Organizations, on the accounts of an [`Identity`].
#[derive(Clone, Debug)]
pub struct Organizations(pub(crate) Identity);

impl Identity {
    /// The operations of AWS Organizations.
    #[must_use]
    pub fn organizations(&self) -> Organizations {
        Organizations(self.clone())
    }
}

/// Policy types that decide about requests, with AWS's policy that allows everything.
const ALLOW_ALL: [(&str, &str); 2] = [
    (SERVICE_CONTROL, "p-FullAWSAccess"),
    (RESOURCE_CONTROL, "p-RCPFullAWSAccess"),
];

const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";
const RESOURCE_CONTROL: &str = "RESOURCE_CONTROL_POLICY";

/// The feature set with policies.
const ALL_FEATURES: &str = "ALL";

impl Organizations {
    /// Begins a change of any organization.
    async fn change(&self) -> Result<Write, Error> {
        Ok(self.0.0.store.write(SCOPE).await?)
    }

    /// A fresh id: `chars` random lower-case letters and digits behind the prefix.
    fn fresh_id<const CHARS: usize>(&self, prefix: &str) -> Result<String, Error> {
        // 32 characters, so each byte gives one with equal likelihood.
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
        let bytes = draw::<CHARS>(&*self.0.0.entropy)?;
        let random = bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        Ok(prefix.chars().chain(random).collect())
    }
}

/// The organization of the caller's account.
async fn of_caller(conn: &mut Conn<'_>, cx: &Authorized) -> Result<Organization, Error> {
    let found = organization::of_account(conn, cx.account.as_str()).await?;
    found.ok_or_else(messages::not_in_use)
}

/// The organization that the decision was about, for operations on its resources. The caller's account may
/// have left it since.
async fn decided(conn: &mut Conn<'_>, cx: &Authorized) -> Result<Organization, Error> {
    let found = of_caller(conn, cx).await?;
    match cx.resource().is(&found.id) {
        true => Ok(found),
        false => Err(messages::not_in_use()),
    }
}

/// Puts an account into an organization, with the policies that every account has.
async fn join(
    tx: &mut Write,
    organization: &Organization,
    account: &str,
    joined_method: &str,
    now: i64,
) -> Result<(), Error> {
    let mut conn = tx.conn();
    let root = &organization.root_id;
    member::insert(
        &mut conn,
        &organization.id,
        account,
        root,
        joined_method,
        now,
    )
    .await?;
    attach_defaults(&mut conn, &organization.id, account).await?;
    tx.touch(Topic::Account(account));
    tx.touch(Topic::Organization(&organization.id));
    Ok(())
}

/// Takes an account out of its organization, with everything that names it there.
async fn leave(tx: &mut Write, organization: &Organization, account: &str) -> Result<(), Error> {
    let mut conn = tx.conn();
    member::delete(&mut conn, account).await?;
    attachment::delete_target(&mut conn, &organization.id, account).await?;
    tag::delete_all(&mut conn, &organization.id, account).await?;
    tx.touch(Topic::Account(account));
    tx.touch(Topic::Organization(&organization.id));
    Ok(())
}

/// Attaches AWS's policies of the enabled types to a new root, unit or account (Organizations User Guide,
/// "Service control policies": `FullAWSAccess` is attached to every entity when SCPs are enabled).
async fn attach_defaults(
    conn: &mut Conn<'_>,
    organization: &str,
    target: &str,
) -> Result<(), Error> {
    let enabled = organization::policy_types(conn, organization).await?;
    for (policy_type, policy) in ALLOW_ALL {
        if enabled.iter().any(|enabled| enabled == policy_type) {
            attachment::insert(conn, organization, target, policy, policy_type).await?;
        }
    }
    Ok(())
}

/// A stored time. One that is out of range cannot have been written.
fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// `arn:aws:organizations::<management account>:<kind>/<organization>/<id>`
fn arn(organization: &Organization, kind: &str, id: &str) -> String {
    let Organization {
        id: own,
        management_account,
        ..
    } = organization;
    format!("arn:aws:organizations::{management_account}:{kind}/{own}/{id}")
}
