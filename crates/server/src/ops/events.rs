//! The operations on event targets: secrets are made and sealed here, and URLs are held against the rule of all
//! calls that the server makes.

use authz::{Requirements, ResourceSelector, require};
use aws_api::Secret;
use aws_api::berth::{self, EventTargetState};
use registry::webhooks::{FailedChange, NewTarget};

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;
use crate::webhooks::secret::{self, WebhookSecret};

/// A target of the caller's registry.
pub(super) fn target(name: &str) -> Requirements {
    require(ResourceSelector::EventTarget(name.to_owned()))
}

/// All targets of the registry, or one.
pub(super) fn targets(name: Option<&str>) -> Requirements {
    target(name.unwrap_or("*"))
}

fn missing(name: &str) -> ApiError {
    let message = format!("There is no event target with the name '{name}'");
    ApiError::Wire(berth::ErrorCode::EventTargetNotFound.with(message))
}

fn invalid(at: &'static str, constraint: impl std::fmt::Display) -> ApiError {
    registry::Error::parameter(at, constraint.to_string()).into()
}

/// `PutEventTarget`.
pub(super) async fn put_event_target(
    app: &App,
    ok: Authorized<berth::PutEventTargetRequest>,
) -> Result<berth::PutEventTargetResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let name = input.target_name;
    app.webhooks.check(&input.url).map_err(|error| {
        invalid(
            "url",
            format_args!("must be a URL that may be called: {error}"),
        )
    })?;
    let rotates = input.rotate_secret.unwrap_or(false);
    let given =
        match &input.secret {
            Some(_) if rotates => {
                return Err(invalid("rotateSecret", "must not be given beside a secret"));
            }
            Some(text) => Some(WebhookSecret::parse(text.expose()).ok_or_else(|| {
                invalid("secret", "must be 'whsec_' and 24 to 64 bytes in base64")
            })?),
            None => None,
        };
    let is_new = app.registry.event_target(&proof, &name).await?.is_none();
    let made = match given.is_none() && (is_new || rotates) {
        true => Some(WebhookSecret::generate().map_err(ApiError::internal)?),
        false => None,
    };
    let sealed = match given.as_ref().or(made.as_ref()) {
        Some(new) => {
            let owner = secret::owner(proof.account.as_str(), proof.region.as_str(), &name);
            Some(secret::seal(app, &owner, new)?)
        }
        None => None,
    };
    let new = NewTarget {
        name: name.clone(),
        url: input.url,
        pattern: input.event_pattern,
        secret: sealed,
        enabled: !matches!(input.state, Some(EventTargetState::Disabled)),
    };
    // It was there a moment ago: somebody deleted it meanwhile.
    let put = app.registry.put_event_target(&proof, new).await?;
    Ok(berth::PutEventTargetResponse {
        event_target: put.ok_or_else(|| missing(&name))?,
        secret: made.map(|made| Secret::new(made.text().to_owned())),
    })
}

/// `ListEventTargets`.
pub(super) async fn list_event_targets(
    app: &App,
    ok: Authorized<berth::ListEventTargetsRequest>,
) -> Result<berth::ListEventTargetsResponse, ApiError> {
    let (proof, _) = ok.into_parts();
    Ok(berth::ListEventTargetsResponse {
        event_targets: app.registry.event_targets(&proof).await?,
    })
}

/// `DescribeEventTarget`.
pub(super) async fn describe_event_target(
    app: &App,
    ok: Authorized<berth::DescribeEventTargetRequest>,
) -> Result<berth::DescribeEventTargetResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let found = app
        .registry
        .described_event_target(&proof, &input.target_name);
    Ok(berth::DescribeEventTargetResponse {
        event_target: found.await?.ok_or_else(|| missing(&input.target_name))?,
    })
}

/// `DeleteEventTarget`.
pub(super) async fn delete_event_target(
    app: &App,
    ok: Authorized<berth::DeleteEventTargetRequest>,
) -> Result<berth::DeleteEventTargetResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    match app
        .registry
        .delete_event_target(&proof, &input.target_name)
        .await?
    {
        true => Ok(berth::DeleteEventTargetResponse {}),
        false => Err(missing(&input.target_name)),
    }
}

/// `TestEventTarget`: also of a target that is disabled.
pub(super) async fn test_event_target(
    app: &App,
    ok: Authorized<berth::TestEventTargetRequest>,
) -> Result<berth::TestEventTargetResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let name = &input.target_name;
    let target = app.registry.event_target(&proof, name).await?;
    let target = target.ok_or_else(|| missing(name))?;
    crate::webhooks::test(app, &target, proof.now).await
}

/// `ListFailedEventDeliveries`.
pub(super) async fn list_failed_event_deliveries(
    app: &App,
    ok: Authorized<berth::ListFailedEventDeliveriesRequest>,
) -> Result<berth::ListFailedEventDeliveriesResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let name = input.target_name.clone().unwrap_or_default();
    let found = app.registry.failed_event_deliveries(&proof, input).await?;
    found.ok_or_else(|| missing(&name))
}

/// `RetryFailedEventDeliveries`.
pub(super) async fn retry_failed_event_deliveries(
    app: &App,
    ok: Authorized<berth::RetryFailedEventDeliveriesRequest>,
) -> Result<berth::RetryFailedEventDeliveriesResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let (name, ids) = (&input.target_name, input.delivery_ids.as_deref());
    let registry = &app.registry;
    let changed = registry
        .change_failed_deliveries(&proof, name, ids, FailedChange::Retry)
        .await?;
    Ok(berth::RetryFailedEventDeliveriesResponse {
        retried_count: changed.ok_or_else(|| missing(name))?,
    })
}

/// `PurgeFailedEventDeliveries`.
pub(super) async fn purge_failed_event_deliveries(
    app: &App,
    ok: Authorized<berth::PurgeFailedEventDeliveriesRequest>,
) -> Result<berth::PurgeFailedEventDeliveriesResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let (name, ids) = (&input.target_name, input.delivery_ids.as_deref());
    let registry = &app.registry;
    let changed = registry
        .change_failed_deliveries(&proof, name, ids, FailedChange::Purge)
        .await?;
    Ok(berth::PurgeFailedEventDeliveriesResponse {
        purged_count: changed.ok_or_else(|| missing(name))?,
    })
}
