//! The targets of a registry: made, listed, deleted. Secrets come sealed; this crate never sees one.

use std::collections::HashMap;

use aws_api::berth::{EventTarget, EventTargetState};
use aws_types::{AccountId, Region};
use jiff::Timestamp;
use store::Conn;
use store::ecr::event_delivery;
use store::ecr::event_target::{self, Target};

use crate::event_pattern::Pattern;
use crate::{Authorized, Error, Registry};

/// Targets of an account in a region.
pub const TARGETS_MAX: usize = 10;
/// How long requests are signed by the previous secret as well.
const PREVIOUS_SECRET_MS: i64 = 24 * 3_600_000;

/// A target as it is to be.
#[derive(Debug)]
pub struct NewTarget {
    /// Its name.
    pub name: String,
    /// Where events are posted. The caller has checked it.
    pub url: String,
    /// Which events; `None`: those of before, or all.
    pub pattern: Option<String>,
    /// The sealed secret; `None`: that of before.
    pub secret: Option<Vec<u8>>,
    /// Whether events are sent.
    pub enabled: bool,
}

/// The ARN of a target.
#[must_use]
pub fn target_arn(account: &AccountId, region: &Region, name: &str) -> String {
    format!("arn:aws:berth:{region}:{account}:event-target/{name}")
}

/// A time in the API. Whole seconds: some SDKs refuse long fractions.
pub(super) fn shown_time(at: i64) -> Result<Timestamp, Error> {
    Timestamp::from_second(at.div_euclid(1_000)).map_err(Error::internal)
}

impl Registry {
    /// The target of this name in the caller's registry, as it is stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn event_target(&self, cx: &Authorized, name: &str) -> Result<Option<Target>, Error> {
        let mut read = self.0.store.read().await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        Ok(event_target::find(&mut read.conn(), account, region, name).await?)
    }

    /// The targets of the caller's registry with what waits for them.
    ///
    /// # Errors
    /// The store's.
    pub async fn event_targets(&self, cx: &Authorized) -> Result<Vec<EventTarget>, Error> {
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut targets = Vec::new();
        for target in event_target::list(conn, account, region).await? {
            targets.push(shown(conn, cx, target).await?);
        }
        Ok(targets)
    }

    /// A target with what waits for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn described_event_target(
        &self,
        cx: &Authorized,
        name: &str,
    ) -> Result<Option<EventTarget>, Error> {
        let Some(target) = self.event_target(cx, name).await? else {
            return Ok(None);
        };
        let mut read = self.0.store.read().await?;
        Ok(Some(shown(&mut read.conn(), cx, target).await?))
    }

    /// Makes or changes a target; `None` where it needs a secret, since there is none of this name.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a pattern that is none, [`Error::LimitExceeded`].
    pub async fn put_event_target(
        &self,
        cx: &Authorized,
        new: NewTarget,
    ) -> Result<Option<EventTarget>, Error> {
        if let Some(pattern) = &new.pattern {
            Pattern::parse(pattern)?;
        }
        let (account, region, now) = (cx.account.as_str(), cx.region.as_str(), cx.now_ms());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let known = event_target::list(conn, account, region).await?;
        let old = known.iter().find(|target| target.name == new.name);
        if old.is_none() && known.len() >= TARGETS_MAX {
            return Err(Error::LimitExceeded {
                what: "event targets of a registry",
                max: TARGETS_MAX as u64,
            });
        }
        let (secret, previous) = match (new.secret, old) {
            (None, None) => return Ok(None),
            (None, Some(old)) => {
                let previous = old.previous_secret.clone().zip(old.previous_until);
                (
                    old.secret.clone(),
                    previous.filter(|(_, until)| *until > now),
                )
            }
            (Some(secret), old) => {
                let until = now.saturating_add(PREVIOUS_SECRET_MS);
                (secret, old.map(|old| (old.secret.clone(), until)))
            }
        };
        let (previous_secret, previous_until) = previous.unzip();
        let pattern = new.pattern.or_else(|| old.map(|old| old.pattern.clone()));
        let target = Target {
            id: 0,
            account: account.to_owned(),
            region: region.to_owned(),
            name: new.name,
            url: new.url,
            pattern: pattern.unwrap_or_else(|| "{}".to_owned()),
            secret,
            previous_secret,
            previous_until,
            enabled: new.enabled,
            disabled_reason: None,
            created_at: old.map_or(now, |old| old.created_at),
            updated_at: now,
            failures: 0,
            not_before: 0,
        };
        event_target::put(conn, &target).await?;
        let stored = event_target::find(conn, account, region, &target.name).await?;
        let stored = stored.ok_or_else(|| Error::internal("the target is not there"))?;
        let answer = shown(conn, cx, stored).await?;
        self.configured(cx, tx).await?;
        Ok(Some(answer))
    }

    /// Deletes a target with what waits for it; false when there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete_event_target(&self, cx: &Authorized, name: &str) -> Result<bool, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let Some(target) = event_target::find(conn, account, region, name).await? else {
            return Ok(false);
        };
        event_target::delete(conn, target.id).await?;
        self.configured(cx, tx).await?;
        Ok(true)
    }

    /// The names of the registry's targets by the ids of their rows.
    pub(super) async fn target_names(
        &self,
        conn: &mut Conn<'_>,
        cx: &Authorized,
    ) -> Result<HashMap<i64, String>, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let targets = event_target::list(conn, account, region).await?;
        let names = targets.into_iter().map(|target| (target.id, target.name));
        Ok(names.collect())
    }
}

async fn shown(conn: &mut Conn<'_>, cx: &Authorized, target: Target) -> Result<EventTarget, Error> {
    let (waiting, _) = event_delivery::count(conn, target.id, false).await?;
    let (failed, _) = event_delivery::count(conn, target.id, true).await?;
    let now = cx.now_ms();
    let previous_until = target.previous_until.filter(|until| *until > now);
    let next_attempt = Some(target.not_before).filter(|at| target.failures > 0 && *at > now);
    Ok(EventTarget {
        target_arn: target_arn(&cx.account, &cx.region, &target.name),
        target_name: target.name,
        url: target.url,
        event_pattern: target.pattern,
        state: match target.enabled {
            true => EventTargetState::Enabled,
            false => EventTargetState::Disabled,
        },
        state_reason: target.disabled_reason,
        created_at: shown_time(target.created_at)?,
        updated_at: shown_time(target.updated_at)?,
        previous_secret_expires_at: previous_until.map(shown_time).transpose()?,
        waiting_count: waiting,
        failed_count: failed,
        failures: target.failures,
        next_attempt_at: next_attempt.map(shown_time).transpose()?,
    })
}
