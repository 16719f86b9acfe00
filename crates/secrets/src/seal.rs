//! What seals values: a higher layer has the keys.

use std::future::Future;
use std::pin::Pin;

use zeroize::Zeroizing;

/// A future that a trait returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The sealer failed. It says nothing of the value.
#[derive(Debug, thiserror::Error)]
#[error("a secret cannot be sealed or opened: {0}")]
pub struct SealFailed(pub String);

/// Authenticated encryption under the server's key ring, for this crate's purpose alone.
pub trait Seal: Send + Sync {
    /// Seals.
    ///
    /// # Errors
    /// [`SealFailed`].
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealFailed>;

    /// Opens what [`Seal::seal`] made.
    fn open<'a>(
        &'a self,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>, SealFailed>>;
}
