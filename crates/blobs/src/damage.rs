//! What of a read's errors says that a file is damaged, or cannot be read, and who is told.

use std::io;
use std::sync::Arc;

/// Called when a file turns out to be damaged while it is read, or the disk cannot read it ([`is_unreadable`]).
pub type OnDamage = Arc<dyn Fn(&io::Error) + Send + Sync>;

/// Whether an error of a read says that the file is not what was written.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Whether the disk could not read (`EIO`). A block may be lost for good, or a cable, a controller or a network was
/// away for a moment: only another try tells.
#[must_use]
pub fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
