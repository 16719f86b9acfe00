//! Backfills: images that were there before are replicated to one destination (ECR user guide, "Replication
//! backfill").
//!
//! ```text
//! PREPARING ── all images and tags are written down ──► IN_PROGRESS ── all are done ──► COMPLETE
//!     │                                                   │    └── half of 100 or more failed ──► FAILED
//!     └───────────── StopReplicationBackfill ─────────────┴──► STOPPING ── what was begun is over ──► STOPPED
//! ```
//!
//! A job for each backfill goes on in small steps, each a transaction. It gives out tasks, a few at a time, and the
//! usual replication does them, with its retries; the transaction that ends a task writes the result.

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::ecr::replication_backfill::{self as table, Backfill, Item, Place};
use store::ecr::{image, replication, repository};
use store::{Conn, Scope, Write};

use super::run::failed_status;
use crate::replication_outbox::{Copy, add_copy, follows};
use crate::replication_rules::TagFilter;
use crate::{Error, Registry};

/// Images and tags that are written down in one transaction.
const ITEMS_AT_ONCE: i64 = 500;
/// Repositories that are looked at in one transaction.
const REPOSITORIES_AT_ONCE: i64 = 100;
/// Tasks of a backfill that wait at a time: what is pushed meanwhile is not far behind them, and a stop soon over.
const QUEUED_MAX: i64 = 100;
/// Steps of one run of the job; other backfills have their turn then.
const STEPS_MAX: usize = 20;
/// The pause before the next look at tasks that wait.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// "The threshold is evaluated only after at least 100 replications have been processed" (user guide, "Replication
/// backfill").
const JUDGED_FROM: i64 = 100;
/// "Replication backfills that have reached a terminal status are retained for 90 days after they end" (ECR API,
/// `ListReplicationBackfills`).
pub(crate) const KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// Rows that are removed in one transaction.
const PRUNED_AT_ONCE: i64 = 1_000;

/// AWS's codes are not published.
const TOO_MANY_FAILED: &str = "FailureThresholdExceeded";
const NOT_CONFIGURED: &str = "DestinationNotConfigured";
pub(super) const IMAGE_NOT_FOUND: &str = "ImageNotFound";
const REPOSITORY_NOT_FOUND: &str = "RepositoryNotFound";

/// The statuses of a backfill that goes on (ECR API, `ReplicationBackfillStatus`).
pub(crate) const PREPARING: &str = "PREPARING";
pub(crate) const IN_PROGRESS: &str = "IN_PROGRESS";
pub(crate) const STOPPING: &str = "STOPPING";
const COMPLETE: &str = "COMPLETE";
const FAILED: &str = "FAILED";
pub(crate) const STOPPED: &str = "STOPPED";

/// What a step leaves to do.
enum Next {
    /// The next step.
    Step,
    /// A look at what the tasks have done.
    Wait,
    /// Nothing.
    Over,
}

/// Whether so many failed that the rest is not tried. "A replication backfill automatically fails if 50% or more of
/// its underlying replications fail" (user guide, "Replication backfill").
fn has_failed(backfill: &Backfill) -> bool {
    let processed = backfill.completed + backfill.failed;
    processed >= JUDGED_FROM && backfill.failed * 2 >= processed
}

