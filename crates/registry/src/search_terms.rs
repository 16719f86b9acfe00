//! By what a search finds an image: terms of its manifest and configuration, bounded in number and bytes,
//! since whoever pushes chooses them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// Kinds of terms, as they are stored.
pub(crate) mod kind {
    pub(crate) const ANNOTATION: &str = "a";
    pub(crate) const LABEL: &str = "l";
    pub(crate) const WORD: &str = "w";
    pub(crate) const DIGEST: &str = "d";
    pub(crate) const PLATFORM: &str = "p";
    pub(crate) const MEDIA_TYPE: &str = "m";
    pub(crate) const ARTIFACT_TYPE: &str = "t";
}

/// Annotations of an image that are indexed, and likewise labels: the first in the order of their keys.
const PAIRS_MAX: usize = 32;
/// What is indexed of a key, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// What is indexed of a value, in bytes.
const VALUE_BYTES_MAX: usize = 256;
/// Words of one annotation or label.
const WORDS_MAX: usize = 8;
/// What is indexed of a word, in bytes; shorter words than two characters are not.
const WORD_BYTES_MAX: usize = 64;
/// Platforms of an index.
const PLATFORMS_MAX: usize = 32;
/// The largest configuration that is read, in bytes.
pub(crate) const CONFIG_BYTES_MAX: i64 = 256 << 10;
/// Between a word, its kind and the annotation or label that has it.
pub(crate) const SEPARATOR: char = '\u{1f}';

#[derive(Deserialize)]
struct Manifest {
    config: Option<Value>,
    manifests: Option<Vec<Value>>,
    annotations: Option<BTreeMap<String, Value>>,
}

/// The digest of the configuration that has labels and platform; `None` for artifacts without one.
pub(crate) fn config_digest(manifest: &[u8]) -> Option<String> {
    let manifest: Manifest = serde_json::from_slice(manifest).ok()?;
    let config = manifest.config?;
    let media_type = config["mediaType"].as_str().unwrap_or_default();
    let is_image = matches!(
        media_type,
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
    );
    config["digest"]
        .as_str()
        .filter(|_| is_image)
        .map(str::to_owned)
}

/// What a search finds an image by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) terms: Vec<(&'static str, String)>,
    pub(crate) platform: Option<String>,
}

/// The terms of a manifest and, where it has one, its configuration.
pub(crate) fn terms(
    digest: &str,
    media_type: &str,
    artifact_type: Option<&str>,
    manifest: &[u8],
    config: Option<&[u8]>,
) -> Terms {
    let mut set = BTreeSet::from([
        (kind::DIGEST, digest.to_owned()),
        (kind::MEDIA_TYPE, media_type.to_owned()),
    ]);
    if let Some(artifact_type) = artifact_type {
        set.insert((kind::ARTIFACT_TYPE, artifact_type.to_owned()));
    }
    let mut platform = None;
    // What cannot be read has no further terms. It is served as it is.
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(manifest) {
        let annotations = manifest.annotations.unwrap_or_default();
        pairs(&mut set, kind::ANNOTATION, &annotations);
        let entries = manifest.manifests.unwrap_or_default();
        let platforms = entries.iter().filter_map(|entry| named(&entry["platform"]));
        for (short, long) in platforms.take(PLATFORMS_MAX) {
            set.insert((kind::PLATFORM, short));
            set.insert((kind::PLATFORM, long));
        }
    }
    if let Some(config) = config.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok()) {
        if let Some((short, long)) = named(&config) {
            platform = Some(long.clone());
            set.insert((kind::PLATFORM, short));
            set.insert((kind::PLATFORM, long));
        }
        let labels = config["config"]["Labels"].as_object();
        let labels = labels.into_iter().flatten();
        let labels = labels.map(|(key, value)| (key.clone(), value.clone()));
        pairs(&mut set, kind::LABEL, &labels.collect());
    }
    Terms {
        terms: set.into_iter().collect(),
        platform,
    }
}

/// `os/architecture`, and the same with its variant.
fn named(of: &Value) -> Option<(String, String)> {
    let part = |name: &str| {
        let text = of[name].as_str().filter(|text| !text.is_empty())?;
        Some(cut(&clean(text), WORD_BYTES_MAX).to_owned())
    };
    let short = format!("{}/{}", part("os")?, part("architecture")?);
    let long = match part("variant") {
        Some(variant) => format!("{short}/{variant}"),
        None => short.clone(),
    };
    Some((short, long))
}

