//! The copy itself: from a source to a target, bottom up, so that nothing half-copied is ever named.
//!
//! For each tag: the blobs of its manifests, then the manifests of an index, then the manifest under its tag,
//! then what refers to each of them. What the target has by its digest is passed over, so a copy that was
//! interrupted goes on when it is run again.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use blobs::Digest;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{OnceCell, Semaphore};

use crate::content::checked;
use crate::ends::{Reference, Source, Standing, Target};
use crate::error::{Error, Result};
use crate::manifest::{Descriptor, Manifest};
use crate::names;
use crate::report::{Outcome, Progress, State, Totals};

/// Waits before a failed call is tried again.
const RETRY_AFTER: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
];
/// What a registry answers where a tag is immutable and names another image.
const TAG_IN_USE: &str = "tag_invalid";
/// Digests that a message names.
const NAMED_MAX: usize = 20;

/// A repository to copy.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name at the source.
    pub repository: String,
    /// Its name at the target.
    pub into: String,
    /// Only these; otherwise every tag.
    pub only: Vec<Reference>,
}

/// How to copy.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Blobs on their way at once.
    pub concurrency: usize,
    /// Also manifests that no tag names, as far as the source lists them.
    pub untagged: bool,
    /// Only compare.
    pub dry_run: bool,
}

/// Copies repositories, one after the other. An image that fails does not stop the others; a connection that
/// stays broken does, and is the error beside the totals.
pub async fn copy<S: Source, T: Target>(
    source: &S,
    target: &T,
    jobs: &[Job],
    options: Options,
    progress: &Arc<dyn Progress>,
) -> (Totals, Option<Error>) {
    let mut totals = Totals::default();
    // The first repository of the target that is known to have a blob.
    let placed = Mutex::new(HashMap::new());
    for job in jobs {
        let walk = Walk::new(source, target, job, options, progress, &placed);
        let references = match walk.references().await {
            Ok(references) => references,
            Err(error) => {
                let stop = error.is_transient();
                let outcome = walk.outcome(None, None, State::Failed(error.chain()));
                totals.add(&outcome);
                progress.outcome(&outcome);
                if stop {
                    return (totals, Some(error));
                }
                continue;
            }
        };
        let mut outcomes = stream::iter(references)
            .map(|reference| walk.image(reference))
            .buffer_unordered(options.concurrency);
        while let Some((outcome, broken)) = outcomes.next().await {
            totals.add(&outcome);
            progress.outcome(&outcome);
            if broken.is_some() {
                return (totals, broken);
            }
        }
    }
    (totals, None)
}

/// One image to copy.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// The repository's name at both ends.
    pub repository: &'a str,
    /// The image.
    pub digest: Digest,
    /// The tags that it gets.
    pub tags: &'a [&'a str],
}

/// Copies one image with all that it needs, and then gives it its tags. A tag that the target does not let be moved
/// is left out.
///
/// # Errors
/// Those of the two ends.
pub async fn copy_image<S: Source, T: Target>(
    source: &S,
    target: &T,
    image: Image<'_>,
    concurrency: usize,
    progress: &Arc<dyn Progress>,
) -> Result<()> {
    let (repository, digest) = (image.repository, image.digest);
    let job = Job {
        repository: repository.to_owned(),
        into: repository.to_owned(),
        only: vec![Reference::Digest(digest)],
    };
    let placed = Mutex::new(HashMap::new());
    let options = Options {
        concurrency,
        untagged: false,
        dry_run: false,
    };
    let walk = Walk::new(source, target, &job, options, progress, &placed);
    for reference in walk.references().await? {
        match walk.try_image(&reference, &mut None).await? {
            State::Equal | State::Copied => {}
            other => {
                let why = format!("the target does not have {digest} after the copy: {other:?}");
                return Err(Error::Refused(why));
            }
        }
    }
    let manifest = walk.fetch(&Reference::Digest(digest)).await?;
    for tag in image.tags {
        names::check_tag(tag)?;
        if retried(|| target.tag(repository, tag)).await? == Some(digest) {
            continue;
        }
        let standing = Standing::Tagged(tag);
        match retried(|| target.put_manifest(repository, &manifest, standing)).await {
            Err(Error::Remote {
                code: Some(code), ..
            }) if code == TAG_IN_USE => {}
            put => put?,
        }
    }
    Ok(())
}

/// One repository on its way.
struct Walk<'a, S, T> {
    source: &'a S,
    target: &'a T,
    job: &'a Job,
    options: Options,
    progress: &'a Arc<dyn Progress>,
    placed: &'a Mutex<HashMap<Digest, String>>,
    /// Two images with the same layer copy it once.
    cells: Mutex<HashMap<Digest, Arc<OnceCell<()>>>>,
    /// Manifests whose referrers are copied.
    referred: Mutex<HashSet<Digest>>,
    permits: Semaphore,
    exists: OnceCell<bool>,
}

