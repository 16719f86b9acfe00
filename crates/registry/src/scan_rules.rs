//! The scanning configuration of a registry: which repositories' images are to be scanned when (ECR user
//! guide, "Using filters for image scanning"). No scan runs yet; this says what would happen.

use aws_api::ecr::{
    RegistryScanningConfiguration, RegistryScanningRule, ScanFrequency, ScanType,
    ScanningRepositoryFilter, ScanningRepositoryFilterType,
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of its row. No account setting has it.
pub(crate) const SETTING: &str = "scanning-configuration";
/// Wildcards of a filter (ECR user guide, "Using filters for image scanning").
const WILDCARDS_MAX: usize = 4;

/// A scanning configuration. Built only valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScanRules {
    scan_type: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    frequency: String,
    filters: Vec<String>,
}

/// "When a registry scanning configuration is not defined, by default the BASIC scan type is used" (ECR
/// API, `PutRegistryScanningConfiguration`).
impl Default for ScanRules {
    fn default() -> Self {
        ScanRules {
            scan_type: ScanType::Basic.as_str().to_owned(),
            rules: Vec::new(),
        }
    }
}

/// When the images of a repository are to be scanned.
#[derive(Debug, PartialEq)]
pub(crate) struct Planned {
    /// `None`: never, also not on request.
    pub(crate) frequency: Option<ScanFrequency>,
    /// The filters that the repository's name matches.
    pub(crate) filters: Vec<ScanningRepositoryFilter>,
}

impl ScanRules {
    /// From a request. The messages of refusals are Amazon ECR's (badmintoncryer/cdk-preflight,
    /// `rules/ecr/pf-ecr-registry-scanning-configuration`).
    pub(crate) fn asked(
        scan_type: Option<ScanType>,
        rules: Vec<RegistryScanningRule>,
    ) -> Result<Self, Error> {
        let scan_type = scan_type.unwrap_or(ScanType::Basic);
        let mut seen = Vec::new();
        for rule in &rules {
            let frequency = rule.scan_frequency;
            if seen.contains(&frequency) {
                return Err(refused(format!(
                    "Invalid input. Contains duplicate scan frequencies: [{frequency}]"
                )));
            }
            seen.push(frequency);
            let is_known = match scan_type {
                ScanType::Basic => frequency == ScanFrequency::ScanOnPush,
                ScanType::Enhanced => frequency != ScanFrequency::Manual,
            };
            if !is_known {
                return Err(refused(format!(
                    "Invalid scan frequency for scanType {scan_type}: {frequency}"
                )));
            }
            for filter in &rule.repository_filters {
                if filter.filter.matches('*').count() > WILDCARDS_MAX {
                    return Err(refused(format!(
                        "A filter must have {WILDCARDS_MAX} wildcards at most: {}",
                        filter.filter
                    )));
                }
            }
        }
        let rule = |rule: RegistryScanningRule| Rule {
            frequency: rule.scan_frequency.as_str().to_owned(),
            filters: rule
                .repository_filters
                .into_iter()
                .map(|one| one.filter)
                .collect(),
        };
        Ok(ScanRules {
            scan_type: scan_type.as_str().to_owned(),
            rules: rules.into_iter().map(rule).collect(),
        })
    }

    /// From the rows of a registry's settings.
    pub(crate) fn stored(rows: &[(String, String)]) -> Result<Self, Error> {
        match rows.iter().find(|(name, _)| name == SETTING) {
            None => Ok(ScanRules::default()),
            Some((_, text)) => serde_json::from_str(text).map_err(Error::internal),
        }
    }

