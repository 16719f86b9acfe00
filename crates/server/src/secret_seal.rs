//! What secrets and KMS keep is sealed under the key ring, which `identity` keeps.

use std::sync::Arc;

use identity::{Identity, Sealer};
use secrets::{BoxFuture, Seal, SealFailed, Secrets};
use store::Store;
use zeroize::Zeroizing;

/// What is authenticated beside each value: nothing else that is sealed opens as one.
const PURPOSE: &str = "secret-value";

/// The key ring for one purpose, which is authenticated beside what it seals.
pub(crate) struct KeyRing {
    sealer: Sealer,
    purpose: &'static str,
}

impl KeyRing {
    pub(crate) fn new(identity: &Identity, purpose: &'static str) -> KeyRing {
        KeyRing {
            sealer: identity.sealer().clone(),
            purpose,
        }
    }
}

impl Seal for KeyRing {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealFailed> {
        let sealed = self.sealer.seal_bytes(self.purpose, plain);
        sealed.map_err(|error| SealFailed(error.to_string()))
    }

    fn open<'a>(
        &'a self,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>, SealFailed>> {
        Box::pin(async move {
            let opened = self.sealer.open_bytes(self.purpose, sealed).await;
            opened.map_err(|error| SealFailed(error.to_string()))
        })
    }
}

/// The secrets of a server.
pub(crate) fn secrets(store: &Store, identity: &Identity) -> Secrets {
    let seal = Arc::new(KeyRing::new(identity, PURPOSE));
    Secrets::new(store.clone(), seal, Arc::new(aws_types::SystemEntropy))
}

/// What seals the keys of client certificates for upstreams of the pull through cache.
pub(crate) fn client_keys(identity: &Identity) -> Arc<dyn Seal> {
    Arc::new(KeyRing::new(identity, "pull-through-client-key"))
}
