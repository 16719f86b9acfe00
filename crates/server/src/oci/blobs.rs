//! Blob downloads (OCI Distribution, "Pulling blobs"), whole or in ranges (RFC 9110, section 14).

use std::future::ready;
use std::ops::Range;

use ::blobs::{Digest, Redirect, Source};
use aws_api::ErrorStatus;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Response, StatusCode, header};

use super::answers::{empty, set, set_digest, set_length};
use super::conditions::{self, Read};
use super::ranges::{self, Frame, RANGES_MAX, Wanted};
use super::{OciRequest, OciResult, transfers};
use crate::error::OciError;
use crate::head::Head;
use crate::reply::{ByteStream, ReplyBody};

const OCTET_STREAM: &str = "application/octet-stream";

/// `HEAD …/blobs/<digest>`
pub(super) async fn head(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let layer = job
        .app
        .registry
        .stat_blob(job.call(), &repository, digest)
        .await?;
    let mut response = described(&layer.digest);
    set_length(&mut response, layer.size);
    Ok(response)
}

/// `GET …/blobs/<digest>`
pub(super) async fn get(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let (layer, file) = job
        .app
        .registry
        .open_blob(job.call(), &repository, digest)
        .await?;
    let download = registry::Download::of(job.call(), &repository);
    let response = send(job.head, &layer.digest, file)?;
    Ok(transfers::counted(response, &job.app.registry, download))
}

/// A blob that is being cached.
pub(super) fn passed_on(
    job: &OciRequest<'_>,
    digest: &Digest,
    size: u64,
    stream: ByteStream,
) -> OciResult {
    let repository = job.repository()?;
    let download = registry::Download::of(job.call(), &repository);
    let mut response = described(digest);
    set_length(&mut response, size);
    if size > 0 {
        *response.body_mut() = ReplyBody::stream(stream, size);
    }
    Ok(transfers::counted(response, &job.app.registry, download))
}

/// `DELETE …/blobs/<digest>`
pub(super) async fn delete(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let expected = conditions::expected(job.head)?;
    let layer = job
        .app
        .registry
        .stat_blob(job.call(), &repository, digest)
        .await?;
    // A blob never changes, so the condition cannot cease to hold meanwhile.
    let reference = layer.digest.to_string();
    if !expected.holds(Some(&reference)) {
        return Err(registry::Error::PreconditionFailed { reference }.into());
    }
    let call = job.call();
    job.app
        .registry
        .delete_blob(call, &repository, digest)
        .await?;
    Ok(empty(StatusCode::ACCEPTED))
}

fn described(digest: &Digest) -> Response<ReplyBody> {
    let mut response = empty(StatusCode::OK);
    set(&mut response, header::CONTENT_TYPE, OCTET_STREAM);
    set_digest(&mut response, digest);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    // The digest names the content: it cannot become stale.
    set(
        &mut response,
        header::CACHE_CONTROL,
        "private, max-age=31536000",
    );
    response
}

/// Sends a blob, or the ranges of it that are asked for.
pub(crate) fn send(head: &Head, digest: &Digest, file: Source) -> OciResult {
    let read = conditions::read(head, digest)?;
    let size = file.size();
    let mut response = described(digest);
    if let Read::NotModified = read {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    if let Source::Redirect(redirect) = &file {
        return Ok(redirected(redirect));
    }
    match wanted(head, digest, size) {
        Wanted::All => body(&mut response, head, &file, 0..size),
        Wanted::One(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let content = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            set(&mut response, header::CONTENT_RANGE, &content);
            body(&mut response, head, &file, range);
        }
        Wanted::Several(ranges) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            parts(&mut response, head, &file, ranges);
        }
        Wanted::Unsatisfiable => {
            let message = format!("The range does not lie within the blob's {size} bytes.");
            return Err(
                OciError::new(ErrorStatus::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", message)
                    .header(header::CONTENT_RANGE, format!("bytes */{size}")),
            );
        }
        Wanted::TooMany => {
            let message = format!("A request may have at most {RANGES_MAX} ranges.");
            return Err(OciError::new(
                ErrorStatus::BAD_REQUEST,
                "UNSUPPORTED",
                message,
            ));
        }
    }
    Ok(response)
}

/// Sends the client to where the bytes are (OCI Distribution, "Pulling blobs"); ranges are asked for there.
fn redirected(redirect: &Redirect) -> Response<ReplyBody> {
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    set(&mut response, header::LOCATION, redirect.url());
    // The URL is short-lived and a bearer's.
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn body(response: &mut Response<ReplyBody>, head: &Head, file: &Source, range: Range<u64>) {
    let left = range.end - range.start;
    set_length(response, left);
    if left > 0 && head.parts.method != http::Method::HEAD {
        *response.body_mut() = match file {
            Source::File(file) => match file.bytes_in_memory(range.clone()) {
                Some(bytes) => ReplyBody::from(bytes),
                None => ReplyBody::file(file.read_range(range)),
            },
            _ => ReplyBody::stream(Box::pin(file.read_range(range)), left),
        };
    }
}

/// The body of several ranges (RFC 9110, section 15.3.7.2). A part's file is read when the
/// one before it has been sent.
fn parts(response: &mut Response<ReplyBody>, head: &Head, file: &Source, ranges: Vec<Range<u64>>) {
    let frame = Frame::new(&head.request_id, OCTET_STREAM, file.size());
    set(response, header::CONTENT_TYPE, &frame.content_type());
    let left = frame.length(&ranges);
    set_length(response, left);
    if head.parts.method == http::Method::HEAD {
        return;
    }
    let end = stream::once(ready(Ok(Bytes::from(frame.end()))));
    let file = file.clone();
    let parts = stream::iter(ranges.into_iter().enumerate()).flat_map(move |(nth, range)| {
        let part_head = Bytes::from(frame.head(nth, &range));
        stream::once(ready(Ok(part_head))).chain(file.read_range(range))
    });
    let stream = Box::pin(parts.chain(end));
    *response.body_mut() = ReplyBody::stream(stream, left);
}

fn wanted(head: &Head, digest: &Digest, size: u64) -> Wanted {
    let Some(range) = head.header(header::RANGE) else {
        return Wanted::All;
    };
    // Only GET has ranges (RFC 9110, section 14.2).
    if head.parts.method != http::Method::GET {
        return Wanted::All;
    }
    // `If-Range` with another entity tag, or a date, asks for the whole.
    if let Some(tag) = head.header(header::IF_RANGE)
        && !conditions::is_strong_tag_of(tag, digest)
    {
        return Wanted::All;
    }
    ranges::parse(range, size)
}
