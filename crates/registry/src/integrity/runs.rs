//! Checks of a running server: begun by a caller, done by a job in small steps, listed, stopped.

use std::collections::BTreeMap;

use authz::ServiceName;
use aws_api::berth::{
    GetIntegrityCheckRequest, GetIntegrityCheckResponse, IntegrityCheck, IntegrityCheckStatus,
    IntegrityFinding, IntegrityFindingCount, ListIntegrityChecksRequest,
    ListIntegrityChecksResponse,
};
use aws_types::draw;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::ecr::damage::SCOPE;
use store::ecr::integrity_check::{self as table, Run};
use store::jobs;
use store::service_events::{self, NewEvent};

use super::{Check, Finding, FindingKind, Stage, Totals};
use crate::ecr::token;
use crate::{Authorized, Error, Registry};

/// The kind of the job.
pub const JOB: &str = "check-integrity";
/// Its subject: there is one.
pub const SUBJECT: &str = "all";

/// The random bytes of an id; it shows 17 of their 18 digits.
const ID_BYTES: usize = 9;
/// Steps that one turn of the job does.
const STEPS_AT_ONCE: usize = 20;
/// The pause between two turns: other jobs and requests go first.
const TURN_PAUSE: SignedDuration = SignedDuration::from_millis(100);
/// Findings of a check that are kept. All are counted.
const FINDINGS_MAX: i64 = 1_000;
/// Checks that are kept.
const RUNS_KEPT: i64 = 100;
/// A check that fails so often at the same step has failed.
const FAILURES_MAX: i64 = 5;

const RUNNING: &str = "RUNNING";
const COMPLETE: &str = "COMPLETE";
const FAILED: &str = "FAILED";
const STOPPED: &str = "STOPPED";

/// Where a check goes on, as its row keeps it.
#[derive(Serialize, Deserialize)]
struct Progress {
    stage: String,
    place: String,
    #[serde(default)]
    totals: Totals,
}

impl Check {
    fn progress(&self) -> Result<String, Error> {
        let progress = Progress {
            stage: self.stage.as_str().to_owned(),
            place: self.place.clone(),
            totals: self.totals,
        };
        serde_json::to_string(&progress).map_err(Error::internal)
    }

    fn resumed(run: &Run) -> Result<Check, Error> {
        let progress: Progress = serde_json::from_str(&run.progress).map_err(Error::internal)?;
        Ok(Check {
            totals: progress.totals,
            stage: Stage::parse(&progress.stage)?,
            place: progress.place,
            ..Check::new(run.repair, false)
        })
    }
}

fn counts(run: &Run) -> Result<BTreeMap<String, i64>, Error> {
    serde_json::from_str(&run.counts).map_err(Error::internal)
}

