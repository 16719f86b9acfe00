//! Backups while the server serves: asked for, listed, stopped, and taken by a job of a node that has a directory for
//! them.
//!
//! # Why a backup is whole
//! - Before its snapshot it *holds*: from then on, no collection deletes a blob's row or file. A deletion committed
//!   before the hold, and so before the snapshot, or sees the hold; both are transactions of one scope.
//! - The hold is renewed while copies are brought, and asked for again before the backup becomes one. Where it lapsed
//!   (a node that stood still for half an hour), the snapshot is taken anew.
//! - A node that dies leaves a hold that ends by itself, and a draft that the job goes on with: here after the lease
//!   of the job, or on another node.
//!
//! Nobody waits for a backup: it reads one snapshot, and writes a row of progress now and then.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use authz::ServiceName;
use aws_api::berth;
use aws_types::draw;
use backup::{Access, Draft, Keys, Pool};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::backups::{self as table, Run, SCOPE};
use store::jobs;
use store::service_events::{self, NewEvent};

use crate::ecr::token;
use crate::{Authorized, Error, Registry};

/// The kind of the job.
pub const BACKUP_JOB: &str = "backup";
/// Its subject: one is taken at a time.
const SUBJECT: &str = "all";
/// The random bytes of an id; it shows 17 of their 18 digits.
const ID_BYTES: usize = 9;
/// How long a hold lasts that nobody renews, and how often it is renewed.
const HOLD: SignedDuration = SignedDuration::from_mins(30);
const RENEW_INTERVAL: Duration = Duration::from_secs(60);
/// Attempts after which a backup has failed.
const FAILURES_MAX: i64 = 5;
/// Runs that are kept for [`Registry::list_backups`].
const RUNS_KEPT: i64 = 1_000;

const RUNNING: &str = "RUNNING";
const COMPLETE: &str = "COMPLETE";
const STOPPED: &str = "STOPPED";
const FAILED: &str = "FAILED";

/// The clock of the server.
pub type Clock<'a> = &'a (dyn Fn() -> Timestamp + Send + Sync);

/// Why an attempt ended early.
enum Ended {
    /// Somebody stopped the backup.
    Stopped,
    /// Another attempt may succeed.
    Again(Box<dyn std::error::Error + Send + Sync>),
    /// None will.
    Never(String),
}

impl From<backup::Error> for Ended {
    fn from(error: backup::Error) -> Self {
        match error {
            backup::Error::Refused(why) => Ended::Never(why),
            other => Ended::Again(other.into()),
        }
    }
}

impl From<store::Error> for Ended {
    fn from(error: store::Error) -> Self {
        Ended::Again(error.into())
    }
}

