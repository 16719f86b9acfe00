//! `berth gc`.

use clap::Args;

use super::Output;
use super::hosts::CLIENT_HELP;

/// `berth gc`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct GcOptions {
    /// Count what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Delete files that the database does not know, even where they are more than a tenth of all: after a
    /// restore of an older backup
    #[arg(long, conflicts_with = "dry_run")]
    pub force: bool,
    /// List the latest runs, also those that the server began by itself, and begin none
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", value_parser = clap::value_parser!(u32).range(1..=1_000), conflicts_with_all = ["dry_run", "force"])]
    pub list: Option<u32>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}
