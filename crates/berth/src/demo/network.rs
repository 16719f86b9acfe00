//! The demo's connection to the server: the product's own client, called from blocking code.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use client::{Http, Settings};
use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer in bytes: more than the demo's largest layer.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A client that may call this machine, and the runtime that drives it.
#[derive(Clone)]
pub struct Network {
    http: Http,
    runtime: Arc<Runtime>,
}

impl Network {
    /// A client for loopback addresses.
    pub fn new() -> Result<Network> {
        let loopback = ["127.0.0.0/8", "::1"];
        let settings = Settings {
            allow: loopback
                .iter()
                .filter_map(|range| range.parse().ok())
                .collect(),
            timeout: TIMEOUT,
            body_bytes_max: BODY_BYTES_MAX,
            ..Settings::default()
        };
        let http = Http::new(settings).map_err(|error| Error::Failed(error.to_string()))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::failed("cannot start the demo's client"))?;
        Ok(Network {
            http,
            runtime: Arc::new(runtime),
        })
    }

    pub fn http(&self) -> &Http {
        &self.http
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
