//! What is stored and transferred: counted, and shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use authz::ServiceName;
use aws_api::berth::{
    GetUsageRequest, GetUsageResponse, ListPrincipalUsageRequest, ListPrincipalUsageResponse,
    ListRepositoryUsageRequest, ListRepositoryUsageResponse, PrincipalUsage, RepositoryUsage,
    UsageDay,
};
use store::Conn;
use store::ecr::usage::{self, Amounts, Day, REPOSITORY_DELETED, SCOPE};
use store::ecr::{pull, repository};

use crate::activity::{Key, Note, Of, UsageTotals, date, day_of, range};
use crate::ecr::token;
use crate::facts::registry_account;
use crate::repository::registry_of;
use crate::who::Who;
use crate::{Authorized, Error, Registry};

/// Notes that one transaction writes.
const NOTES_AT_ONCE: usize = 200;
/// Changes that one transaction counts.
const CHANGES_AT_ONCE: i64 = 100;
/// Transactions of counting that a request waits for: what is left is counted by the job.
const ROUNDS_MAX: usize = 20;
/// Rows that one step of pruning removes.
const PRUNE_ROWS_MAX: i64 = 1_000;
/// Days for which pulls and transfers are kept.
const DAYS_KEPT: i64 = 400;
/// The largest page of repositories and principals.
const PAGE_MAX: usize = 1_000;

/// The subject of the account as a whole.
pub(crate) const ACCOUNT: &str = "a";
const PRINCIPAL: &str = "p/";

/// Whose repository a layer is sent from, and to whom.
#[derive(Clone, Debug)]
pub struct Download {
    of: Of,
    principal: String,
    at: jiff::Timestamp,
}

impl Download {
    /// By a caller.
    #[must_use]
    pub fn of(cx: &Authorized, repo: &crate::RepositoryFacts) -> Download {
        Download {
            of: Of::repository(repo),
            principal: principal_of(cx),
            at: cx.now,
        }
    }

    /// By the URL that was made for a principal; `None` when that is not known.
    #[must_use]
    pub fn by_url(
        repository_id: i64,
        arn: &aws_types::Arn,
        principal: &str,
        at: jiff::Timestamp,
    ) -> Option<Download> {
        Some(Download {
            of: Of {
                account: arn.account().parse().ok()?,
                region: arn.region().parse().ok()?,
                repository_id,
            },
            principal: Some(principal).filter(|arn| !arn.is_empty())?.to_owned(),
            at,
        })
    }
}

/// The user, role or root user behind a caller, as usage and history name it.
#[must_use]
pub fn principal_of(cx: &authz::RequestContext) -> String {
    Who::of(&cx.caller).principal
}

pub(crate) fn repository_subject(id: i64) -> String {
    format!("r/{id}")
}

impl Registry {
    /// Counters for the server's metrics.
    #[must_use]
    pub fn usage_totals(&self) -> UsageTotals {
        self.0.activity.totals.read()
    }

    /// Notes what a caller did in a repository; of a pull, with the image's digest.
    pub(crate) fn note(
        &self,
        cx: &Authorized,
        repo: &crate::RepositoryFacts,
        digest: Option<&blobs::Digest>,
        amounts: Amounts,
    ) {
        let who = Who::of(&cx.caller);
        let (activity, now) = (&self.0.activity, cx.now_ms());
        activity.note(Of::repository(repo), &who.principal, digest, amounts, now);
    }

    /// Notes that a caller sent a layer.
    pub(crate) fn note_received(
        &self,
        cx: &Authorized,
        repo: &crate::RepositoryFacts,
        layer: &crate::Layer,
    ) {
        let amounts = Amounts {
            received: i64::try_from(layer.size).unwrap_or(i64::MAX),
            ..Amounts::default()
        };
        self.note(cx, repo, None, amounts);
    }

