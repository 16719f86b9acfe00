//! `ProposeChange`: why a denied request is denied now, and the least change that would allow it.
//!
//! The request is evaluated again with the policies as they are. Then the document that stopped it is changed,
//! and it is evaluated with the changed document, until the engine allows it or nothing that the account could
//! change would help. So what is answered was decided by the engine, and not guessed.
//!
//! What a change may do:
//! - It allows the request's action on the request's resource, and nothing else. A resource is `*` only where
//!   the request's is, for actions that have none.
//! - It is made where it concerns the fewest: in an inline policy of the principal itself rather than in a
//!   policy that others have.
//! - A statement that denies gets an exception for the principal.

mod draft;
mod edit;
mod view;

use std::sync::Arc;

use authz::AccountControls;
use aws_types::AccountId;
use policy::{Context, DocumentKind, Effect, Explanation, PolicySet, Principal};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::group;

use self::draft::{Draft, Drafts};
use crate::policy_cache::entity_by_arn;
use crate::{Authorized, Error, Identity};

pub use self::draft::{ChangeKind, Place};
pub use self::view::{Outcome, Proposal, ProposedChange, StatementView, Step};

/// Changes that are tried one after the other: each policy type needs one at most, a deny and an allow.
const CHANGES_MAX: usize = 8;

/// A denied request, as it was noted.
#[derive(Clone, Debug)]
pub struct DeniedRequest {
    /// Its id.
    pub request_id: String,
    /// The caller.
    pub principal_arn: String,
    /// The role of a session.
    pub role_arn: Option<String>,
    /// Whether the credentials had session policies, which are not kept.
    pub has_session_policy: bool,
    /// The action that was refused.
    pub action: String,
    /// The resource that it was refused on.
    pub resource: String,
    /// Its condition keys.
    pub context: Context,
}

/// What is known of the resource of a request.
#[derive(Clone, Debug)]
pub struct ResourceSide {
    /// The account that it belongs to.
    pub account: Option<AccountId>,
    /// Its policy, if it is one of the asking account's.
    pub policy: Option<Arc<PolicySet>>,
}

/// Everything that takes part in the evaluation.
struct Case {
    request: DeniedRequest,
    principal: Principal,
    owner_account: Option<AccountId>,
    is_own_resource: bool,
    controls: Option<Arc<AccountControls>>,
    drafts: Drafts,
}

impl Identity {
    /// Evaluates a denied request again and looks for a change that would allow it.
    ///
    /// # Errors
    /// The database's.
    pub async fn propose_change(
        &self,
        cx: &Authorized,
        request: DeniedRequest,
        resource: ResourceSide,
    ) -> Result<Proposal, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let arn = request.role_arn.as_ref().unwrap_or(&request.principal_arn);
        let root = format!("arn:aws:iam::{}:root", cx.account);
        let found = match *arn == root {
            true => None,
            false => entity_by_arn(conn, arn).await?,
        };
        let found = found.filter(|found| found.account == cx.account.as_str());
        let (principal, drafts) = match found {
            None if *arn == root => (Principal::root(cx.account.as_str()), Drafts::default()),
            Some(entity) if matches!(entity.kind, Kind::User | Kind::Role) => {
                let principal = principal_of(&entity, &request.principal_arn);
                (principal, self.drafts_of(conn, &entity).await?)
            }
            _ => {
                let note = format!(
                    "The principal `{}` is no user, role or root user of this account any more, or has the \
                     permissions of a session alone; no change of a policy allows the request.",
                    request.principal_arn
                );
                return Ok(Proposal::without_change(request.request_id, note));
            }
        };
        let mut drafts = drafts;
        let is_own_resource = resource.account.is_none_or(|owner| owner == cx.account);
        if let Some(policy) = resource.policy.filter(|_| is_own_resource) {
            for (name, document) in policy.documents() {
                let draft = Draft::of_resource(conn, name, document).await?;
                drafts.resource.push(draft);
            }
        }
        drop(read);
        let mut case = Case {
            request,
            principal,
            owner_account: resource.account,
            is_own_resource,
            controls: self.account_controls(cx.account).await?,
            drafts,
        };
        let first = case.explain();
        let mut note = None;
        let mut now = first.clone();
        for _ in 0..CHANGES_MAX {
            if now.effect == Effect::Allowed {
                break;
            }
            let mut read = self.0.store.snapshot().await?;
            match case.change(&now) {
                Ok(changed) => case.drafts.recompile(&mut read.conn(), changed).await?,
                Err(why) => {
                    note = Some(why);
                    break;
                }
            }
            drop(read);
            now = case.explain();
        }
        let is_allowed = now.effect == Effect::Allowed;
        if !is_allowed && note.is_none() {
            note = Some("No change that allows only this request was found.".to_owned());
        }
        Ok(case.proposal(&first, is_allowed, note))
    }

    /// The documents of a user or role, with those of the user's groups.
    async fn drafts_of(&self, conn: &mut Conn<'_>, entity: &Entity) -> Result<Drafts, Error> {
        let mut drafts = Drafts {
            owner: Some((entity.kind, entity.name.clone(), entity.arn())),
            ..Drafts::default()
        };
        let mut holders = vec![entity.clone()];
        if entity.kind == Kind::User {
            holders.extend(group::of_user(conn, entity.id).await?);
        }
        for holder in holders {
            let mut documents = Vec::new();
            let policies = &self.0.policies;
            policies.of_entity(conn, &holder, &mut documents).await?;
            let drafted = documents
                .into_iter()
                .map(|(name, document)| Draft::of_holder(&holder, name, document));
            drafts.identity.extend(drafted);
        }
        if let Some(arn) = &entity.boundary_arn {
            let kind = DocumentKind::PermissionsBoundary;
            let found = self.0.policies.managed(conn, arn, kind).await?;
            let drafted = found.map(|(name, document)| Draft::of_boundary(name, document));
            drafts.boundary = Some(drafted.into_iter().collect());
        }
        Ok(drafts)
    }
}

/// The principal as it was when it was denied.
fn principal_of(entity: &Entity, principal_arn: &str) -> Principal {
    match entity.kind {
        Kind::Role => Principal::role_session(principal_arn, entity.arn(), Some(&entity.unique_id)),
        _ => Principal::user(entity.arn(), Some(&entity.unique_id)),
    }
}

impl Case {
    fn explain(&self) -> Explanation {
        let identity = self.drafts.identity_set();
        let boundary = self.drafts.boundary_set();
        let resource = self.drafts.resource_set();
        let none: &[PolicySet] = &[];
        let controls = self.controls.as_deref();
        let request = policy::Request {
            principal: &self.principal,
            action: &self.request.action,
            resource: &self.request.resource,
            resource_account: self.owner_account.as_ref().map(AccountId::as_str),
            context: &self.request.context,
        };
        let applicable = policy::ApplicablePolicies {
            identity: Some(&identity),
            boundary: boundary.as_ref(),
            session: None,
            resource: resource.as_ref(),
            service_control: controls.map_or(none, |controls| &controls.service_control),
            resource_control: match self.is_own_resource {
                true => controls.map_or(none, |controls| &controls.resource_control),
                false => none,
            },
            management_account: controls.is_some_and(|controls| controls.is_management),
        };
        policy::explain(&request, &applicable)
    }
}
