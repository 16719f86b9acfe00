//! A repository of this server as the source of a copy to a peer: manifests from the database, layers as streams from
//! the stored files, decrypted where their repository is encrypted.

use authz::ServiceName;
use blobs::Digest;
use futures_util::StreamExt as _;
use registry::{Registry, RepositoryFacts};
use transfer::{Chunks, Descriptor, Error, Manifest, Reference, Source};

/// The images of a repository.
pub(super) struct Stored {
    pub(super) registry: Registry,
    pub(super) service: ServiceName,
    pub(super) repository: RepositoryFacts,
    /// When the copy began, milliseconds since the epoch.
    pub(super) now: i64,
}

/// The registry's failures are not the peer's: they are tried again.
fn failed(error: &registry::Error) -> Error {
    Error::Remote {
        message: crate::error::chain(error),
        transient: false,
        code: Some(super::peers::OWN_FAILURE.to_owned()),
    }
}

impl Source for Stored {
    async fn repositories(&self) -> Result<Vec<String>, Error> {
        Ok(vec![self.repository.name.to_string()])
    }

    /// Images are copied by their digests alone.
    async fn tags(&self, _: &str) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn untagged(&self, _: &str) -> Result<Vec<Digest>, Error> {
        Ok(Vec::new())
    }

    async fn manifest(&self, _: &str, of: &Reference) -> Result<Option<Manifest>, Error> {
        let Reference::Digest(digest) = of else {
            return Ok(None);
        };
        let found = self
            .registry
            .replicated_manifest(self.service, &self.repository, digest)
            .await
            .map_err(|error| failed(&error))?;
        found
            .map(|(media_type, bytes)| Manifest::read(*digest, bytes, Some(&media_type)))
            .transpose()
    }

    /// A referrer is replicated when it is pushed.
    async fn referrers(&self, _: &str, _: &Digest) -> Result<Vec<Digest>, Error> {
        Ok(Vec::new())
    }

    async fn blob(&self, _: &str, blob: &Descriptor) -> Result<Option<Chunks>, Error> {
        let opened = self
            .registry
            .open_layer(self.service, self.repository.id, &blob.digest, self.now)
            .await
            .map_err(|error| failed(&error))?;
        Ok(opened.map(|source| {
            let chunks = source.read_range(0..source.size());
            let chunks = chunks.map(|chunk| {
                chunk.map_err(|error| Error::Remote {
                    message: format!("a stored layer cannot be read: {error}"),
                    transient: false,
                    code: Some(super::peers::OWN_FAILURE.to_owned()),
                })
            });
            chunks.boxed()
        }))
    }
}