    /// The text to store.
    pub(crate) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let filters = self.rules.iter().flat_map(|rule| &rule.filters);
        filters
            .map(|filter| filter.len() + size_of::<String>())
            .sum()
    }

    /// For an answer.
    pub(crate) fn shown(&self) -> Result<RegistryScanningConfiguration, Error> {
        let rule = |rule: &Rule| -> Result<RegistryScanningRule, Error> {
            Ok(RegistryScanningRule {
                scan_frequency: rule.frequency.parse().map_err(Error::internal)?,
                repository_filters: rule.filters.iter().map(|one| filter(one)).collect(),
            })
        };
        Ok(RegistryScanningConfiguration {
            scan_type: Some(self.scan_type.parse().map_err(Error::internal)?),
            rules: Some(self.rules.iter().map(rule).collect::<Result<_, _>>()?),
        })
    }

    /// When the images of the repository `name` are to be scanned. `scan_on_push` is the repository's own
    /// setting, which basic scanning follows as well.
    ///
    /// A repository that no filter matches is scanned on request by basic scanning and not at all by
    /// enhanced scanning; where both frequencies match, continuous scanning wins (ECR user guide, "Using
    /// filters for image scanning").
    pub(crate) fn plan(&self, name: &str, scan_on_push: bool) -> Planned {
        let of = |frequency: ScanFrequency| {
            let rule = self
                .rules
                .iter()
                .find(|rule| rule.frequency == frequency.as_str());
            let filters = rule.map_or(&[][..], |rule| &rule.filters);
            let matching: Vec<_> = filters
                .iter()
                .filter(|one| matches(one, name))
                .map(|one| filter(one))
                .collect();
            (!matching.is_empty()).then_some(Planned {
                frequency: Some(frequency),
                filters: matching,
            })
        };
        let basic = self.scan_type == ScanType::Basic.as_str();
        of(ScanFrequency::ContinuousScan)
            .or_else(|| of(ScanFrequency::ScanOnPush))
            .unwrap_or_else(|| Planned {
                frequency: basic.then_some(match scan_on_push {
                    true => ScanFrequency::ScanOnPush,
                    false => ScanFrequency::Manual,
                }),
                filters: Vec::new(),
            })
    }
}

fn filter(text: &str) -> ScanningRepositoryFilter {
    ScanningRepositoryFilter {
        filter: text.to_owned(),
        filter_type: ScanningRepositoryFilterType::Wildcard,
    }
}

/// "A filter with no wildcard will match all repository names that contain the filter" (ECR user guide,
/// "Using filters for image scanning").
fn matches(filter: &str, name: &str) -> bool {
    match filter.contains('*') {
        true => crate::mutability::matches(filter, name),
        false => name.contains(filter),
    }
}

fn refused(constraint: String) -> Error {
    Error::InvalidConfiguration(constraint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(scan_frequency: ScanFrequency, filters: &[&str]) -> RegistryScanningRule {
        RegistryScanningRule {
            scan_frequency,
            repository_filters: filters.iter().map(|one| filter(one)).collect(),
        }
    }

    #[test]
    fn filters_match_as_the_user_guide_says() {
        for (filter, name, expected) in [
            ("prod", "prod", true),
            ("prod", "team/prod-app", true),
            ("prod", "dev", false),
            ("*prod", "myprod", true),
            ("*prod", "prod-app", false),
            ("prod*", "team/prod", false),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(filter, name), expected, "{filter} {name}");
        }
    }

    #[test]
    fn continuous_scanning_wins() {
        let rules = vec![
            rule(ScanFrequency::ScanOnPush, &["*"]),
            rule(ScanFrequency::ContinuousScan, &["prod*", "web*"]),
        ];
        let rules = ScanRules::asked(Some(ScanType::Enhanced), rules).unwrap();
        let frequency = |name| rules.plan(name, false).frequency;
        assert_eq!(frequency("prod-a"), Some(ScanFrequency::ContinuousScan));
        assert_eq!(frequency("dev"), Some(ScanFrequency::ScanOnPush));
        assert_eq!(rules.plan("prod-a", false).filters, [filter("prod*")]);
    }

    #[test]
    fn what_no_filter_matches_is_scanned_on_request_or_never() {
        let push = |scan_type| {
            let rules = vec![rule(ScanFrequency::ScanOnPush, &["prod"])];
            ScanRules::asked(Some(scan_type), rules).unwrap()
        };
        let basic = push(ScanType::Basic);
        assert_eq!(
            basic.plan("dev", false).frequency,
            Some(ScanFrequency::Manual)
        );
        assert_eq!(
            basic.plan("dev", true).frequency,
            Some(ScanFrequency::ScanOnPush)
        );
        assert_eq!(push(ScanType::Enhanced).plan("dev", true).frequency, None);
    }

    #[test]
    fn is_stored_and_read() {
        let rules = vec![rule(ScanFrequency::ScanOnPush, &["a", "b*"])];
        let rules = ScanRules::asked(None, rules).unwrap();
        let rows = [(SETTING.to_owned(), rules.text().unwrap())];
        assert_eq!(ScanRules::stored(&rows).unwrap(), rules);
    }
}
