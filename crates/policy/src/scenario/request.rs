//! The request of a scenario: the caller, the action, the resource, and the condition keys.

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
pub(super) struct RequestFields {
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

impl RequestFields {
    /// The caller, and the condition keys with those that follow from the caller and the resource.
    pub fn read(&self) -> Result<(Principal, Context), ScenarioError> {
        check_action(&self.action)?;
        let context = context(self.context.as_deref())?;
        let principal = principal(self, &context)?;
        let context = derived(context, &principal, self);
        Ok((principal, context))
    }

    /// Decisions treat trust policies apart, because of whom `*` names in them.
    pub fn resource_policy_kind(&self) -> DocumentKind {
        let action = self.action.to_ascii_lowercase();
        match is_trust(&action, &self.resource) {
            true => DocumentKind::Trust,
            false => DocumentKind::Resource,
        }
    }
}

/// Values are kept as they are written: `1.50` stays `1.50`. A key that is there twice, in any case, is
/// refused, because either could be meant.
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
    Context::of(keys).map_err(|name| invalid(format!("duplicate context key `{name}`")))
}

fn scalar(name: &str, node: json::Node) -> Result<std::sync::Arc<str>, ScenarioError> {
    match node.value {
        json::Value::String(text) | json::Value::Number(text) => Ok(text),
        json::Value::Bool(value) => Ok(value.to_string().into()),
        json::Value::Null | json::Value::Array(_) | json::Value::Object(_) => Err(invalid(
            format!("the values of the context key `{name}` must be strings, numbers or booleans"),
        )),
    }
}

/// A request has one action. Nothing would ever allow `GetObject` or `s3:Get*`, so they are refused
/// as mistakes.
fn check_action(action: &str) -> Result<(), ScenarioError> {
    let one = |text: &str| !text.is_empty() && !text.contains(['*', '?', ':']);
    match action.split_once(':') {
        Some((service, name)) if one(service) && one(name) => Ok(()),
        _ => Err(invalid(format!(
            "`{action}` is not the action of a request: use `service:Name`, such as `ecr:PutImage`"
        ))),
    }
}

fn principal(request: &RequestFields, context: &Context) -> Result<Principal, ScenarioError> {
    let text = request.principal.as_str();
    // `GetCallerIdentity` shows the session's name behind the role's ID.
    let given = request.principal_id.as_deref();
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
        let federated = request
            .action
            .eq_ignore_ascii_case("sts:AssumeRoleWithWebIdentity");
        return Ok(if federated {
            Principal::web_identity(text)
        } else {
            Principal::service(text)
        });
    }
    let issuer = request
        .principal_role_arn
        .as_deref()
        .or(request.principal_user_arn.as_deref());
    if let Some(issuer) = issuer
        && arn_account(issuer) != arn_account(text)
    {
        return Err(invalid(format!(
            "`{issuer}` cannot be the issuer of `{text}`: it belongs to another account"
        )));
    }
    Principal::from_arn(text, issuer, unique_id).ok_or_else(|| {
        invalid(format!(
            "`{text}` is not a principal: use the ARN of a user, a role session, a federated user or \
             the root user, an account ID (its root user), a service such as ec2.amazonaws.com, \
             or `anonymous`"
        ))
    })
}

/// What follows from the principal and from the resource, where it is not given
/// (UG reference_policies_condition-keys: `aws:ResourceAccount` is in most requests).
fn derived(mut context: Context, principal: &Principal, request: &RequestFields) -> Context {
    for (name, value) in principal.context().iter() {
        context.insert_missing(name, value.clone());
    }
    let owner = match (request.resource_account.as_deref(), &*request.resource) {
        (Some(given), _) => given,
        // Where there is no resource, the caller's account is request.
        (None, "*") if principal.kind.is_aws() => principal.account(),
        (None, arn) => arn_account(arn),
    };
    if is_account_id(owner) {
        let owner = ContextValue::One(owner.into());
        context.insert_missing("aws:ResourceAccount", owner);
    }
    context
}
