//! A lifecycle policy: its rules, in the order in which they are applied (ECR User Guide, "Lifecycle policy
//! properties in Amazon ECR"), and which images each one is about.

use serde_json::Value;

use super::{schema, validation};
use crate::tag_pattern::Pattern;

/// Rules of a policy. A set of rules is a number's bits, so there cannot be more than 64.
pub(super) const RULES_MAX: usize = 50;

/// The storage class that images of a rule are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageClass {
    /// Images that can be pulled.
    Standard,
    /// Archived images.
    Archive,
}

/// Which images a rule is about, by their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Each pattern matches one of the tags.
    Patterns(Vec<Pattern>),
    /// The same, of prefixes.
    Prefixes(Vec<String>),
    /// Images without tags.
    Untagged,
    /// All images.
    Any,
}

impl Tags {
    /// Whether an image with these tags is one of them. Different tags may match different entries
    /// (ECR User Guide, "Automate the cleanup of images by using lifecycle policies", "Considerations").
    #[must_use]
    pub fn select(&self, tags: &[String]) -> bool {
        match self {
            Tags::Patterns(patterns) => patterns
                .iter()
                .all(|pattern| tags.iter().any(|tag| pattern.matches(tag))),
            Tags::Prefixes(prefixes) => prefixes
                .iter()
                .all(|prefix| tags.iter().any(|tag| tag.starts_with(prefix))),
            Tags::Untagged => tags.is_empty(),
            Tags::Any => true,
        }
    }
}

/// When a rule's images are acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// All but the newest ones.
    ImagesMoreThan(u32),
    /// Pushed, or restored, longer ago than these days.
    DaysSincePushed(u32),
    /// Pulled longer ago than these days.
    DaysSincePulled(u32),
    /// Archived longer ago than these days.
    DaysSinceTransitioned(u32),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The image is deleted.
    Expire,
    /// The image is archived.
    Archive,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `rulePriority`: the lowest is applied first.
    pub priority: u32,
    /// `description`.
    pub description: Option<String>,
    /// Which images it is about.
    pub tags: Tags,
    /// And in which storage class.
    pub class: StorageClass,
    /// Which of them are acted on.
    pub count: Count,
    /// How.
    pub action: Action,
}

/// A policy whose rules were validated, in the order of their priorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// A set of rules of one policy: the n-th bit is its n-th rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(pub(super) u64);

impl RuleSet {
    /// The first of them.
    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then_some(self.0.trailing_zeros() as usize)
    }

    pub(super) fn contains(self, rule: usize) -> bool {
        self.0 >> rule & 1 == 1
    }
}

impl Policy {
    /// Reads and validates a policy.
    ///
    /// # Errors
    /// What is wrong, in AWS's words as far as they are known: the text that follows
    /// `failed to satisfy constraint:`, without its quotes.
    pub fn parse(text: &str) -> Result<Policy, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| unmappable())?;
        schema::check(&value).map_err(|message| invalid(&message))?;
        let mut rules = validation::rules(&value)?;
        rules.sort_by_key(|rule| rule.priority);
        Ok(Policy { rules })
    }

    /// Its rules, by priority.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules whose selection by tags an image with these tags matches.
    #[must_use]
    pub fn matching(&self, tags: &[String]) -> RuleSet {
        let matching = |(at, rule): (usize, &Rule)| u64::from(rule.tags.select(tags)) << at;
        RuleSet(self.rules.iter().enumerate().map(matching).sum())
    }

    /// The rules of a storage class.
    pub(super) fn of_class(&self, class: StorageClass) -> RuleSet {
        let of_class = |(at, rule): (usize, &Rule)| u64::from(rule.class == class) << at;
        RuleSet(self.rules.iter().enumerate().map(of_class).sum())
    }
}

/// A document that has the form of a policy and breaks one of its rules.
pub(super) fn invalid(message: &str) -> String {
    format!("Lifecycle policy validation failure: {message}")
}

/// A document that is no policy at all.
pub(super) fn unmappable() -> String {
    "Lifecycle policy parsing failure: Could not map policyString into LifecyclePolicy.".to_owned()
}
