//! Markers: where the next page of a list begins.

use aws_api::CommonError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// `MaxItems` where a request names none (IAM API, `MaxItems`).
const ITEMS_DEFAULT: i32 = 100;
/// The largest `MaxItems`.
const ITEMS_MAX: i32 = 1000;

/// A page that is asked for: so many items after a key.
#[derive(Debug)]
pub(crate) struct Page {
    limit: usize,
    /// The key of the last item on the page before; empty on the first.
    pub(crate) after: String,
}

fn invalid_marker() -> Error {
    Error::new(CommonError::Validation, "Invalid Marker.".to_owned())
}

/// A page that is answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<T> {
    pub(crate) items: Vec<T>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

impl Page {
    pub(crate) fn new(max_items: Option<i32>, marker: Option<&str>) -> Result<Page, Error> {
        let limit = max_items.unwrap_or(ITEMS_DEFAULT).clamp(1, ITEMS_MAX);
        let after = match marker {
            None => String::new(),
            Some(marker) => URL_SAFE_NO_PAD
                .decode(marker)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(invalid_marker)?,
        };
        Ok(Page {
            limit: usize::try_from(limit).unwrap_or(1),
            after,
        })
    }

    /// The largest number of items on the page, at least one.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The marker of a page that begins after this key.
    pub(crate) fn marker(key: &str) -> String {
        URL_SAFE_NO_PAD.encode(key)
    }

    /// How many rows to read: one more than the page holds, to know whether it is the last.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }

    /// The key as a row's number; the first page begins before all.
    pub(crate) fn after_number(&self) -> Result<i64, Error> {
        if self.after.is_empty() {
            return Ok(0);
        }
        let number = self.after.parse();
        number.map_err(|_| invalid_marker())
    }

    /// Cuts rows that were read after the key, at most [`Page::rows`].
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Cut<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        Cut {
            marker: last.map(|item| Page::marker(&key(item))),
            is_truncated: Some(more),
            items,
        }
    }

    /// Cuts a list that is whole in memory, in the order of its keys.
    pub(crate) fn of<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Cut<T> {
        items.sort_by_cached_key(&key);
        if !self.after.is_empty() {
            items.retain(|item| key(item) > self.after);
        }
        self.cut(items, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_give_each_item_once_and_in_order(
            names in proptest::collection::btree_set("[a-z]{1,6}", 0..40),
            size in 1..12_i32,
        ) {
            let all: Vec<String> = names.into_iter().collect();
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let page = Page::new(Some(size), marker.as_deref()).unwrap();
                let cut = page.of(all.clone(), String::clone);
                prop_assert_eq!(cut.marker.is_some(), cut.is_truncated.unwrap());
                seen.extend(cut.items);
                marker = cut.marker;
                if marker.is_none() { break; }
            }
            prop_assert_eq!(seen, all);
        }

        #[test]
        fn any_marker_is_taken_or_refused(marker in "\\PC*") {
            if let Err(error) = Page::new(None, Some(&marker)) {
                prop_assert!(error.is(CommonError::Validation));
            }
        }
    }
}
