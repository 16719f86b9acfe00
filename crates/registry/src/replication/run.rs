//! The tasks of a repository and a destination: what is due, what becomes of a failure.

use authz::ServiceName;
use aws_api::ecr::RCTAppliedFor;
use aws_types::{AccountId, Region};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;
use store::Conn;
use store::ecr::replication::{self, Status, Task};
use store::ecr::replication_peer::{self, Peer};
use store::ecr::{image, replication_backfill, repository};

use super::copy::each_or_none;
use crate::events::{self, Event, Replicated};
use crate::facts::arn;
use crate::replication_outbox::{COPY, DELETE_TAG};
use crate::service_event;
use crate::templates::TemplatedRepository;
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// Tasks that are read at once.
const TASKS_AT_ONCE: i64 = 100;
/// The first pause after a failure, and the longest one; each is twice the one before.
const RETRY_FIRST_MS: i64 = 2_000;
const RETRY_MAX_MS: i64 = 3_600_000;
/// Attempts of what was refused: a policy that was just written, or a quota, may be about to change.
const REFUSED_ATTEMPTS_MAX: i64 = 5;
/// Attempts of a part of a backfill, half an hour together: the others wait for its place.
const BACKFILL_ATTEMPTS_MAX: i64 = 10;
/// How long all other failures are tried again: a destination that cannot be reached comes back.
const PATIENCE_MS: i64 = 24 * 3_600_000;
/// What is kept of an error's text.
const ERROR_CHARS_MAX: usize = 1_000;

/// The code of failures that are nobody's decision.
const INTERNAL_ERROR: &str = "InternalError";
/// The code of a failure that the destination's registry policy is the reason of.
const ACCESS_DENIED: &str = "AccessDenied";

/// What is due from a repository to a destination.
#[derive(Debug)]
pub struct ReplicationWork {
    /// The source.
    pub source: RepositoryFacts,
    /// The destination's account.
    pub account: AccountId,
    /// The destination's region.
    pub region: Region,
    /// As the tables name it.
    pub(super) destination: String,
    /// The tasks.
    pub tasks: Vec<ReplicationTask>,
    /// When the job is to be run again, where nothing is due.
    pub next: Option<SignedDuration>,
    /// The destination, where it is a registry of another server.
    pub peer: Option<Peer>,
}

/// A change that is to be repeated.
#[derive(Clone, Debug)]
pub struct ReplicationTask(pub(super) Task);

impl ReplicationTask {
    /// The image's digest.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.0.digest
    }
}

/// The repository at the destination.
#[derive(Debug)]
pub enum ReplicationTarget {
    /// It is there.
    There(Arc<RepositoryFacts>),
    /// It is to be created.
    Missing(Box<TemplatedRepository>),
}

/// Why a task failed.
#[derive(Debug)]
pub enum ReplicationFailure {
    /// The destination's registry policy does not allow it, in these words.
    Denied(String),
    /// The destination is read-only, in these words.
    ReadOnly(String),
    /// The registry refuses it, or fails.
    Error(Error),
    /// A peer refuses it, or does not answer.
    Peer {
        /// The code in the status.
        code: &'static str,
        /// Whether trying for long is of use.
        may_pass: bool,
        /// Why.
        message: String,
    },
    /// Images of a list cannot be replicated, one or more of them.
    Children(Vec<ReplicationFailure>),
}

impl ReplicationFailure {
    /// The code in the status, and whether trying for long is of use. AWS's codes are not published.
    pub(super) fn code(&self) -> (&'static str, bool) {
        let error = match self {
            ReplicationFailure::Children(failures) => {
                let first = failures.first().map(ReplicationFailure::code);
                return first.unwrap_or((INTERNAL_ERROR, true));
            }
            ReplicationFailure::Denied(_) => return (ACCESS_DENIED, false),
            ReplicationFailure::ReadOnly(_) => return ("ReadOnly", true),
            ReplicationFailure::Peer { code, may_pass, .. } => return (code, *may_pass),
            ReplicationFailure::Error(error) => error,
        };
        match error {
            Error::TooManyImages { .. }
            | Error::TooManyImageTags { .. }
            | Error::TooManyRepositories { .. }
            | Error::TooManyBytes { .. }
            | Error::LimitExceeded { .. } => ("LimitExceeded", false),
            Error::Kms(_) => ("KmsError", false),
            Error::TemplateWithoutRole { .. } => ("RepositoryCreationFailed", false),
            Error::ImageReferencedByManifestList { .. } => ("ImageReferencedByManifestList", false),
            _ => (INTERNAL_ERROR, true),
        }
    }

