//! Lifecycle policies and the tags that they select.

use registry::lifecycle::{Candidate, Policy, RuleSet, StorageClass, select};

/// The longest refusal, in bytes: ten names of 100 bytes each, which escapes make six times as long.
const MESSAGE_BYTES_MAX: usize = 8_000;
const DAY_MS: i64 = 86_400_000;
const NOW: i64 = 1_000 * DAY_MS;

/// The first line as tags, separated by spaces, the rest as a policy.
///
/// What is accepted has up to 50 rules in the order of their priorities, reads the same again, and acts on an
/// image once, by the first rule of its class that its tags match. A refusal is short.
pub fn parse(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let line = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let Ok(text) = std::str::from_utf8(parts.next().unwrap_or_default()) else {
        return;
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(message) => {
            assert!(message.starts_with("Lifecycle policy "), "{message}");
            assert!(message.len() <= MESSAGE_BYTES_MAX, "{message}");
            return;
        }
    };
    let rules = policy.rules();
    assert!((1..=50).contains(&rules.len()));
    assert!(
        rules.is_sorted_by(|a, b| a.priority < b.priority),
        "{rules:?}"
    );
    assert_eq!(Policy::parse(&format!(" {text}\n")), Ok(policy.clone()));
    let tags: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let candidate = |id: i64, class: StorageClass, matching: RuleSet| Candidate {
        id,
        class,
        matching,
        pushed: id * DAY_MS,
        pulled: id * DAY_MS,
        archived: id * DAY_MS,
        last_pull: None,
        is_held: false,
        is_protected: false,
        fingerprint: 0,
    };
    let matching = policy.matching(&tags);
    let mut images: Vec<Candidate> = (0..6)
        .map(|id| match id % 2 {
            0 => candidate(id, StorageClass::Standard, matching),
            _ => candidate(id, StorageClass::Archive, matching),
        })
        .collect();
    let selected = select(&policy, &mut images, NOW);
    for one in &selected {
        let is_first =
            |at: usize| rules[at].class == one.image.class && rules[at].tags.select(&tags);
        assert_eq!((0..rules.len()).find(|at| is_first(*at)), Some(one.rule));
    }
    assert!(
        selected.is_sorted_by(|a, b| a.image.id < b.image.id),
        "each once, the oldest first"
    );
}

/// Policies as the tests of the registry have them.
pub fn seeds() -> Vec<Vec<u8>> {
    const REFUSALS: &str = include_str!("../../../crates/registry/tests/lifecycle/refusals.json");
    let refused: serde_json::Value = serde_json::from_str(REFUSALS).unwrap_or_default();
    let refused = refused.as_array().cloned().unwrap_or_default();
    let mut seeds: Vec<Vec<u8>> = refused
        .iter()
        .map(|case| format!("prod-1 v1\n{}", case["policy"]).into_bytes())
        .collect();
    seeds.push(
        br#"prod-1 v1
{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["prod*","v*"],"countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},{"rulePriority":3,"selection":{"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90},"action":{"type":"expire"}}]}"#
            .to_vec(),
    );
    seeds
}
