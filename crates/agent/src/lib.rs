//! The host agent: a machine with a role, as an EC2 instance has one.
//!
//! A host joins once with the code of an invitation ([`Upstream::join`]) and keeps a private key. With that
//! key it fetches short sessions of its instance profile's role, and gives them to local programs as AWS's
//! SDKs ask for them: the instance metadata service ([`imds`]), the container credentials endpoint
//! ([`container`]), EKS Pod Identity's contract ([`pods`]), `credential_process` ([`credential_process`])
//! and the kubelet's credential provider ([`kubelet`]).
//!
//! ```
//! use agent::kubelet::{ProviderRequest, Puller};
//!
//! let request = ProviderRequest::parse(r#"{
//!     "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
//!     "kind": "CredentialProviderRequest",
//!     "image": "berth.example:5000/app:v1"
//! }"#)?;
//! assert_eq!(request.registry(), "berth.example:5000");
//! assert_eq!(request.puller()?, Puller::Host);
//! # Ok::<(), agent::Error>(())
//! ```
//!
//! # Invariants
//! - **Nothing leaves the host but over TLS** or to a loopback address ([`Upstream::new`]).
//! - **The metadata service answers named local users only**, by the owner of the client's socket
//!   ([`peer`]), at loopback or link-local addresses, under its own names, to requests with a token.
//! - **What the server refuses is forgotten at once** ([`cache`]).
//! - **The key is in a file that its owner alone may read**, which is checked at every start ([`key`]).
//! - The time and randomness are parameters. Everything that is read has a bound.
//!
//! # What is absent
//! No command line, no policy, no cache on disk.

pub mod cache;
pub mod container;
pub mod credential_process;
mod error;
pub mod imds;
pub mod key;
pub mod kubelet;
pub mod peer;
pub mod pods;
pub mod service;
pub mod state;
pub mod upstream;
pub mod users;

use std::sync::Arc;

use aws_types::Entropy;
use jiff::Timestamp;

pub use error::{Error, Result};
pub use key::HostKey;
pub use state::{Host, StateDir};
pub use upstream::{HostRole, Issued, Login, Upstream};

/// The host's credentials from the server, for [`cache::Cache`].
pub struct HostSource {
    /// The server.
    pub upstream: Upstream,
    /// The host.
    pub host: Host,
    /// Its key.
    pub key: HostKey,
    /// For nonces.
    pub entropy: Arc<dyn Entropy>,
}

impl cache::Source for HostSource {
    async fn fetch(&self, now: Timestamp) -> Result<HostRole> {
        let (host, key) = (&self.host, &self.key);
        self.upstream
            .host_role(host, key, &*self.entropy, now)
            .await
    }

    async fn is_good(&self, role: &HostRole, now: Timestamp) -> Result<bool> {
        let region = &self.host.region;
        self.upstream.is_good(&role.issued, region, now).await
    }
}
