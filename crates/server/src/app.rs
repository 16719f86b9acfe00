//! What every request is served with: data only, which the modules of each step import.

use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use identity::Identity;
use identity::federation::oidc::KeyCache;
use jiff::Timestamp;
use registry::Registry;
use secrets::Secrets;
use secrets::kms::Kms;
use store::Store;

use crate::admission::Admission;
use crate::audit::Audit;
use crate::audit::reserve::Ballast;
use crate::clock::Clock;
use crate::connections::{Connections, Peer, RunningRequest};
use crate::failure_delay::FailureDelay;
use crate::forwarded::TrustedProxies;
use crate::head::Head;
use crate::health::Health;
use crate::issuer_endpoints::EndpointCache;
use crate::memory_budget::MemoryBudget;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::outbound::Outbound;
use crate::peer_turns::PeerTurns;
use crate::pull_through::PullThrough;
use crate::rate_buckets::Rates;
use crate::server_mode::ServerMode;
use crate::sign_in_guesses::Guesses;
use crate::transport::TransportSettings;
use crate::webhook_calls::Webhooks;

pub(crate) struct App {
    pub(crate) identity: Identity,
    pub(crate) registry: Registry,
    pub(crate) secrets: Secrets,
    pub(crate) pull_through: PullThrough,
    pub(crate) kms: Kms,
    pub(crate) store: Store,
    pub(crate) names: Names,
    pub(crate) clock: Clock,
    pub(crate) audit: Audit,
    pub(crate) metrics: Metrics,
    /// The memory for bodies that are kept whole.
    pub(crate) bodies: MemoryBudget,
    pub(crate) admission: Admission,
    pub(crate) failure_delay: FailureDelay,
    /// Failed sign-ins to the console.
    pub(crate) guesses: Guesses,
    /// Whether the server refuses writes.
    pub(crate) server_mode: ServerMode,
    /// Requests per second of accounts.
    pub(crate) rates: Rates,
    pub(crate) connections: Arc<Connections>,
    /// Whether challenges of the registry offer tokens.
    pub(crate) token_auth: bool,
    /// The value of `Strict-Transport-Security`, where it is sent.
    pub(crate) hsts: Option<HeaderValue>,
    pub(crate) health: Arc<Health>,
    /// Space beside the database for taking access away.
    pub(crate) ballast: Option<Ballast>,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) proxies: TrustedProxies,
    /// Calls that the server itself makes.
    pub(crate) outbound: Outbound,
    /// The turns of replication to peers.
    pub(crate) peer_turns: PeerTurns,
    /// The sender of events.
    pub(crate) webhooks: Webhooks,
    /// The keys of OIDC providers.
    pub(crate) issuer_keys: KeyCache,
    /// Where OIDC providers take sign-ins.
    pub(crate) issuer_endpoints: EndpointCache,
}

impl App {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, with everything that a server is made of"
    )]
    pub(crate) fn new(
        identity: Identity,
        registry: Registry,
        kms: Kms,
        store: Store,
        names: Names,
        clock: Clock,
        audit: Audit,
        transport: TransportSettings,
        token_auth: bool,
        ballast: Option<Ballast>,
        outbound: Outbound,
        webhooks: Webhooks,
    ) -> App {
        let secrets = crate::secret_seal::secrets(&store, &identity);
        let http = outbound.upstreams();
        App {
            pull_through: PullThrough::new(
                registry.clone(),
                http,
                secrets.clone(),
                crate::secret_seal::client_keys(&identity),
                Arc::clone(&clock),
            ),
            secrets,
            kms,
            identity,
            registry,
            store,
            names,
            clock,
            audit,
            metrics: Metrics::default(),
            bodies: MemoryBudget::new(),
            admission: Admission::new(),
            failure_delay: FailureDelay::new(),
            guesses: Guesses::new(),
            server_mode: ServerMode::default(),
            rates: Rates::default(),
            connections: Connections::new(transport.connections_max),
            token_auth,
            hsts: transport
                .hsts_seconds
                .and_then(|seconds| HeaderValue::try_from(format!("max-age={seconds}")).ok()),
            health: Arc::default(),
            ballast,
            proxies: TrustedProxies::new(transport.trusted_proxies),
            outbound,
            peer_turns: PeerTurns::default(),
            webhooks,
            issuer_keys: KeyCache::default(),
            issuer_endpoints: EndpointCache::new(),
        }
    }

    /// The head of a request that came over the connection of `peer`.
    pub(crate) fn head(&self, parts: Parts, peer: &Peer, running: Arc<RunningRequest>) -> Head {
        let (now, names) = (self.now(), &self.names);
        Head::new(
            parts,
            peer,
            running,
            now,
            names,
            &self.proxies,
            &self.admission,
        )
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
