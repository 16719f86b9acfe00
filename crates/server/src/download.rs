//! Layers by a sealed URL: what `GetDownloadUrlForLayer` answers with. The URL itself is the permission,
//! for one layer of one repository and for a limited time; it holds nothing that could be changed.

use authz::ServiceName;
use aws_api::ErrorStatus;
use aws_types::Arn;
use registry::Download;
use serde_json::json;

use crate::app::App;
use crate::audit::Event;
use crate::download_url::{self, Grant};
use crate::error::{ApiError, OciError};
use crate::finish::finish;
use crate::head::Head;
use crate::oci;
use crate::reply::ReplyBody;

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
        let opened = download_url::open(app, token, head.now).await;
        let grant = opened.ok_or_else(gone)?;
        head.identified();
        describe(&mut event, &grant);
        let file = app
            .registry
            .open_layer(
                ServiceName::DownloadUrl,
                grant.repository_id,
                &grant.digest,
                head.now.as_millisecond(),
            )
            .await
            .map_err(ApiError::from)?
            .ok_or_else(|| {
                OciError::new(
                    ErrorStatus::NOT_FOUND,
                    "BLOB_UNKNOWN",
                    "The layer does not exist any more.",
                )
            })?;
        let response = oci::blobs::send(head, &grant.digest, file)?;
        let arn = grant.repository.parse::<Arn>().ok();
        let principal = grant.principal.as_str();
        let id = grant.repository_id;
        let download = arn.and_then(|arn| Download::by_url(id, &arn, principal, head.now));
        Ok(match download {
            Some(download) => oci::transfers::counted(response, &app.registry, download),
            None => response,
        })
    };
    let (response, failure) = match done.await {
        Ok(response) => (response, None),
        Err(error) => (oci::failed(head, &error), Some(error.into())),
    };
    finish(app, event, failure).await;
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
