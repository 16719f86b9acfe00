//! Previews: what a policy would do, kept for a while.

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::ecr::lifecycle_preview::{self, Preview, PreviewImage};
use store::ecr::{image, image_tag};

use super::events::{Acted, Name, TAGS_MAX, Told};
use super::policy::{Action, Policy, StorageClass};
use super::run::Subject;
use super::select::Selected;
use crate::{Error, Registry};

/// How long results are kept.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Attempts after which a preview has failed.
const ATTEMPTS_MAX: i64 = 3;
/// Images that are written in one transaction.
const IMAGES_AT_ONCE: usize = 100;
/// Images that the events of a preview tell of: anyone who may ask for one could fill the audit log.
const TOLD_MAX: usize = 1_000;

impl Registry {
    /// Makes the preview of the repository with this id that was asked for, or removes one that is too old.
    /// Answers when there is more to do.
    ///
    /// # Errors
    /// The store's.
    pub async fn run_lifecycle_preview(
        &self,
        service: ServiceName,
        repository: &str,
        failures: i64,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, Error> {
        self.write_pulls().await?;
        let Some(subject) = self.lifecycle_subject(repository).await? else {
            return Ok(None);
        };
        let at = now.as_millisecond();
        let preview = {
            let mut read = self.0.store.read().await?;
            lifecycle_preview::get(&mut read.conn(), subject.repo.id).await?
        };
        let Some(mut preview) = preview else {
            return Ok(None);
        };
        if preview.status != "IN_PROGRESS" {
            if is_expired(&preview, at) {
                let mut tx = self.write(subject.repo.id).await?;
                lifecycle_preview::clear(&mut tx.conn(), subject.repo.id).await?;
                tx.commit().await?;
                return Ok(None);
            }
            return Ok(Some(KEPT));
        }
        if failures >= ATTEMPTS_MAX {
            preview.status = "FAILED".to_owned();
            preview.completed_at = Some(at);
            let mut tx = self.write(subject.repo.id).await?;
            lifecycle_preview::clear(&mut tx.conn(), subject.repo.id).await?;
            lifecycle_preview::finish(&mut tx.conn(), subject.repo.id, &preview).await?;
            tx.commit().await?;
            return Ok(None);
        }
        let policy = Policy::parse(&preview.policy).map_err(Error::internal)?;
        let selected = self.selected(&subject, &policy, at).await?;
        self.write_preview(service, &subject, &policy, (preview, &selected), at)
            .await?;
        Ok(Some(KEPT))
    }

    /// What a run would do, in the form of a preview: of a repository whose runs are dry.
    pub(super) async fn report(
        &self,
        service: ServiceName,
        subject: &Subject,
        policy: &Policy,
        selected: &[Selected],
        now: i64,
    ) -> Result<(), Error> {
        let repository_id = subject.repo.id;
        let mut tx = self.write(repository_id).await?;
        let conn = &mut tx.conn();
        store::ecr::lifecycle::set_evaluated(conn, repository_id, now).await?;
        let current = lifecycle_preview::get(conn, repository_id).await?;
        // A preview that someone asked for comes first.
        if current.is_some_and(|preview| preview.status == "IN_PROGRESS") {
            return Ok(tx.commit().await?);
        }
        let text = subject.row.as_ref().map_or("", |row| &row.text);
        lifecycle_preview::start(conn, repository_id, text, now).await?;
        let started = lifecycle_preview::get(conn, repository_id).await?;
        tx.commit().await?;
        let started = started.ok_or_else(|| Error::internal("a preview began and is gone"))?;
        self.write_preview(service, subject, policy, (started, selected), now)
            .await
    }

    async fn write_preview(
        &self,
        service: ServiceName,
        subject: &Subject,
        policy: &Policy,
        (mut preview, selected): (Preview, &[Selected]),
        now: i64,
    ) -> Result<(), Error> {
        let repo = &subject.repo;
        let (mut position, mut told) = (0, Vec::new());
        // An attempt that broke off may have written some.
        let mut tx = self.write(repo.id).await?;
        lifecycle_preview::clear(&mut tx.conn(), repo.id).await?;
        tx.commit().await?;
        for part in selected.chunks(IMAGES_AT_ONCE) {
            let mut tx = self.write(repo.id).await?;
            for one in part {
                let conn = &mut tx.conn();
                let Some(image) = image::get(conn, repo.id, one.image.id).await? else {
                    continue;
                };
                let tags = image_tag::of_image(conn, image.id).await?;
                position += 1;
                match one.action {
                    Action::Expire => preview.expiring += 1,
                    Action::Archive => preview.archiving += 1,
                }
                let priority = policy.rules()[one.rule].priority;
                let row = PreviewImage {
                    position,
                    digest: image.digest.clone(),
                    tags: serde_json::to_string(&tags).map_err(Error::internal)?,
                    pushed_at: image.pushed_at,
                    rule_priority: priority.into(),
                    action: action(one.action).to_owned(),
                    storage_class: class(one.image.class).to_owned(),
                };
                lifecycle_preview::add_image(conn, repo.id, &row).await?;
                if told.len() < TOLD_MAX {
                    told.push(Acted {
                        digest: image.digest,
                        tags: tags.into_iter().take(TAGS_MAX).collect(),
                        pushed_at: image.pushed_at,
                        priority,
                        held_by: Vec::new(),
                    });
                }
            }
            tx.commit().await?;
        }
        preview.status = "COMPLETE".to_owned();
        preview.completed_at = Some(now);
        let mut tx = self.write(repo.id).await?;
        if lifecycle_preview::finish(&mut tx.conn(), repo.id, &preview).await? {
            let told_policy = Told {
                repo,
                policy,
                row: subject
                    .row
                    .as_ref()
                    .filter(|row| row.text == preview.policy),
            };
            let conn = &mut tx.conn();
            told_policy
                .write(conn, service, Name::DryRun, &told, now)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Whether the results are too old to be shown.
pub(crate) fn is_expired(preview: &Preview, now: i64) -> bool {
    let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
    let completed = preview
        .completed_at
        .filter(|_| preview.status == "COMPLETE");
    completed.is_some_and(|at| now.saturating_sub(at) >= kept)
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Expire => "EXPIRE",
        Action::Archive => "TRANSITION",
    }
}

fn class(class: StorageClass) -> &'static str {
    match class {
        StorageClass::Standard => "STANDARD",
        StorageClass::Archive => "ARCHIVE",
    }
}
