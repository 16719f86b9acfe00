//! Query strings (WHATWG URL, "application/x-www-form-urlencoded"), as far as routing needs them.

use aws_types::percent;

/// The first value of `name`, decoded; a value that is not UTF-8 counts as absent.
pub(crate) fn first(query: &str, name: &str) -> Option<String> {
    pairs(query).find_map(|(key, value)| (key == name).then_some(value))
}

/// All pairs that decode.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((
                percent::decode_form(key)?.into_owned(),
                percent::decode_form(value)?.into_owned(),
            ))
        })
}

/// All values of `name`. One that is not UTF-8 is the replacement character, which is valid
/// in none of the parameters: it must be refused rather than ignored.
pub(crate) fn all(query: &str, name: &str) -> Vec<String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| percent::decode_form(key).is_some_and(|key| key == name))
        .map(|(_, value)| match percent::decode_form(value) {
            Some(value) => value.into_owned(),
            None => char::REPLACEMENT_CHARACTER.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_well_formed_only() {
        assert_eq!(first("a=1&b=%2Fx+y&b=2", "b").as_deref(), Some("/x y"));
        assert_eq!(first("a&b", "a").as_deref(), Some(""));
        assert_eq!(first("a=%", "a"), None);
        assert_eq!(first("a=%ff", "a"), None);
        assert_eq!(all("a=1&b=2&a=%ff&a&c=%", "a"), ["1", "\u{fffd}", ""]);
    }
}
