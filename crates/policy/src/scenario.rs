//! Scenarios: a request and its policies as one JSON document, for tests, corpora and the
//! command line.
//!
//! ```
//! use policy::scenario::Scenario;
//!
//! let scenario = Scenario::from_json(r#"{
//!   "request": {"principal": "arn:aws:iam::111122223333:user/ana",
//!               "action": "ecr:PutImage",
//!               "resource": "arn:aws:ecr:us-east-1:111122223333:repository/app",
//!               "context": {"aws:SourceIp": "10.0.0.7"}},
//!   "identityPolicies": [{"Version": "2012-10-17",
//!     "Statement": {"Sid": "Push", "Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}]
//! }"#)?;
//! let outcome = scenario.evaluate();
//! assert_eq!(outcome.decision, policy::Effect::Allowed);
//! assert_eq!(outcome.statements[0].policy, "identityPolicies[0]");
//! # Ok::<(), policy::scenario::ScenarioError>(())
//! ```
//!
//! `principal` is the ARN of a user, a role session, a federated user or the root user, an
//! account ID (its root user), a service principal, or `anonymous`. An array in `context`
//! is a multivalued key. A policy type that is absent does not take part. Keys that follow
//! from the principal, and `aws:ResourceAccount`, are filled in where they are not given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::compiled::is_account_id;
use crate::context::{Context, ContextValue};
use crate::decide::{Authority, Decision, Effect, Request, decide};
use crate::document::{Document, DocumentKind, StatementEffect};
use crate::error::PolicyError;
use crate::explain::{Explanation, explain};
use crate::json;
use crate::principal::{Principal, arn_account};
use crate::set::{PolicyRef, PolicySet};

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not the JSON that is expected.
    #[error("the scenario cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A part is missing or not understood.
    #[error("{0}")]
    Invalid(String),
    /// One of the policies is refused.
    #[error("`{policy}` is refused: {error} ({})", error.detail)]
    Policy {
        /// Which: `identityPolicies[0]`, ...
        policy: String,
        /// Why.
        error: PolicyError,
    },
}

/// A request with the policies that decide it.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: Option<String>,
    principal: Principal,
    action: String,
    resource: String,
    resource_account: Option<String>,
    context: Context,
    identity: Option<PolicySet>,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    resource_policy: Option<PolicySet>,
    service_control: Vec<PolicySet>,
    resource_control: Vec<PolicySet>,
    management_account: bool,
    expect: Option<Expectation>,
}

/// What a scenario says must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The outcome.
    pub decision: Effect,
    /// Words that the reason must hold.
    pub reason: Option<String>,
}

/// The decision in the command line's format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
    pub decision: Effect,
    /// One sentence.
    pub reason: String,
    /// The statements that the decision rests on.
    pub statements: Vec<OutcomeStatement>,
}

/// One statement of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeStatement {
    /// `identityPolicies[0]`, `serviceControlPolicies[0][1]`, ...
    pub policy: String,
    /// Its `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Its place in the policy, from 0.
    pub index: usize,
    /// `Allow` or `Deny`.
    pub effect: StatementEffect,
}

/// The request as written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    principal: String,
    /// The role behind a session; derived from the session's ARN when absent, which a
    /// role with a path makes wrong.
    principal_role_arn: Option<String>,
    /// The user behind a federated user.
    principal_user_arn: Option<String>,
    /// `AIDA...` or `AROA...`; else taken from `aws:userid`.
    principal_id: Option<String>,
    action: String,
    #[serde(default = "any_resource")]
    resource: String,
    resource_account: Option<String>,
    context: Option<Box<RawValue>>,
}

fn any_resource() -> String {
    "*".into()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Decision(String),
    Full {
        decision: String,
        reason: Option<String>,
    },
}

type Fields = BTreeMap<String, Box<RawValue>>;

