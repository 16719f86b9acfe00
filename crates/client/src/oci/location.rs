//! Locations in answers.

use http::Uri;

/// A location in an answer of the registry at `base`.
pub(super) fn response_url(base: &str, location: &str) -> Option<String> {
    resolved(&format!("{base}/"), location)
}

/// A location that is absolute, or a path on the host of `url`.
pub(super) fn resolved(url: &str, location: &str) -> Option<String> {
    if location.starts_with("https://") || location.starts_with("http://") {
        return Some(location.to_owned());
    }
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    (location.starts_with('/') && !location.starts_with("//"))
        .then(|| format!("{scheme}://{authority}{location}"))
}
