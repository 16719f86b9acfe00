//! The reads of the ECR API that ask the upstream of a pull through cache rule for what is not cached, as pulls of
//! the distribution API do and with the same permissions.

use std::sync::Arc;

use authz::DecisionRecord;
use aws_api::ecr::{
    BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse, BatchGetImageRequest,
    BatchGetImageResponse, Image, ImageFailure, ImageFailureCode, ImageIdentifier,
    ListImageReferrersRequest, ListImageReferrersResponse,
};
use futures_util::StreamExt as _;
use registry::Error;
use registry::pull_through::{FromUpstream, UpstreamError};

use crate::app::App;
use crate::audit::Event;
use crate::authorize::{Authorized, Record};
use crate::error::ApiError;
use crate::finish::finish;
use crate::registry_host::RegistryId;
use crate::upstream_pulls::{self, Missed, Pull, Served};

/// Layers that a request asks upstreams for at once.
const LAYERS_AT_ONCE: usize = 3;

fn place(proof: &authz::Authorized, registry_id: Option<&str>) -> Result<RegistryId, Error> {
    Ok(RegistryId {
        account: registry::registry_account(proof.account, registry_id)?,
        region: proof.region.clone(),
    })
}

/// Whether a rule is for the repository: without one, nothing here is different.
async fn has_rule(app: &App, place: &RegistryId, name: &str) -> Result<bool, Error> {
    let (account, region) = (&place.account, &place.region);
    let rule = app.registry.pull_through_rule(account, region, name);
    Ok(rule.await?.is_some())
}

/// The event of a denial that the answer does not show: who may not import is told that there is no such image.
async fn denied(pull: &Pull<'_>, decided: Option<Box<DecisionRecord>>) {
    let Some(decided) = decided else {
        return;
    };
    let event = Event {
        decided: Some(*decided),
        data: true,
        ..Event::of_context(
            pull.proof.context(),
            "ecr.amazonaws.com",
            "BatchImportUpstreamImage",
            &pull.place.region,
            pull.place.account,
        )
    };
    finish(pull.app, event, None).await;
}

/// `BatchGetImage`.
pub(super) async fn batch_get_image(
    app: &Arc<App>,
    ok: Authorized<BatchGetImageRequest>,
) -> Result<BatchGetImageResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, mut input) = ok.into_parts();
    let place = place(&proof, input.registry_id.as_deref())?;
    if !has_rule(app, &place, &input.repository_name).await? {
        return Ok(app.registry.batch_get_image(&proof, input).await?);
    }
    let (mut images, mut failures, mut here) = (Vec::new(), Vec::new(), Vec::new());
    let name = input.repository_name.clone();
    let mut pull = Pull {
        app,
        proof: &proof,
        place: &place,
        name: &name,
        record,
    };
    let accepted = input.accepted_media_types.take().unwrap_or_default();
    for id in std::mem::take(&mut input.image_ids) {
        let reference = id.image_tag.as_ref().or(id.image_digest.as_ref());
        let Some(reference) = reference.cloned() else {
            here.push(id);
            continue;
        };
        match upstream_pulls::manifest(&mut pull, &reference).await {
            Ok(Served::Manifest(found)) => {
                match passed_on(&place, &name, &id, &found, &accepted)? {
                    Ok(image) => images.push(image),
                    Err(failure) => failures.push(failure),
                }
            }
            Ok(Served::Here | Served::Blob(..)) => here.push(id),
            Err(Missed::NoImage(decided)) => {
                denied(&pull, decided).await;
                here.push(id);
            }
            Err(Missed::Upstream(error)) => failures.push(failure(id, &error)?),
            Err(Missed::Failed(error)) => return Err(error),
        }
    }
    if here.is_empty() {
        return Ok(BatchGetImageResponse {
            images: Some(images),
            failures: Some(failures),
        });
    }
    input.image_ids = here;
    input.accepted_media_types = Some(accepted).filter(|accepted| !accepted.is_empty());
    let mut answer = app.registry.batch_get_image(&proof, input).await?;
    images.extend(answer.images.take().unwrap_or_default());
    failures.extend(answer.failures.take().unwrap_or_default());
    Ok(BatchGetImageResponse {
        images: Some(images),
        failures: Some(failures),
    })
}

/// The answer for a manifest that is being cached.
fn passed_on(
    place: &RegistryId,
    name: &str,
    id: &ImageIdentifier,
    found: &FromUpstream,
    accepted: &[String],
) -> Result<Result<Image, ImageFailure>, ApiError> {
    let fails = |code, reason: String| ImageFailure {
        image_id: Some(id.clone()),
        failure_code: Some(code),
        failure_reason: Some(reason),
    };
    let digest = found.digest.to_string();
    if id
        .image_digest
        .as_ref()
        .is_some_and(|given| *given != digest)
    {
        let reason = "The provided image tag does not match the provided image digest".to_owned();
        return Ok(Err(fails(
            ImageFailureCode::ImageTagDoesNotMatchDigest,
            reason,
        )));
    }
    let kind = &found.media_type;
    if !accepted.is_empty() && !accepted.iter().any(|one| one == "*/*" || one == kind) {
        let reason = format!(
            "Requested image has the media type {kind}, which is not among the acceptedMediaTypes"
        );
        return Ok(Err(fails(ImageFailureCode::ImageNotFound, reason)));
    }
    let manifest = String::from_utf8(found.bytes.to_vec()).map_err(ApiError::internal)?;
    Ok(Ok(Image {
        registry_id: Some(place.account.to_string()),
        repository_name: Some(name.to_owned()),
        image_id: Some(ImageIdentifier {
            image_digest: Some(digest),
            image_tag: id.image_tag.clone(),
        }),
        image_manifest: Some(manifest),
        image_manifest_media_type: Some(kind.clone()),
    }))
}