impl Scenario {
    /// Reads a scenario. Fields that are none of a scenario's are notes and ignored,
    /// except where their name speaks of a policy: a misspelt policy type must not silently
    /// take no part.
    pub fn from_json(text: &str) -> Result<Scenario, ScenarioError> {
        let mut fields: Fields = serde_json::from_str(text)?;
        let asked: Asked = match fields.remove("request") {
            Some(raw) => serde_json::from_str(raw.get())?,
            None => {
                return Err(ScenarioError::Invalid(
                    "the field `request` is missing".into(),
                ));
            }
        };
        let context = context(asked.context.as_deref())?;
        let principal = principal(&asked, &context)?;
        let context = derived(context, &principal, &asked);
        let mut policies = Policies { fields };
        let resource_kind = policies.resource_kind(&asked);
        let scenario = Scenario {
            identity: policies.list("identityPolicies", DocumentKind::Managed)?,
            boundary: policies.one("permissionsBoundary", DocumentKind::PermissionsBoundary)?,
            // As for `AssumeRole`: no policy that is passed is no session policy.
            session: policies
                .list("sessionPolicies", DocumentKind::Session)?
                .filter(|session| !session.policies().is_empty()),
            resource_policy: policies.one("resourcePolicy", resource_kind)?,
            service_control: policies
                .levels("serviceControlPolicies", DocumentKind::ServiceControl)?,
            resource_control: policies
                .levels("resourceControlPolicies", DocumentKind::ResourceControl)?,
            management_account: policies.take("managementAccount")?.unwrap_or(false),
            expect: expectation(policies.take("expect")?)?,
            name: policies.take("name")?,
            principal,
            action: asked.action,
            resource: asked.resource,
            resource_account: asked.resource_account,
            context,
        };
        policies.refuse_rest()?;
        Ok(scenario)
    }

    /// Reads one scenario, a JSON array of scenarios, or JSON Lines of either.
    pub fn many_from_json(text: &str) -> Vec<Result<Scenario, ScenarioError>> {
        let mut scenarios = Vec::new();
        let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        for value in values {
            let raw = match value {
                Ok(raw) => raw.get().trim_start(),
                Err(error) => {
                    // What follows a syntax error cannot be told apart from it.
                    scenarios.push(Err(error.into()));
                    break;
                }
            };
            if raw.starts_with('[') {
                match serde_json::from_str::<Vec<&RawValue>>(raw) {
                    Ok(raws) => {
                        scenarios.extend(raws.iter().map(|raw| Scenario::from_json(raw.get())))
                    }
                    Err(error) => scenarios.push(Err(error.into())),
                }
            } else {
                scenarios.push(Scenario::from_json(raw));
            }
        }
        scenarios
    }

    /// The scenario's `name`.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The scenario's `expect`: `"Allowed"`, or `{"decision": ..., "reason": ...}`.
    pub fn expect(&self) -> Option<&Expectation> {
        self.expect.as_ref()
    }

    fn request(&self) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: &self.context,
        }
    }

    fn authority(&self) -> Authority<'_> {
        Authority {
            identity: self.identity.as_ref(),
            boundary: self.boundary.as_ref(),
            session: self.session.as_ref(),
            resource: self.resource_policy.as_ref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            management_account: self.management_account,
        }
    }

    /// The decision alone.
    pub fn decide(&self) -> Decision<'_> {
        decide(&self.request(), &self.authority())
    }

    /// The decision with its trace.
    pub fn explain(&self) -> Explanation {
        explain(&self.request(), &self.authority())
    }

    /// The decision as the command line prints it.
    pub fn evaluate(&self) -> Outcome {
        let explanation = self.explain();
        let statements = explanation
            .deciding()
            .map(|(policy, statement)| OutcomeStatement {
                policy: policy.policy.name.to_string(),
                sid: statement.sid.clone(),
                index: statement.index,
                effect: statement.effect,
            })
            .collect();
        Outcome {
            decision: explanation.effect,
            reason: explanation.sentence,
            statements,
        }
    }

    /// AWS's words for the denial.
    pub fn denial_message(&self) -> String {
        let decision = self.decide();
        decision.denial_message(self.principal.arn(), &self.action, &self.resource)
    }
}