fn pairs(
    set: &mut BTreeSet<(&'static str, String)>,
    of: &'static str,
    pairs: &BTreeMap<String, Value>,
) {
    let texts = pairs
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?)));
    for (key, value) in texts.take(PAIRS_MAX) {
        let pair = pair(key, value);
        for word in words(value) {
            set.insert((
                kind::WORD,
                format!("{word}{SEPARATOR}{of}{SEPARATOR}{pair}"),
            ));
        }
        set.insert((of, pair));
    }
}

/// An annotation or label as it is indexed and looked for.
pub(crate) fn pair(key: &str, value: &str) -> String {
    let (key, value) = (clean(key), clean(value));
    let (key, value) = (cut(&key, KEY_BYTES_MAX), cut(&value, VALUE_BYTES_MAX));
    format!("{key}={value}")
}

/// The beginning of all pairs with a key.
pub(crate) fn key_prefix(key: &str) -> String {
    format!("{}=", cut(&clean(key), KEY_BYTES_MAX))
}

/// The words of a value, in lower case. The value itself is the first, so that it is found by its
/// beginning, however it is divided.
fn words(value: &str) -> Vec<String> {
    let lower = clean(value).to_lowercase();
    let mut words = vec![cut(lower.trim(), WORD_BYTES_MAX).to_owned()];
    let parts = lower.split(|c: char| !c.is_alphanumeric());
    words.extend(parts.map(|word| cut(word, WORD_BYTES_MAX).to_owned()));
    words.retain(|word| word.chars().nth(1).is_some());
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}

/// Without control characters: PostgreSQL takes no NUL, and one of them separates.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The text's first `max` bytes at most, cut between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(manifest: &Value, config: Option<&Value>) -> Terms {
        let config = config.map(|config| config.to_string().into_bytes());
        terms(
            "sha256:ab",
            "m",
            Some("t"),
            manifest.to_string().as_bytes(),
            config.as_deref(),
        )
    }

    #[test]
    fn an_image_is_found_by_its_labels_annotations_and_platform() {
        let manifest = json!({"annotations": {"org.opencontainers.image.title": "Pay-Roll"}});
        let config = json!({"os": "linux", "architecture": "arm", "variant": "v7",
                            "config": {"Labels": {"team": "blue"}}});
        let found = of(&manifest, Some(&config));
        assert_eq!(found.platform.as_deref(), Some("linux/arm/v7"));
        let title = "org.opencontainers.image.title=Pay-Roll";
        for (kind, term) in [
            (kind::ANNOTATION, title.to_owned()),
            (kind::LABEL, "team=blue".to_owned()),
            (kind::PLATFORM, "linux/arm".to_owned()),
            (kind::PLATFORM, "linux/arm/v7".to_owned()),
            (kind::WORD, format!("roll\u{1f}a\u{1f}{title}")),
            (kind::WORD, format!("pay-roll\u{1f}a\u{1f}{title}")),
            (kind::WORD, "blue\u{1f}l\u{1f}team=blue".to_owned()),
        ] {
            assert!(found.terms.contains(&(kind, term.clone())), "{kind} {term}");
        }
        let index = json!({"manifests": [{"platform": {"os": "linux", "architecture": "s390x"}}]});
        let found = of(&index, None);
        let platform = (kind::PLATFORM, "linux/s390x".to_owned());
        assert!(found.terms.contains(&platform));
    }

    #[test]
    fn hostile_annotations_are_bounded_in_number_and_bytes() {
        let many: serde_json::Map<String, Value> = (0..10_000)
            .map(|n| {
                (
                    format!("{n}{}", "k".repeat(1_000)),
                    json!("é w ".repeat(5_000)),
                )
            })
            .collect();
        let config = json!({"os": "o".repeat(5_000), "architecture": "a\u{0}\u{1f}b",
                            "config": {"Labels": many.clone()}});
        let found = of(&json!({"annotations": many}), Some(&config));
        let max = 2 * PAIRS_MAX * (1 + WORDS_MAX) + 5;
        assert!(found.terms.len() <= max, "{}", found.terms.len());
        for (_, term) in &found.terms {
            assert!(term.len() <= WORD_BYTES_MAX + KEY_BYTES_MAX + VALUE_BYTES_MAX + 4);
            assert!(!term.contains('\u{0}'));
        }
        for odd in [
            "[]",
            "{\"annotations\": 1}",
            "{\"annotations\": {\"a\": 1}}",
            "\u{ff}",
        ] {
            let found = terms("sha256:ab", "m", None, odd.as_bytes(), Some(odd.as_bytes()));
            assert_eq!(found.terms.len(), 2, "{odd}");
        }
    }
}