/// As the API shows it.
fn shown(run: Run) -> Result<berth::Backup, Error> {
    let time = |at: i64| Timestamp::from_millisecond(at).map_err(Error::internal);
    Ok(berth::Backup {
        status: match run.status.as_str() {
            RUNNING => berth::BackupStatus::Running,
            COMPLETE => berth::BackupStatus::Complete,
            STOPPED => berth::BackupStatus::Stopped,
            FAILED => berth::BackupStatus::Failed,
            other => return Err(Error::internal(format!("no state of a backup: {other}"))),
        },
        backup_id: run.id,
        started_at: time(run.started_at)?,
        ended_at: run.ended_at.map(time).transpose()?,
        taken_at: run.taken_at.map(time).transpose()?,
        blob_count: Some(run.blob_count),
        blob_bytes: Some(run.blob_bytes),
        examined_count: Some(run.seen_count),
        new_blob_count: Some(run.new_count),
        new_blob_bytes: Some(run.new_bytes),
        fault_count: Some(run.fault_count),
        failure_reason: run.reason,
    })
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Registry {
    /// Whether this node has a directory for backups.
    #[must_use]
    pub fn has_backup_directory(&self) -> bool {
        self.0.settings.backup_dir.is_some()
    }

    /// `StartBackup`; `None` when one is being taken.
    ///
    /// # Errors
    /// The store's.
    pub async fn start_backup(&self, cx: &Authorized) -> Result<Option<berth::Backup>, Error> {
        let random: [u8; ID_BYTES] = draw(&*self.0.entropy).map_err(Error::internal)?;
        let mut digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.truncate(17);
        let id = format!("bak-{digits}");
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if !table::insert(conn, &id, cx.now_ms()).await? {
            return Ok(None);
        }
        jobs::put(conn, BACKUP_JOB, SUBJECT, "", cx.now_ms()).await?;
        let made = table::get(conn, &id).await?;
        tx.commit().await?;
        made.map(shown).transpose()
    }

    /// `ListBackups`: the newest first.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token.
    pub async fn list_backups(
        &self,
        _: &Authorized,
        input: berth::ListBackupsRequest,
    ) -> Result<berth::ListBackupsResponse, Error> {
        let before = match token::open(input.next_token.as_ref())?.as_str() {
            "" => i64::MAX,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let mut runs = table::list(&mut read.conn(), before, token::rows(n)).await?;
        let next_token = token::cut(&mut runs, n).map(|run| token::seal(&run.number.to_string()));
        Ok(berth::ListBackupsResponse {
            backups: runs.into_iter().map(shown).collect::<Result<_, _>>()?,
            next_token,
        })
    }

    /// `GetBackup`; `None` when there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn backup(&self, _: &Authorized, id: &str) -> Result<Option<berth::Backup>, Error> {
        let mut read = self.0.store.read().await?;
        let run = table::get(&mut read.conn(), id).await?;
        run.map(shown).transpose()
    }

    /// `StopBackup`: one that is being taken ends after the layers that it is copying; one that has ended stays as it
    /// is. `None` when there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn stop_backup(
        &self,
        cx: &Authorized,
        id: &str,
    ) -> Result<Option<berth::Backup>, Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let Some(mut run) = table::get(conn, id).await? else {
            return Ok(None);
        };
        if run.status == RUNNING {
            run.status = STOPPED.to_owned();
            run.ended_at = Some(cx.now_ms());
            table::save(conn, &run).await?;
            table::release(conn, id).await?;
        }
        tx.commit().await?;
        shown(run).map(Some)
    }

    /// Takes the backup that was asked for, or goes on with it. `failures` are those of earlier attempts in a row.
    ///
    /// # Errors
    /// What another attempt may not meet.
    pub async fn run_backup(
        &self,
        service: ServiceName,
        keys: &dyn Keys,
        failures: i64,
        clock: Clock<'_>,
    ) -> Result<(), Error> {
        let Some(dir) = self.0.settings.backup_dir.clone() else {
            return Ok(());
        };
        let running = {
            let mut read = self.0.store.read().await?;
            table::running(&mut read.conn()).await?
        };
        let Some(mut run) = running else {
            return Ok(());
        };
        match Box::pin(self.take_backup(&mut run, &dir, keys, clock)).await {
            Ok(()) => run.status = COMPLETE.to_owned(),
            Err(Ended::Stopped) => {
                tracing::info!(backup = %run.id, "a backup was stopped");
                return Ok(());
            }
            Err(Ended::Again(error)) if failures < FAILURES_MAX => {
                return Err(Error::internal(error));
            }
            Err(Ended::Again(error)) => {
                run.status = FAILED.to_owned();
                run.reason = Some(error.to_string());
            }
            Err(Ended::Never(why)) => {
                run.status = FAILED.to_owned();
                run.reason = Some(why);
            }
        }
        self.end_backup(service, run, clock()).await
    }

    async fn take_backup(
        &self,
        run: &mut Run,
        dir: &Path,
        keys: &dyn Keys,
        clock: Clock<'_>,
    ) -> Result<(), Ended> {
        let pool = Pool::open(dir, Access::Write)?;
        if let Ok(whole) = pool.find(Some(&run.id)) {
            // An earlier attempt was cut after the backup was one.
            let index = &whole.index;
            run.taken_at = Some(index.taken_at.as_millisecond());
            run.blob_count = signed(index.blob_count);
            run.blob_bytes = signed(index.blob_bytes);
            run.fault_count = signed(index.fault_count);
            return Ok(());
        }
        let draft = Draft::open(pool, &run.id).await?;
        let goes_on = draft.has_snapshot()? && self.renew_hold(&run.id, clock()).await?;
        if !goes_on {
            self.begin_hold(&run.id, clock()).await?;
            let snapshot = draft.take_snapshot(&self.0.store, keys, clock());
            self.holding(&run.id, clock, snapshot).await?;
        }
        if let Some((taken_at, count, bytes)) = draft.snapshot_of()? {
            run.taken_at = Some(taken_at.as_millisecond());
            run.blob_count = signed(count);
            run.blob_bytes = signed(bytes);
        }
        let mut copying = draft.copies(self.0.blobs.directory())?;
        let mut more = true;
        while more {
            if let Err(stopped) = self.save_backup(run).await {
                draft.discard().await?;
                return Err(stopped);
            }
            (copying, more) = self.holding(&run.id, clock, copying.step()).await?;
            run.seen_count = signed(copying.progress.seen);
            run.new_count = signed(copying.progress.new);
            run.new_bytes = signed(copying.progress.new_bytes);
            run.fault_count = signed(copying.progress.faults);
        }
        // What is brought is all that the snapshot names only if nothing was deleted meanwhile.
        if !self.renew_hold(&run.id, clock()).await? {
            return Err(Ended::Again(
                "the hold on the collection lapsed: the snapshot is taken anew".into(),
            ));
        }
        draft.finish(copying, keys).await?;
        Ok(())
    }

    /// Does a part of the work, and renews the hold meanwhile.
    async fn holding<T>(
        &self,
        id: &str,
        clock: Clock<'_>,
        work: impl Future<Output = Result<T, backup::Error>>,
    ) -> Result<T, Ended> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done?),
                () = tokio::time::sleep(RENEW_INTERVAL) => {
                    self.renew_hold(id, clock()).await?;
                }
            }
        }
    }

    /// Whether a backup that is being taken may name files which no row names any more: they stay until it ends.
    /// To be asked after the commit that took the last name away. A snapshot that has the name is older than that
    /// commit, and its hold is older still.
    pub(crate) async fn are_files_held(&self, now: i64) -> bool {
        let held = async {
            let mut read = self.0.store.read().await?;
            table::is_held(&mut read.conn(), now).await
        };
        held.await.unwrap_or_else(|error: store::Error| {
            tracing::debug!(%error, "it is unknown whether a backup needs a file: it stays");
            true
        })
    }

    async fn begin_hold(&self, id: &str, now: Timestamp) -> Result<(), Ended> {
        let mut tx = self.0.store.write(SCOPE).await?;
        table::hold(&mut tx.conn(), id, until(now)).await?;
        Ok(tx.commit().await?)
    }

    /// False where it lapsed.
    async fn renew_hold(&self, id: &str, now: Timestamp) -> Result<bool, Ended> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if !table::holds(conn, id, now.as_millisecond()).await? {
            return Ok(false);
        }
        table::hold(conn, id, until(now)).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn save_backup(&self, run: &Run) -> Result<(), Ended> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let is_ours = table::save(&mut tx.conn(), run).await?;
        tx.commit().await?;
        match is_ours {
            true => Ok(()),
            false => Err(Ended::Stopped),
        }
    }

    /// Writes down how a backup ended, and tells of it.
    async fn end_backup(
        &self,
        service: ServiceName,
        mut run: Run,
        now: Timestamp,
    ) -> Result<(), Error> {
        run.ended_at = Some(now.as_millisecond());
        let (id, new, bytes) = (&run.id, run.new_count, run.new_bytes);
        match &run.reason {
            Some(reason) => tracing::error!(backup = %id, reason, "a backup failed"),
            None => tracing::info!(backup = %id, new, bytes, "a backup was taken"),
        }
        let details = json!({
            "backupId": run.id,
            "status": run.status,
            "blobCount": run.blob_count,
            "blobBytes": run.blob_bytes,
            "newBlobCount": run.new_count,
            "newBlobBytes": run.new_bytes,
            "faultCount": run.fault_count,
            "failureReason": run.reason,
        });
        let event = NewEvent {
            occurred_at: now.as_millisecond(),
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "EndBackup",
            account: None,
            resource: None,
            details: &details.to_string(),
        };
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        table::save(conn, &run).await?;
        table::release(conn, &run.id).await?;
        table::prune(conn, RUNS_KEPT).await?;
        service_events::insert(conn, &event).await?;
        Ok(tx.commit().await?)
    }
}

/// When a hold ends that begins or is renewed now.
fn until(now: Timestamp) -> i64 {
    let hold = i64::try_from(HOLD.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_add(hold)
}
