//! Whether statements have to wait for the disk of the database.
//!
//! A statement that runs on its caller's thread mostly needs less than a millisecond. One that took longer read many
//! rows, or waited: for the disk, or for the processor where others use it too. The kernel knows which. It counts
//! how often a thread stopped by itself, which it does for the disk alone. To ask it costs a part of what a small
//! statement takes, so it is asked only for a second after a statement that took long.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// A statement that took this long may have waited for the disk.
const WAIT_FROM: Duration = Duration::from_millis(1);
/// How long after that the kernel is asked about each statement.
const WATCHED_FOR: Duration = Duration::from_secs(1);
/// So many waits, each within [`WATCHED_FOR`] after the one before, make the disk slow. One alone says little.
const WAITS_MAX: i64 = 5;
/// A statement that took this long makes the disk slow by itself.
const SLOW_FROM: Duration = Duration::from_millis(100);
/// How long the disk counts as slow at least, and how many times as long as a wait that is known to be one: statements
/// that try it again take a small share of their threads' time, also where the disk hangs for seconds.
const SLOW_FOR: Duration = Duration::from_secs(10);
const SLOW_FOR_TIMES: u32 = 100;

/// The disk of a database, as its readers and as its writer see it.
///
/// They wait for different things: a writer with much to write is held up by the file system now and then, where pages
/// that are read are in memory. So short waits of the one say nothing of the other; long ones do.
#[derive(Default)]
pub(super) struct Disks {
    readers: Disk,
    writer: Disk,
}

impl Disks {
    /// Notes that a statement begins on this thread. `None` while the disk is slow.
    pub(super) fn begin(&self, is_reader: bool) -> Option<Beginning> {
        let (own, _) = self.seen_by(is_reader);
        own.begin_at(Instant::now())
    }

    /// Notes that a statement ended, on the thread on which it began.
    pub(super) fn end(&self, is_reader: bool, beginning: &Beginning) {
        let now = Instant::now();
        let took = now.duration_since(beginning.at);
        if took < WAIT_FROM {
            return;
        }
        let has_stopped = beginning.stops.map(|before| stops() > Some(before));
        self.note(is_reader, now, took, has_stopped);
    }

    fn note(&self, is_reader: bool, now: Instant, took: Duration, has_stopped: Option<bool>) {
        let (own, other) = self.seen_by(is_reader);
        own.note(now, took, has_stopped);
        if took >= SLOW_FROM {
            other.note(now, took, has_stopped);
        }
    }

    /// What connections of this kind see, and what those of the other kind see.
    fn seen_by(&self, is_reader: bool) -> (&Disk, &Disk) {
        match is_reader {
            true => (&self.readers, &self.writer),
            false => (&self.writer, &self.readers),
        }
    }

    /// A statement of a writer waited long.
    #[cfg(test)]
    pub(super) fn was_slow(&self) {
        self.note(false, Instant::now(), SLOW_FROM, None);
    }
}

/// The disk, as one kind of connections sees it.
struct Disk {
    epoch: Instant,
    /// Until when the kernel is asked, and until when the disk counts as slow: in milliseconds after `epoch`.
    watched_until: AtomicU64,
    slow_until: AtomicU64,
    /// Waits while the kernel is asked.
    waits: AtomicI64,
}

/// The beginning of a statement.
pub(super) struct Beginning {
    at: Instant,
    /// How often the thread had stopped by itself, where the kernel was asked.
    stops: Option<i64>,
}

impl Default for Disk {
    fn default() -> Self {
        Disk {
            epoch: Instant::now(),
            watched_until: AtomicU64::new(0),
            slow_until: AtomicU64::new(0),
            waits: AtomicI64::new(0),
        }
    }
}

impl Disk {
    fn begin_at(&self, at: Instant) -> Option<Beginning> {
        let now = self.since_epoch(at);
        if now < self.slow_until.load(Ordering::Relaxed) {
            return None;
        }
        let is_watched = now < self.watched_until.load(Ordering::Relaxed);
        Some(Beginning {
            at,
            stops: is_watched.then(stops).flatten(),
        })
    }

    /// Notes a statement that took long. `has_stopped`: whether its thread stopped by itself, where that is known.
    fn note(&self, now: Instant, took: Duration, has_stopped: Option<bool>) {
        let is_slow = match has_stopped {
            // It worked, or waited for the processor.
            Some(false) => return,
            _ if took >= SLOW_FROM => true,
            Some(true) => self.waits.fetch_add(1, Ordering::Relaxed) + 1 >= WAITS_MAX,
            None => {
                self.waits.store(0, Ordering::Relaxed);
                false
            }
        };
        let mut watched_from = now;
        if is_slow {
            watched_from = now
                + match has_stopped {
                    Some(true) => SLOW_FOR.max(took * SLOW_FOR_TIMES),
                    _ => SLOW_FOR,
                };
            let until = self.since_epoch(watched_from);
            self.slow_until.fetch_max(until, Ordering::Relaxed);
            // One wait more makes it slow again.
            self.waits.store(WAITS_MAX - 1, Ordering::Relaxed);
        }
        let until = self.since_epoch(watched_from + WATCHED_FOR);
        self.watched_until.fetch_max(until, Ordering::Relaxed);
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        // Milliseconds of 500 million years.
        now.duration_since(self.epoch).as_millis() as u64
    }
}

