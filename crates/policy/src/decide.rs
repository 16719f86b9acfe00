//! Combines policies into a decision.
//!
//! Sources: UG reference_policies_evaluation-logic_policy-eval-denyallow (the order, and
//! the table of resource-based policies and implicit denies),
//! reference_policies_evaluation-logic-cross-account; Organizations UG
//! orgs_manage_policies_scps, orgs_manage_policies_rcps.

use crate::case_fold::LowerCase;
use crate::compiled::{Grant, MatchContext};
use crate::context::Context;
use crate::policy_set::{PolicyRef, PolicySet};
use crate::principal::{Principal, PrincipalKind, arn_account, arn_resource};
use crate::rcp;

/// A request to decide.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The caller.
    pub principal: &'a Principal,
    /// The IAM action, e.g. `ecr:PutImage`, in any evaluation.
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
pub struct ApplicablePolicies<'a> {
    /// The union of the identity's policies: inline, attached, and its groups'.
    pub identity: Option<&'a PolicySet>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a PolicySet>,
    /// The union of the session's inline and managed policies. A federated user without
    /// any has only the permissions that resource policies give it (docs/semantics.md#11).
    pub session: Option<&'a PolicySet>,
    /// The resource's policy: for `sts:AssumeRole…` on a role, its trust policy.
    pub resource: Option<&'a PolicySet>,
    /// SCPs on the principal's account, one union per level (root, OUs, account).
    pub service_control: &'a [PolicySet],
    /// RCPs on the resource's account, one union per level; none when that is the
    /// management account of another principal's organization, whose resources RCPs do not apply to.
    /// `RCPFullAWSAccess` need not be among them: it cannot be detached, so every level allows.
    pub resource_control: &'a [PolicySet],
    /// The principal's account is the organization's management account: SCPs do not bind, nor
    /// RCPs on its own resources.
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

/// The policy type that decided, or that did not allow the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Reason {
    /// The action needs no permission: `sts:GetCallerIdentity`, `sts:GetSessionToken`.
    NoPermissionNeeded,
    /// The root user in its own account; as a denial: the root user cannot assume roles.
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
    /// The policy type that decided or did not allow the request. If several did not, the first
    /// in the order RCP, SCP, identity (or trust), boundary, session, resource.
    pub reason: Reason,
    /// The statement that decided; none for implicit denials, root and free actions.
    pub statement: Option<StatementRef<'a>>,
}

impl Decision<'_> {
    /// Whether the request may go ahead.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }
}

/// Decides a request. Pure, and without allocation on the usual path.
pub fn decide<'a>(request: &Request<'_>, applicable: &ApplicablePolicies<'a>) -> Decision<'a> {
    let action = LowerCase::new(request.action);
    let evaluation = Evaluation::new(request, action.as_str(), applicable);
    match evaluation.decide() {
        Ok((reason, statement)) => Decision {
            effect: Effect::Allowed,
            reason,
            statement,
        },
        Err(Denied::Explicitly(reason, statement)) => Decision {
            effect: Effect::ExplicitlyDenied,
            reason,
            statement: Some(statement),
        },
        Err(Denied::Silently(reason)) => Decision {
            effect: Effect::ImplicitlyDenied,
            reason,
            statement: None,
        },
    }
}

enum Denied<'a> {
    Explicitly(Reason, StatementRef<'a>),
    Silently(Reason),
}

type Allowed<'a> = (Reason, Option<StatementRef<'a>>);

/// The evaluation of one request.
pub(crate) struct Evaluation<'r, 'a> {
    pub cx: MatchContext<'r>,
    applicable: ApplicablePolicies<'a>,
    /// `sts:AssumeRole…` on a role: the resource policy is a trust policy.
    trust: bool,
    /// The resource policy must allow, in the same account too: trust policies, and the
    /// key policies of KMS (the two exceptions of the evaluation logic page).
    required: bool,
    same_account: bool,
    free: bool,
}

impl<'r, 'a> Evaluation<'r, 'a> {
    /// `action` is the request's in lower evaluation.
    pub fn new(
        request: &Request<'r>,
        action: &'r str,
        applicable: &ApplicablePolicies<'a>,
    ) -> Evaluation<'r, 'a> {
        let principal = request.principal;
        let owner = request
            .resource_account
            .unwrap_or_else(|| arn_account(request.resource));
        // AWS's managed policies belong to `aws`, and everyone may be allowed to read them.
        let owner = match owner {
            "" | "*" | "aws" => &principal.account,
            account => account,
        };
        let trust = is_trust(action, request.resource);
        let key_policy = applicable.resource.is_some() && is_key(action, request.resource);
        Evaluation {
            cx: MatchContext {
                principal,
                action,
                resource: request.resource,
                context: request.context,
                has_boundary: applicable.boundary.is_some(),
            },
            applicable: *applicable,
            trust,
            required: trust || key_policy,
            same_account: owner == &*principal.account,
            // docs/semantics.md#14: policies cannot control these two. Both are calls with credentials.
            free: principal.kind.is_aws()
                && matches!(action, "sts:getcalleridentity" | "sts:getsessiontoken"),
        }
    }

