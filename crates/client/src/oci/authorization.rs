//! How requests are authorized: the registry's challenge is answered, and what it gave for that is kept as long as it
//! lasts.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::challenge::{self, Challenge};
use super::scope::Scope;
use super::{ANSWER_BYTES_MAX, OciClient, OciError};
use crate::http::{Request, Response};
use crate::stream::Streamed;

/// Tokens that are kept; beyond, they are asked for again.
const TOKENS_MAX: usize = 1_000;
/// How long a token lasts whose service does not say so, and the shortest time that one may say (Docker's "Token
/// Authentication Specification", "Token response fields", `expires_in`).
const TOKEN_SECONDS: u64 = 60;
/// The longest time that a token is believed to last.
const TOKEN_SECONDS_MAX: u64 = 24 * 60 * 60;

/// What authorizes requests of a scope.
pub(super) struct Held {
    value: HeaderValue,
    /// When another one is asked for.
    until: Option<Instant>,
}

/// By scope.
pub(super) type Tokens = HashMap<String, Held>;

impl OciClient {
    pub(super) async fn call(
        &self,
        scope: Scope<'_>,
        request: Request,
    ) -> Result<Response, OciError> {
        let answer = self.stream(scope, request).await?;
        Ok(answer.collect(ANSWER_BYTES_MAX).await?)
    }

    /// Sends a request, and answers the registry's challenge once.
    pub(super) async fn stream(
        &self,
        scope: Scope<'_>,
        request: Request,
    ) -> Result<Streamed, OciError> {
        let had_token = self.token_of(scope).is_some();
        let answer = self
            .http
            .stream(self.authorized(scope, request.clone()))
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let offered = answer.headers.get_all(WWW_AUTHENTICATE).iter();
        let offered: Vec<_> = offered.filter_map(|one| one.to_str().ok()).collect();
        let Some(challenge) = Challenge::choose(&offered) else {
            return Ok(answer);
        };
        let login = |what| OciError::Login {
            host: self.host.clone(),
            what,
        };
        let basic = self.login.basic(had_token).await.map_err(login)?;
        let (authorization, lasts) = match (challenge, basic) {
            (Challenge::Bearer { realm, service }, basic) => {
                let basic = basic.as_ref().map(|basic| basic.credentials.as_str());
                let token = self.token(&realm, service.as_deref(), scope, basic);
                let (token, lasts) = token.await?;
                (format!("Bearer {token}"), Some(lasts))
            }
            (Challenge::Basic, Some(basic)) => {
                (format!("Basic {}", basic.credentials), basic.lasts)
            }
            (Challenge::Basic, None) => return Ok(answer),
        };
        let value = HeaderValue::from_str(&authorization);
        let mut value = value.map_err(|_| login("they fit no header".to_owned()))?;
        value.set_sensitive(true);
        self.keep_token(scope, value, lasts);
        Ok(self.http.stream(self.authorized(scope, request)).await?)
    }

    /// Asks the token service; the token, and how long it lasts.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Scope<'_>,
        basic: Option<&str>,
    ) -> Result<(String, Duration), OciError> {
        if self.base.starts_with("https://") && !realm.starts_with("https://") {
            return Err(
                self.unexpected(StatusCode::UNAUTHORIZED, "with a token service without TLS")
            );
        }
        let scopes = scope.to_string();
        let scopes = scopes.split_whitespace().map(|scope| ("scope", scope));
        let parameters = service
            .map(|service| ("service", service))
            .into_iter()
            .chain(scopes);
        let url = challenge::with_parameters(realm, parameters);
        let mut request = Request::new(Method::GET, url);
        if let Some(basic) = basic {
            request = request.header(AUTHORIZATION, &format!("Basic {basic}"));
        }
        let answer = self
            .http
            .stream(request)
            .await?
            .collect(ANSWER_BYTES_MAX)
            .await?;
        let answer = self.expect(answer, &[StatusCode::OK])?;
        let body = self.json(&answer)?;
        let token = body["token"]
            .as_str()
            .or_else(|| body["access_token"].as_str());
        let token = token.ok_or_else(|| self.unexpected(answer.status, "without a token"))?;
        Ok((token.to_owned(), lifetime(&body)))
    }

    pub(super) fn authorized(&self, scope: Scope<'_>, mut request: Request) -> Request {
        if let Some(value) = self.token_of(scope) {
            request.headers.insert(AUTHORIZATION, value);
        }
        request
    }

    /// What authorizes requests of the scope, while it lasts.
    fn token_of(&self, scope: Scope<'_>) -> Option<HeaderValue> {
        let tokens = self.tokens();
        let held = tokens.get(&scope.to_string())?;
        let lasts = held.until.is_none_or(|until| Instant::now() < until);
        lasts.then(|| held.value.clone())
    }

    fn keep_token(&self, scope: Scope<'_>, value: HeaderValue, lasts: Option<Duration>) {
        let mut tokens = self.tokens();
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        // A part of its time is left for the requests that it is sent with.
        let until = lasts.map(|lasts| Instant::now() + lasts.mul_f64(0.8));
        tokens.insert(scope.to_string(), Held { value, until });
    }

    pub(super) fn forget_token(&self, scope: Scope<'_>) {
        self.tokens().remove(&scope.to_string());
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a token service says that its token lasts.
fn lifetime(answer: &Value) -> Duration {
    let seconds = answer["expires_in"].as_u64().unwrap_or(TOKEN_SECONDS);
    Duration::from_secs(seconds.clamp(TOKEN_SECONDS, TOKEN_SECONDS_MAX))
}
