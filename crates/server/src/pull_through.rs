//! Upstream registries of the pull through cache: their clients, with the credentials of rules.

mod ecr_tokens;
mod login;
mod roles;
mod tls;
mod upstream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_types::{AccountId, Region};
use client::{Http, OciClient};
use registry::pull_through::{PullThroughCache, Upstream, UpstreamError};
use registry::{PullThroughRule, RuleUpstream, UpstreamTls};
use secrets::{Seal, SealFailed, Secrets};

use crate::clock::Clock;
use login::SecretLogin;
pub(crate) use roles::{RoleSession, RoleSessions};
use upstream::Client;

/// Clients that are kept, with their tokens.
const CLIENTS_MAX: usize = 1_000;

/// When a rule and its options were last changed.
type Version = (i64, Option<i64>);

/// The cache, and the clients of upstreams by rule.
pub(crate) struct PullThrough {
    pub(crate) cache: PullThroughCache,
    http: Http,
    secrets: Secrets,
    clock: Clock,
    /// For the keys of client certificates.
    seal: Arc<dyn Seal>,
    /// By rule, upstream and credential, with the time of the rule's last change.
    clients: Mutex<HashMap<String, (Version, Arc<Client>)>>,
    /// The sessions of rules' roles.
    pub(crate) roles: RoleSessions,
}

impl PullThrough {
    pub(crate) fn new(
        registry: registry::Registry,
        http: Http,
        secrets: Secrets,
        seal: Arc<dyn Seal>,
        clock: Clock,
    ) -> PullThrough {
        PullThrough {
            cache: PullThroughCache::new(registry),
            http,
            secrets,
            seal,
            clock,
            clients: Mutex::default(),
            roles: RoleSessions::default(),
        }
    }

    /// One of a rule's upstreams, by the OCI Distribution API.
    pub(crate) async fn upstream(
        &self,
        of: &Place<'_>,
        upstream: RuleUpstream<'_>,
    ) -> Result<Arc<dyn Upstream>, UpstreamError> {
        Ok(self.client(of, upstream).await?)
    }

    /// Whether an upstream answers, and takes its credentials.
    pub(crate) async fn validate(
        &self,
        of: &Place<'_>,
        upstream: RuleUpstream<'_>,
    ) -> Result<(), UpstreamError> {
        self.client(of, upstream).await?.check().await
    }

    async fn client(
        &self,
        of: &Place<'_>,
        upstream: RuleUpstream<'_>,
    ) -> Result<Arc<Client>, UpstreamError> {
        if upstream.custom_role_arn.is_some() {
            return Err(UpstreamError::Credentials(
                "a role of this server is of use at registries of this server alone; for another server's, name a \
                 secret with an access key of it"
                    .to_owned(),
            ));
        }
        // Two upstreams of a rule may have one host.
        let credential = upstream.credential_arn.unwrap_or_default();
        let key = format!("{} {} {credential}", of.owner(), upstream.url);
        let version = of.rule.version();
        if let Some((known, client)) = self.clients().get(&key)
            && *known == version
        {
            return Ok(Arc::clone(client));
        }
        let owner = tls::owner(&of.owner(), upstream.url);
        let http = tls::http(&self.http, &*self.seal, &owner, upstream.tls).await;
        let http = http.map_err(UpstreamError::Credentials)?;
        let base = upstream.base();
        let login = Arc::new(SecretLogin::new(
            self.secrets.clone(),
            Arc::clone(&self.clock),
            http.clone(),
            &base,
            upstream.credential_arn.map(str::to_owned),
        ));
        let client = OciClient::new(http, &base, login);
        let client = client.map_err(|error| UpstreamError::Unavailable(error.to_string()))?;
        let clock = Arc::clone(&self.clock);
        let client = Arc::new(Client::new(upstream.host(), client, clock));
        let mut clients = self.clients();
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(key, (version, Arc::clone(&client)));
        Ok(client)
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<String, (Version, Arc<Client>)>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals an upstream's client key, after it was found to be one for the certificate.
    pub(crate) fn seal_client_key(
        &self,
        of: &str,
        url: &str,
        key: &str,
    ) -> Result<String, SealFailed> {
        tls::seal(&*self.seal, &tls::owner(of, url), key)
    }

    /// Whether certificates and key can be used together.
    pub(crate) async fn check_tls(
        &self,
        of: &str,
        url: &str,
        certificates: &UpstreamTls,
    ) -> Result<(), String> {
        let owner = tls::owner(of, url);
        let made = tls::http(&self.http, &*self.seal, &owner, certificates).await;
        made.map(drop)
    }
}

/// A rule and where it is.
pub(crate) struct Place<'a> {
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    pub(crate) rule: &'a PullThroughRule,
}

impl Place<'_> {
    /// What tells the rule from all others.
    pub(crate) fn owner(&self) -> String {
        owner(self.account, self.region, &self.rule.prefix)
    }
}

/// What tells a rule from all others: its registry, and its prefix as it was written.
pub(crate) fn owner(account: AccountId, region: &Region, prefix: &str) -> String {
    format!("{account}/{region}/{}", prefix.trim_end_matches('/'))
}
