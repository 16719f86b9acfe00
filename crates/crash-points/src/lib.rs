//! Named points on the way of a write, at which a test ends the process or holds it up.
//!
//! A promise such as "acknowledged means durable" is about what is left when the process ends between two
//! steps. Tests reach each pair of steps by name:
//!
//! * The variable `BERTH_CRASH_POINT`, for example `object-renamed:3`, ends the process by SIGKILL when it gets
//!   to that point for the third time.
//! * [`observe`] hands each point to a test in the same process, which may block there to fix the order of two
//!   tasks.
//!
//! Without the feature `enabled`, which only tests' dependencies switch on, [`reach`] compiles to nothing and
//! the variable has no meaning.
//!
//! ```
//! use crash_points::{Point, reach};
//!
//! reach(Point::ObjectRenamed); // goes on, unless a test has asked for this point
//! assert_eq!(Point::ObjectRenamed.name(), "object-renamed");
//! ```
//!
//! # Errors
//! What a full or a broken disk answers comes from a real one, or from system calls that fail (`e2e/berth/faults.py`).
//! Within a test's process there is one exception: [`break_reads`] lets each read of a file fail, as a bad block does.

#[cfg(feature = "enabled")]
mod enabled;
#[cfg(feature = "enabled")]
pub use enabled::{Broken, VARIABLE, break_reads, observe, reach, reads};

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident = $name:literal,)*) => {
        /// A step that has just been done, or that is about to be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them, in the order of a push and of what removes it again.
            pub const ALL: &[Point] = &[$(Point::$point),*];

            /// The name, as the variable has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Point::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// An upload's file is made, and its name not synced.
    UploadCreated = "upload-created",
    /// Bytes are written to an upload's file, and not synced.
    UploadWritten = "upload-written",
    /// An upload's bytes are synced.
    UploadSynced = "upload-synced",
    /// A copy has its final name, which is not synced.
    ObjectRenamed = "object-renamed",
    /// A copy and its name are synced; no row names it.
    ObjectStored = "object-stored",
    /// A writing transaction is about to begin.
    TransactionBegins = "transaction-begins",
    /// All statements of a transaction are done.
    TransactionCommits = "transaction-commits",
    /// A transaction is durable, and nobody was told.
    TransactionCommitted = "transaction-committed",
    /// A stored copy's file is removed, and its name not synced.
    ObjectRemoved = "object-removed",
    /// A request is done, and its answer not sent.
    Answer = "answer",
}

/// Goes on: no test is there to break a file.
///
/// # Errors
/// None.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
pub fn reads(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Goes on: no test is there to ask for a point.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
pub fn reach(_: Point) {}
