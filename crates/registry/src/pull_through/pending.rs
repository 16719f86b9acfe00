//! Imports that are not finished: a row in the queue of jobs, before the client has the manifest. The node that began
//! one finishes it and removes the row; where that node is gone, or the upstream fails, the job is run.

use std::sync::Arc;

use authz::ServiceName;
use serde::{Deserialize, Serialize};
use store::ecr::repository;
use store::{Conn, jobs};

use crate::{Error, Registry, RepositoryFacts};

/// The job of an image that is to be stored. Its subject is the repository's id and the image's digest.
pub const IMPORT_JOB: &str = "import-upstream-image";
/// How long after a sign of life of the node that stores an image another one may do so.
const SILENCE_MS: i64 = 20_000;
/// The pause after a failure of the upstream that names none.
const PAUSE_MS: i64 = 30_000;
/// The longest pause.
const PAUSE_MS_MAX: i64 = 60 * 60_000;
/// How long an import is tried: the limits that registries set are over within hours.
const PATIENCE_MS: i64 = 24 * 60 * 60_000;

/// What the job's row says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) tags: Vec<String>,
    /// The ARN of who pulled.
    pub(super) pulled_by: String,
    pub(super) request_id: String,
    /// Milliseconds since the epoch.
    pub(super) begun_at: i64,
}

/// An import that is to be finished.
#[derive(Clone, Debug)]
pub struct PendingImport {
    /// The repository.
    pub repository: Arc<RepositoryFacts>,
    /// The image's digest.
    pub digest: String,
    pub(super) payload: Payload,
}

impl PendingImport {
    /// The pause before the next attempt, in milliseconds, after the upstream asked for `seconds`; `None` where it
    /// was tried long enough.
    #[must_use]
    pub fn pause_ms(&self, seconds: Option<u64>, now_ms: i64) -> Option<i64> {
        let is_over = now_ms - self.payload.begun_at >= PATIENCE_MS;
        (!is_over).then(|| pause_ms(seconds))
    }
}

fn subject(repo: &RepositoryFacts, digest: &str) -> String {
    format!("{} {digest}", repo.id)
}

pub(super) fn pause_ms(seconds: Option<u64>) -> i64 {
    let asked = seconds.map_or(PAUSE_MS, |seconds| {
        let asked = i64::try_from(seconds.saturating_mul(1_000));
        asked.unwrap_or(PAUSE_MS_MAX)
    });
    asked.clamp(PAUSE_MS, PAUSE_MS_MAX)
}

/// Writes down that the image is to be stored.
pub(super) async fn begin(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    payload: &Payload,
    now: i64,
) -> Result<(), Error> {
    let text = serde_json::to_string(payload).map_err(Error::internal)?;
    let subject = subject(repo, digest);
    Ok(jobs::put(conn, IMPORT_JOB, &subject, &text, now + SILENCE_MS).await?)
}

/// A sign of life of the node that stores it.
pub(super) async fn goes_on(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    now: i64,
) -> Result<(), Error> {
    let subject = subject(repo, digest);
    Ok(jobs::postpone(conn, IMPORT_JOB, &subject, now + SILENCE_MS).await?)
}

/// The next attempt is the job's.
pub(super) async fn later(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
    run_at: i64,
) -> Result<(), Error> {
    let subject = subject(repo, digest);
    Ok(jobs::postpone(conn, IMPORT_JOB, &subject, run_at).await?)
}

/// It is stored, or never will be.
pub(super) async fn end(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    digest: &str,
) -> Result<(), Error> {
    Ok(jobs::remove(conn, IMPORT_JOB, &subject(repo, digest)).await?)
}

impl Registry {
    /// What a job of [`IMPORT_JOB`] is about; `None` where the repository is gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn pending_import(
        &self,
        _: ServiceName,
        subject: &str,
        payload: &str,
    ) -> Result<Option<PendingImport>, Error> {
        let unreadable = || Error::internal(format!("`{subject}` names no import"));
        let (id, digest) = subject.split_once(' ').ok_or_else(unreadable)?;
        let id = id.parse().map_err(Error::internal)?;
        let row = {
            let mut read = self.0.store.read().await?;
            repository::get(&mut read.conn(), id).await?
        };
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(PendingImport {
            repository: Arc::new(self.facts_of_row(&row).await?),
            digest: digest.to_owned(),
            payload: serde_json::from_str(payload).map_err(Error::internal)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_says_when_it_is_tried_again_within_bounds() {
        for (seconds, expected) in [
            (None, 30_000),
            (Some(5), 30_000),
            (Some(120), 120_000),
            (Some(86_400), 3_600_000),
            (Some(u64::MAX), 3_600_000),
        ] {
            assert_eq!(pause_ms(seconds), expected, "{seconds:?}");
        }
    }
}
