//! Events of sign-ins, in the form of CloudTrail's (CloudTrail User Guide, "AWS Management Console sign-in
//! events"). `SwitchRole` and `ExitRole` have the form of records that AWS's users published.

use std::sync::Arc;

use authz::{Caller, CallerKind};
use identity::{ProviderKind, SignInSubject};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::audit::{ConsoleSignIn, Event};
use crate::error::Failure;
use crate::finish::finish;
use crate::head::Head;

const SOURCE: &str = "signin.amazonaws.com";
/// The path that a sign-in leads to.
const HOME: &str = "/console/";
/// CloudTrail does not repeat a name that no user has: it may be a password that was typed into the wrong
/// field (CloudTrail User Guide, "CloudTrail userIdentity element", `userName`).
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// The message of a sign-in that failed.
const FAILED: &str = "Failed authentication";

/// Who signed in, or tried to.
pub(super) enum Who<'a> {
    /// A user or the root user, with the access key that signed, where one did.
    Subject(&'a SignInSubject, Option<&'a str>),
    /// Somebody whose name or key is not known, at an account that is perhaps none.
    Unknown {
        account: Option<aws_types::AccountId>,
        access_key_id: Option<&'a str>,
    },
    /// A principal that has a session.
    Caller(&'a Caller),
    /// Somebody whom an identity provider was to vouch for; `None` where it is not known which one.
    OfProvider(Option<&'a ProviderOf<'a>>),
}

/// The identity provider of a sign-in.
pub(super) struct ProviderOf<'a> {
    pub(super) account: aws_types::AccountId,
    pub(super) kind: ProviderKind,
    pub(super) arn: &'a str,
}

impl Who<'_> {
    fn identity(&self, has_failed: bool) -> Value {
        match self {
            Who::Subject(subject, key) => {
                let mut identity = json!({
                    "type": if subject.is_root { "Root" } else { "IAMUser" },
                    "principalId": subject.principal_id,
                    "accountId": subject.account.as_str(),
                });
                if subject.is_root || !has_failed {
                    identity["arn"] = subject.arn.as_str().into();
                }
                if !subject.is_root {
                    identity["userName"] = subject.name.as_str().into();
                }
                if subject.is_root || has_failed || key.is_some() {
                    identity["accessKeyId"] = key.unwrap_or_default().into();
                }
                identity
            }
            Who::Unknown {
                account,
                access_key_id: None,
            } => json!({
                "type": "IAMUser",
                "accountId": account.map(|account| account.to_string()),
                "accessKeyId": "",
                "userName": HIDDEN,
            }),
            Who::Unknown { access_key_id, .. } => {
                json!({"type": "Unknown", "accessKeyId": access_key_id})
            }
            Who::OfProvider(None) => json!({"type": "Unknown"}),
            Who::OfProvider(Some(provider)) => json!({
                "type": match provider.kind {
                    ProviderKind::Oidc => "WebIdentityUser",
                    ProviderKind::Saml => "SAMLUser",
                },
                "accountId": provider.account.as_str(),
                "identityProvider": provider.arn,
            }),
            Who::Caller(caller) => {
                let kind = match &caller.kind {
                    CallerKind::Root => "Root",
                    CallerKind::User { .. } => "IAMUser",
                    _ => "AssumedRole",
                };
                let mut identity = json!({
                    "type": kind,
                    "principalId": &*caller.user_id,
                    "arn": &*caller.arn,
                    "accountId": caller.account.as_str(),
                });
                if let CallerKind::User { name, .. } = &caller.kind {
                    identity["userName"] = name.as_str().into();
                }
                identity
            }
        }
    }

    fn account(&self) -> Option<aws_types::AccountId> {
        match self {
            Who::Subject(subject, _) => Some(subject.account),
            Who::Unknown { account, .. } => *account,
            Who::Caller(caller) => Some(caller.account),
            Who::OfProvider(provider) => provider.map(|provider| provider.account),
        }
    }
}

