//! What Berth adds to rules of the pull through cache.

use std::sync::Arc;

use store::ecr::pull_through;

use crate::pull_through::{check, check_secret, no_rule};
use crate::pull_through_rule::key;
use crate::{Authorized, Error, PullThroughRule, Registry, RuleOptions};

impl Registry {
    /// The rules of the caller's registry with these prefixes, or all, in the order of their prefixes.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`] for the first of the prefixes that has none.
    pub async fn pull_through_rules(
        &self,
        cx: &Authorized,
        prefixes: Option<&[String]>,
    ) -> Result<Vec<Arc<PullThroughRule>>, Error> {
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        let Some(prefixes) = prefixes else {
            return Ok(facts.rules.clone());
        };
        let is = |rule: &PullThroughRule, prefix: &str| key(&rule.prefix) == key(prefix);
        for prefix in prefixes {
            if !facts.rules.iter().any(|rule| is(rule, prefix)) {
                return Err(no_rule(cx, prefix));
            }
        }
        let named = |rule: &&Arc<PullThroughRule>| prefixes.iter().any(|prefix| is(rule, prefix));
        Ok(facts.rules.iter().filter(named).cloned().collect())
    }

    /// Sets what is set beside a rule, or resets it. Each further upstream is checked as a rule's own.
    ///
    /// # Errors
    /// [`Error::PullThroughCacheRuleNotFound`], and those of a rule's upstream and secret.
    pub async fn put_pull_through_options(
        &self,
        cx: &Authorized,
        prefix: &str,
        options: Option<RuleOptions>,
    ) -> Result<(), Error> {
        let own = self.host(&cx.account, &cx.region);
        for upstream in options.iter().flat_map(|options| &options.upstreams) {
            let (secret, role) = (&upstream.credential_arn, &upstream.custom_role_arn);
            check(&upstream.url, None, secret.is_some(), role.is_some(), &own)?;
            check_secret(cx, secret.as_deref())?;
        }
        let text = options.map(|mut options| {
            options.updated_at = Some(cx.now_ms());
            options.text()
        });
        let text = text.transpose()?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let options = text.as_deref();
        if !pull_through::put_options(conn, account, region, key(prefix), options).await? {
            return Err(no_rule(cx, prefix));
        }
        self.configured(cx, tx).await
    }
}
