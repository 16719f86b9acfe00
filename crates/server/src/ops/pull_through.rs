//! The operations on what Berth adds to pull through cache rules. Keys are sealed here, and certificates are tried.

use authz::{EntityKind, Requirements, ResourceSelector, require};
use aws_api::berth::{
    self, PullThroughCacheSettings, PullThroughCacheUpstreamSettings, ReferrersState, RefreshStatus,
};
use jiff::Timestamp;
use registry::{Error, FurtherUpstream, Platform, PullThroughRule, RuleOptions, UpstreamTls};

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;
use crate::pull_through::owner;
use crate::registry_host::RegistryId;
use crate::upstream_pulls::{self, Missed, Pull, Refreshed};

/// Who sets upstreams by roles passes the roles, as who makes a rule by one does.
pub(super) fn settings(i: &berth::PutPullThroughCacheSettingsRequest) -> Requirements {
    let upstreams = i.upstreams.iter().flatten();
    let roles = upstreams.filter_map(|upstream| upstream.custom_role_arn.as_deref());
    let mut requirements = require(ResourceSelector::Any);
    for arn in roles.filter(|arn| !arn.is_empty()) {
        let role = ResourceSelector::EntityArn(EntityKind::Role, arn.to_owned());
        requirements = requirements
            .and("iam:PassRole", role)
            .key("iam:PassedToService", "pullthroughcache.ecr.amazonaws.com");
    }
    requirements
}

/// A refresh brings what a pull would.
pub(super) fn refreshes(i: &berth::RefreshPullThroughCacheRequest) -> Requirements {
    let of = || ResourceSelector::Repository {
        registry: i.registry_id.clone(),
        name: i.repository_name.clone(),
    };
    require(of()).and("ecr:BatchImportUpstreamImage", of())
}

fn invalid(at: &'static str, constraint: impl Into<String>) -> ApiError {
    Error::parameter(at, constraint.into()).into()
}

/// The certificates that a request sets for one upstream.
struct Certificates {
    authority: Option<String>,
    client: Option<String>,
    key: Option<aws_api::Secret<String>>,
}

impl Certificates {
    /// Seals the key, or keeps the one that is there for the same certificate.
    async fn sealed(
        self,
        app: &App,
        owner: &str,
        url: &str,
        before: Option<&UpstreamTls>,
    ) -> Result<UpstreamTls, ApiError> {
        let sealed_client_key = match (&self.client, &self.key) {
            (None, Some(_)) => {
                return Err(invalid(
                    "clientKey",
                    "must not be given without clientCertificate",
                ));
            }
            (None, None) => None,
            (Some(_), Some(key)) => {
                let state = &app.pull_through;
                let sealed = state.seal_client_key(owner, url, key.expose());
                Some(sealed.map_err(ApiError::internal)?)
            }
            (Some(_), None) => {
                let before = before.filter(|before| before.client_certificate == self.client);
                let kept = before.and_then(|before| before.sealed_client_key.clone());
                let missing = || invalid("clientKey", "must be given with a new clientCertificate");
                Some(kept.ok_or_else(missing)?)
            }
        };
        let tls = UpstreamTls {
            certificate_authority: self.authority,
            client_certificate: self.client,
            sealed_client_key,
        };
        let checked = app.pull_through.check_tls(owner, url, &tls).await;
        checked.map_err(|error| invalid("certificateAuthority or clientCertificate", error))?;
        Ok(tls)
    }
}

/// `PutPullThroughCacheSettings`.
pub(super) async fn put_settings(
    app: &App,
    ok: Authorized<berth::PutPullThroughCacheSettingsRequest>,
) -> Result<berth::PutPullThroughCacheSettingsResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let prefix = input.ecr_repository_prefix;
    let named = Some(std::slice::from_ref(&prefix));
    let rules = app.registry.pull_through_rules(&proof, named).await?;
    let rule = rules.into_iter().next();
    let rule = rule.ok_or_else(|| ApiError::internal("a rule that was found is missing"))?;
    let owner = owner(proof.account, &proof.region, &rule.prefix);
    let certificates = Certificates {
        authority: input.certificate_authority,
        client: input.client_certificate,
        key: input.client_key,
    };
    let before = &rule.options;
    let tls = certificates.sealed(app, &owner, &rule.upstream_url, Some(&before.tls));
    let tls = tls.await?;
    let mut upstreams = Vec::new();
    for upstream in input.upstreams.unwrap_or_default() {
        let url = upstream.upstream_registry_url;
        let secret = upstream.credential_arn.as_deref();
        super::composite::secret_exists(app, &proof, secret).await?;
        let certificates = Certificates {
            authority: upstream.certificate_authority,
            client: upstream.client_certificate,
            key: upstream.client_key,
        };
        let before = before.upstreams.iter().find(|before| before.url == url);
        let before = before.map(|before| &before.tls);
        let tls = certificates.sealed(app, &owner, &url, before).await?;
        upstreams.push(FurtherUpstream {
            tls,
            url,
            prefix: upstream
                .upstream_repository_prefix
                .unwrap_or_else(|| rule.upstream_prefix().to_owned()),
            credential_arn: upstream.credential_arn,
            custom_role_arn: upstream.custom_role_arn,
        });
    }
    let platforms = input.platforms.unwrap_or_default().into_iter();
    let platforms: Result<Vec<Platform>, _> = platforms.map(Platform::try_from).collect();
    let seconds = input.tag_freshness_seconds.map(u32::try_from).transpose();
    let options = RuleOptions {
        tag_freshness_seconds: seconds.map_err(ApiError::internal)?,
        platforms: platforms.map_err(|error| invalid("platforms", error))?,
        without_referrers: matches!(input.referrers, Some(ReferrersState::Disabled)),
        tls,
        upstreams,
        updated_at: Some(proof.now_ms()),
    };
    let registry = &app.registry;
    registry
        .put_pull_through_options(&proof, &prefix, Some(options.clone()))
        .await?;
    Ok(berth::PutPullThroughCacheSettingsResponse {
        settings: shown(&rule, &options)?,
    })
}

