//! What a job is, and who does it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;

/// Why a job failed, for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// On whose behalf work without a caller is done: a closed list, so that no code can make up a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Keys and principals: rotation of the key ring.
    Identity,
    /// Repositories and their contents: expired uploads.
    Registry,
}

impl Service {
    /// The name in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Service::Identity => "identity.berth.internal",
            Service::Registry => "registry.berth.internal",
        }
    }
}

/// A job that is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it is about.
    pub subject: String,
    /// What else must be known, in the kind's own form.
    pub payload: String,
    /// Failures in a row before this attempt.
    pub failures: i64,
    /// On whose behalf it is done.
    pub service: Service,
}

/// What is to become of a job that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is to run again after this time.
    Again(SignedDuration),
}

type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, Result<Outcome, BoxError>> + Send + Sync>;

/// A kind of job: its name in the queue, and what does it.
#[derive(Clone)]
pub struct Kind {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) handler: Handler,
}

impl Kind {
    /// A kind that `handler` does. The handler is dropped at any await where the node loses its lease.
    pub fn new<F, R>(name: &'static str, service: Service, handler: F) -> Kind
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
    {
        Kind {
            name,
            service,
            handler: Arc::new(move |job| Box::pin(handler(job))),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({}, {})", self.name, self.service.name())
    }
}
