//! Where randomness comes from.

use crate::Error;

/// A source of random bytes. Passed in, so that tests can repeat what they saw.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones, fit for keys.
    ///
    /// # Errors
    /// The source's own; nothing is then made from `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// The operating system's source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(std::io::Error::other)
    }
}

/// An array of random bytes.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}
