//! Policies attached to the root, to units and to accounts.

use aws_api::organizations::{
    AttachPolicyRequest, DetachPolicyRequest, ListPoliciesForTargetRequest,
    ListPoliciesForTargetResponse, ListTargetsForPolicyRequest, ListTargetsForPolicyResponse,
    PolicyTargetSummary, TargetType,
};
use store::Topic;
use store::organizations::attachment;
use store::organizations::organization;

use super::paging::Page;
use super::policies::{find, summary};
use super::{
    ALLOW_ALL, Organizations, RESOURCE_CONTROL, SERVICE_CONTROL, arn, decided, messages, tree,
};
use crate::{Authorized, Error};

/// Policies of a type on one root, unit or account (Organizations User Guide, "Quotas for AWS
/// Organizations"); `RCPFullAWSAccess` counts.
const SERVICE_CONTROL_MAX: usize = 10;
const RESOURCE_CONTROL_MAX: usize = 5;

impl Organizations {
    /// `AttachPolicy`.
    ///
    /// # Errors
    /// `PolicyNotFoundException`, `TargetNotFoundException`, `PolicyTypeNotEnabledException`,
    /// `DuplicatePolicyAttachmentException`; `ConstraintViolationException` for too many on a target.
    pub async fn attach_policy(
        &self,
        cx: &Authorized,
        input: AttachPolicyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let own = &organization.id;
        let policy = find(&mut conn, &organization, &input.policy_id).await?;
        let target = tree::node(&mut conn, &organization, &input.target_id).await?;
        let target = target.ok_or_else(messages::no_target)?.id;
        let enabled = organization::policy_types(&mut conn, own).await?;
        if !enabled.contains(&policy.policy_type) {
            return Err(messages::type_not_enabled());
        }
        let there = attachment::of_target(&mut conn, own, &target, &policy.policy_type).await?;
        if there.contains(&policy.id) {
            return Err(messages::duplicate_attachment());
        }
        let max = match policy.policy_type == RESOURCE_CONTROL {
            true => RESOURCE_CONTROL_MAX,
            false => SERVICE_CONTROL_MAX,
        };
        if there.len() >= max {
            return Err(messages::constraint(
                "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "You have attached the maximum number of policies to the specified target.",
            ));
        }
        attachment::insert(&mut conn, own, &target, &policy.id, &policy.policy_type).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `DetachPolicy`. The last service control policy of a target stays, and so does
    /// `RCPFullAWSAccess`.
    ///
    /// # Errors
    /// `PolicyNotFoundException`, `TargetNotFoundException`, `PolicyNotAttachedException`;
    /// `InvalidInputException`, `ConstraintViolationException` for what must stay.
    pub async fn detach_policy(
        &self,
        cx: &Authorized,
        input: DetachPolicyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let own = &organization.id;
        let policy = find(&mut conn, &organization, &input.policy_id).await?;
        let target = tree::node(&mut conn, &organization, &input.target_id).await?;
        let target = target.ok_or_else(messages::no_target)?.id;
        let is_aws_rcp = ALLOW_ALL.contains(&(RESOURCE_CONTROL, policy.id.as_str()));
        if is_aws_rcp {
            return Err(messages::invalid(
                "NON_DETACHABLE_POLICY",
                "You can't detach this AWS Managed Policy.",
            ));
        }
        let there = attachment::of_target(&mut conn, own, &target, &policy.policy_type).await?;
        if !there.contains(&policy.id) {
            return Err(messages::not_attached());
        }
        if policy.policy_type == SERVICE_CONTROL && there.len() == 1 {
            return Err(messages::constraint(
                "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "You cannot remove the last policy attached to the specified target. You must have at \
                 least one attached at all times.",
            ));
        }
        attachment::delete(&mut conn, own, &target, &policy.id).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `ListTargetsForPolicy`.
    ///
    /// # Errors
    /// `PolicyNotFoundException`.
    pub async fn list_targets_for_policy(
        &self,
        cx: &Authorized,
        input: ListTargetsForPolicyRequest,
    ) -> Result<ListTargetsForPolicyResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let policy = find(&mut conn, &organization, &input.policy_id).await?;
        let (own, after, rows) = (&organization.id, &page.after, page.rows());
        let found = attachment::targets(&mut conn, own, &policy.id, after, rows).await?;
        let (found, next_token) = page.cut(found, String::as_str);
        let mut targets = Vec::with_capacity(found.len());
        for id in &found {
            let Some(node) = tree::node(&mut conn, &organization, id).await? else {
                continue;
            };
            let kind = match node.kind {
                TargetType::Root => "root",
                TargetType::OrganizationalUnit => "ou",
                TargetType::Account => "account",
            };
            targets.push(PolicyTargetSummary {
                arn: Some(arn(&organization, kind, &node.id)),
                target_id: Some(node.id),
                name: Some(node.name),
                r#type: Some(node.kind),
            });
        }
        Ok(ListTargetsForPolicyResponse {
            targets: Some(targets),
            next_token,
        })
    }

    /// `ListPoliciesForTarget`: those of one type that are attached to the target itself.
    ///
    /// # Errors
    /// `TargetNotFoundException`.
    pub async fn list_policies_for_target(
        &self,
        cx: &Authorized,
        input: ListPoliciesForTargetRequest,
    ) -> Result<ListPoliciesForTargetResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let target = tree::node(&mut conn, &organization, &input.target_id).await?;
        let target = target.ok_or_else(messages::no_target)?.id;
        let policy_type = input.filter.as_str();
        let mut ids =
            attachment::of_target(&mut conn, &organization.id, &target, policy_type).await?;
        ids.retain(|id| *id > page.after);
        let (ids, next_token) = page.cut(ids, String::as_str);
        let mut policies = Vec::with_capacity(ids.len());
        for id in &ids {
            let policy = find(&mut conn, &organization, id).await?;
            policies.push(summary(&organization, &policy));
        }
        Ok(ListPoliciesForTargetResponse {
            policies: Some(policies),
            next_token,
        })
    }
}
