//! Names of repositories and tags. They come from strangers and become parts of URLs, so they are checked
//! wherever they enter.

use crate::error::{Result, refused};

/// The longest name of a repository in Amazon ECR.
const REPOSITORY_BYTES_MAX: usize = 256;
/// The longest tag in Amazon ECR (`ImageTag`).
const TAG_BYTES_MAX: usize = 300;

/// Checks a repository's name (OCI distribution-spec, "Pulling manifests").
///
/// # Errors
/// [`crate::Error::Refused`].
pub fn check_repository(name: &str) -> Result<()> {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let component = |part: &str| {
        let bytes = part.as_bytes();
        let ends = bytes.first().zip(bytes.last());
        let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let mut separators = separators.filter(|between| !between.is_empty());
        ends.is_some_and(|(first, last)| alphanumeric(*first) && alphanumeric(*last))
            && separators
                .all(|one| matches!(one, "." | "_" | "__") || one.bytes().all(|byte| byte == b'-'))
    };
    match name.len() <= REPOSITORY_BYTES_MAX && name.split('/').all(component) {
        true => Ok(()),
        false => Err(refused(format!(
            "`{}` is no name of a repository",
            name.chars().take(REPOSITORY_BYTES_MAX).collect::<String>()
        ))),
    }
}

/// Checks a tag (OCI distribution-spec, "Pulling manifests"; as long as ECR takes them).
///
/// # Errors
/// [`crate::Error::Refused`].
pub fn check_tag(tag: &str) -> Result<()> {
    match is_tag(tag) {
        true => Ok(()),
        false => Err(refused(format!(
            "`{}` is no tag",
            tag.chars().take(TAG_BYTES_MAX).collect::<String>()
        ))),
    }
}

pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= TAG_BYTES_MAX
        && tag.bytes().next().is_some_and(word)
        && tag
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

/// Repository and tag of an image's name as docker writes it, without its host and digest.
pub(crate) fn image_name(name: &str) -> (&str, Option<&str>) {
    let name = name.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let path = match path.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => path,
    };
    (path, tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_as_the_specification_has_them() {
        for name in ["app", "team/app", "a.b_c__d---e", "0/1"] {
            assert!(check_repository(name).is_ok(), "{name}");
        }
        for name in [
            "", "/", "App", "a//b", "../a", "a/..", "a..b", "a-_b", "-a", "a-", "a/", "a?b",
            "a%2e", "a b", "a:b",
        ] {
            assert!(check_repository(name).is_err(), "{name}");
        }
    }

    #[test]
    fn tags_hold_no_separator_of_urls() {
        for tag in ["v1", "_x", "1.2-rc.3", "sha256-0a.sig"] {
            assert!(check_tag(tag).is_ok(), "{tag}");
        }
        for tag in ["", ".a", "-a", "a/b", "a?b", "a#b", "é", "a:b", "a b"] {
            assert!(check_tag(tag).is_err(), "{tag}");
        }
    }

    #[test]
    fn image_names_lose_their_host() {
        for (name, repository, tag) in [
            ("docker.io/library/app:v1", "library/app", Some("v1")),
            ("localhost:5000/app", "app", None),
            ("team/app:v1", "team/app", Some("v1")),
            ("app:v1@sha256:00", "app", Some("v1")),
        ] {
            assert_eq!(image_name(name), (repository, tag));
        }
    }
}