    /// Notes that a caller pulled a manifest.
    pub(crate) fn note_pull(
        &self,
        cx: &Authorized,
        repo: &crate::RepositoryFacts,
        manifest: &crate::Manifest,
    ) {
        let amounts = Amounts {
            sent: i64::try_from(manifest.bytes.len()).unwrap_or(i64::MAX),
            pulls: 1,
            ..Amounts::default()
        };
        self.note(cx, repo, Some(&manifest.digest), amounts);
        if crate::events::are_wanted(repo) {
            let (digest, now) = (manifest.digest.to_string(), cx.now_ms());
            let principal = Who::of(&cx.caller).principal;
            self.0.pull_notes.note(repo, &digest, &principal, now);
        }
    }

    /// Notes bytes of a layer that were sent.
    pub fn note_sent(&self, download: &Download, bytes: u64) {
        let amounts = Amounts {
            sent: i64::try_from(bytes).unwrap_or(i64::MAX),
            ..Amounts::default()
        };
        let Download { of, principal, at } = download;
        self.0
            .activity
            .note(of.clone(), principal, None, amounts, at.as_millisecond());
    }

    /// Writes what was noted on this node. Where that fails, it is tried again later.
    pub(crate) async fn write_activity(&self) -> Result<(), Error> {
        let mut notes = self.0.activity.take();
        while !notes.is_empty() {
            let rest = notes.split_off(notes.len().min(NOTES_AT_ONCE));
            if let Err(error) = self.write_notes(&notes).await {
                self.0.activity.put_back(notes.into_iter().chain(rest));
                return Err(error);
            }
            notes = rest;
        }
        Ok(())
    }

