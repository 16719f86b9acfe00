//! The task that writes the audit log.
//!
//! Requests hand it finished lines over a bounded queue; it appends them in batches and syncs the file
//! every [`AUDIT_SYNC_INTERVAL`]. Events of reads are gathered for [`GATHER_INTERVAL`]; an event of something that
//! was changed or handed out is appended at once. While the log cannot be written, lines that must not be lost go to the
//! [`Reserve`], the others are counted ([`Unrecorded`]), and every [`RETRY_INTERVAL`] it tries to write
//! again: first what is in the reserve, then a summary of what was not recorded.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::log_files::LogFiles;
use super::queue::Shared;
use super::reserve::{self, Reserve};
use super::service_event::ServiceEvent;
use crate::limits::{
    AUDIT_FREE_BYTES_MIN, AUDIT_FREE_BYTES_RESUME, AUDIT_RESERVE_BYTES, AUDIT_SUMMARY_INTERVAL,
    AUDIT_SYNC_INTERVAL,
};

/// Between two tries to write after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Lines that are written with one system call.
const BATCH_MAX: usize = 1024;
/// How long lines that may be counted instead (reads, refusals) wait for others before they are written. At tens of
/// thousands of pulls a second, a writer that is woken for each line costs more than the pull.
const GATHER_INTERVAL: Duration = Duration::from_millis(10);
/// Tries once the server stops: it waits for the log, but not for a disk.
const LAST_TRIES: u32 = 3;
/// Lines that wait in memory when the reserve cannot take them either, in bytes.
const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An event on its way into the log.
pub(super) struct Line {
    /// JSON and a line feed.
    pub(super) text: Vec<u8>,
    pub(super) time: Timestamp,
    pub(super) source: Cow<'static, str>,
    pub(super) name: String,
    pub(super) failed: bool,
    /// Something was changed or handed out: such a line is never merely counted.
    pub(super) essential: bool,
    /// Room in the queue.
    pub(super) room: Option<OwnedSemaphorePermit>,
    /// Told when the line is durable; dropped when it is not known to be.
    pub(super) on_disk: Option<oneshot::Sender<()>>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Line>,
    files: LogFiles,
    reserve: Reserve,
    /// Essential lines that neither the log nor the reserve took.
    pending: Vec<u8>,
    /// Since when lines are written but not synced.
    unsynced: Option<Instant>,
    /// Who waits for what is written but not synced.
    waiting: Vec<oneshot::Sender<()>>,
    summarized: Instant,
}

impl Writer {
    pub(super) fn new(
        directory: PathBuf,
        shared: Arc<Shared>,
        queue: mpsc::Receiver<Line>,
    ) -> Writer {
        Writer {
            shared,
            queue,
            // Beside the directory, which holds log files alone.
            reserve: Reserve::new(
                directory.with_file_name("audit-reserve"),
                AUDIT_RESERVE_BYTES,
            ),
            files: LogFiles::new(directory),
            pending: Vec::new(),
            unsynced: None,
            waiting: Vec::new(),
            summarized: Instant::now(),
        }
    }

