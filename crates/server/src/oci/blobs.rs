//! Blobs on their way out (OCI Distribution, "Pulling blobs"), whole or a range (RFC 9110, section 14).

use ::blobs::{BlobFile, Digest};
use http::{Response, StatusCode, header};

use super::uploads::CONTENT_DIGEST;
use super::{OciError, OciRequest, OciResult, empty, set};
use crate::body::ReplyBody;
use crate::head::Head;

/// `HEAD …/blobs/<digest>`
pub(super) async fn head(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let layer = job.app.registry.stat_blob(&repository, digest).await?;
    let mut response = described(&layer.digest);
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &layer.size.to_string(),
    );
    Ok(response)
}

/// `GET …/blobs/<digest>`
pub(super) async fn get(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let (layer, file) = job.app.registry.open_blob(&repository, digest).await?;
    send(job.head, &layer.digest, file)
}

/// `DELETE …/blobs/<digest>`
pub(super) async fn delete(job: &OciRequest<'_>, digest: &str) -> OciResult {
    let repository = job.repository()?;
    let call = job.call();
    job.app
        .registry
        .delete_blob(&call, &repository, digest)
        .await?;
    Ok(empty(StatusCode::ACCEPTED))
}

fn described(digest: &Digest) -> Response<ReplyBody> {
    let digest = digest.to_string();
    let mut response = empty(StatusCode::OK);
    set(
        &mut response,
        header::CONTENT_TYPE,
        "application/octet-stream",
    );
    set(&mut response, CONTENT_DIGEST, &digest);
    set(&mut response, header::ETAG, &format!("\"{digest}\""));
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    // The name is the content: nothing can become stale.
    set(
        &mut response,
        header::CACHE_CONTROL,
        "private, max-age=31536000",
    );
    response
}

/// Sends a blob or the range that is asked for.
pub(crate) fn send(head: &Head, digest: &Digest, file: BlobFile) -> OciResult {
    let size = file.size();
    let mut response = described(digest);
    if not_modified(head, digest) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let range = match wanted(head, digest, size) {
        Wanted::All => 0..size,
        Wanted::Range(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let content = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            set(&mut response, header::CONTENT_RANGE, &content);
            range
        }
        Wanted::Unsatisfiable => {
            let message = format!("The range does not lie within the blob's {size} bytes.");
            return Err(OciError::new(416, "SIZE_INVALID", message)
                .header(header::CONTENT_RANGE, format!("bytes */{size}")));
        }
    };
    let left = range.end - range.start;
    set(&mut response, header::CONTENT_LENGTH, &left.to_string());
    if left > 0 && head.parts.method != http::Method::HEAD {
        let stream = Box::pin(file.read_range(range));
        *response.body_mut() = ReplyBody::Stream { stream, left };
    }
    Ok(response)
}

/// `If-None-Match` (RFC 9110, 13.1.2).
pub(super) fn not_modified(head: &Head, digest: &Digest) -> bool {
    let Some(tags) = head.header(header::IF_NONE_MATCH) else {
        return false;
    };
    let own = digest.to_string();
    tags.split(',').any(|tag| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        tag == "*" || tag == own
    })
}

#[derive(Debug, PartialEq)]
enum Wanted {
    All,
    Range(std::ops::Range<u64>),
    Unsatisfiable,
}

fn wanted(head: &Head, digest: &Digest, size: u64) -> Wanted {
    let Some(range) = head.header(header::RANGE) else {
        return Wanted::All;
    };
    // `If-Range` with another entity tag asks for the whole (RFC 9110, 13.1.5).
    if let Some(tag) = head.header(header::IF_RANGE)
        && tag.trim_matches('"') != digest.to_string()
    {
        return Wanted::All;
    }
    parse(range, size)
}

/// One range of bytes. Several, another unit, and what is no range count as absent, as RFC 9110 allows.
fn parse(range: &str, size: u64) -> Wanted {
    let Some(spec) = range.trim().strip_prefix("bytes=") else {
        return Wanted::All;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Wanted::All;
    };
    if spec.contains(',') {
        return Wanted::All;
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(0) => Wanted::Unsatisfiable,
            Some(_) if size == 0 => Wanted::Unsatisfiable,
            Some(suffix) => Wanted::Range(size.saturating_sub(suffix)..size),
            None => Wanted::All,
        },
        (first, last) => {
            let Some(first) = number(first) else {
                return Wanted::All;
            };
            let end = match last {
                "" => Some(size),
                last => number(last).map(|last| last.saturating_add(1).min(size)),
            };
            match end {
                None => Wanted::All,
                Some(_) if first >= size => Wanted::Unsatisfiable,
                // A last byte before the first one makes it no range at all.
                Some(end) if end <= first => Wanted::All,
                Some(end) => Wanted::Range(first..end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let table = [
            ("bytes=0-9", Wanted::Range(0..10)),
            ("bytes=10-", Wanted::Range(10..100)),
            ("bytes=-5", Wanted::Range(95..100)),
            ("bytes=-500", Wanted::Range(0..100)),
            ("bytes=90-200", Wanted::Range(90..100)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-18446744073709551615", Wanted::Range(0..100)),
            ("bytes=9-5", Wanted::All),
            ("bytes=0-1,4-5", Wanted::All),
            ("bytes=a-", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("", Wanted::All),
        ];
        for (range, expected) in table {
            assert_eq!(parse(range, 100), expected, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Wanted::Unsatisfiable);
    }
}
