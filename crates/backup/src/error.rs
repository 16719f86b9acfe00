//! What can go wrong, sorted by what an operator can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a backup is not taken, checked or restored. The texts are for operators.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried, with the file's name.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The database's.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// The place or the backup cannot be used as it is asked for; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// The backup is not what was written: cut, changed or incomplete.
    #[error("the backup {id} is damaged: {what}")]
    Damaged {
        /// Which one.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// Another process works in the directory.
    #[error("another backup, or a prune, is at work in {}", .0.display())]
    Busy(PathBuf),
    /// The work was dropped or panicked.
    #[error("the work stopped early")]
    Stopped,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// For `map_err`: `cannot write /srv/backups/…`.
pub(crate) fn io_error(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let what = format!("{what} {}", path.display());
    move |source| Error::Io { what, source }
}

/// Runs work that blocks on tokio's pool for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Stopped)?
}
