//! Managed policies attached to users, groups and roles.

use aws_api::iam::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, AttachedPolicy,
    DetachGroupPolicyRequest, DetachRolePolicyRequest, DetachUserPolicyRequest, EntityType,
    ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse,
    ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, PolicyGroup, PolicyRole,
    PolicyUsageType, PolicyUser,
};
use store::Conn;
use store::iam::attachment;
use store::iam::entity::{Entity, Kind};

use super::service_linked_roles::check_modifiable;
use super::{commit, get_existing};
use crate::paging::{Cut, Page};
use crate::policy_cache::ManagedPolicyRef;
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity, messages};

/// The three kinds that hold policies, each with its own operations in the API.
macro_rules! holders {
    ($($kind:ident $quota:ident $name:ident:
       $attach:ident($attach_request:ident) $detach:ident($detach_request:ident)
       $list:ident($list_request:ident) -> $list_response:ident;)*) => {
        impl Identity {$(
            #[doc = concat!("`Attach", stringify!($kind), "Policy`; one that is attached stays so.")]
            ///
            /// # Errors
            /// `NoSuchEntity`, `LimitExceeded`.
            pub async fn $attach(&self, cx: &Authorized, input: $attach_request) -> Result<(), Error> {
                self.attach(cx, Kind::$kind, &input.$name, &input.policy_arn, Quota::$quota).await
            }

            #[doc = concat!("`Detach", stringify!($kind), "Policy`.")]
            ///
            /// # Errors
            /// `NoSuchEntity`, also when it is not attached.
            pub async fn $detach(&self, cx: &Authorized, input: $detach_request) -> Result<(), Error> {
                self.detach(cx, Kind::$kind, &input.$name, &input.policy_arn).await
            }

            #[doc = concat!("`ListAttached", stringify!($kind), "Policies`.")]
            ///
            /// # Errors
            /// `NoSuchEntity`.
            pub async fn $list(&self, cx: &Authorized, input: $list_request) -> Result<$list_response, Error> {
                let page = Page::new(input.max_items, input.marker.as_deref())?;
                let prefix = input.path_prefix.as_deref();
                let cut = self.attached(cx, Kind::$kind, &input.$name, prefix, &page).await?;
                Ok($list_response {
                    attached_policies: Some(cut.items),
                    is_truncated: cut.is_truncated,
                    marker: cut.marker,
                })
            }
        )*}
    };
}

holders! {
    User PoliciesPerUser user_name:
        attach_user_policy(AttachUserPolicyRequest) detach_user_policy(DetachUserPolicyRequest)
        list_attached_user_policies(ListAttachedUserPoliciesRequest) -> ListAttachedUserPoliciesResponse;
    Group PoliciesPerGroup group_name:
        attach_group_policy(AttachGroupPolicyRequest) detach_group_policy(DetachGroupPolicyRequest)
        list_attached_group_policies(ListAttachedGroupPoliciesRequest) -> ListAttachedGroupPoliciesResponse;
    Role PoliciesPerRole role_name:
        attach_role_policy(AttachRolePolicyRequest) detach_role_policy(DetachRolePolicyRequest)
        list_attached_role_policies(ListAttachedRolePoliciesRequest) -> ListAttachedRolePoliciesResponse;
}

/// The path of a managed policy's ARN: `/` or `/team/`.
fn path_of(arn: &str) -> &str {
    let path_and_name = arn.split_once(":policy").map_or(arn, |(_, rest)| rest);
    let end = path_and_name.rfind('/').map_or(0, |slash| slash + 1);
    &path_and_name[..end]
}

/// The attached policies of an entity.
pub(super) async fn attached_policies(
    conn: &mut Conn<'_>,
    entity: &Entity,
) -> Result<Vec<AttachedPolicy>, Error> {
    let arns = attachment::list(conn, entity.id).await?;
    let policy = |arn: String| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(str::to_owned),
        policy_arn: Some(arn),
    };
    Ok(arns.into_iter().map(policy).collect())
}

