//! Writes a bundle: a folder, or one tar file.
//!
//! # Interruptions
//! A blob of a folder is written under another name, synced and renamed, so one that has its name is whole.
//! A tar file grows blob by blob under the name `….partial`; what follows its last whole blob is cut off.
//! Nothing but the files is trusted when an export goes on: each blob that is there is read and its digest
//! compared before it counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use blobs::Digest;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::content::{Chunks, checked, file_chunks};
use crate::ends::{Standing, Target};
use crate::error::{Error, Result, refused};
use crate::layout::{self, Blob, Contents, Entry, Index};
use crate::manifest::{Descriptor, Manifest, OCI_INDEX};
use crate::out::{FolderOut, Out, TarOut};

/// A bundle that is written.
pub struct Bundle {
    out: Out,
    state: Mutex<State>,
    /// The blobs of an earlier bundle with its repositories.
    earlier: HashMap<Digest, Vec<String>>,
}

#[derive(Default)]
struct State {
    /// Entries of the index by repository, name and digest.
    entries: BTreeMap<(String, Option<String>, Digest), Entry>,
    blobs: BTreeMap<Digest, Needed>,
    left_out: BTreeMap<Digest, Needed>,
}

#[derive(Default)]
struct Needed {
    size: u64,
    repositories: BTreeSet<String>,
}

/// What a finished bundle holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Images and artifacts that the index lists.
    pub entries: usize,
    /// Blobs and manifests.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that the earlier bundle has.
    pub left_out: usize,
    /// Their bytes.
    pub left_out_bytes: u64,
}

impl Bundle {
    /// Begins a bundle, or goes on with one that was interrupted. A path that ends in `.tar` becomes a tar
    /// file, another one a folder. Blobs of the bundle `since` are left out.
    ///
    /// # Errors
    /// [`Error::Refused`] for a path with something else in it.
    pub fn create(path: &Path, since: Option<&Path>) -> Result<Bundle> {
        let mut earlier: HashMap<Digest, Vec<String>> = HashMap::new();
        if let Some(since) = since {
            let contents = Contents::earlier(since)?;
            for blob in contents.blobs.into_iter().chain(contents.left_out) {
                earlier
                    .entry(blob.digest)
                    .or_default()
                    .extend(blob.repositories);
            }
        }
        let out = match path.extension().is_some_and(|kind| kind == "tar") {
            true => Out::Tar(Box::new(TarOut::open(path)?)),
            false => FolderOut::open(path).map(Out::Folder)?,
        };
        Ok(Bundle {
            out,
            state: Mutex::default(),
            earlier,
        })
    }

    /// Writes the index and the list of blobs. Without this the bundle is not finished.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn finish(self) -> Result<Written> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let index = Index {
            schema_version: 2,
            media_type: OCI_INDEX.to_owned(),
            manifests: state.entries.into_values().collect(),
        };
        let index = json(&index)?;
        let list = |needed: BTreeMap<Digest, Needed>| {
            let blobs = needed.into_iter().map(|(digest, needed)| Blob {
                digest,
                size: needed.size,
                repositories: needed.repositories.into_iter().collect(),
            });
            blobs.collect::<Vec<_>>()
        };
        let bytes = |blobs: &[Blob]| blobs.iter().map(|blob| blob.size).sum();
        let (blobs, left_out) = (list(state.blobs), list(state.left_out));
        let contents = Contents::new(Digest::sha256_of(&index), blobs, left_out);
        self.out.finish(&index, &json(&contents)?).await?;
        let entries: Index =
            serde_json::from_slice(&index).map_err(|error| refused(error.to_string()))?;
        Ok(Written {
            entries: entries.manifests.len(),
            blobs: contents.blobs.len(),
            bytes: bytes(&contents.blobs),
            left_out: contents.left_out.len(),
            left_out_bytes: bytes(&contents.left_out),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, repository: &str, digest: Digest, size: u64) {
        let mut state = self.state();
        let needed = state.blobs.entry(digest).or_default();
        needed.size = size;
        needed.repositories.insert(repository.to_owned());
    }

    /// Whether the blob is there, whole. A damaged one is removed.
    async fn is_there(&self, digest: &Digest, size: u64) -> Result<bool> {
        if self.state().blobs.contains_key(digest) {
            return Ok(true);
        }
        let Some((file, bytes)) = self.out.find(digest, size).await? else {
            return Ok(false);
        };
        let chunks = file_chunks(file, bytes, digest.to_string());
        let (mut chunks, finding) = checked(chunks, *digest, size, |_| {});
        while let Some(Ok(_)) = chunks.next().await {}
        match finding.take() {
            None => Ok(true),
            Some(Error::Content { .. }) => {
                self.out.forget(digest).await?;
                Ok(false)
            }
            Some(other) => Err(other),
        }
    }

    async fn put(&self, repository: &str, digest: Digest, size: u64, chunks: Chunks) -> Result<()> {
        self.out.write(&digest, size, chunks).await?;
        self.note(repository, digest, size);
        Ok(())
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| refused(error.to_string()))?;
    bytes.push(b'\n');
    // What is written can be read again.
    match bytes.len() > layout::INDEX_BYTES_MAX {
        true => Err(refused(format!(
            "the bundle's lists are longer than {} bytes: export fewer repositories at once",
            layout::INDEX_BYTES_MAX
        ))),
        false => Ok(bytes),
    }
}