    async fn write_notes(&self, notes: &[(Key, Note)]) -> Result<(), Error> {
        let mut days: BTreeMap<(String, String, i64), Amounts> = BTreeMap::new();
        let mut tx = self.0.store.write(SCOPE).await?;
        for (key, note) in notes {
            let registry = registry_of(key.of.account.as_str(), key.of.region.as_str());
            let subjects = [
                ACCOUNT.to_owned(),
                repository_subject(key.of.repository_id),
                format!("{PRINCIPAL}{}", key.principal),
            ];
            for subject in subjects {
                let sum = days
                    .entry((registry.clone(), subject, key.day))
                    .or_default();
                sum.received = sum.received.saturating_add(note.amounts.received);
                sum.sent = sum.sent.saturating_add(note.amounts.sent);
                sum.pulls = sum.pulls.saturating_add(note.amounts.pulls);
                sum.pushes = sum.pushes.saturating_add(note.amounts.pushes);
            }
            if let Some(digest) = key.digest.clone().filter(|_| note.amounts.pulls > 0) {
                let pulls = pull::Pulls {
                    day: key.day,
                    digest,
                    principal: key.principal.to_string(),
                    pulls: note.amounts.pulls,
                    last_at: note.last_at,
                };
                pull::add(&mut tx.conn(), key.of.repository_id, &pulls).await?;
            }
        }
        for ((registry, subject, day), amounts) in days {
            usage::add_day(&mut tx.conn(), &registry, &subject, day, amounts).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Counts layers and manifests that came or went, some at a time; returns whether there are more.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_usage(&self, _: ServiceName, now: jiff::Timestamp) -> Result<bool, Error> {
        self.count_changes(day_of(now.as_millisecond())).await
    }

    async fn count_changes(&self, today: i64) -> Result<bool, Error> {
        {
            let mut read = self.0.store.read().await?;
            if usage::changes(&mut read.conn(), 1).await?.is_empty() {
                return Ok(false);
            }
        }
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let changes = usage::changes(conn, CHANGES_AT_ONCE).await?;
        let more = token::rows(changes.len()) > CHANGES_AT_ONCE;
        let mut count = Count::default();
        let (mut done, mut seen) = (Vec::new(), BTreeSet::new());
        for (id, repository_id, digest) in changes {
            if digest == REPOSITORY_DELETED {
                let left = usage::counted_digests(conn, repository_id, CHANGES_AT_ONCE).await?;
                for digest in &left {
                    count.bring_up_to_date(conn, repository_id, digest).await?;
                }
                // What is left is counted by the next round, by the same row.
                if token::rows(left.len()) > CHANGES_AT_ONCE {
                    break;
                }
            } else if seen.insert((repository_id, digest.clone())) {
                count.bring_up_to_date(conn, repository_id, &digest).await?;
            }
            done.push(id);
        }
        count.write(conn, today).await?;
        usage::remove_changes(conn, &done).await?;
        tx.commit().await?;
        Ok(more)
    }

    /// Reads what all accounts store, for the metrics of this node: one node counts for all.
    pub(crate) async fn renew_stored_total(&self) -> Result<(), Error> {
        let mut read = self.0.store.read().await?;
        let all = usage::stored_by_all(&mut read.conn(), ACCOUNT).await?;
        let stored = &self.0.activity.totals.stored;
        stored.store(all.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }

    /// Removes pulls and days that are too old, some at a time; returns whether there may be more.
    ///
    /// # Errors
    /// The store's.
    pub async fn prune_usage(&self, _: ServiceName, now: jiff::Timestamp) -> Result<bool, Error> {
        let oldest = day_of(now.as_millisecond()) - DAYS_KEPT;
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        let pulls = pull::prune(conn, oldest, PRUNE_ROWS_MAX).await?;
        let days = usage::prune_days(conn, oldest, PRUNE_ROWS_MAX).await?;
        tx.commit().await?;
        Ok(pulls.max(days) >= PRUNE_ROWS_MAX.unsigned_abs())
    }

    /// Brings the numbers up to date before they are shown. While the database takes no writes, older
    /// numbers are shown; the server's log says that nothing is written.
    pub(crate) async fn bring_up_to_date(&self, today: i64) {
        let _ = self.write_activity().await;
        for _ in 0..ROUNDS_MAX {
            if !matches!(self.count_changes(today).await, Ok(true)) {
                return;
            }
        }
    }

    /// `GetUsage`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for dates.
    pub async fn get_usage(
        &self,
        cx: &Authorized,
        input: GetUsageRequest,
    ) -> Result<GetUsageResponse, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let (start, end) = (input.start_date.as_deref(), input.end_date.as_deref());
        let (first, last) = range(start, end, cx.now_ms())?;
        self.bring_up_to_date(day_of(cx.now_ms())).await;
        let registry = registry_of(account.as_str(), cx.region.as_str());
        let mut read = self.0.store.snapshot().await?;
        let conn = &mut read.conn();
        let (repositories, images) =
            repository::counts(conn, account.as_str(), cx.region.as_str()).await?;
        let subject = Subject::load(conn, &registry, ACCOUNT, (first, last)).await?;
        let sum = subject.sum();
        let days = subject.days.iter().map(|(day, stored, amounts)| {
            Ok(UsageDay {
                day: date(*day)?,
                stored_bytes: *stored,
                received_bytes: amounts.received,
                sent_bytes: amounts.sent,
                pull_count: amounts.pulls,
                push_count: amounts.pushes,
            })
        });
        Ok(GetUsageResponse {
            registry_id: account.to_string(),
            repository_count: repositories,
            image_count: images,
            stored_bytes: subject.stored,
            received_bytes: sum.received,
            sent_bytes: sum.sent,
            stored_byte_days: subject.byte_days(),
            days: days.collect::<Result<_, Error>>()?,
            calculated_at: cx.now,
        })
    }

    /// `ListRepositoryUsage`, in the order of names.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for dates and a token.
    pub async fn list_repository_usage(
        &self,
        cx: &Authorized,
        input: ListRepositoryUsageRequest,
    ) -> Result<ListRepositoryUsageResponse, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let (start, end) = (input.start_date.as_deref(), input.end_date.as_deref());
        let days = range(start, end, cx.now_ms())?;
        let after = token::open(input.next_token.as_ref())?;
        if after.is_empty() {
            self.bring_up_to_date(day_of(cx.now_ms())).await;
        }
        let n = token::page_size(input.max_results).min(PAGE_MAX);
        let (owner, region) = (account.as_str(), cx.region.as_str());
        let registry = registry_of(owner, region);
        let mut read = self.0.store.snapshot().await?;
        let conn = &mut read.conn();
        let mut rows = repository::list(conn, owner, region, &after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n).map(|row| token::seal(&row.name));
        let mut repositories = Vec::with_capacity(rows.len());
        for row in rows {
            let subject = repository_subject(row.id);
            let subject = Subject::load(conn, &registry, &subject, days).await?;
            let sum = subject.sum();
            repositories.push(RepositoryUsage {
                repository_name: row.name,
                image_count: row.image_count,
                stored_bytes: subject.stored,
                shared_bytes: subject.shared,
                received_bytes: sum.received,
                sent_bytes: sum.sent,
                stored_byte_days: subject.byte_days(),
                pull_count: sum.pulls,
                push_count: sum.pushes,
            });
        }
        Ok(ListRepositoryUsageResponse {
            repositories,
            next_token,
        })
    }

    /// `ListPrincipalUsage`, in the order of ARNs.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for dates and a token.
    pub async fn list_principal_usage(
        &self,
        cx: &Authorized,
        input: ListPrincipalUsageRequest,
    ) -> Result<ListPrincipalUsageResponse, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let (start, end) = (input.start_date.as_deref(), input.end_date.as_deref());
        let days = range(start, end, cx.now_ms())?;
        let after = token::open(input.next_token.as_ref())?;
        if after.is_empty() {
            self.bring_up_to_date(day_of(cx.now_ms())).await;
        }
        let n = token::page_size(input.max_results).min(PAGE_MAX);
        let registry = registry_of(account.as_str(), cx.region.as_str());
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let (rows, limit) = (PRINCIPAL, token::rows(n));
        let mut rows = usage::sums(conn, &registry, rows, &after, days, limit).await?;
        let next_token = token::cut(&mut rows, n).map(|(subject, _)| token::seal(subject));
        let principals = rows.into_iter().map(|(subject, sum)| PrincipalUsage {
            principal_arn: subject[PRINCIPAL.len()..].to_owned(),
            received_bytes: sum.received,
            sent_bytes: sum.sent,
            pull_count: sum.pulls,
            push_count: sum.pushes,
        });
        Ok(ListPrincipalUsageResponse {
            principals: principals.collect(),
            next_token,
        })
    }
}

