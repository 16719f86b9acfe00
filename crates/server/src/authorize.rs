//! Authorization: where a request is allowed or not, and the only maker of [`Authorized`].
//!
//! A handler takes `Authorized<Input>`. Its fields are private and this module alone builds it, after
//! every action that the operation's table entry names was decided on its resource, with the caller's
//! policies as they are now and the request's condition keys. An operation that nobody guarded has no
//! `Authorized` to give to its handler, so it does not compile.

use std::sync::Arc;

use aws_types::{AccountId, Arn, Region};
use identity::{Caller, EntityRef};
use jiff::Timestamp;
use policy::{ApplicablePolicies, Context, ContextValue, Decision, Effect, PolicySet, Request};
use registry::RepositoryFacts;

use crate::app::App;
use crate::audit::Decided;
use crate::error::{ApiError, Denial};
use crate::head::Client;
use crate::permissions::{Entity, Requirements, ResourceSelector, registry_account};

/// The caller, the time and the origin of a request.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) caller: Arc<Caller>,
    /// The region that the request is for.
    pub(crate) region: Region,
    pub(crate) now: Timestamp,
    pub(crate) request_id: Arc<str>,
    pub(crate) client: Client,
}

/// An input that its caller may have acted on.
pub(crate) struct Authorized<I> {
    subject: RequestContext,
    input: I,
    /// The repository that the operation is about, as it was when it was decided on.
    repository: Option<Arc<RepositoryFacts>>,
    /// The unique id of the role whose trust policy was asked.
    role_id: Option<String>,
}

impl<I> Authorized<I> {
    /// Of `AssumeRole`: a role made anew under the name is not the one that was decided on.
    pub(crate) fn role_id(&self) -> Option<&str> {
        self.role_id.as_deref()
    }

    pub(crate) fn subject(&self) -> &RequestContext {
        &self.subject
    }

    pub(crate) fn input(&self) -> &I {
        &self.input
    }

    pub(crate) fn repository(&self) -> Option<&Arc<RepositoryFacts>> {
        self.repository.as_ref()
    }

    /// For an operation of IAM or STS.
    pub(crate) fn into_identity_call(self) -> (identity::Call, I) {
        let call = identity::Call {
            account: self.subject.caller.account,
            region: self.subject.region,
            now: self.subject.now,
            caller: self.subject.caller,
            request_id: self.subject.request_id.to_string(),
        };
        (call, self.input)
    }

    /// For an operation of the registry.
    pub(crate) fn into_registry_call(self) -> (registry::Call, I) {
        (self.subject.registry_call(), self.input)
    }
}

impl RequestContext {
    pub(crate) fn registry_call(&self) -> registry::Call {
        registry::Call {
            account: self.caller.account,
            region: self.region.clone(),
            now: self.now,
            caller_arn: Arc::clone(&self.caller.arn),
            request_id: Arc::clone(&self.request_id),
            client: Arc::clone(&self.client.user_agent),
        }
    }
}

/// A resource, looked up.
struct Resource {
    arn: Arc<str>,
    /// Its owner; `None` leaves it to the ARN.
    account: Option<AccountId>,
    policy: Option<Arc<PolicySet>>,
    /// Condition keys that follow from it.
    keys: Vec<(String, Arc<str>)>,
    repository: Option<Arc<RepositoryFacts>>,
    /// Of a role that is to be assumed.
    role_id: Option<String>,
}

impl Resource {
    /// The account that it belongs to, where one is known or stands in its ARN.
    fn owner(&self) -> Option<AccountId> {
        self.account
            .or_else(|| self.arn.parse::<Arn>().ok()?.account().parse().ok())
    }

    fn of(repository: Arc<RepositoryFacts>) -> Resource {
        Resource {
            arn: Arc::clone(&repository.arn),
            account: Some(repository.account),
            policy: repository.policy.clone(),
            keys: tag_keys(
                &["aws:ResourceTag/", "ecr:ResourceTag/"],
                repository.tags.iter(),
            ),
            repository: Some(repository),
            role_id: None,
        }
    }

    fn plain(arn: impl Into<Arc<str>>, account: Option<AccountId>) -> Resource {
        Resource {
            arn: arn.into(),
            account,
            policy: None,
            keys: Vec::new(),
            repository: None,
            role_id: None,
        }
    }
}

/// Decides everything that `needs` names. `action` is the operation's own.
pub(crate) async fn authorize<I>(
    app: &App,
    subject: RequestContext,
    action: &'static str,
    needs: Requirements,
    input: I,
) -> Result<Authorized<I>, ApiError> {
    let first = evaluate(app, &subject, action, needs).await?;
    let (repository, role_id) =
        first.map_or((None, None), |first| (first.repository, first.role_id));
    Ok(Authorized {
        subject,
        input,
        repository,
        role_id,
    })
}

