//! The server as a whole: its parts, its background tasks, its start and its end.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use authz::ServiceName;
use aws_types::{AccountId, Region};
use blobs::Blobs;
use identity::Identity;
use registry::Registry;
use store::Store;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::event_sender;
use crate::health::Problem;
use crate::job_kinds;
use crate::limits::CHANGES_POLL_INTERVAL;
use crate::listener;
use crate::names::Names;
use crate::outbound::{Outbound, OutboundSettings};
use crate::principals::IamPrincipals;
use crate::probe::{self, DiskSettings};
use crate::registry_host::RegistryId;
use crate::tls::Tls;
use crate::transport::TransportSettings;
use crate::webhook_calls::Webhooks;

/// How often what was noted in memory is written, and what has expired is removed.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);
/// How often the server looks for events of commands and jobs that its audit log lacks.
const SERVICE_EVENTS_INTERVAL: Duration = Duration::from_secs(2);

/// What the server itself must be told; all else is in the parts that it is given.
#[derive(Clone)]
pub struct Settings {
    /// Addresses to listen on; port 0 picks one.
    pub listen: Vec<SocketAddr>,
    /// How clients reach this server (`https://registry.example.com`), for image names and
    /// `proxyEndpoint`. Absent: the first address, or `localhost` where that means "any".
    pub public_url: Option<String>,
    /// The region of requests whose host or signature names none.
    pub region: Region,
    /// The account of registry requests whose host names none.
    pub account_id: AccountId,
    /// Certificate and key; absent: plain HTTP.
    pub tls: Option<Tls>,
    /// Where the audit log's files go.
    pub audit_dir: PathBuf,
    /// What is kept of the past.
    pub history: registry::HistoryLimits,
    /// How long a layer stays that no image needs.
    pub collect_after: Duration,
    /// Where backups are written; none are taken where absent.
    pub backup_dir: Option<PathBuf>,
    /// How often every stored layer is read and compared with its digest, and how fast.
    pub scrub: registry::integrity::ScrubPace,
    /// The disks of layers and database.
    pub disks: DiskSettings,
    /// Calls that the server itself makes.
    pub outbound: OutboundSettings,
    /// Whether the registry offers tokens (`Bearer`) in the place of passwords (`Basic`).
    pub token_auth: bool,
    /// Connections and proxies.
    pub transport: TransportSettings,
    /// The clock; [`Settings::system_clock`] outside of tests.
    pub clock: Clock,
}

