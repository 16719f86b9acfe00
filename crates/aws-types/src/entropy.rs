//! The source of random bytes.

/// The random source failed. Nothing may be made from the buffer.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub struct EntropyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A source of random bytes. It is passed in, so that tests can repeat a run.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes that are fit for keys.
    ///
    /// # Errors
    /// The source failed. `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError(error.into()))
    }
}

/// Draws an array of random bytes.
///
/// # Errors
/// The source failed.
pub fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
