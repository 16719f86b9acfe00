//! `berth token`: a token of the registry for one repository, by a signed call of the service `berth`.

use aws_api::Service;
use aws_api::berth::{GetRegistryTokenRequest, RegistryTokenAction, ops};
use serde_json::json;

use crate::cli::{Output, TokenAction, TokenOptions};
use crate::error::Result;
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// Prints a token, which is a password of `docker login` as well.
pub fn run(options: TokenOptions) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        let input = GetRegistryTokenRequest {
            registry_id: options.registry_id,
            repository_name: options.repository,
            actions: options.action.iter().map(|one| action(*one)).collect(),
            duration_seconds: i32::try_from(options.duration).ok(),
        };
        let called = server.call::<ops::GetRegistryToken>(&input).await;
        let answer = called.map_err(|e| failed(&e))?;
        let mut answers = Answers::new();
        match options.output {
            Output::Json => answers.json(&json!({
                "registryToken": answer.registry_token.expose(),
                "expiresAt": answer.expires_at.to_string(),
                "proxyEndpoint": answer.proxy_endpoint,
            }))?,
            Output::Text => answers.line(answer.registry_token.expose())?,
        }
        answers.flush()
    })
}

fn action(named: TokenAction) -> RegistryTokenAction {
    match named {
        TokenAction::Pull => RegistryTokenAction::Pull,
        TokenAction::Push => RegistryTokenAction::Push,
        TokenAction::Delete => RegistryTokenAction::Delete,
    }
}
