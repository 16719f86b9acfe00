//! Who pulled and pushed how much: noted in memory, written in batches.
//!
//! A pull only adds to a number in memory; [`crate::Registry::maintain`] writes what was noted, every minute
//! and when the server stops. Numbers are added in the database, so those of several nodes come together.
//! A crash loses what was not written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_types::{AccountId, Region};
use blobs::Digest;
use jiff::Timestamp;
use store::ecr::usage::Amounts;

use crate::RepositoryFacts;

/// Notes that wait to be written: of an image, a principal and a day each.
const NOTES_MAX: usize = 50_000;
/// What they may take in memory together with their texts.
const NOTES_BYTES_MAX: usize = 16 << 20;
/// What a note takes beside its principal's ARN.
const NOTE_BYTES: usize = 250;
const DAY_MS: i64 = 86_400_000;

/// Days since the epoch, in UTC.
pub(crate) fn day_of(now_ms: i64) -> i64 {
    now_ms.div_euclid(DAY_MS)
}

/// A repository, and the registry that it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Of {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) repository_id: i64,
}

impl Of {
    pub(crate) fn repository(repo: &RepositoryFacts) -> Of {
        Of {
            account: repo.account,
            region: repo.region.clone(),
            repository_id: repo.id,
        }
    }
}

/// What is counted together. The order is that of writing, the same on every node, so that two of them
/// never wait for each other's rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) of: Of,
    pub(crate) day: i64,
    pub(crate) principal: Arc<str>,
    /// The image, of pulls.
    pub(crate) digest: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) amounts: Amounts,
    pub(crate) last_at: i64,
}

#[derive(Default)]
struct Waiting {
    notes: BTreeMap<Key, Note>,
    bytes: usize,
}

/// Totals of this process, for its metrics.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) pulls: AtomicU64,
    pub(crate) pushes: AtomicU64,
    pub(crate) forgotten: AtomicU64,
    pub(crate) stored: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Activity {
    waiting: Mutex<Waiting>,
    pub(crate) totals: Totals,
}

impl Activity {
    /// Notes what somebody did in a repository; of a pull, with the image's digest.
    pub(crate) fn note(
        &self,
        of: Of,
        principal: &str,
        digest: Option<&Digest>,
        amounts: Amounts,
        now_ms: i64,
    ) {
        self.count(amounts);
        let key = Key {
            of,
            day: day_of(now_ms),
            principal: principal.into(),
            digest: digest.map(Digest::to_string),
        };
        let note = Note {
            amounts,
            last_at: now_ms,
        };
        self.add(key, note);
    }

    fn count(&self, amounts: Amounts) {
        let totals = &self.totals;
        for (total, amount) in [
            (&totals.received, amounts.received),
            (&totals.sent, amounts.sent),
            (&totals.pulls, amounts.pulls),
            (&totals.pushes, amounts.pushes),
        ] {
            total.fetch_add(amount.unsigned_abs(), Ordering::Relaxed);
        }
    }

    fn add(&self, key: Key, note: Note) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { notes, bytes } = &mut *waiting;
        if let Some(known) = notes.get_mut(&key) {
            let sum = &mut known.amounts;
            sum.received = sum.received.saturating_add(note.amounts.received);
            sum.sent = sum.sent.saturating_add(note.amounts.sent);
            sum.pulls = sum.pulls.saturating_add(note.amounts.pulls);
            sum.pushes = sum.pushes.saturating_add(note.amounts.pushes);
            known.last_at = known.last_at.max(note.last_at);
            return;
        }
        let size = NOTE_BYTES + key.principal.len();
        if notes.len() >= NOTES_MAX || *bytes + size > NOTES_BYTES_MAX {
            self.totals.forgotten.fetch_add(1, Ordering::Relaxed);
            return;
        }
        *bytes += size;
        notes.insert(key, note);
    }

    /// Takes what is to be written, in its order.
    pub(crate) fn take(&self) -> Vec<(Key, Note)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).notes.into_iter().collect()
    }

    /// Puts back what could not be written.
    pub(crate) fn put_back(&self, notes: impl IntoIterator<Item = (Key, Note)>) {
        for (key, note) in notes {
            self.add(key, note);
        }
    }
}

