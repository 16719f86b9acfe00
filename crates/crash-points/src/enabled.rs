//! What a point does in a test.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::Point;

/// The variable that names the point at which the process ends, and how often it gets there before.
pub const VARIABLE: &str = "BERTH_CRASH_POINT";

type Observer = Box<dyn Fn(Point) + Send + Sync>;

static OBSERVER: OnceLock<Observer> = OnceLock::new();
static END: OnceLock<Option<End>> = OnceLock::new();

/// Where the process ends.
struct End {
    point: Point,
    /// How often the point is still passed, and once more.
    left: AtomicU64,
}

impl End {
    /// `None` where the variable is not set.
    ///
    /// # Panics
    /// For a point that does not exist: a test that waits for it would show nothing.
    fn named(text: Option<&str>) -> Option<End> {
        let (name, count) = text?.split_once(':').expect("the form is `point:count`");
        let point = Point::ALL.iter().find(|point| point.name() == name);
        Some(End {
            point: *point.expect("a crash point of this name exists"),
            left: AtomicU64::new(count.parse().expect("the count is a number")),
        })
    }

    /// Whether the process is to end now.
    fn is_reached(&self, point: Point) -> bool {
        point == self.point && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

/// Calls `observer` at each point of this process from now on.
///
/// # Panics
/// When it is called twice: one test has the process for itself.
pub fn observe(observer: impl Fn(Point) + Send + Sync + 'static) {
    let set = OBSERVER.set(Box::new(observer));
    assert!(set.is_ok(), "the process is observed already");
}

/// Device and inode of the files that cannot be read.
static BROKEN: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

fn broken() -> MutexGuard<'static, Vec<(u64, u64)>> {
    // Each change is one step.
    BROKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// A file whose reads fail, until this is dropped. It holds the file open, so that no other one gets its inode.
#[derive(Debug)]
pub struct Broken {
    identity: (u64, u64),
    _file: File,
}

impl Drop for Broken {
    fn drop(&mut self) {
        broken().retain(|file| *file != self.identity);
    }
}

/// Lets each read of the file fail with `EIO`.
///
/// # Errors
/// The file cannot be opened.
pub fn break_reads(path: &Path) -> io::Result<Broken> {
    let file = File::open(path)?;
    let identity = identity(&file.metadata()?);
    broken().push(identity);
    Ok(Broken {
        identity,
        _file: file,
    })
}

/// Whether the file can be read.
///
/// # Errors
/// `EIO`, where a test has broken it.
pub fn reads(file: &File) -> io::Result<()> {
    let broken = broken();
    if broken.is_empty() || !broken.contains(&identity(&file.metadata()?)) {
        return Ok(());
    }
    Err(rustix::io::Errno::IO.into())
}

/// Ends the process here, or calls the observer.
pub fn reach(point: Point) {
    let end = END.get_or_init(|| End::named(std::env::var(VARIABLE).ok().as_deref()));
    if end.as_ref().is_some_and(|end| end.is_reached(point)) {
        let this = rustix::process::getpid();
        // SIGKILL cannot be handled, so that nothing is flushed or cleaned up on the way out.
        let _ = rustix::process::kill_process(this, rustix::process::Signal::KILL);
        // The signal may take a moment to arrive; nothing more is done in it.
        loop {
            std::thread::park();
        }
    }
    if let Some(observer) = OBSERVER.get() {
        observer(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_ends_at_the_point_and_the_time_that_are_named() {
        let end = End::named(Some("object-stored:2")).expect("it is named");
        let reached = [
            Point::ObjectStored,
            Point::ObjectRenamed,
            Point::ObjectStored,
            Point::ObjectStored,
        ];
        let reached = reached.map(|point| end.is_reached(point));
        assert_eq!(reached, [false, false, true, false]);
        assert!(End::named(None).is_none());
    }

    #[test]
    #[should_panic(expected = "a crash point of this name exists")]
    fn an_unknown_point_is_refused() {
        End::named(Some("object-lost:1"));
    }

    #[test]
    fn names_are_told_apart() {
        for (place, point) in Point::ALL.iter().enumerate() {
            let same = |other: &Point| other.name() == point.name();
            assert_eq!(Point::ALL.iter().position(same), Some(place), "{point:?}");
        }
    }
}
