//! Runs: begun by the job or a caller, listed, stopped, told of.

use authz::ServiceName;
use aws_api::berth::{
    Collection, CollectionStatus, ListCollectionsRequest, ListCollectionsResponse,
};
use aws_types::draw;
use jiff::Timestamp;
use serde_json::json;
use store::ecr::collection::{self, Run, SCOPE};
use store::jobs;
use store::service_events::{self, NewEvent};

use super::{JOB, SUBJECT, stages};
use crate::ecr::token;
use crate::{Authorized, Error, Registry};

/// The random bytes of an id; it shows 17 of their 18 digits.
const ID_BYTES: usize = 9;

pub(super) const RUNNING: &str = "RUNNING";
pub(super) const COMPLETE: &str = "COMPLETE";
pub(super) const FAILED: &str = "FAILED";
const STOPPED: &str = "STOPPED";

/// As the API shows it.
fn shown(run: Run) -> Result<Collection, Error> {
    let time = |at: i64| Timestamp::from_millisecond(at).map_err(Error::internal);
    Ok(Collection {
        collection_id: run.id,
        status: match run.status.as_str() {
            RUNNING => CollectionStatus::Running,
            COMPLETE => CollectionStatus::Complete,
            STOPPED => CollectionStatus::Stopped,
            FAILED => CollectionStatus::Failed,
            other => {
                return Err(Error::internal(format!(
                    "no state of a collection: {other}"
                )));
            }
        },
        dry_run: run.dry_run,
        started_at: time(run.started_at)?,
        ended_at: run.ended_at.map(time).transpose()?,
        examined_count: Some(run.examined),
        deleted_count: Some(run.deleted),
        deleted_bytes: Some(run.deleted_bytes),
        failure_reason: run.reason,
    })
}

impl Registry {
    /// Begins a run; `None` when one goes on.
    pub(super) async fn begin_run(
        &self,
        dry_run: bool,
        forced: bool,
        with_files: bool,
        now: i64,
    ) -> Result<Option<Run>, Error> {
        let random: [u8; ID_BYTES] = draw(&*self.0.entropy).map_err(Error::internal)?;
        let mut digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.truncate(17);
        let new = Run {
            number: 0,
            id: format!("col-{digits}"),
            status: RUNNING.to_owned(),
            dry_run,
            forced,
            with_files,
            stage: stages::FIRST.to_owned(),
            place: String::new(),
            started_at: now,
            ended_at: None,
            examined: 0,
            deleted: 0,
            deleted_bytes: 0,
            known_files: 0,
            unknown_files: 0,
            reason: None,
        };
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if !collection::insert(conn, &new).await? {
            return Ok(None);
        }
        jobs::put(conn, JOB, SUBJECT, "", now).await?;
        let made = collection::get(conn, &new.id).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// `StartCollection`: a run at once; `None` when one goes on.
    ///
    /// # Errors
    /// The store's.
    pub async fn start_collection(
        &self,
        cx: &Authorized,
        dry_run: bool,
        forced: bool,
    ) -> Result<Option<Collection>, Error> {
        let run = self.begin_run(dry_run, forced, true, cx.now_ms()).await?;
        run.map(shown).transpose()
    }

    /// `ListCollections`: the runs, the newest first.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token.
    pub async fn list_collections(
        &self,
        _: &Authorized,
        input: ListCollectionsRequest,
    ) -> Result<ListCollectionsResponse, Error> {
        let before = match token::open(input.next_token.as_ref())?.as_str() {
            "" => i64::MAX,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let mut runs = collection::list(&mut read.conn(), before, token::rows(n)).await?;
        let next_token = token::cut(&mut runs, n).map(|run| token::seal(&run.number.to_string()));
        Ok(ListCollectionsResponse {
            collections: runs.into_iter().map(shown).collect::<Result<_, _>>()?,
            next_token,
        })
    }

    /// `GetCollection`; `None` when there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn collection(&self, _: &Authorized, id: &str) -> Result<Option<Collection>, Error> {
        let mut read = self.0.store.read().await?;
        let run = collection::get(&mut read.conn(), id).await?;
        run.map(shown).transpose()
    }

    /// `StopCollection`: a run that goes on does no further step; one that has ended stays as it is. `None` when
    /// there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn stop_collection(
        &self,
        cx: &Authorized,
        id: &str,
    ) -> Result<Option<Collection>, Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let Some(mut run) = collection::get(conn, id).await? else {
            return Ok(None);
        };
        if run.status == RUNNING {
            run.status = STOPPED.to_owned();
            run.ended_at = Some(cx.now_ms());
            collection::save(conn, &run).await?;
        }
        tx.commit().await?;
        shown(run).map(Some)
    }

    /// Writes the audit event of a run that deleted something or failed.
    pub(super) async fn tell_end(
        &self,
        service: ServiceName,
        run: &Run,
        now: i64,
    ) -> Result<(), Error> {
        if let Some(reason) = &run.reason {
            tracing::error!(collection = %run.id, reason, "a collection failed");
        } else if run.deleted > 0 {
            let (blobs, bytes) = (run.deleted, run.deleted_bytes);
            tracing::info!(collection = %run.id, dry_run = run.dry_run, blobs, bytes, "collected");
        } else {
            return Ok(());
        }
        let details = json!({
            "collectionId": run.id,
            "status": run.status,
            "dryRun": run.dry_run,
            "deletedCount": run.deleted,
            "deletedBytes": run.deleted_bytes,
            "failureReason": run.reason,
        });
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "EndCollection",
            account: None,
            resource: None,
            details: &details.to_string(),
        };
        let mut tx = self.0.store.write(SCOPE).await?;
        service_events::insert(&mut tx.conn(), &event).await?;
        Ok(tx.commit().await?)
    }
}
