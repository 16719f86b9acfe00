//! Looking up what a registry is set to, and changing it.

use std::sync::Arc;

use authz::Authorized;
use aws_types::{AccountId, Arn, Region};
use policy::DocumentKind;
use store::ecr::{
    event_target, pull_through, pull_time_exclusion, registry_policy, registry_setting,
};
use store::{Scope, Write};

use crate::account_setting::AccountSetting;
use crate::cache::Change;
use crate::event_pattern::Pattern;
use crate::facts::{read_policy, union};
use crate::pull_through_rule::{PullThroughRule, RULES_MAX};
use crate::registry_facts::{RegistryFacts, RegistryPolicy};
use crate::replication_rules::ReplicationRules;
use crate::scan_rules::ScanRules;
use crate::{Error, Registry, policy_scope};

/// Exclusions of a registry (ECR user guide, "Amazon ECR service quotas").
pub(crate) const EXCLUSIONS_MAX: usize = 100;

impl Registry {
    /// The registry's facts, from memory when they were asked for before. A registry that nobody
    /// configured has the defaults.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn registry_facts(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Arc<RegistryFacts>, Error> {
        if let Some(known) = self.0.cache.registry_facts(*account, region) {
            return Ok(known);
        }
        let ticket = self.0.cache.ticket();
        let facts = Arc::new(self.read_registry_facts(account, region).await?);
        let cache = &self.0.cache;
        cache.put_registry_facts(ticket, *account, region, &facts);
        Ok(facts)
    }

    async fn read_registry_facts(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<RegistryFacts, Error> {
        let arn: Arc<str> = Arn::ecr_registry(region, *account).as_str().into();
        let (account, region) = (account.as_str(), region.as_str());
        // One state of the database: a policy is never applied with the scope of another one.
        let mut read = self.0.store.snapshot().await?;
        let conn = &mut read.conn();
        let text = registry_policy::get(conn, account, region).await?;
        let rows = registry_setting::list(conn, account, region).await?;
        let all = EXCLUSIONS_MAX as i64;
        let excluded = pull_time_exclusion::list(conn, account, region, "", all).await?;
        let patterns = event_target::patterns(conn, account, region).await?;
        let rules = pull_through::list(conn, account, region, RULES_MAX as i64).await?;
        drop(read);
        let rules = rules
            .iter()
            .map(|row| Ok(Arc::new(PullThroughRule::stored(row)?)));
        let rules = rules.collect::<Result<_, Error>>()?;
        let scan_rules = ScanRules::stored(&rows)?;
        let replication = ReplicationRules::stored(&rows)?;
        let settings = AccountSetting::stored(rows);
        let mut facts = RegistryFacts {
            settings,
            rules,
            scan_rules,
            event_patterns: patterns
                .iter()
                .map(|text| Pattern::parse(text).map_err(Error::internal))
                .collect::<Result<_, _>>()?,
            replication,
            excluded: excluded.into_iter().map(|(arn, _)| arn).collect(),
            ..RegistryFacts::default()
        };
        facts.mounts_blobs = facts.setting(AccountSetting::BlobMounting) == "ENABLED";
        let text = match facts.setting(AccountSetting::RegistryPolicyScope) {
            "V1" => text.map(|text| policy_scope::first(&text)).transpose()?,
            _ => text,
        };
        let document = text.map(|text| read_policy(&text, DocumentKind::EcrRegistry));
        facts.policy = document.transpose()?.and_then(|document| {
            let set = union(&arn, [document.clone()])?;
            Some(RegistryPolicy { document, set })
        });
        Ok(facts)
    }

    /// Whether the registry mounts blobs from one of its repositories into another (ECR user guide,
    /// "Blob mounting in Amazon ECR").
    ///
    /// # Errors
    /// The store's.
    pub async fn mounts_blobs(
        &self,
        _: &Authorized,
        account: &AccountId,
        region: &Region,
    ) -> Result<bool, Error> {
        Ok(self.registry_facts(account, region).await?.mounts_blobs)
    }

    /// Begins a transaction that changes the settings of the caller's registry.
    pub(crate) async fn configure(&self, cx: &Authorized) -> Result<Write, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let scope = Scope::Registry { account, region };
        Ok(self.0.store.write(scope).await?)
    }

    /// Commits it: the registry's facts, and those of its repositories, are read again.
    pub(crate) async fn configured(&self, cx: &Authorized, tx: Write) -> Result<(), Error> {
        let change = Change::Registry(cx.account, cx.region.clone());
        self.commit(tx, &[change]).await
    }
}
