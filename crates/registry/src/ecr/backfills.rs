//! Replication backfills: the operations.

use aws_api::ecr::{
    DescribeReplicationBackfillResultsRequest, DescribeReplicationBackfillResultsResponse,
    ImageIdentifier, ListReplicationBackfillsRequest, ListReplicationBackfillsResponse,
    ReplicationBackfillProgress, ReplicationBackfillResult, ReplicationBackfillStatus,
    ReplicationBackfillSummary, ReplicationDestination, StartReplicationBackfillRequest,
    StartReplicationBackfillResponse, StopReplicationBackfillRequest,
    StopReplicationBackfillResponse,
};
use store::Conn;
use store::ecr::replication_backfill::{self as table, Backfill, Item};

use super::pull_through::own;
use super::repositories::time;
use super::token;
use crate::replication::backfill::{IN_PROGRESS, KEPT_MS, PREPARING, STOPPED, STOPPING};
use crate::replication_rules::peer_destination;
use crate::{Authorized, Error, Registry};

/// "A registry can have at most 10 replication backfills in progress at once" (ECR API,
/// `StartReplicationBackfill`).
const RUNNING_MAX: usize = 10;
/// Backfills of one answer, and without `maxResults` (ECR API, `ListReplicationBackfills`).
const LISTED_MAX: i32 = 50;
const LISTED_DEFAULT: i32 = 25;

impl Registry {
    /// `StartReplicationBackfill`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a destination that no rule names,
    /// [`Error::ReplicationBackfillInProgress`], [`Error::LimitExceeded`].
    pub async fn start_replication_backfill(
        &self,
        cx: &Authorized,
        input: StartReplicationBackfillRequest,
    ) -> Result<StartReplicationBackfillResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let asked = peer_destination(input.destination)?;
        let id = self.event_id()?;
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        if !facts.replication.has_destination(&asked.word()) {
            return Err(Error::parameter(
                "destination",
                "The destination must be configured in the replication configuration of the registry",
            ));
        }
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let running = table::running(conn, account, region).await?;
        let region_of = |word: &String| word.split_once(' ').map(|(_, region)| region.to_owned());
        let mut regions = running.iter().filter_map(region_of);
        if regions.any(|one| one == asked.region) {
            return Err(Error::ReplicationBackfillInProgress {
                region: asked.region,
            });
        }
        if running.len() >= RUNNING_MAX {
            return Err(Error::LimitExceeded {
                what: "replication backfills in progress of a registry",
                max: RUNNING_MAX as u64,
            });
        }
        table::insert(conn, &id, (account, region), &asked.word(), cx.now_ms()).await?;
        tx.commit().await?;
        Ok(StartReplicationBackfillResponse {
            replication_backfill_id: Some(id),
            registry_id: Some(account.to_owned()),
            destination: Some(asked.shown()),
            status: Some(ReplicationBackfillStatus::Preparing),
            started_at: Some(time(cx.now_ms())?),
        })
    }

    /// `ListReplicationBackfills`: the latest first.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token that no answer gave.
    pub async fn list_replication_backfills(
        &self,
        cx: &Authorized,
        input: ListReplicationBackfillsRequest,
    ) -> Result<ListReplicationBackfillsResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let asked = input.max_results.unwrap_or(LISTED_DEFAULT);
        let size = usize::try_from(asked.clamp(1, LISTED_MAX)).unwrap_or(1);
        let place = token::open(input.next_token.as_ref())?;
        let before = match place.as_str() {
            "" => (i64::MAX, ""),
            place => {
                let (at, id) = place.split_once(' ').ok_or_else(token::invalid)?;
                (at.parse().map_err(|_| token::invalid())?, id)
            }
        };
        let registry = (cx.account.as_str(), cx.region.as_str());
        let ended_after = cx.now_ms().saturating_sub(KEPT_MS);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut rows = table::list(conn, registry, before, ended_after, token::rows(size)).await?;
        drop(read);
        let last = token::cut(&mut rows, size);
        let next_token = last.map(|last| token::seal(&format!("{} {}", last.started_at, last.id)));
        let backfills = rows.into_iter().map(summary);
        Ok(ListReplicationBackfillsResponse {
            registry_id: Some(cx.account.to_string()),
            backfills: Some(backfills.collect::<Result<_, _>>()?),
            next_token,
        })
    }

    /// `DescribeReplicationBackfillResults`: the results once the backfill has ended.
    ///
    /// # Errors
    /// [`Error::ReplicationBackfillNotFound`], [`Error::InvalidParameter`] for a token that no answer gave.
    pub async fn describe_replication_backfill_results(
        &self,
        cx: &Authorized,
        input: DescribeReplicationBackfillResultsRequest,
    ) -> Result<DescribeReplicationBackfillResultsResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let size = token::page_size(input.max_results);
        let place = token::open(input.next_token.as_ref())?;
        let after: i64 = match place.as_str() {
            "" => 0,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let (id, limit) = (input.replication_backfill_id, token::rows(size));
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let found = backfill(conn, cx, &id).await?;
        let mut items = match (found.ended_at, input.result_status_filter) {
            (None, _) => Vec::new(),
            (_, None) => table::results(conn, &found.id, after, limit).await?,
            (_, Some(status)) => {
                table::items(conn, &found.id, status.as_str(), after, limit).await?
            }
        };
        drop(read);
        let has_ended = found.ended_at.is_some();
        let next_token = token::cut(&mut items, size).map(|last| token::seal(&last.id.to_string()));
        let results = items.into_iter().map(result);
        let results = results.collect::<Result<Vec<_>, _>>()?;
        let shown = summary(found)?;
        Ok(DescribeReplicationBackfillResultsResponse {
            registry_id: Some(cx.account.to_string()),
            replication_backfill_id: Some(shown.replication_backfill_id),
            destination: Some(shown.destination),
            status: Some(shown.status),
            failure_code: shown.failure_code,
            progress: shown.progress,
            results: has_ended.then_some(results),
            started_at: Some(shown.started_at),
            ended_at: shown.ended_at,
            next_token,
        })
    }

    /// `StopReplicationBackfill`.
    ///
    /// # Errors
    /// [`Error::ReplicationBackfillNotFound`], [`Error::ReplicationBackfillInvalidStatus`].
    pub async fn stop_replication_backfill(
        &self,
        cx: &Authorized,
        input: StopReplicationBackfillRequest,
    ) -> Result<StopReplicationBackfillResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let found = backfill(conn, cx, &input.replication_backfill_id).await?;
        if ![PREPARING, IN_PROGRESS].contains(&found.status.as_str()) {
            return Err(Error::ReplicationBackfillInvalidStatus {
                id: found.id,
                status: found.status,
            });
        }
        // "Its status is STOPPED if the backfill is stopped immediately, or STOPPING if there are replications
        // still in progress" (ECR API, `StopReplicationBackfill`).
        let is_over = table::queued(conn, &found.id).await? == 0;
        let (status, ended_at) = match is_over {
            true => (STOPPED, Some(cx.now_ms())),
            false => (STOPPING, None),
        };
        table::set_status(conn, &found.id, status, None, ended_at).await?;
        store::jobs::put(conn, table::JOB, &found.id, "", cx.now_ms()).await?;
        tx.commit().await?;
        let shown = summary(found)?;
        Ok(StopReplicationBackfillResponse {
            registry_id: Some(cx.account.to_string()),
            replication_backfill_id: Some(shown.replication_backfill_id),
            destination: Some(shown.destination),
            status: Some(status.parse().map_err(Error::internal)?),
            started_at: Some(shown.started_at),
        })
    }
}

