//! Groups and their members.

use aws_api::iam::{
    AddUserToGroupRequest, CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest,
    GetGroupRequest, GetGroupResponse, ListGroupsForUserRequest, ListGroupsForUserResponse,
    ListGroupsRequest, ListGroupsResponse, RemoveUserFromGroupRequest, UpdateGroupRequest,
};
use store::iam::entity::{self, Entity, Kind};
use store::iam::{attachment, group, inline_policy};

use super::{Wanted, commit, get_existing, page_of, views};
use crate::paging::Page;
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity, messages};

impl Identity {
    /// `CreateGroup`.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create_group(
        &self,
        cx: &Authorized,
        input: CreateGroupRequest,
    ) -> Result<CreateGroupResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::Group,
            name: &input.group_name,
            path: input.path.as_deref(),
            boundary_arn: None,
            tags: None,
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        commit(tx).await?;
        Ok(CreateGroupResponse {
            group: views::group(&created),
        })
    }

    /// `GetGroup`: the group and its users.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_group(
        &self,
        cx: &Authorized,
        input: GetGroupRequest,
    ) -> Result<GetGroupResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = get_existing(&mut conn, cx, Kind::Group, &input.group_name).await?;
        let rows = group::members(&mut conn, found.id, &page.after, page.rows()).await?;
        let cut = page.cut(rows, Entity::folded_name);
        Ok(GetGroupResponse {
            group: views::group(&found),
            users: cut.items.iter().map(views::user).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `ListGroups`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_groups(
        &self,
        cx: &Authorized,
        input: ListGroupsRequest,
    ) -> Result<ListGroupsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let prefix = input.path_prefix.as_deref();
        let cut = page_of(&mut read.conn(), cx, Kind::Group, prefix, &page).await?;
        Ok(ListGroupsResponse {
            groups: cut.items.iter().map(views::group).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateGroup`: another name or path, the same unique id.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub async fn update_group(
        &self,
        cx: &Authorized,
        input: UpdateGroupRequest,
    ) -> Result<(), Error> {
        self.rename_entity(
            cx,
            Kind::Group,
            &input.group_name,
            input.new_group_name.as_deref(),
            input.new_path.as_deref(),
        )
        .await
    }

    /// `DeleteGroup`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while users or policies are left.
    pub async fn delete_group(
        &self,
        cx: &Authorized,
        input: DeleteGroupRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = get_existing(&mut conn, cx, Kind::Group, &input.group_name).await?;
        if !group::members(&mut conn, found.id, "", 1).await?.is_empty() {
            return Err(messages::must_first("remove users from group"));
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

    /// `AddUserToGroup`; a member stays one.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn add_user_to_group(
        &self,
        cx: &Authorized,
        input: AddUserToGroupRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        // Where both are missing AWS names the user.
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let found = get_existing(&mut conn, cx, Kind::Group, &input.group_name).await?;
        let (account, quota) = (cx.account.as_str(), Quota::GroupsPerUser);
        let max = self.quota(&mut conn, account, quota).await?;
        let added = group::add_member(&mut conn, found.id, user.id).await?;
        let count = group::of_user(&mut conn, user.id).await?.len();
        if added && i64::try_from(count).unwrap_or(i64::MAX) > max {
            return Err(messages::quota(quota.name(), max));
        }
        commit(tx).await
    }

    /// `RemoveUserFromGroup`; one who is no member is left out already.
    ///
    /// # Errors
    /// `NoSuchEntity` for the group or the user.
    pub async fn remove_user_from_group(
        &self,
        cx: &Authorized,
        input: RemoveUserFromGroupRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        // Where both are missing AWS names the user.
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let found = get_existing(&mut conn, cx, Kind::Group, &input.group_name).await?;
        group::remove_member(&mut conn, found.id, user.id).await?;
        commit(tx).await
    }

    /// `ListGroupsForUser`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_groups_for_user(
        &self,
        cx: &Authorized,
        input: ListGroupsForUserRequest,
    ) -> Result<ListGroupsForUserResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let groups = group::of_user(&mut conn, user.id).await?;
        let cut = page.of(groups, Entity::folded_name);
        Ok(ListGroupsForUserResponse {
            groups: cut.items.iter().map(views::group).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }
}
