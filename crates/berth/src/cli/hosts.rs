//! `berth host`, `berth explain` and `berth agent`.

use std::net::SocketAddr;
use std::path::PathBuf;

use aws_types::Region;
use clap::{Args, Subcommand};

use super::Output;

/// Commands on the hosts of an account.
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// Create a code with which one host can join, and print it once
    Invite(HostInviteOptions),
    /// List the hosts of the account in the region
    List(HostListOptions),
    /// End a host's access: its next request is refused
    Revoke(HostRevokeOptions),
}

pub(super) const CLIENT_HELP: &str = "\
Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call: \
AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION and the files in ~/.aws.";

/// `berth host invite`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct HostInviteOptions {
    /// The instance profile whose role the host gets
    #[arg(long, value_name = "NAME")]
    pub instance_profile: String,
    /// The only host name that may use the code; any by default
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    /// How long the code can be used, in seconds: 60 to 604800; an hour by default
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i32).range(60..=604_800))]
    pub duration: Option<i32>,
    /// A tag of the host that joins; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub tag: Vec<(String, String)>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth host list`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct HostListOptions {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth host revoke`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct HostRevokeOptions {
    /// The host's id: `i-` and 17 hexadecimal digits
    #[arg(value_name = "ID")]
    pub id: String,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth explain`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct ExplainRequestOptions {
    /// The request's id, as its answer has it (`x-amzn-requestid`); without one, list the latest denials
    #[arg(value_name = "ID")]
    pub request_id: Option<String>,
    /// How many denials are listed, newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub latest: i32,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Commands on a host.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Join with the code of `berth host invite`, read from standard input or a file
    Join(JoinOptions),
    /// Serve the instance metadata service (IMDSv2) to the local users that were named at join
    Run(AgentRunOptions),
    /// Print credentials for a `credential_process` line in ~/.aws/config
    CredentialProcess(CredentialOptions),
    /// Answer a kubelet's request for registry credentials on standard input
    Kubelet(KubeletOptions),
}

/// Where the agent keeps the host's key.
#[derive(Args, Clone, Debug)]
pub struct StateOptions {
    /// Where the agent keeps the host's key; by default `/var/lib/berth-agent` for root, and
    /// `~/.local/state/berth-agent` for other users
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `berth agent join`.
#[derive(Args, Clone, Debug)]
pub struct JoinOptions {
    #[command(flatten)]
    pub state: StateOptions,
    /// The server's URL; by default that of `AWS_ENDPOINT_URL`. Without TLS only a loopback address
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Read the code from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
    /// The host's name; by default the system's
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    /// A local user, by name or number, who may have the host's credentials; may be repeated. By default
    /// root and who joins
    #[arg(long, value_name = "USER")]
    pub allow_user: Vec<String>,
    /// Certificate authorities beside those of the system, in PEM; by default those of `AWS_CA_BUNDLE`
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
}

/// `berth agent run`.
#[derive(Args, Clone, Debug)]
pub struct AgentRunOptions {
    #[command(flatten)]
    pub state: StateOptions,
    /// The metadata service's address: loopback or link-local, such as 169.254.169.254:80
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1338")]
    pub listen: SocketAddr,
    /// Also serve container credentials at /v1/credentials: write an authorization token for each named
    /// user into this directory
    #[arg(long, value_name = "DIR")]
    pub container_token_dir: Option<PathBuf>,
    /// Also serve EKS Pod Identity's contract at this address, such as 169.254.170.23:80
    #[arg(long, value_name = "ADDR:PORT", requires = "pod_roles")]
    pub pod_listen: Option<SocketAddr>,
    /// The roles of service accounts: a JSON object of `NAMESPACE/SERVICE ACCOUNT` and role ARN
    #[arg(long, value_name = "FILE", requires = "pod_listen")]
    pub pod_roles: Option<PathBuf>,
}

/// `berth agent credential-process`.
#[derive(Args, Clone, Debug)]
pub struct CredentialOptions {
    #[command(flatten)]
    pub state: StateOptions,
}

/// `berth agent kubelet`.
#[derive(Args, Clone, Debug)]
pub struct KubeletOptions {
    #[command(flatten)]
    pub state: StateOptions,
    /// The server's URL, for service accounts on a host that has not joined; by default that of
    /// `AWS_ENDPOINT_URL`
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The region of registries whose host names none; by default the host's
    #[arg(long, value_name = "NAME")]
    pub region: Option<Region>,
    /// Certificate authorities beside those of the system, in PEM; by default those of `AWS_CA_BUNDLE`
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "expected KEY=VALUE".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}
