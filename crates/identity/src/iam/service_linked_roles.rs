//! Service-linked roles: roles of AWS's services, which only the service changes.
//!
//! Sources: UG using-service-linked-roles. Words: public error reports of the CLI and Terraform, for
//! `… has been taken in this account, please try a different suffix.`, `Custom suffix is not allowed for
//! …` and `Cannot perform the operation on the protected role …`.

mod table;

use aws_api::iam::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse,
    DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse, DeletionTaskStatusType,
    ErrorCode, GetServiceLinkedRoleDeletionStatusRequest,
    GetServiceLinkedRoleDeletionStatusResponse,
};
use policy::{Document, DocumentKind};
use store::iam::entity::{self, Entity, Kind, NewEntity};
use store::iam::role::{self, Role as Row};
use store::iam::{attachment, role_deletion};

use super::{commit, get_existing};
use crate::{Authorized, Error, Identity, ids, managed, messages};
use table::{LINKED, Linked};

/// Where their paths begin.
const PATH: &str = "/aws-service-role/";
/// The end of the service principals.
const DOMAIN: &str = ".amazonaws.com";
/// `MaxSessionDuration` of the roles.
const SESSION_SECONDS: i64 = 3600;
/// Characters of a role's name (the model, `roleNameType`).
const NAME_CHARS_MAX: usize = 64;
/// How long the status of a deletion can be asked for.
const TASK_LIFETIME_MS: i64 = 30 * 24 * 3600 * 1000;

/// Whether a role is linked to a service.
pub(super) fn is_linked(role: &Entity) -> bool {
    role.kind == Kind::Role && role.path.starts_with(PATH)
}

/// Refuses to change a role that only its service changes.
pub(super) fn check_modifiable(role: &Entity) -> Result<(), Error> {
    if !is_linked(role) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::UnmodifiableEntity,
        format!(
            "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
            role.name
        ),
    ))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

fn linked(service: &str) -> Result<&'static Linked, Error> {
    let name = service.strip_suffix(DOMAIN);
    let found = LINKED.iter().find(|linked| Some(linked.service) == name);
    found.ok_or_else(|| {
        invalid(format!(
            "The service {service} has no service-linked role that is known here."
        ))
    })
}

impl Identity {
    /// `CreateServiceLinkedRole`.
    ///
    /// # Errors
    /// `InvalidInput` for a service that has none, a suffix that it does not take, and a name that is
    /// taken; `LimitExceeded`.
    pub async fn create_service_linked_role(
        &self,
        cx: &Authorized,
        input: CreateServiceLinkedRoleRequest,
    ) -> Result<CreateServiceLinkedRoleResponse, Error> {
        let service = input.aws_service_name;
        let linked = linked(&service)?;
        let name = match &input.custom_suffix {
            None => format!("AWSServiceRoleFor{}", linked.role),
            Some(suffix) if linked.takes_suffix => {
                format!("AWSServiceRoleFor{}_{suffix}", linked.role)
            }
            Some(_) => {
                return Err(invalid(format!(
                    "Custom suffix is not allowed for {service}"
                )));
            }
        };
        if name.len() > NAME_CHARS_MAX {
            return Err(invalid(format!(
                "The role name {name} would have more than {NAME_CHARS_MAX} characters."
            )));
        }
        let trust = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
            }],
        });
        let trust = trust.to_string();
        Document::parse(&trust, DocumentKind::Trust)?;
        let account = cx.account.as_str();
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        if entity::find(&mut conn, account, Kind::Role, &name)
            .await?
            .is_some()
        {
            return Err(invalid(format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            )));
        }
        self.check_count(&mut conn, account, Kind::Role).await?;
        let new = NewEntity {
            account,
            kind: Kind::Role,
            name: &name,
            path: &format!("{PATH}{service}/"),
            unique_id: &ids::unique_id(Kind::Role, &*self.0.entropy)?,
            boundary_arn: None,
            now: cx.now_ms(),
        };
        let created = entity::insert(&mut conn, new).await?;
        let row = Row {
            trust_policy: trust,
            description: input.description,
            max_session_seconds: SESSION_SECONDS,
            last_used: None,
        };
        role::insert(&mut conn, created.id, &row).await?;
        let policy = format!("{}{PATH}{}", managed::ARN_PREFIX, linked.policy);
        attachment::insert(&mut conn, created.id, &policy).await?;
        let role = self.bare_role(&mut conn, &created, &row).await?;
        commit(tx).await?;
        Ok(CreateServiceLinkedRoleResponse { role: Some(role) })
    }

    /// `DeleteServiceLinkedRole`. No service of Berth uses such a role, so the deletion is done when the
    /// task is answered.
    ///
    /// # Errors
    /// `NoSuchEntity`, also for a role that is not linked to a service.
    pub async fn delete_service_linked_role(
        &self,
        cx: &Authorized,
        input: DeleteServiceLinkedRoleRequest,
    ) -> Result<DeleteServiceLinkedRoleResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        if !is_linked(&found) {
            return Err(messages::not_found(Kind::Role, &input.role_name));
        }
        let uuid = ids::uuid(&*self.0.entropy)?;
        let deletion_task_id = format!("task{}{}/{uuid}", found.path, found.name);
        entity::delete(&mut conn, found.id).await?;
        let (account, now) = (cx.account.as_str(), cx.now_ms());
        let oldest = now - TASK_LIFETIME_MS;
        role_deletion::insert(&mut conn, account, &deletion_task_id, now, oldest).await?;
        commit(tx).await?;
        Ok(DeleteServiceLinkedRoleResponse { deletion_task_id })
    }

    /// `GetServiceLinkedRoleDeletionStatus`.
    ///
    /// # Errors
    /// `NoSuchEntity` for a task that the account does not have.
    pub async fn get_service_linked_role_deletion_status(
        &self,
        cx: &Authorized,
        input: GetServiceLinkedRoleDeletionStatusRequest,
    ) -> Result<GetServiceLinkedRoleDeletionStatusResponse, Error> {
        let id = input.deletion_task_id;
        let mut read = self.0.store.snapshot().await?;
        if !role_deletion::exists(&mut read.conn(), cx.account.as_str(), &id).await? {
            return Err(Error::new(
                ErrorCode::NoSuchEntity,
                format!("The deletion task {id} cannot be found."),
            ));
        }
        Ok(GetServiceLinkedRoleDeletionStatusResponse {
            status: DeletionTaskStatusType::Succeeded,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_of_the_table_exists() {
        for linked in LINKED {
            let arn = format!("{}{PATH}{}", managed::ARN_PREFIX, linked.policy);
            assert!(managed::find(&arn).is_some(), "{arn}");
            let name = format!("AWSServiceRoleFor{}", linked.role);
            assert!(name.len() <= 64, "{name}");
        }
        assert!(LINKED.is_sorted_by_key(|linked| linked.service));
    }
}
