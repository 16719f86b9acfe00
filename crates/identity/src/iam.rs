//! IAM's operations, one file a resource: each takes the generated request and answers the
//! generated response.
//!
//! Common to all: names are looked up without regard to case; a write is one transaction
//! that touches the identity topic; lists are in the order of names.

mod access_keys;
mod account;
mod account_properties;
mod attachments;
mod boundaries;
mod context_keys;
mod credential_report;
mod delegation_requests;
mod details;
mod groups;
mod inline_policies;
mod instance_profiles;
mod last_accessed;
mod login_profiles;
mod managed_policies;
mod mfa_devices;
mod oidc_providers;
mod password_policy;
mod policy_versions;
mod role_templates;
mod roles;
mod saml_providers;
mod server_certificates;
mod service_credentials;
mod service_grants;
mod service_linked_roles;
mod signing_certificates;
mod simulate;
mod ssh_public_keys;
mod tags;
mod users;
mod views;

pub use saml_providers::SamlProvider;
pub use simulate::{SimulationTrace, TracedPolicy, TracedStatement};

use aws_api::CommonError;
use aws_api::iam;
use aws_api::iam::{ErrorCode, StatusType};
use jiff::Timestamp;
use store::iam::entity::{self, Entity, Kind, NewEntity};
use store::iam::tag;
use store::{Conn, Scope, Topic, Write};

use crate::paging::{Cut, Page};
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity, ids, messages};

/// An entity that a request wants.
struct Wanted<'a> {
    kind: Kind,
    name: &'a str,
    path: Option<&'a str>,
    boundary_arn: Option<&'a str>,
    tags: Option<&'a [iam::Tag]>,
}

impl Identity {
    /// Begins a change of the caller's account, of which caches learn when it is committed.
    async fn change(&self, cx: &Authorized) -> Result<Write, Error> {
        let account = cx.account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        tx.touch(Topic::Account(account));
        Ok(tx)
    }

    /// Creates an entity: name free, quota left, boundary there.
    async fn create_entity(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        wanted: Wanted<'_>,
    ) -> Result<Entity, Error> {
        let account = cx.account.as_str();
        let Wanted { kind, name, .. } = wanted;
        check_path(wanted.path)?;
        let path = wanted.path.unwrap_or("/");
        let key = entity::key(kind, path, name);
        if entity::find(conn, account, kind, &key).await?.is_some() {
            return Err(messages::exists(kind, name));
        }
        self.check_count(conn, account, kind).await?;
        if let Some(arn) = wanted.boundary_arn {
            self.boundary_policy(conn, account, arn).await?;
        }
        let new = NewEntity {
            account,
            kind,
            name,
            path,
            unique_id: &ids::unique_id(kind, &*self.0.entropy)?,
            boundary_arn: wanted.boundary_arn,
            now: cx.now.as_millisecond(),
        };
        let created = entity::insert(conn, new).await?;
        if let Some(tags) = wanted.tags {
            self.put_tags(conn, &created, tags).await?;
        }
        Ok(created)
    }

    /// Checks that the account may have one more entity of the kind.
    async fn check_count(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
        kind: Kind,
    ) -> Result<(), Error> {
        let quota = Quota::of_kind(kind);
        let max = self.quota(conn, account, quota).await?;
        match entity::count(conn, account, kind).await? >= max {
            true => Err(messages::quota(quota.name(), max)),
            false => Ok(()),
        }
    }

    /// Gives an entity another name or path.
    async fn rename_entity(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        new_name: Option<&str>,
        new_path: Option<&str>,
    ) -> Result<(), Error> {
        check_path(new_path)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, kind, name).await?;
        let new_name = new_name.unwrap_or(&found.name);
        let taken = entity::find(&mut conn, cx.account.as_str(), kind, new_name).await?;
        // An entity may change the case of its own name.
        if taken.is_some_and(|taken| taken.id != found.id) {
            return Err(messages::exists(kind, new_name));
        }
        entity::rename(
            &mut conn,
            found.id,
            kind,
            new_name,
            new_path.unwrap_or(&found.path),
        )
        .await?;
        commit(tx).await
    }

    /// Sets tags within the quota.
    async fn put_tags(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
        tags: &[iam::Tag],
    ) -> Result<(), Error> {
        let ignores_case = tag::ignores_case(entity.kind);
        let mut keys = std::collections::HashSet::new();
        for new in tags {
            check_tag_key(&new.key)?;
            let key = match ignores_case {
                true => new.key.to_lowercase(),
                false => new.key.clone(),
            };
            if !keys.insert(key) {
                return Err(messages::duplicate_tags(ignores_case));
            }
            tag::put(conn, entity.id, entity.kind, &new.key, &new.value).await?;
        }
        let max = self.0.settings.tags_max;
        let count = tag::list(conn, entity.id).await?.len();
        if i64::try_from(count).unwrap_or(i64::MAX) > max {
            return Err(messages::too_many_tags());
        }
        Ok(())
    }
}

/// Paths that AWS keeps to itself (UG reference_identifiers, "Friendly names and paths";
/// UG using-service-linked-roles): what is called so is believed to be AWS's.
fn check_path(path: Option<&str>) -> Result<(), Error> {
    for (prefix, whose) in [
        ("/aws-service-role/", "AWS Service linked Roles"),
        ("/aws-reserved/", "roles that AWS creates"),
    ] {
        if path.is_some_and(|path| path.starts_with(prefix)) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("Path prefix '{prefix}' can only be used for {whose}"),
            ));
        }
    }
    Ok(())
}

/// Keys that begin with `aws:` are AWS's own (UG id_tags, "Rules for tagging").
fn check_tag_key(key: &str) -> Result<(), Error> {
    if key
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
    {
        return Err(Error::new(
            ErrorCode::InvalidInput,
            format!("Tag key {key} is not valid: keys that begin with aws: are reserved."),
        ));
    }
    Ok(())
}

/// A page of the account's entities of one kind whose path has the prefix, in the order of their names.
async fn page_of(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    kind: Kind,
    path_prefix: Option<&str>,
    page: &Page,
) -> Result<Cut<Entity>, Error> {
    let (account, prefix) = (cx.account.as_str(), path_prefix.unwrap_or("/"));
    let rows = entity::list(conn, account, kind, prefix, &page.after, page.rows()).await?;
    Ok(page.cut(rows, |entity| entity.folded_name()))
}

/// The entity of this name, which must be there.
async fn get_existing(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    kind: Kind,
    name: &str,
) -> Result<Entity, Error> {
    let found = entity::find(conn, cx.account.as_str(), kind, name).await?;
    found.ok_or_else(|| messages::not_found(kind, name))
}

/// Ends a change.
async fn commit(tx: Write) -> Result<(), Error> {
    Ok(tx.commit().await?)
}

/// A stored time. One that is out of range cannot have been written.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn shown_status(active: bool) -> StatusType {
    match active {
        true => StatusType::Active,
        false => StatusType::Inactive,
    }
}

/// Whether a status that a request sets is the active one.
///
/// # Errors
/// `ValidationError` for `Expired`, which the model has and no request may set.
fn is_activation(status: StatusType) -> Result<bool, Error> {
    match status {
        StatusType::Active => Ok(true),
        StatusType::Inactive => Ok(false),
        other => Err(Error::new(
            CommonError::Validation,
            format!(
                "Status {other} is not a status that a request may set: use Active or Inactive"
            ),
        )),
    }
}
