//! Events of repositories, in the form of Amazon EventBridge's, for the targets of a registry.
//!
//! An event is written to the outbox, the table `events`, in the transaction of the change that it tells of:
//! what was rolled back is not told, and what was committed is not forgotten. [`emit`] writes only what an
//! enabled target of the registry asks for. Which that is comes with the repository's facts, from memory, so
//! that a registry without targets pays nothing. A target that another node made is known here within a
//! second, as every change of a registry.
//!
//! What sends them is in [`crate::webhooks`].
//!
//! Pulls are too many for a row each: see `event_notes`.

mod event;
mod images;

use store::Conn;
use store::ecr::event as outbox;

pub use event::{
    AWS_SOURCE, Artifact, Event, ImageAction, LifecycleAction, OWN_SOURCE, PullThroughCache,
    Replicated, StorageClassChange,
};
pub(crate) use images::{
    Removed, deleted, deleted_referrers, expired, moved_class, pushed, subject_of,
};

use crate::{Error, RepositoryFacts};

/// Whether any target of the registry is enabled: if not, nothing needs to be looked up for an event.
pub(crate) fn are_wanted(repo: &RepositoryFacts) -> bool {
    !repo.registry.event_patterns.is_empty()
}

/// Writes an event of the repository, if a target asks for it. It belongs in the transaction of the change.
pub(crate) async fn emit(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    event: &Event<'_>,
    now: i64,
) -> Result<(), Error> {
    let patterns = &repo.registry.event_patterns;
    if patterns.is_empty() {
        return Ok(());
    }
    let (source, detail_type) = (event.source(), event.detail_type());
    let detail = event.detail(&repo.name);
    let wanted = patterns
        .iter()
        .any(|pattern| pattern.matches(source, detail_type, &detail));
    if !wanted {
        return Ok(());
    }
    let row = outbox::Event {
        id: 0,
        account: repo.account.to_string(),
        region: repo.region.to_string(),
        repository: repo.name.to_string(),
        source: source.to_owned(),
        detail_type: detail_type.to_owned(),
        resource: event.names_resource().then(|| repo.arn.to_string()),
        detail: detail.to_string(),
        occurred_at: now,
    };
    Ok(outbox::insert(conn, &row).await?)
}
