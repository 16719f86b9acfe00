//! What AWS checks of a policy beyond its form, and the rules that come of it.
//!
//! The texts are those of recorded answers (badmintoncryer/cdk-preflight, `rules/ecr/pf-ecr-lifecycle-*`, and
//! error reports). Those of a count type with an action or an age that it does not have, and of entries that
//! several rules name, were never recorded: they are Berth's.

use serde_json::Value;

use super::policy::{Action, Count, Rule, StorageClass, Tags, invalid, unmappable};
use crate::tag_pattern::{Pattern, WILDCARDS_MAX};

/// Archived images are kept for 90 days (ECR User Guide, "Archiving an image").
const ARCHIVED_DAYS_MIN: u32 = 90;

/// The rules of a document whose form was checked, in its order.
pub(super) fn rules(document: &Value) -> Result<Vec<Rule>, String> {
    let rules = document["rules"].as_array().ok_or_else(unmappable)?;
    let rules: Vec<Rule> = rules.iter().map(rule).collect::<Result<_, _>>()?;
    together(&rules).map_err(|message| invalid(&message))?;
    Ok(rules)
}

fn rule(value: &Value) -> Result<Rule, String> {
    let (selection, action) = (&value["selection"], &value["action"]);
    let number = |value: &Value| value.as_i64().and_then(|n| i32::try_from(n).ok());
    let number = |value: &Value| {
        let number = number(value).and_then(|n| u32::try_from(n).ok());
        number.ok_or_else(unmappable)
    };
    let days = number(&selection["countNumber"])?;
    let count = match selection["countType"].as_str() {
        Some("imageCountMoreThan") => Count::ImagesMoreThan(days),
        Some("sinceImagePushed") => Count::DaysSincePushed(days),
        Some("sinceImagePulled") => Count::DaysSincePulled(days),
        Some("sinceImageTransitioned") => Count::DaysSinceTransitioned(days),
        _ => return Err(unmappable()),
    };
    let target = action.get("targetStorageClass");
    let action = match (action["type"].as_str(), target) {
        (Some("expire"), None) => Action::Expire,
        (Some("transition"), Some(_)) => Action::Archive,
        _ => return Err(unmappable()),
    };
    let class = match selection.get("storageClass").and_then(Value::as_str) {
        Some("archive") => StorageClass::Archive,
        _ => StorageClass::Standard,
    };
    let rule = Rule {
        priority: number(&value["rulePriority"])?,
        description: value["description"].as_str().map(str::to_owned),
        tags: tags(selection).map_err(|message| invalid(&message))?,
        class,
        count,
        action,
    };
    alone(&rule).map_err(invalid)?;
    Ok(rule)
}

fn tags(selection: &Value) -> Result<Tags, String> {
    let entries = |name: &str| -> Vec<String> {
        let entries = selection.get(name).and_then(Value::as_array);
        let entries = entries.into_iter().flatten().filter_map(Value::as_str);
        entries.map(str::to_owned).collect()
    };
    let (prefixes, patterns) = (entries("tagPrefixList"), entries("tagPatternList"));
    let status = selection["tagStatus"].as_str().unwrap_or_default();
    match (status, prefixes.is_empty(), patterns.is_empty()) {
        ("tagged", true, true) => {
            Err("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.".to_owned())
        }
        ("tagged", false, false) => Err(
            "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList"
                .to_owned(),
        ),
        ("tagged", false, true) => Ok(Tags::Prefixes(prefixes)),
        ("tagged", true, false) => {
            let patterns: Option<Vec<Pattern>> =
                patterns.iter().map(|text| Pattern::new(text)).collect();
            patterns.map(Tags::Patterns).ok_or_else(|| {
                format!(
                    "Invalid tag pattern provided. Total number of * must not exceed {WILDCARDS_MAX}"
                )
            })
        }
        ("untagged", true, true) => Ok(Tags::Untagged),
        (_, true, true) => Ok(Tags::Any),
        (_, false, _) => Err(format!("Cannot specify tagPrefixList with tagStatus {status}")),
        (_, true, false) => Err(format!("Cannot specify tagPatternList with tagStatus {status}")),
    }
}

/// What a count type allows (ECR User Guide, "Lifecycle policy properties in Amazon ECR").
fn alone(rule: &Rule) -> Result<(), &'static str> {
    use Count::{DaysSincePulled, DaysSinceTransitioned};
    match (rule.count, rule.class, rule.action) {
        (DaysSinceTransitioned(_), StorageClass::Standard, _) => {
            Err("SINCE_IMAGE_TRANSITIONED supports the ARCHIVE storage class only")
        }
        (DaysSinceTransitioned(_), _, Action::Archive) => {
            Err("SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only")
        }
        (DaysSinceTransitioned(days), ..) if days < ARCHIVED_DAYS_MIN => {
            Err("countNumber must be at least 90 for SINCE_IMAGE_TRANSITIONED")
        }
        (DaysSinceTransitioned(_), ..) => Ok(()),
        (_, StorageClass::Archive, _) => Err(
            "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support the STANDARD storage class only",
        ),
        (DaysSincePulled(_), _, Action::Expire) => {
            Err("SINCE_IMAGE_PULLED supports the TRANSITION action only")
        }
        _ => Ok(()),
    }
}

/// What the rules of a policy say of each other (ECR User Guide, "Automate the cleanup of images by using
/// lifecycle policies in Amazon ECR").
fn together(rules: &[Rule]) -> Result<(), String> {
    let mut priorities: Vec<u32> = rules.iter().map(|rule| rule.priority).collect();
    priorities.sort_unstable();
    if priorities.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("Duplicate priority in multiple rules".to_owned());
    }
    for class in [StorageClass::Standard, StorageClass::Archive] {
        let of_class: Vec<&Rule> = rules.iter().filter(|rule| rule.class == class).collect();
        let with = |tags: &Tags| of_class.iter().filter(|rule| rule.tags == *tags).count();
        if with(&Tags::Untagged) > 1 {
            return Err("Only one rule can select Untagged images per storage class.".to_owned());
        }
        if with(&Tags::Any) > 1 {
            return Err("Only one rule can specify tagStatus=ANY".to_owned());
        }
        let last = of_class.iter().max_by_key(|rule| rule.priority);
        if with(&Tags::Any) == 1 && last.is_some_and(|rule| rule.tags != Tags::Any) {
            return Err(
                "Rule for tagStatus=ANY must have the lowest priority per storage class".to_owned(),
            );
        }
        let mut lists: Vec<Vec<&str>> = of_class.iter().filter_map(|rule| prefixes(rule)).collect();
        lists.sort_unstable();
        if lists.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(
                "Only one rule can select the same tagPrefixList per storage class".to_owned(),
            );
        }
    }
    Ok(())
}

/// A rule's prefixes, sorted and each once.
fn prefixes(rule: &Rule) -> Option<Vec<&str>> {
    let Tags::Prefixes(prefixes) = &rule.tags else {
        return None;
    };
    let mut prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    Some(prefixes)
}