    /// The policy sets that apply to this principal, in the order in which they are reported.
    pub fn parties(&self) -> impl Iterator<Item = (Reason, &'a PolicySet)> + use<'a> {
        let applicable = self.applicable;
        let principal = self.cx.principal;
        let bound = principal.kind.is_aws();
        // docs/semantics.md#15: root's own policies, if any, do not count. The policy of a
        // root session (STS `AssumeRoot`) denies what is not its task, and allows nothing.
        let identity = bound && principal.kind != PrincipalKind::Root;
        let service_control = self.service_control();
        let resource_control: &[PolicySet] = match self.resource_control_exemption() {
            None => applicable.resource_control,
            Some(_) => &[],
        };
        let resource = self.resource_reason();
        let own =
            |reason, set: Option<&'a PolicySet>| set.filter(|_| identity).map(|set| (reason, set));
        resource_control
            .iter()
            .map(|set| (Reason::ResourceControl, set))
            .chain(
                service_control
                    .iter()
                    .map(|set| (Reason::ServiceControl, set)),
            )
            .chain(applicable.resource.map(|set| (resource, set)))
            .chain(own(Reason::Identity, applicable.identity))
            .chain(own(Reason::PermissionsBoundary, applicable.boundary))
            .chain(
                applicable
                    .session
                    .filter(|_| bound)
                    .map(|set| (Reason::Session, set)),
            )
    }

    /// The levels of SCPs that apply. docs/semantics.md#10: they apply to the principals of member accounts, root
    /// users included, and not to the management account, service-linked roles, and principals
    /// without an account.
    pub fn service_control(&self) -> &'a [PolicySet] {
        let principal = self.cx.principal;
        let bound = principal.kind.is_aws() && !principal.service_linked;
        match bound && !self.applicable.management_account {
            true => self.applicable.service_control,
            false => &[],
        }
    }

    /// What the resource's policy is called.
    pub fn resource_reason(&self) -> Reason {
        match self.trust {
            true => Reason::Trust,
            false => Reason::Resource,
        }
    }

