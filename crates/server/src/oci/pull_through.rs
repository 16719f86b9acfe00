//! Pulls of repositories under a pull through cache rule.
//!
//! A pull needs what every pull needs, and for what is not cached `ecr:BatchImportUpstreamImage`, and for a
//! repository that is not there `ecr:CreateRepository`. Who lacks one of these is told that there is no such
//! repository or image, not that it is denied (ECR user guide, "Troubleshooting pull through cache issues").

use std::sync::Arc;

use ::blobs::Digest;
use authz::{Authorized, Requirements, ResourceSelector, require_action};
use aws_api::ErrorStatus;
use aws_api::ecr::Operation;
use http::header;
use registry::Error;
use registry::pull_through::{Asked, CachedBlob, FromUpstream, UpstreamError};

use super::{OciRequest, creation};
use crate::authorize;
use crate::error::{ApiError, INTERNAL, OciError, RETRY_AFTER_SECONDS};
use crate::ops::{self, oci as guard};
use crate::read_only;
use crate::writable::{self, Effect};

/// Where a pull is served from.
pub(super) enum Served {
    /// The repository.
    Here,
    /// The upstream: the manifest is being cached.
    Manifest(Arc<FromUpstream>),
    /// The upstream: the blob is being cached.
    Blob(Digest, u64, crate::body::ByteStream),
}

