//! Logs: to stderr, through `tracing`. Commands answer on stdout.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::{Error, Result};

/// Logs from here on what `filter` lets through: levels by target. (`EnvFilter` also knows fields and spans, of which
/// this program logs none to choose by, and compiles regular expressions for them.)
pub fn start(filter: &str) -> Result<()> {
    let filter = parse(filter)?;
    let lines = tracing_subscriber::fmt::layer()
        // A line that cannot be written is dropped. By default it would be reported on the standard error
        // itself, which panics while the disk under it is full.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(Error::failed("cannot start logging"))
}

/// Reads `LEVEL`, `TARGET` or `TARGET=LEVEL`, several of them separated by commas.
fn parse(filter: &str) -> Result<Targets> {
    let refused = |why: String| {
        Error::Usage(format!(
            "the log filter `{filter}` is not understood: {why}; write a level such as `info`"
        ))
    };
    let parts = filter.split(',').map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    // The library takes an empty target for a level of nothing.
    if let Some(part) = parts.iter().find(|part| part.starts_with('=')) {
        return Err(refused(format!("`{part}` names no target")));
    }
    let filter: std::result::Result<Targets, _> = parts.join(",").parse();
    filter.map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::filter::LevelFilter;

    #[test]
    fn filters_are_levels_by_target() {
        let default = |filter: &str| parse(filter).unwrap().default_level();
        assert_eq!(default("info"), Some(LevelFilter::INFO));
        assert_eq!(default("WARN"), Some(LevelFilter::WARN));
        assert_eq!(default("off"), Some(LevelFilter::OFF));
        assert_eq!(default(""), Some(LevelFilter::ERROR));
        let filter = parse("warn, server=debug,registry::collection=trace,").unwrap();
        let is_logged = |target, level| filter.would_enable(target, &level);
        assert!(is_logged("server::audit", tracing::Level::DEBUG));
        assert!(!is_logged("server::audit", tracing::Level::TRACE));
        assert!(is_logged("registry::collection", tracing::Level::TRACE));
        assert!(is_logged("hyper", tracing::Level::WARN));
        assert!(!is_logged("hyper", tracing::Level::INFO));
        for refused in ["server=loud", "=,=", "info,=debug"] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