    /// The distinct codes of the images of a list, one a line.
    fn child_codes(&self) -> String {
        let ReplicationFailure::Children(failures) = self else {
            return String::new();
        };
        let mut codes: Vec<&str> = Vec::new();
        for failure in failures {
            let (code, _) = failure.code();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes.join("\n")
    }

    /// Why, in words.
    #[must_use]
    pub fn text(&self) -> String {
        let text = match self {
            ReplicationFailure::Denied(message)
            | ReplicationFailure::ReadOnly(message)
            | ReplicationFailure::Peer { message, .. } => message.clone(),
            ReplicationFailure::Error(error) => error.to_string(),
            ReplicationFailure::Children(failures) => {
                let first = failures.first().map(ReplicationFailure::text);
                first.unwrap_or_default()
            }
        };
        text.chars().take(ERROR_CHARS_MAX).collect()
    }
}

impl From<Error> for ReplicationFailure {
    fn from(error: Error) -> Self {
        ReplicationFailure::Error(error)
    }
}

impl Registry {
    /// What is due from the repository to the destination that a job's subject names; `None` where the repository is
    /// gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn replication_work(
        &self,
        _: ServiceName,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<ReplicationWork>, Error> {
        let unreadable = || Error::internal(format!("`{subject}` names no replication"));
        let (id, destination) = subject.split_once(' ').ok_or_else(unreadable)?;
        let (account, region) = destination.split_once(' ').ok_or_else(unreadable)?;
        let id: i64 = id.parse().map_err(Error::internal)?;
        let now = now.as_millisecond();
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(row) = repository::get(conn, id).await? else {
            return Ok(None);
        };
        let tasks = replication::due(conn, id, destination, now, TASKS_AT_ONCE).await?;
        let next = match tasks.is_empty() {
            true => replication::next_due(conn, id, destination).await?,
            false => Some(now),
        };
        let (from, region_of) = (row.account.as_str(), row.region.as_str());
        let peer = replication_peer::find(conn, from, region_of, destination).await?;
        let pause = |at: i64| SignedDuration::from_millis(at.saturating_sub(now).max(0));
        Ok(Some(ReplicationWork {
            source: RepositoryFacts::of_row(&row)?,
            account: account.parse().map_err(Error::internal)?,
            region: region.parse().map_err(Error::internal)?,
            destination: destination.to_owned(),
            tasks: tasks.into_iter().map(ReplicationTask).collect(),
            next: next.map(pause),
            peer,
        }))
    }

    /// The repository at the destination, of the source's name.
    ///
    /// # Errors
    /// The store's.
    pub async fn replication_target(
        &self,
        _: ServiceName,
        work: &ReplicationWork,
    ) -> Result<ReplicationTarget, Error> {
        let (account, region, name) = (&work.account, &work.region, &*work.source.name);
        if let Some(found) = self.repository_facts(account, region, name).await? {
            return Ok(ReplicationTarget::There(found));
        }
        // Without a template: the defaults (user guide, "Private image replication in Amazon ECR").
        let scenario = RCTAppliedFor::Replication;
        let templated = self.templated(account, region, name, scenario).await?;
        let templated = templated.unwrap_or_else(|| TemplatedRepository::plain(account, name));
        Ok(ReplicationTarget::Missing(Box::new(templated)))
    }

    /// Repeats a change at the destination, in one transaction for each image, and removes its task. Again after that,
    /// it changes nothing. The source's account was found to be allowed to.
    ///
    /// # Errors
    /// [`ReplicationFailure`].
    pub async fn repeat_change(
        &self,
        service: ServiceName,
        proof: &Authorized,
        work: &ReplicationWork,
        target: &RepositoryFacts,
        task: &ReplicationTask,
    ) -> Result<(), ReplicationFailure> {
        if let Some(refusal) = target.read_only_refusal() {
            return Err(ReplicationFailure::ReadOnly(refusal));
        }
        match task.0.action.as_str() {
            COPY => self.copy_image(service, proof, work, target, task).await,
            action => {
                let is_tag = action == DELETE_TAG;
                let now = proof.now_ms();
                let deleted = self.delete_replica(service, work, target, task, is_tag, now);
                Ok(deleted.await?)
            }
        }
    }

