//! `POST /console/session`: a sign-in by user and password, by access key, or by a one-time link.

use std::sync::Arc;

use aws_api::Secret;
use http::{Response, StatusCode};
use identity::{PasswordSignIn, ProvenSignIn, SignInOutcome};
use serde::Deserialize;
use sigv4::Lifetime;
use tokio::time::Instant;

use super::answers::ConsoleError;
use super::events::{self, Mfa, Who};
use super::parameters::parsed;
use super::{cookie, guard, session};
use crate::app::App;
use crate::authenticate;
use crate::body::Collected;
use crate::error::{ApiError, Unauthenticated};
use crate::head::Head;
use crate::limits::{SIGN_IN_NAME_BYTES_MAX, SIGN_IN_REFUSAL_STEP};
use crate::network::AddressGroup;
use crate::reply::ReplyBody;
use crate::writable::{self, Effect};

/// The service that a sign-in by access key is signed for.
const SIGNING_NAME: &str = "signin";

/// How somebody signs in.
#[derive(Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "lowercase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum SignIn {
    User {
        /// Its id or its alias.
        account: String,
        user: String,
        password: String,
        mfa_code: Option<String>,
    },
    Root {
        #[serde(rename = "account")]
        _account: String,
        #[serde(rename = "password")]
        _password: String,
        #[serde(rename = "mfaCode")]
        _mfa_code: Option<String>,
    },
    Link {
        token: String,
        mfa_code: Option<String>,
    },
    Key {
        mfa_code: Option<String>,
    },
}

/// What a sign-in is about, for the audit log.
struct Attempt {
    origin: String,
    account: Option<aws_types::AccountId>,
    access_key_id: Option<String>,
    has_code: bool,
    began: Instant,
}

pub(super) async fn sign_in(
    app: &Arc<App>,
    head: &Head,
    collected: &Collected,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let mut attempt = Attempt {
        origin: guard::origin(head)?.to_owned(),
        account: None,
        access_key_id: None,
        has_code: false,
        began: Instant::now(),
    };
    let request: SignIn = parsed(collected)?;
    writable::check(app, Effect::Writes).await?;
    let outcome = match request {
        SignIn::User {
            account,
            user,
            password,
            mfa_code,
        } => {
            if account.len() > SIGN_IN_NAME_BYTES_MAX || user.len() > SIGN_IN_NAME_BYTES_MAX {
                return Err(ConsoleError::invalid("A name is too long."));
            }
            attempt.account = app.identity.account_by_name(&account).await?;
            attempt.has_code = mfa_code.is_some();
            let sign_in = PasswordSignIn {
                account: attempt.account,
                user: &user,
                password: &Secret::new(password),
                mfa_code: code(mfa_code.as_ref()),
            };
            by_password(app, head, &account, sign_in).await?
        }
        SignIn::Root { .. } => {
            let message = "The root user has no password. Sign in with an access key of the root user, or \
                           with a one-time link of `berth account recover`.";
            return Err(ConsoleError::invalid(message));
        }
        SignIn::Link { token, mfa_code } => {
            attempt.has_code = mfa_code.is_some();
            let code = code(mfa_code.as_ref());
            app.identity.sign_in_by_link(&token, code, head.now).await?
        }
        SignIn::Key { mfa_code } => {
            attempt.has_code = mfa_code.is_some();
            attempt.access_key_id = authenticate::claimed_key(head);
            let code = code(mfa_code.as_ref());
            by_key(app, head, collected, code).await?
        }
    };
    finish(app, head, &attempt, outcome).await
}

/// A code as it was typed: authenticators show a space in the middle.
fn code(typed: Option<&String>) -> Option<&str> {
    typed
        .map(|code| code.trim())
        .filter(|code| !code.is_empty())
}

async fn by_password(
    app: &App,
    head: &Head,
    account: &str,
    sign_in: PasswordSignIn<'_>,
) -> Result<SignInOutcome, ConsoleError> {
    let address = AddressGroup::of(head.client.address);
    // Counted by its id, so that an account has no more guesses by its two names.
    let account = match sign_in.account {
        Some(id) => id.to_string(),
        None => account.to_ascii_lowercase(),
    };
    let begun = app.guesses.begin(address, &account, Instant::now());
    begun.map_err(|wait| {
        let message = "Too many sign-ins have failed. Wait a moment and try again.";
        let status = StatusCode::TOO_MANY_REQUESTS;
        ConsoleError::new(status, "TooManySignIns", message).retry_after(wait)
    })?;
    let outcome = app.identity.sign_in_by_password(sign_in, head.now).await?;
    if matches!(outcome, SignInOutcome::Proven(_)) {
        app.guesses.succeeded(address, &account, Instant::now());
    }
    Ok(outcome)
}

