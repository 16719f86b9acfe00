//! The command line: every command, option, default and help text stands here once.
//!
//! From these definitions come parsing, `--help`, the `BERTH_…` environment variables and
//! the keys of the configuration file ([`layers`]), the completions and the man pages.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use aws_types::{AccountId, Region};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use identity::Quota;
use policy::DocumentKind;

mod backups;
mod collection;
mod events;
mod history;
mod hosts;
mod integrity;
mod layers;
mod moving;
mod token;
mod values;

pub use backups::{
    BackupCommand, BackupListOptions, BackupOptions, BackupPruneOptions, BackupVerifyOptions,
    RestoreCommand, RestoreOptions, RestoreReviewOptions,
};
pub use collection::GcOptions;
pub use events::{
    EventTargetCommand, EventTargetListOptions, EventTargetOptions, EventTargetPutOptions,
    EventsCommand, EventsFailedOptions, EventsRetryOptions,
};
pub use history::{
    SearchOptions, TableOutput, TagCommand, TagHistoryOptions, TagRestoreOptions, UsageBy,
    UsageOptions,
};
pub use hosts::{
    AgentCommand, AgentRunOptions, CredentialOptions, ExplainRequestOptions, HostCommand,
    HostInviteOptions, JoinOptions, KubeletOptions,
};
pub use integrity::FsckOptions;
pub use layers::{Stop, command, parse};
pub use moving::{
    BundleCommand, BundleExportOptions, BundleImportOptions, CopyOptions, ImageChoice,
    ImportRegistryOptions, ImportSource,
};
pub use token::{TokenAction, TokenOptions};
pub use values::{ByteSize, DatabaseUrl, PublicUrl};

/// A container registry with AWS's access control, in one binary.
#[derive(Debug, Parser)]
#[command(name = "berth", version, propagate_version = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// What to log to stderr: a level (`error`, `warn`, `info`, `debug`, `trace`) or a filter such
    /// as `server=debug`; by default `info` for `serve` and `warn` for the others
    #[arg(long, global = true, value_name = "FILTER", display_order = 900)]
    pub log: Option<String>,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: Amazon ECR, IAM and STS, and the OCI registry, on one port
    Serve(Box<ServeOptions>),
    /// See it work: a throw-away server, an image pushed and pulled, a role assumed, a push refused
    Demo(DemoOptions),
    /// Accounts of this server
    #[command(subcommand)]
    Account(AccountCommand),
    /// Check, decide, test and explain IAM policies, without a server
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Take over what exists elsewhere
    #[command(subcommand)]
    Import(ImportCommand),
    /// Carry images where no network reaches: export, import
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write all of them
    Man {
        /// Write a page for each command into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Delete layers that no image needs now, or list when that was done
    Gc(GcOptions),
    /// Check that metadata and layers agree, and repair what does not
    Fsck(Box<FsckOptions>),
    /// Copy metadata and layers to a directory, while the server runs or of a stopped one: list, verify, prune
    Backup(Box<BackupOptions>),
    /// Make a server's data from a backup: review, finish
    Restore(Box<RestoreOptions>),
    /// On a host: get the role of its instance profile, and give it to local programs
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Hosts with a role: invite, list, revoke
    #[command(subcommand)]
    Host(HostCommand),
    /// Events of the registry as signed webhooks: target, failed, retry
    #[command(subcommand)]
    Events(EventsCommand),
    /// The history of tags: history, restore
    #[command(subcommand)]
    Tag(TagCommand),
    /// Print a token of the registry for one repository, for a job
    Token(TokenOptions),
    /// Find repositories and images by name, tag, digest, annotation, label, platform, type or pusher
    Search(SearchOptions),
    /// Show what is stored and transferred, and what it would cost
    Usage(UsageOptions),
    /// Say why a request of the account was denied
    Explain(ExplainRequestOptions),
}

/// Commands on accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make a further account and print its root user's access key, once
    Create(AccountCreateOptions),
    /// Give an account's root user a new access key when its own, or its MFA device, is lost
    Recover(AccountRecoverOptions),
    /// Show the quotas of an account's IAM, and set them
    Quota(AccountQuotaOptions),
}

/// Commands on policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check policy documents: would IAM or ECR store them, and do they say what is meant?
    Validate(ValidateOptions),
    /// Decide requests: scenarios in, one JSON decision a line out
    Evaluate(EvaluateOptions),
    /// Run the scenario files of a directory that carry an `expect`
    Test(TestOptions),
    /// Show why a request is allowed or denied, statement by statement
    Explain(ExplainOptions),
}

