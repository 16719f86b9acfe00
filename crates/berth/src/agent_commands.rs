//! `berth agent`: a host with a role. The crate `agent` does the work.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::container::UserTokens;
use agent::imds::{Instance, Tokens};
use agent::kubelet::{ProviderRequest, Puller, REQUEST_BYTES_MAX};
use agent::pods::Pods;
use agent::service::{Clock, Metadata, listen, serve_metadata, serve_pods};
use agent::{Host, HostSource, StateDir, Upstream, users};
use aws_types::SystemEntropy;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::cli::{AgentCommand, AgentRunOptions, CredentialOptions, JoinOptions, KubeletOptions};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::process;

/// The longest file or line with a code.
const CODE_BYTES_MAX: u64 = 1024;

/// How often credentials in use are looked at, to renew them before somebody waits for it.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// The session's name of a service account whose pod is not known.
const SERVICE_ACCOUNT_SESSION: &str = "kubelet-service-account";

impl From<agent::Error> for Error {
    fn from(error: agent::Error) -> Error {
        Error::Failed(error.to_string())
    }
}

/// Runs the command.
pub fn run(command: AgentCommand) -> Result<()> {
    // Keys and sessions are in this process's memory: no core files, no other process looks into it.
    process::keep_private();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(async {
        match command {
            AgentCommand::Join(options) => join(options).await,
            AgentCommand::Run(options) => serve(options).await,
            AgentCommand::CredentialProcess(options) => credential_process(&options).await,
            AgentCommand::Kubelet(options) => kubelet(options).await,
        }
    })
}

async fn join(options: JoinOptions) -> Result<()> {
    let endpoint = endpoint(options.endpoint_url)?;
    let ca_bundle = ca_bundle(options.ca_bundle)?;
    let upstream = Upstream::new(&endpoint, ca_bundle.as_deref())?;
    let users = named_users(&options.allow_user)?;
    let host_name = options.host_name.or_else(system_name);
    let state = state(options.state.state_dir);
    let key = state.prepare()?;
    // After everything else that can fail: the code is used once.
    let code = code(options.code_file.as_deref())?;
    let joined = upstream.join(&key, &code, host_name.as_deref()).await?;
    let host = Host {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        ca_bundle,
        host_id: joined.host_id,
        server_id: joined.server_id,
        account_id: joined.account_id,
        region: joined.region,
        host_name,
        users,
    };
    state.save(&host)?;
    let mut answers = Answers::new();
    answers.line(&format!(
        "joined as {} with {}; run berth agent run",
        host.host_id, joined.instance_profile_arn
    ))?;
    answers.flush()
}