fn count(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// As the API shows it.
fn shown(run: Run) -> Result<IntegrityCheck, Error> {
    let time = |at: i64| Timestamp::from_millisecond(at).map_err(Error::internal);
    let totals = Check::resumed(&run)?.totals;
    let by_kind = counts(&run)?.into_iter();
    let by_kind = by_kind.map(|(kind, count)| IntegrityFindingCount { kind, count });
    Ok(IntegrityCheck {
        status: match run.status.as_str() {
            RUNNING => IntegrityCheckStatus::Running,
            COMPLETE => IntegrityCheckStatus::Complete,
            STOPPED => IntegrityCheckStatus::Stopped,
            FAILED => IntegrityCheckStatus::Failed,
            other => return Err(Error::internal(format!("no state of a check: {other}"))),
        },
        integrity_check_id: run.id,
        repair: run.repair,
        started_at: time(run.started_at)?,
        ended_at: run.ended_at.map(time).transpose()?,
        examined_count: Some(count(totals.copies)),
        examined_bytes: Some(count(totals.bytes)),
        unread_count: Some(count(totals.unread)),
        known_count: Some(count(totals.known)),
        found_count: Some(run.found),
        repaired_count: Some(run.repaired),
        finding_counts: Some(by_kind.collect()),
        failure_reason: run.reason,
    })
}

fn finding(of: table::Finding) -> IntegrityFinding {
    let repair = FindingKind::parse(&of.kind).map(FindingKind::repair);
    IntegrityFinding {
        repair: repair.filter(|text| !text.is_empty()).map(str::to_owned),
        kind: of.kind,
        object: of.object,
        detail: Some(of.detail).filter(|text| !text.is_empty()),
        repaired: of.repaired,
    }
}

impl Registry {
    /// `StartIntegrityCheck`: a check at once; `None` when one goes on.
    ///
    /// # Errors
    /// The store's.
    pub async fn start_integrity_check(
        &self,
        cx: &Authorized,
        repair: bool,
    ) -> Result<Option<IntegrityCheck>, Error> {
        let random: [u8; ID_BYTES] = draw(&*self.0.entropy).map_err(Error::internal)?;
        let mut digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.truncate(17);
        let id = format!("chk-{digits}");
        let progress = Check::new(repair, false).progress()?;
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if !table::insert(conn, &id, repair, &progress, cx.now_ms()).await? {
            return Ok(None);
        }
        jobs::put(conn, JOB, SUBJECT, "", cx.now_ms()).await?;
        let made = table::get(conn, &id).await?;
        tx.commit().await?;
        made.map(shown).transpose()
    }

    /// `ListIntegrityChecks`: the checks, the newest first.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token.
    pub async fn list_integrity_checks(
        &self,
        _: &Authorized,
        input: ListIntegrityChecksRequest,
    ) -> Result<ListIntegrityChecksResponse, Error> {
        let before = match token::open(input.next_token.as_ref())?.as_str() {
            "" => i64::MAX,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let mut runs = table::list(&mut read.conn(), before, token::rows(n)).await?;
        let next_token = token::cut(&mut runs, n).map(|run| token::seal(&run.number.to_string()));
        Ok(ListIntegrityChecksResponse {
            integrity_checks: runs.into_iter().map(shown).collect::<Result<_, _>>()?,
            next_token,
        })
    }

    /// `GetIntegrityCheck`; `None` when there is none of this id.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token.
    pub async fn integrity_check(
        &self,
        _: &Authorized,
        input: GetIntegrityCheckRequest,
    ) -> Result<Option<GetIntegrityCheckResponse>, Error> {
        let after = match token::open(input.next_token.as_ref())?.as_str() {
            "" => -1,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(run) = table::get(conn, &input.integrity_check_id).await? else {
            return Ok(None);
        };
        let mut found = table::findings(conn, run.number, after, token::rows(n)).await?;
        let last = token::cut(&mut found, n);
        Ok(Some(GetIntegrityCheckResponse {
            next_token: last.map(|last| token::seal(&last.position.to_string())),
            integrity_check: shown(run)?,
            findings: found.into_iter().map(finding).collect(),
        }))
    }

    /// `StopIntegrityCheck`: a check that goes on does no further step; one that has ended stays as it is. `None`
    /// when there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn stop_integrity_check(
        &self,
        cx: &Authorized,
        id: &str,
    ) -> Result<Option<IntegrityCheck>, Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let Some(mut run) = table::get(conn, id).await? else {
            return Ok(None);
        };
        if run.status == RUNNING {
            run.status = STOPPED.to_owned();
            run.ended_at = Some(cx.now_ms());
            table::save(conn, &run).await?;
        }
        tx.commit().await?;
        shown(run).map(Some)
    }

    /// One turn of the check that goes on; answers when the next is due, and `None` when none goes on. `failures`:
    /// how often the turn failed before.
    ///
    /// # Errors
    /// Those of the store and of the blobs. The check goes on where it was.
    pub async fn check_integrity(
        &self,
        service: ServiceName,
        failures: i64,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, Error> {
        let running = {
            let mut read = self.0.store.read().await?;
            table::running(&mut read.conn()).await?
        };
        let Some(mut run) = running else {
            return Ok(None);
        };
        let mut check = Check::resumed(&run)?;
        for _ in 0..STEPS_AT_ONCE {
            let findings = match self.check_step(service, &mut check, now).await {
                Ok(findings) => findings,
                Err(error) if failures >= FAILURES_MAX => {
                    tracing::error!(check = %run.id, ?error, "a check failed");
                    run.status = FAILED.to_owned();
                    run.reason =
                        Some("The check could not be done: the server's log says why".to_owned());
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            run.progress = check.progress()?;
            if check.is_done() {
                run.status = COMPLETE.to_owned();
            }
            if run.status != RUNNING {
                run.ended_at = Some(now.as_millisecond());
            }
            if !self.save_check(service, &mut run, &findings, now).await? {
                tracing::info!(check = %run.id, "a check was stopped");
                return Ok(None);
            }
            if run.ended_at.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(TURN_PAUSE))
    }

    async fn save_check(
        &self,
        service: ServiceName,
        run: &mut Run,
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut counts = counts(run)?;
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        for one in findings {
            *counts.entry(one.kind.as_str().to_owned()).or_default() += 1;
            if run.found < FINDINGS_MAX {
                let kept = table::Finding {
                    position: run.found,
                    kind: one.kind.as_str().to_owned(),
                    object: one.object.clone(),
                    detail: one.detail.clone(),
                    repaired: one.is_repaired,
                };
                table::add_finding(conn, run.number, &kept).await?;
            }
            run.found += 1;
            run.repaired += i64::from(one.is_repaired);
        }
        run.counts = serde_json::to_string(&counts).map_err(Error::internal)?;
        if !table::save(conn, run).await? {
            return Ok(false);
        }
        if run.ended_at.is_some() {
            table::prune(conn, RUNS_KEPT).await?;
            if run.found > 0 || run.reason.is_some() {
                let details = json!({
                    "integrityCheckId": run.id,
                    "status": run.status,
                    "repair": run.repair,
                    "foundCount": run.found,
                    "repairedCount": run.repaired,
                    "findingCounts": counts,
                    "failureReason": run.reason,
                });
                let event = NewEvent {
                    occurred_at: now.as_millisecond(),
                    service: service.as_str(),
                    source: ServiceName::EVENT_SOURCE,
                    name: "EndIntegrityCheck",
                    account: None,
                    resource: None,
                    details: &details.to_string(),
                };
                service_events::insert(conn, &event).await?;
                let (found, repaired) = (run.found, run.repaired);
                tracing::error!(check = %run.id, found, repaired, "a check found damage");
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}