impl Identity {
    async fn attach(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        arn: &str,
        quota: Quota,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        check_modifiable(&holder)?;
        let account = cx.account.as_str();
        let policy = self.0.policies.attachable(&mut conn, account, arn).await?;
        if let ManagedPolicyRef::Aws(policy) = policy
            && policy.is_service_linked()
        {
            return Err(messages::service_linked_policy(kind));
        }
        let max = self.quota(&mut conn, account, quota).await?;
        let added = attachment::insert(&mut conn, holder.id, arn).await?;
        let count = attachment::list(&mut conn, holder.id).await?.len();
        if added && i64::try_from(count).unwrap_or(i64::MAX) > max {
            return Err(messages::quota(quota.name(), max));
        }
        commit(tx).await
    }

    async fn detach(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        arn: &str,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        check_modifiable(&holder)?;
        if !attachment::delete(&mut conn, holder.id, arn).await? {
            return Err(messages::policy_not_found(arn));
        }
        commit(tx).await
    }

    async fn attached(
        &self,
        cx: &Authorized,
        kind: Kind,
        name: &str,
        path_prefix: Option<&str>,
        page: &Page,
    ) -> Result<Cut<AttachedPolicy>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let holder = get_existing(&mut conn, cx, kind, name).await?;
        let mut policies = attached_policies(&mut conn, &holder).await?;
        if let Some(prefix) = path_prefix {
            policies.retain(|policy| {
                let arn = policy.policy_arn.as_deref().unwrap_or_default();
                path_of(arn).starts_with(prefix)
            });
        }
        // Two policies may share a name, a customer's and AWS's: the ARN tells them apart.
        let key = |policy: &AttachedPolicy| {
            let name = policy.policy_name.as_deref().unwrap_or_default();
            let arn = policy.policy_arn.as_deref().unwrap_or_default();
            format!("{} {arn}", name.to_ascii_lowercase())
        };
        Ok(page.of(policies, key))
    }

    /// `ListEntitiesForPolicy`: whom it is attached to, and whose boundary it is.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_entities_for_policy(
        &self,
        cx: &Authorized,
        input: ListEntitiesForPolicyRequest,
    ) -> Result<ListEntitiesForPolicyResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let (account, arn) = (cx.account.as_str(), input.policy_arn.as_str());
        let found = self.0.policies.find_in(&mut conn, account, arn).await?;
        // Recorded in LocalStack's `test_list_entities_for_policy_errors`.
        found.ok_or_else(|| messages::policy_not_attachable(arn))?;

        let after = page.after_number()?;
        let limit = page.rows();
        let wanted = |usage| {
            input
                .policy_usage_filter
                .is_none_or(|filter| filter == usage)
        };
        let mut holders = Vec::new();
        if wanted(PolicyUsageType::PermissionsPolicy) {
            holders.extend(attachment::entities(&mut conn, account, arn, after, limit).await?);
        }
        if wanted(PolicyUsageType::PermissionsBoundary) {
            let bounded =
                attachment::bounded_entities(&mut conn, account, arn, after, limit).await?;
            holders.extend(bounded);
        }
        holders.sort_by_key(|holder| holder.id);
        holders.dedup_by_key(|holder| holder.id);
        let cut = page.cut(holders, |holder| holder.id.to_string());

        let mut response = ListEntitiesForPolicyResponse {
            policy_groups: Some(Vec::new()),
            policy_users: Some(Vec::new()),
            policy_roles: Some(Vec::new()),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        };
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        for holder in cut.items {
            if !holder.path.starts_with(prefix) {
                continue;
            }
            let (name, id) = (Some(holder.name), Some(holder.unique_id));
            match (holder.kind, input.entity_filter) {
                (Kind::User, None | Some(EntityType::User)) => {
                    let users = response.policy_users.get_or_insert_default();
                    users.push(PolicyUser {
                        user_name: name,
                        user_id: id,
                    });
                }
                (Kind::Group, None | Some(EntityType::Group)) => {
                    let groups = response.policy_groups.get_or_insert_default();
                    groups.push(PolicyGroup {
                        group_name: name,
                        group_id: id,
                    });
                }
                (Kind::Role, None | Some(EntityType::Role)) => {
                    let roles = response.policy_roles.get_or_insert_default();
                    roles.push(PolicyRole {
                        role_name: name,
                        role_id: id,
                    });
                }
                _ => {}
            }
        }
        Ok(response)
    }
}