async fn serve(options: AgentRunOptions) -> Result<()> {
    let state = state(options.state.state_dir);
    let host = state.host()?;
    let entropy = Arc::new(SystemEntropy);
    let upstream = upstream(&host)?;
    let clock: Clock = Arc::new(Timestamp::now);
    let container = match &options.container_token_dir {
        Some(directory) => {
            let passwd = passwd()?;
            Some(UserTokens::write(
                directory,
                &host.users,
                &passwd,
                &*entropy,
            )?)
        }
        None => None,
    };
    let pods = match (options.pod_listen, &options.pod_roles) {
        (Some(address), Some(roles)) => {
            let pods = Pods::load(upstream.clone(), roles)?;
            Some((listen(address).await?, Arc::new(pods)))
        }
        _ => None,
    };
    let listener = listen(options.listen).await?;
    let address = listener
        .local_addr()
        .map_err(Error::failed("cannot listen"))?;
    let source = HostSource {
        upstream,
        key: state.key()?,
        host: host.clone(),
        entropy: entropy.clone(),
    };
    let metadata = Arc::new(Metadata {
        cache: agent::cache::Cache::new(source, entropy.clone()),
        instance: Instance {
            host_id: host.host_id,
            account_id: host.account_id,
            region: host.region,
            host_name: host.host_name,
            pending_time: clock(),
        },
        tokens: Tokens::new(&*entropy)?,
        users: host.users,
        container,
        clock: Arc::clone(&clock),
    });
    let mut answers = Answers::new();
    answers.line(&format!("berth agent listening on http://{address}"))?;
    answers.flush()?;
    let renewal = async {
        loop {
            tokio::time::sleep(RENEWAL_INTERVAL).await;
            metadata.cache.keep_fresh(clock()).await;
        }
    };
    let pods = async {
        match pods {
            Some((listener, pods)) => serve_pods(listener, pods, Arc::clone(&clock)).await,
            None => std::future::pending().await,
        }
    };
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(Error::failed("cannot wait for signals"))?;
    tokio::select! {
        () = renewal => Ok(()),
        ended = serve_metadata(listener, Arc::clone(&metadata)) => Ok(ended?),
        ended = pods => Ok(ended?),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn credential_process(options: &CredentialOptions) -> Result<()> {
    let state = state(options.state.state_dir.clone());
    let host = state.host()?;
    let key = state.key()?;
    let now = Timestamp::now();
    let upstream = upstream(&host)?;
    let role = upstream.host_role(&host, &key, &SystemEntropy, now);
    let document = agent::credential_process::document(&role.await?.issued);
    let mut answers = Answers::new();
    answers.line(&document)?;
    answers.flush()
}

async fn kubelet(options: KubeletOptions) -> Result<()> {
    let mut text = String::new();
    std::io::stdin()
        .take(REQUEST_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(Error::failed("cannot read the kubelet's request"))?;
    let request = ProviderRequest::parse(&text)?;
    let state = state(options.state.state_dir);
    let now = Timestamp::now();
    let region = request.region().or(options.region);
    let region = region.map(|region| region.to_string());
    let login = match request.puller()? {
        Puller::Host => {
            let host = state.host()?;
            let upstream = upstream(&host)?;
            let key = state.key()?;
            let role = upstream.host_role(&host, &key, &SystemEntropy, now);
            let issued = role.await?.issued;
            let region = region.unwrap_or(host.region);
            upstream.login(&issued, &region, now).await?
        }
        Puller::ServiceAccount { token, role_arn } => {
            let joined = state.is_joined().then(|| state.host()).transpose()?;
            let upstream = match (options.endpoint_url, &joined) {
                (None, Some(host)) => upstream(host)?,
                (url, _) => {
                    let ca_bundle = ca_bundle(options.ca_bundle)?;
                    Upstream::new(&endpoint(url)?, ca_bundle.as_deref())?
                }
            };
            let region = region.or(joined.map(|host| host.region)).ok_or_else(|| {
                Error::Usage("the registry's host names no region: give --region".to_owned())
            })?;
            let issued = upstream
                .web_identity(role_arn, SERVICE_ACCOUNT_SESSION, token, now)
                .await?;
            upstream.login(&issued, &region, now).await?
        }
    };
    let mut answers = Answers::new();
    answers.line(&request.response(&login, now)?)?;
    answers.flush()
}

fn state(directory: Option<PathBuf>) -> StateDir {
    let is_root = rustix::process::geteuid().is_root();
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    StateDir::new(directory.unwrap_or_else(|| {
        let (state_home, home) = (path("XDG_STATE_HOME"), path("HOME"));
        StateDir::default_path(is_root, state_home.as_deref(), home.as_deref())
    }))
}

fn upstream(host: &Host) -> Result<Upstream> {
    Ok(Upstream::new(&host.endpoint, host.ca_bundle.as_deref())?)
}

fn endpoint(given: Option<String>) -> Result<String> {
    let variable = || std::env::var("AWS_ENDPOINT_URL").ok();
    let found = given.or_else(variable).filter(|url| !url.is_empty());
    found.ok_or_else(|| {
        Error::Usage("no server is named: give --endpoint-url or set AWS_ENDPOINT_URL".to_owned())
    })
}

/// Absolute, since the agent that runs later is elsewhere.
fn ca_bundle(given: Option<PathBuf>) -> Result<Option<PathBuf>> {
    let variable = || std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from);
    let found = given
        .or_else(variable)
        .filter(|path| !path.as_os_str().is_empty());
    found
        .map(|path| std::path::absolute(path).map_err(Error::failed("cannot find the CA bundle")))
        .transpose()
}

fn named_users(named: &[String]) -> Result<Vec<u32>> {
    if named.is_empty() {
        let sudo = std::env::var("SUDO_UID").ok();
        let euid = rustix::process::geteuid().as_raw();
        return Ok(users::default_users(euid, sudo.as_deref()));
    }
    let passwd = passwd()?;
    let mut found = Vec::new();
    for user in named {
        found.push(users::uid(&passwd, user)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn passwd() -> Result<String> {
    std::fs::read_to_string("/etc/passwd").map_err(Error::failed("cannot read /etc/passwd"))
}

/// The system's name of the host, where it is one that the server takes.
fn system_name() -> Option<String> {
    let name = rustix::system::uname();
    let name = name.nodename().to_str().ok()?;
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (!name.is_empty() && name.len() <= 253 && name.chars().all(sound)).then(|| name.to_owned())
}

/// The code, from a file or standard input: a command line and the environment can be read by others.
fn code(file: Option<&Path>) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let cannot = Error::failed("cannot read the code");
    match file {
        Some(path) => {
            let file = std::fs::File::open(path);
            let read = file.and_then(|file| file.take(CODE_BYTES_MAX).read_to_string(&mut text));
            read.map_err(Error::failed(format!("cannot read {}", path.display())))?;
        }
        None if std::io::stdin().is_terminal() => {
            eprint!("Code of berth host invite: ");
            std::io::stderr().flush().map_err(cannot)?;
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            text.push_str(&line);
            zeroize::Zeroize::zeroize(&mut line);
            read.map_err(Error::failed("cannot read the code"))?;
        }
        None => {
            let read = std::io::stdin()
                .take(CODE_BYTES_MAX)
                .read_to_string(&mut text);
            read.map_err(cannot)?;
        }
    }
    let code = Zeroizing::new(text.trim().to_owned());
    match code.is_empty() {
        true => Err(Error::Usage(
            "there is no code: pipe that of berth host invite to this command, or give --code-file"
                .to_owned(),
        )),
        false => Ok(code),
    }
}
