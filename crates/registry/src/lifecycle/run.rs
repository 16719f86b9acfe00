//! A run of a repository's policy: selects images, and deletes or archives them.

use std::collections::HashSet;

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::Write;
use store::ecr::{image, image_status, lifecycle, repository};

use super::events::{Acted, Name, Told};
use super::options::Options;
use super::policy::{Action, Policy};
use super::scan::fingerprint;
use super::select::{Selected, select};
use crate::cache::Change;
use crate::deletion::{PARENTS_MAX, delete_with_referrers};
use crate::events::{self, LifecycleAction, Removed, subject_of};
use crate::replication_outbox::{self, note_removed};
use crate::tag_moves::{Cause, MoveMethod};
use crate::{Error, Registry, RepositoryFacts};

/// Images of one transaction: a push to the repository waits for no more.
pub(crate) const IMAGES_AT_ONCE: usize = 50;
/// Images that are acted on before the others are selected anew. What was selected stays near to what is:
/// a rule that keeps a number of images keeps them, though others are deleted meanwhile.
const ACTIONS_MAX: usize = 20_000;
/// Images whose failure a run tells of.
const FAILURES_MAX: usize = 1_000;
/// When a policy is run again (user guide, "Automate the cleanup of images by using lifecycle policies in
/// Amazon ECR": within 24 hours).
const INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// A repository, its policy and its options, as a run read them.
pub(super) struct Subject {
    pub(super) repo: RepositoryFacts,
    pub(super) options: Options,
    pub(super) row: Option<lifecycle::Policy>,
}

/// What became of an image.
enum Outcome {
    /// Done, and these referrers went with it.
    Done(Acted, Vec<String>),
    /// A list needs it.
    Held,
    /// It is not what was selected any more.
    Changed,
}

/// When a policy is tried again that the read-only mode kept from being run.
const WHILE_READ_ONLY: SignedDuration = SignedDuration::from_mins(10);

impl Registry {
    /// Runs the policy of the repository with this id. Answers when it is to be run again; `None` where the
    /// repository or its policy is gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn run_lifecycle(
        &self,
        service: ServiceName,
        repository: &str,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, Error> {
        // What this node knows of pulls counts.
        self.write_pulls().await?;
        let Some(subject) = self.lifecycle_subject(repository).await? else {
            return Ok(None);
        };
        let Some(row) = &subject.row else {
            return Ok(None);
        };
        let is_frozen = subject.repo.read_only_refusal().is_some();
        if is_frozen || self.server_mode().await?.enabled {
            return Ok(Some(WHILE_READ_ONLY));
        }
        let policy = Policy::parse(&row.text).map_err(Error::internal)?;
        let at = now.as_millisecond();
        let selected = self.selected(&subject, &policy, at).await?;
        if subject.options.dry_run {
            self.report(service, &subject, &policy, &selected, at)
                .await?;
            return Ok(Some(self.next_run(subject.repo.id, at).await?));
        }
        let mut run = Run {
            registry: self,
            service,
            subject: &subject,
            row,
            policy: &policy,
            now: at,
            cause: Cause::service(service, MoveMethod::Lifecycle, at),
            actions: 0,
        };
        match run.act_on_all(selected).await? {
            true => Ok(Some(self.next_run(subject.repo.id, at).await?)),
            false => Ok(Some(SignedDuration::ZERO)),
        }
    }

    /// How long after this run the next one is due: earlier for what changed while it went on.
    async fn next_run(&self, repository_id: i64, now: i64) -> Result<SignedDuration, Error> {
        let mut read = self.0.store.read().await?;
        let asked = lifecycle::requested_run(&mut read.conn(), repository_id).await?;
        let left = asked.map(|at| SignedDuration::from_millis(at.saturating_sub(now)));
        let left = left.filter(|left| left.is_positive());
        Ok(left.map_or(INTERVAL, |left| left.min(INTERVAL)))
    }

    /// The repository with this id, as the subject of a job.
    pub(super) async fn lifecycle_subject(&self, id: &str) -> Result<Option<Subject>, Error> {
        let id: i64 = id.parse().map_err(Error::internal)?;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(found) = repository::get(conn, id).await? else {
            return Ok(None);
        };
        let row = lifecycle::policy(conn, id).await?;
        let options = Options::stored(&lifecycle::options(conn, id).await?)?;
        drop(read);
        Ok(Some(Subject {
            repo: self.facts_of_row(&found).await?,
            options,
            row,
        }))
    }