/// `DescribePullThroughCacheSettings`.
pub(super) async fn describe_settings(
    app: &App,
    ok: Authorized<berth::DescribePullThroughCacheSettingsRequest>,
) -> Result<berth::DescribePullThroughCacheSettingsResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let prefixes = input.ecr_repository_prefixes.as_deref();
    let rules = app.registry.pull_through_rules(&proof, prefixes).await?;
    let settings = rules.iter().map(|rule| shown(rule, &rule.options));
    Ok(berth::DescribePullThroughCacheSettingsResponse {
        settings: settings.collect::<Result<_, _>>()?,
    })
}

/// `DeletePullThroughCacheSettings`.
pub(super) async fn delete_settings(
    app: &App,
    ok: Authorized<berth::DeletePullThroughCacheSettingsRequest>,
) -> Result<berth::DeletePullThroughCacheSettingsResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let registry = &app.registry;
    registry
        .put_pull_through_options(&proof, &input.ecr_repository_prefix, None)
        .await?;
    Ok(berth::DeletePullThroughCacheSettingsResponse {})
}

fn shown(
    rule: &PullThroughRule,
    options: &RuleOptions,
) -> Result<PullThroughCacheSettings, ApiError> {
    let upstreams = options.upstreams.iter().map(|upstream| {
        let tls = &upstream.tls;
        PullThroughCacheUpstreamSettings {
            upstream_registry_url: upstream.url.clone(),
            upstream_repository_prefix: upstream.prefix.clone(),
            credential_arn: upstream.credential_arn.clone(),
            custom_role_arn: upstream.custom_role_arn.clone(),
            certificate_authority: tls.certificate_authority.clone(),
            client_certificate: tls.client_certificate.clone(),
            has_client_key: tls.sealed_client_key.is_some(),
        }
    });
    let seconds = i32::try_from(options.fresh_seconds()).map_err(ApiError::internal)?;
    let updated_at = options.updated_at.map(Timestamp::from_millisecond);
    Ok(PullThroughCacheSettings {
        ecr_repository_prefix: rule.prefix.clone(),
        tag_freshness_seconds: seconds,
        platforms: options.platforms.iter().map(ToString::to_string).collect(),
        referrers: match options.without_referrers {
            true => ReferrersState::Disabled,
            false => ReferrersState::Enabled,
        },
        certificate_authority: options.tls.certificate_authority.clone(),
        client_certificate: options.tls.client_certificate.clone(),
        has_client_key: options.tls.sealed_client_key.is_some(),
        upstreams: upstreams.collect(),
        updated_at: updated_at.transpose().map_err(ApiError::internal)?,
    })
}

/// `RefreshPullThroughCache`.
pub(super) async fn refresh(
    app: &std::sync::Arc<App>,
    ok: Authorized<berth::RefreshPullThroughCacheRequest>,
) -> Result<berth::RefreshPullThroughCacheResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    let place = RegistryId {
        account: registry::registry_account(proof.account, input.registry_id.as_deref())?,
        region: proof.region.clone(),
    };
    let (name, tag) = (input.repository_name, input.image_tag);
    let mut pull = Pull {
        app,
        proof: &proof,
        place: &place,
        name: &name,
        record,
    };
    let refreshed = match upstream_pulls::refresh(&mut pull, &tag).await {
        Ok(Some(refreshed)) => refreshed,
        Ok(None) => {
            return Err(invalid(
                "repositoryName",
                "must be a repository of a pull through cache rule",
            ));
        }
        Err(Missed::Failed(error)) => return Err(error),
        Err(Missed::Upstream(error)) => {
            return Err(Error::UnableToGetUpstreamImage(error.to_string()).into());
        }
        Err(Missed::NoImage(_)) => {
            let place = registry::RepositoryRef {
                repository: name,
                registry_id: place.account,
            };
            return Err(Error::ImageNotFound {
                digest: None,
                tag: Some(tag),
                place,
            }
            .into());
        }
    };
    let (status, digest, previous) = match refreshed {
        Refreshed::Unchanged(digest) => (RefreshStatus::Unchanged, digest, None),
        Refreshed::Importing(digest, before) => (RefreshStatus::Importing, digest, before),
        Refreshed::Immutable(digest) => (RefreshStatus::Immutable, digest, None),
    };
    Ok(berth::RefreshPullThroughCacheResponse {
        repository_name: name,
        image_tag: tag,
        image_digest: digest.to_string(),
        previous_image_digest: previous.map(|digest| digest.to_string()),
        status,
    })
}