/// Commands that take over what exists elsewhere.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Bring users, groups, roles and policies of an AWS account to a running server
    Iam(ImportIamOptions),
    /// Copy repositories, tags and referrers of another registry, or of its folder, to a running server
    Registry(Box<ImportRegistryOptions>),
}

/// Where Berth keeps what it must not lose. Shared by all commands that open it.
#[derive(Args, Clone, Debug)]
pub struct StorageOptions {
    /// Read options from this TOML file; keys are the long options' names
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where Berth keeps its files
    #[arg(
        long,
        alias = "data",
        value_name = "DIR",
        default_value = "./berth-data"
    )]
    pub data_dir: PathBuf,
    /// The metadata's database: `sqlite:PATH` or `postgres://USER@HOST/NAME`; by default
    /// `berth.db` in the data directory
    #[arg(long, value_name = "URL")]
    pub database: Option<DatabaseUrl>,
    /// The file with the master key, which is made when it is missing; by default `master.key` in
    /// the data directory. `BERTH_MASTER_KEY` may hold the key itself
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// A command that prints the master key, for example out of a key store
    #[arg(long, value_name = "COMMAND", conflicts_with = "master_key_file")]
    pub master_key_command: Option<String>,
}

/// `berth serve`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = SERVE_HELP)]
pub struct ServeOptions {
    #[command(flatten)]
    pub storage: StorageOptions,
    /// Listen on this address; may be repeated. Port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_values_t = [DEFAULT_LISTEN])]
    pub listen: Vec<SocketAddr>,
    /// Where layers are kept: `dir:PATH`; by default `blobs` in the data directory
    #[arg(long, value_name = "URL", value_parser = values::blobs_directory)]
    pub blobs: Option<PathBuf>,
    /// The address by which clients reach this server, in answers and image names; by default
    /// the first address it listens on
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// The region of requests that name none
    #[arg(long, value_name = "NAME", default_value = "us-east-1")]
    pub region: Region,
    /// The account that the first start makes, and that registry requests mean by default
    #[arg(long, value_name = "ID", default_value = "123456789012")]
    pub account_id: AccountId,
    /// Free space that layer uploads leave on their disk, such as `500M` or `2G`; by default 1G, or a
    /// tenth of a smaller disk
    #[arg(long, value_name = "SIZE")]
    pub disk_reserve: Option<ByteSize>,
    /// Believe `X-Forwarded-For`, `X-Forwarded-Proto` and PROXY protocol headers of this proxy: an
    /// address or a CIDR range; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<server::Cidr>,
    /// Send `Strict-Transport-Security` with this `max-age` in answers over TLS; never for loopback hosts
    #[arg(long, value_name = "SECONDS")]
    pub hsts: Option<u32>,
    /// Offer clients of the registry tokens (`Bearer`, Docker's token protocol) in the place of the password
    /// alone (`Basic`)
    #[arg(long)]
    pub token_auth: bool,
    /// Certificate authorities, in PEM, for calls that the server makes itself, such as those to identity
    /// providers; besides the system's
    #[arg(long, value_name = "FILE")]
    pub outbound_ca: Option<PathBuf>,
    /// Addresses outside the public internet that such calls may reach: an address or a CIDR range; may be
    /// repeated
    #[arg(long, value_name = "CIDR")]
    pub outbound_allow: Vec<server::Cidr>,
    /// Moves that the history of a tag keeps
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub tag_history_per_tag: u32,
    /// Moves that the history of all tags of a repository keeps
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub tag_history_per_repository: u32,
    /// How long a layer stays that no image needs any more, in seconds. Longer than a push takes: a client that was
    /// told that a layer is there uploads the rest of the image first
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
    pub collect_after: u32,
    /// Where backups that are asked for (`berth backup`) are written; without it, none are taken. A client never names a
    /// directory
    #[arg(long, value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,
    /// Read every stored layer once in so many seconds and compare it with its digest, the one that was read longest ago
    /// first; 0 never does
    #[arg(long, value_name = "SECONDS", default_value_t = 2_592_000, value_parser = clap::value_parser!(u32).range(..=315_360_000))]
    pub scrub_after: u32,
    /// Bytes that this reads in a second at most, such as `8M`; 0 is as fast as the disk
    #[arg(long, value_name = "SIZE", default_value = "8M")]
    pub scrub_rate: ByteSize,
    /// The certificate chain, in PEM: serve HTTPS
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// Where `serve` listens unless told otherwise: this machine only.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

const SERVE_HELP: &str = "\
Every option may also stand in the environment or in the file of --config: a flag goes before the \
environment, the environment before the file, the file before the default.

Only in the environment, because a command line can be read by others:
  BERTH_ROOT_ACCESS_KEY_ID, BERTH_ROOT_SECRET_ACCESS_KEY
          The root access key that the first start makes; otherwise it is random
  BERTH_MASTER_KEY
          The key under which secrets are sealed: 32 bytes as 64 hexadecimal digits
A file may hold each of them, and the database's URL, instead: BERTH_ROOT_ACCESS_KEY_ID_FILE,
BERTH_ROOT_SECRET_ACCESS_KEY_FILE, BERTH_MASTER_KEY_FILE and BERTH_DATABASE_FILE name it.

The first start writes the root access key to credentials in the data directory.
Ends on SIGTERM and SIGINT, after the requests that are running. SIGHUP reads the certificate again; \
so does a change of its files.";

/// `berth demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Leave the server up afterwards, until it is interrupted
    #[arg(long)]
    pub keep: bool,
}

