//! `berth fsck`.

use std::path::PathBuf;

use clap::Args;

use super::{DatabaseUrl, Output, values};

/// `berth fsck`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = FSCK_HELP)]
pub struct FsckOptions {
    /// Check the data directory of a stopped server, with the options of `berth serve` that follow; without it, a
    /// running server checks itself
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The database of the stopped server: `sqlite:PATH` or `postgres://USER@HOST/NAME`; by default `berth.db` in
    /// the data directory
    #[arg(long, value_name = "URL")]
    pub database: Option<DatabaseUrl>,
    /// Where its layers are kept: `dir:PATH`; by default `blobs` in the data directory
    #[arg(long, value_name = "URL", value_parser = values::blobs_directory)]
    pub blobs: Option<PathBuf>,
    /// The file with its master key; by default `master.key` in the data directory
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// A command that prints its master key
    #[arg(long, value_name = "COMMAND", conflicts_with = "master_key_file")]
    pub master_key_command: Option<String>,
    /// Repair what is found: move damaged and unknown files to the quarantine, mark lost and damaged layers, write
    /// missing rows, count again
    #[arg(long)]
    pub repair: bool,
    /// Only say what is found; this is the default
    #[arg(long, conflicts_with = "repair")]
    pub dry_run: bool,
    /// List the latest checks of a running server, and begin none
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", value_parser = clap::value_parser!(u32).range(1..=100), conflicts_with_all = ["data", "repair", "dry_run"])]
    pub list: Option<u32>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const FSCK_HELP: &str = "\
Exit codes: 0 nothing is wrong, 3 something was found (and repaired, where that was asked for), 1 the check could not \
be done, 2 wrong usage. With --repair, 0 after a second run says that all was repaired.

Every layer is read and compared with its digest, so the check takes as long as reading all of them does. What is \
known to be lost or damaged, and waits for a push that brings it back, is counted and no finding.

Without --data it signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call: \
AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION and the files in ~/.aws.";
