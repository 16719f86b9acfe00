//! Managed policies: the customers' and AWS's.

use aws_api::CommonError;
use aws_api::iam::ErrorCode;
use aws_api::iam::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, GetPolicyRequest,
    GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse, Policy, PolicyScopeType,
    PolicyUsageType,
};
use policy::{Document, DocumentKind};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{attachment, managed_policy};

use super::{Wanted, commit, time, views};
use crate::managed::{self, AwsPolicy};
use crate::paging::Page;
use crate::policy_cache::ManagedPolicyRef;
use crate::{Authorized, Error, Identity, messages};

/// What the markers of AWS's policies begin with in `ListPolicies`.
const AWS_MARK: char = ' ';

/// What an operation does to a policy: the words in which AWS refuses it for its own policies, recorded
/// in LocalStack's `test_aws_managed_policy_errors`.
#[derive(Clone, Copy, Debug)]
pub(super) enum PolicyChange {
    Delete,
    DeleteVersion,
    Update,
}

impl PolicyChange {
    fn words(self) -> &'static str {
        match self {
            PolicyChange::Delete => "delete policies",
            PolicyChange::DeleteVersion => "delete policy versions for policies",
            PolicyChange::Update => "update policies",
        }
    }
}

impl Identity {
    /// The customer managed policy of this ARN, in the caller's account; AWS's own cannot
    /// be changed.
    pub(super) async fn own_policy(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
        arn: &str,
        change: PolicyChange,
    ) -> Result<Entity, Error> {
        let account = cx.account.as_str();
        match self.0.policies.find_in(conn, account, arn).await? {
            Some(ManagedPolicyRef::Customer(policy)) => Ok(policy),
            Some(ManagedPolicyRef::Aws(_)) => Err(Error::new(
                CommonError::AccessDenied,
                format!("Cannot {} outside your own account.", change.words()),
            )),
            None => Err(messages::policy_not_found(arn)),
        }
    }

