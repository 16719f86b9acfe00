//! The authorization step: the only place that decides, and the only maker of [`Authorized`].

use std::cell::RefCell;
use std::future::Future;
use std::sync::{Arc, LazyLock};

use aws_types::{AccountId, Arn};
use jiff::Timestamp;
use policy::{ApplicablePolicies, Context, ContextValue, Decision, Effect, PolicySet, Request};

use crate::proof::Decided;
use crate::requirements::Check;
use crate::{
    AccountControls, Authorized, Caller, CallerKind, RequestContext, Requirements,
    ResourceSelector, Rule, SecondFactor, SessionRefused,
};

/// `true` or `false` on temporary credentials that can have used MFA, otherwise absent.
const MFA_PRESENT: &str = "aws:multifactorauthpresent";
/// Seconds since MFA was used; absent where it was not.
const MFA_AGE: &str = "aws:multifactorauthage";

/// A resource, looked up.
#[derive(Clone, Debug)]
pub struct Resource<R> {
    /// Its ARN, or `*`.
    pub arn: Arc<str>,
    /// Its owner; `None` takes the account in the ARN.
    pub account: Option<AccountId>,
    /// Its resource policy; for a role that is assumed, the trust policy.
    pub policy: Option<Arc<PolicySet>>,
    /// The condition keys that follow from it.
    pub keys: Vec<(String, Arc<str>)>,
    /// Its unique id, where it has one.
    pub unique_id: Option<Arc<str>>,
    /// What the operation's code gets of it; `None` where it does not exist.
    pub record: Option<R>,
    /// Whether memory answered, so that queries were saved: [`Facts::equalize`] makes up for them.
    pub from_memory: bool,
}

impl<R> Resource<R> {
    /// A resource without policy, keys and record.
    pub fn plain(arn: impl Into<Arc<str>>, account: Option<AccountId>) -> Resource<R> {
        Resource {
            arn: arn.into(),
            account,
            policy: None,
            keys: Vec::new(),
            unique_id: None,
            record: None,
            from_memory: false,
        }
    }

    /// The account that it belongs to.
    fn owner(&self) -> Option<AccountId> {
        self.account
            .or_else(|| self.arn.parse::<Arn>().ok()?.account().parse().ok())
    }
}

/// What the decision must know of resources. The domains hold it, and they are above this crate.
pub trait Facts: Sync {
    /// What an operation's code gets of a resource.
    type Record: Send;
    /// A look-up that failed.
    type Error: Send;

    /// Looks a resource up. One that does not exist is a resource as well: who may not see it
    /// must be answered as if it did. Of resources of other accounts, the look-up takes the same
    /// queries whether they exist or not.
    fn resource(
        &self,
        context: &RequestContext,
        selector: &ResourceSelector,
    ) -> impl Future<Output = Result<Resource<Self::Record>, Self::Error>> + Send;

