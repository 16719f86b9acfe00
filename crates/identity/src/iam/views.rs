//! Rows as the API shows them.

use aws_api::iam::{
    AttachedPermissionsBoundary, Group, InstanceProfile, PermissionsBoundaryAttachmentType, Role,
    RoleLastUsed, Tag, User,
};
use policy::{Document, DocumentKind};
use store::Conn;
use store::iam::entity::Entity;
use store::iam::{instance_profile, role, tag};

use super::time;
use crate::pinning::unpin;
use crate::policy_cache::encode;
use crate::{Error, Identity};

pub(super) fn boundary(entity: &Entity) -> Option<AttachedPermissionsBoundary> {
    let arn = entity.boundary_arn.clone()?;
    Some(AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachmentType::default()),
        permissions_boundary_arn: Some(arn),
    })
}

pub(super) fn user(entity: &Entity) -> User {
    User {
        path: entity.path.clone(),
        user_name: entity.name.clone(),
        user_id: entity.unique_id.clone(),
        arn: entity.arn(),
        create_date: time(entity.created_at),
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

pub(super) fn group(entity: &Entity) -> Group {
    Group {
        path: entity.path.clone(),
        group_name: entity.name.clone(),
        group_id: entity.unique_id.clone(),
        arn: entity.arn(),
        create_date: time(entity.created_at),
    }
}

/// Tags in the form of the API; `None` when there are none. Some operations of AWS then send an empty
/// list and some send none; the callers know which.
pub(super) async fn tags(conn: &mut Conn<'_>, entity: i64) -> Result<Option<Vec<Tag>>, Error> {
    let tags = tag::list(conn, entity).await?;
    let tags: Vec<Tag> = tags
        .into_iter()
        .map(|tag| Tag {
            key: tag.key,
            value: tag.value,
        })
        .collect();
    Ok((!tags.is_empty()).then_some(tags))
}

impl Identity {
    /// A role as instance profiles and `CreateRole` show it: its six first members.
    pub(super) async fn bare_role(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
        row: &role::Role,
    ) -> Result<Role, Error> {
        Ok(Role {
            path: entity.path.clone(),
            role_name: entity.name.clone(),
            role_id: entity.unique_id.clone(),
            arn: entity.arn(),
            create_date: time(entity.created_at),
            assume_role_policy_document: Some(self.shown_trust(conn, &row.trust_policy).await?),
            ..Role::default()
        })
    }

    /// A role as lists show it: without boundary, tags and last use.
    pub(super) async fn role(&self, conn: &mut Conn<'_>, entity: &Entity) -> Result<Role, Error> {
        let row = role::get(conn, entity.id).await?;
        Ok(Role {
            max_session_duration: i32::try_from(row.max_session_seconds).ok(),
            description: row.description.clone(),
            ..self.bare_role(conn, entity, &row).await?
        })
    }

    /// A role as `GetRole` shows it.
    pub(super) async fn role_detail(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
    ) -> Result<Role, Error> {
        let stored = role::get(conn, entity.id).await?.last_used;
        let noted = self.0.last_used.of_role(&entity.unique_id);
        let last_used = noted.map(|note| (note.at, note.region)).or(stored);
        Ok(Role {
            permissions_boundary: boundary(entity),
            tags: tags(conn, entity.id).await?,
            role_last_used: Some(RoleLastUsed {
                last_used_date: last_used.as_ref().map(|used| time(used.0)),
                region: last_used.map(|used| used.1),
            }),
            ..self.role(conn, entity).await?
        })
    }

    /// A stored trust policy as the API shows it.
    pub(super) async fn shown_trust(
        &self,
        conn: &mut Conn<'_>,
        text: &str,
    ) -> Result<String, Error> {
        let document =
            Document::parse_language(text, DocumentKind::Trust).map_err(Error::internal)?;
        Ok(encode(&unpin(conn, &document).await?))
    }

    pub(super) async fn profile(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
    ) -> Result<InstanceProfile, Error> {
        let roles = match instance_profile::role(conn, entity.id).await? {
            Some(role) => {
                let row = role::get(conn, role.id).await?;
                vec![self.bare_role(conn, &role, &row).await?]
            }
            None => Vec::new(),
        };
        Ok(InstanceProfile {
            path: entity.path.clone(),
            instance_profile_name: entity.name.clone(),
            instance_profile_id: entity.unique_id.clone(),
            arn: entity.arn(),
            create_date: time(entity.created_at),
            roles,
            tags: None,
        })
    }
}
