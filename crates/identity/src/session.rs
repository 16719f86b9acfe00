//! Sessions: temporary credentials that are sealed, not stored.

use std::fmt;

use jiff::Timestamp;

/// What a session token carries.
#[derive(Clone)]
pub(crate) struct Session {
    /// `ASIA…`
    pub(crate) access_key_id: String,
    /// From here on it is refused.
    pub(crate) expires_at: Timestamp,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