    /// What the account's organization imposes on it; `None` for an account in no organization.
    fn controls(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Option<Arc<AccountControls>>, Self::Error>> + Send;

    /// Called after a caller was denied access to another account's resource that memory
    /// answered ([`Resource::from_memory`]): runs the queries that were saved, so that the time of
    /// the denial does not tell that the resource exists.
    fn equalize(
        &self,
        resource: &Resource<Self::Record>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Verifies the code of the caller's MFA device, which is spent by it.
    fn verify(
        &self,
        context: &RequestContext,
        factor: &SecondFactor,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why a request is not allowed.
#[derive(Debug)]
pub enum Refused<E> {
    /// Its credentials may never call the operation.
    Session(SessionRefused),
    /// The policies deny it, or do not allow it.
    Denied(Box<Denial>),
    /// A look-up failed: nothing was decided.
    Lookup(E),
}

/// A denial, in AWS's words, with what decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The message for the client.
    pub message: String,
    /// What decided.
    pub decision: DecisionRecord,
}

/// What decided on a request, for the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionRecord {
    /// Denied by a statement, or by nothing that allows.
    pub effect: Effect,
    /// The policy type that decided or was silent.
    pub reason: policy::Reason,
    /// The action that was refused.
    pub action: String,
    /// The resource that it was refused on.
    pub resource: String,
    /// The deciding statement; none for an implicit denial.
    pub statement: Option<StatementName>,
    /// The condition keys of the request, for who may read them.
    pub keys: Vec<(String, ContextValue)>,
}

/// A statement, by policy, Sid and position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementName {
    /// The policy.
    pub policy: Arc<str>,
    /// The statement's `Sid`.
    pub sid: Option<String>,
    /// Its position in the policy, from 0.
    pub index: usize,
}

/// Decides everything that `requirements` names, and makes the proof for the operation.
///
/// # Errors
/// [`Refused`].
pub async fn authorize<F: Facts, I>(
    facts: &F,
    context: RequestContext,
    rule: &Rule,
    requirements: &Requirements,
    input: I,
) -> Result<Authorized<I, F::Record>, Refused<F::Error>> {
    let first = check(facts, &context, rule, requirements).await?;
    let resource = Decided::new(first.arn, first.unique_id);
    Ok(Authorized::new(
        context,
        rule.action,
        resource,
        input,
        first.record,
    ))
}

/// The decision alone, for what an operation does only where it is allowed (a blob that is
/// mounted from another repository). Returns the resource of the first check.
///
/// # Errors
/// [`Refused`].
pub async fn check<F: Facts>(
    facts: &F,
    context: &RequestContext,
    rule: &Rule,
    requirements: &Requirements,
) -> Result<Resource<F::Record>, Refused<F::Error>> {
    let (_, name) = rule.action.split_once(':').unwrap_or(("", rule.action));
    let sessions = rule.sessions.check(&context.caller, name);
    sessions.map_err(Refused::Session)?;

    let own = facts.controls(context.caller.account).await;
    let own = own.map_err(Refused::Lookup)?;
    let mut request_keys = request_keys(context);
    if let Some(factor) = requirements.presented_factor() {
        let verified = facts.verify(context, factor).await;
        verified.map_err(Refused::Lookup)?;
        // The code counts for this decision alone (IAM User Guide, "Secure API access with MFA").
        request_keys = request_keys
            .set_lower(MFA_PRESENT, "true")
            .set_lower(MFA_AGE, "0");
    }
    principal_organization(&context.caller, own.as_deref(), &mut request_keys);
    for (name, value) in requirements.keys().iter() {
        request_keys.insert(name, value.clone());
    }
    let mut first = None;
    let mut checks = rule.checks(requirements);
    add_chained(&context.caller, &mut checks, &mut request_keys);
    let mut checks = checks.into_iter().peekable();
    while let Some(check) = checks.next() {
        let selector = &check.resource;
        let found = facts.resource(context, selector).await;
        let resource = found.map_err(Refused::Lookup)?;
        let owner = match resource.owner() {
            Some(owner) if owner == context.caller.account => own.clone(),
            Some(owner) => facts.controls(owner).await.map_err(Refused::Lookup)?,
            None => None,
        };
        let action = check.action.unwrap_or(rule.action);
        // Nearly every request has one check: its keys are not copied.
        let own_keys = match checks.peek() {
            Some(_) => request_keys.clone(),
            None => std::mem::take(&mut request_keys),
        };
        let mut keys = all_keys(context, own_keys, &resource);
        resource_organization(owner.as_deref(), &mut keys);
        let controls = Controls {
            caller: own.as_deref(),
            resource: owner.as_deref(),
        };
        let decided = evaluate(
            &context.caller,
            action,
            selector,
            &resource,
            &keys,
            controls,
        );
        if let Err(denial) = decided {
            if resource.from_memory && resource.owner() != Some(context.account) {
                let done = facts.equalize(&resource).await;
                done.map_err(Refused::Lookup)?;
            }
            return Err(Refused::Denied(Box::new(denial)));
        }
        first.get_or_insert(resource);
    }
    Ok(first.unwrap_or_else(|| Resource::plain("*", Some(context.account))))
}

/// Whether the caller could perform `action` on `resource` under another resource policy: asked
/// before a policy is stored that its author could not replace. What organizations impose does not
/// depend on that policy, and is left out.
#[must_use]
pub fn is_allowed_under<R>(
    context: &RequestContext,
    action: &str,
    selector: &ResourceSelector,
    resource: &Resource<R>,
) -> bool {
    let keys = all_keys(context, request_keys(context), resource);
    let controls = Controls::default();
    evaluate(&context.caller, action, selector, resource, &keys, controls).is_ok()
}

/// All condition keys of a decision: the caller's, the resource's, and on top the request's.
fn all_keys<R>(context: &RequestContext, mut keys: Context, resource: &Resource<R>) -> Context {
    for (name, value) in &resource.keys {
        // `iam:PermissionsBoundary` of a Put or Create is the request's, not the entity's.
        keys.insert_missing(name, ContextValue::One(Arc::clone(value)));
    }
    if let Some(owner) = resource.owner() {
        let owner = ContextValue::One(owner.as_str().into());
        keys.insert_lower("aws:resourceaccount", owner);
    }
    Context::layered(&context.caller.context, keys)
}

/// What the organizations of the caller's account and of the resource's account impose.
#[derive(Clone, Copy, Default)]
struct Controls<'a> {
    caller: Option<&'a AccountControls>,
    resource: Option<&'a AccountControls>,
}

