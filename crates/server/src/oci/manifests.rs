//! Manifests (OCI Distribution, "Pulling manifests", "Pushing manifests"): byte for byte.

use http::{HeaderName, Response, StatusCode, header};
use registry::{Error, Manifest};

use super::uploads::CONTENT_DIGEST;
use super::{OciRequest, OciResult, empty, set};
use crate::body::{BodyError, Inbound, ReplyBody};
use crate::limits::MANIFEST_BYTES_MAX;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// `HEAD …/manifests/<reference>`
pub(super) async fn head(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let manifest = job
        .app
        .registry
        .stat_manifest(&repository, reference)
        .await?;
    Ok(described(job, &manifest))
}

/// `GET …/manifests/<reference>`
pub(super) async fn get(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let call = job.call();
    let manifest = job
        .app
        .registry
        .get_manifest(&call, &repository, reference)
        .await?;
    let mut response = described(job, &manifest);
    if response.status() == StatusCode::OK {
        *response.body_mut() = ReplyBody::from(manifest.bytes.clone());
    }
    Ok(response)
}

fn described(job: &OciRequest<'_>, manifest: &Manifest) -> Response<ReplyBody> {
    let digest = manifest.digest.to_string();
    let mut response = empty(StatusCode::OK);
    set(&mut response, CONTENT_DIGEST, &digest);
    set(&mut response, header::ETAG, &format!("\"{digest}\""));
    if super::blobs::not_modified(job.head, &manifest.digest) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    set(&mut response, header::CONTENT_TYPE, &manifest.media_type);
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &manifest.bytes.len().to_string(),
    );
    response
}

/// `PUT …/manifests/<reference>`
pub(super) async fn put(job: &OciRequest<'_>, reference: &str, body: Inbound) -> OciResult {
    let repository = job.repository()?;
    let collected = match body.collect(&job.app.bodies, MANIFEST_BYTES_MAX).await {
        Err(BodyError::TooLong(max)) => return Err(Error::ManifestTooLarge(max).into()),
        collected => collected?,
    };
    let kind = job.head.header(header::CONTENT_TYPE);
    // Parameters (`; charset=utf-8`) are no part of the media type.
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    let call = job.call();
    let put = job
        .app
        .registry
        .put_manifest(&call, &repository, reference, kind, collected.bytes)
        .await?;
    let digest = put.digest.to_string();
    let mut response = empty(StatusCode::CREATED);
    let location = format!("/v2/{}/manifests/{digest}", job.name());
    set(&mut response, header::LOCATION, &location);
    set(&mut response, CONTENT_DIGEST, &digest);
    set(&mut response, header::CONTENT_LENGTH, "0");
    if let Some(subject) = put.subject {
        set(&mut response, SUBJECT, &subject.to_string());
    }
    Ok(response)
}

/// `DELETE …/manifests/<reference>`
pub(super) async fn delete(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let call = job.call();
    job.app
        .registry
        .delete_manifest(&call, &repository, reference)
        .await?;
    Ok(empty(StatusCode::ACCEPTED))
}
