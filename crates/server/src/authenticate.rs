//! Who calls: by an AWS signature, or by the password of a docker login.
//!
//! Both end in `Identity::caller`, which looks the principal up as it is now; nothing here can let a
//! deleted key or role through.

use std::sync::Arc;

use aws_types::Region;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::{AuthError, Caller, Key, RegistryCredential};
use sigv4::{Expected, Lifetime, PathStyle, Presented, RequestParts, SigError};

use crate::app::App;
use crate::error::ApiError;
use crate::head::Head;
use crate::limits::BASIC_BYTES_MAX;

/// A signature whose key was found and which is still to be verified against the body.
pub(crate) struct Signed {
    presented: Presented,
    key: Key,
    region: Region,
}

impl Signed {
    pub(crate) fn scope_service(&self) -> &str {
        &self.presented.scope().service
    }

    /// The region that the signature is scoped to.
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }
}

/// Runs `with` over the request's parts as the signature covers them.
fn with_parts<T>(head: &Head, with: impl FnOnce(&RequestParts<'_>) -> T) -> T {
    let mut headers: Vec<(&str, &[u8])> = head
        .parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    if !head.parts.headers.contains_key(http::header::HOST)
        && let Some(authority) = head.parts.uri.authority()
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    with(&RequestParts {
        method: head.parts.method.as_str(),
        path: head.path(),
        query: head.query(),
        headers: &headers,
    })
}

/// The access key that a request claims, for the log; it is not yet believed.
pub(crate) fn claimed_key(head: &Head) -> Option<String> {
    let presented = with_parts(head, sigv4::parse).ok()?;
    Some(presented.access_key_id().to_owned())
}

/// Finds the signature and its key, before the body is read: strangers cannot make the server read, and
/// neither can a signature whose time is over.
pub(crate) async fn present(app: &App, head: &Head) -> Result<Signed, ApiError> {
    let presented = with_parts(head, sigv4::parse)?;
    let token = presented.session_token();
    let turn = app.admission.turn(&head.party).await;
    let key = app
        .identity
        .find_key(presented.access_key_id(), token)
        .await?;
    with_parts(head, |parts| {
        presented.check_head(parts, head.now.as_second())
    })?;
    drop(turn);
    // Any other one would stand in policies' `aws:RequestedRegion` for what the client did not ask.
    let region = presented.scope().region.parse().map_err(|_| {
        let message = "Credential should be scoped to a valid region.";
        SigError::SignatureDoesNotMatch(message.to_owned())
    })?;
    Ok(Signed {
        presented,
        key,
        region,
    })
}

/// Verifies the signature over head and body, and looks the caller up.
pub(crate) async fn verify(
    app: &App,
    head: &Head,
    signed: &Signed,
    service: &str,
    payload_sha256_hex: &str,
    lifetime: Lifetime,
) -> Result<Arc<Caller>, ApiError> {
    let expected = Expected {
        service,
        region: None,
        payload_sha256_hex,
        now_epoch_seconds: head.now.as_second(),
        path_style: match service {
            "s3" | "s3express" | "s3-outposts" | "s3-object-lambda" => PathStyle::S3,
            _ => PathStyle::Standard,
        },
        lifetime,
    };
    let turn = app.admission.turn(&head.party).await;
    with_parts(head, |parts| {
        signed
            .presented
            .verify(parts, &signed.key.secret, &expected)
    })?;
    let caller = app.identity.caller(&signed.key.principal, head.now).await?;
    drop(turn);
    app.admission
        .verified(head.client.address, signed.presented.access_key_id());
    head.identified();
    Ok(caller)
}

/// Why a docker login is not accepted.
#[derive(Debug)]
pub(crate) enum BasicFail {
    /// No credentials: the client is told which to bring.
    Missing,
    /// A password that is none, or whose principal is gone; with the access key that a real password
    /// was made with.
    Refused(Option<String>),
    /// It was good once.
    Expired,
    /// The same of a bearer token, which clients replace by themselves.
    ExpiredBearer,
    /// A failure of ours.
    Internal(ApiError),
}

/// Who calls the registry, and with what.
#[derive(Debug)]
pub(crate) struct RegistryLogin {
    pub(crate) caller: Arc<Caller>,
    pub(crate) credential: RegistryCredential,
}

/// The caller behind `Authorization: Basic`, whose user is `AWS` and whose password is one of
/// `GetAuthorizationToken` or a token, or behind `Authorization: Bearer` with a token.
pub(crate) async fn registry(app: &App, head: &Head) -> Result<RegistryLogin, BasicFail> {
    let header = head.parts.headers.get(http::header::AUTHORIZATION);
    let header = header.ok_or(BasicFail::Missing)?.as_bytes();
    if header.len() > BASIC_BYTES_MAX {
        return Err(BasicFail::Refused(None));
    }
    let text = std::str::from_utf8(header).map_err(|_| BasicFail::Refused(None))?;
    let (scheme, given) = text.split_once(' ').ok_or(BasicFail::Refused(None))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        let login = of_registry_secret(app, head, given.trim()).await;
        return match login {
            // A password is for Basic alone.
            Ok(login) if login.credential.scope.is_none() => Err(BasicFail::Refused(None)),
            Err(BasicFail::Expired) => Err(BasicFail::ExpiredBearer),
            login => login,
        };
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        // Another scheme is no credential here: the challenge says which one is.
        return Err(BasicFail::Missing);
    }
    let decoded = STANDARD
        .decode(given.trim())
        .map_err(|_| BasicFail::Refused(None))?;
    let decoded = String::from_utf8(decoded).map_err(|_| BasicFail::Refused(None))?;
    match decoded.split_once(':') {
        Some(("AWS", password)) => of_registry_secret(app, head, password).await,
        _ => Err(BasicFail::Refused(None)),
    }
}

/// The caller behind a registry password or a token.
pub(crate) async fn of_registry_secret(
    app: &App,
    head: &Head,
    secret: &str,
) -> Result<RegistryLogin, BasicFail> {
    // Opening is a few microseconds of AES: nothing is kept, so nothing outlives its time.
    let opened = app
        .identity
        .open_registry_credential(secret, head.now)
        .await;
    let credential = opened.map_err(|error| refused(error, None))?;
    let caller = app.identity.caller(&credential.principal, head.now).await;
    let key = || Some(credential.principal.access_key_id().to_owned());
    let caller = caller.map_err(|error| refused(error, key()))?;
    head.identified();
    Ok(RegistryLogin { caller, credential })
}

fn refused(error: AuthError, key: Option<String>) -> BasicFail {
    match error {
        AuthError::ExpiredToken => BasicFail::Expired,
        AuthError::Internal(_) => BasicFail::Internal(error.into()),
        _ => BasicFail::Refused(key),
    }
}
