//! The values of secrets are sealed under the key ring, which `identity` keeps.

use std::sync::Arc;

use identity::{Identity, Sealer};
use secrets::{BoxFuture, Seal, SealFailed, Secrets};
use store::Store;
use zeroize::Zeroizing;

/// What is authenticated beside each value: nothing else that is sealed opens as one.
const PURPOSE: &str = "secret-value";

struct KeyRing(Sealer);

impl Seal for KeyRing {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealFailed> {
        let sealed = self.0.seal_bytes(PURPOSE, plain);
        sealed.map_err(|error| SealFailed(error.to_string()))
    }

    fn open<'a>(
        &'a self,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>, SealFailed>> {
        Box::pin(async move {
            let opened = self.0.open_bytes(PURPOSE, sealed).await;
            opened.map_err(|error| SealFailed(error.to_string()))
        })
    }
}

/// The secrets of a server.
pub(crate) fn secrets(store: &Store, identity: &Identity) -> Secrets {
    let seal = Arc::new(KeyRing(identity.sealer().clone()));
    Secrets::new(store.clone(), seal, Arc::new(aws_types::SystemEntropy))
}
