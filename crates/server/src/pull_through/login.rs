//! The credentials of a rule: a secret, read when the upstream asks for them.

use std::borrow::Cow;

use authz::ServiceName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::{Basic, Http, Login, LoginFuture};
use secrets::{PlainValue, Secrets};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ecr_tokens::{AccessKey, EcrTokens};
use crate::clock::Clock;

pub(super) struct SecretLogin {
    secrets: Secrets,
    clock: Clock,
    /// None for an upstream that anybody may pull from.
    arn: Option<String>,
    tokens: EcrTokens,
}

/// The forms of such a secret: a user's name and token (ECR user guide, "Storing your upstream repository
/// credentials in an AWS Secrets Manager secret"), or beyond AWS an access key for an ECR of another server.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    #[serde(borrow)]
    username: Option<Cow<'a, str>>,
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
    #[serde(flatten)]
    key: Option<AccessKey>,
}

const FORMS: &str = "the secret is not a JSON object with the texts username and accessToken, or accessKeyId and \
                     secretAccessKey";

impl Login for SecretLogin {
    fn basic(&self, renewed: bool) -> LoginFuture<'_> {
        Box::pin(async move {
            match &self.arn {
                None => Ok(None),
                Some(arn) => self.read(arn, renewed).await.map(Some),
            }
        })
    }
}

impl SecretLogin {
    /// The login of an upstream at `base`, by the secret `arn` where it needs one.
    pub(super) fn new(
        secrets: Secrets,
        clock: Clock,
        http: Http,
        base: &str,
        arn: Option<String>,
    ) -> SecretLogin {
        SecretLogin {
            tokens: EcrTokens::new(http, std::sync::Arc::clone(&clock), base),
            secrets,
            clock,
            arn,
        }
    }

    /// Base64 of `user:token`. The errors say nothing of the value.
    async fn read(&self, arn: &str, renewed: bool) -> Result<Basic, String> {
        let (service, now) = (ServiceName::PullThrough, (self.clock)());
        let value = self.secrets.current_value(service, arn, now).await;
        let value = value.map_err(|error| {
            tracing::error!(
                arn,
                error = crate::error::chain(&error),
                "a secret cannot be read"
            );
            "the secret cannot be read".to_owned()
        })?;
        let value = value.ok_or("the secret does not exist, or has no current value")?;
        let text = match &value {
            PlainValue::Text(text) => text.expose().as_str(),
            PlainValue::Bytes(_) => return Err("the secret is not a text".to_owned()),
        };
        let stored: Stored<'_> = serde_json::from_str(text).map_err(|_| FORMS)?;
        match (stored.username, stored.access_token, stored.key) {
            (Some(username), Some(access_token), _) => {
                let pair = Zeroizing::new(format!("{username}:{access_token}"));
                Ok(Basic::lasting(STANDARD.encode(pair.as_bytes())))
            }
            (None, None, Some(key)) => self.tokens.get(&key, renewed).await,
            _ => Err(FORMS.to_owned()),
        }
    }
}
