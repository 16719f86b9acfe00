//! Operations that take more than one domain, or more than their input: the server does them itself.

use aws_api::{ecr, iam};

use super::upstream_images;
use crate::app::App;
use crate::authorize::{self, Authorized};
use crate::download_url;
use crate::error::ApiError;
use crate::registry_host::RegistryId;
use crate::upstream_pulls;

/// `AWS:<password>` as base64, for `docker login` (ECR API, GetAuthorizationToken).
pub(super) async fn get_authorization_token(
    app: &App,
    ok: Authorized<ecr::GetAuthorizationTokenRequest>,
) -> Result<ecr::GetAuthorizationTokenResponse, ApiError> {
    use base64::Engine as _;
    let context = ok.context();
    let (password, expires_at) = app
        .identity
        .issue_registry_password(&context.caller, context.now)?;
    let token = format!("AWS:{}", password.expose());
    let token = base64::engine::general_purpose::STANDARD.encode(token);
    // Whole seconds: some SDKs refuse long fractions.
    let expires_at =
        jiff::Timestamp::from_second(expires_at.as_second()).map_err(ApiError::internal)?;
    let own = vec![context.caller.account];
    let registries = match ok.input().registry_ids.as_deref() {
        None | Some([]) => own,
        Some(ids) => ids.iter().filter_map(|id| id.parse().ok()).collect(),
    };
    // One entry a registry; without names, the caller's.
    let data = registries.iter().map(|account| {
        let endpoint = app.names.registry_url(account, &context.region);
        ecr::AuthorizationData {
            authorization_token: Some(token.clone().into()),
            expires_at: Some(expires_at),
            proxy_endpoint: Some(endpoint),
        }
    });
    Ok(ecr::GetAuthorizationTokenResponse {
        authorization_data: Some(data.collect()),
    })
}

/// A URL that works without further credentials, for a limited time.
pub(super) async fn get_download_url_for_layer(
    app: &std::sync::Arc<App>,
    ok: Authorized<ecr::GetDownloadUrlForLayerRequest>,
) -> Result<ecr::GetDownloadUrlForLayerResponse, ApiError> {
    let key = ok.context().caller.access_key_id.clone();
    let principal = registry::principal_of(ok.context());
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    // The URL serves what is here, so a layer that an upstream has is stored first.
    let of = (input.registry_id.as_deref(), input.repository_name.as_str());
    let digests = std::slice::from_ref(&input.layer_digest);
    let is_cached = upstream_images::bring_layers(app, &proof, of, record, digests).await?;
    let found = app.registry.layer_for_download(&proof, input, is_cached);
    let found = found.await?;
    let url = download_url::url(
        app,
        &found.repository,
        &found.layer.digest,
        (&key, &principal),
        proof.now,
    )?;
    Ok(ecr::GetDownloadUrlForLayerResponse {
        download_url: Some(url.into()),
        layer_digest: Some(found.layer.digest.to_string()),
    })
}

/// Stores a repository policy, unless its maker could not set another one afterwards and did not say
/// `force` (ECR API, SetRepositoryPolicy).
pub(super) async fn set_repository_policy(
    app: &App,
    ok: Authorized<ecr::SetRepositoryPolicyRequest>,
) -> Result<ecr::SetRepositoryPolicyResponse, ApiError> {
    let input = ok.input();
    if !input.force.unwrap_or(false)
        && let Some(repository) = ok.record()
    {
        let drafted = app.registry.drafted_policy(repository, &input.policy_text);
        if let Some(drafted) = drafted.await?
            && !authorize::is_allowed_under(&ok, "ecr:SetRepositoryPolicy", drafted)
        {
            let message = "Invalid parameter at 'policyText' failed to satisfy constraint: 'The policy \
                           would prevent you from setting another policy on the repository in the \
                           future; set force to do so nevertheless'";
            return Err(ApiError::Wire(
                ecr::ErrorCode::InvalidParameter.with(message),
            ));
        }
    }
    let (proof, input) = ok.into_parts();
    Ok(app.registry.set_repository_policy(&proof, input).await?)
}

