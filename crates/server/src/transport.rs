//! The settings of connections.

use std::sync::Arc;

use aws_types::Cidr;
use tokio::sync::Notify;

use crate::limits::CONNECTIONS_MAX;

/// How connections are taken.
#[derive(Clone)]
pub struct TransportSettings {
    /// Connections open at once; see [`connections_for`](crate::limits::connections_for).
    pub connections_max: usize,
    /// Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and PROXY protocol headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// `max-age` of `Strict-Transport-Security` (RFC 6797); absent: the header is not sent.
    pub hsts_seconds: Option<u32>,
    /// Notified when the certificate is to be read again; it is also when its files change.
    pub reload: Arc<Notify>,
}

impl Default for TransportSettings {
    fn default() -> TransportSettings {
        TransportSettings {
            connections_max: CONNECTIONS_MAX,
            trusted_proxies: Vec::new(),
            hsts_seconds: None,
            reload: Arc::default(),
        }
    }
}
