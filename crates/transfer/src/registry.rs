//! A registry as source and as target.

use std::future::Future;
use std::pin::Pin;

use blobs::Digest;
use client::{Error as HttpError, OciClient, OciError};
use futures_util::{StreamExt as _, stream};

use crate::content::Chunks;
use crate::ends::{Reference, Source, Standing, Target};
use crate::error::{Error, Result, chain, refused};
use crate::manifest::{Descriptor, MANIFEST_TYPES, Manifest};
use crate::names;

/// An answer that takes time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What Amazon ECR's API knows beyond the OCI specification. A plain registry has no such part.
pub trait EcrApi: Send + Sync {
    /// All repositories.
    fn repositories(&self) -> Later<'_, Vec<String>>;
    /// Tags, and manifests without one.
    fn images<'a>(&'a self, repository: &'a str) -> Later<'a, (Vec<String>, Vec<Digest>)>;
    /// Whether there is such a repository.
    fn has_repository<'a>(&'a self, repository: &'a str) -> Later<'a, bool>;
    /// Makes a repository that is not there.
    fn create<'a>(&'a self, repository: &'a str) -> Later<'a, ()>;
}

/// A registry.
pub struct Registry {
    client: OciClient,
    ecr: Option<Box<dyn EcrApi>>,
}

impl Registry {
    /// A registry, and its ECR API where it has one.
    #[must_use]
    pub fn new(client: OciClient, ecr: Option<Box<dyn EcrApi>>) -> Registry {
        Registry { client, ecr }
    }

    /// The registry's host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.client.host()
    }

    async fn digest_of(&self, repository: &str, reference: &str) -> Result<Option<Digest>> {
        let named = self
            .client
            .manifest_digest(repository, reference, &MANIFEST_TYPES)
            .await;
        match named.map_err(remote)? {
            None => Ok(None),
            // Not every registry notes it.
            Some(empty) if empty.is_empty() => {
                let fetched = self
                    .client
                    .manifest(repository, reference, &MANIFEST_TYPES)
                    .await;
                let fetched = fetched.map_err(remote)?;
                Ok(fetched.map(|fetched| Digest::sha256_of(&fetched.bytes)))
            }
            Some(text) => parse(&text).map(Some),
        }
    }
}

fn parse(text: &str) -> Result<Digest> {
    text.parse::<Digest>()
        .map_err(|error| refused(error.to_string()))
}

fn remote(error: OciError) -> Error {
    let message = chain(&error);
    let code = match &error {
        OciError::Refused { code, .. } => Some(code.clone()),
        // The answer to a HEAD request has no body that could name it.
        OciError::Unexpected { status, .. } if [401, 403].contains(&status.as_u16()) => {
            Some("denied".to_owned())
        }
        _ => None,
    };
    Error::Remote {
        message,
        transient: error.is_transient(),
        code,
    }
}

impl Source for Registry {
    async fn repositories(&self) -> Result<Vec<String>> {
        match &self.ecr {
            Some(ecr) => ecr.repositories().await,
            None => self.client.repositories().await.map_err(remote),
        }
    }

    async fn tags(&self, repository: &str) -> Result<Vec<String>> {
        match &self.ecr {
            Some(ecr) => Ok(ecr.images(repository).await?.0),
            None => self.client.tags(repository).await.map_err(remote),
        }
    }

    async fn untagged(&self, repository: &str) -> Result<Vec<Digest>> {
        match &self.ecr {
            Some(ecr) => Ok(ecr.images(repository).await?.1),
            // The specification has no list of them.
            None => Ok(Vec::new()),
        }
    }

    async fn manifest(&self, repository: &str, of: &Reference) -> Result<Option<Manifest>> {
        let fetched = self
            .client
            .manifest(repository, &of.to_string(), &MANIFEST_TYPES)
            .await;
        let Some(fetched) = fetched.map_err(remote)? else {
            return Ok(None);
        };
        let digest = match of {
            Reference::Digest(digest) => *digest,
            // Of a tag the bytes are all there is.
            Reference::Tag(_) => Digest::sha256_of(&fetched.bytes),
        };
        Manifest::read(digest, fetched.bytes, fetched.media_type.as_deref()).map(Some)
    }

