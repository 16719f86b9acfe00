//! Names that requests carry: repositories, tags, references.

use std::fmt;

use blobs::Digest;

/// Length limits of a repository's name in characters (ECR API, `RepositoryName`).
const REPOSITORY_NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=256;
/// The regular expression of a repository's name (ECR API, `RepositoryName`;
/// distribution-spec, "Pulling manifests"). [`is_component`] implements it.
const REPOSITORY_NAME_PATTERN: &str =
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
/// The longest tag of the distribution specification ("Pulling manifests").
pub(crate) const OCI_TAG_CHARS_MAX: usize = 128;
/// The longest tag of the ECR API (`ImageTag`).
pub(crate) const ECR_TAG_CHARS_MAX: usize = 300;

/// Which rule of repository names a text breaks. `Display` states the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// Other characters, or separators in the wrong place.
    Pattern,
}

impl fmt::Display for NameRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = REPOSITORY_NAME_CHARS.into_inner();
        match self {
            NameRule::TooShort => {
                write!(f, "must have length greater than or equal to {min}")
            }
            NameRule::TooLong => write!(f, "must have length less than or equal to {max}"),
            NameRule::Pattern => write!(
                f,
                "must satisfy regular expression '{REPOSITORY_NAME_PATTERN}'"
            ),
        }
    }
}

/// Checks that `name` is a repository name: components such as `my-app` joined by `/`, 2 to
/// 256 characters (ECR API, `RepositoryName`).
///
/// # Errors
/// The rule that `name` breaks.
pub fn check_repository_name(name: &str) -> Result<(), NameRule> {
    let rule = match name.len() {
        length if length < *REPOSITORY_NAME_CHARS.start() => NameRule::TooShort,
        length if length > *REPOSITORY_NAME_CHARS.end() => NameRule::TooLong,
        _ if !name.split('/').all(is_component) => NameRule::Pattern,
        _ => return Ok(()),
    };
    Err(rule)
}

/// Whether `name` is a repository name; see [`check_repository_name`].
///
/// ```
/// assert!(registry::is_repository_name("team/my-app"));
/// assert!(!registry::is_repository_name("team/../app"));
/// ```
#[must_use]
pub fn is_repository_name(name: &str) -> bool {
    check_repository_name(name).is_ok()
}

fn is_component(part: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().is_some_and(plain) || !bytes.last().is_some_and(plain) {
        return false;
    }
    bytes.split(plain).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

/// Whether `tag` is `[a-zA-Z0-9_][a-zA-Z0-9._-]*` of at most `chars_max` characters.
pub(crate) fn is_tag(tag: &str, chars_max: usize) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= chars_max
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// What a manifest is asked for by: a tag or a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    Tag(&'a str),
    Digest(Digest),
}

impl<'a> Reference<'a> {
    /// A digest holds a colon, a tag never does. `None`: neither.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.contains(':') {
            return text.parse().ok().map(Reference::Digest);
        }
        is_tag(text, ECR_TAG_CHARS_MAX).then_some(Reference::Tag(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repository_names() {
        for name in [
            "ab",
            "a/b",
            "my-app",
            "a--b",
            "a_b",
            "a__b",
            "a.b/c-d/e0",
            "00",
        ] {
            assert!(is_repository_name(name), "{name}");
        }
        let long = "a".repeat(257);
        for name in [
            "", "a", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "a b",
            "a/../b", "..", "a%2fb", "ä", "a\0b", &long,
        ] {
            assert!(!is_repository_name(name), "{name}");
        }
    }

    #[test]
    fn tags() {
        for tag in ["v1", "_", "1.0-rc_2", "latest"] {
            assert!(is_tag(tag, OCI_TAG_CHARS_MAX), "{tag}");
        }
        let long = "a".repeat(129);
        for tag in ["", ".a", "-a", "a/b", "a:b", "a b", "ä", &long] {
            assert!(!is_tag(tag, OCI_TAG_CHARS_MAX), "{tag}");
        }
        assert!(is_tag(&long, ECR_TAG_CHARS_MAX));
    }

    proptest! {
        /// The hand-written check accepts what the pattern in the error message accepts.
        #[test]
        fn a_name_satisfies_the_printed_pattern(name in "[a-c._/-]{2,10}") {
            let expression = regex::Regex::new(&format!("^{REPOSITORY_NAME_PATTERN}$")).unwrap();
            prop_assert_eq!(is_repository_name(&name), expression.is_match(&name));
        }
    }
}
