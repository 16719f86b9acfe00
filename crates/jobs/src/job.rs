//! What a job is, and who does it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;

/// Why a job failed, for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A job that is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job<A> {
    /// What it is about.
    pub subject: String,
    /// What else must be known, in the kind's own form.
    pub payload: String,
    /// Failures in a row before this attempt.
    pub failures: i64,
    /// On whose authority it is done: its kind's.
    pub authority: A,
}

/// What is to become of a job that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is to run again after this time.
    Again(SignedDuration),
}

type Handler<A> =
    Arc<dyn Fn(Job<A>) -> BoxFuture<'static, Result<Outcome, BoxError>> + Send + Sync>;

/// A kind of job: its name in the queue, on whose authority it is done, and what does it.
#[derive(Clone)]
pub struct Kind<A> {
    pub(crate) name: &'static str,
    pub(crate) authority: A,
    pub(crate) handler: Handler<A>,
}

impl<A> Kind<A> {
    /// A kind that `handler` does. The handler is dropped at any await where the node loses its lease.
    pub fn new<F, R>(name: &'static str, authority: A, handler: F) -> Self
    where
        F: Fn(Job<A>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
    {
        Kind {
            name,
            authority,
            handler: Arc::new(move |job| Box::pin(handler(job))),
        }
    }
}

impl<A> fmt::Debug for Kind<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}