/// `CreatePullThroughCacheRule`, whose secret must be there.
pub(super) async fn create_pull_through_cache_rule(
    app: &App,
    ok: Authorized<ecr::CreatePullThroughCacheRuleRequest>,
) -> Result<ecr::CreatePullThroughCacheRuleResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    secret_exists(app, &proof, input.credential_arn.as_deref()).await?;
    let created = app.registry.create_pull_through_cache_rule(&proof, input);
    Ok(created.await?)
}

/// `UpdatePullThroughCacheRule`, whose secret must be there.
pub(super) async fn update_pull_through_cache_rule(
    app: &App,
    ok: Authorized<ecr::UpdatePullThroughCacheRuleRequest>,
) -> Result<ecr::UpdatePullThroughCacheRuleResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    secret_exists(app, &proof, input.credential_arn.as_deref()).await?;
    let updated = app.registry.update_pull_through_cache_rule(&proof, input);
    Ok(updated.await?)
}

/// A secret of another account or region is refused where the rule is checked: it is not looked up.
pub(super) async fn secret_exists(
    app: &App,
    proof: &authz::Authorized,
    arn: Option<&str>,
) -> Result<(), ApiError> {
    let Some(arn) = arn.filter(|arn| !arn.is_empty()) else {
        return Ok(());
    };
    if secrets::parse_id(arn, proof.account, &proof.region).is_none() {
        return Ok(());
    }
    let service = authz::ServiceName::PullThrough;
    let registry = (proof.account, &proof.region);
    match app
        .secrets
        .is_there(service, registry, arn, proof.now)
        .await?
    {
        true => Ok(()),
        false => {
            let message = "The ARN of the secret specified in the pull through cache rule was not found. Update \
                           the pull through cache rule with a valid secret ARN and try again.";
            Err(registry::Error::SecretNotFound(message.to_owned()).into())
        }
    }
}

/// `ValidatePullThroughCacheRule`: calls the upstream with the rule's credentials.
pub(super) async fn validate_pull_through_cache_rule(
    app: &std::sync::Arc<App>,
    ok: Authorized<ecr::ValidatePullThroughCacheRuleRequest>,
) -> Result<ecr::ValidatePullThroughCacheRuleResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let (registry_id, prefix) = (input.registry_id.as_deref(), &input.ecr_repository_prefix);
    let rule = app.registry.validated_rule(&proof, registry_id, prefix);
    let rule = rule.await?;
    let place = RegistryId {
        account: proof.account,
        region: proof.region.clone(),
    };
    let validated = upstream_pulls::validate(app, &place, &rule).await;
    Ok(ecr::ValidatePullThroughCacheRuleResponse {
        ecr_repository_prefix: Some(rule.prefix.clone()),
        registry_id: Some(proof.account.to_string()),
        upstream_registry_url: Some(rule.upstream_url.clone()),
        credential_arn: rule.credential_arn.clone(),
        custom_role_arn: rule.custom_role_arn.clone(),
        upstream_repository_prefix: rule.written_upstream_prefix.clone(),
        is_valid: Some(validated.is_ok()),
        failure: validated.err(),
    })
}

/// `CreateOpenIDConnectProvider`. A request without thumbprints gets the one of the top certificate that the
/// issuer's server presents (IAM API Reference, CreateOpenIDConnectProvider, `ThumbprintList`; O3), fetched
/// before the database is asked for anything.
pub(super) async fn create_open_id_connect_provider(
    app: &App,
    ok: Authorized<iam::CreateOpenIDConnectProviderRequest>,
) -> Result<iam::CreateOpenIDConnectProviderResponse, ApiError> {
    let (proof, mut input) = ok.into_parts();
    identity::Identity::check_new_oidc_provider(&input)?;
    if input.thumbprint_list.is_none() {
        let found = app.outbound.top_thumbprint(&input.url).await;
        let thumbprint = found.map_err(|error| {
            tracing::info!(url = input.url, error = crate::error::chain(&error), "the issuer cannot be reached");
            ApiError::Wire(iam::ErrorCode::OpenIdIdpCommunicationError.with(
                "The OpenID Connect identity provider cannot be reached to retrieve its server certificate's thumbprint.",
            ))
        })?;
        input.thumbprint_list = Some(vec![thumbprint]);
    }
    let created = app.identity.create_open_id_connect_provider(&proof, input);
    Ok(created.await?)
}