impl<'a, S: Source, T: Target> Walk<'a, S, T> {
    fn new(
        source: &'a S,
        target: &'a T,
        job: &'a Job,
        options: Options,
        progress: &'a Arc<dyn Progress>,
        placed: &'a Mutex<HashMap<Digest, String>>,
    ) -> Self {
        Walk {
            source,
            target,
            job,
            options,
            progress,
            placed,
            cells: Mutex::new(HashMap::new()),
            referred: Mutex::new(HashSet::new()),
            permits: Semaphore::new(options.concurrency),
            exists: OnceCell::new(),
        }
    }

    fn outcome(
        &self,
        reference: Option<Reference>,
        digest: Option<Digest>,
        state: State,
    ) -> Outcome {
        Outcome {
            repository: self.job.into.clone(),
            reference,
            digest,
            state,
        }
    }

    /// What is to be copied; makes the repository.
    async fn references(&self) -> Result<Vec<Reference>> {
        let (from, into) = (&self.job.repository, &self.job.into);
        names::check_repository(from)?;
        names::check_repository(into)?;
        let mut references = self.job.only.clone();
        if references.is_empty() {
            let tags = retried(|| self.source.tags(from)).await?;
            for tag in &tags {
                names::check_tag(tag)?;
            }
            references.extend(tags.into_iter().map(Reference::Tag));
            if self.options.untagged {
                let untagged = retried(|| self.source.untagged(from)).await?;
                references.extend(untagged.into_iter().map(Reference::Digest));
            }
        }
        if !self.options.dry_run {
            retried(|| self.target.prepare(into)).await?;
        }
        Ok(references)
    }

    /// One image with all that belongs to it. The error is one that further calls would meet too.
    async fn image(&self, reference: Reference) -> (Outcome, Option<Error>) {
        let mut digest = None;
        match self.try_image(&reference, &mut digest).await {
            Ok(state) => (self.outcome(Some(reference), digest, state), None),
            Err(error) => {
                let state = State::Failed(error.chain());
                let outcome = self.outcome(Some(reference), digest, state);
                (outcome, error.is_transient().then_some(error))
            }
        }
    }

    async fn try_image(&self, reference: &Reference, found: &mut Option<Digest>) -> Result<State> {
        let into = &self.job.into;
        let manifest = self.fetch(reference).await?;
        let digest = manifest.digest;
        *found = Some(digest);
        let before = match self.target_exists().await? {
            true => self.digest_at_target(reference, &digest).await?,
            false => None,
        };
        if self.options.dry_run {
            return Ok(match before {
                Some(before) if before == digest => State::Equal,
                Some(before) => State::WouldMove(before),
                None => State::WouldCopy,
            });
        }
        let is_there = before == Some(digest) || self.has_manifest(&digest).await?;
        let mut visited = vec![digest];
        self.below(&manifest, is_there, &mut visited).await?;
        if before != Some(digest) {
            let standing = match reference {
                Reference::Tag(tag) => Standing::Tagged(tag),
                Reference::Digest(_) => Standing::Untagged,
            };
            retried(|| self.target.put_manifest(into, &manifest, standing)).await?;
        }
        self.referrers(visited).await?;
        Ok(match self.digest_at_target(reference, &digest).await? {
            _ if before == Some(digest) => State::Equal,
            Some(after) if after == digest => State::Copied,
            // A target without a list of its own, such as a bundle, has what it was given.
            None if matches!(reference, Reference::Digest(_)) => State::Copied,
            other => State::Differs(other),
        })
    }

    async fn target_exists(&self) -> Result<bool> {
        let exists = self.exists.get_or_try_init(|| async {
            match self.options.dry_run {
                true => retried(|| self.target.has_repository(&self.job.into)).await,
                false => Ok(true),
            }
        });
        exists.await.copied()
    }

