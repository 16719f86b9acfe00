//! The errors of the agent's commands.

use std::path::{Path, PathBuf};

/// Why something did not work, in words for the operator of the host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{what} {}: {source}", .path.display())]
    File {
        /// What was tried, such as `cannot read`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file or an option says something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The server refused: the host was revoked, its role is gone or does not trust it.
    #[error("the server refuses the host: {code}: {message}")]
    Refused {
        /// The error's code.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The server cannot be reached or failed; later it may answer.
    #[error("the server does not answer: {0}")]
    Unavailable(String),
    /// A failure of this program or its system.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn file(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = path.to_owned();
        move |source| Error::File { what, path, source }
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Error {
        Error::Internal(cause.to_string())
    }
}

/// The result of what the agent does.
pub type Result<T, E = Error> = std::result::Result<T, E>;