/// Counters for the server's metrics: of this process, but for what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageTotals {
    /// Bytes that pushes brought.
    pub received: u64,
    /// Bytes that pulls took.
    pub sent: u64,
    /// Manifests that were pulled.
    pub pulls: u64,
    /// Manifests that were pushed.
    pub pushes: u64,
    /// Notes that found no room.
    pub forgotten: u64,
    /// Bytes of layers and manifests of all accounts, each once in its account, as last counted.
    pub stored: u64,
}

impl Totals {
    pub(crate) fn read(&self) -> UsageTotals {
        let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
        UsageTotals {
            received: of(&self.received),
            sent: of(&self.sent),
            pulls: of(&self.pulls),
            pushes: of(&self.pushes),
            forgotten: of(&self.forgotten),
            stored: of(&self.stored),
        }
    }
}

/// `2026-11-27` of days since the epoch.
pub(crate) fn date(day: i64) -> Result<String, crate::Error> {
    let at = Timestamp::from_millisecond(day.saturating_mul(DAY_MS));
    let at = at.map_err(crate::Error::internal)?;
    let text = aws_types::time::iso8601(at);
    Ok(text.chars().take(10).collect())
}

/// The days since the epoch of `2026-11-27`.
pub(crate) fn parse_date(at: &'static str, text: &str) -> Result<i64, crate::Error> {
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_| crate::Error::parameter(at, "must be a date of the form YYYY-MM-DD"))?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC);
    let zoned = zoned.map_err(crate::Error::internal)?;
    Ok(day_of(zoned.timestamp().as_millisecond()))
}

/// The days that an operation is about: by default the last 30.
pub(crate) fn range(
    start: Option<&str>,
    end: Option<&str>,
    now_ms: i64,
) -> Result<(i64, i64), crate::Error> {
    /// The longest range in days.
    const DAYS_MAX: i64 = 400;
    const DAYS_DEFAULT: i64 = 30;
    let last = match end {
        Some(text) => parse_date("endDate", text)?,
        None => day_of(now_ms),
    };
    let first = match start {
        Some(text) => parse_date("startDate", text)?,
        None => last - DAYS_DEFAULT + 1,
    };
    if first > last || last - first >= DAYS_MAX {
        let constraint = format!("must be at or before endDate, and at most {DAYS_MAX} days");
        return Err(crate::Error::parameter("startDate", constraint));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: i64) -> Key {
        Key {
            of: Of {
                account: "123456789012".parse().unwrap(),
                region: "us-east-1".parse().unwrap(),
                repository_id: n,
            },
            day: 1,
            principal: "p".into(),
            digest: None,
        }
    }

    #[test]
    fn notes_are_bounded_and_those_that_are_there_still_count() {
        let activity = Activity::default();
        let note = Note {
            amounts: Amounts {
                pulls: 1,
                ..Amounts::default()
            },
            last_at: 1,
        };
        for n in 0..=NOTES_MAX as i64 {
            activity.add(key(n), note);
        }
        activity.add(key(0), note);
        assert_eq!(activity.totals.read().forgotten, 1);
        let taken = activity.take();
        assert_eq!(taken.len(), NOTES_MAX);
        assert_eq!(taken[0].1.amounts.pulls, 2);
        activity.put_back(taken);
        assert_eq!(activity.take().len(), NOTES_MAX);
    }

    #[test]
    fn days_are_those_of_utc() {
        let day = parse_date("startDate", "2026-11-27").unwrap();
        assert_eq!(date(day).unwrap(), "2026-11-27");
        assert_eq!(day_of(day * DAY_MS + DAY_MS - 1), day);
        assert_eq!(range(None, None, day * DAY_MS).unwrap(), (day - 29, day));
        for (start, end) in [
            ("2026-11-28", "2026-11-27"),
            ("2020-01-01", "2026-11-27"),
            ("2026-13-01", "2026-11-27"),
        ] {
            assert!(range(Some(start), Some(end), 0).is_err(), "{start}");
        }
    }
}