impl Controls<'_> {
    /// Whether caller and resource belong to one organization.
    fn is_one_organization(&self) -> bool {
        let organization = |controls: Option<&AccountControls>| {
            controls.map(|controls| Arc::clone(&controls.organization))
        };
        self.caller.is_some() && organization(self.caller) == organization(self.resource)
    }
}

/// The condition keys of the caller's organization. An identity of a provider, a host and a service are no
/// principals of an account (IAM User Guide, "AWS global condition context keys",
/// `aws:PrincipalOrgID`).
fn principal_organization(caller: &Caller, controls: Option<&AccountControls>, keys: &mut Context) {
    let is_principal = !matches!(
        caller.kind,
        CallerKind::ProviderIdentity { .. } | CallerKind::Host { .. } | CallerKind::Service { .. }
    );
    let Some(controls) = controls.filter(|_| is_principal) else {
        return;
    };
    let one = |value: &Arc<str>| ContextValue::One(Arc::clone(value));
    keys.insert("aws:PrincipalOrgID", one(&controls.organization));
    keys.insert(
        "aws:PrincipalOrgMasterAccount",
        one(&controls.management_account),
    );
    let paths = vec![Arc::clone(&controls.path)];
    keys.insert("aws:PrincipalOrgPaths", ContextValue::Many(paths));
}

/// The condition keys of the resource's organization.
fn resource_organization(controls: Option<&AccountControls>, keys: &mut Context) {
    let Some(controls) = controls else {
        return;
    };
    let organization = Arc::clone(&controls.organization);
    keys.insert("aws:ResourceOrgID", ContextValue::One(organization));
    let paths = vec![Arc::clone(&controls.path)];
    keys.insert("aws:ResourceOrgPaths", ContextValue::Many(paths));
}

/// Adds what a session that assumes a role passes on without naming it: its transitive tags and
/// its source identity need the same actions on the next role as if the request had brought them
/// (IAM User Guide, "Pass session tags in AWS STS", "Chaining roles with session tags"; "Monitor
/// and control actions taken with assumed roles").
fn add_chained(caller: &Caller, checks: &mut Vec<Check>, keys: &mut Context) {
    let is_role = |check: &&Check| matches!(check.resource, ResourceSelector::TrustingRole(_));
    let (Some(session), Some(role)) = (&caller.session_info, checks.iter().find(is_role)) else {
        return;
    };
    if let Some(identity) = &session.source_identity {
        // It is set again for the next session, so both keys exist (C4).
        let identity = ContextValue::One(identity.as_str().into());
        keys.insert_missing("sts:SourceIdentity", identity);
    }
    let role = role.resource.clone();
    for (action, passed_on) in [
        ("sts:TagSession", !session.transitive_tags.is_empty()),
        ("sts:SetSourceIdentity", session.source_identity.is_some()),
    ] {
        let present = checks.iter().any(|check| check.action == Some(action));
        if passed_on && !present {
            checks.push(Check {
                action: Some(action),
                resource: role.clone(),
            });
        }
    }
}

fn evaluate<R>(
    caller: &Caller,
    action: &str,
    selector: &ResourceSelector,
    resource: &Resource<R>,
    keys: &Context,
    controls: Controls<'_>,
) -> Result<(), Denial> {
    let request = Request {
        principal: &caller.principal,
        action,
        resource: &resource.arn,
        resource_account: resource.account.as_ref().map(AccountId::as_str),
        context: keys,
    };
    let policies = ApplicablePolicies {
        identity: Some(&caller.identity),
        boundary: caller.boundary.as_deref(),
        session: caller.session.as_deref(),
        resource: resource.policy.as_deref(),
        service_control: controls
            .caller
            .map_or(&[], |controls| &controls.service_control),
        resource_control: controls
            .resource
            .map_or(&[], |controls| &controls.resource_control),
        management_account: controls
            .caller
            .is_some_and(|controls| controls.is_management),
    };
    let refuse = |decision: &Decision<'_>| {
        let mut denial = denial(caller, action, selector, &resource.arn, decision);
        let names_policy = match decision.reason {
            policy::Reason::ServiceControl => true,
            policy::Reason::ResourceControl => controls.is_one_organization(),
            _ => false,
        };
        if let Some(statement) = &denial.decision.statement
            && names_policy
        {
            denial.message = format!("{}: {}", denial.message, statement.policy);
        }
        let keys = keys.iter();
        denial.decision.keys = keys
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        denial
    };
    let decision = policy::decide(&request, &policies);
    if !decision.is_allowed() {
        return Err(refuse(&decision));
    }
    // Each narrows the session as a session policy of its own.
    for layer in &caller.scope_downs {
        let policies = ApplicablePolicies {
            session: Some(layer),
            ..policies
        };
        let decision = policy::decide(&request, &policies);
        if !decision.is_allowed() {
            return Err(refuse(&decision));
        }
    }
    Ok(())
}

