//! The crate's handle, and what others ask of a secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use authz::ServiceName;
use aws_types::{AccountId, Arn, Entropy, Region};
use jiff::Timestamp;
use store::service_events::{self, NewEvent};
use store::{Conn, Scope, Store, Write};

use crate::name::{arn, parse_id};
use crate::seal::Seal;
use crate::value::PlainValue;
use crate::{Error, tags};

/// Secrets that one run of [`Secrets::purge`] removes.
const PURGED_AT_ONCE: i64 = 100;
/// The label of the version that is meant where none is named.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// The label of the version that had [`CURRENT`] before.
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// Secrets. Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    pub(crate) store: Store,
    pub(crate) seal: Arc<dyn Seal>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What the authorization step learns of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFacts {
    /// The ARN; of a secret that is not there, with question marks for what is random.
    pub arn: String,
    /// Its name, where the id has one.
    pub name: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Secrets {
    /// Puts the parts together.
    #[must_use]
    pub fn new(store: Store, seal: Arc<dyn Seal>, entropy: Arc<dyn Entropy>) -> Secrets {
        Secrets {
            store,
            seal,
            entropy,
        }
    }

    /// What a decision about `id` must know. It comes before the decision, so it takes no proof of one. An ARN
    /// of another account is a resource as it is: nothing of it can be read.
    ///
    /// # Errors
    /// The store's.
    pub async fn facts(
        &self,
        account: AccountId,
        region: &Region,
        id: &str,
    ) -> Result<SecretFacts, Error> {
        let plain = |arn: String, name: Option<String>| SecretFacts {
            arn,
            name,
            tags: BTreeMap::new(),
        };
        let Some(named) = parse_id(id, account, region) else {
            return Ok(plain(id.to_owned(), None));
        };
        let mut read = self.store.read().await?;
        let found = lookup(&mut read.conn(), account, region, &named, None).await?;
        Ok(match found {
            Some(secret) => SecretFacts {
                arn: arn(region, account, &secret.name, Some(&secret.suffix)),
                tags: tags::stored(&secret.tags)?,
                name: Some(secret.name),
            },
            None => match named.into_iter().next() {
                Some((name, suffix)) => {
                    plain(arn(region, account, &name, suffix.as_deref()), Some(name))
                }
                None => plain(id.to_owned(), None),
            },
        })
    }

    /// Whether there is a secret with this ARN of the account and region. It may not have a value yet: Terraform
    /// makes the value and the cache rule that names the secret at the same time.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_there(
        &self,
        _: ServiceName,
        (account, region): (AccountId, &Region),
        arn: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(named) = parse_id(arn, account, region) else {
            return Ok(false);
        };
        let mut read = self.store.read().await?;
        let now = Some(now.as_millisecond());
        let found = lookup(&mut read.conn(), account, region, &named, now).await?;
        Ok(found.is_some_and(|secret| secret.deleted_at.is_none()))
    }

    /// The current value of the secret with this ARN, for the server's own use at an upstream registry.
    /// `None` when there is no such secret.
    ///
    /// # Errors
    /// The store's and the sealer's.
    pub async fn current_value(
        &self,
        _: ServiceName,
        arn: &str,
        now: Timestamp,
    ) -> Result<Option<PlainValue>, Error> {
        let parsed = arn.parse::<Arn>().ok().and_then(|arn| {
            let account: AccountId = arn.account().parse().ok()?;
            let region: Region = arn.region().parse().ok()?;
            Some((account, region))
        });
        let Some((account, region)) = parsed else {
            return Ok(None);
        };
        let named = parse_id(arn, account, &region).unwrap_or_default();
        let version = {
            let mut read = self.store.read().await?;
            let conn = &mut read.conn();
            let now = Some(now.as_millisecond());
            let found = lookup(conn, account, &region, &named, now).await?;
            let Some(secret) = found.filter(|secret| secret.deleted_at.is_none()) else {
                return Ok(None);
            };
            let versions = store::secrets::versions(conn, secret.id).await?;
            let current = versions
                .into_iter()
                .find(|one| has_stage(&one.stages, CURRENT));
            let Some(version) = current else {
                return Ok(None);
            };
            let place = place(account, &region, &secret.name, &version.version_id);
            (place, version.sealed)
        };
        let (place, sealed) = version;
        PlainValue::open(&*self.seal, &place, &sealed)
            .await
            .map(Some)
    }

    /// Removes secrets whose recovery window is over. One node does it for all.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge(&self, service: ServiceName, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        let expired = {
            let mut read = self.store.read().await?;
            store::secrets::expired(&mut read.conn(), now, PURGED_AT_ONCE).await?
        };
        for (account, region, name) in expired {
            let mut tx = self.store.write(Scope::Account(&account)).await?;
            let found = store::secrets::find(&mut tx.conn(), &account, &region, &name).await?;
            let Some(secret) = found.filter(|secret| is_gone(secret, now)) else {
                continue;
            };
            self.remove(&mut tx, service, &account, &region, &secret, now)
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    pub(crate) async fn remove(
        &self,
        tx: &mut Write,
        service: ServiceName,
        account: &str,
        region: &str,
        secret: &store::secrets::Secret,
        now: i64,
    ) -> Result<(), Error> {
        store::secrets::delete(&mut tx.conn(), secret.id).await?;
        let details = serde_json::json!({ "name": secret.name, "region": region });
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "EndSecretVersionDelete",
            account: Some(account),
            resource: None,
            details: &details.to_string(),
        };
        Ok(service_events::insert(&mut tx.conn(), &event).await?)
    }
}

/// Which version of which secret a sealed value is.
pub(crate) fn place(account: AccountId, region: &Region, name: &str, version: &str) -> String {
    format!("{account}/{region}/{name}/{version}")
}

pub(crate) fn has_stage(stages: &str, stage: &str) -> bool {
    stages.lines().any(|one| one == stage)
}

fn is_gone(secret: &store::secrets::Secret, now: i64) -> bool {
    secret.purge_at.is_some_and(|at| at <= now)
}

/// The first of the names that a secret has, with its suffix where one is given. With `now`, one whose time is
/// over is none.
pub(crate) async fn lookup(
    conn: &mut Conn<'_>,
    account: AccountId,
    region: &Region,
    named: &[(String, Option<String>)],
    now: Option<i64>,
) -> Result<Option<store::secrets::Secret>, Error> {
    for (name, suffix) in named {
        let found = store::secrets::find(conn, account.as_str(), region.as_str(), name).await?;
        let found = found
            .filter(|secret| {
                suffix
                    .as_ref()
                    .is_none_or(|suffix| *suffix == secret.suffix)
            })
            .filter(|secret| now.is_none_or(|now| !is_gone(secret, now)));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
