//! The sealed URLs that `GetDownloadUrlForLayer` answers with: the permission to read one layer of one
//! repository, for a limited time.

use blobs::Digest;
use jiff::Timestamp;
use registry::RepositoryFacts;

use crate::app::App;
use crate::error::ApiError;
use crate::limits::DOWNLOAD_URL_LIFETIME;
use crate::route::DOWNLOAD_PREFIX;

const PURPOSE: &str = "layer-download";

/// What a URL is good for, and what the audit log says when it is used.
#[derive(Debug, PartialEq)]
pub(crate) struct Grant {
    pub(crate) repository_id: i64,
    pub(crate) digest: Digest,
    /// The access key that asked for the URL. Whoever uses it need not have one.
    pub(crate) access_key_id: String,
    /// The repository, as it was called then.
    pub(crate) repository: String,
    /// The user, role or root user who asked for it; empty in URLs of earlier versions.
    pub(crate) principal: String,
}

impl Grant {
    /// The id as 8 bytes, then the texts, none of which holds a space.
    fn encode(&self) -> Vec<u8> {
        let mut payload = self.repository_id.to_be_bytes().to_vec();
        let texts = [
            &self.digest.to_string(),
            &self.access_key_id,
            &self.repository,
            &self.principal,
        ]
        .map(String::as_str)
        .join(" ");
        payload.extend_from_slice(texts.as_bytes());
        payload
    }

    fn decode(payload: &[u8]) -> Option<Grant> {
        let (id, texts) = payload.split_first_chunk::<8>()?;
        let mut texts = std::str::from_utf8(texts).ok()?.split(' ');
        Some(Grant {
            repository_id: i64::from_be_bytes(*id),
            digest: texts.next()?.parse().ok()?,
            access_key_id: texts.next()?.to_owned(),
            repository: texts.next()?.to_owned(),
            principal: texts.next().unwrap_or_default().to_owned(),
        })
    }
}

/// A URL for a layer of `repository`, for whoever holds the access key.
pub(crate) fn url(
    app: &App,
    repository: &RepositoryFacts,
    digest: &Digest,
    (access_key_id, principal): (&str, &str),
    now: Timestamp,
) -> Result<String, ApiError> {
    let grant = Grant {
        repository_id: repository.id,
        digest: *digest,
        access_key_id: access_key_id.to_owned(),
        repository: repository.arn.to_string(),
        principal: principal.to_owned(),
    };
    let expires_at = now
        .checked_add(DOWNLOAD_URL_LIFETIME)
        .map_err(ApiError::internal)?;
    let sealer = app.identity.sealer();
    let token = sealer.seal(PURPOSE, &grant.encode(), expires_at)?;
    Ok(format!("{}{DOWNLOAD_PREFIX}{token}", app.names.public_url))
}

/// What the token of a URL permits; `None` for one that was not made here, or that is over.
pub(crate) async fn open(app: &App, token: &str, now: Timestamp) -> Option<Grant> {
    let opened = app.identity.sealer().open(PURPOSE, token, now).await;
    Grant::decode(&opened.ok()?)
}
