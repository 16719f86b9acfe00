//! Roles and their trust policies.

use aws_api::iam::{
    CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, GetRoleRequest, GetRoleResponse,
    ListRolesRequest, ListRolesResponse, Role, UpdateAssumeRolePolicyRequest,
    UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse, UpdateRoleRequest,
    UpdateRoleResponse,
};
use policy::{Document, DocumentKind};
use store::iam::entity::{self, Kind};
use store::iam::role::{self, Role as Row};
use store::iam::{attachment, inline_policy, instance_profile};

use super::service_linked_roles::check_modifiable;
use super::{Wanted, commit, get_existing, page_of, views};
use crate::paging::Page;
use crate::pinning::pin;
use crate::{Authorized, Error, Identity, messages};

/// `MaxSessionDuration` where a request names none (CreateRole).
const SESSION_SECONDS_DEFAULT: i64 = 3600;

impl Identity {
    /// `CreateRole`. The users and roles that the trust policy names are pinned to their
    /// unique ids, so they must exist.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `MalformedPolicyDocument`.
    pub async fn create_role(
        &self,
        cx: &Authorized,
        input: CreateRoleRequest,
    ) -> Result<CreateRoleResponse, Error> {
        let trust = Document::parse(&input.assume_role_policy_document, DocumentKind::Trust)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::Role,
            name: &input.role_name,
            path: input.path.as_deref(),
            boundary_arn: input.permissions_boundary.as_deref(),
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        let row = Row {
            trust_policy: pin(&mut conn, &trust).await?,
            description: input.description,
            max_session_seconds: input
                .max_session_duration
                .map_or(SESSION_SECONDS_DEFAULT, i64::from),
            last_used: None,
        };
        role::insert(&mut conn, created.id, &row).await?;
        let shown = Role {
            permissions_boundary: views::boundary(&created),
            tags: input.tags.filter(|tags| !tags.is_empty()),
            ..self.bare_role(&mut conn, &created, &row).await?
        };
        commit(tx).await?;
        Ok(CreateRoleResponse { role: shown })
    }

    /// `GetRole`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_role(
        &self,
        cx: &Authorized,
        input: GetRoleRequest,
    ) -> Result<GetRoleResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        Ok(GetRoleResponse {
            role: self.role_detail(&mut conn, &found).await?,
        })
    }

    /// `ListRoles`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_roles(
        &self,
        cx: &Authorized,
        input: ListRolesRequest,
    ) -> Result<ListRolesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let prefix = input.path_prefix.as_deref();
        let cut = page_of(&mut conn, cx, Kind::Role, prefix, &page).await?;
        let mut roles = Vec::with_capacity(cut.items.len());
        for found in &cut.items {
            roles.push(self.role(&mut conn, found).await?);
        }
        Ok(ListRolesResponse {
            roles,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateRole`: description and session duration, each where it is given.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn update_role(
        &self,
        cx: &Authorized,
        input: UpdateRoleRequest,
    ) -> Result<UpdateRoleResponse, Error> {
        let seconds = input.max_session_duration.map(i64::from);
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        if input.max_session_duration.is_some() {
            // A description of one's own is allowed (UG using-service-linked-roles).
            check_modifiable(&found)?;
        }
        let row = role::get(&mut conn, found.id).await?;
        let description = input.description.or(row.description);
        let seconds = seconds.unwrap_or(row.max_session_seconds);
        role::update(&mut conn, found.id, description.as_deref(), seconds).await?;
        commit(tx).await?;
        Ok(UpdateRoleResponse::default())
    }

    /// `UpdateRoleDescription`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn update_role_description(
        &self,
        cx: &Authorized,
        input: UpdateRoleDescriptionRequest,
    ) -> Result<UpdateRoleDescriptionResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        let row = role::get(&mut conn, found.id).await?;
        let (description, seconds) = (input.description, row.max_session_seconds);
        role::update(&mut conn, found.id, Some(&description), seconds).await?;
        let shown = Role {
            description: Some(description),
            ..self.bare_role(&mut conn, &found, &row).await?
        };
        commit(tx).await?;
        Ok(UpdateRoleDescriptionResponse { role: Some(shown) })
    }

    /// `UpdateAssumeRolePolicy`: another trust policy.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    pub async fn update_assume_role_policy(
        &self,
        cx: &Authorized,
        input: UpdateAssumeRolePolicyRequest,
    ) -> Result<(), Error> {
        let trust = Document::parse(&input.policy_document, DocumentKind::Trust)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        check_modifiable(&found)?;
        let pinned = pin(&mut conn, &trust).await?;
        role::set_trust_policy(&mut conn, found.id, &pinned).await?;
        commit(tx).await
    }

    /// `DeleteRole`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while policies or instance profiles are left.
    pub async fn delete_role(
        &self,
        cx: &Authorized,
        input: DeleteRoleRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        check_modifiable(&found)?;
        if !instance_profile::of_role(&mut conn, found.id, "", 1)
            .await?
            .is_empty()
        {
            return Err(messages::must_first("remove roles from instance profile"));
        }
        if !attachment::list(&mut conn, found.id).await?.is_empty() {
            return Err(messages::must_first("detach all policies"));
        }
        if !inline_policy::list(&mut conn, found.id).await?.is_empty() {
            return Err(messages::must_first("delete policies"));
        }
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }
}
