//! `berth events`.

use clap::{Args, Subcommand, ValueHint};

use super::Output;
use super::hosts::CLIENT_HELP;

/// Commands on events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Where the events of the registry are sent: put, list, delete, test
    #[command(subcommand)]
    Target(EventTargetCommand),
    /// List the events that a target did not get
    Failed(EventsFailedOptions),
    /// Put events that a target did not get back into its queue
    Retry(EventsRetryOptions),
}

/// Commands on targets.
#[derive(Debug, Subcommand)]
pub enum EventTargetCommand {
    /// Make a target, or change one
    Put(EventTargetPutOptions),
    /// List the targets with what waits for them
    List(EventTargetListOptions),
    /// Delete a target, with the events that wait for it
    Delete(EventTargetOptions),
    /// Send a signed test event now, and say what the target answered
    Test(EventTargetOptions),
}

/// `berth events target put`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct EventTargetPutOptions {
    /// The target's name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where events are posted
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
    /// Which events, as an EventBridge event pattern; by default all but those of pulls
    #[arg(long, value_name = "JSON")]
    pub pattern: Option<String>,
    /// Make a new secret; the previous one signs as well for 24 hours
    #[arg(long)]
    pub rotate_secret: bool,
    /// Keep the target without sending it anything
    #[arg(long)]
    pub disabled: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth events target list`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct EventTargetListOptions {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth events target delete` and `test`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct EventTargetOptions {
    /// The target's name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth events failed`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct EventsFailedOptions {
    /// Only those of this target
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// How many are listed, oldest first
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth events retry`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct EventsRetryOptions {
    /// The target's name
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Deliveries of `berth events failed`; by default all of the target
    #[arg(value_name = "DELIVERY")]
    pub deliveries: Vec<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}
