//! Images in files: a bundle or another OCI image layout, and the stores of stopped registries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use blobs::Digest;
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::content::{Chunks, checked, file_chunks};
use crate::ends::{Reference, Source};
use crate::error::{Error, Result, refused};
use crate::files::Files;
use crate::layout::{self, Contents, Home};
use crate::manifest::{Descriptor, MANIFEST_BYTES_MAX, Manifest};
use crate::repository::Repository;
use crate::stores;

/// Images in files.
pub struct Stored {
    files: Files,
    form: Form,
    /// The repository that was read last; a copy goes through one after the other.
    last: Mutex<Option<(String, Arc<Repository>)>>,
}

enum Form {
    /// One layout for all repositories.
    Layout {
        repositories: BTreeMap<String, Arc<Repository>>,
        contents: Option<Contents>,
        left_out: HashMap<Digest, Vec<String>>,
    },
    /// The store of a registry.
    Store(stores::Store),
}

impl Stored {
    /// Opens a bundle, or an OCI image layout that another program made: a folder or a tar file. `home` is
    /// for images whose repository the layout does not name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Refused`].
    pub fn layout(path: &Path, home: Option<&Home>) -> Result<Stored> {
        let files = Files::open(path)?;
        let opened = Stored::open_layout(&files, home);
        let form = opened.map_err(|error| match error {
            Error::Refused(what) => refused(format!("{}: {what}", path.display())),
            other => other,
        })?;
        Ok(Stored {
            files,
            form,
            last: Mutex::new(None),
        })
    }

    fn open_layout(files: &Files, home: Option<&Home>) -> Result<Form> {
        let (entries, bytes) = layout::index(files, "")?;
        let contents = Contents::of(files, &bytes)?;
        let mut repositories: BTreeMap<String, Repository> = BTreeMap::new();
        for entry in &entries {
            let (name, tag) = layout::place(entry, home)?;
            let repository = repositories.entry(name.clone()).or_default();
            repository.add(&name, tag, entry)?;
        }
        let left_out = contents.iter().flat_map(|contents| &contents.left_out);
        let left_out = left_out.map(|blob| (blob.digest, blob.repositories.clone()));
        Ok(Form::Layout {
            left_out: left_out.collect(),
            repositories: repositories
                .into_iter()
                .map(|(name, repository)| (name, Arc::new(repository)))
                .collect(),
            contents,
        })
    }

    /// Opens the folder of a stopped registry: distribution, Harbor, zot.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Refused`].
    pub fn store(path: &Path) -> Result<Stored> {
        let files = Files::open(path)?;
        let Files::Folder(folder) = &files else {
            return Err(refused(format!("{} is no folder", path.display())));
        };
        let store = stores::Store::find(folder)?.ok_or_else(|| {
            refused(format!(
                "{} is no store of a registry: neither docker/registry/v2 nor folders with an OCI image layout are in it",
                path.display()
            ))
        })?;
        Ok(Stored {
            files,
            form: Form::Store(store),
            last: Mutex::new(None),
        })
    }

