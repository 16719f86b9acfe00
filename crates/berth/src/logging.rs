//! Logs: to stderr, through `tracing`. Commands answer on stdout.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};

/// Logs from here on what `filter` lets through.
pub fn start(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Error::Usage(format!(
            "the log filter `{filter}` is not understood: {error}; write a level such as `info`"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A line that cannot be written is dropped. By default it would be reported on the standard error
        // itself, which panics while the disk under it is full.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init()
        .map_err(Error::failed("cannot start logging"))
}
