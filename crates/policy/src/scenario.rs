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

mod policies;
mod request;
mod split;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::decide::{ApplicablePolicies, Decision, Effect, Request, decide};
use crate::document::StatementEffect;
use crate::document_kind::DocumentKind;
use crate::error::PolicyError;
use crate::explain::{Explanation, explain};
use crate::json::Position;
use crate::policy_set::PolicySet;
use crate::principal::Principal;

use policies::Fields;
use request::RequestFields;
pub use split::{ScenarioText, split};

/// Why a text is not a scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not the JSON that is expected.
    #[error("the scenario cannot be read: {what}")]
    Json {
        /// What is wrong with it.
        what: String,
        /// Where in the scenario's text.
        position: Position,
    },
    /// A field is missing or invalid.
    #[error("{0}")]
    Invalid(String),
    /// One of the policies is refused.
    #[error("`{policy}` is refused: {error} ({})", error.detail)]
    Policy {
        /// Which: `identityPolicies[0]`, ...
        policy: String,
        /// Why, and where in the scenario's text.
        error: PolicyError,
    },
}

impl ScenarioError {
    /// Where in the scenario's text, if there is a single cause.
    pub fn position(&self) -> Option<Position> {
        match self {
            ScenarioError::Json { position, .. } => Some(*position),
            ScenarioError::Invalid(_) => None,
            ScenarioError::Policy { error, .. } => error.position,
        }
    }

    /// The same, where the scenario's text begins at `start` of another one.
    #[must_use]
    pub fn within(mut self, start: Position) -> ScenarioError {
        match &mut self {
            ScenarioError::Json { position, .. } => *position = position.within(start),
            ScenarioError::Invalid(_) => {}
            ScenarioError::Policy { error, .. } => {
                error.position = error.position.map(|position| position.within(start));
            }
        }
        self
    }
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
    /// Or why it is invalid, which matters to tests alone.
    expect: Result<Option<Expectation>, ExpectationError>,
}

/// The expected result of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The outcome.
    pub decision: Effect,
    /// Words that the reason must contain.
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

/// `expect` in its long form.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a decision, or an object with `decision` and `reason`"
)]
struct Expected {
    decision: String,
    reason: Option<String>,
}

impl Scenario {
    /// Reads a scenario. Unknown fields are ignored as notes, except if their name contains the
    /// word policy: a misspelt policy type must not be ignored silently.
    pub fn from_json(text: &str) -> Result<Scenario, ScenarioError> {
        let mut fields = Fields::read(text)?;
        let request: Option<RequestFields> = fields.take("request")?;
        let request = request.ok_or_else(|| invalid("the field `request` is missing".into()))?;
        let (principal, context) = request.read()?;
        let scenario = Scenario {
            identity: fields.list("identityPolicies", DocumentKind::Managed)?,
            boundary: fields.one("permissionsBoundary", DocumentKind::PermissionsBoundary)?,
            // As for `AssumeRole`: an empty list is the same as no session policies.
            session: fields
                .list("sessionPolicies", DocumentKind::Session)?
                .filter(|session| !session.policies().is_empty()),
            resource_policy: fields.one("resourcePolicy", request.resource_policy_kind())?,
            service_control: fields
                .levels("serviceControlPolicies", DocumentKind::ServiceControl)?,
            resource_control: fields
                .levels("resourceControlPolicies", DocumentKind::ResourceControl)?,
            management_account: fields.take("managementAccount")?.unwrap_or(false),
            expect: expectation(&mut fields),
            name: fields.text("name"),
            principal,
            action: request.action,
            resource: request.resource,
            resource_account: request.resource_account,
            context,
        };
        fields.refuse_rest()?;
        Ok(scenario)
    }

    /// Reads one scenario, a JSON array of scenarios, or JSON Lines of either ([`split`]). What is
    /// wrong stands at its place in `text`.
    pub fn many_from_json(text: &str) -> Vec<Result<Scenario, ScenarioError>> {
        match split(text) {
            Ok(texts) => {
                let read = |part: &ScenarioText<'_>| {
                    Scenario::from_json(part.text).map_err(|error| error.within(part.start))
                };
                texts.iter().map(read).collect()
            }
            Err(error) => vec![Err(error)],
        }
    }

    /// The scenario's `name`.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The scenario's `expect`: `"Allowed"`, or `{"decision": ..., "reason": ...}`.
    ///
    /// # Errors
    /// It has another form, or a field's name is like `expect`. Callers that only decide can ignore it.
    pub fn expect(&self) -> Result<Option<&Expectation>, ScenarioError> {
        match &self.expect {
            Ok(expectation) => Ok(expectation.as_ref()),
            Err(error) => Err(error.clone().into()),
        }
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

    fn applicable(&self) -> ApplicablePolicies<'_> {
        ApplicablePolicies {
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
        decide(&self.request(), &self.applicable())
    }

    /// The decision with its trace.
    pub fn explain(&self) -> Explanation {
        explain(&self.request(), &self.applicable())
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

    /// AWS's message for the denial.
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
fn expectation(fields: &mut Fields<'_>) -> Result<Option<Expectation>, ExpectationError> {
    const NAME: &str = "expect";
    let (decision, reason) = match fields.starts_with(NAME, '"') {
        true => (fields.take(NAME)?, None),
        false => match fields.take::<Expected>(NAME)? {
            Some(expected) => (Some(expected.decision), expected.reason),
            None => (None, None),
        },
    };
    let Some(decision) = decision else {
        return match fields.like(NAME) {
            None => Ok(None),
            Some(name) => {
                let what = format!("unknown field `{name}`; put the expected result in `expect`");
                Err(ExpectationError {
                    what,
                    position: None,
                })
            }
        };
    };
    let decision = match decision.as_str() {
        "Allowed" => Effect::Allowed,
        "ExplicitlyDenied" => Effect::ExplicitlyDenied,
        "ImplicitlyDenied" => Effect::ImplicitlyDenied,
        other => {
            let what = format!(
                "`expect` is `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`, not `{other}`"
            );
            return Err(ExpectationError {
                what,
                position: None,
            });
        }
    };
    Ok(Some(Expectation { decision, reason }))
}

/// Why an `expect` is invalid.
#[derive(Clone, Debug)]
struct ExpectationError {
    what: String,
    position: Option<Position>,
}

impl From<ScenarioError> for ExpectationError {
    fn from(error: ScenarioError) -> ExpectationError {
        ExpectationError {
            position: error.position(),
            what: match error {
                ScenarioError::Json { what, .. } => what,
                other => other.to_string(),
            },
        }
    }
}

impl From<ExpectationError> for ScenarioError {
    fn from(ExpectationError { what, position }: ExpectationError) -> ScenarioError {
        match position {
            Some(position) => ScenarioError::Json { what, position },
            None => ScenarioError::Invalid(what),
        }
    }
}

fn invalid(what: String) -> ScenarioError {
    ScenarioError::Invalid(what)
}