/// How often this thread stopped by itself: `ru_nvcsw` of getrusage(2).
fn stops() -> Option<i64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    Some(usage.voluntary_context_switches())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    struct Test {
        disk: Disk,
        now: Instant,
    }

    impl Test {
        fn new() -> Test {
            let disk = Disk::default();
            let now = disk.epoch + Duration::from_secs(60);
            Test { disk, now }
        }

        fn is_slow(&self) -> bool {
            self.disk.begin_at(self.now).is_none()
        }

        fn is_watched(&self) -> bool {
            let beginning = self.disk.begin_at(self.now);
            beginning.is_some_and(|beginning| beginning.stops.is_some())
        }

        /// A statement of some milliseconds that waits for the disk, or for the processor.
        fn waits(&mut self, for_disk: bool) {
            let known = self.is_watched().then_some(for_disk);
            self.now += 5 * MS;
            self.disk.note(self.now, 5 * MS, known);
        }
    }

    #[test]
    fn one_long_wait_is_enough() {
        let mut t = Test::new();
        t.disk.note(t.now, SLOW_FROM - MS, None);
        assert!(!t.is_slow());
        t.disk.note(t.now, SLOW_FROM, None);
        assert!(t.is_slow());
        t.now += SLOW_FOR - MS;
        assert!(t.is_slow());
        t.now += MS;
        assert!(!t.is_slow());
    }

    #[test]
    fn a_disk_that_hangs_is_left_alone_for_longer() {
        let mut t = Test::new();
        let wait = Duration::from_secs(3);
        // It may have been work.
        t.disk.note(t.now, wait, None);
        t.now += SLOW_FOR;
        assert!(t.is_watched());
        t.disk.note(t.now, wait, Some(true));
        t.now += wait * SLOW_FOR_TIMES - MS;
        assert!(t.is_slow());
        t.now += MS;
        assert!(!t.is_slow());
        // A short wait does not make this time shorter.
        t.disk.note(t.now, wait, Some(true));
        t.disk.note(t.now, SLOW_FROM, None);
        t.now += wait * SLOW_FOR_TIMES - MS;
        assert!(t.is_slow());
    }

    #[test]
    fn of_short_waits_it_takes_several() {
        let mut t = Test::new();
        // Of the first nobody knows what it waited for.
        for _ in 0..WAITS_MAX {
            t.waits(true);
            assert!(!t.is_slow());
        }
        t.waits(true);
        assert!(t.is_slow());
        // The next one after that is enough.
        t.now += SLOW_FOR;
        assert!(t.is_watched());
        t.waits(true);
        assert!(t.is_slow());
        // After a while without one, it takes several again.
        t.now += SLOW_FOR + WATCHED_FOR;
        assert!(!t.is_watched());
        t.waits(true);
        t.waits(true);
        assert!(!t.is_slow());
    }

    #[test]
    fn waits_far_apart_are_single_ones() {
        let mut t = Test::new();
        for _ in 0..10 * WAITS_MAX {
            t.waits(true);
            t.now += WATCHED_FOR;
            assert!(!t.is_slow() && !t.is_watched());
        }
    }

    #[test]
    fn what_did_not_stop_says_nothing() {
        let mut t = Test::new();
        for _ in 0..10 * WAITS_MAX {
            t.waits(false);
            assert!(!t.is_slow());
        }
    }

    #[test]
    fn the_kernel_tells_the_disk_from_the_processor() {
        let disks = Disks::default();
        let disk = &disks.readers;
        disk.watched_until.store(u64::MAX, Ordering::Relaxed);
        let beginning = disks.begin(true).unwrap();
        while beginning.at.elapsed() < WAIT_FROM {
            std::hint::spin_loop();
        }
        disks.end(true, &beginning);
        assert_eq!(disk.waits.load(Ordering::Relaxed), 0);
        let beginning = disks.begin(true).unwrap();
        std::thread::sleep(WAIT_FROM);
        disks.end(true, &beginning);
        assert_eq!(disk.waits.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn short_waits_of_one_kind_say_nothing_of_the_other() {
        for is_reader in [true, false] {
            let disks = Disks::default();
            let mut now = Instant::now();
            for _ in 0..=WAITS_MAX {
                now += 5 * MS;
                let known = disks.begin(is_reader).unwrap().stops.map(|_| true);
                disks.note(is_reader, now, 5 * MS, known);
            }
            assert!(disks.begin(is_reader).is_none());
            assert!(disks.begin(!is_reader).is_some());
            // A long one does.
            disks.note(is_reader, now, SLOW_FROM, Some(true));
            assert!(disks.begin(!is_reader).is_none());
        }
    }
}
