//! Manifests (OCI Distribution, "Pulling manifests", "Pushing manifests"): byte for byte.

use ::blobs::Digest;
use http::{HeaderName, StatusCode, header};
use registry::pull_through::FromUpstream;
use registry::{Error, Manifest, ManifestPush, RepositoryFacts};
use serde_json::{Map, json};

use super::answers::{empty, set, set_digest, set_length};
use super::conditions::{self, Read};

use super::{Elements, OciRequest, OciResult};
use crate::body::{BodyError, Inbound};
use crate::fair_pool::Party;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::reply::ReplyBody;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// The tags that were accepted beside a digest (distribution-spec, "Pushing Manifests").
const TAG: HeaderName = HeaderName::from_static("oci-tag");
/// Referrers that the event of a deletion names one by one.
const REFERRERS_AUDITED_MAX: usize = 100;

/// `HEAD …/manifests/<reference>`
pub(super) async fn head(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let manifest = job
        .app
        .registry
        .stat_manifest(job.call(), &repository, reference)
        .await?;
    described(job, &manifest)
}

/// `GET …/manifests/<reference>`
pub(super) async fn get(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let call = job.call();
    let manifest = job
        .app
        .registry
        .get_manifest(call, &repository, reference)
        .await?;
    let mut response = described(job, &manifest)?;
    if response.status() == StatusCode::OK {
        *response.body_mut() = ReplyBody::from(manifest.bytes.clone());
    }
    Ok(response)
}

/// A manifest that is being cached.
pub(super) fn passed_on(job: &OciRequest<'_>, found: &FromUpstream, whole: bool) -> OciResult {
    let length = found.bytes.len();
    let mut response = of(job, &found.digest, &found.media_type, length)?;
    if whole && response.status() == StatusCode::OK {
        *response.body_mut() = ReplyBody::from(found.bytes.clone());
    }
    Ok(response)
}

fn described(job: &OciRequest<'_>, manifest: &Manifest) -> OciResult {
    let (kind, length) = (&manifest.media_type, manifest.bytes.len());
    of(job, &manifest.digest, kind, length)
}

fn of(job: &OciRequest<'_>, manifest: &Digest, media_type: &str, length: usize) -> OciResult {
    let read = conditions::read(job.head, manifest)?;
    let mut response = empty(StatusCode::OK);
    set_digest(&mut response, manifest);
    if let Read::NotModified = read {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    set(&mut response, header::CONTENT_TYPE, media_type);
    set_length(&mut response, length as u64);
    Ok(response)
}

/// `PUT …/manifests/<reference>?digest=&tag=`
pub(super) async fn put(
    job: &OciRequest<'_>,
    reference: &str,
    digest: Option<&str>,
    tags: &[String],
    body: Inbound,
) -> OciResult {
    let repository = job.repository()?;
    let expected = conditions::expected(job.head)?;
    let party = Party::Principal(job.proof.caller.access_key_id.as_str().into());
    let collected = body.collect(&job.app.bodies, &party, MANIFEST_BYTES_MAX);
    let collected = match collected.await {
        Err(BodyError::TooLong(max)) => return Err(Error::ManifestTooLarge(max).into()),
        collected => collected?,
    };
    let kind = job.head.header(header::CONTENT_TYPE);
    // Parameters (`; charset=utf-8`) are no part of the media type.
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    let call = job.call();
    let push = ManifestPush {
        reference,
        digest,
        tags,
        media_type: kind,
        bytes: collected.bytes,
        expected,
        ..ManifestPush::default()
    };
    let put = job
        .app
        .registry
        .push_manifest(call, &repository, push)
        .await?;
    let digest = put.digest.to_string();
    let mut response = empty(StatusCode::CREATED);
    let location = format!("/v2/{}/manifests/{digest}", job.name());
    set(&mut response, header::LOCATION, &location);
    set_digest(&mut response, &put.digest);
    set_length(&mut response, 0);
    if let Some(subject) = put.subject {
        set(&mut response, SUBJECT, &subject.to_string());
    }
    if !tags.is_empty() {
        set(&mut response, TAG, &put.tags.join(", "));
    }
    response.extensions_mut().insert(Elements {
        parameters: Map::from_iter([
            ("imageDigest".to_owned(), json!(digest)),
            ("imageManifestMediaType".to_owned(), json!(put.media_type)),
        ]),
        response: pushed(&repository, &put.media_type, &digest, &put.tags),
    });
    Ok(response)
}

/// `responseElements` of `PutImage` (ECR User Guide, "Logging Amazon ECR actions with AWS CloudTrail",
/// "Image push action"). `PutImage` gives one tag; the tags of a push that gave several are in
/// `imageIds`.
fn pushed(
    repository: &RepositoryFacts,
    media_type: &str,
    digest: &str,
    tags: &[String],
) -> serde_json::Value {
    let id = |tag: &String| json!({"imageDigest": digest, "imageTag": tag});
    let image_id = tags
        .first()
        .map_or_else(|| json!({"imageDigest": digest}), id);
    let image = json!({
        "registryId": repository.account.as_str(),
        "repositoryName": &*repository.name,
        "imageId": image_id,
        "imageManifestMediaType": media_type,
    });
    match tags {
        [] | [_] => json!({"image": image}),
        tags => json!({"image": image, "imageIds": tags.iter().map(id).collect::<Vec<_>>()}),
    }
}

/// `DELETE …/manifests/<reference>`
pub(super) async fn delete(job: &OciRequest<'_>, reference: &str) -> OciResult {
    let repository = job.repository()?;
    let expected = conditions::expected(job.head)?;
    let call = job.call();
    let deleted = job
        .app
        .registry
        .delete_expected_manifest(call, &repository, reference, &expected)
        .await?;
    let mut ids: Vec<_> = match deleted.tags.is_empty() {
        true => vec![json!({"imageDigest": deleted.digest})],
        false => {
            let id = |tag| json!({"imageDigest": deleted.digest, "imageTag": tag});
            deleted.tags.iter().map(id).collect()
        }
    };
    let referrers = deleted.referrers.iter().take(REFERRERS_AUDITED_MAX);
    ids.extend(referrers.map(|digest| json!({"imageDigest": digest})));
    let mut response = empty(StatusCode::ACCEPTED);
    let elements = json!({"imageIds": ids, "failures": []});
    response.extensions_mut().insert(Elements {
        parameters: Map::new(),
        response: elements,
    });
    Ok(response)
}
