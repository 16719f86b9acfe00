//! The calls of a sign-in by the authorization code flow (OpenID Connect Core 1.0, section 3.1).

use aws_api::Secret;
use aws_types::percent;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::Request;
use http::{HeaderValue, Method, header};
use identity::federation::oidc::{ConsoleSignIn, Provider, TOKEN_BYTES_MAX};
use serde::Deserialize;

use super::{Outbound, OutboundError, discover};
use crate::limits::OUTBOUND_DOCUMENT_TIMEOUT;

/// Where a provider takes sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// The URL that browsers are sent to.
    pub(crate) authorization: String,
    /// Whether each answer names the issuer (RFC 9207).
    pub(crate) names_issuer: bool,
    token: String,
    /// Whether the token endpoint takes a client's secret in the body alone.
    has_secret_in_body: bool,
}

/// An authorization code, and what proves that it is ours.
pub(crate) struct Grant<'g> {
    pub(crate) code: &'g str,
    pub(crate) redirect_uri: &'g str,
    pub(crate) verifier: &'g str,
}

/// OpenID Connect Core 1.0, section 3.1.3.3. The access token is not used.
#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

impl Outbound {
    /// Asks a provider's discovery document for its endpoints.
    pub(crate) async fn endpoints(&self, provider: &Provider) -> Result<Endpoints, OutboundError> {
        let _turn = self.turns.acquire().await;
        let http = self.client_of(provider)?;
        let issuer = provider.issuer();
        let bearer = provider.settings.fetch.bearer_token.as_deref();
        let found = discover(&http, &issuer, bearer).await?;
        let lacks = |problem| OutboundError::Document {
            url: issuer.clone(),
            problem,
        };
        let authorization = found.authorization_endpoint.filter(|url| is_plain(url));
        let token = found.token_endpoint.filter(|url| is_plain(url));
        let methods = found.token_endpoint_auth_methods_supported;
        // Without the list, the method is `client_secret_basic` (OpenID Connect Discovery 1.0, section 3).
        let methods = methods.unwrap_or_default();
        let takes = |name: &str| methods.iter().any(|method| method == name);
        Ok(Endpoints {
            authorization: authorization
                .ok_or_else(|| lacks("an issuer without an https URL to sign in at"))?,
            token: token.ok_or_else(|| lacks("an issuer without an https URL for tokens"))?,
            names_issuer: found.authorization_response_iss_parameter_supported,
            has_secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        })
    }

    /// Redeems a code for an ID token, which is not verified here.
    pub(crate) async fn redeem(
        &self,
        provider: &Provider,
        console: &ConsoleSignIn,
        endpoints: &Endpoints,
        grant: &Grant<'_>,
    ) -> Result<Secret<String>, OutboundError> {
        let _turn = self.turns.acquire().await;
        let http = self.client_of(provider)?;
        let request = token_request(console, endpoints, grant)?;
        let sent = tokio::time::timeout(OUTBOUND_DOCUMENT_TIMEOUT, http.send(request));
        let url = || endpoints.token.clone();
        let Ok(answer) = sent.await else {
            return Err(client::Error::Timeout(url()).into());
        };
        let answer = answer?;
        if answer.status != http::StatusCode::OK {
            return Err(OutboundError::Status {
                url: url(),
                status: answer.status,
            });
        }
        let read: Result<TokenAnswer, _> = serde_json::from_slice(&answer.body);
        match read {
            Ok(read) if read.id_token.len() <= TOKEN_BYTES_MAX => Ok(Secret::new(read.id_token)),
            _ => Err(OutboundError::Document {
                url: url(),
                problem: "no token answer with an ID token",
            }),
        }
    }
}

fn token_request(
    console: &ConsoleSignIn,
    endpoints: &Endpoints,
    grant: &Grant<'_>,
) -> Result<Request, OutboundError> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", grant.code),
        ("redirect_uri", grant.redirect_uri),
        ("code_verifier", grant.verifier),
    ];
    let mut request = Request::new(Method::POST, endpoints.token.clone())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &console.client_secret {
        Some(secret) if !endpoints.has_secret_in_body => {
            // RFC 6749, section 2.3.1: both are encoded as in a form first.
            let (id, secret) = (percent::encode(&console.client_id), percent::encode(secret));
            let text = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
            let mut value = HeaderValue::try_from(text)
                .map_err(|_| OutboundError::Settings("client secret"))?;
            value.set_sensitive(true);
            request.headers.insert(header::AUTHORIZATION, value);
        }
        secret => {
            form.push(("client_id", &console.client_id));
            form.extend(secret.as_deref().map(|secret| ("client_secret", secret)));
        }
    }
    let pairs = form.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", percent::encode(value)));
    let body: Vec<String> = pairs.collect();
    Ok(request.body(body.join("&")))
}

/// An `https` URL without a fragment, and without characters that no URL has.
fn is_plain(url: &str) -> bool {
    super::origin(url).is_some()
        && url.starts_with("https://")
        && url.len() <= 2048
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_sent_to_plain_https_urls_alone() {
        for (url, is_taken) in [
            ("https://idp.example/authorize", true),
            ("https://idp.example/authorize?tenant=1", true),
            ("http://idp.example/authorize", false),
            ("javascript:alert(1)", false),
            ("https://idp.example/authorize#x", false),
            ("https://idp.example\\@evil.example/", false),
            ("//idp.example/authorize", false),
            ("https://", false),
        ] {
            assert_eq!(is_plain(url), is_taken, "{url}");
        }
    }

    #[test]
    fn the_secret_stands_in_one_place() {
        let console = |secret: Option<&str>| ConsoleSignIn {
            client_id: "berth:1".to_owned(),
            client_secret: secret.map(str::to_owned),
            ..ConsoleSignIn::default()
        };
        let grant = Grant {
            code: "a b&c",
            redirect_uri: "https://r.example/cb",
            verifier: "v",
        };
        let common = "grant_type=authorization_code&code=a%20b%26c&\
                      redirect_uri=https%3A%2F%2Fr.example%2Fcb&code_verifier=v";
        for (secret, has_secret_in_body, more, basic) in [
            (None, false, "&client_id=berth%3A1", None),
            (
                Some("s/1"),
                true,
                "&client_id=berth%3A1&client_secret=s%2F1",
                None,
            ),
            (Some("s/1"), false, "", Some("Basic YmVydGglM0ExOnMlMkYx")),
        ] {
            let endpoints = Endpoints {
                authorization: String::new(),
                names_issuer: false,
                token: "https://idp.example/token".to_owned(),
                has_secret_in_body,
            };
            let request = token_request(&console(secret), &endpoints, &grant).unwrap();
            assert_eq!(request.body, format!("{common}{more}"));
            let sent = request.headers.get("authorization");
            assert_eq!(sent.map(|value| value.to_str().unwrap()), basic);
        }
    }
}