    async fn referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Digest>> {
        let found = self
            .client
            .referrers(repository, &subject.to_string())
            .await;
        found
            .map_err(remote)?
            .iter()
            .map(|digest| parse(digest))
            .collect()
    }

    async fn blob(&self, repository: &str, blob: &Descriptor) -> Result<Option<Chunks>> {
        let answer = self.client.blob(repository, &blob.digest.to_string()).await;
        Ok(answer.map_err(remote)?.map(|answer| {
            stream::try_unfold(answer, |mut answer| async move {
                let chunk = answer
                    .chunk()
                    .await
                    .map_err(|error| remote(OciError::Http(error)))?;
                Ok(chunk.map(|chunk| (chunk, answer)))
            })
            .boxed()
        }))
    }
}

impl Target for Registry {
    async fn prepare(&self, repository: &str) -> Result<()> {
        match &self.ecr {
            Some(ecr) => ecr.create(repository).await,
            None => Ok(()),
        }
    }

    async fn has_repository(&self, repository: &str) -> Result<bool> {
        match &self.ecr {
            Some(ecr) => ecr.has_repository(repository).await,
            None => Ok(true),
        }
    }

    async fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>> {
        names::check_tag(tag)?;
        self.digest_of(repository, tag).await
    }

    async fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let asked = digest.to_string();
        let named = self
            .client
            .manifest_digest(repository, &asked, &MANIFEST_TYPES)
            .await;
        match named.map_err(remote)? {
            None => Ok(false),
            Some(named) if named.is_empty() || named == asked => Ok(true),
            Some(named) => Err(refused(format!(
                "{} calls the manifest {named}, not {asked}",
                self.host()
            ))),
        }
    }

    async fn has_blob(&self, repository: &str, blob: &Descriptor) -> Result<bool> {
        let found = self
            .client
            .has_blob(repository, &blob.digest.to_string())
            .await;
        found.map_err(remote)
    }

    async fn mount(&self, repository: &str, from: &str, blob: &Digest) -> Result<bool> {
        names::check_repository(from)?;
        match self.client.mount(repository, from, &blob.to_string()).await {
            Ok(mounted) => Ok(mounted),
            // Who may not read there uploads.
            Err(error) if !error.is_transient() && !matches!(error, OciError::Http(_)) => Ok(false),
            Err(error) => Err(remote(error)),
        }
    }

    async fn put_blob(&self, repository: &str, blob: &Descriptor, chunks: Chunks) -> Result<()> {
        let body = chunks.map(|chunk| chunk.map_err(Into::into)).boxed();
        let digest = blob.digest.to_string();
        let sent = self
            .client
            .put_blob(repository, &digest, blob.size, body)
            .await;
        sent.map_err(remote)
    }

    async fn put_manifest(
        &self,
        repository: &str,
        manifest: &Manifest,
        standing: Standing<'_>,
    ) -> Result<()> {
        let digest = manifest.digest.to_string();
        let reference = match standing {
            Standing::Tagged(tag) => tag,
            Standing::Untagged | Standing::Child => &digest,
        };
        let media_type = &manifest.media_type;
        let put =
            self.client
                .put_manifest(repository, reference, media_type, manifest.bytes.clone());
        match put.await.map_err(remote)? {
            Some(answered) if answered != digest => Err(refused(format!(
                "{} calls the manifest {answered}, not {digest}",
                self.host()
            ))),
            _ => Ok(()),
        }
    }
}

/// An HTTP failure as this crate's error.
impl From<HttpError> for Error {
    fn from(error: HttpError) -> Error {
        remote(OciError::Http(error))
    }
}
