//! `GetAccountAuthorizationDetails`: all data that the decisions of an account depend on.

use aws_api::iam::{
    EntityType, GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse,
    GroupDetail, ManagedPolicyDetail, Policy, PolicyDetail, PolicyVersion, RoleDetail, UserDetail,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{attachment, group, inline_policy, instance_profile, managed_policy};

use super::attachments::attached_policies;
use super::managed_policies::{aws_policy, customer_policy};
use super::policy_versions::{aws_version_detail, listed};
use super::views;
use crate::managed;
use crate::paging::Page;
use crate::policy_cache::encode;
use crate::{Authorized, Error, Identity};

/// Instance profiles of one role that are shown.
const PROFILES_MAX: i64 = 1000;

impl Identity {
    /// `GetAccountAuthorizationDetails`. AWS's managed policies stand on the first page,
    /// those that the account uses.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn get_account_authorization_details(
        &self,
        cx: &Authorized,
        input: GetAccountAuthorizationDetailsRequest,
    ) -> Result<GetAccountAuthorizationDetailsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let wanted = |kind| {
            let filter = input.filter.as_deref().unwrap_or_default();
            filter.is_empty() || filter.contains(&kind)
        };
        let kinds: Vec<Kind> = [
            (EntityType::User, Kind::User),
            (EntityType::Group, Kind::Group),
            (EntityType::Role, Kind::Role),
            (EntityType::LocalManagedPolicy, Kind::Policy),
        ]
        .into_iter()
        .filter(|(filter, _)| wanted(*filter))
        .map(|(_, kind)| kind)
        .collect();

        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let account = cx.account.as_str();
        let rows =
            entity::list_kinds(conn, account, &kinds, page.after_number()?, page.rows()).await?;
        let cut = page.cut(rows, |entity| entity.id.to_string());

        let (mut users, mut groups) = (Vec::new(), Vec::new());
        let (mut roles, mut policies) = (Vec::new(), Vec::new());
        for entity in &cut.items {
            match entity.kind {
                Kind::User => users.push(user(conn, entity).await?),
                Kind::Group => groups.push(group_detail(conn, entity).await?),
                Kind::Role => roles.push(self.role_with_policies(conn, entity).await?),
                Kind::Policy => policies.push(policy_detail(conn, entity).await?),
                // Not asked for above.
                Kind::InstanceProfile
                | Kind::OidcProvider
                | Kind::SamlProvider
                | Kind::MfaDevice
                | Kind::ServerCertificate => {}
            }
        }
        if input.marker.is_none() && wanted(EntityType::AwsManagedPolicy) {
            for usage in attachment::usage(conn, account, managed::ARN_PREFIX).await? {
                if let Some(aws) = managed::find(&usage.policy_arn) {
                    let version = aws_version_detail(aws)?;
                    policies.push(detail(aws_policy(aws, &usage), vec![version]));
                }
            }
        }
        Ok(GetAccountAuthorizationDetailsResponse {
            user_detail_list: Some(users),
            group_detail_list: Some(groups),
            role_detail_list: Some(roles),
            policies: Some(policies),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    async fn role_with_policies(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
    ) -> Result<RoleDetail, Error> {
        let role = self.role_detail(conn, entity).await?;
        let mut profiles = Vec::new();
        for profile in instance_profile::of_role(conn, entity.id, "", PROFILES_MAX).await? {
            profiles.push(self.profile(conn, &profile).await?);
        }
        Ok(RoleDetail {
            path: Some(role.path),
            role_name: Some(role.role_name),
            role_id: Some(role.role_id),
            arn: Some(role.arn),
            create_date: Some(role.create_date),
            assume_role_policy_document: role.assume_role_policy_document,
            instance_profile_list: Some(profiles),
            role_policy_list: Some(inline(conn, entity).await?),
            attached_managed_policies: Some(attached_policies(conn, entity).await?),
            permissions_boundary: role.permissions_boundary,
            // Here AWS sends the list also when it is empty.
            tags: Some(role.tags.unwrap_or_default()),
            role_last_used: role.role_last_used,
        })
    }
}

async fn inline(conn: &mut Conn<'_>, entity: &Entity) -> Result<Vec<PolicyDetail>, Error> {
    let policies = inline_policy::list(conn, entity.id).await?;
    let detail = |policy: inline_policy::InlinePolicy| PolicyDetail {
        policy_document: Some(encode(&policy.document)),
        policy_name: Some(policy.name),
    };
    Ok(policies.into_iter().map(detail).collect())
}

async fn user(conn: &mut Conn<'_>, entity: &Entity) -> Result<UserDetail, Error> {
    let shown = views::user(entity);
    let groups = group::of_user(conn, entity.id).await?;
    let policies = inline(conn, entity).await?;
    Ok(UserDetail {
        path: Some(shown.path),
        user_name: Some(shown.user_name),
        user_id: Some(shown.user_id),
        arn: Some(shown.arn),
        create_date: Some(shown.create_date),
        // Of the lists this is the one that AWS leaves out when it is empty.
        user_policy_list: (!policies.is_empty()).then_some(policies),
        group_list: Some(groups.into_iter().map(|group| group.name).collect()),
        attached_managed_policies: Some(attached_policies(conn, entity).await?),
        permissions_boundary: views::boundary(entity),
        tags: Some(views::tags(conn, entity.id).await?.unwrap_or_default()),
    })
}

async fn group_detail(conn: &mut Conn<'_>, entity: &Entity) -> Result<GroupDetail, Error> {
    let shown = views::group(entity);
    Ok(GroupDetail {
        path: Some(shown.path),
        group_name: Some(shown.group_name),
        group_id: Some(shown.group_id),
        arn: Some(shown.arn),
        create_date: Some(shown.create_date),
        group_policy_list: Some(inline(conn, entity).await?),
        attached_managed_policies: Some(attached_policies(conn, entity).await?),
    })
}

async fn policy_detail(conn: &mut Conn<'_>, entity: &Entity) -> Result<ManagedPolicyDetail, Error> {
    let row = managed_policy::get(conn, entity.id).await?;
    let versions = managed_policy::list_versions(conn, entity.id).await?;
    let versions = versions.iter().map(|version| PolicyVersion {
        document: Some(encode(&version.document)),
        ..listed(version, row.default_version)
    });
    let mut shown = customer_policy(conn, entity).await?;
    shown.description = row.description;
    Ok(detail(shown, versions.collect()))
}

fn detail(policy: Policy, versions: Vec<PolicyVersion>) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_name: policy.policy_name,
        policy_id: policy.policy_id,
        arn: policy.arn,
        path: policy.path,
        default_version_id: policy.default_version_id,
        attachment_count: policy.attachment_count,
        permissions_boundary_usage_count: policy.permissions_boundary_usage_count,
        is_attachable: policy.is_attachable,
        description: policy.description,
        create_date: policy.create_date,
        update_date: policy.update_date,
        policy_version_list: Some(versions),
    }
}
