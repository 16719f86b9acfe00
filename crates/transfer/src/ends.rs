//! The two ends of a copy.

use blobs::Digest;

use crate::content::Chunks;
use crate::error::Result;
use crate::manifest::{Descriptor, Manifest};

/// How a manifest is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// By a tag.
    Tag(String),
    /// By its digest.
    Digest(Digest),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Tag(tag) => f.write_str(tag),
            Reference::Digest(digest) => digest.fmt(f),
        }
    }
}

/// Where a manifest stands in its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// A tag names it.
    Tagged(&'a str),
    /// No tag names it: it is about another manifest, or has lost its tag.
    Untagged,
    /// An index names it.
    Child,
}

/// What is copied from.
#[expect(
    async_fn_in_trait,
    reason = "used by this workspace alone, on one thread"
)]
pub trait Source {
    /// The names of the repositories.
    async fn repositories(&self) -> Result<Vec<String>>;

    /// The tags of a repository.
    async fn tags(&self, repository: &str) -> Result<Vec<String>>;

    /// The manifests of a repository that no tag names, as far as the source can list them. Those that an
    /// index names may be among them.
    async fn untagged(&self, repository: &str) -> Result<Vec<Digest>>;

    /// A manifest; `None` when there is none.
    async fn manifest(&self, repository: &str, of: &Reference) -> Result<Option<Manifest>>;

    /// The manifests that are about this one.
    async fn referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Digest>>;

    /// The bytes of a blob; `None` when it is not there. Nobody has checked them.
    async fn blob(&self, repository: &str, blob: &Descriptor) -> Result<Option<Chunks>>;

    /// Repositories of the target that should have a blob which this source leaves out.
    fn left_out(&self, _blob: &Digest) -> Vec<String> {
        Vec::new()
    }
}

/// What is copied to.
#[expect(
    async_fn_in_trait,
    reason = "used by this workspace alone, on one thread"
)]
pub trait Target {
    /// Makes a repository ready to be written.
    async fn prepare(&self, repository: &str) -> Result<()>;

    /// Whether there is such a repository; nothing is made.
    async fn has_repository(&self, repository: &str) -> Result<bool>;

    /// The manifest that a tag names.
    async fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>>;

    /// Whether a manifest is there with all that it needs.
    async fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool>;

    /// Whether a blob is there.
    async fn has_blob(&self, repository: &str, blob: &Descriptor) -> Result<bool>;

    /// Takes a blob over from another repository of the target, where it can.
    async fn mount(&self, repository: &str, from: &str, blob: &Digest) -> Result<bool>;

    /// Writes a blob. An error among the chunks means that they must not be kept.
    async fn put_blob(&self, repository: &str, blob: &Descriptor, chunks: Chunks) -> Result<()>;

    /// Writes a manifest whose blobs and children are there.
    async fn put_manifest(
        &self,
        repository: &str,
        manifest: &Manifest,
        standing: Standing<'_>,
    ) -> Result<()>;
}