/// What one transaction of counting changes: bytes stored and bytes shared, by registry and subject.
#[derive(Default)]
struct Count {
    changes: BTreeMap<(String, String), (i64, i64)>,
    registries: BTreeMap<i64, Option<String>>,
    gone: BTreeSet<(String, String)>,
}

impl Count {
    fn add(&mut self, registry: &str, subject: String, stored: i64, shared: i64) {
        let sum = self
            .changes
            .entry((registry.to_owned(), subject))
            .or_default();
        *sum = (sum.0.saturating_add(stored), sum.1.saturating_add(shared));
    }

    /// Compares what a repository has of a digest with what was counted of it.
    async fn bring_up_to_date(
        &mut self,
        conn: &mut Conn<'_>,
        repository_id: i64,
        digest: &str,
    ) -> Result<(), Error> {
        let registry = match self.registries.get(&repository_id) {
            Some(known) => known.clone(),
            None => {
                let row = repository::get(conn, repository_id).await?;
                let registry = row.map(|row| registry_of(&row.account, &row.region));
                self.registries.insert(repository_id, registry.clone());
                registry
            }
        };
        let present = match &registry {
            Some(_) => usage::present_size(conn, repository_id, digest).await?,
            None => None,
        };
        let counted = usage::counted(conn, repository_id, digest).await?;
        let (registry, size, sign) = match (registry, present, counted) {
            (Some(registry), Some(size), None) => {
                usage::count_in(conn, &registry, repository_id, digest, size).await?;
                (registry, size, 1)
            }
            (of_repository, None, Some((registry, size))) => {
                usage::count_out(conn, &registry, repository_id, digest).await?;
                if of_repository.is_none() {
                    self.gone
                        .insert((registry.clone(), repository_subject(repository_id)));
                }
                (registry, size, -1)
            }
            _ => return Ok(()),
        };
        let bytes = size * sign;
        let others = usage::other_holders(conn, &registry, digest, repository_id).await?;
        let shared = if others.is_empty() { 0 } else { bytes };
        self.add(&registry, repository_subject(repository_id), bytes, shared);
        match others.as_slice() {
            [] => self.add(&registry, ACCOUNT.to_owned(), bytes, 0),
            // It becomes shared, or is so no more.
            [other] => self.add(&registry, repository_subject(*other), 0, bytes),
            _ => {}
        }
        Ok(())
    }