    /// The images on which the policy acts, as far as the options allow.
    pub(super) async fn selected(
        &self,
        subject: &Subject,
        policy: &Policy,
        now: i64,
    ) -> Result<Vec<Selected>, Error> {
        let options = &subject.options;
        let mut images = self.candidates(subject.repo.id, policy, options).await?;
        let mut selected = select(policy, &mut images, now);
        selected.retain(|one| options.allow(&one.image, one.action, now));
        Ok(selected)
    }
}

struct Run<'a> {
    registry: &'a Registry,
    service: ServiceName,
    subject: &'a Subject,
    row: &'a lifecycle::Policy,
    policy: &'a Policy,
    now: i64,
    /// Why tags go.
    cause: Cause,
    /// Images that were acted on.
    actions: usize,
}

impl Run<'_> {
    /// Acts on the images, the oldest first, and on those that a list needs after all others: their lists
    /// may be among these. False when images are left for another run.
    async fn act_on_all(&mut self, selected: Vec<Selected>) -> Result<bool, Error> {
        let (mut held, free): (Vec<Selected>, Vec<Selected>) =
            selected.into_iter().partition(|one| one.image.is_held);
        if !self.act_on(&free, &mut Vec::new()).await? {
            return Ok(false);
        }
        let mut before = 0;
        while self.actions > before && !held.is_empty() {
            before = self.actions;
            let mut again = Vec::new();
            if !self.act_on(&held, &mut again).await? {
                return Ok(false);
            }
            held = again;
        }
        self.finish(&held).await
    }

    /// Acts on images and collects those that a list needs. False when the run is over: another policy is
    /// set, or enough is done.
    async fn act_on(
        &mut self,
        selected: &[Selected],
        held: &mut Vec<Selected>,
    ) -> Result<bool, Error> {
        for part in selected.chunks(IMAGES_AT_ONCE) {
            if self.actions >= ACTIONS_MAX {
                return Ok(false);
            }
            let Some(mut tx) = self.write().await? else {
                return Ok(false);
            };
            let ids: Vec<i64> = part.iter().map(|one| one.image.id).collect();
            let repo = &self.subject.repo;
            let mut current = lifecycle::current(&mut tx.conn(), repo.id, &ids).await?;
            let (mut done, mut changes) = (Vec::new(), Vec::new());
            // Referrers that went, or were archived, with their subject.
            let mut gone = HashSet::new();
            for one in part {
                let Some(image) = current.remove(&one.image.id) else {
                    continue;
                };
                if gone.contains(&image.digest) {
                    continue;
                }
                match self.act(&mut tx, one, image, &mut changes).await? {
                    Outcome::Done(acted, referrers) => {
                        done.push(acted);
                        gone.extend(referrers);
                    }
                    Outcome::Held => held.push(*one),
                    Outcome::Changed => {}
                }
            }
            if done.is_empty() {
                continue;
            }
            self.tell(&mut tx, &done).await?;
            self.registry.commit(tx, &changes).await?;
            self.actions += done.len();
        }
        Ok(true)
    }

    /// A transaction of the repository, while the policy is the one that is run.
    async fn write(&self) -> Result<Option<Write>, Error> {
        let repo = &self.subject.repo;
        let mut tx = self.registry.write(repo.id).await?;
        let current = lifecycle::policy(&mut tx.conn(), repo.id).await?;
        let is_same =
            current.is_some_and(|row| (&row.id, row.version) == (&self.row.id, self.row.version));
        Ok(is_same.then_some(tx))
    }

    /// Acts on one image, if it is still what was selected.
    async fn act(
        &self,
        tx: &mut Write,
        selected: &Selected,
        image: lifecycle::Current,
        changes: &mut Vec<Change>,
    ) -> Result<Outcome, Error> {
        let repo = &self.subject.repo;
        let id = selected.image.id;
        let now_is = fingerprint(&image.status, image.pulled_at, &image.tags);
        if now_is != selected.image.fingerprint || self.registry.0.pulls.has(id) {
            return Ok(Outcome::Changed);
        }
        let acted = self.acted(tx, selected, image).await?;
        if !acted.held_by.is_empty() {
            return Ok(Outcome::Held);
        }
        let told = subject_of(&mut tx.conn(), repo, &acted.digest).await?;
        let referrers = match selected.action {
            Action::Expire => {
                for tag in &acted.tags {
                    let (conn, from) = (&mut tx.conn(), Some(acted.digest.as_str()));
                    self.cause.record(conn, repo.id, tag, from, None).await?;
                    changes.push(Change::Tag(repo.id, tag.clone()));
                }
                let referrers = delete_with_referrers(tx, repo, id, &acted.digest, changes).await?;
                let removed = replication_outbox::Deletion {
                    digest: &acted.digest,
                    tags: &acted.tags,
                    image_deleted: true,
                    referrers: &referrers,
                };
                note_removed(&mut tx.conn(), repo, &removed, self.now).await?;
                referrers
            }
            Action::Archive => {
                *changes = vec![Change::RepositoryContents(repo.id)];
                crate::storage_class::archive(tx, repo, id, &acted.digest, self.now).await?
            }
        };
        if let Some(image) = told {
            self.tell_targets(tx, selected.action, &acted, &image, &referrers)
                .await?;
        }
        Ok(Outcome::Done(acted, referrers))
    }

    /// Tells the registry's targets what was done. Archiving has told of the storage classes by itself.
    async fn tell_targets(
        &self,
        tx: &mut Write,
        action: Action,
        acted: &Acted,
        image: &image::Image,
        referrers: &[String],
    ) -> Result<(), Error> {
        let (conn, repo) = (&mut tx.conn(), &self.subject.repo);
        let (digest, tags) = (&acted.digest, &acted.tags);
        let action = match action {
            Action::Expire => {
                events::deleted(conn, repo, Removed { image, tags }, self.now).await?;
                events::deleted_referrers(conn, repo, referrers, self.now).await?;
                LifecycleAction::Expire
            }
            Action::Archive => LifecycleAction::Archive,
        };
        let by = (action, i64::from(acted.priority));
        events::expired(conn, repo, digest, tags, by, self.now).await
    }

    /// What is told of an image that was selected, with the lists that keep it.
    async fn acted(
        &self,
        tx: &mut Write,
        selected: &Selected,
        image: lifecycle::Current,
    ) -> Result<Acted, Error> {
        let repo = &self.subject.repo;
        let held_by = match image.is_held {
            true => held_by(tx, repo, selected.action, &image.digest).await?,
            false => Vec::new(),
        };
        Ok(Acted {
            digest: image.digest,
            tags: image.tags,
            pushed_at: image.pushed_at,
            priority: self.policy.rules()[selected.rule].priority,
            held_by,
        })
    }

    /// Notes that the policy was run, and tells of the images that lists need.
    async fn finish(&self, held: &[Selected]) -> Result<bool, Error> {
        let Some(mut tx) = self.write().await? else {
            return Ok(false);
        };
        let repo = &self.subject.repo;
        let mut failed = Vec::new();
        for part in held[..held.len().min(FAILURES_MAX)].chunks(IMAGES_AT_ONCE) {
            let ids: Vec<i64> = part.iter().map(|one| one.image.id).collect();
            let mut current = lifecycle::current(&mut tx.conn(), repo.id, &ids).await?;
            for one in part {
                if let Some(image) = current.remove(&one.image.id) {
                    failed.push(self.acted(&mut tx, one, image).await?);
                }
            }
        }
        failed.retain(|acted| !acted.held_by.is_empty());
        if !failed.is_empty() || self.actions == 0 {
            self.tell(&mut tx, &failed).await?;
        }
        lifecycle::set_evaluated(&mut tx.conn(), repo.id, self.now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn tell(&self, tx: &mut Write, images: &[Acted]) -> Result<(), Error> {
        let told = Told {
            repo: &self.subject.repo,
            policy: self.policy,
            row: Some(self.row),
        };
        let (name, conn) = (Name::PolicyExecution, &mut tx.conn());
        told.write(conn, self.service, name, images, self.now).await
    }
}

/// The lists that keep an image from being acted on: "cannot be expired or archived until the manifest list
/// is deleted or archived first" (user guide, "Automate the cleanup of images by using lifecycle policies in
/// Amazon ECR"). A list that is archived keeps its images from being deleted, since it can be restored.
async fn held_by(
    tx: &mut Write,
    repo: &RepositoryFacts,
    action: Action,
    digest: &str,
) -> Result<Vec<String>, Error> {
    let conn = &mut tx.conn();
    Ok(match action {
        Action::Expire => image::parents(conn, repo.id, digest, PARENTS_MAX).await?,
        Action::Archive => image_status::parents_in_use(conn, repo.id, digest, PARENTS_MAX).await?,
    })
}
