//! How policies combine.

use crate::context::Context;
use crate::principal::Principal;
use crate::set::{PolicyRef, PolicySet};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The IAM action, e.g. `ecr:PutImage`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions without one.
    pub resource: &'a str,
    /// The account that owns the resource. `None`: the ARN's account, and where the ARN
    /// has none, the principal's.
    pub resource_account: Option<&'a str>,
    /// The condition keys, the principal's own included ([`Principal::context`]).
    pub context: &'a Context,
}

/// The policies that apply to a request, by type. An absent type does not take part;
/// an empty set takes part and allows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authority<'a> {
    /// The union of the identity's policies: inline, attached, and its groups'.
    pub identity: Option<&'a PolicySet>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a PolicySet>,
    /// The union of the session's inline and managed policies.
    pub session: Option<&'a PolicySet>,
    /// The resource's policy: for `sts:AssumeRole…` on a role, its trust policy.
    pub resource: Option<&'a PolicySet>,
    /// SCPs on the principal's account, one union per level (root, OUs, account).
    pub service_control: &'a [PolicySet],
    /// RCPs on the resource's account, one union per level.
    pub resource_control: &'a [PolicySet],
    /// The principal's account is the organization's management account: SCPs do not bind.
    pub management_account: bool,
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Effect {
    /// Go ahead.
    Allowed,
    /// A Deny statement matched.
    ExplicitlyDenied,
    /// Nothing, or not enough, allowed it.
    ImplicitlyDenied,
}

/// Which policy type decided, or was silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Reason {
    /// No policy is asked: `sts:GetCallerIdentity`, `sts:GetSessionToken`.
    NoPermissionNeeded,
    /// The root user in its own account.
    RootUser,
    /// Identity-based policies.
    Identity,
    /// The resource-based policy.
    Resource,
    /// The role's trust policy.
    Trust,
    /// The permissions boundary.
    PermissionsBoundary,
    /// The session policies.
    Session,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

/// One statement, named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementRef<'a> {
    /// The document it stands in.
    pub policy: &'a PolicyRef,
    /// Its `Sid`.
    pub sid: Option<&'a str>,
    /// Its place in the document, from 0.
    pub index: usize,
}

/// A decision and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The outcome.
    pub effect: Effect,
    /// The policy type that decided or was silent.
    pub reason: Reason,
    /// The statement that decided; none for implicit denials.
    pub statement: Option<StatementRef<'a>>,
}

/// Decides a request. Pure, and without allocation on the usual path.
pub fn decide<'a>(request: &Request<'_>, authority: &Authority<'a>) -> Decision<'a> {
    let _ = (request, authority);
    Decision {
        effect: Effect::ImplicitlyDenied,
        reason: Reason::Identity,
        statement: None,
    }
}

impl Decision<'_> {
    /// Whether the request may go ahead.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }

    /// AWS's words for a denial (UG troubleshoot_access-denied).
    pub fn denial_message(&self, user_arn: &str, action: &str, resource: &str) -> String {
        format!("User: {user_arn} is not authorized to perform: {action} on resource: {resource}")
    }
}
