//! `berth serve`: opens everything, says how to reach it, serves until a signal.

use std::ffi::OsString;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blobs::{Blobs, Owner};
use jiff::Timestamp;
use server::limits::{CONNECTIONS_MAX, CONNECTIONS_MIN, FILES_PER_CONNECTION, FILES_RESERVED};
use server::{
    DiskSettings, OutboundSettings, Server, Settings, StartError, Tls, TransportSettings,
};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::cli::{ByteSize, ServeOptions};
use crate::data_dir::{self, DataDir, Lock};
use crate::error::{Error, Result, cause};
use crate::output::Answers;
use crate::{process, storage};

/// Runs the server until SIGTERM or SIGINT.
pub fn serve(options: &ServeOptions) -> Result<()> {
    process::keep_private();
    process::raise_open_files();
    runtime()?.block_on(Box::pin(async {
        // Before anything is printed: whoever has read the last line may send a signal.
        let shutdown = shutdown()?;
        let reload = Arc::new(Notify::new());
        reload_on_hangup(Arc::clone(&reload))?;
        let ready = prepare(options, |name| std::env::var_os(name), reload).await?;
        announce(options, &ready)?;
        ready.run(shutdown).await;
        Ok(())
    }))
}

/// Threads for what blocks and is not the blobs' work: hashing passwords, parsing documents, looking up names of hosts,
/// writing the audit log and backups. None of them may wait for another that hangs.
const OTHER_BLOCKING_THREADS: usize = 128;

/// The runtime of a server.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(blobs::threads_max() + OTHER_BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))
}

/// A server that has its sockets and its data, and answers nobody yet.
pub struct Ready {
    /// Where it listens, ports filled in.
    pub addresses: Vec<SocketAddr>,
    /// How clients reach it.
    pub public_url: String,
    /// The root key's file, where one is there.
    pub credentials: Option<PathBuf>,
    secure: bool,
    store: Store,
    server: Server,
    lock: Lock,
}

/// Opens directory, database, identity, blobs and sockets.
pub async fn prepare(
    options: &ServeOptions,
    env: impl Fn(&str) -> Option<OsString> + Copy,
    reload: Arc<Notify>,
) -> Result<Ready> {
    let transport = TransportSettings {
        connections_max: connections_max(process::open_files_limit())?,
        trusted_proxies: options.trusted_proxy.clone(),
        hsts_seconds: options.hsts,
        reload,
    };
    let tls = tls(options)?;
    let secure = tls.is_some();
    if let Some(open) = options
        .listen
        .iter()
        .find(|address| !secure && !address.ip().is_loopback())
    {
        tracing::warn!(address = %open, "passwords cross the network in the clear here unless a proxy speaks TLS: give --tls-cert and --tls-key");
    }
    let now = Timestamp::now();
    let home = DataDir::open(&options.storage.data_dir)?;
    let lock = home.lock()?;
    home.check_private_files()?;
    if let Some(path) = storage::database_file(&options.storage, &home) {
        data_dir::check_private(&path, data_dir::OTHERS)?;
    }

    let setup = home.setup()?;
    let storage = storage::open(
        storage::Role::Server,
        &options.storage,
        &home,
        &setup,
        env,
        now,
    )
    .await?;
    storage::first_start(&storage, &home, &setup, options.account_id, env, now).await?;
    drop(setup);
    let storage::Storage { store, identity } = storage;

    let blobs_dir = options.blobs.clone().unwrap_or_else(|| home.join("blobs"));
    let owner = Owner {
        database: store.id(),
        is_shared: store.engine() == store::Engine::Postgres,
    };
    let blobs = Blobs::open_directory(&blobs_dir, owner)
        .await
        .map_err(Error::failed(format!(
            "cannot open the blobs in {}",
            blobs_dir.display()
        )))?;
    let settings = Settings {
        listen: options.listen.clone(),
        public_url: options
            .public_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        region: options.region.clone(),
        account_id: options.account_id,
        tls,
        audit_dir: home.join("audit"),
        history: server::HistoryLimits {
            moves_per_tag_max: options.tag_history_per_tag,
            moves_per_repository_max: options.tag_history_per_repository,
        },
        collect_after: std::time::Duration::from_secs(options.collect_after.into()),
        backup_dir: options.backup_dir.clone(),
        scrub: server::integrity::ScrubPace {
            after: std::time::Duration::from_secs(options.scrub_after.into()),
            bytes_per_second: options.scrub_rate.bytes(),
        },
        disks: DiskSettings {
            blobs_dir: Some(blobs_dir),
            reserve_bytes: options.disk_reserve.map(ByteSize::bytes),
            database_dir: storage::database_file(&options.storage, &home)
                .and_then(|path| std::path::absolute(path).ok())
                .and_then(|path| path.parent().map(Path::to_owned)),
        },
        outbound: outbound(options)?,
        token_auth: options.token_auth,
        transport,
        clock: Settings::system_clock(),
    };
    let server = Server::bind(settings, store.clone(), blobs, identity)
        .await
        .map_err(|error| refused(&error))?;
    Ok(Ready {
        addresses: server.addresses().to_vec(),
        public_url: server.public_url().to_owned(),
        credentials: Some(home.join("credentials")).filter(|path| path.is_file()),
        secure,
        store,
        server,
        lock,
    })
}

fn refused(error: &StartError) -> Error {
    match error {
        StartError::Listen { .. } => {
            Error::Failed(format!("{error}; choose another address with --listen"))
        }
        StartError::NoAddress => {
            Error::Usage("give an address to listen on: --listen ADDR:PORT".to_owned())
        }
        StartError::PublicUrl(_) => Error::Usage(format!("{error}; see --public-url")),
        StartError::Outbound(_) => Error::Failed(error.to_string()),
        StartError::Registry(_) => Error::Failed(format!("{error}: {}", cause(error))),
    }
}

