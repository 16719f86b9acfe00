//! Whom a rule says to ask.

use std::sync::Arc;

use registry::pull_through::{Asked, Source, Upstream, UpstreamError};
use registry::{PullThroughRule, RuleUpstream};

use super::local::{By, Local};
use crate::app::App;
use crate::pull_through::Place;
use crate::registry_host::RegistryId;

/// Tags that are fresh for less are asked for at each pull, whatever the cache still has of an answer.
const RECENT_SECONDS: i64 = 60;

/// What a pull of the repository `name` asks the rule's upstreams for. An upstream that cannot be asked, for its
/// credentials, is passed over where there is another one.
pub(super) async fn asked(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
    name: &str,
) -> Result<Option<Asked>, UpstreamError> {
    let mut sources = Vec::new();
    let mut failed = None;
    for (upstream, repository) in rule.upstream_repositories(name) {
        match found(app, place, rule, upstream).await {
            Ok(upstream) => sources.push(Source {
                upstream,
                repository,
            }),
            Err(error) => {
                tracing::warn!(upstream = upstream.host(), %error, "an upstream cannot be asked");
                failed.get_or_insert(error);
            }
        }
    }
    match (sources.is_empty(), failed) {
        (true, None) => Ok(None),
        (true, Some(error)) => Err(error),
        (false, _) => Ok(Some(Asked {
            sources,
            place: name_of(place, name),
            prefix: rule.prefix.clone(),
            platforms: rule.options.platforms.as_slice().into(),
            recent: i64::from(rule.options.fresh_seconds()) >= RECENT_SECONDS,
            referrers: !rule.options.without_referrers,
        })),
    }
}

/// A repository here, as the cache names it.
pub(crate) fn name_of(place: &RegistryId, name: &str) -> String {
    format!("{}/{}/{name}", place.account, place.region)
}

async fn found(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
    upstream: RuleUpstream<'_>,
) -> Result<Arc<dyn Upstream>, UpstreamError> {
    match local(app, place, upstream)? {
        Some(local) => Ok(Arc::new(local)),
        None => app.pull_through.upstream(&at(place, rule), upstream).await,
    }
}

fn at<'a>(place: &'a RegistryId, rule: &'a PullThroughRule) -> Place<'a> {
    Place {
        account: place.account,
        region: &place.region,
        rule,
    }
}

/// Whether all upstreams of the rule answer, and take their credentials; else what the first that does not says.
pub(crate) async fn validate(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
) -> Result<(), String> {
    for (nth, upstream) in rule.upstreams().enumerate() {
        let checked = async {
            match local(app, place, upstream)? {
                Some(local) => local.check().await,
                None => app.pull_through.validate(&at(place, rule), upstream).await,
            }
        };
        checked.await.map_err(|error| match nth {
            0 => error.to_string(),
            _ => format!("{}: {error}", upstream.host()),
        })?;
    }
    Ok(())
}

/// The upstream where it is a registry of this server that is asked by a role. With a secret it is asked like any
/// other server's.
fn local(
    app: &Arc<App>,
    place: &RegistryId,
    upstream: RuleUpstream<'_>,
) -> Result<Option<Local>, UpstreamError> {
    let host = upstream.host();
    let Some(own) = app.names.own_registry(host) else {
        return Ok(None);
    };
    if upstream.credential_arn.is_some() {
        return Ok(None);
    }
    let by = match upstream.custom_role_arn {
        Some(role_arn) => By::Role(role_arn.to_owned()),
        // "For same-account, cross-Region pull through cache" nothing else is needed at the upstream (ECR user
        // guide, "Setting up permissions for cross-account ECR to ECR PTC").
        None if own.account == place.account => By::ServiceRole,
        None => {
            return Err(UpstreamError::Credentials(format!(
                "the registry of the account {} is asked by a role: the rule has no customRoleArn",
                own.account
            )));
        }
    };
    Ok(Some(Local {
        app: Arc::clone(app),
        own,
        cache: place.clone(),
        by,
        host: host.to_owned(),
    }))
}
