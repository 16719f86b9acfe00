//! Layers by a sealed URL: what `GetDownloadUrlForLayer` answers with. The URL itself is the permission,
//! for one layer of one repository and for a limited time; it holds nothing that could be changed.

use authz::ServiceName;
use aws_api::ErrorStatus;
use aws_types::Arn;
use blobs::Digest;
use jiff::Timestamp;
use registry::RepositoryFacts;
use serde_json::json;

use crate::app::App;
use crate::audit::Event;
use crate::body::ReplyBody;
use crate::error::{ApiError, OciError};
use crate::head::Head;
use crate::limits::DOWNLOAD_URL_LIFETIME;
use crate::oci;
use crate::route::DOWNLOAD_PREFIX;

const PURPOSE: &str = "layer-download";

/// What a URL is good for, and what the audit log says when it is used.
#[derive(Debug, PartialEq)]
struct Grant {
    repository_id: i64,
    digest: Digest,
    /// The access key that asked for the URL. Whoever uses it need not have one.
    access_key_id: String,
    /// The repository, as it was called then.
    repository: String,
}

impl Grant {
    /// The id as 8 bytes, then the texts, none of which holds a space.
    fn encode(&self) -> Vec<u8> {
        let mut payload = self.repository_id.to_be_bytes().to_vec();
        let texts = format!("{} {} {}", self.digest, self.access_key_id, self.repository);
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
        })
    }
}

/// A URL for a layer of `repository`, for whoever holds `access_key_id`.
pub(crate) fn url(
    app: &App,
    repository: &RepositoryFacts,
    digest: &Digest,
    access_key_id: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let grant = Grant {
        repository_id: repository.id,
        digest: *digest,
        access_key_id: access_key_id.to_owned(),
        repository: repository.arn.to_string(),
    };
    let expires_at = now
        .checked_add(DOWNLOAD_URL_LIFETIME)
        .map_err(ApiError::internal)?;
    let sealer = app.identity.sealer();
    let token = sealer.seal(PURPOSE, &grant.encode(), expires_at)?;
    Ok(format!("{}{DOWNLOAD_PREFIX}{token}", app.names.public_url))
}

/// Answers such a URL.
pub(crate) async fn serve(app: &App, head: &Head, token: &str) -> http::Response<ReplyBody> {
    let mut event = event(app, head);
    let done = async {
        let gone = || {
            OciError::new(
                ErrorStatus::FORBIDDEN,
                "DENIED",
                "The download URL is not valid or has expired.",
            )
        };
        let opened = app.identity.sealer().open(PURPOSE, token, head.now).await;
        let payload = opened.map_err(|_| gone())?;
        head.identified();
        let grant = Grant::decode(&payload).ok_or_else(gone)?;
        describe(&mut event, &grant);
        let file = app
            .registry
            .open_layer(ServiceName::DownloadUrl, grant.repository_id, &grant.digest)
            .await
            .map_err(ApiError::from)?
            .ok_or_else(|| {
                OciError::new(
                    ErrorStatus::NOT_FOUND,
                    "BLOB_UNKNOWN",
                    "The layer does not exist any more.",
                )
            })?;
        oci::blobs::send(head, &grant.digest, file)
    };
    let response = match done.await {
        Ok(response) => response,
        Err(fail) => {
            if let Some(cause) = &fail.cause {
                tracing::error!(request_id = %head.request_id, cause, "a download failed");
            }
            let response = oci::failed(head, &fail);
            event.error = Some((fail.code.to_owned(), fail.message));
            response
        }
    };
    app.audit.record(event).await;
    response
}

/// The event of a pull. Who comes with a URL says no name; `describe` tells whose URL it is.
fn event(app: &App, head: &Head) -> Event {
    let place = &app.names.default;
    let (source, name) = ("ecr.amazonaws.com", "GetDownloadUrlForLayer");
    Event {
        read_only: true,
        data: true,
        ..Event::begin(head, source, name, &place.region, place.account)
    }
}

fn describe(event: &mut Event, grant: &Grant) {
    event.access_key_id = Some(grant.access_key_id.clone());
    let Ok(arn) = grant.repository.parse::<Arn>() else {
        return;
    };
    event.region = arn.region().to_owned();
    event.recipient = arn.account().to_owned();
    let name = arn.resource().strip_prefix("repository/");
    event.parameters = json!({
        "registryId": arn.account(),
        "repositoryName": name,
        "layerDigest": grant.digest.to_string(),
    });
}
