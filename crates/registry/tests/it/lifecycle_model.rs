//! The evaluator beside a slow reference, written from the user guide over the policy's own text.

use std::collections::BTreeMap;

use proptest::prelude::*;
use registry::lifecycle::{Action, Candidate, Policy, StorageClass, select};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;
const NOW: i64 = 400 * DAY;
const TAGS: [&str; 6] = ["a", "ab", "b", "ba", "abc", "c"];
const PATTERNS: [&str; 7] = ["a", "a*", "*b", "*", "a*c", "b*", "*b*"];

#[derive(Clone, Debug)]
struct Image {
    tags: Vec<String>,
    pushed: i64,
    pulled: i64,
    archived: i64,
    is_archived: bool,
}

fn image() -> impl Strategy<Value = Image> {
    // Few different times: many images are of one age.
    let day = || (0..8_i64).prop_map(|n| n * 50 * DAY);
    let tags = proptest::sample::subsequence(TAGS.to_vec(), 0..=3);
    (tags, day(), day(), day(), any::<bool>()).prop_map(
        |(tags, pushed, pulled, archived, is_archived)| Image {
            tags: tags.into_iter().map(str::to_owned).collect(),
            pushed,
            pulled,
            archived,
            is_archived,
        },
    )
}

/// A rule that is valid by itself mostly.
fn rule() -> impl Strategy<Value = Value> {
    let status = prop_oneof![
        Just("tagged"),
        Just("prefix"),
        Just("untagged"),
        Just("any")
    ];
    let entries = proptest::sample::subsequence(PATTERNS.to_vec(), 1..=2);
    let kind = prop_oneof![
        Just("imageCountMoreThan"),
        Just("sinceImagePushed"),
        Just("sinceImagePulled"),
        Just("sinceImageTransitioned"),
    ];
    (status, entries, kind, 1..4_u32, any::<bool>()).prop_map(
        |(status, entries, kind, n, expires)| {
            let number = match kind {
                "imageCountMoreThan" => n,
                _ => 60 + n * 40,
            };
            let mut selection = json!({"countType": kind, "countNumber": number});
            match status {
                "tagged" => selection["tagPatternList"] = json!(entries),
                "prefix" => {
                    let prefixes: Vec<String> =
                        entries.iter().map(|e| e.replace('*', "a")).collect();
                    selection["tagPrefixList"] = json!(prefixes);
                }
                _ => {}
            }
            selection["tagStatus"] = match status {
                "prefix" => "tagged".into(),
                other => other.into(),
            };
            if kind != "imageCountMoreThan" {
                selection["countUnit"] = "days".into();
            }
            if kind == "sinceImageTransitioned" {
                selection["storageClass"] = "archive".into();
            }
            let action = match kind {
                "sinceImagePulled" => {
                    json!({"type": "transition", "targetStorageClass": "archive"})
                }
                "sinceImageTransitioned" => json!({"type": "expire"}),
                _ if expires => json!({"type": "expire"}),
                _ => json!({"type": "transition", "targetStorageClass": "archive"}),
            };
            json!({"selection": selection, "action": action})
        },
    )
}

/// A policy of such rules; those that select all come last.
fn policy() -> impl Strategy<Value = String> {
    proptest::collection::vec(rule(), 1..5).prop_map(|mut rules| {
        rules.sort_by_key(|rule| rule["selection"]["tagStatus"] == "any");
        for (at, rule) in rules.iter_mut().enumerate() {
            rule["rulePriority"] = (at * 2 + 1).into();
        }
        // Priorities decide, not the places in the text.
        rules.reverse();
        json!({"rules": rules}).to_string()
    })
}

fn matches(pattern: &str, tag: &str) -> bool {
    let source: Vec<String> = pattern.split('*').map(regex::escape).collect();
    regex::Regex::new(&format!("^{}$", source.join(".*")))
        .unwrap()
        .is_match(tag)
}

fn selects(selection: &Value, image: &Image) -> bool {
    let class = selection
        .get("storageClass")
        .and_then(Value::as_str)
        .unwrap_or("standard");
    if (class == "archive") != image.is_archived {
        return false;
    }
    match selection["tagStatus"].as_str().unwrap() {
        "any" => true,
        "untagged" => image.tags.is_empty(),
        _ => {
            let all = |name: &str, fits: &dyn Fn(&str, &str) -> bool| {
                let entries = selection
                    .get(name)
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                entries.iter().all(|entry| {
                    image
                        .tags
                        .iter()
                        .any(|tag| fits(entry.as_str().unwrap(), tag))
                })
            };
            all("tagPatternList", &matches)
                && all("tagPrefixList", &|prefix, tag| tag.starts_with(prefix))
        }
    }
}

