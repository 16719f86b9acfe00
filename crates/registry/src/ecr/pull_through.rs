//! Rules of the pull through cache: the operations.

use aws_api::ecr::{
    CreatePullThroughCacheRuleRequest, CreatePullThroughCacheRuleResponse,
    DeletePullThroughCacheRuleRequest, DeletePullThroughCacheRuleResponse,
    DescribePullThroughCacheRulesRequest, DescribePullThroughCacheRulesResponse,
    PullThroughCacheRule as Shown, UpdatePullThroughCacheRuleRequest,
    UpdatePullThroughCacheRuleResponse,
};
use aws_types::{AccountId, Region};
use store::ecr::pull_through;

use super::repositories::time;
use super::token;
use crate::facts::registry_account;
use crate::pull_through::{check, check_secret, no_rule};
use crate::pull_through_options::RuleOptions;
use crate::pull_through_rule::{PullThroughRule, ROOT, RULES_MAX, key};
use crate::{Authorized, Error, Registry};

impl Registry {
    /// `CreatePullThroughCacheRule`.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleAlreadyExists`], [`Error::LimitExceeded`], [`Error::InvalidUpstream`],
    /// [`Error::UnsupportedUpstreamRegistry`].
    pub async fn create_pull_through_cache_rule(
        &self,
        cx: &Authorized,
        input: CreatePullThroughCacheRuleRequest,
    ) -> Result<CreatePullThroughCacheRuleResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let secret = input.credential_arn.filter(|arn| !arn.is_empty());
        let role = input.custom_role_arn.filter(|arn| !arn.is_empty());
        let upstream_registry = check(
            &input.upstream_registry_url,
            input.upstream_registry,
            secret.is_some(),
            role.is_some(),
            &self.host(&cx.account, &cx.region),
        )?;
        check_secret(cx, secret.as_deref())?;
        let upstream_prefix = input.upstream_repository_prefix.as_deref();
        if key(&input.ecr_repository_prefix) == ROOT
            && upstream_prefix.is_some_and(|prefix| key(prefix) != ROOT)
        {
            return Err(Error::parameter(
                "upstreamRepositoryPrefix",
                "must be ROOT where ecrRepositoryPrefix is ROOT",
            ));
        }
        let rule = PullThroughRule {
            prefix: input.ecr_repository_prefix,
            upstream_url: input.upstream_registry_url,
            written_upstream_prefix: input.upstream_repository_prefix,
            upstream_registry: upstream_registry.map(|known| known.as_str().to_owned()),
            credential_arn: secret,
            custom_role_arn: role,
            options: RuleOptions::default(),
            created_at: cx.now_ms(),
            updated_at: cx.now_ms(),
        };
        let row = rule.row()?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let all = rows(RULES_MAX);
        let known = pull_through::list(&mut tx.conn(), account, region, all).await?;
        if known.iter().any(|one| one.prefix == row.prefix) {
            return Err(Error::PullThroughCacheRuleAlreadyExists {
                prefix: rule.prefix,
                registry_id: cx.account,
            });
        }
        if known.len() >= RULES_MAX {
            return Err(Error::LimitExceeded {
                what: "pull through cache rules of a registry",
                max: RULES_MAX as u64,
            });
        }
        pull_through::put(&mut tx.conn(), account, region, &row).await?;
        self.configured(cx, tx).await?;
        Ok(CreatePullThroughCacheRuleResponse {
            ecr_repository_prefix: Some(rule.prefix),
            upstream_registry_url: Some(rule.upstream_url),
            created_at: Some(time(rule.created_at)?),
            registry_id: Some(account.to_owned()),
            upstream_registry,
            credential_arn: rule.credential_arn,
            custom_role_arn: rule.custom_role_arn,
            upstream_repository_prefix: rule.written_upstream_prefix,
        })
    }

    /// `DescribePullThroughCacheRules`, in the order of their prefixes.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`] for the first of `ecrRepositoryPrefixes` that has none.
    pub async fn describe_pull_through_cache_rules(
        &self,
        cx: &Authorized,
        input: DescribePullThroughCacheRulesRequest,
    ) -> Result<DescribePullThroughCacheRulesResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let after = token::open(input.next_token.as_ref())?;
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        let asked = input.ecr_repository_prefixes.unwrap_or_default();
        for prefix in &asked {
            if !facts
                .rules
                .iter()
                .any(|rule| key(&rule.prefix) == key(prefix))
            {
                return Err(no_rule(cx, prefix));
            }
        }
        let named = |rule: &PullThroughRule| {
            asked.is_empty() || asked.iter().any(|prefix| key(prefix) == key(&rule.prefix))
        };
        let rules = facts.rules.iter();
        let mut rules: Vec<_> = rules
            .filter(|rule| named(rule) && *key(&rule.prefix) > *after)
            .collect();
        let n = token::page_size(input.max_results);
        let next_token = token::cut(&mut rules, n).map(|rule| token::seal(key(&rule.prefix)));
        let shown = rules.into_iter().map(|rule| shown(cx, rule));
        Ok(DescribePullThroughCacheRulesResponse {
            pull_through_cache_rules: Some(shown.collect::<Result<_, _>>()?),
            next_token,
        })
    }

    /// `UpdatePullThroughCacheRule`: the credentials.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`], and those of the credentials.
    pub async fn update_pull_through_cache_rule(
        &self,
        cx: &Authorized,
        input: UpdatePullThroughCacheRuleRequest,
    ) -> Result<UpdatePullThroughCacheRuleResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let secret = input.credential_arn.filter(|arn| !arn.is_empty());
        let role = input.custom_role_arn.filter(|arn| !arn.is_empty());
        if secret.is_none() && role.is_none() {
            return Err(Error::InvalidUpstream(
                "Invalid input: Please set either credential arn or role arn to update the credentials"
                    .to_owned(),
            ));
        }
        check_secret(cx, secret.as_deref())?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let all = rows(RULES_MAX);
        let known = pull_through::list(&mut tx.conn(), account, region, all).await?;
        let prefix = key(&input.ecr_repository_prefix);
        let row = known.iter().find(|one| one.prefix == prefix);
        let row = row.ok_or_else(|| no_rule(cx, &input.ecr_repository_prefix))?;
        let mut rule = PullThroughRule::stored(row)?;
        check(
            &rule.upstream_url,
            None,
            secret.is_some(),
            role.is_some(),
            &self.host(&cx.account, &cx.region),
        )?;
        rule.credential_arn = secret;
        rule.custom_role_arn = role;
        rule.updated_at = cx.now_ms();
        pull_through::put(&mut tx.conn(), account, region, &rule.row()?).await?;
        self.configured(cx, tx).await?;
        Ok(UpdatePullThroughCacheRuleResponse {
            ecr_repository_prefix: Some(rule.prefix),
            registry_id: Some(account.to_owned()),
            updated_at: Some(time(rule.updated_at)?),
            credential_arn: rule.credential_arn,
            custom_role_arn: rule.custom_role_arn,
            upstream_repository_prefix: rule.written_upstream_prefix,
        })
    }

    /// `DeletePullThroughCacheRule`. What it cached stays.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`].
    pub async fn delete_pull_through_cache_rule(
        &self,
        cx: &Authorized,
        input: DeletePullThroughCacheRuleRequest,
    ) -> Result<DeletePullThroughCacheRuleResponse, Error> {
        own(cx, input.registry_id.as_deref())?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let all = rows(RULES_MAX);
        let known = pull_through::list(&mut tx.conn(), account, region, all).await?;
        let prefix = key(&input.ecr_repository_prefix);
        let row = known.iter().find(|one| one.prefix == prefix);
        let row = row.ok_or_else(|| no_rule(cx, &input.ecr_repository_prefix))?;
        let rule = PullThroughRule::stored(row)?;
        pull_through::delete(&mut tx.conn(), account, region, prefix).await?;
        self.configured(cx, tx).await?;
        Ok(DeletePullThroughCacheRuleResponse {
            ecr_repository_prefix: Some(rule.prefix),
            upstream_registry_url: Some(rule.upstream_url),
            created_at: Some(time(rule.created_at)?),
            registry_id: Some(account.to_owned()),
            credential_arn: rule.credential_arn,
            custom_role_arn: rule.custom_role_arn,
            upstream_repository_prefix: rule.written_upstream_prefix,
        })
    }

    /// The rule that `ValidatePullThroughCacheRule` is about; a higher layer calls the upstream.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`].
    pub async fn validated_rule(
        &self,
        cx: &Authorized,
        registry_id: Option<&str>,
        prefix: &str,
    ) -> Result<std::sync::Arc<PullThroughRule>, Error> {
        own(cx, registry_id)?;
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        let rule = facts
            .rules
            .iter()
            .find(|rule| key(&rule.prefix) == key(prefix));
        rule.cloned().ok_or_else(|| no_rule(cx, prefix))
    }

    /// This registry's host, perhaps with a port.
    pub(crate) fn host(&self, account: &AccountId, region: &Region) -> String {
        let uri = (self.0.settings.repository_uri)(account, region, "x");
        uri.split('/').next().unwrap_or_default().to_owned()
    }
}

/// Rules are those of the caller's registry.
/// A registry as a whole is a matter of its own account.
pub(super) fn own(cx: &Authorized, registry_id: Option<&str>) -> Result<(), Error> {
    match registry_account(cx.account, registry_id)? == cx.account {
        true => Ok(()),
        false => Err(Error::parameter(
            "registryId",
            "must be the account of the caller",
        )),
    }
}

fn rows(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

fn shown(cx: &Authorized, rule: &PullThroughRule) -> Result<Shown, Error> {
    let registry = rule.upstream_registry.as_deref();
    Ok(Shown {
        ecr_repository_prefix: Some(rule.prefix.clone()),
        upstream_registry_url: Some(rule.upstream_url.clone()),
        created_at: Some(time(rule.created_at)?),
        registry_id: Some(cx.account.to_string()),
        credential_arn: rule.credential_arn.clone(),
        custom_role_arn: rule.custom_role_arn.clone(),
        upstream_repository_prefix: rule.written_upstream_prefix.clone(),
        upstream_registry: registry.and_then(|known| known.parse().ok()),
        updated_at: Some(time(rule.updated_at)?),
    })
}
