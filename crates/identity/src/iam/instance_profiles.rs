//! Instance profiles: the role of a host.

use aws_api::iam::{
    AddRoleToInstanceProfileRequest, CreateInstanceProfileRequest, CreateInstanceProfileResponse,
    DeleteInstanceProfileRequest, GetInstanceProfileRequest, GetInstanceProfileResponse,
    InstanceProfile, ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
    ListInstanceProfilesRequest, ListInstanceProfilesResponse,
    RemoveRoleFromInstanceProfileRequest,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::instance_profile;

use super::{Wanted, commit, get_existing, page_of, views};
use crate::paging::Page;
use crate::{Authorized, Error, Identity, messages};

/// A profile has one role: this quota cannot be raised (UG reference_iam-quotas).
const ROLES_PER_PROFILE_MAX: i64 = 1;

impl Identity {
    /// `CreateInstanceProfile`.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create_instance_profile(
        &self,
        cx: &Authorized,
        input: CreateInstanceProfileRequest,
    ) -> Result<CreateInstanceProfileResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::InstanceProfile,
            name: &input.instance_profile_name,
            path: input.path.as_deref(),
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        let shown = InstanceProfile {
            tags: input.tags.filter(|tags| !tags.is_empty()),
            ..self.profile(&mut conn, &created).await?
        };
        commit(tx).await?;
        Ok(CreateInstanceProfileResponse {
            instance_profile: shown,
        })
    }

    /// `GetInstanceProfile`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_instance_profile(
        &self,
        cx: &Authorized,
        input: GetInstanceProfileRequest,
    ) -> Result<GetInstanceProfileResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let name = &input.instance_profile_name;
        let found = get_existing(&mut conn, cx, Kind::InstanceProfile, name).await?;
        let tags = views::tags(&mut conn, found.id).await?;
        Ok(GetInstanceProfileResponse {
            instance_profile: InstanceProfile {
                // Here AWS sends the list also when it is empty.
                tags: Some(tags.unwrap_or_default()),
                ..self.profile(&mut conn, &found).await?
            },
        })
    }

    /// `ListInstanceProfiles`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_instance_profiles(
        &self,
        cx: &Authorized,
        input: ListInstanceProfilesRequest,
    ) -> Result<ListInstanceProfilesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let prefix = input.path_prefix.as_deref();
        let cut = page_of(&mut conn, cx, Kind::InstanceProfile, prefix, &page).await?;
        Ok(ListInstanceProfilesResponse {
            instance_profiles: self.profiles(&mut conn, &cut.items).await?,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    async fn profiles(
        &self,
        conn: &mut Conn<'_>,
        entities: &[Entity],
    ) -> Result<Vec<InstanceProfile>, Error> {
        let mut profiles = Vec::with_capacity(entities.len());
        for entity in entities {
            profiles.push(self.profile(conn, entity).await?);
        }
        Ok(profiles)
    }

    /// `ListInstanceProfilesForRole`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_instance_profiles_for_role(
        &self,
        cx: &Authorized,
        input: ListInstanceProfilesForRoleRequest,
    ) -> Result<ListInstanceProfilesForRoleResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let role = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        let rows = instance_profile::of_role(&mut conn, role.id, &page.after, page.rows()).await?;
        let cut = page.cut(rows, Entity::folded_name);
        Ok(ListInstanceProfilesForRoleResponse {
            instance_profiles: self.profiles(&mut conn, &cut.items).await?,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `AddRoleToInstanceProfile`. Who may pass the role was decided before.
    ///
    /// # Errors
    /// `NoSuchEntity`; `LimitExceeded` when the profile has a role.
    pub async fn add_role_to_instance_profile(
        &self,
        cx: &Authorized,
        input: AddRoleToInstanceProfileRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = &input.instance_profile_name;
        let profile = get_existing(&mut conn, cx, Kind::InstanceProfile, name).await?;
        let role = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        if instance_profile::role(&mut conn, profile.id)
            .await?
            .is_some()
        {
            return Err(messages::quota(
                "InstanceSessionsPerInstanceProfile",
                ROLES_PER_PROFILE_MAX,
            ));
        }
        instance_profile::set_role(&mut conn, profile.id, role.id).await?;
        commit(tx).await
    }

    /// `RemoveRoleFromInstanceProfile`.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the profile does not hold the role.
    pub async fn remove_role_from_instance_profile(
        &self,
        cx: &Authorized,
        input: RemoveRoleFromInstanceProfileRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = &input.instance_profile_name;
        let profile = get_existing(&mut conn, cx, Kind::InstanceProfile, name).await?;
        let role = get_existing(&mut conn, cx, Kind::Role, &input.role_name).await?;
        if !instance_profile::remove_role(&mut conn, profile.id, role.id).await? {
            return Err(messages::role_not_in_profile(&role.name, &profile.name));
        }
        commit(tx).await
    }

    /// `DeleteInstanceProfile`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while it holds a role.
    pub async fn delete_instance_profile(
        &self,
        cx: &Authorized,
        input: DeleteInstanceProfileRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = &input.instance_profile_name;
        let profile = get_existing(&mut conn, cx, Kind::InstanceProfile, name).await?;
        if instance_profile::role(&mut conn, profile.id)
            .await?
            .is_some()
        {
            return Err(messages::must_first("remove roles from instance profile"));
        }
        entity::delete(&mut conn, profile.id).await?;
        commit(tx).await
    }
}