/// A sign-in whose request is signed: the secret access key never leaves the page.
async fn by_key(
    app: &App,
    head: &Head,
    collected: &Collected,
    mfa_code: Option<&str>,
) -> Result<SignInOutcome, ConsoleError> {
    let verified = async {
        let signed = authenticate::present(app, head).await?;
        let digest = &collected.sha256_hex;
        let lifetime = Lifetime::AtMostFifteenMinutes;
        authenticate::verify(app, head, &signed, SIGNING_NAME, digest, lifetime).await
    };
    match verified.await {
        Ok(caller) => Ok(app
            .identity
            .sign_in_by_key(&caller, mfa_code, head.now)
            .await?),
        Err(error) if error.is_unavailable() || error.cause().is_some() => Err(error.into()),
        Err(ApiError::Unauthenticated(
            Unauthenticated::Signature(_) | Unauthenticated::Credential(_),
        )) => Ok(SignInOutcome::Refused(None)),
        Err(error) => Err(error.into()),
    }
}

async fn finish(
    app: &Arc<App>,
    head: &Head,
    attempt: &Attempt,
    outcome: SignInOutcome,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let key = attempt.access_key_id.as_deref();
    let mfa = Mfa {
        is_used: attempt.has_code,
        device: None,
    };
    match outcome {
        SignInOutcome::Refused(subject) => {
            let who = match &subject {
                Some(subject) => Who::Subject(subject, key),
                None => Who::Unknown {
                    account: attempt.account,
                    access_key_id: key,
                },
            };
            let failed = events::failed();
            events::console_login(app, head, &attempt.origin, who, mfa, failed).await;
            until_next_step(attempt.began).await;
            let message = "The sign-in failed: the account, the name, the password, the code or the key is \
                           wrong. After several wrong ones in a row, wait a few minutes.";
            let status = StatusCode::UNAUTHORIZED;
            Err(ConsoleError::new(status, "InvalidSignIn", message))
        }
        SignInOutcome::MfaRequired(subject) => {
            events::check_mfa(app, head, &subject).await;
            let message = "Enter a code of your MFA device.";
            let status = StatusCode::UNAUTHORIZED;
            Err(ConsoleError::new(status, "MfaRequired", message))
        }
        SignInOutcome::PasswordExpired(subject) => {
            let who = Who::Subject(&subject, key);
            let why = Some("Password expired");
            events::console_login(app, head, &attempt.origin, who, mfa, why).await;
            let message = "Your password has expired. Ask your administrator to set another one.";
            Err(ConsoleError::forbidden("PasswordExpired", message))
        }
        SignInOutcome::Proven(proven) => proven_sign_in(app, head, attempt, &proven).await,
    }
}

async fn proven_sign_in(
    app: &Arc<App>,
    head: &Head,
    attempt: &Attempt,
    proven: &ProvenSignIn,
) -> Result<Response<ReplyBody>, ConsoleError> {
    head.identified();
    let secret = app.identity.begin_console_session(proven, head.now).await?;
    // The session that the browser had is nobody's now.
    session::forget(app, head).await?;
    if proven.must_change_password {
        let message = "You must set another password before you can go on.";
        let error = ConsoleError::forbidden("PasswordChangeRequired", message);
        return Err(error.with_cookie(cookie::of(&secret)?));
    }
    let who = Who::Subject(&proven.subject, attempt.access_key_id.as_deref());
    let mfa = Mfa {
        is_used: proven.mfa_device.is_some(),
        device: proven.mfa_device.as_deref(),
    };
    events::console_login(app, head, &attempt.origin, who, mfa, None).await;
    session::answer_new(app, head, &secret).await
}

/// Waits for the next step of a clock that began with the request. A sign-in that failed late, because the
/// user is there and the failure was written down, is answered like one that failed early.
async fn until_next_step(began: Instant) {
    let steps = began.elapsed().as_millis() / SIGN_IN_REFUSAL_STEP.as_millis() + 1;
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    tokio::time::sleep_until(began + SIGN_IN_REFUSAL_STEP * steps).await;
}
