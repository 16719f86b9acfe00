//! The credentials of a rule: a secret, read when the upstream asks for them.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use authz::ServiceName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::Login;
use secrets::{PlainValue, Secrets};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::clock::Clock;

pub(super) struct SecretLogin {
    pub(super) secrets: Secrets,
    pub(super) clock: Clock,
    /// None for an upstream that anybody may pull from.
    pub(super) arn: Option<String>,
}

/// The form of such a secret (ECR user guide, "Storing your upstream repository credentials in an AWS Secrets
/// Manager secret").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    access_token: Cow<'a, str>,
}

impl Login for SecretLogin {
    fn basic(
        &self,
        _renewed: bool,
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send + '_>> {
        Box::pin(async move {
            match &self.arn {
                None => Ok(None),
                Some(arn) => self.read(arn).await.map(Some),
            }
        })
    }
}

impl SecretLogin {
    /// Base64 of `user:token`. The errors say nothing of the value.
    async fn read(&self, arn: &str) -> Result<String, String> {
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
        let stored: Stored<'_> = serde_json::from_str(text).map_err(|_| {
            "the secret is not a JSON object with the texts username and accessToken".to_owned()
        })?;
        let pair = format!("{}:{}", stored.username, stored.access_token);
        let pair = Zeroizing::new(pair);
        Ok(STANDARD.encode(pair.as_bytes()))
    }
}
