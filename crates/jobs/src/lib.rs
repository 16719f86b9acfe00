//! Background work that outlives a restart: a queue in the database, which the nodes share.
//!
//! ```
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! # let t = store::testing::sqlite().await;
//! # let store = t.store;
//! use jiff::{SignedDuration, Timestamp};
//! use jobs::{Job, Kind, Outcome, Runner};
//!
//! let now = Timestamp::UNIX_EPOCH;
//! let sweep = Kind::new("sweep", "maintenance", |job: Job<&str>| async move {
//!     assert_eq!(job.subject, "all");
//!     // … and once more in a minute.
//!     Ok(Outcome::Again(SignedDuration::from_mins(1)))
//! });
//! let runner = Runner::new(store, "node-1", [sweep], move || now);
//! runner.ensure("sweep", "all", "").await?;
//! assert_eq!(runner.run_due().await?, 1);
//! assert_eq!(runner.run_due().await?, 0, "not due yet");
//! # Ok::<(), store::Error>(()) }).unwrap();
//! ```
//!
//! # The rules
//! - **One node runs a job.** It leases the job for [`LEASE`] and renews the lease while it runs. A node
//!   that dies or cannot reach the database loses the lease, and another one takes the job over.
//! - **A job runs at least once.** A node that dies after the work and before it has said so leaves the
//!   work to be done again: handlers do no harm when they run twice.
//! - **A failure is tried again**, later each time ([`retry_delay`]), for ever: a job that cannot succeed
//!   shows in the log and in `last_error`.
//! - **Asking twice is asking once.** A kind has one job for each subject; one that is asked for while it
//!   runs, runs once more.
//! - **Work without a caller has an authority.** Each kind states one, and its handler gets it with each
//!   job. This crate does not know what it is: in the server it is a name of crate `authz`'s closed list,
//!   so that no code can make up a principal.
//!
//! Time is passed in. The runner's own pauses ([`Runner::run`]) only decide how soon a due job is seen.

mod job;
mod runner;

pub use job::{BoxError, Job, Kind, Outcome};
pub use runner::{LEASE, Runner, retry_delay};