    /// Notes that a task failed. It is tried again, or is over: then the image's status says so.
    ///
    /// # Errors
    /// The store's.
    pub async fn replication_failed(
        &self,
        service: ServiceName,
        work: &ReplicationWork,
        task: &ReplicationTask,
        failure: &ReplicationFailure,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (now, task) = (now.as_millisecond(), &task.0);
        let (code, is_patient) = failure.code();
        let text = failure.text();
        tracing::warn!(
            repository = %work.source.arn,
            destination = work.destination,
            digest = task.digest,
            attempts = task.attempts + 1,
            error = text,
            "a change was not replicated"
        );
        let is_over = match (is_patient, task.backfill_item) {
            (true, None) => now.saturating_sub(task.created_at) >= PATIENCE_MS,
            (true, Some(_)) => task.attempts + 1 >= BACKFILL_ATTEMPTS_MAX,
            (false, _) => task.attempts + 1 >= REFUSED_ATTEMPTS_MAX,
        };
        let child_codes = failure.child_codes();
        // The repository as it would be there: it may not exist. What a peer does not do is told here.
        let source = &work.source;
        let (account, region) = match work.peer {
            None => (work.account, &work.region),
            Some(_) => (source.account, &source.region),
        };
        let destination = RepositoryFacts {
            account,
            region: region.clone(),
            arn: arn(&account, region, &source.name).into(),
            registry: self.registry_facts(&account, region).await?,
            ..source.clone()
        };
        let mut tx = self.write(work.source.id).await?;
        let conn = &mut tx.conn();
        if is_over {
            replication::remove(conn, task.id).await?;
            let source = (work.source.id, task.digest.as_str());
            failed_status(conn, source, &work.destination, code, now).await?;
            if let Some(item) = task.backfill_item {
                let why = Some((code, child_codes.as_str()));
                replication_backfill::set_result(conn, item, why).await?;
            }
            let details = json!({
                "repositoryName": &*work.source.name,
                "action": task.action,
                "imageDigest": task.digest,
                "imageTags": task.tags.lines().collect::<Vec<_>>(),
                "sourceRegistryId": work.source.account.as_str(),
                "sourceRegion": work.source.region.as_str(),
                "destinationRegistryId": work.account.as_str(),
                "destinationRegion": work.region.as_str(),
                "result": "FAILED",
                "failureCode": code,
                "failureReason": text,
            });
            service_event::insert(conn, service, "ReplicateImage", &work.source, &details, now)
                .await?;
            // AWS sends it in the destination's region. A deletion that was not repeated has no event there.
            if task.action == COPY {
                let tags: Vec<_> = task.tags.lines().map(str::to_owned).collect();
                for tag in each_or_none(&tags) {
                    let failed = Event::Replication(Replicated {
                        succeeded: false,
                        digest: &task.digest,
                        tag,
                        source_account: work.source.account.as_str(),
                        source_region: work.source.region.as_str(),
                        failure: Some(&text),
                    });
                    events::emit(conn, &destination, &failed, now).await?;
                }
            }
        } else {
            let doublings = u32::try_from(task.attempts.clamp(0, 20)).unwrap_or(20);
            let pause = RETRY_FIRST_MS.saturating_mul(1 << doublings);
            let due = now.saturating_add(pause.min(RETRY_MAX_MS));
            replication::postpone(conn, task.id, due, &text).await?;
            if let Some(item) = task.backfill_item {
                replication_backfill::note_failure(conn, item, code, &child_codes).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// The status of an image of a repository that is not replicated; nothing where it is gone.
pub(super) async fn failed_status(
    conn: &mut Conn<'_>,
    (repository_id, digest): (i64, &str),
    destination: &str,
    code: &str,
    now: i64,
) -> Result<(), Error> {
    let Some(found) = image::find(conn, repository_id, digest).await? else {
        return Ok(());
    };
    let status = Status {
        destination: destination.to_owned(),
        status: "FAILED".to_owned(),
        failure_code: Some(code.to_owned()),
        replica_id: None,
    };
    Ok(replication::set_status(conn, found.id, &status, now).await?)
}
