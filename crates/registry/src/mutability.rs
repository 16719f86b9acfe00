//! Which tags may be moved (ECR user guide, "Preventing image tags from being
//! overwritten", with its exclusion filters).

use aws_api::ecr::{
    ImageTagMutability, ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType,
};
use store::ecr::repository::Repository;

use crate::Error;

/// Wildcards that a filter may hold.
const WILDCARDS_MAX: usize = 2;

/// A repository's setting. Built only consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutability {
    pub(crate) kind: ImageTagMutability,
    filters: Vec<String>,
}

impl Mutability {
    /// From a request.
    pub(crate) fn asked(
        kind: Option<ImageTagMutability>,
        filters: Option<Vec<ImageTagMutabilityExclusionFilter>>,
    ) -> Result<Self, Error> {
        let kind = kind.unwrap_or(ImageTagMutability::Mutable);
        let filters: Vec<String> = filters
            .unwrap_or_default()
            .into_iter()
            .map(|filter| filter.filter)
            .collect();
        if with_exclusion(kind) == filters.is_empty() {
            // Amazon ECR's words.
            let problem = match filters.is_empty() {
                true => "can't be null when imageTagMutability is set as",
                false => "are not allowed when imageTagMutability is set as",
            };
            return Err(Error::parameter(
                "imageTagMutabilityExclusionFilters",
                format!("ImageTagMutabilityExclusionFilters {problem} {kind}"),
            ));
        }
        for filter in &filters {
            let sound = filter
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._*-".contains(&b));
            if !sound || filter.is_empty() {
                return Err(Error::parameter(
                    "imageTagMutabilityExclusionFilters",
                    "must satisfy regular expression '^[0-9a-zA-Z._*-]{1,128}$'",
                ));
            }
            if filter.bytes().filter(|b| *b == b'*').count() > WILDCARDS_MAX {
                return Err(Error::parameter(
                    "imageTagMutabilityExclusionFilters",
                    format!("must have {WILDCARDS_MAX} wildcards at most"),
                ));
            }
        }
        Ok(Mutability { kind, filters })
    }

    /// From its row.
    pub(crate) fn stored(row: &Repository) -> Result<Self, Error> {
        let kind = row.tag_mutability.parse().map_err(Error::internal)?;
        Ok(Mutability::of_lines(kind, &row.tag_mutability_exclusions))
    }

    /// From what was stored of a valid one: the kind, and the filters, one a line.
    pub(crate) fn of_lines(kind: ImageTagMutability, filters: &str) -> Self {
        Mutability {
            kind,
            filters: filters.lines().map(str::to_owned).collect(),
        }
    }

    /// The filters as they are stored, one a line.
    pub(crate) fn filters_text(&self) -> String {
        self.filters.join("\n")
    }

    /// The filters for an answer.
    pub(crate) fn filters(&self) -> Option<Vec<ImageTagMutabilityExclusionFilter>> {
        if self.filters.is_empty() {
            return None;
        }
        let filter = |filter: &String| ImageTagMutabilityExclusionFilter {
            filter_type: ImageTagMutabilityExclusionFilterType::Wildcard,
            filter: filter.clone(),
        };
        Some(self.filters.iter().map(filter).collect())
    }

    /// Whether `tag` must stay on its image.
    pub(crate) fn forbids_moving(&self, tag: &str) -> bool {
        let excluded = || self.filters.iter().any(|filter| matches(filter, tag));
        match self.kind {
            ImageTagMutability::Mutable => false,
            ImageTagMutability::Immutable => true,
            ImageTagMutability::ImmutableWithExclusion => !excluded(),
            ImageTagMutability::MutableWithExclusion => excluded(),
        }
    }
}

fn with_exclusion(kind: ImageTagMutability) -> bool {
    matches!(
        kind,
        ImageTagMutability::ImmutableWithExclusion | ImageTagMutability::MutableWithExclusion
    )
}

/// Whether `text` matches `pattern`, in which `*` matches any characters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(tail) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_filter_matches_as_its_expression(pattern in "[ab*]{1,6}", text in "[ab]{0,8}") {
            let expression = format!("^{}$", pattern.replace('*', ".*"));
            let expected = regex::Regex::new(&expression).unwrap().is_match(&text);
            prop_assert_eq!(matches(&pattern, &text), expected);
        }
    }
}
