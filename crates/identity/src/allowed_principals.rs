//! `ListAllowedPrincipals`: who may perform an action on a resource.
//!
//! Every user and role of the account is evaluated, and whom the resource's policy names is listed. Condition
//! keys that only a request has (its address, its time, a second factor) are not known, so each principal is
//! decided twice: once as if no condition on such a key held, and once as if each held. Who is allowed in the
//! first is allowed whatever the request; who is allowed only in the second is listed with the conditions that
//! remain.

mod unknown;

use std::sync::Arc;
use std::time::{Duration, Instant};

use authz::AccountControls;
use aws_api::berth::{
    AccessKind, AllowedPrincipal, ErrorCode, ListAllowedPrincipalsRequest,
    ListAllowedPrincipalsResponse, PrincipalKind,
};
use aws_types::AccountId;
use policy::{
    ApplicablePolicies, CompiledDocument, Context, Document, DocumentKind, NamedPrincipal,
    PolicyRef, PolicySet, Principal, PrincipalType, Reason, Request, StatementEffect, explain,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{group, tag};

use self::unknown::{Reading, known, under};
use crate::paging::Page;
use crate::pinning::unpin;
use crate::policy_cache::Named;
use crate::proposals::ResourceSide;
use crate::{Authorized, Error, Identity};

/// Principals that are read for one page.
const PAGE_PRINCIPALS_MAX: usize = 100;
/// Time for the decisions of one page, as for a page of the simulator. A page has a principal at least.
const PAGE_TIME_MAX: Duration = Duration::from_millis(200);

/// A user or role with everything that its policies say.
struct Candidate {
    id: i64,
    arn: String,
    kind: PrincipalKind,
    principal: Principal,
    context: Context,
    identity: Vec<Named>,
    boundary: Option<Vec<Named>>,
}

/// What is asked of every candidate.
struct Question {
    action: String,
    resource: String,
    account: AccountId,
    owner: Option<AccountId>,
    /// The condition keys that follow from the resource.
    keys: Context,
    policies: Vec<Named>,
    controls: Option<Arc<AccountControls>>,
}

impl Identity {
    /// `ListAllowedPrincipals`, page by page: first those whom the resource's policy names, then the account's
    /// root user, users and roles.
    ///
    /// # Errors
    /// `InvalidParameterException` for an action that is none, and for a token.
    pub async fn list_allowed_principals(
        &self,
        cx: &Authorized,
        input: ListAllowedPrincipalsRequest,
        resource: ResourceSide,
        keys: Context,
    ) -> Result<ListAllowedPrincipalsResponse, Error> {
        let refuse = |message: &str| Error::new(ErrorCode::InvalidParameter, message);
        if input.action.contains(['*', '?']) || !input.action.contains(':') {
            return Err(refuse(
                "The action must be the name of one action, such as ecr:PutImage.",
            ));
        }
        let invalid = || refuse("The nextToken is not valid.");
        let page = Page::new(input.max_results, input.next_token.as_deref());
        let page = page.map_err(|_| invalid())?;
        let after = page.after_number().map_err(|_| invalid())?;
        let limit = page.limit().min(PAGE_PRINCIPALS_MAX);
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let policies: Vec<Named> = match &resource.policy {
            Some(set) => {
                let documents = set.documents();
                documents
                    .map(|(name, document)| (name.clone(), document.clone()))
                    .collect()
            }
            None => Vec::new(),
        };
        let mut principals = Vec::new();
        if after == 0 {
            for (name, document) in &policies {
                named_elsewhere(
                    &mut conn,
                    cx.account,
                    name,
                    document,
                    &input.action,
                    &mut principals,
                )
                .await?;
            }
        }
        let rows = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let kinds = [Kind::User, Kind::Role];
        let account = cx.account;
        let mut entities =
            entity::list_kinds(&mut conn, account.as_str(), &kinds, after, rows).await?;
        let is_last = entities.len() <= limit;
        entities.truncate(limit);
        let mut candidates = Vec::new();
        if after == 0 {
            candidates.push(root(account));
        }
        for entity in entities {
            candidates.push(self.candidate(&mut conn, &entity).await?);
        }
        drop(read);
        let question = Question {
            action: input.action,
            resource: input.resource_arn,
            account,
            owner: resource.account,
            keys,
            policies,
            controls: self.account_controls(account).await?,
        };
        let (found, next) = self.compute(move || question.answer(candidates)).await?;
        principals.extend(found);
        let next = match (next, is_last) {
            (Next::After(id), _) => Some(id),
            (Next::Done(id), false) => Some(id),
            (Next::Done(_), true) => None,
        };
        Ok(ListAllowedPrincipalsResponse {
            principals,
            next_token: next.map(|id| Page::marker(&id.to_string())),
        })
    }

    async fn candidate(&self, conn: &mut Conn<'_>, entity: &Entity) -> Result<Candidate, Error> {
        let mut identity = Vec::new();
        let policies = &self.0.policies;
        policies.of_entity(conn, entity, &mut identity).await?;
        if entity.kind == Kind::User {
            for group in group::of_user(conn, entity.id).await? {
                policies.of_entity(conn, &group, &mut identity).await?;
            }
        }
        let boundary = match &entity.boundary_arn {
            Some(arn) => {
                let kind = DocumentKind::PermissionsBoundary;
                let found = policies.managed(conn, arn, kind).await?;
                Some(found.into_iter().collect())
            }
            None => None,
        };
        let arn = entity.arn();
        let (kind, principal) = match entity.kind {
            Kind::Role => {
                let session = crate::authenticate::session_arn(entity, "session");
                let principal = Principal::role_session(session, &*arn, Some(&entity.unique_id));
                (PrincipalKind::Role, principal)
            }
            _ => (
                PrincipalKind::User,
                Principal::user(&*arn, Some(&entity.unique_id)),
            ),
        };
        let mut context = principal.context();
        for tag in tag::list(conn, entity.id).await? {
            context = context.set(&format!("aws:PrincipalTag/{}", tag.key), tag.value);
        }
        Ok(Candidate {
            id: entity.id,
            arn,
            kind,
            principal,
            context,
            identity,
            boundary,
        })
    }
}

fn root(account: AccountId) -> Candidate {
    let principal = Principal::root(account.as_str());
    Candidate {
        id: 0,
        arn: principal.arn().to_owned(),
        kind: PrincipalKind::Root,
        context: principal.context(),
        principal,
        identity: Vec::new(),
        boundary: None,
    }
}

/// Where the next page begins.
enum Next {
    /// All candidates were decided; the last one's id.
    Done(i64),
    /// The time was up after this one.
    After(i64),
}

impl Question {
    fn answer(&self, candidates: Vec<Candidate>) -> (Vec<AllowedPrincipal>, Next) {
        let started = Instant::now();
        let certain = under(&self.policies, Reading::NoneHolds);
        let possible = under(&self.policies, Reading::AllHold);
        let mut found = Vec::new();
        let mut last = 0;
        for candidate in candidates {
            if last > 0 && started.elapsed() > PAGE_TIME_MAX {
                return (found, Next::After(last));
            }
            last = candidate.id;
            found.extend(self.decide(&candidate, &certain, &possible));
        }
        (found, Next::Done(last))
    }

    fn decide(
        &self,
        candidate: &Candidate,
        certain: &[Named],
        possible: &[Named],
    ) -> Option<AllowedPrincipal> {
        let is_allowed = |resource: &[Named], reading| {
            let identity = union(&under(&candidate.identity, reading));
            let boundary = candidate.boundary.as_deref();
            let boundary = boundary.map(|documents| union(&under(documents, reading)));
            let resource = (!resource.is_empty()).then(|| union(resource));
            let controls = self.controls.as_deref();
            let levels = |sets: &[PolicySet]| {
                let sets = sets.iter().map(|set| {
                    let documents = set.documents();
                    let documents =
                        documents.map(|(name, document)| (name.clone(), document.clone()));
                    union(&under(&documents.collect::<Vec<_>>(), reading))
                });
                sets.collect::<Vec<_>>()
            };
            let service_control = controls.map(|controls| levels(&controls.service_control));
            let resource_control = controls
                .filter(|_| self.is_own())
                .map(|controls| levels(&controls.resource_control));
            let keys = self.keys(candidate);
            let applicable = ApplicablePolicies {
                identity: Some(&identity),
                boundary: boundary.as_ref(),
                session: None,
                resource: resource.as_ref(),
                service_control: service_control.as_deref().unwrap_or_default(),
                resource_control: resource_control.as_deref().unwrap_or_default(),
                management_account: controls.is_some_and(|controls| controls.is_management),
            };
            let decision = policy::decide(&self.request(candidate, &keys), &applicable);
            decision.is_allowed()
        };
        let access = if is_allowed(certain, Reading::NoneHolds) {
            AccessKind::Allowed
        } else if is_allowed(possible, Reading::AllHold) {
            AccessKind::Conditional
        } else {
            return None;
        };
        let (reason, conditions) = self.reason(candidate);
        Some(AllowedPrincipal {
            principal_arn: candidate.arn.clone(),
            principal_kind: candidate.kind,
            access,
            reason,
            conditions: match access {
                AccessKind::Conditional => conditions,
                AccessKind::Allowed => Vec::new(),
            },
        })
    }

    fn is_own(&self) -> bool {
        self.owner.is_none_or(|owner| owner == self.account)
    }

    fn keys(&self, candidate: &Candidate) -> Context {
        let keys = self.keys.clone();
        Context::layered(&Arc::new(candidate.context.clone()), keys)
    }

    fn request<'a>(&'a self, candidate: &'a Candidate, keys: &'a Context) -> Request<'a> {
        Request {
            principal: &candidate.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.owner.as_ref().map(AccountId::as_str),
            context: keys,
        }
    }

    /// The statement that allows, in words, and the conditions on keys of the request that statements which
    /// match otherwise have.
    fn reason(&self, candidate: &Candidate) -> (String, Vec<String>) {
        if candidate.kind == PrincipalKind::Root {
            return (
                "The root user has every permission in its account.".to_owned(),
                Vec::new(),
            );
        }
        let identity = union(&candidate.identity);
        let boundary = candidate.boundary.as_deref().map(union);
        let resource = (!self.policies.is_empty()).then(|| union(&self.policies));
        let keys = self.keys(candidate);
        let applicable = ApplicablePolicies {
            identity: Some(&identity),
            boundary: boundary.as_ref(),
            resource: resource.as_ref(),
            ..ApplicablePolicies::default()
        };
        let explanation = explain(&self.request(candidate, &keys), &applicable);
        let (mut reason, mut conditions) = (None, Vec::new());
        for policy in &explanation.policies {
            for statement in &policy.statements {
                let is_condition = |name: &str| name.starts_with("Condition ");
                let mut others = statement
                    .elements
                    .iter()
                    .filter(|e| !is_condition(&e.element));
                if !others.all(|element| element.matched) {
                    continue;
                }
                let open = statement.elements.iter().filter(|element| {
                    let key = element.element.rsplit(' ').next().unwrap_or_default();
                    is_condition(&element.element) && !known(key)
                });
                let is_allow = statement.effect == StatementEffect::Allow;
                let name = match statement.sid.as_deref().filter(|sid| !sid.is_empty()) {
                    Some(sid) => format!("statement `{sid}` of {}", policy.policy.name),
                    None => format!(
                        "statement {} of {}",
                        statement.index + 1,
                        policy.policy.name
                    ),
                };
                let word = if is_allow { "only if" } else { "not if" };
                conditions.extend(open.map(|element| {
                    let condition = element.element.trim_start_matches("Condition ");
                    format!("{word} {condition} {} ({name})", element.wanted.join(", "))
                }));
                if is_allow && policy.party != Reason::PermissionsBoundary {
                    let kind = crate::denial_notes::policy_type(policy.party);
                    reason.get_or_insert_with(|| format!("Allowed by {name}, {kind}."));
                }
            }
        }
        conditions.dedup();
        let reason = reason.unwrap_or(explanation.sentence);
        (reason, conditions)
    }
}