/// A backfill of the caller's registry.
async fn backfill(conn: &mut Conn<'_>, cx: &Authorized, id: &str) -> Result<Backfill, Error> {
    let found = table::get(conn, &id.to_ascii_lowercase()).await?;
    let is_own = |one: &Backfill| {
        let ended_after = cx.now_ms().saturating_sub(KEPT_MS);
        one.account == cx.account.as_str()
            && one.region == cx.region.as_str()
            && one.ended_at.is_none_or(|at| at > ended_after)
    };
    found
        .filter(is_own)
        .ok_or_else(|| Error::ReplicationBackfillNotFound {
            id: id.to_owned(),
            registry_id: cx.account,
        })
}

fn summary(row: Backfill) -> Result<ReplicationBackfillSummary, Error> {
    let (account, region) = row.destination.split_once(' ').unwrap_or_default();
    let count = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    Ok(ReplicationBackfillSummary {
        destination: ReplicationDestination {
            region: region.to_owned(),
            registry_id: account.to_owned(),
        },
        status: row.status.parse().map_err(Error::internal)?,
        failure_code: row.failure_code,
        progress: row.total.map(|total| ReplicationBackfillProgress {
            total_replication_count: count(total),
            completed_replication_count: count(row.completed),
            failed_replication_count: count(row.failed),
            failure_codes: row.failure_codes.lines().map(str::to_owned).collect(),
        }),
        started_at: time(row.started_at)?,
        ended_at: row.ended_at.map(time).transpose()?,
        replication_backfill_id: row.id,
    })
}

fn result(item: Item) -> Result<ReplicationBackfillResult, Error> {
    let subs: Vec<String> = item.sub_failure_codes.lines().map(str::to_owned).collect();
    Ok(ReplicationBackfillResult {
        repository_name: item.repository,
        image_id: ImageIdentifier {
            image_digest: Some(item.digest),
            image_tag: Some(item.tag).filter(|tag| !tag.is_empty()),
        },
        status: item.status.parse().map_err(Error::internal)?,
        failure_code: item.failure_code,
        sub_image_failure_codes: (!subs.is_empty()).then_some(subs),
    })
}