/// Brings a manifest from upstream, where a rule says so and what is cached does not do.
pub(super) async fn manifest<'a>(
    mut job: OciRequest<'a>,
    reference: &str,
) -> Result<(OciRequest<'a>, Served), OciError> {
    let Some(rule) = rule(&job).await? else {
        return Ok((job, Served::Here));
    };
    let registry = &job.app.registry;
    let tag = (!reference.contains(':')).then_some(reference);
    let mut cached = None;
    if let Some(repository) = &job.record {
        match registry
            .stat_manifest(job.call(), repository, reference)
            .await
        {
            Ok(manifest) => {
                let call = job.call();
                let is_fresh = match tag {
                    None => true,
                    Some(tag) => registry.is_cached_tag_fresh(call, repository, tag).await?,
                };
                if is_fresh {
                    return Ok((job, Served::Here));
                }
                cached = Some(manifest.digest);
            }
            Err(Error::ImageNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !may_store(&job).await {
        return Ok((job, Served::Here));
    }
    // Whatever goes wrong from here on, what is cached is served.
    let proof = match import_proof(&job).await {
        Ok(proof) => proof,
        Err(_) if cached.is_some() => return Ok((job, Served::Here)),
        Err(error) => return Err(error),
    };
    let found = match asked(&job, &rule) {
        Ok(Some(asked)) => {
            let cache = &job.app.pull_through.cache;
            let found = cache.manifest(&asked, reference).await;
            found.map(|found| found.map(|found| (found, asked)))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let (found, asked) = match found {
        Ok(Some(found)) => found,
        Ok(None) if cached.is_some() => return Ok((job, Served::Here)),
        Ok(None) => return Err(no_image(&job)),
        Err(error) if cached.is_some() => {
            tracing::warn!(upstream = rule.host(), %error, "a cached image is served without its upstream");
            return Ok((job, Served::Here));
        }
        Err(error) => return Err(answer(&error)),
    };
    if cached == Some(found.digest) {
        if let (Some(tag), Some(repository)) = (tag, &job.record) {
            let call = job.call();
            registry.cached_tag_compared(call, repository, tag).await?;
        }
        return Ok((job, Served::Here));
    }
    if job.record.is_none() {
        let (account, region) = (job.place.account, job.place.region.clone());
        let templated = registry
            .repository_on_pull(job.call(), &account, &region, job.name())
            .await?;
        creation::create(&mut job, templated).await?;
    }
    let repository = job.repository()?;
    let cache = &job.app.pull_through.cache;
    cache.import(&proof, &repository, &asked, &found, tag);
    Ok((job, Served::Manifest(found)))
}

/// Brings a blob from upstream, where a rule says so and the repository lacks it. `streamed`: the client takes
/// the whole, from its beginning.
pub(super) async fn blob<'a>(
    job: OciRequest<'a>,
    digest: &str,
    streamed: bool,
) -> Result<(OciRequest<'a>, Served), OciError> {
    let Some(repository) = job.record.clone() else {
        return Ok((job, Served::Here));
    };
    let registry = &job.app.registry;
    match registry.stat_blob(job.call(), &repository, digest).await {
        Err(Error::LayerNotFound { .. }) => {}
        // What is wrong with the request is said where it is served.
        _ => return Ok((job, Served::Here)),
    }
    let Some(rule) = rule(&job).await? else {
        return Ok((job, Served::Here));
    };
    let Ok(parsed) = digest.parse::<Digest>() else {
        return Ok((job, Served::Here));
    };
    if !may_store(&job).await {
        return Ok((job, Served::Here));
    }
    let proof = match import_proof(&job).await {
        Ok(proof) => proof,
        Err(error) if error.decided.is_some() => return Ok((job, Served::Here)),
        Err(error) => return Err(error),
    };
    let asked = asked(&job, &rule).map_err(|error| answer(&error))?;
    let Some(asked) = asked else {
        return Ok((job, Served::Here));
    };
    let cache = &job.app.pull_through.cache;
    let found = cache
        .blob(&proof, &repository, &asked, &parsed, streamed)
        .await;
    match found.map_err(|error| answer(&error))? {
        CachedBlob::Stored | CachedBlob::Missing => Ok((job, Served::Here)),
        CachedBlob::Streaming { size, stream } => Ok((job, Served::Blob(parsed, size, stream))),
    }
}

/// Whether anything can be stored now. While it cannot, what is cached is served: pulls go on in a server or
/// repository that is read-only.
async fn may_store(job: &OciRequest<'_>) -> bool {
    let stored = writable::check(job.app, Effect::StoresLayers).await;
    stored.is_ok()
        && read_only::check(job.app, job.record.as_deref())
            .await
            .is_ok()
}

async fn rule(job: &OciRequest<'_>) -> Result<Option<Arc<registry::PullThroughRule>>, OciError> {
    let place = &job.place;
    let found = job
        .app
        .registry
        .pull_through_rule(&place.account, &place.region, job.name());
    Ok(found.await?)
}

fn asked(
    job: &OciRequest<'_>,
    rule: &registry::PullThroughRule,
) -> Result<Option<Asked>, UpstreamError> {
    let place = &job.place;
    job.app
        .pull_through
        .asked(place.account, &place.region, rule, job.name())
}

/// The proof that the caller may bring images into the cache, and create the repository where there is none.
async fn import_proof(job: &OciRequest<'_>) -> Result<Arc<Authorized>, OciError> {
    let account = job.place.account;
    let context = job.proof.context().clone();
    if job.record.is_none() {
        let columns = ops::columns(Operation::CreateRepository);
        let requirements = guard::creation_requirements(job.name(), account.as_str(), &None);
        let decided = authorize::check(job.app, &context, &columns.rule, &requirements).await;
        decided.map_err(|error| hidden(job, error))?;
    }
    let columns = ops::columns(Operation::BatchGetImage);
    let requirements = import_requirements(job.name(), account.as_str());
    let decided = authorize::authorize(job.app, context, &columns.rule, &requirements, ()).await;
    let ok = decided.map_err(|error| hidden(job, error))?;
    Ok(Arc::new(ok.into_parts().0))
}

/// `ecr:BatchImportUpstreamImage`, which no operation of the API has for its own.
fn import_requirements(name: &str, account: &str) -> Requirements {
    let resource = ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: name.to_owned(),
    };
    require_action("ecr:BatchImportUpstreamImage", resource)
}

/// A denial as the client sees it; the audit log has the decision.
fn hidden(job: &OciRequest<'_>, error: ApiError) -> OciError {
    match error {
        ApiError::Denied(denial) => {
            let mut error = no_image(job);
            error.decided = Some(Box::new(denial.decision));
            error
        }
        other => other.into(),
    }
}

fn no_image(job: &OciRequest<'_>) -> OciError {
    match job.repository() {
        Err(error) => error,
        Ok(_) => OciError::new(
            ErrorStatus::NOT_FOUND,
            "MANIFEST_UNKNOWN",
            "Requested image not found",
        ),
    }
}

/// What a client is told when an upstream gave nothing and nothing is cached.
fn answer(error: &UpstreamError) -> OciError {
    let text = error.to_string();
    match error {
        UpstreamError::AccessDenied(_) | UpstreamError::Credentials(_) => {
            OciError::new(ErrorStatus::FORBIDDEN, "DENIED", text)
        }
        UpstreamError::TooManyRequests { retry_after } => {
            let after = retry_after.map_or_else(|| "60".to_owned(), |after| after.to_string());
            let status = ErrorStatus::of::<429>();
            OciError::new(status, "TOOMANYREQUESTS", text).header(header::RETRY_AFTER, after)
        }
        UpstreamError::Unavailable(_) => {
            OciError::new(ErrorStatus::SERVICE_UNAVAILABLE, "UNAVAILABLE", text)
                .header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
        }
        UpstreamError::Mismatch { .. } | UpstreamError::Invalid(_) => {
            OciError::new(ErrorStatus::of::<502>(), "MANIFEST_INVALID", text)
        }
        UpstreamError::Store(cause) => {
            let mut error = OciError::new(ErrorStatus::INTERNAL_SERVER_ERROR, "UNKNOWN", INTERNAL);
            error.cause = Some(cause.to_string());
            error
        }
    }
}

/// The repository here that a mirror's request is about (`?ns=`), where a rule caches that registry.
pub(super) async fn mirrored(
    app: &crate::app::App,
    place: &crate::registry_host::RegistryId,
    namespace: &str,
    name: &str,
) -> Result<Option<String>, OciError> {
    let (account, region) = (&place.account, &place.region);
    let found = app
        .registry
        .mirrored_repository(account, region, namespace, name);
    Ok(found.await?)
}