impl Ready {
    /// Serves until `shutdown` completes and what was running has ended.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        self.server.run(shutdown).await;
        self.store.close().await;
        // Last: the next server may come now.
        drop(self.lock);
    }
}

/// The number of connections that fits the limit of open files.
fn connections_max(files: Option<u64>) -> Result<usize> {
    let Some(connections) = server::limits::connections_for(files) else {
        let needed = FILES_RESERVED + FILES_PER_CONNECTION * CONNECTIONS_MIN as u64;
        return Err(Error::Failed(format!(
            "only {} files may be open at once; Berth needs {needed}: raise the limit (ulimit -n)",
            files.unwrap_or_default()
        )));
    };
    if connections < CONNECTIONS_MAX {
        let needed = FILES_RESERVED + FILES_PER_CONNECTION * CONNECTIONS_MAX as u64;
        tracing::warn!(
            open_files_max = files.unwrap_or_default(),
            connections_max = connections,
            "fewer connections than usual, because few files may be open at once: {needed} (ulimit -n) are enough for {CONNECTIONS_MAX}"
        );
    }
    Ok(connections)
}

/// SIGHUP asks for the certificate to be read again. It never ends the server, as it would by default.
fn reload_on_hangup(reload: Arc<Notify>) -> Result<()> {
    let mut hangup =
        signal(SignalKind::hangup()).map_err(Error::failed("cannot listen for signals"))?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.notify_one();
        }
    });
    Ok(())
}

fn tls(options: &ServeOptions) -> Result<Option<Tls>> {
    match (&options.tls_cert, &options.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Tls::from_files(certificate, key)
            .map(Some)
            .map_err(Error::failed("cannot serve TLS")),
        (Some(_), None) => Err(Error::Usage(
            "--tls-cert needs --tls-key: give the certificate's private key".to_owned(),
        )),
        (None, Some(_)) => Err(Error::Usage(
            "--tls-key needs --tls-cert: give the certificate".to_owned(),
        )),
    }
}

/// The rule for calls that the server makes itself.
fn outbound(options: &ServeOptions) -> Result<OutboundSettings> {
    let extra_roots = match &options.outbound_ca {
        None => Vec::new(),
        Some(path) => {
            let pem = std::fs::read(path);
            let unreadable = format!("cannot read {}", path.display());
            let pem = pem.map_err(Error::failed(unreadable))?;
            OutboundSettings::certificates(&pem)
                .map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?
        }
    };
    Ok(OutboundSettings {
        extra_roots,
        allow: options.outbound_allow.clone(),
    })
}

/// Prints how to use the server, and last, for programs, that it listens.
fn announce(options: &ServeOptions, ready: &Ready) -> Result<()> {
    let mut answers = Answers::new();
    answers.line(&paste(options, ready))?;
    for address in &ready.addresses {
        let scheme = if ready.secure { "https" } else { "http" };
        answers.line(&format!("berth listening on {scheme}://{address}"))?;
    }
    answers.flush()
}

/// Lines for a shell.
pub fn paste(options: &ServeOptions, ready: &Ready) -> String {
    let url = &ready.public_url;
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    let mut lines = vec![format!(
        "# berth {}: account {}, region {}. Paste this into a shell:",
        env!("CARGO_PKG_VERSION"),
        options.account_id,
        options.region
    )];
    if let Some(path) = &ready.credentials {
        lines.push(format!(
            "export AWS_SHARED_CREDENTIALS_FILE={}",
            quoted(&path.display().to_string())
        ));
    }
    lines.push(format!("export AWS_ENDPOINT_URL={url}"));
    lines.push(format!("export AWS_DEFAULT_REGION={}", options.region));
    lines.push(format!(
        "aws ecr get-login-password | docker login --username AWS --password-stdin {host}"
    ));
    lines.join("\n")
}

/// A word of a shell's command line.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@%".contains(&b);
    match text.bytes().all(plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Completes at the first SIGTERM or SIGINT. A second one ends the process at once.
pub fn shutdown() -> Result<impl Future<Output = ()>> {
    let no_signals = || Error::failed("cannot listen for signals");
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("stopped by a second signal");
            std::process::exit(1);
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};

    fn options(args: &[&str]) -> ServeOptions {
        let args = ["berth", "serve"].iter().chain(args).map(OsString::from);
        match parse(args, |_| None).unwrap().command {
            Command::Serve(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn certificate_and_key_come_together() {
        for args in [["--tls-cert", "c.pem"], ["--tls-key", "k.pem"]] {
            assert!(matches!(tls(&options(&args)), Err(Error::Usage(_))));
        }
        let both = options(&["--tls-cert", "/none/c.pem", "--tls-key", "/none/k.pem"]);
        let refused = tls(&both).err().unwrap().to_string();
        assert!(refused.contains("/none/c.pem"), "{refused}");
    }

    #[test]
    fn connections_fit_the_limit_of_open_files() {
        assert_eq!(connections_max(Some(1024)).unwrap(), 384);
        let refused = connections_max(Some(100)).unwrap_err().to_string();
        assert!(
            refused.contains("100 files") && refused.contains("ulimit -n"),
            "{refused}"
        );
    }

    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(quoted("/srv/berth/credentials"), "/srv/berth/credentials");
        assert_eq!(quoted("/srv/my data/it's"), r"'/srv/my data/it'\''s'");
    }
}
