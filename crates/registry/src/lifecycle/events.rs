//! Audit events of lifecycle policies, in the form of CloudTrail's (ECR User Guide,
//! "Logging Amazon ECR actions with AWS CloudTrail", "Example: Amazon ECR image lifecycle policy"; recorded
//! events: ccbrown/cloud-snitch; AWS re:Post, "ecr-lifecycle-policy-events").

use authz::ServiceName;
use serde_json::{Value, json};
use store::Conn;
use store::ecr::lifecycle;

use super::policy::{Action, Count, Policy, Rule, StorageClass, Tags};
use crate::service_event::insert;
use crate::{Error, RepositoryFacts};

/// Images of one event (user guide, the same page: several events for 10 or more images).
pub(crate) const IMAGES_MAX: usize = 10;
/// Tags of an image (the same page).
pub(super) const TAGS_MAX: usize = 100;

/// What an event tells of: a run of a policy, or a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    PolicyExecution,
    DryRun,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Name::PolicyExecution => "PolicyExecutionEvent",
            Name::DryRun => "DryRunEvent",
        }
    }
}

/// An image and what was done with it.
#[derive(Clone, Debug)]
pub(super) struct Acted {
    pub(super) digest: String,
    pub(super) tags: Vec<String>,
    pub(super) pushed_at: i64,
    pub(super) priority: u32,
    /// The lists that need it: nothing was done.
    pub(super) held_by: Vec<String>,
}

impl Acted {
    fn image(&self) -> Value {
        let tags = &self.tags[..self.tags.len().min(TAGS_MAX)];
        json!({
            "digest": self.digest,
            "tagStatus": if tags.is_empty() { "Untagged" } else { "Tagged" },
            "tagList": tags,
            "pushedAt": self.pushed_at,
        })
    }

    fn details(&self) -> Value {
        let mut details = json!({
            "lifecycleEventImage": self.image(),
            "rulePriority": self.priority,
        });
        if !self.held_by.is_empty() {
            let parents = self.held_by.clone();
            details["failureCode"] = "ImageReferencedByManifestList".into();
            details["failureReason"] = Error::ImageReferencedByManifestList { parents }
                .to_string()
                .into();
        }
        details
    }
}

/// The policy of an event.
pub(super) struct Told<'a> {
    pub(super) repo: &'a RepositoryFacts,
    pub(super) policy: &'a Policy,
    /// Of a policy that is set; a preview may be of another one.
    pub(super) row: Option<&'a lifecycle::Policy>,
}

impl Told<'_> {
    /// Writes the events of these images, at least one.
    pub(super) async fn write(
        &self,
        conn: &mut Conn<'_>,
        service: ServiceName,
        name: Name,
        images: &[Acted],
        now: i64,
    ) -> Result<(), Error> {
        let mut parts: Vec<&[Acted]> = images.chunks(IMAGES_MAX).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for part in parts {
            let (failed, done): (Vec<&Acted>, Vec<&Acted>) =
                part.iter().partition(|acted| !acted.held_by.is_empty());
            let values = |list: Vec<&Acted>| list.iter().map(|acted| acted.details()).collect();
            let details = json!({
                "repositoryName": &*self.repo.name,
                "lifecycleEventPolicy": self.policy(),
                "lifecycleEventImageActions": Value::Array(values(done)),
                "lifecycleEventFailureDetails": Value::Array(values(failed)),
            });
            insert(conn, service, name.as_str(), self.repo, &details, now).await?;
        }
        Ok(())
    }

    fn policy(&self) -> Value {
        let rules: Vec<Value> = self.policy.rules().iter().map(rule).collect();
        let mut policy = json!({ "lifecycleEventRules": rules });
        if let Some(row) = self.row {
            policy["lastEvaluatedAt"] = row.evaluated_at.unwrap_or(0).into();
            policy["policyVersion"] = row.version.into();
            policy["policyId"] = row.id.clone().into();
        }
        policy
    }
}

/// A rule in the event's own words. Those of a count type or a class that came later than the recorded
/// events are built alike.
fn rule(rule: &Rule) -> Value {
    let none: &[String] = &[];
    let (status, prefixes, patterns) = match &rule.tags {
        Tags::Patterns(patterns) => {
            let patterns = patterns.iter().map(ToString::to_string).collect();
            ("Tagged", none, patterns)
        }
        Tags::Prefixes(prefixes) => ("Tagged", prefixes.as_slice(), Vec::new()),
        Tags::Untagged => ("Untagged", none, Vec::new()),
        Tags::Any => ("Any", none, Vec::new()),
    };
    let (kind, number, unit) = match rule.count {
        Count::ImagesMoreThan(n) => ("Image count more than", n, None),
        Count::DaysSincePushed(n) => ("Time since image pushed", n, Some("Days")),
        Count::DaysSincePulled(n) => ("Time since image pulled", n, Some("Days")),
        Count::DaysSinceTransitioned(n) => ("Time since image transitioned", n, Some("Days")),
    };
    let mut selection = json!({
        "tagStatus": status,
        "tagPrefixList": prefixes,
        "tagPatternList": patterns,
        "countType": kind,
        "countNumber": number,
    });
    if let Some(unit) = unit {
        selection["countUnit"] = unit.into();
    }
    if rule.class == StorageClass::Archive {
        selection["storageClass"] = "archive".into();
    }
    let mut value = json!({
        "rulePriority": rule.priority,
        "lifecycleEventSelection": selection,
        "action": match rule.action {
            Action::Expire => "expire",
            Action::Archive => "transition",
        },
    });
    if let Some(description) = &rule.description {
        value["description"] = description.clone().into();
    }
    value
}