    pub fn applicable(&self) -> &ApplicablePolicies<'a> {
        &self.applicable
    }

    /// Whether the principal has an account, whose policies can allow the request.
    pub fn has_identity_side(&self) -> bool {
        self.cx.principal.kind.is_aws()
    }

    /// docs/semantics.md#9: whether two accounts must both allow.
    pub fn is_cross_account(&self) -> bool {
        self.has_identity_side() && !self.same_account
    }

    /// Whether the resource's policy must allow, whatever the identity's policies say.
    pub fn is_resource_required(&self) -> bool {
        self.required
    }

    pub fn is_allowed_by(&self, set: &PolicySet) -> bool {
        set.allows(&self.cx).best().is_some()
    }

    /// docs/semantics.md#15: whether the principal is the root user, or a user that the root user federated.
    pub fn has_everything(&self) -> bool {
        let principal = self.cx.principal;
        principal.kind == PrincipalKind::Root || principal.is_federated_root()
    }

    /// Those of the permissions boundary and the session policies that do not allow the request.
    pub fn silent_limits(&self) -> impl Iterator<Item = Reason> {
        let principal = self.cx.principal;
        let limited = principal.kind != PrincipalKind::Root;
        let boundary = self
            .applicable
            .boundary
            .is_some_and(|set| !self.is_allowed_by(set));
        let session = match self.applicable.session {
            Some(set) => !self.is_allowed_by(set),
            None => principal.kind == PrincipalKind::FederatedUser,
        };
        let boundary = (boundary && limited).then_some(Reason::PermissionsBoundary);
        let session = (session && limited).then_some(Reason::Session);
        boundary.into_iter().chain(session)
    }

    /// Why RCPs do not apply, if they do not (Organizations UG orgs_manage_policies_rcps, "List of
    /// AWS services that support RCPs" and "Resources and entities not restricted by RCPs").
    pub fn resource_control_exemption(&self) -> Option<&'static str> {
        let (cx, applicable) = (&self.cx, &self.applicable);
        let service_role = || arn_resource(cx.resource).starts_with("role/aws-service-role/");
        // The common case first: each decision evaluates this twice.
        if applicable.resource_control.is_empty() {
            None
        } else if !rcp::covers(cx.action.split(':').next().unwrap_or_default()) {
            Some("resource control policies do not apply to this service")
        } else if cx.action == "kms:retiregrant" {
            Some("resource control policies do not apply to kms:RetireGrant")
        } else if cx.principal.service_linked || self.trust && service_role() {
            Some("resource control policies do not apply to service-linked roles")
        } else if applicable.management_account && self.same_account {
            Some("resource control policies do not apply to resources of the management account")
        } else {
            None
        }
    }

    /// Whether the action needs no permission.
    pub fn is_free(&self) -> bool {
        self.free
    }

    /// STS API AssumeRole: not with the root user's credentials.
    pub fn is_root_assuming(&self) -> bool {
        self.cx.principal.kind == PrincipalKind::Root && self.cx.action == "sts:assumerole"
    }

    fn decide(&self) -> Result<Allowed<'a>, Denied<'a>> {
        if self.free {
            return Ok((Reason::NoPermissionNeeded, None));
        }
        for (reason, set) in self.parties() {
            if let Some(statement) = set.denies(&self.cx) {
                return Err(Denied::Explicitly(reason, reference(set, statement)));
            }
        }
        // RCPs always allow: RCPFullAWSAccess is attached at every level and cannot be detached, so
        // only their Denies count.
        for (reason, set) in self.parties() {
            if reason == Reason::ServiceControl && !self.is_allowed_by(set) {
                return Err(Denied::Silently(reason));
            }
        }
        if self.is_root_assuming() {
            return Err(Denied::Silently(Reason::RootUser));
        }
        let granted = self.resource_grant();
        let resource = self.resource_reason();
        let from_resource = |statement| Ok((resource, Some(statement)));
        if !self.has_identity_side() {
            // Without an account there are no identity-based policies: only the resource can allow.
            return match granted {
                Some((_, statement)) => from_resource(statement),
                None => Err(Denied::Silently(resource)),
            };
        }
        if !self.same_account {
            // docs/semantics.md#9: both sides must allow.
            self.identity_side()?;
            return match granted {
                Some((_, statement)) => from_resource(statement),
                None => Err(Denied::Silently(resource)),
            };
        }
        match granted {
            Some((Grant::Direct, statement)) => from_resource(statement),
            Some((Grant::Issuer, statement)) => {
                self.limits()?;
                from_resource(statement)
            }
            // docs/semantics.md#13: only principals that the trust policy names can assume a role.
            None if self.required => Err(Denied::Silently(resource)),
            Some((Grant::Account, _)) | None => self.identity_side(),
        }
    }

    pub fn resource_grant(&self) -> Option<(Grant, StatementRef<'a>)> {
        let set = self.applicable.resource?;
        let (grant, number) = set.allows(&self.cx).best()?;
        Some((grant, reference(set, number)))
    }

    /// The decision of the principal's own account.
    fn identity_side(&self) -> Result<Allowed<'a>, Denied<'a>> {
        if self.has_everything() {
            self.limits()?;
            return Ok((Reason::RootUser, None));
        }
        let Some(set) = self.applicable.identity else {
            return Err(Denied::Silently(Reason::Identity));
        };
        let Some((_, number)) = set.allows(&self.cx).best() else {
            return Err(Denied::Silently(Reason::Identity));
        };
        self.limits()?;
        Ok((Reason::Identity, Some(reference(set, number))))
    }

    /// Permissions boundary and session policies: what they do not allow is denied.
    fn limits(&self) -> Result<(), Denied<'a>> {
        match self.silent_limits().next() {
            Some(reason) => Err(Denied::Silently(reason)),
            None => Ok(()),
        }
    }
}

fn reference(set: &PolicySet, number: u32) -> StatementRef<'_> {
    let statement = set.statement(number);
    StatementRef {
        policy: set.policy(number),
        sid: statement.sid.as_deref(),
        index: statement.index,
    }
}

/// The actions that a role's trust policy speaks about. `action` is in lower evaluation.
pub(crate) fn is_trust(action: &str, resource: &str) -> bool {
    let about_trust = action.starts_with("sts:assumerole")
        || matches!(
            action,
            "sts:tagsession" | "sts:setsourceidentity" | "sts:setcontext"
        );
    about_trust && arn_resource(resource).starts_with("role/")
}

fn is_key(action: &str, resource: &str) -> bool {
    action.starts_with("kms:") && arn_resource(resource).starts_with("key/")
}