impl Settings {
    /// The machine's clock.
    pub fn system_clock() -> Clock {
        Arc::new(jiff::Timestamp::now)
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No address was given.
    #[error("no address to listen on")]
    NoAddress,
    /// A public URL that is none.
    #[error("the public URL `{0}` must be `http://host[:port]` or `https://host[:port]`")]
    PublicUrl(String),
    /// The client for outbound calls cannot be made.
    #[error("outbound calls cannot be made: {0}")]
    Outbound(#[from] client::Error),
    /// The registry cannot be opened.
    #[error("the registry cannot be opened")]
    Registry(#[from] registry::Error),
}

/// A server with its sockets open, ready to run.
pub struct Server {
    app: Arc<App>,
    audit: JoinHandle<()>,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tls: Option<Tls>,
    reload: Arc<Notify>,
    disks: DiskSettings,
}

impl Server {
    /// Opens the sockets and the registry over `store` and `blobs`, and puts the parts together. From
    /// here on connections queue; [`Server::run`] answers them. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn bind(
        settings: Settings,
        store: Store,
        blobs: Blobs,
        identity: Identity,
    ) -> Result<Server, StartError> {
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for address in settings.listen {
            let failed = |source| StartError::Listen { address, source };
            let listener = listen(address).map_err(failed)?;
            addresses.push(listener.local_addr().map_err(failed)?);
            listeners.push(listener);
        }
        let first = *addresses.first().ok_or(StartError::NoAddress)?;
        let public_url_is_https = settings
            .public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"));
        let public_url = match settings.public_url {
            Some(url) => checked_url(&url)?,
            None => default_url(first, settings.tls.is_some()),
        };
        let names = Names {
            default: RegistryId {
                account: settings.account_id,
                region: settings.region,
            },
            public_url,
            public_url_is_https,
        };
        let uris = names.clone();
        let repository_uri: registry::RepositoryUri = Arc::new(move |account, region, name| {
            format!("{}/{name}", uris.registry_host(account, region))
        });
        let kms = crate::keys::kms(&store, &identity);
        let registry = Registry::open(
            store.clone(),
            blobs,
            Arc::new(aws_types::SystemEntropy),
            Arc::new(IamPrincipals(identity.clone())),
            Arc::new(crate::keys::KmsKeys(kms.clone())),
            registry::Settings {
                history: settings.history,
                collect_after: settings.collect_after,
                backup_dir: settings.backup_dir,
                scrub: settings.scrub,
                shared: store.engine() == store::Engine::Postgres,
                ..registry::Settings::new(repository_uri)
            },
            (settings.clock)(),
        )
        .await?;
        let (audit, writer) = Audit::start(
            settings.audit_dir,
            &names.default.region,
            Arc::clone(&settings.clock),
        );
        let reload = Arc::clone(&settings.transport.reload);
        let webhooks = Webhooks::new(&settings.outbound)?;
        let app = App::new(
            identity,
            registry,
            kms,
            store,
            names,
            settings.clock,
            audit,
            settings.transport,
            settings.token_auth,
            settings.disks.ballast(),
            Outbound::new(settings.outbound)?,
            webhooks,
        );
        if app.registry.is_resting() {
            app.health.set(Problem::Restored, true);
            tracing::warn!("{RESTORED}");
        }
        Ok(Server {
            app: Arc::new(app),
            audit: writer,
            listeners,
            addresses,
            tls: settings.tls,
            reload,
            disks: settings.disks,
        })
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Where it listens; ports that were picked are filled in.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How clients reach it.
    pub fn public_url(&self) -> &str {
        &self.app.names.public_url
    }

    /// Serves until `shutdown` completes; then no connection is accepted, and running requests are given
    /// [`SHUTDOWN_GRACE`](crate::limits::SHUTDOWN_GRACE). Returns when everything that was noted in
    /// memory, the audit log's last events among it, is written.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Server {
            app,
            audit,
            listeners,
            tls,
            reload,
            disks,
            ..
        } = self;
        let (stop, stopped) = watch::channel(false);
        let background_tasks = tokio::spawn(background_tasks(Arc::clone(&app), stopped.clone()));
        tokio::spawn(probe::watch(Arc::clone(&app), disks, stopped.clone()));
        if let Some(tls) = &tls {
            tokio::spawn(tls.clone().watch(reload, stopped.clone()));
        }
        let serving = listener::serve(Arc::clone(&app), listeners, tls, stopped);
        let signal = async {
            shutdown.await;
            tracing::info!("stopping");
            // First: whoever asked for the stop may not wait for its end.
            app.audit.sync_now();
            // All receivers gone means that everything has stopped already.
            let _ = stop.send(true);
        };
        tokio::join!(serving, signal);
        let last_maintenance = async {
            if background_tasks.await.is_err() {
                tracing::error!("the maintenance task panicked");
            }
            maintain(&app).await;
            record_service_events(&app).await;
        };
        if tokio::time::timeout(MAINTENANCE_GRACE, last_maintenance)
            .await
            .is_err()
        {
            tracing::warn!("the database does not answer: last-used times are not written");
        }
        // The last sender of the audit queue: the writer ends with what is in it. Connections that were
        // given up still hold one, so the wait is bounded.
        drop(app);
        if tokio::time::timeout(AUDIT_GRACE, audit).await.is_err() {
            tracing::warn!("the audit log was still being written");
        }
    }
}

/// What a restored server says at its start.
const RESTORED: &str = "this server was restored from a backup: collection, lifecycle policies, replication, refreshes of \
     the pull through cache and webhooks rest until `berth restore finish`; look at `berth restore review` first";
/// How long the end waits for the database to take what was noted in memory.
const MAINTENANCE_GRACE: Duration = Duration::from_secs(10);
/// What the audit log's writer is given to finish.
const AUDIT_GRACE: Duration = Duration::from_secs(5);

/// Connections that wait to be accepted; the system may allow fewer (`net.core.somaxconn`). What comes beyond is reset or
/// delayed by seconds, and the 128 of the standard library are fewer than the jobs that a CI system starts at once.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that starts again takes its port although connections of the earlier one are still known.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn default_url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    match address.ip().is_unspecified() {
        true => format!("{scheme}://localhost:{}", address.port()),
        false => format!("{scheme}://{address}"),
    }
}

fn checked_url(url: &str) -> Result<String, StartError> {
    let wrong = || StartError::PublicUrl(url.to_owned());
    let url = url.strip_suffix('/').unwrap_or(url);
    let (scheme, host) = url.split_once("://").ok_or_else(wrong)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    match matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain) {
        true => Ok(url.to_owned()),
        false => Err(wrong()),
    }
}

