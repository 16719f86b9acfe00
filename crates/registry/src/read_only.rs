//! The read-only mode, of a repository and of the server: who changed it when and why.

use std::sync::Arc;

use aws_api::berth::ReadOnlyMode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::ecr::repository;

use crate::{Authorized, Error};

/// A read-only mode, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMode {
    /// Whether writes are refused.
    pub enabled: bool,
    /// Why, for those who are refused.
    #[serde(default)]
    pub reason: Option<String>,
    /// Milliseconds since the epoch; absent where nobody changed it.
    #[serde(default)]
    pub changed_at: Option<i64>,
    /// The ARN of who changed it.
    #[serde(default)]
    pub changed_by: Option<String>,
}

impl StoredMode {
    /// What the caller asks for.
    #[must_use]
    pub fn asked(cx: &Authorized, enabled: bool, reason: Option<String>) -> StoredMode {
        StoredMode {
            enabled,
            reason: reason.filter(|reason| !reason.is_empty()),
            changed_at: Some(cx.now_ms()),
            changed_by: Some(cx.context().caller.arn.to_string()),
        }
    }

    /// From the text that is stored; the default where there is none.
    ///
    /// # Errors
    /// [`Error::Internal`] for a text that is none of ours.
    pub fn of_text(text: Option<&str>) -> Result<StoredMode, Error> {
        match text {
            None => Ok(StoredMode::default()),
            Some(text) => serde_json::from_str(text).map_err(Error::internal),
        }
    }

    /// The text to store.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// As the API shows it.
    ///
    /// # Errors
    /// [`Error::Internal`] for a time that is none.
    pub fn shown(&self) -> Result<ReadOnlyMode, Error> {
        let time = |at| Timestamp::from_millisecond(at).map_err(Error::internal);
        Ok(ReadOnlyMode {
            enabled: self.enabled,
            reason: self.reason.clone(),
            changed_at: self.changed_at.map(time).transpose()?,
            changed_by: self.changed_by.clone(),
        })
    }

    /// The message for those who are refused, after what is read-only.
    #[must_use]
    pub fn refusal(&self, what: &str) -> String {
        match &self.reason {
            Some(reason) => format!("{what} is in read-only mode: {reason}"),
            None => format!("{what} is in read-only mode"),
        }
    }
}

/// The mode of a repository from its row.
pub(crate) fn of_row(row: &repository::Repository) -> Result<Option<Arc<StoredMode>>, Error> {
    match row.read_only_mode.as_deref() {
        None => Ok(None),
        text => Ok(Some(Arc::new(StoredMode::of_text(text)?))),
    }
}