impl Expectation {
    /// Whether an outcome is the expected one.
    pub fn is_met_by(&self, outcome: &Outcome) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.decision == outcome.decision && outcome.reason.contains(reason)
    }
}

fn expectation(expected: Option<Expected>) -> Result<Option<Expectation>, ScenarioError> {
    let (decision, reason) = match expected {
        None => return Ok(None),
        Some(Expected::Decision(decision)) => (decision, None),
        Some(Expected::Full { decision, reason }) => (decision, reason),
    };
    let decision = match &*decision {
        "Allowed" => Effect::Allowed,
        "ExplicitlyDenied" => Effect::ExplicitlyDenied,
        "ImplicitlyDenied" => Effect::ImplicitlyDenied,
        other => {
            return Err(ScenarioError::Invalid(format!(
                "`expect` is `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`, not `{other}`"
            )));
        }
    };
    Ok(Some(Expectation { decision, reason }))
}

/// Keys keep their values as they are written: `1.50` stays so. A key that stands twice, in
/// whatever case, is refused: which of the two was meant is not to be guessed.
fn context(raw: Option<&RawValue>) -> Result<Context, ScenarioError> {
    let mut context = Context::new();
    let Some(raw) = raw else {
        return Ok(context);
    };
    let node = json::parse(raw.get());
    let node = node.map_err(|error| invalid(format!("the `context`: {}", error.what)))?;
    let members = match node.value {
        json::Value::Object(members) => members,
        json::Value::Null => return Ok(context),
        _ => return Err(invalid("`context` is an object of condition keys".into())),
    };
    for member in members {
        let name = &*member.name;
        let value = match member.node.value {
            json::Value::Null => continue,
            json::Value::Array(nodes) => {
                let values: Result<_, _> = nodes.into_iter().map(|n| scalar(name, n)).collect();
                ContextValue::Many(values?)
            }
            _ => ContextValue::One(scalar(name, member.node)?),
        };
        if context.get(name).is_some() {
            return Err(invalid(format!("the context key `{name}` stands twice")));
        }
        context.insert(name, value);
    }
    Ok(context)
}

fn scalar(name: &str, node: json::Node) -> Result<std::sync::Arc<str>, ScenarioError> {
    match node.value {
        json::Value::String(text) | json::Value::Number(text) => Ok(text),
        json::Value::Bool(value) => Ok(value.to_string().into()),
        json::Value::Null | json::Value::Array(_) | json::Value::Object(_) => Err(invalid(
            format!("the context key `{name}` holds something else than strings, numbers and booleans"),
        )),
    }
}

fn invalid(what: String) -> ScenarioError {
    ScenarioError::Invalid(what)
}

fn principal(asked: &Asked, context: &Context) -> Result<Principal, ScenarioError> {
    let text = asked.principal.as_str();
    // `GetCallerIdentity` shows the session's name behind the role's ID.
    let given = asked.principal_id.as_deref();
    let unique_id = given.or_else(|| context.one("aws:userid"));
    let unique_id = unique_id
        .and_then(|id| id.split(':').next())
        .filter(|id| id.starts_with("AIDA") || id.starts_with("AROA"));
    if text == "anonymous" || text == "*" {
        return Ok(Principal::anonymous());
    }
    if is_account_id(text) {
        return Ok(Principal::root(text));
    }
    if !text.starts_with("arn:") && text.contains('.') {
        let federated = asked
            .action
            .eq_ignore_ascii_case("sts:AssumeRoleWithWebIdentity");
        return Ok(if federated {
            Principal::web_identity(text)
        } else {
            Principal::service(text)
        });
    }
    let issuer = asked
        .principal_role_arn
        .as_deref()
        .or(asked.principal_user_arn.as_deref());
    if let Some(issuer) = issuer
        && arn_account(issuer) != arn_account(text)
    {
        return Err(invalid(format!(
            "`{issuer}` cannot be behind `{text}`: it is of another account"
        )));
    }
    Principal::from_arn(text, issuer, unique_id).ok_or_else(|| {
        invalid(format!(
            "`{text}` is no principal: the ARN of a user, a role session, a federated user or \
             the root user, an account (its root user), a service such as ec2.amazonaws.com, \
             or `anonymous`"
        ))
    })
}