    /// Reads every blob of a bundle and compares its digest; `passed` learns of the bytes. Answers what is
    /// wrong, and the number of blobs. A layout without a list of blobs is checked while it is copied.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn verify(
        &self,
        passed: impl Fn(u64) + Clone + Send + 'static,
    ) -> Result<(Vec<String>, usize)> {
        let Form::Layout {
            contents: Some(contents),
            ..
        } = &self.form
        else {
            return Ok((Vec::new(), 0));
        };
        let mut wrong = Vec::new();
        for blob in &contents.blobs {
            match self.open(&layout::blob_name(&blob.digest))? {
                None => wrong.push(format!("{} is not in the bundle", blob.digest)),
                Some((chunks, _)) => {
                    let (mut chunks, finding) =
                        checked(chunks, blob.digest, blob.size, passed.clone());
                    while let Some(Ok(_)) = chunks.next().await {}
                    if let Some(error) = finding.take() {
                        wrong.push(error.chain());
                    }
                }
            }
        }
        Ok((wrong, contents.blobs.len()))
    }

    fn repository(&self, name: &str) -> Result<Arc<Repository>> {
        let none = || Error::Missing(format!("the source has no repository `{name}`"));
        let store = match &self.form {
            Form::Layout { repositories, .. } => {
                return repositories.get(name).cloned().ok_or_else(none);
            }
            Form::Store(store) => store,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, repository)) = &*last
            && of == name
        {
            return Ok(Arc::clone(repository));
        }
        let repository = store.read(&self.files, name)?.ok_or_else(none)?;
        let repository = Arc::new(repository);
        *last = Some((name.to_owned(), Arc::clone(&repository)));
        Ok(repository)
    }

    fn blob_name(&self, repository: &str, digest: &Digest) -> String {
        match &self.form {
            Form::Layout { .. } => layout::blob_name(digest),
            Form::Store(store) => store.blob_name(repository, digest),
        }
    }

    /// All bytes of a file, and how many.
    fn open(&self, name: &str) -> Result<Option<(Chunks, u64)>> {
        let opened = self.files.file(name)?;
        Ok(opened.map(|opened| {
            let chunks = file_chunks(opened.file, opened.bytes, name.to_owned());
            (chunks, opened.bytes)
        }))
    }

    fn stored_manifest(
        &self,
        name: &str,
        of: &Repository,
        digest: &Digest,
    ) -> Result<Option<Manifest>> {
        let file = self.blob_name(name, digest);
        let Some(bytes) = self.files.read(&file, MANIFEST_BYTES_MAX)? else {
            return Ok(None);
        };
        let media_type = of.media_types.get(digest).map(String::as_str);
        Manifest::read(*digest, Bytes::from(bytes), media_type).map(Some)
    }
}

impl Source for Stored {
    async fn repositories(&self) -> Result<Vec<String>> {
        match &self.form {
            Form::Layout { repositories, .. } => Ok(repositories.keys().cloned().collect()),
            Form::Store(store) => store.repositories(&self.files),
        }
    }

    async fn tags(&self, repository: &str) -> Result<Vec<String>> {
        Ok(self.repository(repository)?.tags.keys().cloned().collect())
    }

    async fn untagged(&self, repository: &str) -> Result<Vec<Digest>> {
        Ok(self
            .repository(repository)?
            .untagged
            .iter()
            .copied()
            .collect())
    }

    async fn manifest(&self, repository: &str, of: &Reference) -> Result<Option<Manifest>> {
        let stored = self.repository(repository)?;
        let digest = match of {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(tag) => stored.tags.get(tag),
        };
        match digest {
            Some(digest) => self.stored_manifest(repository, &stored, digest),
            None => Ok(None),
        }
    }

    async fn referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Digest>> {
        let stored = self.repository(repository)?;
        let all = stored.referrers.get_or_try_init(|| async {
            let mut all: HashMap<Digest, Vec<Digest>> = HashMap::new();
            let listed = stored.tags.values().chain(&stored.untagged);
            for digest in listed.collect::<BTreeSet<_>>() {
                // What cannot be read fails where it is copied, if it is.
                let Ok(Some(manifest)) = self.stored_manifest(repository, &stored, digest) else {
                    continue;
                };
                if let Some(subject) = manifest.subject {
                    all.entry(subject).or_default().push(*digest);
                }
            }
            Ok::<_, Error>(all)
        });
        Ok(all.await?.get(subject).cloned().unwrap_or_default())
    }

    async fn blob(&self, repository: &str, blob: &Descriptor) -> Result<Option<Chunks>> {
        let opened = self.open(&self.blob_name(repository, &blob.digest))?;
        match opened {
            // The check while copying would say so too, after all bytes before.
            Some((_, bytes)) if bytes != blob.size => Err(Error::Content {
                expected: blob.digest,
                found: format!("it has {bytes} bytes in place of {}", blob.size),
            }),
            Some((chunks, _)) => Ok(Some(chunks)),
            None => Ok(None),
        }
    }

    fn left_out(&self, blob: &Digest) -> Vec<String> {
        match &self.form {
            Form::Layout { left_out, .. } => left_out.get(blob).cloned().unwrap_or_default(),
            Form::Store(_) => Vec::new(),
        }
    }
}
