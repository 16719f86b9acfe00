//! Digests that clients send.

use blobs::Digest;

use crate::Error;

/// The digest of this text.
pub(crate) fn parse_digest(text: &str) -> Result<Digest, Error> {
    text.parse()
        .map_err(|error: blobs::DigestError| Error::InvalidDigest(error.to_string()))
}
