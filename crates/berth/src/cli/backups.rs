//! `berth backup …` and `berth restore …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Output, StorageOptions, values};

/// `berth backup`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, after_long_help = BACKUP_HELP)]
pub struct BackupOptions {
    #[command(subcommand)]
    pub command: Option<BackupCommand>,
    /// Back up the stopped server of --data-dir to this directory; without it, the running server of
    /// AWS_ENDPOINT_URL is asked for a backup to its own --backup-dir
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    #[command(flatten)]
    pub storage: StorageOptions,
    /// Where layers are kept: `dir:PATH`; by default `blobs` in the data directory
    #[arg(long, value_name = "URL", value_parser = values::blobs_directory)]
    pub blobs: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const BACKUP_HELP: &str = "\
A backup holds all metadata as of one moment and the layers that it names; a layer that the directory has already is \
not copied again. It never holds the master key, the credentials file or private keys of TLS: keep the master key \
elsewhere, since nobody can restore without it.

A running server is asked with the credentials that the AWS CLI would use (AWS_PROFILE, AWS_ENDPOINT_URL and the \
like), which need berth:StartBackup and berth:GetBackup.";

/// Commands on backups that are there.
#[derive(Clone, Debug, Subcommand)]
pub enum BackupCommand {
    /// List the backups of a directory, or those that the running server was asked for
    List(BackupListOptions),
    /// Read every byte of a backup and compare it with its checksums
    Verify(BackupVerifyOptions),
    /// Remove all backups but the newest, and the layers that no backup names then
    Prune(BackupPruneOptions),
}

/// `berth backup list`.
#[derive(Args, Clone, Debug)]
pub struct BackupListOptions {
    /// The directory of backups; without it, the running server of AWS_ENDPOINT_URL is asked
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth backup verify`.
#[derive(Args, Clone, Debug)]
pub struct BackupVerifyOptions {
    /// The directory of backups
    #[arg(long, value_name = "DIR", required = true)]
    pub from: PathBuf,
    /// The backup's id; by default all are verified
    #[arg(long, value_name = "ID")]
    pub backup: Option<String>,
    /// The file with the master key: with it, it is also known that nobody wrote other checksums
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth backup prune`.
#[derive(Args, Clone, Debug)]
pub struct BackupPruneOptions {
    /// The directory of backups
    #[arg(long, value_name = "DIR", required = true)]
    pub from: PathBuf,
    /// How many backups stay, the newest ones
    #[arg(long, value_name = "N", required = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: u32,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth restore`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, after_long_help = RESTORE_HELP)]
pub struct RestoreOptions {
    #[command(subcommand)]
    pub command: Option<RestoreCommand>,
    /// The directory of backups
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// The backup's id; by default the newest
    #[arg(long, value_name = "ID")]
    pub backup: Option<String>,
    #[command(flatten)]
    pub storage: StorageOptions,
    /// Where layers will be kept: `dir:PATH`; by default `blobs` in the data directory
    #[arg(long, value_name = "URL", value_parser = values::blobs_directory)]
    pub blobs: Option<PathBuf>,
}

const RESTORE_HELP: &str = "\
Needs an empty data directory (it may hold master.key), an empty database where --database names one, and the master \
key of the server that was backed up. A backup of either engine is restored to either. What is interrupted can be run \
again, and no server starts on half of it.

Afterwards all sessions, registry passwords, tokens and download URLs from before are refused. Collection, lifecycle \
policies, replication, refreshes of the pull through cache, webhooks and other background deletions rest until \
`berth restore finish`: look at `berth restore review` first, since access keys that were deleted after the backup \
work again.";

/// Commands after a restore.
#[derive(Clone, Debug, Subcommand)]
pub enum RestoreCommand {
    /// List accounts, users, roles and access keys with their last use, as the database has them
    Review(RestoreReviewOptions),
    /// Let the background work of the running, restored server go on
    Finish,
}

/// `berth restore review`.
#[derive(Args, Clone, Debug)]
pub struct RestoreReviewOptions {
    #[command(flatten)]
    pub storage: StorageOptions,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}
