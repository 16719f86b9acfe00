//! What requests and the writer share: the queue, and the state of the log.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_types::Region;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::service_event::ServiceEvent;
use super::strangers::Strangers;
use super::unrecorded::Unrecorded;
use super::writer::{Line, Writer};
use crate::clock::Clock;
use crate::limits::{
    AUDIT_QUEUE_BYTES_MAX, AUDIT_QUEUE_MAX, AUDIT_RESERVE_FREE_BYTES_MIN, AUDIT_ROOM_TIMEOUT,
    AUDIT_STUCK_TIMEOUT,
};

/// What the permits of the queue's room stand for, in bytes.
const UNIT: usize = 1024;

/// The state of the log.
pub(super) struct Shared {
    clock: Clock,
    /// The last write failed.
    pub(super) failing: AtomicBool,
    /// Its disk is nearly full.
    pub(super) low: AtomicBool,
    /// How much the reserve can take, in bytes.
    pub(super) reserve_left: AtomicU64,
    /// `awsRegion` of events that no request made.
    pub(super) region: String,
    pub(super) sync_now: Notify,
    /// Tells a writer that gathers lines not to wait for more.
    pub(super) write_now: Notify,
    /// Since when the writer has been in a write.
    writing: Mutex<Option<Instant>>,
    strangers: Mutex<Strangers>,
    unrecorded: Mutex<Unrecorded>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that holds these locks panics halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn set_writing(&self, writing: bool) {
        *lock(&self.writing) = writing.then(Instant::now);
    }

    pub(super) fn note_unrecorded(&self, line: &Line) {
        lock(&self.unrecorded).note(&line.source, &line.name, line.failed, line.time);
    }

    pub(super) fn take_unrecorded(&self) -> Unrecorded {
        std::mem::take(&mut lock(&self.unrecorded))
    }

    pub(super) fn restore_unrecorded(&self, unrecorded: Unrecorded) {
        lock(&self.unrecorded).merge(unrecorded);
    }

    pub(super) fn take_strangers(&self) -> Vec<Value> {
        lock(&self.strangers).take()
    }

    /// Whether lines cannot be written now. A write that takes too long counts as one that fails.
    fn is_failing(&self) -> bool {
        let stuck = |since: &Instant| since.elapsed() >= AUDIT_STUCK_TIMEOUT;
        self.failing.load(Acquire) || lock(&self.writing).as_ref().is_some_and(stuck)
    }
}

/// The way into the log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit {
    queue: mpsc::Sender<Line>,
    /// Room in the queue for lines that may be counted instead; the last part of the queue is left to
    /// those that must be written.
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
}

impl Audit {
    /// Starts the writer. It ends when every clone is dropped; then everything is on disk.
    pub(crate) fn start(
        directory: PathBuf,
        region: &Region,
        clock: Clock,
    ) -> (Audit, JoinHandle<()>) {
        let shared = Arc::new(Shared {
            clock,
            region: region.to_string(),
            failing: AtomicBool::default(),
            low: AtomicBool::default(),
            reserve_left: AtomicU64::default(),
            sync_now: Notify::default(),
            write_now: Notify::default(),
            writing: Mutex::default(),
            strangers: Mutex::new(Strangers::new()),
            unrecorded: Mutex::default(),
        });
        let (queue, lines) = mpsc::channel(AUDIT_QUEUE_MAX);
        let writer = Writer::new(directory, Arc::clone(&shared), lines);
        let room = Arc::new(Semaphore::new(AUDIT_QUEUE_BYTES_MAX / UNIT));
        (
            Audit {
                queue,
                room,
                shared,
            },
            tokio::spawn(writer.run()),
        )
    }

    /// Whether what is done now can be recorded.
    pub(crate) fn is_available(&self) -> bool {
        !self.shared.is_failing() && !self.shared.low.load(Acquire)
    }

    /// Whether an operation that only takes access away can be recorded: in the reserve, if need be.
    pub(crate) fn can_record_removal(&self) -> bool {
        self.is_available()
            || self.shared.reserve_left.load(Relaxed) >= AUDIT_RESERVE_FREE_BYTES_MIN
    }

    /// Asks the writer to write and sync what is in the queue now.
    pub(crate) fn sync_now(&self) {
        self.shared.sync_now.notify_one();
    }

    /// Records events that no request made, and says of each whether it is durable now.
    pub(crate) async fn record_durably(
        &self,
        events: impl Iterator<Item = ServiceEvent<'_>>,
    ) -> Vec<bool> {
        let mut waiting = Vec::new();
        for event in events {
            let (on_disk, written) = oneshot::channel();
            let (source, name) = (event.source.to_owned(), event.name.to_owned());
            self.send(Line {
                // The day that it is recorded on: an earlier day's file may have been put away.
                time: self.shared.now(),
                source: source.into(),
                name,
                failed: false,
                essential: true,
                text: event.into_text(&self.shared.region),
                room: None,
                on_disk: Some(on_disk),
            })
            .await;
            waiting.push(written);
        }
        self.sync_now();
        let mut durable = Vec::with_capacity(waiting.len());
        for written in waiting {
            let written = timeout(AUDIT_STUCK_TIMEOUT, written).await;
            durable.push(matches!(written, Ok(Ok(()))));
        }
        durable
    }

    pub(super) fn strangers(&self) -> MutexGuard<'_, Strangers> {
        lock(&self.shared.strangers)
    }

    /// Queues a line. Waits a bounded time for room; a line that finds none is counted.
    pub(super) async fn send(&self, mut line: Line) {
        if !line.essential {
            // The queue is for what must be written while nothing can be.
            if self.shared.is_failing() {
                return self.shared.note_unrecorded(&line);
            }
            let units = u32::try_from(line.text.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
            match self.room_for(units).await {
                Some(room) => line.room = Some(room),
                // The semaphore is never closed: the wait was too long.
                None => return self.shared.note_unrecorded(&line),
            }
        }
        let is_essential = line.essential;
        match self.queue.try_send(line) {
            Ok(()) if is_essential => self.shared.write_now.notify_one(),
            Ok(()) => {}
            Err(TrySendError::Full(line) | TrySendError::Closed(line)) => {
                self.shared.write_now.notify_one();
                self.wait_and_send(line).await;
            }
        }
    }

    /// Room for a line. Waits a bounded time, and tells the writer that somebody does.
    async fn room_for(&self, units: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units) {
            return Some(room);
        }
        self.shared.write_now.notify_one();
        let room = Arc::clone(&self.room).acquire_many_owned(units);
        timeout(AUDIT_ROOM_TIMEOUT, room).await.ok()?.ok()
    }

    /// Queues a line that found the queue full.
    async fn wait_and_send(&self, line: Line) {
        match timeout(AUDIT_ROOM_TIMEOUT, self.queue.reserve()).await {
            Ok(Ok(slot)) => slot.send(line),
            _ => {
                if line.essential {
                    tracing::error!(
                        event = line.name,
                        "an audit event is lost: the log is not being written"
                    );
                }
                self.shared.note_unrecorded(&line);
            }
        }
    }
}
