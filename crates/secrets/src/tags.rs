//! Tags of secrets.

use std::collections::BTreeMap;

use aws_api::secrets_manager::{ErrorCode, Tag};

use crate::Error;

/// Tags of a secret (Secrets Manager user guide, "Tag secrets").
const TAGS_MAX: usize = 50;

pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) fn stored(text: &str) -> Result<Tags, Error> {
    serde_json::from_str(text).map_err(Error::internal)
}

pub(crate) fn text(tags: &Tags) -> Result<String, Error> {
    serde_json::to_string(tags).map_err(Error::internal)
}

/// Adds tags in place of those with the same keys.
pub(crate) fn add(tags: &mut Tags, new: &[Tag]) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for tag in new {
        let key = tag.key.clone().unwrap_or_default();
        if key.is_empty() || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::refused(
                ErrorCode::InvalidParameter,
                "A tag needs a key, which must not begin with aws:.",
            ));
        }
        if !seen.insert(key.clone()) {
            return Err(Error::refused(
                ErrorCode::InvalidParameter,
                format!("The tag key {key} is given twice."),
            ));
        }
        tags.insert(key, tag.value.clone().unwrap_or_default());
    }
    match tags.len() > TAGS_MAX {
        true => Err(Error::refused(
            ErrorCode::InvalidParameter,
            format!("A secret can have at most {TAGS_MAX} tags."),
        )),
        false => Ok(()),
    }
}

/// As answers have them; absent where there is none.
pub(crate) fn shown(tags: &Tags) -> Option<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    (!tags.is_empty()).then(|| tags.iter().map(tag).collect())
}
