//! Why something was not copied.

use std::io;
use std::path::Path;

use blobs::Digest;

/// Why a copy, or a part of it, failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{what}")]
    Io {
        /// What was attempted, with the file's name.
        what: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Input that is not what it should be. It may come from strangers, so nothing of it is used.
    #[error("{0}")]
    Refused(String),
    /// Bytes that are not those that their descriptor names.
    #[error("the content of {expected} is wrong: {found}")]
    Content {
        /// The descriptor's digest.
        expected: Digest,
        /// What is wrong with it.
        found: String,
    },
    /// The source lacks something that an image needs.
    #[error("{0}")]
    Missing(String),
    /// The other side of a connection refused or failed.
    #[error("{message}")]
    Remote {
        /// The whole message.
        message: String,
        /// Whether the same call may succeed later.
        transient: bool,
        /// The code that it answered, in lower case, where it answered one.
        code: Option<String>,
    },
}

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Maps an I/O error: `.map_err(Error::io("cannot read", path))`.
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
        let what = format!("{what} {}", path.display());
        move |source| Error::Io { what, source }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Error::Remote {
                transient: true,
                ..
            }
        )
    }

    /// The message with its causes.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error's message with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

pub(crate) fn refused(what: impl Into<String>) -> Error {
    Error::Refused(what.into())
}