    async fn write(self, conn: &mut Conn<'_>, today: i64) -> Result<(), Error> {
        for ((registry, subject), (stored, shared)) in self.changes {
            let now = usage::add_stored(conn, &registry, &subject, stored, shared).await?;
            if stored != 0 {
                usage::set_day_stored(conn, &registry, &subject, today, now).await?;
            }
            if now == 0 && self.gone.contains(&(registry.clone(), subject.clone())) {
                usage::forget_stored(conn, &subject, &registry).await?;
            }
        }
        Ok(())
    }
}

/// A subject's numbers over some days.
struct Subject {
    stored: i64,
    shared: i64,
    /// Each day with what was stored at its end.
    days: Vec<(i64, i64, Amounts)>,
}

impl Subject {
    async fn load(
        conn: &mut Conn<'_>,
        registry: &str,
        subject: &str,
        (first, last): (i64, i64),
    ) -> Result<Subject, Error> {
        let (stored, shared) = usage::stored(conn, registry, subject).await?;
        let before = usage::stored_before(conn, registry, subject, first).await?;
        let rows = usage::days(conn, registry, subject, (first, last)).await?;
        Ok(Subject {
            stored,
            shared,
            days: filled(&rows, before.unwrap_or(0), (first, last)),
        })
    }

    fn sum(&self) -> Amounts {
        let mut sum = Amounts::default();
        for (_, _, amounts) in &self.days {
            sum.received = sum.received.saturating_add(amounts.received);
            sum.sent = sum.sent.saturating_add(amounts.sent);
            sum.pulls = sum.pulls.saturating_add(amounts.pulls);
            sum.pushes = sum.pushes.saturating_add(amounts.pushes);
        }
        sum
    }

    fn byte_days(&self) -> i64 {
        let stored = self.days.iter().map(|(_, stored, _)| *stored);
        stored.fold(0, i64::saturating_add)
    }
}

/// Every day of a range: what was stored holds until it changes.
fn filled(rows: &[Day], before: i64, (first, last): (i64, i64)) -> Vec<(i64, i64, Amounts)> {
    let mut rows = rows.iter().peekable();
    let mut stored = before;
    let day = |day| {
        let row = rows.next_if(|row| row.day == day);
        stored = row.and_then(|row| row.stored).unwrap_or(stored);
        (day, stored, row.map(|row| row.amounts).unwrap_or_default())
    };
    (first..=last).map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_holds_until_it_changes() {
        let row = |day, stored, sent| Day {
            day,
            stored,
            amounts: Amounts {
                sent,
                ..Amounts::default()
            },
        };
        let rows = [row(11, Some(70), 1), row(12, None, 2), row(14, Some(0), 4)];
        let filled = filled(&rows, 50, (10, 15));
        let shown = filled
            .iter()
            .map(|(day, stored, a)| (*day, *stored, a.sent));
        let days: Vec<_> = shown.collect();
        let wanted = [
            (10, 50, 0),
            (11, 70, 1),
            (12, 70, 2),
            (13, 70, 0),
            (14, 0, 4),
            (15, 0, 0),
        ];
        assert_eq!(days, wanted);
    }
}
