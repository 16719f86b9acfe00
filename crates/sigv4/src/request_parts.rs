//! A request as it stood on the wire.

/// The pieces of a request that a signature covers, as they stood on the wire: nothing decoded.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, percent-encoded as received; empty counts as `/`.
    pub path: &'a str,
    /// The query without its question mark, as received; empty where there is none.
    pub query: &'a str,
    /// Every header in the order received; names in any case. HTTP/2's `:authority` goes in as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// How a service writes the path of the canonical request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathStyle {
    /// Dot segments and doubled slashes removed, then encoded a second time: every service but S3.
    #[default]
    Standard,
    /// As `Standard`, but the segments stay as they are.
    Unnormalized,
    /// Encoded once, segments as they are.
    S3,
}

impl<'a> RequestParts<'a> {
    /// The values of all headers of this name (lower case), in their order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }
}