fn denial(
    caller: &Caller,
    action: &str,
    selector: &ResourceSelector,
    arn: &str,
    decision: &Decision<'_>,
) -> Denial {
    let statement = decision.statement.map(|statement| StatementName {
        policy: Arc::clone(&statement.policy.name),
        sid: statement.sid.map(str::to_owned),
        index: statement.index,
    });
    let message = match caller.kind {
        // Nobody whom an ARN could name (recorded at AWS: aws-actions/configure-aws-credentials#318).
        CallerKind::ProviderIdentity { .. }
        | CallerKind::Host { .. }
        | CallerKind::Service { .. } => {
            format!("Not authorized to perform {action}")
        }
        // The management account's, and no delegation policy allows it.
        _ if action.starts_with("organizations:")
            && decision.effect == Effect::ImplicitlyDenied
            && decision.reason == policy::Reason::Resource =>
        {
            "You don't have permissions to access this resource.".to_owned()
        }
        _ => {
            let short = selector.short_name(action);
            decision.denial_message(&caller.arn, action, short.as_deref().unwrap_or(arn))
        }
    };
    Denial {
        message,
        decision: DecisionRecord {
            effect: decision.effect,
            reason: decision.reason,
            action: action.to_owned(),
            resource: arn.to_owned(),
            statement,
            keys: Vec::new(),
        },
    }
}

/// The global condition keys of the request itself (IAM User Guide, "AWS global condition context
/// keys"). Those of the principal and the session come with the caller.
fn request_keys(context: &RequestContext) -> Context {
    let client = &context.client;
    let now = second_of(context.now);
    // In the order of the names, so that none moves another.
    let mut keys = Context::with_capacity(REQUEST_KEYS_USUAL)
        .set_lower("aws:currenttime", now.iso8601)
        .set_lower("aws:epochtime", now.epoch_text);
    if let Some(age) = mfa_age(context) {
        keys = keys.set_lower(MFA_AGE, age);
    }
    if let Some(referer) = &client.referer {
        keys = keys.set_lower("aws:referer", Arc::clone(referer));
    }
    keys = keys
        .set_lower("aws:requestedregion", context.region.as_str())
        .set_lower("aws:securetransport", boolean(client.secure))
        .set_lower("aws:sourceip", client.address.to_string());
    if !client.user_agent.is_empty() {
        keys = keys.set_lower("aws:useragent", Arc::clone(&client.user_agent));
    }
    keys.set_lower("aws:viaawsservice", boolean(false))
}

/// Keys of most requests, with those of a repository and its organization.
const REQUEST_KEYS_USUAL: usize = 12;

fn boolean(value: bool) -> Arc<str> {
    static TEXTS: LazyLock<[Arc<str>; 2]> = LazyLock::new(|| ["false".into(), "true".into()]);
    Arc::clone(&TEXTS[usize::from(value)])
}

/// A second as condition keys have it.
#[derive(Clone)]
struct Second {
    epoch: i64,
    iso8601: Arc<str>,
    epoch_text: Arc<str>,
}

/// The texts of a point in time, which the requests of a second share.
fn second_of(time: Timestamp) -> Second {
    thread_local! {
        static LAST: RefCell<Option<Second>> = const { RefCell::new(None) };
    }
    let epoch = time.as_second();
    LAST.with_borrow_mut(|last| match last {
        Some(known) if known.epoch == epoch => known.clone(),
        _ => last
            .insert(Second {
                epoch,
                iso8601: aws_types::time::iso8601(time).into(),
                epoch_text: epoch.to_string().into(),
            })
            .clone(),
    })
}

/// The seconds since the caller's session was made with a code of an MFA device.
fn mfa_age(context: &RequestContext) -> Option<String> {
    let at = context.caller.session_info.as_ref()?.mfa_at?;
    let seconds = context.now.as_second().saturating_sub(at.as_second());
    Some(seconds.max(0).to_string())
}
