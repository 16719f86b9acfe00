//! The server's read-only mode, as it was last read.

use std::sync::{Arc, Mutex, PoisonError};

use registry::StoredMode;
use store::Moment;

/// The mode and the moment before it was read.
#[derive(Default)]
pub(crate) struct ServerMode(Mutex<Option<(Moment, Arc<StoredMode>)>>);

impl ServerMode {
    /// The mode, unless it must be read again.
    pub(crate) fn get(&self, is_fresh: impl FnOnce(Moment) -> bool) -> Option<Arc<StoredMode>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, mode) = known.as_ref()?;
        is_fresh(*read_at).then(|| Arc::clone(mode))
    }

    /// Keeps what was read after `read_at`.
    pub(crate) fn keep(&self, read_at: Moment, mode: &Arc<StoredMode>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((read_at, Arc::clone(mode)));
    }
}
