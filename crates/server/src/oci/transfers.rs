//! Counts the bytes of layers that clients were sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use registry::{Download, Registry};

use crate::body::{ByteStream, ReplyBody};

/// The response, whose body notes what was taken of it: at its end, or where the client goes away.
pub(crate) fn counted(
    mut response: Response<ReplyBody>,
    registry: &Registry,
    download: Download,
) -> Response<ReplyBody> {
    if let ReplyBody::Stream { stream, left } = response.body_mut() {
        let inner = std::mem::replace(stream, Box::pin(futures_util::stream::empty()));
        *stream = Box::pin(Counted {
            inner,
            left: *left,
            sent: 0,
            registry: registry.clone(),
            download,
        });
    }
    response
}

struct Counted {
    inner: ByteStream,
    left: u64,
    sent: u64,
    registry: Registry,
    download: Download,
}

impl Counted {
    fn note(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        if sent > 0 {
            self.registry.note_sent(&self.download, sent);
        }
    }
}

impl Stream for Counted {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let polled = self.inner.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            let length = bytes.len() as u64;
            self.sent += length;
            self.left = self.left.saturating_sub(length);
            // Before the client has the last byte, so that whoever asks then sees it counted.
            if self.left == 0 {
                self.note();
            }
        }
        polled
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.note();
    }
}
