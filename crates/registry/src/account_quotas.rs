//! What an administrator of the server set an account's quotas to.

use store::ecr::quota::UNLIMITED;

/// The quotas that were set for an account, by name.
#[derive(Debug, Default)]
pub(crate) struct AccountQuotas(pub(crate) Vec<(String, i64)>);

impl AccountQuotas {
    /// What was set; `None` where the default holds.
    pub(crate) fn set(&self, name: &str) -> Option<i64> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    }

    /// What holds.
    pub(crate) fn value(&self, name: &str, default: u64) -> u64 {
        self.set(name).map_or(default, i64::unsigned_abs)
    }

    /// What holds, where nothing reaches the default.
    pub(crate) fn limit(&self, name: &str) -> i64 {
        self.set(name).unwrap_or(UNLIMITED)
    }
}
