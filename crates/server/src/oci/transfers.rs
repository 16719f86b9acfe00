//! Counts the bytes of layers that clients were sent.

use http::Response;
use registry::{Download, Registry};

use crate::reply::ReplyBody;

/// The response, whose body notes what was taken of it: at its end, or where the client goes away.
pub(crate) fn counted(
    response: Response<ReplyBody>,
    registry: &Registry,
    download: Download,
) -> Response<ReplyBody> {
    let registry = registry.clone();
    let note = move |sent| registry.note_sent(&download, sent);
    response.map(|body| body.counted(Box::new(note)))
}
