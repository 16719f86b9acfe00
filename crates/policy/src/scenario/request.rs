//! The request of a scenario: who asks, for what, with which condition keys.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::context::{Context, ContextValue};
use crate::decide::is_trust;
use crate::document_kind::DocumentKind;
use crate::json;
use crate::principal::{Principal, arn_account, is_account_id};

use super::{ScenarioError, invalid};

/// The request as written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    pub principal: String,
    /// The role behind a session; derived from the session's ARN when absent, which a
    /// role with a path makes wrong.
    principal_role_arn: Option<String>,
    /// The user behind a federated user.
    principal_user_arn: Option<String>,
    /// `AIDA...` or `AROA...`; else taken from `aws:userid`.
    principal_id: Option<String>,
    pub action: String,
    #[serde(default = "any_resource")]
    pub resource: String,
    pub resource_account: Option<String>,
    context: Option<Box<RawValue>>,
}

fn any_resource() -> String {
    "*".into()
}

impl Asked {
    /// Who asks, and the condition keys with those that follow from him and from the resource.
    pub fn read(&self) -> Result<(Principal, Context), ScenarioError> {
        check_action(&self.action)?;
        let context = context(self.context.as_deref())?;
        let principal = principal(self, &context)?;
        let context = derived(context, &principal, self);
        Ok((principal, context))
    }

    /// For deciding, resource policies differ only in whom `*` names: what a role's own says
    /// about `sts:AssumeRole…` is a trust policy.
    pub fn resource_policy_kind(&self) -> DocumentKind {
        let action = self.action.to_ascii_lowercase();
        match is_trust(&action, &self.resource) {
            true => DocumentKind::Trust,
            false => DocumentKind::Resource,
        }
    }
}

/// Keys keep their values as they are written: `1.50` stays so. A key that stands twice, in
/// whatever case, is refused: which of the two was meant is not to be guessed.
fn context(raw: Option<&RawValue>) -> Result<Context, ScenarioError> {
    let Some(raw) = raw else {
        return Ok(Context::new());
    };
    let node = json::parse(raw.get());
    let node = node.map_err(|error| invalid(format!("the `context`: {}", error.what)))?;
    let members = match node.value {
        json::Value::Object(members) => members,
        json::Value::Null => return Ok(Context::new()),
        _ => return Err(invalid("`context` is an object of condition keys".into())),
    };
    let mut keys = Vec::with_capacity(members.len());
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
        keys.push((member.name, value));
    }
    Context::of(keys).map_err(|name| invalid(format!("the context key `{name}` stands twice")))
}

fn scalar(name: &str, node: json::Node) -> Result<std::sync::Arc<str>, ScenarioError> {
    match node.value {
        json::Value::String(text) | json::Value::Number(text) => Ok(text),
        json::Value::Bool(value) => Ok(value.to_string().into()),
        json::Value::Null | json::Value::Array(_) | json::Value::Object(_) => {
            Err(invalid(format!(
                "the context key `{name}` holds something else than strings, numbers and booleans"
            )))
        }
    }
}

/// A request is about one action: `GetObject` and `s3:Get*` are allowed by nothing, whatever a
/// test expects.
fn check_action(action: &str) -> Result<(), ScenarioError> {
    let one = |text: &str| !text.is_empty() && !text.contains(['*', '?', ':']);
    match action.split_once(':') {
        Some((service, name)) if one(service) && one(name) => Ok(()),
        _ => Err(invalid(format!(
            "`{action}` is no action that is asked for: `service:Name`, such as `ecr:PutImage`"
        ))),
    }
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
    let owner = match (asked.resource_account.as_deref(), &*asked.resource) {
        (Some(given), _) => given,
        // Where there is no resource, the caller's account is asked.
        (None, "*") if principal.kind.is_aws() => principal.account(),
        (None, arn) => arn_account(arn),
    };
    if is_account_id(owner) {
        let owner = ContextValue::One(owner.into());
        context.insert_missing("aws:ResourceAccount", owner);
    }
    context
}
