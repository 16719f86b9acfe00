//! Looks in the background whether the database and the disks can be used, and notes it in [`Health`].
//! Requests never look themselves: a probe that hangs would hang them, and strangers could ask for many.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::app::App;
use crate::audit::reserve::{Ballast, disk_bytes, free_bytes};
use crate::health::{Health, Problem};
use crate::limits::{BALLAST_BYTES, DISK_RESERVE_BYTES};

/// Between two looks at the disks, and at a database that could not be written.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Between two writes to a database that can be written.
const WRITE_INTERVAL: Duration = Duration::from_secs(5);
/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// A disk that is smaller than ten times the default reserve keeps this part of itself instead.
const SMALL_DISK_PART: u64 = 10;

/// The disks that are looked at.
#[derive(Clone, Debug, Default)]
pub struct DiskSettings {
    /// Where the layers are; none are looked at where absent.
    pub blobs_dir: Option<PathBuf>,
    /// Free space that layer uploads leave on their disk, in bytes. By default 1 GiB, or a tenth of a
    /// smaller disk.
    pub reserve_bytes: Option<u64>,
    /// The directory of a database that is a file. Some space is set aside there, so that access can be
    /// taken away when the disk is full.
    pub database_dir: Option<PathBuf>,
}

impl DiskSettings {
    /// The space that is set aside beside the database.
    pub(crate) fn ballast(&self) -> Option<Ballast> {
        let directory = self.database_dir.as_ref()?;
        Some(Ballast::new(directory.join("space-reserve"), BALLAST_BYTES))
    }

    /// Whether the disk of the layers has reached its reserve.
    fn is_low(&self) -> std::io::Result<bool> {
        let Some(directory) = &self.blobs_dir else {
            return Ok(false);
        };
        let reserve = match self.reserve_bytes {
            Some(bytes) => bytes,
            None => DISK_RESERVE_BYTES.min(disk_bytes(directory)? / SMALL_DISK_PART),
        };
        Ok(free_bytes(directory)? < reserve)
    }
}

/// Looks until `stop` turns true.
pub(crate) async fn watch(app: Arc<App>, disks: DiskSettings, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written: Option<Instant> = None;
    let mut failures = 0_u32;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        look_at_disks(&app, &disks).await;
        let due = written.is_none_or(|at| at.elapsed() >= WRITE_INTERVAL);
        if due || failures > 0 {
            let wrote = tokio::time::timeout(PROBE_TIMEOUT, app.store.probe_write()).await;
            written = Some(Instant::now());
            let cause = match wrote {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(crate::error::chain(&error)),
                Err(_) => Some("no answer".to_owned()),
            };
            failures = cause.as_ref().map_or(0, |_| failures + 1);
            // One failure may be a long transaction of another writer.
            let fails = failures > 1;
            if app.health.set(Problem::DatabaseReadOnly, fails) {
                match fails {
                    true => tracing::error!(cause, "the database cannot be written"),
                    false => tracing::info!("the database can be written again"),
                }
            }
        }
    }
}

async fn look_at_disks(app: &Arc<App>, disks: &DiskSettings) {
    app.health.set(Problem::Audit, !app.audit.is_available());
    let asked = disks.clone();
    // A network file system may take its time.
    let low = tokio::task::spawn_blocking(move || asked.is_low()).await;
    match low {
        Ok(Ok(low)) => note_low(&app.health, low),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the disk of the layers cannot be asked for its space")
        }
        Err(error) => tracing::debug!(%error, "the look at the disk ended early"),
    }
    let keep_ballast = app.health.is_well();
    let (ballast, directory) = (disks.ballast(), disks.database_dir.clone());
    let filled =
        tokio::task::spawn_blocking(move || fill(ballast, directory.as_deref(), keep_ballast));
    if let Ok(Err(error)) = filled.await {
        tracing::debug!(%error, "no space can be set aside beside the database");
    }
}

/// Sets space aside while there is plenty.
fn fill(ballast: Option<Ballast>, directory: Option<&Path>, keep: bool) -> std::io::Result<()> {
    let (Some(ballast), Some(directory), true) = (ballast, directory, keep) else {
        return Ok(());
    };
    match free_bytes(directory)? > 2 * BALLAST_BYTES {
        true => ballast.fill(),
        false => Ok(()),
    }
}

fn note_low(health: &Health, low: bool) {
    if health.set(Problem::DiskReserve, low) {
        match low {
            true => tracing::error!(
                "the disk of the layers has reached --disk-reserve: layer uploads are refused"
            ),
            false => tracing::info!("the disk of the layers has space again"),
        }
    }
}