impl Target for Bundle {
    async fn prepare(&self, _repository: &str) -> Result<()> {
        Ok(())
    }

    async fn has_repository(&self, _repository: &str) -> Result<bool> {
        Ok(true)
    }

    async fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>> {
        let name = Some(format!("{repository}:{tag}"));
        let first = Digest::from_bytes(blobs::Algorithm::Sha256, &[0; 32]);
        let Some(first) = first else {
            return Ok(None);
        };
        let from = (repository.to_owned(), name, first);
        let state = self.state();
        let next = state.entries.range(from.clone()..).next();
        Ok(next
            .filter(|((of, named, _), _)| (of, named) == (&from.0, &from.1))
            .map(|((_, _, digest), _)| *digest))
    }

    async fn has_manifest(&self, _repository: &str, _digest: &Digest) -> Result<bool> {
        // Its blobs are looked at one by one: an interrupted export may have lost some.
        Ok(false)
    }

    async fn has_blob(&self, repository: &str, blob: &Descriptor) -> Result<bool> {
        if let Some(repositories) = self.earlier.get(&blob.digest) {
            let mut state = self.state();
            let needed = state.left_out.entry(blob.digest).or_default();
            needed.size = blob.size;
            needed.repositories.extend(repositories.iter().cloned());
            return Ok(true);
        }
        let there = self.is_there(&blob.digest, blob.size).await?;
        if there {
            self.note(repository, blob.digest, blob.size);
        }
        Ok(there)
    }

    async fn mount(&self, _repository: &str, _from: &str, _blob: &Digest) -> Result<bool> {
        Ok(false)
    }

    async fn put_blob(&self, repository: &str, blob: &Descriptor, chunks: Chunks) -> Result<()> {
        self.put(repository, blob.digest, blob.size, chunks).await
    }

    async fn put_manifest(
        &self,
        repository: &str,
        manifest: &Manifest,
        standing: Standing<'_>,
    ) -> Result<()> {
        let (digest, size) = (manifest.digest, manifest.bytes.len() as u64);
        match self.is_there(&digest, size).await? {
            true => self.note(repository, digest, size),
            false => {
                let bytes: Bytes = manifest.bytes.clone();
                let chunks = stream::iter([Ok(bytes)]).boxed();
                self.put(repository, digest, size, chunks).await?;
            }
        }
        let name = match standing {
            Standing::Child => return Ok(()),
            Standing::Untagged => None,
            Standing::Tagged(tag) => Some(format!("{repository}:{tag}")),
        };
        let mut annotations =
            BTreeMap::from([(layout::REPOSITORY.to_owned(), repository.to_owned())]);
        if let Some(name) = &name {
            annotations.insert(layout::REF_NAME.to_owned(), name.clone());
        }
        let entry = Entry {
            media_type: manifest.media_type.clone(),
            digest,
            size,
            annotations,
        };
        self.state()
            .entries
            .insert((repository.to_owned(), name, digest), entry);
        Ok(())
    }
}