/// `berth account create`.
#[derive(Args, Clone, Debug)]
pub struct AccountCreateOptions {
    #[command(flatten)]
    pub storage: StorageOptions,
    /// The new account's ID: twelve digits
    #[arg(long, value_name = "ID", required = true)]
    pub account_id: AccountId,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth account recover`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = RECOVER_HELP)]
pub struct AccountRecoverOptions {
    /// The account's ID: twelve digits
    #[arg(value_name = "ID")]
    pub account_id: AccountId,
    #[command(flatten)]
    pub storage: StorageOptions,
    /// Delete the root user's other access keys and end its sessions, as after a theft
    #[arg(long)]
    pub revoke: bool,
    /// Leave the root user's MFA devices active; otherwise they are deactivated
    #[arg(long)]
    pub keep_mfa: bool,
    /// The server's public URL, with which the sign-in link begins
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const RECOVER_HELP: &str = "\
Prints the new access key and a link that signs the root user in to the web console, once. The link works \
once, for an hour. It needs the database and the master key, and works beside running servers, which learn of \
it within a second. The audit log of a server tells of it, at once or at its next start.";

/// `berth account quota`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = QUOTA_HELP)]
pub struct AccountQuotaOptions {
    /// The account's ID: twelve digits
    #[arg(value_name = "ID")]
    pub account_id: AccountId,
    #[command(flatten)]
    pub storage: StorageOptions,
    /// Set a quota; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::quota_value)]
    pub set: Vec<(Quota, i64)>,
    /// Give a quota back to its default; may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::quota)]
    pub reset: Vec<Quota>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const QUOTA_HELP: &str = "\
Names are those of IAM's messages (RolesPerAccount, PoliciesPerUser, ...), and of registries' quotas. A change takes effect at the next \
request, also of running servers. A lower quota takes nothing away. It needs the database and the master key; \
the audit log of a server tells of it.";

/// `berth import iam`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = IMPORT_HELP)]
pub struct ImportIamOptions {
    /// The output of `aws iam get-account-authorization-details`; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace this account id by another one in ARNs and documents; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = values::account_pair)]
    pub map_account: Vec<(AccountId, AccountId)>,
    /// Only say what would be done, and what cannot be carried over
    #[arg(long)]
    pub dry_run: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const IMPORT_HELP: &str = "\
Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call: \
AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and the files in ~/.aws. What exists on the server \
is kept as it is, so that an import that was interrupted can be run again.";

/// `berth policy validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateOptions {
    /// Policy documents; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What the documents would be attached to: it decides which elements they may hold and how large they may be
    #[arg(long, value_parser = kinds(), default_value = DocumentKind::Managed.name(), value_name = "KIND")]
    pub kind: DocumentKind,
    /// Fail on warnings too, not on errors alone
    #[arg(long)]
    pub strict: bool,
    /// Only say whether IAM or ECR would store the documents
    #[arg(long, conflicts_with = "strict")]
    pub no_lint: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth policy evaluate`.
#[derive(Args, Clone, Debug)]
pub struct EvaluateOptions {
    /// Scenarios: a JSON object, an array of them, or JSON Lines; standard input by default
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `berth policy test`.
#[derive(Args, Clone, Debug)]
pub struct TestOptions {
    /// A directory with scenario files (`.json`, `.jsonl`), or one such file
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth policy explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainOptions {
    /// Scenarios: a JSON object, an array of them, or JSON Lines; standard input by default
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The kinds of policy document, by the names people use.
fn kinds() -> impl TypedValueParser<Value = DocumentKind> {
    let value = |kind: DocumentKind| PossibleValue::new(kind.name()).help(kind.about());
    PossibleValuesParser::new(DocumentKind::ALL.map(value))
        .try_map(|name| name.parse::<DocumentKind>())
}
