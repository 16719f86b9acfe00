//! The text of an event: CloudTrail's members, written straight from what the request left.

use std::net::IpAddr;

use authz::{Caller, CallerKind, DecisionRecord, Federation};
use aws_types::time::iso8601;
use policy::{Effect, Reason};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Event;

/// What most lines fit in, in bytes.
const USUAL_BYTES: usize = 1024;

/// The line of the log: JSON and a line feed.
pub(super) fn line(event: &Event) -> Vec<u8> {
    let mut text = Vec::with_capacity(USUAL_BYTES);
    if let Err(error) = serde_json::to_writer(&mut text, &Record::of(event)) {
        // No member has keys that are no strings, and memory takes every byte.
        tracing::error!(%error, event = event.name, "an event could not be written as JSON");
    }
    text.push(b'\n');
    text
}

/// CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity events".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: &'static str,
    user_identity: WhoCalls<'a>,
    event_time: String,
    event_source: &'static str,
    event_name: &'a str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: IpAddr,
    user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    request_parameters: &'a Value,
    response_elements: &'a Value,
    #[serde(skip_serializing_if = "Additional::is_empty")]
    additional_event_data: Additional<'a>,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    /// One event a request: its id serves as the event's.
    #[serde(rename = "eventID")]
    event_id: &'a str,
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<[Resource<'a>; 1]>,
    event_type: &'static str,
    management_event: bool,
    recipient_account_id: &'a str,
    event_category: &'static str,
    /// Not there unless it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_credential_from_console: Option<&'static str>,
}

impl<'a> Record<'a> {
    fn of(event: &'a Event) -> Record<'a> {
        let (code, message) = match &event.error {
            Some((code, message)) => (Some(code.as_str()), Some(message.as_str())),
            None => (None, None),
        };
        let sign_in = event.sign_in.as_ref();
        let caller = event.caller.as_deref();
        let session = caller.and_then(|caller| caller.session_info.as_ref());
        let is_console = session.is_some_and(|session| session.is_console);
        Record {
            event_version: "1.11",
            user_identity: match sign_in {
                Some(sign_in) => WhoCalls::SignIn(&sign_in.identity),
                None => WhoCalls::Caller(UserIdentity::of(caller, &event.access_key_id)),
            },
            event_time: iso8601(event.time),
            event_source: event.source,
            event_name: &event.name,
            aws_region: &event.region,
            source_ip_address: event.address,
            user_agent: &event.user_agent,
            // A sign-in that failed has a message alone.
            error_code: code.filter(|_| sign_in.is_none()),
            error_message: message,
            request_parameters: &event.parameters,
            response_elements: &event.elements,
            additional_event_data: Additional {
                authorization: event.decided.as_ref().map(Authorization::of),
                exception: event.exception,
                sign_in: sign_in.map(|sign_in| &sign_in.additional),
            },
            request_id: &event.request_id,
            event_id: &event.request_id,
            read_only: event.read_only,
            resources: event.resource.as_deref().map(|arn| {
                let account_id = arn.split(':').nth(4).unwrap_or_default();
                [Resource { arn, account_id }]
            }),
            event_type: match sign_in {
                Some(_) => "AwsConsoleSignIn",
                None => "AwsApiCall",
            },
            management_event: !event.data,
            recipient_account_id: &event.recipient,
            event_category: if event.data { "Data" } else { "Management" },
            session_credential_from_console: is_console.then_some("true"),
        }
    }
}

/// `userIdentity`.
#[derive(Serialize)]
#[serde(untagged)]
enum WhoCalls<'a> {
    Caller(UserIdentity<'a>),
    /// Of a sign-in to the console, which has members of its own.
    SignIn(&'a Value),
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    #[serde(rename = "accountId")]
    account_id: &'a str,
}

/// What CloudTrail has no member for.
#[derive(Serialize)]
struct Additional<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sign_in: Option<&'a Map<String, Value>>,
}

impl Additional<'_> {
    fn is_empty(&self) -> bool {
        self.authorization.is_none() && self.exception.is_none() && self.sign_in.is_none()
    }
}

