//! Users.

use aws_api::CommonError;
use std::collections::HashMap;

use aws_api::iam::{
    CreateUserRequest, CreateUserResponse, DeleteUserRequest, GetUserRequest, GetUserResponse,
    ListUsersRequest, ListUsersResponse, UpdateUserRequest, User,
};
use store::iam::entity::{self, Entity, Kind};
use store::iam::{
    access_key, account, attachment, group, inline_policy, login_profile, mfa_device,
    service_credential, signing_certificate, ssh_public_key,
};

use super::{Wanted, commit, get_existing, page_of, time, views};
use crate::paging::Page;
use crate::{Authorized, CallerKind, Error, Identity, messages};

impl Identity {
    /// `CreateUser`.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `NoSuchEntity` for the boundary.
    pub async fn create_user(
        &self,
        cx: &Authorized,
        input: CreateUserRequest,
    ) -> Result<CreateUserResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::User,
            name: &input.user_name,
            path: input.path.as_deref(),
            boundary_arn: input.permissions_boundary.as_deref(),
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        let user = User {
            permissions_boundary: views::boundary(&created),
            tags: input.tags.filter(|tags| !tags.is_empty()),
            ..views::user(&created)
        };
        commit(tx).await?;
        Ok(CreateUserResponse { user: Some(user) })
    }

    /// `GetUser`; without a name, the caller.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` without a name for a caller that is no user.
    pub async fn get_user(
        &self,
        cx: &Authorized,
        input: GetUserRequest,
    ) -> Result<GetUserResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        if input.user_name.is_none() && cx.caller.kind == CallerKind::Root {
            let account = account::find(&mut conn, cx.account.as_str()).await?;
            let created_at = account.map_or(0, |account| account.created_at);
            return Ok(GetUserResponse {
                user: User {
                    user_id: cx.account.to_string(),
                    arn: cx.caller.arn.to_string(),
                    create_date: time(created_at),
                    ..User::default()
                },
            });
        }
        let name = user_or_caller(cx, input.user_name)?;
        let found = get_existing(&mut conn, cx, Kind::User, &name).await?;
        Ok(GetUserResponse {
            user: detail(&mut conn, &found).await?,
        })
    }

    /// `ListUsers`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_users(
        &self,
        cx: &Authorized,
        input: ListUsersRequest,
    ) -> Result<ListUsersResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let prefix = input.path_prefix.as_deref();
        let mut conn = read.conn();
        let cut = page_of(&mut conn, cx, Kind::User, prefix, &page).await?;
        let used = login_profile::last_used(&mut conn, cx.account.as_str()).await?;
        let used: HashMap<i64, i64> = used.into_iter().collect();
        let shown = |user: &Entity| User {
            password_last_used: used.get(&user.id).copied().map(time),
            ..views::user(user)
        };
        Ok(ListUsersResponse {
            users: cut.items.iter().map(shown).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateUser`: another name or path, the same unique id.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub async fn update_user(
        &self,
        cx: &Authorized,
        input: UpdateUserRequest,
    ) -> Result<(), Error> {
        self.rename_entity(
            cx,
            Kind::User,
            &input.user_name,
            input.new_user_name.as_deref(),
            input.new_path.as_deref(),
        )
        .await
    }

    /// `DeleteUser`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while policies, keys, passwords, MFA devices,
    /// service-specific credentials, certificates, SSH keys or groups are left.
    pub async fn delete_user(
        &self,
        cx: &Authorized,
        input: DeleteUserRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        if !access_key::list_of_user(&mut conn, user.id)
            .await?
            .is_empty()
        {
            return Err(messages::must_first("delete access keys"));
        }
        if !attachment::list(&mut conn, user.id).await?.is_empty() {
            return Err(messages::must_first("detach all policies"));
        }
        if !inline_policy::list(&mut conn, user.id).await?.is_empty() {
            return Err(messages::must_first("delete policies"));
        }
        if !group::of_user(&mut conn, user.id).await?.is_empty() {
            return Err(messages::must_first("remove users from group"));
        }
        if login_profile::find(&mut conn, user.id).await?.is_some() {
            return Err(messages::must_first("delete login profile"));
        }
        if !service_credential::list_of_user(&mut conn, user.id)
            .await?
            .is_empty()
        {
            return Err(messages::must_first("remove referenced objects"));
        }
        if !signing_certificate::list_of_user(&mut conn, user.id)
            .await?
            .is_empty()
        {
            return Err(messages::must_first("delete certificates"));
        }
        if !ssh_public_key::list_of_user(&mut conn, user.id)
            .await?
            .is_empty()
        {
            return Err(messages::must_first("remove referenced objects"));
        }
        let account = cx.account.as_str();
        if !mfa_device::list_of(&mut conn, account, Some(user.id))
            .await?
            .is_empty()
        {
            return Err(messages::must_first("delete MFA device"));
        }
        entity::delete(&mut conn, user.id).await?;
        commit(tx).await
    }
}

/// A user with boundary and tags, as `GetUser` shows it.
async fn detail(conn: &mut store::Conn<'_>, entity: &Entity) -> Result<User, Error> {
    let password = login_profile::find(conn, entity.id).await?;
    Ok(User {
        password_last_used: password
            .and_then(|password| password.last_used_at)
            .map(time),
        permissions_boundary: views::boundary(entity),
        tags: views::tags(conn, entity.id).await?,
        ..views::user(entity)
    })
}

/// The user that an operation is about: the one that is named, or the caller.
pub(super) fn user_or_caller(cx: &Authorized, name: Option<String>) -> Result<String, Error> {
    match (name, &cx.caller.kind) {
        (Some(name), _) => Ok(name),
        (None, CallerKind::User { name, .. }) => Ok(name.clone()),
        (None, _) => Err(Error::new(
            CommonError::Validation,
            "Must specify userName when calling with non-User credentials".to_owned(),
        )),
    }
}