/// What the upstream's failure is in the answer, where the API has a code for it (row P7); else the operation fails.
fn failure(id: ImageIdentifier, error: &UpstreamError) -> Result<ImageFailure, ApiError> {
    let code = match error {
        UpstreamError::AccessDenied(_) | UpstreamError::Credentials(_) => {
            ImageFailureCode::UpstreamAccessDenied
        }
        UpstreamError::TooManyRequests { .. } => ImageFailureCode::UpstreamTooManyRequests,
        UpstreamError::Unavailable(_) => ImageFailureCode::UpstreamUnavailable,
        UpstreamError::Mismatch { .. } | UpstreamError::Invalid(_) => {
            return Err(Error::UnableToGetUpstreamImage(error.to_string()).into());
        }
        UpstreamError::Store(cause) => return Err(ApiError::internal(cause.to_string())),
    };
    Ok(ImageFailure {
        image_id: Some(id),
        failure_code: Some(code),
        failure_reason: Some(error.to_string()),
    })
}

/// Stores layers that the repository lacks, where a rule says so. Whether an image that is being stored needs one of
/// them.
///
/// # Errors
/// `UnableToGetUpstreamLayerException` for the first that the upstream does not give.
pub(super) async fn bring_layers(
    app: &Arc<App>,
    proof: &authz::Authorized,
    (registry_id, name): (Option<&str>, &str),
    record: Option<Record>,
    digests: &[String],
) -> Result<bool, ApiError> {
    let place = place(proof, registry_id)?;
    if record.is_none() || !has_rule(app, &place, name).await? {
        return Ok(false);
    }
    let at = upstream_pulls::place(&place, name);
    let cache = &app.pull_through.cache;
    let is_needed = digests.iter().any(|digest| cache.needs_layer(&at, digest));
    let brought = digests.iter().map(|digest| {
        let mut pull = Pull {
            app,
            proof,
            place: &place,
            name,
            record: record.clone(),
        };
        async move { upstream_pulls::blob(&mut pull, digest, false).await }
    });
    let brought: Vec<_> = brought.collect();
    let mut brought = futures_util::stream::iter(brought).buffer_unordered(LAYERS_AT_ONCE);
    while let Some(one) = brought.next().await {
        match one {
            // Whether it is here is told where it is served.
            Ok(_) | Err(Missed::NoImage(_)) => {}
            Err(Missed::Upstream(UpstreamError::Store(cause))) => {
                return Err(ApiError::internal(cause.to_string()));
            }
            Err(Missed::Upstream(error)) => {
                return Err(Error::UnableToGetUpstreamLayer(error.to_string()).into());
            }
            Err(Missed::Failed(error)) => return Err(error),
        }
    }
    Ok(is_needed)
}

/// `BatchCheckLayerAvailability`: a layer that the upstream does not give is unavailable.
pub(super) async fn batch_check_layer_availability(
    app: &Arc<App>,
    ok: Authorized<BatchCheckLayerAvailabilityRequest>,
) -> Result<BatchCheckLayerAvailabilityResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    let of = (input.registry_id.as_deref(), input.repository_name.as_str());
    let brought = bring_layers(app, &proof, of, record, &input.layer_digests).await;
    match brought {
        Ok(_) => {}
        Err(ApiError::Registry(Error::UnableToGetUpstreamLayer(why))) => {
            tracing::info!(
                repository = input.repository_name,
                why,
                "an upstream gave no layer"
            );
        }
        Err(error) => return Err(error),
    }
    let registry = &app.registry;
    Ok(registry
        .batch_check_layer_availability(&proof, input)
        .await?)
}

/// `ListImageReferrers`.
pub(super) async fn list_image_referrers(
    app: &Arc<App>,
    ok: Authorized<ListImageReferrersRequest>,
) -> Result<ListImageReferrersResponse, ApiError> {
    let record = ok.record().cloned();
    let (proof, input) = ok.into_parts();
    let place = place(&proof, input.registry_id.as_deref())?;
    let pull = Pull {
        app,
        proof: &proof,
        place: &place,
        name: &input.repository_name,
        record,
    };
    let subject = &input.subject_id.image_digest;
    match upstream_pulls::referrers(&pull, subject).await {
        Ok(()) | Err(Missed::NoImage(_) | Missed::Upstream(_)) => {}
        Err(Missed::Failed(error)) => return Err(error),
    }
    Ok(app.registry.list_image_referrers(&proof, input).await?)
}
