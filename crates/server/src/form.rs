//! Query strings (WHATWG URL, "application/x-www-form-urlencoded"), as far as routing needs them.

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
            let decode = |text: &str| percent_decode(&text.replace('+', " "));
            Some((decode(key)?, decode(value)?))
        })
}

/// Percent-decodes; `None` for a broken escape or what is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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
        assert_eq!(percent_decode("%+1"), None);
        assert_eq!(percent_encode("a/b c"), "a%2Fb%20c");
    }
}