/// What follows from the principal and from the resource, where it is not given
/// (UG reference_policies_condition-keys: `aws:ResourceAccount` is in most requests).
fn derived(mut context: Context, principal: &Principal, asked: &Asked) -> Context {
    for (name, value) in principal.context().iter() {
        context.insert_missing(name, value.clone());
    }
    let owner = asked.resource_account.as_deref();
    let owner = owner.unwrap_or_else(|| arn_account(&asked.resource));
    if is_account_id(owner) {
        let owner = ContextValue::One(owner.into());
        context.insert_missing("aws:ResourceAccount", owner);
    }
    context
}

struct Policies {
    fields: Fields,
}

impl Policies {
    fn take<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, ScenarioError> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(raw) => Ok(serde_json::from_str(raw.get())?),
        }
    }

    /// A resource policy without `Resource` for `sts:AssumeRole...` is a trust policy; for
    /// deciding, the kinds differ only in whom `*` names.
    fn resource_kind(&self, asked: &Asked) -> DocumentKind {
        let action = asked.action.to_ascii_lowercase();
        let trust = crate::decide::is_trust(&action, &asked.resource);
        if trust {
            DocumentKind::Trust
        } else {
            DocumentKind::Resource
        }
    }

    fn one(&mut self, name: &str, kind: DocumentKind) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<Box<RawValue>>>(name)?.flatten() {
            None => Ok(None),
            Some(raw) => Ok(Some(compile(&[raw], |_| name.to_owned(), kind)?)),
        }
    }

    fn list(&mut self, name: &str, kind: DocumentKind) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<Vec<Box<RawValue>>>>(name)?.flatten() {
            None => Ok(None),
            Some(raws) => Ok(Some(compile(&raws, |at| format!("{name}[{at}]"), kind)?)),
        }
    }

    fn levels(&mut self, name: &str, kind: DocumentKind) -> Result<Vec<PolicySet>, ScenarioError> {
        let levels = self
            .take::<Option<Vec<Vec<Box<RawValue>>>>>(name)?
            .flatten();
        let levels = levels.unwrap_or_default();
        let compile_level = |(level, raws): (usize, &Vec<Box<RawValue>>)| {
            compile(raws, |at| format!("{name}[{level}][{at}]"), kind)
        };
        levels.iter().enumerate().map(compile_level).collect()
    }

    fn refuse_rest(&self) -> Result<(), ScenarioError> {
        for name in self.fields.keys() {
            let lower = name.to_ascii_lowercase();
            if lower.contains("polic") || lower.contains("boundar") {
                return Err(ScenarioError::Invalid(format!(
                    "`{name}` is no field of a scenario; policies stand in `identityPolicies`, \
                     `permissionsBoundary`, `sessionPolicies`, `resourcePolicy`, \
                     `serviceControlPolicies` and `resourceControlPolicies`"
                )));
            }
        }
        Ok(())
    }
}

fn compile(
    raws: &[Box<RawValue>],
    name: impl Fn(usize) -> String,
    kind: DocumentKind,
) -> Result<PolicySet, ScenarioError> {
    let mut documents = Vec::with_capacity(raws.len());
    for (at, raw) in raws.iter().enumerate() {
        let policy = name(at);
        let document = Document::parse_language(raw.get(), kind);
        let document = document.map_err(|error| ScenarioError::Policy {
            policy: policy.clone(),
            error,
        })?;
        documents.push((PolicyRef::new(kind, policy), document));
    }
    let documents = documents.iter();
    Ok(PolicySet::compile(
        documents.map(|(policy, document)| (policy.clone(), document)),
    ))
}