    async fn digest_at_target(
        &self,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Option<Digest>> {
        match reference {
            Reference::Tag(tag) => retried(|| self.target.tag(&self.job.into, tag)).await,
            Reference::Digest(_) => Ok(self.has_manifest(digest).await?.then_some(*digest)),
        }
    }

    async fn has_manifest(&self, digest: &Digest) -> Result<bool> {
        retried(|| self.target.has_manifest(&self.job.into, digest)).await
    }

    async fn fetch(&self, reference: &Reference) -> Result<Manifest> {
        let from = &self.job.repository;
        let manifest = retried(|| self.source.manifest(from, reference)).await?;
        manifest.ok_or_else(|| Error::Missing(format!("the source has no manifest {reference}")))
    }

    /// What a manifest needs: blobs and manifests of an index. `visited` gets every manifest below.
    async fn below(
        &self,
        manifest: &Manifest,
        is_there: bool,
        visited: &mut Vec<Digest>,
    ) -> Result<()> {
        if !is_there {
            self.blobs(&manifest.blobs).await?;
        }
        for child in &manifest.children {
            visited.push(child.digest);
            let nested = child.media_type.contains("index") || child.media_type.contains("list");
            if nested || !is_there {
                let part = self.part(&child.digest, Standing::Child, nested);
                visited.extend(Box::pin(part).await?);
            }
        }
        Ok(())
    }

    /// A manifest that another one needs or that refers to another one. Answers the manifests below it.
    async fn part(
        &self,
        digest: &Digest,
        standing: Standing<'_>,
        nested: bool,
    ) -> Result<Vec<Digest>> {
        let cell = self.cell(digest);
        let mut visited = Vec::new();
        let made = cell.get_or_try_init(|| async {
            let is_there = self.has_manifest(digest).await?;
            if is_there && !nested {
                return Ok(());
            }
            let manifest = self.fetch(&Reference::Digest(*digest)).await?;
            self.below(&manifest, is_there, &mut visited).await?;
            match is_there {
                true => Ok(()),
                false => {
                    let put = || {
                        self.target
                            .put_manifest(&self.job.into, &manifest, standing)
                    };
                    retried(put).await
                }
            }
        });
        made.await?;
        Ok(visited)
    }

    /// Copies what refers to the manifests, and what refers to that.
    async fn referrers(&self, mut manifests: Vec<Digest>) -> Result<()> {
        while let Some(subject) = manifests.pop() {
            let is_new = lock(&self.referred).insert(subject);
            if !is_new {
                continue;
            }
            let found = retried(|| self.source.referrers(&self.job.repository, &subject)).await?;
            for referrer in found {
                let part = self.part(&referrer, Standing::Untagged, true).await?;
                manifests.extend(part);
                manifests.push(referrer);
            }
        }
        Ok(())
    }

    async fn blobs(&self, blobs: &[Descriptor]) -> Result<()> {
        let mut copied = stream::iter(blobs)
            .map(|blob| async move {
                let cell = self.cell(&blob.digest);
                cell.get_or_try_init(|| self.blob(blob)).await.map(drop)
            })
            .buffer_unordered(self.options.concurrency);
        let mut missing = Vec::new();
        while let Some(copied) = copied.next().await {
            match copied {
                Ok(()) => {}
                // All that is missing is named at once.
                Err(Error::Missing(what)) => missing.push(what),
                Err(error) => return Err(error),
            }
        }
        match missing.len() {
            0 => Ok(()),
            all => {
                let more = all.saturating_sub(NAMED_MAX);
                missing.truncate(NAMED_MAX);
                let more = match more {
                    0 => String::new(),
                    more => format!("; and {more} more"),
                };
                Err(Error::Missing(format!("{}{more}", missing.join("; "))))
            }
        }
    }

    async fn blob(&self, blob: &Descriptor) -> Result<()> {
        let (from, into) = (&self.job.repository, &self.job.into);
        let _permit = self.permits.acquire().await;
        if !retried(|| self.target.has_blob(into, blob)).await? && !self.mount(blob).await? {
            let left_out = self.source.left_out(&blob.digest);
            self.progress.expected(blob.size);
            let upload = || async {
                let Some(chunks) = self.source.blob(from, blob).await? else {
                    return match (blob.foreign, left_out.is_empty()) {
                        (true, _) => Ok(()),
                        (false, true) => {
                            Err(Error::Missing(format!("the source lacks {}", blob.digest)))
                        }
                        (false, false) => Err(Error::Missing(format!(
                            "{} was left out of the bundle, and the target does not have it",
                            blob.digest
                        ))),
                    };
                };
                let progress = Arc::clone(self.progress);
                let passed = move |bytes| progress.passed(bytes);
                let (chunks, finding) = checked(chunks, blob.digest, blob.size, passed);
                let put = self.target.put_blob(into, blob, chunks).await;
                put.map_err(|error| finding.take().unwrap_or(error))
            };
            retried(upload).await?;
        }
        lock(self.placed)
            .entry(blob.digest)
            .or_insert_with(|| into.clone());
        Ok(())
    }

    /// Takes the blob over from another repository of the target.
    async fn mount(&self, blob: &Descriptor) -> Result<bool> {
        let into = &self.job.into;
        let placed = lock(self.placed).get(&blob.digest).cloned();
        let elsewhere = placed.into_iter().chain(self.source.left_out(&blob.digest));
        for repository in elsewhere.filter(|repository| repository != into) {
            if retried(|| self.target.mount(into, &repository, &blob.digest)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn cell(&self, digest: &Digest) -> Arc<OnceCell<()>> {
        Arc::clone(lock(&self.cells).entry(*digest).or_default())
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tries a call again while its failure may pass.
async fn retried<V, F: Future<Output = Result<V>>>(call: impl Fn() -> F) -> Result<V> {
    for wait in RETRY_AFTER {
        match call().await {
            Err(error) if error.is_transient() => tokio::time::sleep(wait).await,
            other => return other,
        }
    }
    call().await
}
