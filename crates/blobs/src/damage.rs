//! What of a read's errors says that a file is damaged, and who is told.

use std::io;
use std::sync::Arc;

/// Called when a file turns out to be damaged while it is read.
pub type OnDamage = Arc<dyn Fn() + Send + Sync>;

/// Whether an error of a read says that the file is not what was written. A disk that cannot read a block fails
/// with `EIO`.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    ) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
