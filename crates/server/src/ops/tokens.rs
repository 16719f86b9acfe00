//! `GetRegistryToken`: a token of the registry for a job, which may do one thing in one repository.

use authz::{Requirements, ResourceSelector, require};
use aws_api::berth::{GetRegistryTokenRequest, GetRegistryTokenResponse, RegistryTokenAction};
use identity::{ScopeAction, TokenScope};
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;

/// How long a token lasts unless the caller says otherwise.
const DURATION_SECONDS: i32 = 3600;

/// Who may not log in to a registry gets no token either.
pub(super) fn requires(input: &GetRegistryTokenRequest) -> Requirements {
    require(ResourceSelector::Repository {
        registry: input.registry_id.clone(),
        name: input.repository_name.clone(),
    })
    .and("ecr:GetAuthorizationToken", ResourceSelector::Any)
}

pub(super) async fn get_registry_token(
    app: &App,
    ok: Authorized<GetRegistryTokenRequest>,
) -> Result<GetRegistryTokenResponse, ApiError> {
    let (context, input) = (ok.context(), ok.input());
    let registry = match &input.registry_id {
        Some(id) => id.parse().map_err(ApiError::internal)?,
        None => context.caller.account,
    };
    let actions: Vec<ScopeAction> = input.actions.iter().map(|one| action(*one)).collect();
    let scope = TokenScope::of_registry(&registry, &context.region);
    let scope = scope.and(&input.repository_name, &actions);
    let seconds = input.duration_seconds.unwrap_or(DURATION_SECONDS);
    let lifetime = SignedDuration::from_secs(seconds.into());
    let identity = &app.identity;
    let (token, expires_at) =
        identity.issue_registry_token(&context.caller, &scope, lifetime, context.now)?;
    Ok(GetRegistryTokenResponse {
        registry_token: token,
        // Whole seconds: some SDKs refuse long fractions.
        expires_at: Timestamp::from_second(expires_at.as_second()).map_err(ApiError::internal)?,
        proxy_endpoint: app.names.registry_url(&registry, &context.region),
    })
}

fn action(named: RegistryTokenAction) -> ScopeAction {
    match named {
        RegistryTokenAction::Pull => ScopeAction::Pull,
        RegistryTokenAction::Push => ScopeAction::Push,
        RegistryTokenAction::Delete => ScopeAction::Delete,
    }
}
