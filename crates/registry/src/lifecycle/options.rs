//! What Berth adds to lifecycle policies. All of it is off unless it is set for a repository.

use store::ecr::lifecycle;

use super::policy::Action;
use super::select::{Candidate, DAY_MS};
use crate::Error;
use crate::tag_pattern::Pattern;

/// The options of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Images that were pulled in the last days do not expire.
    pub pulled_within_days: Option<u32>,
    /// Images with a tag that one of these matches are neither deleted nor archived by a policy.
    pub protected: Vec<Pattern>,
    /// Runs say what they would do, and do nothing.
    pub dry_run: bool,
}

impl Options {
    /// Those that are stored.
    pub(super) fn stored(row: &lifecycle::Options) -> Result<Options, Error> {
        let patterns = row.protected_tag_patterns.lines().map(Pattern::new);
        let patterns: Option<Vec<Pattern>> = patterns.collect();
        let days = row.pulled_within_days.map(u32::try_from).transpose();
        Ok(Options {
            pulled_within_days: days.map_err(Error::internal)?,
            protected: patterns.ok_or_else(|| Error::internal("a stored pattern is invalid"))?,
            dry_run: row.dry_run,
        })
    }

    /// Whether one of the tags is protected.
    #[must_use]
    pub fn protect(&self, tags: &[String]) -> bool {
        let protected = |tag: &String| self.protected.iter().any(|pattern| pattern.matches(tag));
        tags.iter().any(protected)
    }

    /// Whether a rule may act on the image at `now`.
    #[must_use]
    pub fn allow(&self, image: &Candidate, action: Action, now: i64) -> bool {
        let pulled_lately = match (action, self.pulled_within_days, image.last_pull) {
            (Action::Expire, Some(days), Some(pulled)) => {
                now.saturating_sub(pulled) <= i64::from(days) * DAY_MS
            }
            _ => false,
        };
        !image.is_protected && !pulled_lately
    }
}
