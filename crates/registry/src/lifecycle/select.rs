//! Which images a policy acts on: a function of the policy, the images and the time.
//!
//! "All rules are evaluated at the same time, regardless of rule priority. After all rules are evaluated, they
//! are then applied based on rule priority", and an image that matches the tagging requirements of a rule is
//! closed to rules of a lower priority, whether that rule acts on it or not (ECR User Guide, "Automate the
//! cleanup of images by using lifecycle policies in Amazon ECR", "Lifecycle policy evaluation rules"). So the
//! first rule that matches an image's tags decides on it, and counts all images that match its own tags.
//!
//! # Cost
//! An image is seven words. Each rule that counts walks the images once.

use super::policy::{Action, Count, Policy, RuleSet, StorageClass};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// What is known of an image while a policy is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The row's id; of two images of one time, the lower is older.
    pub id: i64,
    /// Its storage class.
    pub class: StorageClass,
    /// The rules that its tags match.
    pub matching: RuleSet,
    /// When it was pushed, or restored since.
    pub pushed: i64,
    /// When it was pulled, or else pushed; or restored, where that was later.
    pub pulled: i64,
    /// When it was archived.
    pub archived: i64,
    /// When a pull was last recorded.
    pub last_pull: Option<i64>,
    /// A list needs it.
    pub is_held: bool,
    /// One of its tags is protected.
    pub is_protected: bool,
    /// What it must still be when it is acted on.
    pub fingerprint: u64,
}

/// An image on which a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The image.
    pub image: Candidate,
    /// The rule's place in [`Policy::rules`].
    pub rule: usize,
    /// What it does.
    pub action: Action,
}

/// The images on which the policy acts at `now`, the oldest first. The order of `images` has no meaning;
/// afterwards they are the oldest first.
pub fn select(policy: &Policy, images: &mut [Candidate], now: i64) -> Vec<Selected> {
    images.sort_unstable_by_key(|image| (image.pushed, image.id));
    let standard = policy.of_class(StorageClass::Standard);
    let archive = policy.of_class(StorageClass::Archive);
    let matching = |image: &Candidate| {
        RuleSet(
            image.matching.0
                & match image.class {
                    StorageClass::Standard => standard.0,
                    StorageClass::Archive => archive.0,
                },
        )
    };
    // Of each rule that counts, how many of its images are kept yet. The newest come first.
    let mut kept: Vec<u32> = policy
        .rules()
        .iter()
        .map(|rule| kept_at_most(rule.count))
        .collect();
    let mut selected = Vec::new();
    for image in images.iter().rev() {
        let matching = matching(image);
        let Some(first) = matching.first() else {
            continue;
        };
        for (at, rule) in policy.rules().iter().enumerate() {
            if !matching.contains(at) {
                continue;
            }
            let older =
                |clock: i64, days: u32| now.saturating_sub(clock) > i64::from(days) * DAY_MS;
            let acts = match rule.count {
                Count::ImagesMoreThan(_) if kept[at] > 0 => {
                    kept[at] -= 1;
                    false
                }
                Count::ImagesMoreThan(_) => true,
                Count::DaysSincePushed(days) => older(image.pushed, days),
                Count::DaysSincePulled(days) => older(image.pulled, days),
                Count::DaysSinceTransitioned(days) => older(image.archived, days),
            };
            if acts && at == first {
                selected.push(Selected {
                    image: *image,
                    rule: at,
                    action: rule.action,
                });
            }
        }
    }
    selected.reverse();
    selected
}

fn kept_at_most(count: Count) -> u32 {
    match count {
        Count::ImagesMoreThan(kept) => kept,
        _ => 0,
    }
}
