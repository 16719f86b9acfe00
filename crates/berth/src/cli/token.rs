//! `berth token`.

use clap::{Args, ValueEnum};

use super::Output;
use super::hosts::CLIENT_HELP;

/// `berth token`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct TokenOptions {
    /// The repository that the token is for
    #[arg(long, value_name = "NAME", required = true)]
    pub repository: String,
    /// What the token is for; may be repeated
    #[arg(long, value_enum, required = true)]
    pub action: Vec<TokenAction>,
    /// How long the token lasts, in seconds: up to 43200, twelve hours
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(60..=43_200))]
    pub duration: u32,
    /// The account of the registry; by default the caller's
    #[arg(long, value_name = "ID")]
    pub registry_id: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenAction {
    /// Read images
    Pull,
    /// Upload images and set tags; clients that push also pull
    Push,
    /// Delete images
    Delete,
}