    /// Writes until every sender is gone, and then what is left.
    pub(super) async fn run(mut self) {
        self.open().await;
        let mut ticks = tokio::time::interval(RETRY_INTERVAL.min(AUDIT_SYNC_INTERVAL));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                count = self.queue.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        break;
                    }
                    self.gather(&mut batch).await;
                    self.write(&mut batch).await;
                }
                _ = ticks.tick() => self.tick().await,
                () = shared.sync_now.notified() => self.sync_all(&mut batch).await,
            }
            self.sync_when_due().await;
        }
        self.finish().await;
    }

    /// Waits for more lines, unless one of the batch must be written now. The queue is not looked at meanwhile, so
    /// that a line that comes wakes nobody.
    async fn gather(&mut self, batch: &mut Vec<Line>) {
        if !batch.iter().any(|line| line.essential) {
            tokio::select! {
                () = tokio::time::sleep(GATHER_INTERVAL) => {}
                () = self.shared.write_now.notified() => {}
            }
        }
        while batch.len() < BATCH_MAX
            && let Ok(line) = self.queue.try_recv()
        {
            batch.push(line);
        }
    }

    /// Opens the reserve, and moves what an earlier process left there into the log.
    async fn open(&mut self) {
        let directory = self.files.directory.clone();
        if let Err(error) = tokio::fs::create_dir_all(&directory).await {
            self.fail(&error);
            return;
        }
        match self.reserve.prepare() {
            Ok(()) if self.reserve.left() < AUDIT_RESERVE_BYTES => {
                let _ = self.recover().await;
            }
            Ok(()) => self.note_reserve(),
            Err(error) => tracing::warn!(
                %error, directory = %directory.display(),
                "no space can be set aside for the audit log: when the disk is full, access cannot be taken away either"
            ),
        }
    }

    async fn write(&mut self, batch: &mut Vec<Line>) {
        self.shared.set_writing(true);
        if !self.shared.failing.load(Acquire)
            && let Err(error) = self.append(batch).await
        {
            self.fail(&error);
        }
        // The log cannot be written: keep what must be kept.
        for line in batch.drain(..) {
            match line.essential {
                true => self.keep(line),
                false => self.shared.note_unrecorded(&line),
            }
        }
        self.shared.set_writing(false);
    }

    /// Appends the lines, all of a day at once. Lines that were written are taken out of the batch.
    async fn append(&mut self, batch: &mut Vec<Line>) -> io::Result<()> {
        while let Some(first) = batch.first() {
            let day = day_of(first.time);
            let number = day_number(first.time);
            let same = |line: &&Line| day_number(line.time) == number;
            let count = batch.iter().take_while(same).count();
            let texts = batch[..count].iter().map(|line| line.text.as_slice());
            let text = texts.collect::<Vec<_>>().concat();
            self.files.append(&day, &text).await?;
            self.unsynced.get_or_insert_with(Instant::now);
            let written = batch.drain(..count);
            self.waiting.extend(written.filter_map(|line| line.on_disk));
        }
        Ok(())
    }

    fn keep(&mut self, line: Line) {
        if self.reserve.append(&line.text).is_ok() {
            self.note_reserve();
            if let Some(on_disk) = line.on_disk {
                // Nobody may wait any more.
                let _ = on_disk.send(());
            }
            return;
        }
        if self.pending.len() + line.text.len() <= PENDING_BYTES_MAX {
            self.pending.extend_from_slice(&line.text);
        } else {
            tracing::error!(
                event = line.name,
                "an audit event is lost: neither the log nor its reserve can be written"
            );
            self.shared.note_unrecorded(&line);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        // What was written before may not be on the disk.
        self.waiting.clear();
        if !self.shared.failing.swap(true, AcqRel) {
            let directory = self.files.directory.display();
            tracing::error!(
                %error, %directory,
                "the audit log cannot be written: writes and new credentials are refused until it can"
            );
        }
    }

    fn note_reserve(&self) {
        self.shared.reserve_left.store(self.reserve.left(), Relaxed);
    }

    async fn tick(&mut self) {
        let directory = &self.files.directory;
        let path = directory.clone();
        // Asking a network file system may take long.
        let free = tokio::task::spawn_blocking(move || reserve::free_bytes(&path)).await;
        let low = match free {
            // Once it is low, there must be more than the space that is given back for removals.
            Ok(Ok(free)) if self.shared.low.load(Acquire) => free < AUDIT_FREE_BYTES_RESUME,
            Ok(Ok(free)) => free < AUDIT_FREE_BYTES_MIN,
            // The directory is missing until the first line; a write that fails says the rest.
            Ok(Err(_)) | Err(_) => false,
        };
        if low != self.shared.low.swap(low, AcqRel) {
            let directory = directory.display();
            match low {
                true => {
                    tracing::error!(%directory, "the audit log's disk is full: writes and new credentials are refused until there is space")
                }
                false => tracing::info!(%directory, "the audit log's disk has space again"),
            }
        }
        if low {
            return;
        }
        if self.shared.failing.load(Acquire) {
            if self.recover().await.is_ok() {
                tracing::info!("the audit log is written again");
            }
        } else if self.reserve.left() == 0 && self.reserve.prepare().is_ok() {
            self.note_reserve();
        }
        if self.summarized.elapsed() >= AUDIT_SUMMARY_INTERVAL {
            self.summarize().await;
        }
    }

    /// Writes what waits in the reserve and in memory, and the summary of what was not recorded.
    async fn recover(&mut self) -> io::Result<()> {
        self.reserve.prepare()?;
        let mut text = self.reserve.lines()?;
        text.extend_from_slice(&self.pending);
        let now = self.shared.now();
        let unrecorded = self.shared.take_unrecorded();
        if let Some(summary) = unrecorded.summary() {
            let event = ServiceEvent::of_log("AuditEventsNotRecorded", now, summary);
            text.extend_from_slice(&event.into_text(&self.shared.region));
        }
        let written = match text.is_empty() {
            true => Ok(()),
            false => self.files.append(&day_of(now), &text).await,
        };
        if let Err(error) = written.and(self.files.sync().await) {
            self.shared.restore_unrecorded(unrecorded);
            return Err(error);
        }
        self.pending = Vec::new();
        self.reserve.clear()?;
        self.note_reserve();
        self.shared.failing.store(false, Release);
        Ok(())
    }

    /// Writes how often strangers asked.
    async fn summarize(&mut self) {
        self.summarized = Instant::now();
        if self.shared.failing.load(Acquire) {
            return;
        }
        let summaries = self.shared.take_strangers();
        if summaries.is_empty() {
            return;
        }
        let now = self.shared.now();
        let events = summaries.into_iter();
        let texts = events.map(|summary| {
            let event = ServiceEvent::of_log("UnauthenticatedRequests", now, summary);
            event.into_text(&self.shared.region)
        });
        let text = texts.collect::<Vec<_>>().concat();
        match self.files.append(&day_of(now), &text).await {
            Ok(()) => {
                self.unsynced.get_or_insert_with(Instant::now);
            }
            Err(error) => self.fail(&error),
        }
    }

    async fn sync_when_due(&mut self) {
        if self
            .unsynced
            .is_some_and(|since| since.elapsed() >= AUDIT_SYNC_INTERVAL)
        {
            self.sync().await;
        }
    }

    async fn sync(&mut self) {
        if self.unsynced.take().is_none() {
            return;
        }
        match self.files.sync().await {
            Ok(()) => {
                for waiting in self.waiting.drain(..) {
                    // Nobody may wait any more.
                    let _ = waiting.send(());
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Writes what is in the queue now and syncs: a stop may not leave time for more.
    async fn sync_all(&mut self, batch: &mut Vec<Line>) {
        while let Ok(line) = self.queue.try_recv() {
            batch.push(line);
            if batch.len() >= BATCH_MAX {
                self.write(batch).await;
            }
        }
        self.write(batch).await;
        self.summarize().await;
        self.sync().await;
    }

    async fn finish(mut self) {
        self.summarize().await;
        let mut tries = 0;
        while self.shared.failing.load(Acquire)
            && let Err(error) = self.recover().await
        {
            tries += 1;
            if tries == LAST_TRIES {
                let lost = self.pending.iter().filter(|byte| **byte == b'\n').count();
                tracing::error!(%error, lost, "the audit log cannot be written; the next start moves what is in its reserve to the log");
                return;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        self.sync().await;
    }
}

/// Days since 1970, in UTC.
fn day_number(time: Timestamp) -> i64 {
    time.as_second().div_euclid(24 * 60 * 60)
}

/// The name of a day's file.
fn day_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