    /// `CreatePolicy`: the document becomes version `v1`.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `MalformedPolicyDocument`.
    pub async fn create_policy(
        &self,
        cx: &Authorized,
        input: CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Error> {
        Document::parse(&input.policy_document, DocumentKind::Managed)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::Policy,
            name: &input.policy_name,
            path: input.path.as_deref(),
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        managed_policy::insert(
            &mut conn,
            created.id,
            input.description.as_deref(),
            &input.policy_document,
            cx.now.as_millisecond(),
        )
        .await?;
        let mut policy = customer_policy(&mut conn, &created).await?;
        policy.tags = input.tags.filter(|tags| !tags.is_empty());
        commit(tx).await?;
        Ok(CreatePolicyResponse {
            policy: Some(policy),
        })
    }

    /// `GetPolicy`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_policy(
        &self,
        cx: &Authorized,
        input: GetPolicyRequest,
    ) -> Result<GetPolicyResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let arn = &input.policy_arn;
        let account = cx.account.as_str();
        let mut policy = match self.0.policies.find_in(&mut conn, account, arn).await? {
            Some(ManagedPolicyRef::Aws(policy)) => {
                let usage = attachment::usage_of(&mut conn, account, arn).await?;
                aws_policy(policy, &usage)
            }
            Some(ManagedPolicyRef::Customer(found)) => {
                let mut policy = customer_policy(&mut conn, &found).await?;
                policy.description = managed_policy::get(&mut conn, found.id).await?.description;
                policy.tags = views::tags(&mut conn, found.id).await?;
                policy
            }
            None => return Err(messages::policy_not_found(arn)),
        };
        // Here AWS sends the list also when it is empty.
        policy.tags.get_or_insert_default();
        Ok(GetPolicyResponse {
            policy: Some(policy),
        })
    }

    /// `ListPolicies`: the customer's in the order of their names, then AWS's from the oldest on.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_policies(
        &self,
        cx: &Authorized,
        input: ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let scope = input.scope.unwrap_or_default();
        let usage = input.policy_usage_filter;
        let only_attached = input.only_attached.unwrap_or(false);
        let only_used = only_attached || usage.is_some();
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        // The customer's come first, by name; then AWS's, whose keys begin with a space, which no name
        // holds.
        let aws_after = page.after.strip_prefix(AWS_MARK);
        let mut items: Vec<(String, Policy)> = Vec::new();
        if scope != PolicyScopeType::Aws && aws_after.is_none() {
            let account = cx.account.as_str();
            let (kind, rows) = (Kind::Policy, page.rows());
            for found in entity::list(&mut conn, account, kind, prefix, &page.after, rows).await? {
                let policy = customer_policy(&mut conn, &found).await?;
                items.push((found.folded_name(), policy));
            }
        }
        let rows = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        if scope != PolicyScopeType::Local && items.len() < rows {
            let account = cx.account.as_str();
            let after = aws_after.unwrap_or_default();
            let listed = |policy: &AwsPolicy| {
                policy.path.starts_with(prefix) && policy.age_key().as_str() > after
            };
            let mut found: Vec<(&AwsPolicy, attachment::Usage)> = Vec::new();
            if only_used {
                // One query finds them; the others need not be looked at.
                for usage in attachment::usage(&mut conn, account, managed::ARN_PREFIX).await? {
                    if let Some(policy) = managed::find(&usage.policy_arn).filter(|p| listed(p)) {
                        found.push((policy, usage));
                    }
                }
                found.sort_by_key(|(policy, _)| policy.age_key());
            } else {
                let candidates = managed::by_age().iter().copied().filter(|p| listed(p));
                for policy in candidates.take(rows - items.len()) {
                    let usage = attachment::usage_of(&mut conn, account, &policy.arn()).await?;
                    found.push((policy, usage));
                }
            }
            for (policy, usage) in found {
                let key = format!("{AWS_MARK}{}", policy.age_key());
                items.push((key, aws_policy(policy, &usage)));
            }
        }
        let cut = page.cut(items, |item| item.0.clone());
        // Filters that look at use are applied to the page: a page may hold fewer items
        // than were asked for, as AWS says of its own (ListPolicies, `MaxItems`).
        let wanted = |policy: &Policy| {
            let attached = policy.attachment_count.unwrap_or(0) > 0;
            let bounding = policy.permissions_boundary_usage_count.unwrap_or(0) > 0;
            let used = match usage {
                Some(PolicyUsageType::PermissionsPolicy) => attached,
                Some(PolicyUsageType::PermissionsBoundary) => bounding,
                None => true,
            };
            used && (!only_attached || attached)
        };
        let policies = cut.items.into_iter().map(|item| item.1);
        Ok(ListPoliciesResponse {
            policies: Some(policies.filter(wanted).collect()),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `DeletePolicy`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while it is attached, a boundary, or has more
    /// versions than the default one.
    pub async fn delete_policy(
        &self,
        cx: &Authorized,
        input: DeletePolicyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = self
            .own_policy(&mut conn, cx, &input.policy_arn, PolicyChange::Delete)
            .await?;
        let count = attachment::count(&mut conn, cx.account.as_str(), &input.policy_arn).await?;
        if count != (0, 0) {
            return Err(Error::new(
                ErrorCode::DeleteConflict,
                "Cannot delete a policy attached to entities.".to_owned(),
            ));
        }
        if managed_policy::list_versions(&mut conn, found.id)
            .await?
            .len()
            > 1
        {
            return Err(Error::new(
                ErrorCode::DeleteConflict,
                "This policy has more than one version. Before you delete a policy, you must \
                 delete the policy's versions. The default version is deleted with the policy."
                    .to_owned(),
            ));
        }
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }
}

/// The number of a version as the API writes it.
pub(super) fn version_id(number: i64) -> String {
    format!("v{number}")
}

fn count(count: i64) -> Option<i32> {
    Some(i32::try_from(count).unwrap_or(i32::MAX))
}

/// A customer managed policy as lists show it: without description and tags.
pub(super) async fn customer_policy(conn: &mut Conn<'_>, entity: &Entity) -> Result<Policy, Error> {
    let arn = entity.arn();
    let row = managed_policy::get(conn, entity.id).await?;
    let used = attachment::count(conn, &entity.account, &arn).await?;
    Ok(Policy {
        policy_name: Some(entity.name.clone()),
        policy_id: Some(entity.unique_id.clone()),
        arn: Some(arn),
        path: Some(entity.path.clone()),
        default_version_id: Some(version_id(row.default_version)),
        attachment_count: count(used.0),
        permissions_boundary_usage_count: count(used.1),
        is_attachable: Some(true),
        description: None,
        create_date: Some(time(entity.created_at)),
        update_date: Some(time(row.updated_at)),
        tags: None,
    })
}

/// An AWS managed policy, with the account's use of it.
pub(super) fn aws_policy(policy: &AwsPolicy, usage: &attachment::Usage) -> Policy {
    Policy {
        policy_name: Some(policy.name.to_owned()),
        policy_id: Some(policy.id.to_owned()),
        arn: Some(policy.arn()),
        path: Some(policy.path.to_owned()),
        default_version_id: Some(version_id(policy.version)),
        attachment_count: count(usage.attached),
        permissions_boundary_usage_count: count(usage.boundary_of),
        is_attachable: Some(true),
        description: None,
        create_date: Some(policy.created_at()),
        update_date: Some(policy.updated_at()),
        tags: None,
    }
}
