//! Blob uploads (OCI Distribution, "Pushing blobs"): one POST, POST and PUT, or chunks.

use aws_api::ErrorStatus;
use http::{HeaderName, Response, StatusCode, header};
use registry::{Error, Layer};

use super::answers::{CONTENT_DIGEST, empty, set, set_length};
use super::{OciRequest, OciResult};
use crate::authorize;
use crate::body::Inbound;
use crate::error::{ApiError, OciError};
use crate::oci_route::Mount;
use crate::ops::{self, oci as guard};
use crate::reply::ReplyBody;
use authz::DecisionRecord;

const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST …/blobs/uploads/`
pub(super) async fn start(
    job: &OciRequest<'_>,
    mount: Option<Mount>,
    digest: Option<String>,
    body: Inbound,
) -> OciResult {
    let repository = job.repository()?;
    let call = job.call();
    if let Some(mount) = mount {
        match mounted(job, &mount).await? {
            Mounted::Done(layer) => return Ok(created(job, &layer)),
            // The blob cannot be mounted; per the specification, fall back to a normal upload.
            Mounted::No => {}
            Mounted::Denied(decided) => {
                let id = job.app.registry.start_upload(call, &repository).await?;
                let mut response = accepted(job, &id.to_string(), 0);
                // For the audit log; the client is not told.
                response.extensions_mut().insert(decided);
                return Ok(response);
            }
        }
    } else if let Some(digest) = digest {
        let layer = job
            .app
            .registry
            .put_blob(call, &repository, &digest, body.stream())
            .await?;
        return Ok(created(job, &layer));
    }
    let id = job.app.registry.start_upload(call, &repository).await?;
    Ok(accepted(job, &id.to_string(), 0))
}

/// The result of a mount.
enum Mounted {
    Done(Layer),
    No,
    /// The caller may not read the source.
    Denied(Box<DecisionRecord>),
}

/// Links the blob from the repository that the caller names, if the caller may read it there. A denial
/// and a missing blob look the same to the client: a session for a normal upload.
async fn mounted(job: &OciRequest<'_>, mount: &Mount) -> Result<Mounted, OciError> {
    let Some(from) = mount
        .from
        .as_deref()
        .filter(|from| registry::is_repository_name(from))
    else {
        return Ok(Mounted::No);
    };
    let (account, region) = (&job.place.account, &job.place.region);
    if !job
        .app
        .registry
        .mounts_blobs(job.call(), account, region)
        .await?
    {
        return Ok(Mounted::No);
    }
    let (operation, requirements) = guard::mount_requirements(from, job.place.account.as_str());
    let columns = ops::columns(operation);
    let context = job.proof.context();
    let allowed = authorize::check(job.app, context, &columns.rule, &requirements).await;
    let source = match allowed {
        Ok(Some(source)) => source,
        Ok(None) => return Ok(Mounted::No),
        Err(ApiError::Denied(refusal)) => return Ok(Mounted::Denied(Box::new(refusal.decision))),
        Err(fail) => return Err(fail.into()),
    };
    let (call, target) = (job.call(), job.repository()?);
    match job
        .app
        .registry
        .mount_blob(call, &target, &source, &mount.digest)
        .await
    {
        Ok(layer) => Ok(layer.map_or(Mounted::No, Mounted::Done)),
        Err(Error::LayerNotFound { .. } | Error::LayerInaccessible { .. }) => Ok(Mounted::No),
        Err(error) => Err(error.into()),
    }
}

/// `GET …/blobs/uploads/<id>`
pub(super) async fn status(job: &OciRequest<'_>, id: &str) -> OciResult {
    let repository = job.repository()?;
    let size = job
        .app
        .registry
        .upload_status(job.call(), &repository, id)
        .await?;
    let mut response = accepted(job, id, size);
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `PATCH …/blobs/uploads/<id>`
pub(super) async fn part(job: &OciRequest<'_>, id: &str, body: Inbound) -> OciResult {
    let repository = job.repository()?;
    let offset = offset(job, &body)?;
    let call = job.call();
    let appended = job
        .app
        .registry
        .append(call, &repository, id, offset, body.stream())
        .await;
    match appended {
        Ok(size) => Ok(accepted(job, id, size)),
        Err(error) => Err(out_of_order(job, id, error)),
    }
}

/// `PUT …/blobs/uploads/<id>?digest=`
pub(super) async fn complete(
    job: &OciRequest<'_>,
    id: &str,
    digest: Option<String>,
    body: Inbound,
) -> OciResult {
    let repository = job.repository()?;
    let digest = digest.ok_or_else(|| {
        OciError::new(
            ErrorStatus::BAD_REQUEST,
            "DIGEST_INVALID",
            "The parameter 'digest' is missing.",
        )
    })?;
    let offset = offset(job, &body)?;
    let call = job.call();
    let completed = job
        .app
        .registry
        .complete_upload(call, &repository, id, &digest, offset, body.stream())
        .await;
    match completed {
        Ok(layer) => Ok(created(job, &layer)),
        Err(error) => Err(out_of_order(job, id, error)),
    }
}

/// `DELETE …/blobs/uploads/<id>`
pub(super) async fn cancel(job: &OciRequest<'_>, id: &str) -> OciResult {
    let repository = job.repository()?;
    job.app
        .registry
        .cancel_upload(job.call(), &repository, id)
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Where the part begins, when `Content-Range` says so. The specification's form is `<start>-<end>`;
/// HTTP's `bytes <start>-<end>/<size>` is understood as well.
fn offset(job: &OciRequest<'_>, body: &Inbound) -> Result<Option<u64>, OciError> {
    let Some(range) = job.head.header(header::CONTENT_RANGE) else {
        return Ok(None);
    };
    let invalid = || {
        OciError::new(
            ErrorStatus::BAD_REQUEST,
            "BLOB_UPLOAD_INVALID",
            "Content-Range is not valid.",
        )
    };
    let (start, length) = parse_range(range).ok_or_else(invalid)?;
    let announced = body.length();
    match announced {
        Some(announced) if length.is_some_and(|length| length != announced) => Err(invalid()),
        _ => Ok(Some(start)),
    }
}

/// Start and length. An empty range (`0--1`) has no form of its own and is not one.
fn parse_range(text: &str) -> Option<(u64, Option<u64>)> {
    let text = text.trim();
    let text = text
        .strip_prefix("bytes")
        .unwrap_or(text)
        .trim_start_matches([' ', '=']);
    let text = text.split('/').next()?;
    let (start, end) = text.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let length = end.checked_sub(start)?;
    Some((start, length.checked_add(1)))
}

/// A part at the wrong offset: 416, with the present end of the upload.
fn out_of_order(job: &OciRequest<'_>, id: &str, error: Error) -> OciError {
    let size = match &error {
        Error::InvalidLayerPart {
            last_valid_byte_received,
            ..
        } => u64::try_from(last_valid_byte_received.saturating_add(1)).ok(),
        _ => None,
    };
    let fail = OciError::from(error);
    match size {
        Some(size) => fail
            .header(header::LOCATION, location(job, id))
            .header(header::RANGE, range(size)),
        None => fail,
    }
}

fn location(job: &OciRequest<'_>, id: &str) -> String {
    format!("/v2/{}/blobs/uploads/{id}", job.name())
}

/// `0-<last byte>`; an empty upload is `0-0`, as in the specification's own example.
fn range(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

fn accepted(job: &OciRequest<'_>, id: &str, size: u64) -> Response<ReplyBody> {
    let mut response = empty(StatusCode::ACCEPTED);
    set(&mut response, header::LOCATION, &location(job, id));
    set(&mut response, header::RANGE, &range(size));
    set(&mut response, UPLOAD_UUID, id);
    set_length(&mut response, 0);
    response
}

fn created(job: &OciRequest<'_>, layer: &Layer) -> Response<ReplyBody> {
    let digest = layer.digest.to_string();
    let mut response = empty(StatusCode::CREATED);
    let location = format!("/v2/{}/blobs/{digest}", job.name());
    set(&mut response, header::LOCATION, &location);
    set(&mut response, CONTENT_DIGEST, &digest);
    set_length(&mut response, 0);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_range("0-9"), Some((0, Some(10))));
        assert_eq!(parse_range("bytes 10-19/*"), Some((10, Some(10))));
        assert_eq!(parse_range("bytes=5-5"), Some((5, Some(1))));
        for bad in ["", "-", "5-4", "a-b", "5", "-1-4", "0-99999999999999999999"] {
            assert_eq!(parse_range(bad), None, "{bad}");
        }
    }
}
