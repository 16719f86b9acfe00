//! Operations that take more than one domain, or more than their input: the server does them itself.

use aws_api::{ecr, sts};

use crate::app::App;
use crate::authorize::{self, Authorized};
use crate::download;
use crate::error::ApiError;

/// `AWS:<password>` as base64, for `docker login` (ECR API, GetAuthorizationToken).
pub(super) async fn get_authorization_token(
    app: &App,
    ok: Authorized<ecr::GetAuthorizationTokenRequest>,
) -> Result<ecr::GetAuthorizationTokenResponse, ApiError> {
    use base64::Engine as _;
    let subject = ok.subject();
    let (password, expires_at) = app
        .identity
        .issue_registry_password(&subject.caller, subject.now)?;
    let token = format!("AWS:{}", password.expose());
    let token = base64::engine::general_purpose::STANDARD.encode(token);
    // Whole seconds: some SDKs refuse long fractions.
    let expires_at =
        jiff::Timestamp::from_second(expires_at.as_second()).map_err(ApiError::internal)?;
    let own = vec![subject.caller.account];
    let registries = match ok.input().registry_ids.as_deref() {
        None | Some([]) => own,
        Some(ids) => ids.iter().filter_map(|id| id.parse().ok()).collect(),
    };
    // One entry a registry; without names, the caller's.
    let data = registries.iter().map(|account| {
        let endpoint = app.names.registry_url(account, &subject.region);
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
    app: &App,
    ok: Authorized<ecr::GetDownloadUrlForLayerRequest>,
) -> Result<ecr::GetDownloadUrlForLayerResponse, ApiError> {
    let key = ok.subject().caller.access_key_id.clone();
    let (call, input) = ok.into_registry_call();
    let found = app.registry.layer_for_download(&call, input).await?;
    let url = download::url(app, &found.repository, &found.layer.digest, &key, call.now)?;
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
        && let Some(repository) = ok.repository()
    {
        let drafted = app.registry.drafted_policy(repository, &input.policy_text);
        if let Some(drafted) = drafted.await?
            && !authorize::allowed_under(&ok, "ecr:SetRepositoryPolicy", drafted)
        {
            let message = "Invalid parameter at 'policyText' failed to satisfy constraint: 'The policy \
                           would prevent you from setting another policy on the repository in the \
                           future; set force to do so nevertheless'";
            return Err(ApiError::Wire(
                ecr::ErrorCode::InvalidParameter.with(message),
            ));
        }
    }
    let (call, input) = ok.into_registry_call();
    Ok(app.registry.set_repository_policy(&call, input).await?)
}

/// Assumes the very role whose trust policy was asked: one that was deleted and made again in between is
/// another.
pub(super) async fn assume_role(
    app: &App,
    ok: Authorized<sts::AssumeRoleRequest>,
) -> Result<sts::AssumeRoleResponse, ApiError> {
    // No role, no id: none is assumed.
    let role_id = ok.role_id().unwrap_or_default().to_owned();
    let (call, input) = ok.into_identity_call();
    let assumed = app.identity.assume_decided_role(&call, input, &role_id);
    Ok(assumed.await?)
}
