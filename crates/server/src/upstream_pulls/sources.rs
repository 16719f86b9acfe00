//! Whom a rule says to ask.

use std::sync::Arc;

use registry::PullThroughRule;
use registry::pull_through::{Asked, Source, Upstream, UpstreamError};

use super::local::{By, Local};
use crate::app::App;
use crate::registry_host::RegistryId;

/// What a pull of the repository `name` asks the rule's upstream for.
pub(super) fn asked(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
    name: &str,
) -> Result<Option<Asked>, UpstreamError> {
    let Some(repository) = rule.upstream_name(name) else {
        return Ok(None);
    };
    let upstream: Arc<dyn Upstream> = match local(app, place, rule)? {
        Some(local) => Arc::new(local),
        None => app
            .pull_through
            .upstream(place.account, &place.region, rule)?,
    };
    Ok(Some(Asked {
        sources: vec![Source {
            upstream,
            repository,
        }],
        place: format!("{}/{}/{name}", place.account, place.region),
        prefix: rule.prefix.clone(),
    }))
}

/// Whether the rule's upstream answers, and takes the rule's credentials.
pub(crate) async fn validate(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
) -> Result<(), UpstreamError> {
    match local(app, place, rule)? {
        Some(local) => local.check().await,
        None => {
            let state = &app.pull_through;
            state.validate(place.account, &place.region, rule).await
        }
    }
}

/// The upstream where it is a registry of this server that is asked by a role. With a secret it is asked like any
/// other server's.
fn local(
    app: &Arc<App>,
    place: &RegistryId,
    rule: &PullThroughRule,
) -> Result<Option<Local>, UpstreamError> {
    let Some(own) = app.names.own_registry(rule.host()) else {
        return Ok(None);
    };
    if rule.credential_arn.is_some() {
        return Ok(None);
    }
    let by = match &rule.custom_role_arn {
        Some(role_arn) => By::Role(role_arn.clone()),
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
        host: rule.host().to_owned(),
    }))
}
