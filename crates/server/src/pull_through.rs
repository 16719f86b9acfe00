//! Upstream registries of the pull through cache: their clients, with the credentials of rules.

mod ecr_tokens;
mod login;
mod roles;
mod upstream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_types::{AccountId, Region};
use client::{Http, OciClient};
use registry::PullThroughRule;
use registry::pull_through::{PullThroughCache, Upstream, UpstreamError};
use secrets::Secrets;

use crate::clock::Clock;
use login::SecretLogin;
pub(crate) use roles::{RoleSession, RoleSessions};
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
    /// The sessions of rules' roles.
    pub(crate) roles: RoleSessions,
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
            roles: RoleSessions::default(),
        }
    }

    /// The rule's upstream, by the OCI Distribution API.
    pub(crate) fn upstream(
        &self,
        account: AccountId,
        region: &Region,
        rule: &PullThroughRule,
    ) -> Result<Arc<dyn Upstream>, UpstreamError> {
        let client = self.client(account, region, rule)?;
        Ok(Arc::new(Client {
            host: rule.host().to_owned(),
            client,
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
                "a role of this server is of use at registries of this server alone; for another server's, name a \
                 secret with an access key of it"
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
        let (http, base) = (self.http.clone(), rule.base());
        let login = Arc::new(SecretLogin::new(
            self.secrets.clone(),
            Arc::clone(&self.clock),
            http.clone(),
            &base,
            rule.credential_arn.clone(),
        ));
        let client = OciClient::new(http, &base, login);
        let client = client.map_err(|error| UpstreamError::Unavailable(error.to_string()))?;
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(key, (rule.updated_at, client.clone()));
        Ok(client)
    }
}