/// `ConsoleLogin`. `mfa_device` is the serial number of the device whose code was right.
pub(super) async fn console_login(
    app: &App,
    head: &Head,
    origin: &str,
    who: Who<'_>,
    mfa: Mfa<'_>,
    failure: Option<&str>,
) {
    let mut additional = Map::new();
    let mut put = |name: &str, value: Value| additional.insert(name.to_owned(), value);
    put("LoginTo", format!("{origin}{HOME}").into());
    put("MobileVersion", "No".into());
    put("MFAUsed", if mfa.is_used { "Yes" } else { "No" }.into());
    if let Some(device) = mfa.device {
        put("MFAIdentifier", device.into());
    }
    record(app, head, "ConsoleLogin", who, additional, failure).await;
}

/// `ConsoleLogin` through an identity provider, in the form of records that AWS's users published (Micro Focus,
/// "Integrating Amazon CloudTrail with Access Manager", `SamlProviderArn`). AWS has no sign-in by OIDC.
pub(super) async fn provider_login(
    app: &App,
    head: &Head,
    origin: &str,
    provider: Option<&ProviderOf<'_>>,
    caller: Option<&Caller>,
    failure: Option<&str>,
) {
    let mut additional = Map::new();
    let mut put = |name: &str, value: Value| additional.insert(name.to_owned(), value);
    put("LoginTo", format!("{origin}{HOME}").into());
    put("MobileVersion", "No".into());
    put("MFAUsed", "No".into());
    if let Some(provider) = provider {
        let name = match provider.kind {
            ProviderKind::Oidc => "OidcProviderArn",
            ProviderKind::Saml => "SamlProviderArn",
        };
        put(name, provider.arn.into());
    }
    let who = caller.map_or(Who::OfProvider(provider), Who::Caller);
    record(app, head, "ConsoleLogin", who, additional, failure).await;
}

/// What a sign-in had of MFA.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mfa<'a> {
    /// Whether a code came with it, or was verified before.
    pub(super) is_used: bool,
    /// The device whose code was right.
    pub(super) device: Option<&'a str>,
}

/// `CheckMfa`: the password was right and a code is demanded.
pub(super) async fn check_mfa(app: &App, head: &Head, subject: &SignInSubject) {
    let mut additional = Map::new();
    additional.insert("MfaType".to_owned(), "Virtual MFA".into());
    let who = Who::Subject(subject, None);
    record(app, head, "CheckMfa", who, additional, None).await;
}

/// `SwitchRole` and `ExitRole`: `who` is the role; `from`, who switched.
pub(super) async fn role(
    app: &App,
    head: &Head,
    origin: &str,
    name: &'static str,
    who: &Caller,
    from: &Arc<str>,
    failure: Option<&str>,
) {
    let mut additional = Map::new();
    additional.insert("SwitchFrom".to_owned(), (**from).into());
    let home = format!("{origin}{HOME}");
    additional.insert("RedirectTo".to_owned(), home.into());
    record(app, head, name, Who::Caller(who), additional, failure).await;
}

/// The message of a sign-in that failed, for the event.
pub(super) const fn failed() -> Option<&'static str> {
    Some(FAILED)
}

async fn record(
    app: &App,
    head: &Head,
    name: &'static str,
    who: Who<'_>,
    additional: Map<String, Value>,
    failure: Option<&str>,
) {
    let region = &app.names.default.region;
    let recipient = who.account().unwrap_or(app.names.default.account);
    let result = if failure.is_some() {
        "Failure"
    } else {
        "Success"
    };
    let mut elements = Map::new();
    elements.insert(name.to_owned(), result.into());
    let event = Event {
        elements: elements.into(),
        sign_in: Some(ConsoleSignIn {
            identity: who.identity(failure.is_some()),
            additional,
        }),
        ..Event::begin(head, SOURCE, name, region, recipient)
    };
    let failure = failure.map(|message| Failure {
        code: "FailedAuthentication".to_owned(),
        message: message.to_owned(),
        exception: None,
        cause: None,
        decided: None,
    });
    finish(app, event, failure).await;
}