/// Image by image: the rule that acts on it, and how.
fn reference(policy: &str, images: &[Image]) -> BTreeMap<usize, (u64, bool)> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let mut rules: Vec<Value> = policy["rules"].as_array().unwrap().clone();
    rules.sort_by_key(|rule| rule["rulePriority"].as_u64());
    let (mut closed, mut acted) = (vec![false; images.len()], BTreeMap::new());
    for rule in &rules {
        let selection = &rule["selection"];
        let number = selection["countNumber"].as_i64().unwrap();
        let mut matching: Vec<usize> = (0..images.len())
            .filter(|at| selects(selection, &images[*at]))
            .collect();
        // The youngest first; of two of one age, the one that came later is younger.
        matching.sort_by_key(|at| (-images[*at].pushed, -i64::try_from(*at).unwrap()));
        let due: Vec<usize> = match selection["countType"].as_str().unwrap() {
            "imageCountMoreThan" => matching
                .iter()
                .copied()
                .skip(usize::try_from(number).unwrap())
                .collect(),
            kind => {
                let clock = |at: usize| match kind {
                    "sinceImagePushed" => images[at].pushed,
                    "sinceImagePulled" => images[at].pulled,
                    _ => images[at].archived,
                };
                matching
                    .iter()
                    .copied()
                    .filter(|at| NOW - clock(*at) > number * DAY)
                    .collect()
            }
        };
        let priority = rule["rulePriority"].as_u64().unwrap();
        let expires = rule["action"]["type"] == "expire";
        for at in due {
            if !closed[at] {
                acted.insert(at, (priority, expires));
            }
        }
        for at in matching {
            closed[at] = true;
        }
    }
    acted
}

fn candidates(policy: &Policy, images: &[Image]) -> Vec<Candidate> {
    let candidate = |(at, image): (usize, &Image)| Candidate {
        id: i64::try_from(at).unwrap(),
        class: match image.is_archived {
            true => StorageClass::Archive,
            false => StorageClass::Standard,
        },
        matching: policy.matching(&image.tags),
        pushed: image.pushed,
        pulled: image.pulled,
        archived: image.archived,
        last_pull: None,
        is_held: false,
        is_protected: false,
        fingerprint: 0,
    };
    images.iter().enumerate().map(candidate).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_evaluator_agrees_with_the_reference(
        text in policy(),
        images in proptest::collection::vec(image(), 0..14),
    ) {
        // Some are refused for what their rules say of each other.
        let Ok(policy) = Policy::parse(&text) else { return Ok(()); };
        let mut candidates = candidates(&policy, &images);
        candidates.reverse();
        let selected = select(&policy, &mut candidates, NOW);
        let found: BTreeMap<usize, (u64, bool)> = selected
            .iter()
            .map(|one| {
                let rule = &policy.rules()[one.rule];
                let at = usize::try_from(one.image.id).unwrap();
                (at, (u64::from(rule.priority), one.action == Action::Expire))
            })
            .collect();
        prop_assert_eq!(found.len(), selected.len(), "an image is acted on once");
        prop_assert_eq!(&found, &reference(&text, &images));
        prop_assert!(selected.is_sorted_by_key(|one| (one.image.pushed, one.image.id)), "the oldest first");
        // An image that a higher rule selects is never touched by a lower one.
        for one in &selected {
            let tags = &images[usize::try_from(one.image.id).unwrap()].tags;
            let earlier = policy.rules().iter().take(one.rule);
            prop_assert!(!earlier.into_iter().any(|rule| rule.class == one.image.class && rule.tags.select(tags)));
        }
    }

    #[test]
    fn most_policies_of_the_model_are_valid_and_read_the_same_again(text in policy()) {
        let Ok(policy) = Policy::parse(&text) else { return Ok(()); };
        let spaced: Value = serde_json::from_str(&text).unwrap();
        let spaced = serde_json::to_string_pretty(&spaced).unwrap();
        prop_assert_eq!(Policy::parse(&spaced), Ok(policy));
    }

    #[test]
    fn a_changed_document_is_refused_or_valid_and_never_a_panic(
        text in policy(),
        at in any::<prop::sample::Index>(),
        with in "[\\PC\"{}\\[\\]:,0-9*-]{0,3}",
    ) {
        let at = at.index(text.len());
        prop_assume!(text.is_char_boundary(at) && text.is_char_boundary(at + 1));
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        if let Err(message) = Policy::parse(&changed) {
            prop_assert!(message.starts_with("Lifecycle policy "), "{message}");
            prop_assert!(message.len() < 2_500, "{message}");
        }
    }
}
