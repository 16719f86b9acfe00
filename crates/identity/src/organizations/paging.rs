//! Pages: `MaxResults` (20 where a request names none) and `NextToken`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::messages;
use crate::Error;

/// The largest page, and the usual one (Organizations API Reference, `MaxResults`).
const RESULTS_MAX: i32 = 20;

/// A page that is asked for. A token is the key of the last entry before it: it points nowhere but into
/// the caller's own list.
pub(super) struct Page {
    limit: usize,
    pub(super) after: String,
}

impl Page {
    pub(super) fn new(max_results: Option<i32>, token: Option<&str>) -> Result<Page, Error> {
        let limit = max_results.unwrap_or(RESULTS_MAX).clamp(1, RESULTS_MAX);
        let after = match token {
            None => String::new(),
            Some(token) => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(messages::bad_token)?,
        };
        Ok(Page {
            limit: usize::try_from(limit).unwrap_or(1),
            after,
        })
    }

    /// How many rows to read: one more than the page holds, to know whether it is the last.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }

    /// The entries of the page, and the token of the next one.
    pub(super) fn cut<T>(
        &self,
        mut items: Vec<T>,
        key: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        let token = last.map(|item| URL_SAFE_NO_PAD.encode(key(item)));
        (items, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_twenty_entries_at_most() {
        let page = Page::new(None, None).unwrap();
        let items: Vec<String> = (0..21).map(|at| format!("{at:02}")).collect();
        let (items, token) = page.cut(items, String::as_str);
        assert_eq!(items.len(), 20);
        let next = Page::new(Some(1), token.as_deref()).unwrap();
        assert_eq!((next.after.as_str(), next.rows()), ("19", 2));
        assert!(Page::new(None, Some("!")).is_err());
    }
}