/// The decision alone, for what an operation may do only if it may (a blob mounted from another
/// repository). Answers the repository of the first ask.
pub(crate) async fn check(
    app: &App,
    subject: &RequestContext,
    action: &'static str,
    needs: Requirements,
) -> Result<Option<Arc<RepositoryFacts>>, ApiError> {
    let first = evaluate(app, subject, action, needs).await?;
    Ok(first.and_then(|first| first.repository))
}

/// Decides, and answers the resource of the first ask.
async fn evaluate(
    app: &App,
    subject: &RequestContext,
    action: &'static str,
    needs: Requirements,
) -> Result<Option<Resource>, ApiError> {
    let mut request_keys = request_keys(subject);
    for (name, value) in needs.keys.iter() {
        request_keys.insert(name, value.clone());
    }
    let mut first = None;
    let chained = chained(&subject.caller, &needs);
    for (at, (own, target)) in needs.checks.iter().chain(&chained).enumerate() {
        let resource = resolve(app, subject, target).await?;
        let context = context(subject, request_keys.clone(), &resource);
        let or = needs.or.filter(|_| at == 0);
        decide(subject, own.unwrap_or(action), or, &resource, &context)?;
        if at == 0 {
            first = Some(resource);
        }
    }
    Ok(first)
}

/// All condition keys of a decision: the caller's, the resource's, and on top the request's.
fn context(subject: &RequestContext, mut keys: Context, resource: &Resource) -> Context {
    for (name, value) in &resource.keys {
        // The request's own boundary is what a Put or Create is judged by.
        keys.insert_missing(name, ContextValue::One(Arc::clone(value)));
    }
    if let Some(owner) = resource.owner() {
        let owner = ContextValue::One(owner.as_str().into());
        keys.insert("aws:ResourceAccount", owner);
    }
    Context::layered(&subject.caller.context, keys)
}

/// Whether the caller could do `action` on the operation's repository if `policy` were its resource's
/// side: asked before a policy is stored that its maker could not take back.
pub(crate) fn allowed_under<I>(ok: &Authorized<I>, action: &str, policy: Arc<PolicySet>) -> bool {
    let Some(repository) = &ok.repository else {
        return true;
    };
    let resource = Resource {
        policy: Some(policy),
        ..Resource::of(Arc::clone(repository))
    };
    let context = context(&ok.subject, request_keys(&ok.subject), &resource);
    decide(&ok.subject, action, None, &resource, &context).is_ok()
}

/// What a session that assumes a role hands on without saying so: its transitive tags and its source
/// identity are asked of the next role's trust policy as if the request had brought them (IAM User
/// Guide, "Pass session tags in AWS STS", "Chaining roles with session tags"; "Monitor and control
/// actions taken with assumed roles").
fn chained(caller: &Caller, needs: &Requirements) -> Vec<(Option<&'static str>, ResourceSelector)> {
    let trusting =
        |(_, target): &&(_, ResourceSelector)| matches!(target, ResourceSelector::TrustingRole(_));
    let (Some(session), Some((_, role))) = (
        caller.session_info.as_ref(),
        needs.checks.iter().find(trusting),
    ) else {
        return Vec::new();
    };
    let asked = |action: &str| needs.checks.iter().any(|(own, _)| *own == Some(action));
    [
        ("sts:TagSession", !session.transitive_tags.is_empty()),
        ("sts:SetSourceIdentity", session.source_identity.is_some()),
    ]
    .into_iter()
    .filter(|(action, handed_on)| *handed_on && !asked(action))
    .map(|(action, _)| (Some(action), role.clone()))
    .collect()
}

/// Decides on `action`, or on `or` where that one is silent.
fn decide(
    subject: &RequestContext,
    action: &str,
    or: Option<&str>,
    resource: &Resource,
    context: &Context,
) -> Result<(), ApiError> {
    let caller = &subject.caller;
    let request = Request {
        principal: &caller.principal,
        action,
        resource: &resource.arn,
        resource_account: resource.account.as_ref().map(AccountId::as_str),
        context,
    };
    let applicable = ApplicablePolicies {
        identity: Some(&caller.identity),
        boundary: caller.boundary.as_deref(),
        session: caller.session.as_deref(),
        resource: resource.policy.as_deref(),
        ..ApplicablePolicies::default()
    };
    let decision = policy::decide(&request, &applicable);
    let other = or.map(|action| {
        (
            action,
            policy::decide(&Request { action, ..request }, &applicable),
        )
    });
    let denied = match &other {
        // A Deny of either action refuses, whatever the other one is.
        Some((action, other)) if other.effect == Effect::ExplicitlyDenied => Some((*action, other)),
        Some((_, other)) if other.is_allowed() && decision.effect == Effect::ImplicitlyDenied => {
            None
        }
        _ if decision.is_allowed() => None,
        _ => Some((action, &decision)),
    };
    match denied {
        None => Ok(()),
        Some((action, decision)) => Err(ApiError::Denied(Box::new(refusal(
            caller, action, resource, decision,
        )))),
    }
}