impl Registry {
    /// Goes on with a backfill; when to go on again, where something is left.
    ///
    /// # Errors
    /// The store's.
    pub async fn run_replication_backfill(
        &self,
        service: ServiceName,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, Error> {
        for _ in 0..STEPS_MAX {
            match self
                .backfill_step(service, id, now.as_millisecond())
                .await?
            {
                Next::Step => {}
                Next::Wait => return Ok(Some(LOOK_AGAIN)),
                Next::Over => return Ok(None),
            }
        }
        Ok(Some(SignedDuration::ZERO))
    }

    /// Removes what ended long ago; whether there is more.
    ///
    /// # Errors
    /// The store's.
    pub async fn prune_replication_backfills(
        &self,
        _: ServiceName,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let before = now.as_millisecond().saturating_sub(KEPT_MS);
        let mut tx = self.0.store.write(Scope::System("backfills")).await?;
        let removed = table::prune(&mut tx.conn(), before, PRUNED_AT_ONCE).await?;
        tx.commit().await?;
        Ok(removed > 0)
    }

    async fn backfill_step(&self, _: ServiceName, id: &str, now: i64) -> Result<Next, Error> {
        let known = {
            let mut read = self.0.store.read().await?;
            table::get(&mut read.conn(), id).await?
        };
        let Some(known) = known else {
            return Ok(Next::Over);
        };
        let account = known.account.parse().map_err(Error::internal)?;
        let region = known.region.parse().map_err(Error::internal)?;
        let facts = self.registry_facts(&account, &region).await?;
        let rules = &facts.replication;
        let scope = Scope::Registry {
            account: &known.account,
            region: &known.region,
        };
        let mut tx = self.0.store.write(scope).await?;
        // As it is now: somebody may have stopped it.
        let Some(backfill) = table::get(&mut tx.conn(), id).await? else {
            return Ok(Next::Over);
        };
        let is_configured = rules.has_destination(&backfill.destination);
        let next = match backfill.status.as_str() {
            PREPARING | IN_PROGRESS if !is_configured => {
                stop(&mut tx, &backfill, (FAILED, Some(NOT_CONFIGURED)), now).await?
            }
            PREPARING => {
                let is_for = |name: &str| {
                    let all = rules.destinations(name, false);
                    all.iter().any(|one| one.word() == backfill.destination)
                };
                let filter = rules.filter(&backfill.destination);
                prepare(&mut tx, &backfill, &is_for, filter).await?
            }
            IN_PROGRESS if has_failed(&backfill) => {
                stop(&mut tx, &backfill, (FAILED, Some(TOO_MANY_FAILED)), now).await?
            }
            IN_PROGRESS => give_out(&mut tx, &backfill, now).await?,
            STOPPING => stop(&mut tx, &backfill, (STOPPED, None), now).await?,
            _ => match table::remove_undone(&mut tx.conn(), id, PRUNED_AT_ONCE).await? {
                0 => Next::Over,
                _ => Next::Step,
            },
        };
        tx.commit().await?;
        Ok(next)
    }
}

/// What no name of a repository has, and sorts before whatever a longer name goes on with: a name with it is a place
/// after that repository.
const AFTER: char = '!';

/// Writes down the next images and tags.
async fn prepare(
    tx: &mut Write,
    backfill: &Backfill,
    is_for: &(dyn Fn(&str) -> bool + Sync),
    filter: Option<&TagFilter>,
) -> Result<Next, Error> {
    let conn = &mut tx.conn();
    let (account, region) = (backfill.account.as_str(), backfill.region.as_str());
    let mut place = backfill.place.clone();
    let mut repo = repository::find(conn, account, region, &place.repository).await?;
    if repo.is_none() {
        let after = &place.repository;
        let listed = repository::list(conn, account, region, after, REPOSITORIES_AT_ONCE).await?;
        let Some(last) = listed.last() else {
            table::set_prepared(conn, &backfill.id).await?;
            return Ok(Next::Step);
        };
        let last = format!("{}{AFTER}", last.name);
        repo = listed.into_iter().find(|one| is_for(&one.name));
        place = Place {
            repository: repo.as_ref().map_or(last, |repo| repo.name.clone()),
            ..Place::default()
        };
    }
    if let Some(repo) = &repo {
        let after = (place.image, place.tag.as_str());
        let found = table::images(conn, repo.id, after, ITEMS_AT_ONCE).await?;
        for one in &found {
            let is_wanted = match filter {
                None => true,
                Some(filter) if one.tag.is_empty() => {
                    follows(conn, repo.id, &one.digest, filter).await?
                }
                Some(filter) => filter.matches(&one.tag),
            };
            if !is_wanted {
                continue;
            }
            table::add_item(conn, &backfill.id, (repo.id, &repo.name), one).await?;
        }
        match found.into_iter().last() {
            Some(last) => (place.image, place.tag) = (last.image, last.tag),
            None => place.repository.push(AFTER),
        }
    }
    table::set_place(conn, &backfill.id, &place).await?;
    Ok(Next::Step)
}

/// Makes tasks of the next items, or ends the backfill where none is left.
async fn give_out(tx: &mut Write, backfill: &Backfill, now: i64) -> Result<Next, Error> {
    let conn = &mut tx.conn();
    fail_lost(conn, backfill).await?;
    let queued = table::queued(conn, &backfill.id).await?;
    let free = QUEUED_MAX.saturating_sub(queued);
    let waiting = table::items(conn, &backfill.id, "WAITING", 0, free).await?;
    if waiting.is_empty() && queued == 0 {
        // Also where some failed: fewer than half, or fewer than are judged.
        table::set_status(conn, &backfill.id, COMPLETE, None, Some(now)).await?;
        return Ok(Next::Over);
    }
    for item in &waiting {
        queue(conn, backfill, item, now).await?;
    }
    Ok(Next::Wait)
}

/// A task that replicates an item, as if the image was pushed with this tag now.
async fn queue(
    conn: &mut Conn<'_>,
    backfill: &Backfill,
    item: &Item,
    now: i64,
) -> Result<(), Error> {
    let (repository_id, digest) = (item.repository_id, item.digest.as_str());
    let Some(image) = image::find(conn, repository_id, digest).await? else {
        return Ok(table::set_result(conn, item.id, Some((IMAGE_NOT_FOUND, ""))).await?);
    };
    let tags: Vec<&str> = item.tag.lines().collect();
    let copy = Copy {
        repository_id,
        destination: &backfill.destination,
        image_id: image.id,
        digest,
        tags: &tags,
        backfill_item: Some(item.id),
    };
    add_copy(conn, &copy, now).await?;
    Ok(table::set_queued(conn, item.id).await?)
}

/// Gives nothing out any more: "replications that are already in progress continue to completion" (ECR API,
/// `StopReplicationBackfill`). What failed at its first attempt is not tried again.
async fn stop(
    tx: &mut Write,
    backfill: &Backfill,
    (status, failure_code): (&str, Option<&str>),
    now: i64,
) -> Result<Next, Error> {
    let conn = &mut tx.conn();
    fail_lost(conn, backfill).await?;
    for (item, task) in table::failing(conn, &backfill.id, QUEUED_MAX).await? {
        replication::remove(conn, task).await?;
        let code = item.failure_code.as_deref().unwrap_or_default();
        let source = (item.repository_id, item.digest.as_str());
        failed_status(conn, source, &backfill.destination, code, now).await?;
        table::set_result(conn, item.id, Some((code, &item.sub_failure_codes))).await?;
    }
    if table::queued(conn, &backfill.id).await? > 0 {
        return Ok(Next::Wait);
    }
    table::set_status(conn, &backfill.id, status, failure_code, Some(now)).await?;
    Ok(Next::Step)
}

/// Tasks go with their repository.
async fn fail_lost(conn: &mut Conn<'_>, backfill: &Backfill) -> Result<(), Error> {
    for item in table::lost(conn, &backfill.id, QUEUED_MAX).await? {
        table::set_result(conn, item, Some((REPOSITORY_NOT_FOUND, ""))).await?;
    }
    Ok(())
}