async fn background_tasks(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut polls = tokio::time::interval(CHANGES_POLL_INTERVAL);
    polls.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut maintenance = tokio::time::interval(MAINTENANCE_INTERVAL);
    maintenance.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut service_events = tokio::time::interval(SERVICE_EVENTS_INTERVAL);
    service_events.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut reachable = true;
    let jobs = tokio::spawn(run_jobs(Arc::clone(&app), stop.clone()));
    let webhooks = tokio::spawn(send_events(Arc::clone(&app), stop.clone()));
    loop {
        tokio::select! {
            () = listener::stopped(&mut stop) => break,
            _ = polls.tick() => {
                let polled = app.store.poll_changes().await;
                // Said once, not twice a second.
                match &polled {
                    Err(error) if reachable => tracing::error!(%error, "the database does not answer"),
                    Ok(()) if !reachable => tracing::info!("the database answers again"),
                    _ => {}
                }
                reachable = polled.is_ok();
                app.health.set(Problem::DatabaseAway, !reachable);
                look_whether_resting(&app).await;
            }
            _ = maintenance.tick() => maintain(&app).await,
            _ = service_events.tick() => record_service_events(&app).await,
        }
    }
    if webhooks.await.is_err() {
        tracing::error!("the sender of webhooks panicked");
    }
    if jobs.await.is_err() {
        tracing::error!("the runner of jobs panicked");
    }
}

/// Learns that another node was told to let background work go on. Asked only while it rests.
async fn look_whether_resting(app: &App) {
    if !app.registry.is_resting() {
        app.health.set(Problem::Restored, false);
        return;
    }
    match app.registry.look_whether_resting().await {
        Ok(true) => {}
        Ok(false) => tracing::info!("the restore is finished: background work goes on"),
        Err(error) => {
            tracing::debug!(
                error = crate::error::chain(&error),
                "it is unknown whether background work rests"
            );
        }
    }
}

/// Sends events, once a restored server has not to rest any more.
async fn send_events(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let ended = tokio::select! {
        () = listener::stopped(&mut stop) => true,
        () = app.registry.rested() => false,
    };
    if !ended {
        event_sender::run(app, stop).await;
    }
}

/// Runs the jobs that are due, on whichever node sees them first.
async fn run_jobs(app: Arc<App>, stop: watch::Receiver<bool>) {
    let runner = job_kinds::runner(&app);
    let integrity = job_kinds::integrity_runner(&app);
    let peers = job_kinds::peer_runners(&app);
    let stopped = |stop: &watch::Receiver<bool>| {
        let mut stop = stop.clone();
        async move { listener::stopped(&mut stop).await }
    };
    let ensured = async {
        while let Err(error) = job_kinds::ensure(&runner, &integrity, &peers).await {
            tracing::warn!(%error, "the queue of jobs cannot be read");
            tokio::time::sleep(MAINTENANCE_INTERVAL).await;
        }
    };
    tokio::select! {
        () = stopped(&stop) => return,
        () = ensured => {}
    }
    let lifecycle = job_kinds::lifecycle_runner(&app);
    let replication = job_kinds::replication_runner(&app);
    let backfills = job_kinds::backfill_runner(&app);
    let imports = job_kinds::import_runner(&app);
    let peers = peers.iter().map(|runner| runner.run(stopped(&stop)));
    let backups = job_kinds::backup_runner(&app);
    let backups = async {
        if let Some(runner) = &backups {
            runner.run(stopped(&stop)).await;
        }
    };
    // What changes and deletes by itself rests after a restore.
    let resting = async {
        tokio::select! {
            () = stopped(&stop) => return,
            () = app.registry.rested() => {}
        }
        tokio::join!(
            lifecycle.run(stopped(&stop)),
            replication.run(stopped(&stop)),
            backfills.run(stopped(&stop)),
            imports.run(stopped(&stop)),
            futures_util::future::join_all(peers)
        );
    };
    tokio::join!(
        runner.run(stopped(&stop)),
        // It deletes nothing, so it need not rest.
        integrity.run(stopped(&stop)),
        backups,
        resting
    );
}

/// What cannot be moved now stays in the database, and is tried again.
async fn record_service_events(app: &App) {
    if let Err(error) = app.record_service_events().await {
        tracing::warn!(%error, "service events are not in the audit log yet");
    }
}

async fn maintain(app: &App) {
    if let Err(error) = app.identity.sealer().refresh().await {
        tracing::error!(?error, "the key ring was not read again");
    }
    if let Err(error) = app.identity.flush_last_used().await {
        tracing::warn!(
            error = crate::error::chain(&error),
            "last-used times are not written yet"
        );
    }
    if let Err(error) = app.identity.flush_denials().await {
        tracing::warn!(
            error = crate::error::chain(&error),
            "denials are not written yet"
        );
    }
    if let Err(error) = app
        .registry
        .maintain(ServiceName::Maintenance, app.now())
        .await
    {
        tracing::warn!(
            error = crate::error::chain(&error),
            "the registry's maintenance failed"
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// More than the 128 of the standard library, fewer than a process may open.
    const CONNECTIONS: usize = 500;

    #[tokio::test]
    async fn many_connections_wait_to_be_accepted() {
        let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let count = CONNECTIONS.min(allowed.trim().parse().unwrap());
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting: Vec<_> = (0..count)
            .map(|_| {
                std::net::TcpStream::connect_timeout(&address, Duration::from_secs(20)).unwrap()
            })
            .collect();
        for _ in &waiting {
            listener.accept().await.unwrap();
        }
    }
}
