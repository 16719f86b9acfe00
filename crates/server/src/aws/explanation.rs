//! The encoded authorization message of a denial: what was decided on, for those who may read it.
//!
//! AWS sends such messages with EC2's denials, and with none of ECR, IAM or STS, whose texts stay as they
//! are. Here a header carries it: `sts:DecodeAuthorizationMessage` of the caller's account opens it.

use authz::{Caller, CallerKind, Denial};
use http::HeaderValue;
use jiff::Timestamp;
use policy::{ContextValue, Effect};
use serde_json::{Value, json};

use crate::app::App;

/// The header's name.
pub(super) const HEADER: &str = "x-berth-encoded-authorization-message";
/// The longest message that is sealed, so that the header fits where headers are read: condition keys
/// are left out where they do not fit.
const MESSAGE_BYTES_MAX: usize = 5 * 1024;

/// The encoded message, where there is a caller to make it for.
pub(super) fn encoded(
    app: &App,
    caller: &Caller,
    denial: &Denial,
    now: Timestamp,
) -> Option<HeaderValue> {
    let mut text = message(caller, denial, &denial.decision.keys);
    if text.len() > MESSAGE_BYTES_MAX {
        text = message(caller, denial, &[]);
    }
    if text.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let identity = &app.identity;
    let sealed = identity.encode_authorization_message(caller.account, &text, now);
    HeaderValue::from_str(&sealed.ok()?).ok()
}

fn items(values: impl Iterator<Item = Value>) -> Value {
    json!({ "items": values.collect::<Vec<_>>() })
}

/// The text in the form of AWS's (AWS CLI, `sts decode-authorization-message`, example).
fn message(caller: &Caller, denial: &Denial, keys: &[(String, ContextValue)]) -> String {
    let decision = &denial.decision;
    let name = match &caller.kind {
        CallerKind::User { name, .. } | CallerKind::FederatedUser { name, .. } => name.as_str(),
        CallerKind::RoleSession { session_name, .. } => session_name,
        _ => "",
    };
    let matched = decision.statement.iter().map(|statement| {
        json!({
            "statementId": statement.sid.as_deref().unwrap_or_default(),
            "effect": "DENY",
            "policy": &*statement.policy,
            "index": statement.index,
        })
    });
    let conditions = keys.iter().map(|(key, value)| {
        let values = match value {
            ContextValue::One(value) => std::slice::from_ref(value),
            ContextValue::Many(values) => values,
        };
        let values = items(values.iter().map(|value| json!({ "value": &**value })));
        json!({ "key": key, "values": values })
    });
    json!({
        "allowed": false,
        "explicitDeny": decision.effect == Effect::ExplicitlyDenied,
        "matchedStatements": items(matched),
        "failures": items(std::iter::empty()),
        "context": {
            "principal": { "id": &*caller.user_id, "name": name, "arn": &*caller.arn },
            "action": decision.action,
            "resource": decision.resource,
            "conditions": items(conditions),
        },
    })
    .to_string()
}
