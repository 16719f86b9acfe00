//! The scrub: reads every copy once in a period, the one that was read longest ago first, and every manifest.
//!
//! It only marks what is damaged, so that a push repairs it, and takes a mark away from what is whole. What else may not
//! agree, a check says.

use authz::ServiceName;
use jiff::{SignedDuration, Timestamp};
use store::ecr::damage::{self, SCOPE};
use store::ecr::image;
use store::ecr::repository;
use store::settings;

use super::copies::Row;
use super::{ScrubPace, ScrubTotals};
use crate::damage::is_whole;
use crate::{Error, Registry, RepositoryFacts};

/// The kind of the job.
pub const SCRUB_JOB: &str = "scrub";

/// Copies of one turn.
const COPIES_AT_ONCE: i64 = 20;
/// Manifests of one turn: at most 32 MiB.
const MANIFESTS_AT_ONCE: i64 = 8;
/// The pause between two turns while there is work, and the longest without.
const TURN_PAUSE: SignedDuration = SignedDuration::from_millis(200);
const IDLE_PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);
const IDLE_PAUSE_MIN: SignedDuration = SignedDuration::from_secs(1);
/// The settings that say when the latest pass over all manifests began, and behind which image it is.
const MANIFESTS_SINCE: &str = "scrub_manifests_since";
const MANIFESTS_AFTER: &str = "scrub_manifests_after";

impl Registry {
    /// Counters of the scrub and of damage.
    #[must_use]
    pub fn scrub_totals(&self) -> ScrubTotals {
        self.0.scrubbed.read()
    }

    /// Counts what is known to be damaged, for the metrics of this node.
    pub(crate) async fn renew_known_damage(&self) -> Result<(), Error> {
        let mut read = self.0.store.read().await?;
        let known = damage::count_marked(&mut read.conn()).await?;
        self.0.scrubbed.set_known(known.unsigned_abs());
        Ok(())
    }

    /// One turn of the scrub; answers when the next is due.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn scrub(
        &self,
        service: ServiceName,
        now: Timestamp,
    ) -> Result<SignedDuration, Error> {
        let pace = self.0.settings.scrub;
        if pace.after.is_zero() {
            return Ok(IDLE_PAUSE_MAX);
        }
        if !self.0.blobs.is_there().await? {
            return Err(Error::internal("the directory of blobs is not there"));
        }
        let now_ms = now.as_millisecond();
        let after_ms = i64::try_from(pace.after.as_millis()).unwrap_or(i64::MAX);
        let until = now_ms.saturating_sub(after_ms);
        let copies = {
            let mut read = self.0.store.read().await?;
            damage::read_before(&mut read.conn(), until, COPIES_AT_ONCE).await?
        };
        for copy in &copies {
            self.scrub_copy(service, copy, pace, now_ms).await?;
        }
        let more_manifests = self.scrub_manifests(service, until, now_ms).await?;
        let rest = SignedDuration::from_millis(after_ms / 24);
        Ok(match copies.is_empty() && !more_manifests {
            true => rest.clamp(IDLE_PAUSE_MIN, IDLE_PAUSE_MAX),
            false => TURN_PAUSE,
        })
    }

    async fn scrub_copy(
        &self,
        service: ServiceName,
        row: &damage::Copy,
        pace: ScrubPace,
        now: i64,
    ) -> Result<(), Error> {
        let of = Row::of(row)?;
        let found = match self.blobs_under(of.copy.encryption).await {
            Ok(blobs) => {
                let rate = pace.bytes_per_second;
                let found = self.inspect(&blobs, &of.digest, &of.copy, rate).await?;
                let found = self.confirmed(&blobs, &of.digest, &of.copy, found).await?;
                self.0.scrubbed.note(row.size.unsigned_abs());
                Some(found)
            }
            // Its turn comes again in the next period.
            Err(Error::Kms(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(Some(found)) = found {
            // The row is looked up by the key of the copy: one that was replaced or deleted meanwhile is not marked.
            self.mark_copy(service, &of.digest, &of.copy, found, now)
                .await?;
        }
        let (was_damaged, is_whole) = (row.damaged_at.is_some(), found == Some(None));
        let mut tx = self.0.store.write(SCOPE).await?;
        damage::set_verified(&mut tx.conn(), row, is_whole, now).await?;
        tx.commit().await?;
        if was_damaged && is_whole {
            tracing::warn!(
                digest = row.digest,
                "a layer that was marked as damaged is whole"
            );
        }
        Ok(())
    }

    /// Some manifests of a pass; whether there are more.
    async fn scrub_manifests(
        &self,
        service: ServiceName,
        until: i64,
        now: i64,
    ) -> Result<bool, Error> {
        let (since, after) = {
            let mut read = self.0.store.read().await?;
            let conn = &mut read.conn();
            let number = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok());
            let since = number(settings::get(conn, MANIFESTS_SINCE).await?);
            let after = number(settings::get(conn, MANIFESTS_AFTER).await?);
            (since, after)
        };
        // Behind the last image there is no place; a new pass begins when its time has come.
        let (after, begins) = match (after, since) {
            (Some(after), _) => (after, false),
            (None, Some(since)) if since > until => return Ok(false),
            (None, _) => (0, true),
        };
        let page = {
            let mut read = self.0.store.read().await?;
            image::contents(&mut read.conn(), after, MANIFESTS_AT_ONCE).await?
        };
        for (content, repository_id) in &page {
            if is_whole(content)? {
                continue;
            }
            let row = {
                let mut read = self.0.store.read().await?;
                repository::get(&mut read.conn(), *repository_id).await?
            };
            if let Some(row) = row {
                let repo = RepositoryFacts::of_row(&row)?;
                self.mark_manifest(service, &repo, content, now).await?;
            }
        }
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        if begins {
            settings::put(conn, MANIFESTS_SINCE, &now.to_string()).await?;
        }
        let place = page.last().map(|(last, _)| last.id.to_string());
        settings::put(conn, MANIFESTS_AFTER, &place.clone().unwrap_or_default()).await?;
        tx.commit().await?;
        Ok(place.is_some())
    }
}
