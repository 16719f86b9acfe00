//! Upstream registries of the pull through cache: their clients, with the credentials of rules.

mod login;
mod upstream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_types::{AccountId, Region};
use client::{Http, OciClient};
use registry::PullThroughRule;
use registry::pull_through::{Asked, PullThroughCache, Upstream, UpstreamError};
use secrets::Secrets;

use crate::clock::Clock;
use login::SecretLogin;
use upstream::{Client, explained};

/// Clients that are kept, with their tokens.
const CLIENTS_MAX: usize = 1_000;

/// The cache, and the clients of upstreams by rule.
pub(crate) struct PullThrough {
    pub(crate) cache: PullThroughCache,
    http: Http,
    secrets: Secrets,
    clock: Clock,
    /// By account, region and prefix, with the time of the rule's last change.
    clients: Mutex<HashMap<String, (i64, OciClient)>>,
}

impl PullThrough {
    pub(crate) fn new(
        registry: registry::Registry,
        http: Http,
        secrets: Secrets,
        clock: Clock,
    ) -> PullThrough {
        PullThrough {
            cache: PullThroughCache::new(registry),
            http,
            secrets,
            clock,
            clients: Mutex::default(),
        }
    }

    /// What a pull of the repository `name` asks its rule's upstream for.
    pub(crate) fn asked(
        &self,
        account: AccountId,
        region: &Region,
        rule: &PullThroughRule,
        name: &str,
    ) -> Result<Option<Asked>, UpstreamError> {
        let Some(repository) = rule.upstream_name(name) else {
            return Ok(None);
        };
        let client = self.client(account, region, rule)?;
        let upstream: Arc<dyn Upstream> = Arc::new(Client {
            host: rule.host().to_owned(),
            client,
        });
        Ok(Some(Asked {
            upstream,
            repository,
            place: format!("{account}/{region}/{name}"),
            prefix: rule.prefix.clone(),
        }))
    }

    /// Whether the rule's upstream answers, and takes the rule's credentials.
    pub(crate) async fn validate(
        &self,
        account: AccountId,
        region: &Region,
        rule: &PullThroughRule,
    ) -> Result<(), UpstreamError> {
        let client = self.client(account, region, rule)?;
        client.ping().await.map_err(explained)
    }

    fn client(
        &self,
        account: AccountId,
        region: &Region,
        rule: &PullThroughRule,
    ) -> Result<OciClient, UpstreamError> {
        if rule.custom_role_arn.is_some() {
            return Err(UpstreamError::Credentials(
                "an upstream by a role is not built yet; name a secret with a user name and an access token"
                    .to_owned(),
            ));
        }
        let key = format!("{account}/{region}/{}", rule.prefix);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        match clients.get(&key) {
            Some((updated_at, client)) if *updated_at == rule.updated_at => {
                return Ok(client.clone());
            }
            _ => {}
        }
        let login = Arc::new(SecretLogin {
            secrets: self.secrets.clone(),
            clock: Arc::clone(&self.clock),
            arn: rule.credential_arn.clone(),
        });
        let client = OciClient::new(self.http.clone(), &rule.base(), login);
        let client = client.map_err(|error| UpstreamError::Unavailable(error.to_string()))?;
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(key, (rule.updated_at, client.clone()));
        Ok(client)
    }
}