#[derive(Serialize)]
struct Authorization<'a> {
    decision: Effect,
    #[serde(serialize_with = "as_debug")]
    reason: Reason,
    action: &'a str,
    resource: &'a str,
    statement: Option<Statement<'a>>,
}

impl<'a> Authorization<'a> {
    fn of(decided: &'a DecisionRecord) -> Authorization<'a> {
        Authorization {
            decision: decided.effect,
            reason: decided.reason,
            action: &decided.action,
            resource: &decided.resource,
            statement: decided.statement.as_ref().map(|by| Statement {
                policy: &by.policy,
                sid: by.sid.as_deref(),
                index: by.index,
            }),
        }
    }
}

#[derive(Serialize)]
struct Statement<'a> {
    policy: &'a str,
    sid: Option<&'a str>,
    index: usize,
}

fn as_debug<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{reason:?}"))
}

/// CloudTrail User Guide, "CloudTrail userIdentity element".
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_by: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext<'a> {
    session_issuer: SessionIssuer<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer<'a> {
    r#type: &'static str,
    principal_id: &'a str,
    arn: &'a str,
    account_id: &'a str,
    user_name: &'a str,
}

impl<'a> UserIdentity<'a> {
    fn of(caller: Option<&'a Caller>, access_key_id: &'a Option<String>) -> UserIdentity<'a> {
        let Some(caller) = caller else {
            return UserIdentity {
                r#type: "Unknown",
                access_key_id: access_key_id.as_deref(),
                ..UserIdentity::default()
            };
        };
        let account_id = caller.account.as_str();
        let principal = |r#type: &'static str| UserIdentity {
            r#type,
            principal_id: Some(&caller.user_id),
            arn: Some(&caller.arn),
            account_id: Some(account_id),
            access_key_id: Some(&caller.access_key_id),
            ..UserIdentity::default()
        };
        // Ids of sessions are the role's and the session's name, of SAML users the qualifier and the name.
        let first_part = caller.user_id.split(':').next().unwrap_or_default();
        match &caller.kind {
            CallerKind::Root => principal("Root"),
            CallerKind::User { name, .. } => UserIdentity {
                user_name: Some(name),
                ..principal("IAMUser")
            },
            CallerKind::RoleSession {
                role_arn,
                role_name,
                ..
            } => {
                let session_issuer = SessionIssuer {
                    r#type: "Role",
                    principal_id: first_part,
                    arn: role_arn,
                    account_id,
                    user_name: role_name,
                };
                UserIdentity {
                    session_context: Some(SessionContext { session_issuer }),
                    ..principal("AssumedRole")
                }
            }
            CallerKind::FederatedUser { .. } => principal("FederatedUser"),
            CallerKind::ProviderIdentity {
                protocol,
                provider_arn,
                subject,
            } => {
                // "Values for AWS STS APIs with SAML and web identity federation": of a SAML provider,
                // the qualifier of its names.
                let (r#type, provider) = match protocol {
                    Federation::WebIdentity => ("WebIdentityUser", provider_arn.as_str()),
                    Federation::Saml => ("SAMLUser", first_part),
                };
                UserIdentity {
                    r#type,
                    principal_id: Some(&caller.user_id),
                    user_name: Some(subject),
                    identity_provider: Some(provider),
                    ..UserIdentity::default()
                }
            }
            CallerKind::Host { id } => UserIdentity {
                r#type: "AWSService",
                principal_id: Some(id),
                invoked_by: Some(caller.principal.arn()),
                account_id: Some(account_id),
                ..UserIdentity::default()
            },
            CallerKind::Service { name } => UserIdentity {
                r#type: "AWSService",
                invoked_by: Some(name),
                ..UserIdentity::default()
            },
        }
    }
}
