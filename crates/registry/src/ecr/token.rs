//! `nextToken`: where the next page begins. Opaque to clients, and no secret: it
//! names a place in an order, and what is there is authorized like the first page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Results of one answer when `maxResults` is absent.
const RESULTS_DEFAULT: i32 = 100;
/// The most that `maxResults` may be.
const RESULTS_MAX: i32 = 1_000;

/// How many results to give.
pub(crate) fn page_size(max_results: Option<i32>) -> usize {
    let asked = max_results.unwrap_or(RESULTS_DEFAULT).clamp(1, RESULTS_MAX);
    usize::try_from(asked).unwrap_or(1)
}

/// The number of rows to read: one more, to know whether there are more.
pub(crate) fn rows(page_size: usize) -> i64 {
    i64::try_from(page_size).map_or(i64::MAX, |n| n.saturating_add(1))
}

/// Cuts what was read to a page; the last item when there are more.
pub(crate) fn cut<T>(items: &mut Vec<T>, page_size: usize) -> Option<&T> {
    let more = items.len() > page_size;
    items.truncate(page_size);
    items.last().filter(|_| more)
}

/// A token that holds `place`.
pub(crate) fn seal(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The place that a token holds; empty without one.
pub(crate) fn open(token: Option<&String>) -> Result<String, Error> {
    let Some(token) = token else {
        return Ok(String::new());
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)
}

/// A token of ours never leads here.
pub(crate) fn invalid() -> Error {
    Error::parameter("nextToken", "must be the nextToken of an earlier answer")
}
