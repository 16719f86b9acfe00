//! `berth policy evaluate`, `test` and `explain`: scenarios in, decisions out.

use crate::cli::{EvaluateOptions, ExplainOptions, TestOptions};
use crate::error::{Error, Result};

/// Prints one JSON decision a line.
pub fn evaluate(_options: &EvaluateOptions) -> Result<()> {
    Err(Error::Failed("not built yet".to_owned()))
}

/// Runs the scenarios that carry an `expect`.
pub fn test(_options: &TestOptions) -> Result<()> {
    Err(Error::Failed("not built yet".to_owned()))
}

/// Shows how a decision came about.
pub fn explain(_options: &ExplainOptions) -> Result<()> {
    Err(Error::Failed("not built yet".to_owned()))
}
