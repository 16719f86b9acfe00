//! Lists: tags, referrers, and docker's catalog.

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode, header};
use registry::Page as Found;
use serde::Serialize;

use super::answers::{answer, set};
use super::{OciRequest, OciResult};
use crate::error::{ApiError, OciError};
use crate::limits::OCI_PAGE_MAX;
use crate::oci_route::Page;
use crate::reply::ReplyBody;
use aws_types::percent::encode as percent_encode;

const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a str,
    tags: &'a [String],
}

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: &'a [String],
}

/// `GET …/tags/list`
pub(super) async fn tags(job: &OciRequest<'_>, page: Page) -> OciResult {
    let repository = job.repository()?;
    let n = size(&page);
    let found = match n {
        0 => Found::default(),
        n => {
            let last = page.last.as_deref();
            job.app
                .registry
                .list_tags(job.call(), &repository, Some(n), last)
                .await?
        }
    };
    let body = json_of(&Tags {
        name: job.name(),
        tags: &found.items,
    })?;
    let path = format!("/v2/{}/tags/list", job.name());
    Ok(paged(&path, n, &found, body))
}

/// `GET /v2/_catalog`
pub(super) async fn catalog(job: &OciRequest<'_>, page: Page) -> OciResult {
    let n = size(&page);
    let found = match n {
        0 => Found::default(),
        n => {
            let (place, last) = (&job.place, page.last.as_deref());
            let registry = &job.app.registry;
            registry
                .list_repositories(job.call(), &place.account, &place.region, Some(n), last)
                .await?
        }
    };
    let body = json_of(&Catalog {
        repositories: &found.items,
    })?;
    Ok(paged("/v2/_catalog", n, &found, body))
}

/// `GET …/referrers/<digest>`
pub(super) async fn referrers(
    job: &OciRequest<'_>,
    digest: &str,
    artifact_type: Option<&str>,
    next: Option<&str>,
) -> OciResult {
    let repository = job.repository()?;
    let found = job
        .app
        .registry
        .referrers(job.call(), &repository, digest, artifact_type, next)
        .await?;
    let mut response = answer(StatusCode::OK, found.to_index().into(), INDEX);
    let mut filter = String::new();
    if let Some(artifact_type) = artifact_type {
        set(&mut response, FILTERS, "artifactType");
        filter = format!("artifactType={}&", percent_encode(artifact_type));
    }
    if let Some(next) = found.next {
        let next = percent_encode(&next);
        let link = format!(
            "</v2/{}/referrers/{digest}?{filter}next={next}>; rel=\"next\"",
            job.name()
        );
        set(&mut response, header::LINK, &link);
    }
    Ok(response)
}

fn size(page: &Page) -> usize {
    page.n.unwrap_or(OCI_PAGE_MAX).min(OCI_PAGE_MAX)
}

fn json_of(value: &impl Serialize) -> Result<Bytes, OciError> {
    let json = serde_json::to_vec(value).map_err(ApiError::internal)?;
    Ok(json.into())
}

/// A page, with a link to the next one (RFC 8288) where there is more.
fn paged(path: &str, n: usize, found: &Found, body: Bytes) -> Response<ReplyBody> {
    let mut response = answer(StatusCode::OK, body, "application/json");
    if let (true, Some(last)) = (found.more, found.items.last()) {
        let link = format!("<{path}?n={n}&last={}>; rel=\"next\"", percent_encode(last));
        set(&mut response, header::LINK, &link);
    }
    response
}
