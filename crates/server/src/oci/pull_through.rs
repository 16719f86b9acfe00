//! Pulls that a pull through cache rule serves, in the words of this API.

use aws_api::ErrorStatus;
use http::header;
use registry::pull_through::UpstreamError;

use super::OciRequest;
use crate::error::{INTERNAL, OciError, RETRY_AFTER_SECONDS};
use crate::upstream_pulls::{self, Missed, Pull, Served};

/// When a client of an upstream that has too many requests may try again, where the upstream does not say so.
const TOO_MANY_REQUESTS_SECONDS: u64 = 60;

/// Brings a manifest from upstream; see [`upstream_pulls::manifest`].
pub(super) async fn manifest<'a>(
    mut job: OciRequest<'a>,
    reference: &str,
) -> Result<(OciRequest<'a>, Served), OciError> {
    let mut pull = pull(&job);
    let served = upstream_pulls::manifest(&mut pull, reference).await;
    let record = pull.record;
    job.record = record;
    match served {
        Ok(served) => Ok((job, served)),
        Err(missed) => Err(answer(&job, missed)),
    }
}

/// Brings a blob from upstream; see [`upstream_pulls::blob`].
pub(super) async fn blob<'a>(
    job: OciRequest<'a>,
    digest: &str,
    streamed: bool,
) -> Result<(OciRequest<'a>, Served), OciError> {
    let served = upstream_pulls::blob(&mut pull(&job), digest, streamed).await;
    match served {
        Ok(served) => Ok((job, served)),
        Err(missed) => Err(answer(&job, missed)),
    }
}

/// Brings referrers from upstream; see [`upstream_pulls::referrers`].
pub(super) async fn referrers(job: &OciRequest<'_>, subject: &str) -> Result<(), OciError> {
    let brought = upstream_pulls::referrers(&pull(job), subject).await;
    brought.map_err(|missed| answer(job, missed))
}

fn pull<'a>(job: &'a OciRequest<'_>) -> Pull<'a> {
    Pull {
        app: job.app,
        proof: job.call(),
        place: &job.place,
        name: job.name(),
        record: job.record.clone(),
    }
}

fn answer(job: &OciRequest<'_>, missed: Missed) -> OciError {
    match missed {
        Missed::NoImage(decided) => {
            let mut error = no_image(job);
            error.decided = decided;
            error
        }
        Missed::Upstream(error) => upstream(&error),
        Missed::Failed(error) => error.into(),
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
fn upstream(error: &UpstreamError) -> OciError {
    let text = error.to_string();
    match error {
        UpstreamError::AccessDenied(_) | UpstreamError::Credentials(_) => {
            OciError::new(ErrorStatus::FORBIDDEN, "DENIED", text)
        }
        UpstreamError::TooManyRequests { retry_after } => {
            let after = retry_after.unwrap_or(TOO_MANY_REQUESTS_SECONDS);
            let status = ErrorStatus::of::<429>();
            OciError::new(status, "TOOMANYREQUESTS", text)
                .header(header::RETRY_AFTER, after.to_string())
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
