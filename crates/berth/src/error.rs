//! The error of a command: its message and its exit code.

use std::process::ExitCode;

/// What goes to stderr, on one line: what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was asked for in a wrong way: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It did not work: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// A check found something, which its own output tells: exit code 3.
    #[error("")]
    Found,
    /// The command's own output has said it all, such as the findings of `policy validate`: exit code 1.
    #[error("")]
    Told,
}

impl Error {
    /// The exit code of the contract.
    pub fn code(&self) -> ExitCode {
        match self {
            Error::Usage(_) => ExitCode::from(2),
            Error::Failed(_) | Error::Told => ExitCode::from(1),
            Error::Found => ExitCode::from(3),
        }
    }

    /// Maps a cause to a failure: `.map_err(Error::failed("cannot read x"))`.
    pub fn failed<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
        let what = what.into();
        move |cause| Error::Failed(format!("{what}: {cause}"))
    }
}

/// What a command gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What lies behind an error whose own words are for clients.
pub fn cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