fn union(documents: &[Named]) -> PolicySet {
    PolicySet::union(documents.iter().cloned())
}

/// Whom a policy of the resource names beside the account's own users and roles.
async fn named_elsewhere(
    conn: &mut Conn<'_>,
    account: AccountId,
    name: &PolicyRef,
    document: &CompiledDocument,
    action: &str,
    into: &mut Vec<AllowedPrincipal>,
) -> Result<(), Error> {
    let parsed = Document::parse_language(document.source(), name.kind);
    let shown = unpin(conn, &parsed.map_err(Error::internal)?).await?;
    let document = Document::parse_language(&shown, name.kind).map_err(Error::internal)?;
    for (index, statement) in document.statements().iter().enumerate() {
        let mut entries = statement.action.values.iter();
        let covers = entries.any(|entry| policy::language::action_matches(&entry.value, action));
        if statement.effect != StatementEffect::Allow || covers == statement.action.not {
            continue;
        }
        let Some(element) = statement.principal.as_ref().filter(|element| !element.not) else {
            continue;
        };
        for entry in &element.entries {
            let text = &*entry.text.value;
            let own = |other: &str| other == account.as_str();
            let (kind, outside) = match NamedPrincipal::parse(entry.kind, text) {
                Some(NamedPrincipal::Everyone) => (PrincipalKind::Everyone, false),
                Some(NamedPrincipal::Account(other)) if !own(other) => {
                    (PrincipalKind::Account, true)
                }
                Some(NamedPrincipal::User { account: other, .. }) if !own(other) => {
                    (PrincipalKind::User, true)
                }
                Some(NamedPrincipal::Role { account: other, .. }) if !own(other) => {
                    (PrincipalKind::Role, true)
                }
                _ if entry.kind == PrincipalType::Service => (PrincipalKind::Service, false),
                _ if entry.kind == PrincipalType::Federated => (PrincipalKind::Federated, false),
                _ => continue,
            };
            let mut conditions: Vec<String> = statement
                .conditions
                .iter()
                .map(|condition| {
                    let values = condition.values.iter().map(|value| &*value.value);
                    let values = values.collect::<Vec<_>>().join(", ");
                    format!(
                        "only if {} {} {values}",
                        condition.operator.value, condition.key.value
                    )
                })
                .collect();
            if outside {
                conditions.push("only if its own account allows it as well".to_owned());
            }
            let sid = statement.sid.as_ref().map(|sid| sid.value.to_string());
            let what = match sid.filter(|sid| !sid.is_empty()) {
                Some(sid) => format!("statement `{sid}`"),
                None => format!("statement {}", index + 1),
            };
            into.push(AllowedPrincipal {
                principal_arn: text.to_owned(),
                principal_kind: kind,
                access: match conditions.is_empty() {
                    true => AccessKind::Allowed,
                    false => AccessKind::Conditional,
                },
                reason: format!("Named by {what} of the resource's policy {}.", name.name),
                conditions,
            });
        }
    }
    Ok(())
}