fn refusal(caller: &Caller, action: &str, resource: &Resource, decision: &Decision<'_>) -> Denial {
    let statement = decision.statement.map(|statement| {
        let sid = statement.sid.map(str::to_owned);
        (Arc::clone(&statement.policy.name), sid, statement.index)
    });
    Denial {
        message: decision.denial_message(&caller.arn, action, &resource.arn),
        decided: Decided {
            effect: match decision.effect {
                Effect::Allowed => "Allowed",
                Effect::ExplicitlyDenied => "ExplicitlyDenied",
                Effect::ImplicitlyDenied => "ImplicitlyDenied",
            },
            reason: format!("{:?}", decision.reason),
            action: action.to_owned(),
            resource: resource.arn.to_string(),
            statement,
        },
    }
}

/// The global condition keys of the request itself (IAM User Guide, "AWS global condition context keys").
/// Those of the principal and the session come with the caller.
fn request_keys(subject: &RequestContext) -> Context {
    let client = &subject.client;
    let agent = (!client.user_agent.is_empty()).then(|| Arc::clone(&client.user_agent));
    let secure = if client.secure { "true" } else { "false" };
    Context::new()
        .set("aws:SourceIp", client.address.to_string())
        .set("aws:SecureTransport", secure)
        .set(
            "aws:CurrentTime",
            subject.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
        .set("aws:EpochTime", subject.now.as_second().to_string())
        .set("aws:RequestedRegion", subject.region.as_str())
        .set("aws:ViaAWSService", "false")
        .set_option("aws:UserAgent", agent)
        .set_option("aws:Referer", client.referer.clone())
}

async fn resolve(
    app: &App,
    subject: &RequestContext,
    target: &ResourceSelector,
) -> Result<Resource, ApiError> {
    let account = subject.caller.account;
    Ok(match target {
        ResourceSelector::Any => Resource::plain("*", Some(account)),
        ResourceSelector::Text(text) => Resource::plain(text.as_str(), Some(account)),
        ResourceSelector::Caller => Resource::plain(Arc::clone(&subject.caller.arn), Some(account)),
        ResourceSelector::KeyOwner(id) => match app.identity.owner_of_key(id).await? {
            Some(arn) if is_of(&arn, account) => Resource::plain(arn, Some(account)),
            // Whoever may ask for every user's keys learns that there is none. Another account's key is
            // none: whose it is stays there.
            _ => Resource::plain(format!("arn:aws:iam::{account}:user/*"), Some(account)),
        },
        ResourceSelector::Repository { registry, name } => {
            let owner = registry_account(registry.as_deref(), account);
            repository(app, owner, &subject.region, name).await?
        }
        ResourceSelector::RepositoryArn(text) => tagged_repository(app, subject, text).await?,
        ResourceSelector::Entity(kind, name) => entity(app, subject, *kind, name).await?,
        ResourceSelector::Renamed(kind, name, new_name, new_path) => {
            let now = entity(app, subject, *kind, name).await?;
            let name = new_name.as_deref().unwrap_or(name);
            let path = match new_path {
                Some(path) => Some(path.clone()),
                None => path_of(&now.arn, *kind),
            };
            Resource {
                arn: entity_arn(*kind, account, path.as_deref(), name).into(),
                ..now
            }
        }
        ResourceSelector::NewEntity(kind, path, name) => Resource::plain(
            entity_arn(*kind, account, path.as_deref(), name),
            Some(account),
        ),
        ResourceSelector::Policy(arn) => entity(app, subject, Entity::Policy, arn).await?,
        ResourceSelector::FederatedUser(name) => {
            let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
            Resource::plain(arn, Some(account))
        }
        ResourceSelector::TrustingRole(arn) => trusting_role(app, arn).await?,
    })
}

async fn repository(
    app: &App,
    owner: AccountId,
    region: &Region,
    name: &str,
) -> Result<Resource, ApiError> {
    let facts = match name {
        "*" => None,
        _ => app.registry.repository_facts(&owner, region, name).await?,
    };
    Ok(match facts {
        Some(facts) => Resource::of(facts),
        None => {
            let arn = format!("arn:aws:ecr:{region}:{owner}:repository/{name}");
            Resource {
                policy: app.registry.registry_policy(&owner, region).await?,
                ..Resource::plain(arn, Some(owner))
            }
        }
    })
}

async fn tagged_repository(
    app: &App,
    subject: &RequestContext,
    text: &str,
) -> Result<Resource, ApiError> {
    let parsed = text.parse::<Arn>().ok().and_then(|arn| {
        let owner: AccountId = arn.account().parse().ok()?;
        let region: Region = arn.region().parse().ok()?;
        let name = arn.resource().strip_prefix("repository/")?.to_owned();
        (arn.service() == "ecr").then_some((owner, region, name))
    });
    match parsed {
        Some((owner, region, name)) if registry::is_repository_name(&name) => {
            repository(app, owner, &region, &name).await
        }
        // The operation says what is wrong with it, to whoever may do it on anything.
        _ => Ok(Resource::plain(text, Some(subject.caller.account))),
    }
}

async fn entity(
    app: &App,
    subject: &RequestContext,
    kind: Entity,
    name: &str,
) -> Result<Resource, ApiError> {
    let account = subject.caller.account;
    let named = match kind {
        Entity::User => EntityRef::User(name),
        Entity::Role => EntityRef::Role(name),
        Entity::Group => EntityRef::Group(name),
        Entity::InstanceProfile => EntityRef::InstanceProfile(name),
        Entity::Policy => EntityRef::Policy(name),
    };
    let arn = match kind {
        Entity::Policy => name.to_owned(),
        _ => entity_arn(kind, account, None, name),
    };
    // AWS's own managed policies belong to the account `aws` and are everybody's to read.
    let owner = arn
        .parse::<Arn>()
        .ok()
        .and_then(|arn| arn.account().parse().ok())
        .unwrap_or(account);
    Ok(match app.identity.entity_facts(account, named).await? {
        Some(facts) => {
            let tags = facts.tags.iter().map(|(key, value)| (key, value));
            let mut keys = tag_keys(&["aws:ResourceTag/", "iam:ResourceTag/"], tags);
            if let Some(boundary) = facts.boundary_arn {
                keys.push(("iam:PermissionsBoundary".to_owned(), boundary.into()));
            }
            Resource {
                keys,
                ..Resource::plain(facts.arn, Some(owner))
            }
        }
        None => Resource::plain(arn, Some(owner)),
    })
}

/// A role that does not exist is refused like one whose trust policy is silent: whether it exists is
/// nobody's to learn by asking.
async fn trusting_role(app: &App, arn: &str) -> Result<Resource, ApiError> {
    Ok(match app.identity.role_for_assume(arn).await? {
        Some(role) => {
            let tags = role.tags.iter().map(|(key, value)| (key, value));
            Resource {
                account: Some(role.account),
                policy: Some(Arc::clone(&role.trust)),
                role_id: Some(role.unique_id.clone()),
                keys: tag_keys(&["aws:ResourceTag/", "iam:ResourceTag/"], tags),
                ..Resource::plain(role.arn.as_str(), None)
            }
        }
        None => Resource {
            policy: Some(Arc::new(PolicySet::default())),
            ..Resource::plain(arn, None)
        },
    })
}

/// `/team/` of `arn:aws:iam::123456789012:user/team/alice`.
fn path_of(arn: &str, kind: Entity) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    let path_and_name = arn.resource().strip_prefix(kind.arn_type())?;
    let end = path_and_name.rfind('/')?;
    Some(path_and_name[..=end].to_owned())
}

fn is_of(arn: &str, account: AccountId) -> bool {
    arn.parse::<Arn>()
        .is_ok_and(|arn| arn.account() == account.as_str())
}

fn entity_arn(kind: Entity, account: AccountId, path: Option<&str>, name: &str) -> String {
    let path = path.unwrap_or("/");
    format!("arn:aws:iam::{account}:{}{path}{name}", kind.arn_type())
}

fn tag_keys<'a>(
    prefixes: &[&str],
    tags: impl Iterator<Item = (&'a String, &'a String)>,
) -> Vec<(String, Arc<str>)> {
    let mut keys = Vec::new();
    for (key, value) in tags {
        let value: Arc<str> = value.as_str().into();
        for prefix in prefixes {
            keys.push((format!("{prefix}{key}"), Arc::clone(&value)));
        }
    }
    keys
}
