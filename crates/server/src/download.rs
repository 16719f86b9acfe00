//! Layers by a sealed URL: what `GetDownloadUrlForLayer` answers with. The URL itself is the permission,
//! for one layer of one repository and for a limited time; it holds nothing that could be changed.

use blobs::Digest;
use jiff::Timestamp;

use crate::answer::Fail;
use crate::app::App;
use crate::body::ReplyBody;
use crate::head::Head;
use crate::limits::DOWNLOAD_URL_LIFETIME;
use crate::oci::{self, OciFail};
use crate::route::DOWNLOAD_PREFIX;

const PURPOSE: &str = "layer-download";

/// A URL for the layer.
pub(crate) fn url(
    app: &App,
    repository_id: i64,
    digest: &Digest,
    now: Timestamp,
) -> Result<String, Fail> {
    let mut payload = repository_id.to_be_bytes().to_vec();
    payload.extend_from_slice(digest.to_string().as_bytes());
    let expires_at = now
        .checked_add(DOWNLOAD_URL_LIFETIME)
        .map_err(Fail::internal)?;
    let token = app.identity.sealer().seal(PURPOSE, &payload, expires_at)?;
    Ok(format!("{}{DOWNLOAD_PREFIX}{token}", app.names.public_url))
}

/// Answers such a URL.
pub(crate) async fn serve(
    app: &App,
    head: &Head,
    token: &str,
) -> Result<http::Response<ReplyBody>, OciFail> {
    let gone = || {
        OciFail::new(
            403,
            "DENIED",
            "The download URL is not valid or has expired.",
        )
    };
    let opened = app.identity.sealer().open(PURPOSE, token, head.now).await;
    let payload = opened.map_err(|_| gone())?;
    let (id, digest) = payload.split_first_chunk::<8>().ok_or_else(gone)?;
    let digest = std::str::from_utf8(digest)
        .ok()
        .and_then(|text| text.parse::<Digest>().ok());
    let digest = digest.ok_or_else(gone)?;
    let file = app
        .registry
        .open_layer(i64::from_be_bytes(*id), &digest)
        .await
        .map_err(Fail::from)?
        .ok_or_else(|| OciFail::new(404, "BLOB_UNKNOWN", "The layer does not exist any more."))?;
    oci::blobs::send(head, &digest, file)
}
