//! Who asks, and when.

use std::sync::Arc;

use aws_types::{AccountId, Region};
use jiff::Timestamp;

/// One call: who asks, from which account and region, and when. The caller was
/// authorized before it got here.
#[derive(Clone, Debug)]
pub struct Call {
    /// The caller's account: the registry that is meant when `registryId` is absent.
    pub account: AccountId,
    /// The region that the request was sent to.
    pub region: Region,
    /// The time of the request.
    pub now: Timestamp,
    /// The caller's ARN, for the log.
    pub caller_arn: Arc<str>,
    /// The request's id, for the log.
    pub request_id: Arc<str>,
    /// The client's user agent, for the log.
    pub client: Arc<str>,
}

impl Call {
    /// The time as the store keeps it: milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}
