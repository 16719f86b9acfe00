//! The events: a closed list, and what each says.
//!
//! The `detail` of AWS's events is that of the ECR User Guide, "Amazon ECR events and EventBridge". What goes
//! beyond AWS has a `source` of its own, so that no rule that is made for AWS's events matches it.

use serde_json::{Map, Value, json};

use crate::event_pattern::PULL;

/// The `source` of events that Amazon ECR sends as well.
pub const AWS_SOURCE: &str = "aws.ecr";
/// The `source` of events that only Berth sends. Names that begin with `aws.` are AWS's.
pub const OWN_SOURCE: &str = "berth.registry";

/// An image or a referrer, as far as an event tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifact<'a> {
    /// The manifest's digest.
    pub digest: &'a str,
    /// The manifest's media type, where it is known.
    pub media_type: Option<&'a str>,
    /// Its artifact type, or its config's media type.
    pub artifact_type: Option<&'a str>,
    /// Whether it refers to another image (`subject`): its events are those of a referrer.
    pub is_referrer: bool,
}

/// What happened to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageAction<'a> {
    /// It was pushed, under this tag, or the tag was given to it.
    Push(Option<&'a str>),
    /// The tag was taken from it, or it was deleted: one event for each of its tags, and one for an image
    /// without a tag.
    Delete(Option<&'a str>),
    /// It was archived or restored.
    UpdateStorageClass(StorageClassChange<'a>),
}

/// What a change of the storage class leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageClassChange<'a> {
    /// The image is archived.
    Archive,
    /// It is active again, since this time (ISO 8601).
    Standard {
        /// When.
        last_activated_at: &'a str,
    },
}

/// What a lifecycle policy does with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleAction {
    /// It is deleted.
    Expire,
    /// It is archived.
    Archive,
}

/// An attempt to bring an image from an upstream registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullThroughCache<'a> {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The rule's prefix.
    pub prefix: &'a str,
    /// The rule's upstream, as AWS writes it: without a scheme.
    pub upstream_registry_url: &'a str,
    /// The tag, where the pull named one.
    pub tag: Option<&'a str>,
    /// The digest, where it is known.
    pub digest: Option<&'a str>,
    /// Why it failed. AWS says that failures have such members, not which.
    pub failure: Option<(&'a str, &'a str)>,
}

/// The end of a replication, in the destination's registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicated<'a> {
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The image's digest.
    pub digest: &'a str,
    /// Its tag, where it came with one.
    pub tag: Option<&'a str>,
    /// The account of the source's registry.
    pub source_account: &'a str,
    /// Its region.
    pub source_region: &'a str,
    /// Why it failed ("additional error information may be included", user guide).
    pub failure: Option<&'a str>,
}

/// What happened in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// `ECR Image Action`, of a referrer `ECR Referrer Action`.
    Image(Artifact<'a>, ImageAction<'a>),
    /// `ECR Pull Through Cache Action`.
    PullThroughCache(PullThroughCache<'a>),
    /// `ECR Replication Action`.
    Replication(Replicated<'a>),
    /// `Berth Lifecycle Action`, beside the events of the image that AWS has.
    Lifecycle {
        /// The image.
        digest: &'a str,
        /// The tags that it had.
        tags: &'a [String],
        /// What was done with it.
        action: LifecycleAction,
        /// The priority of the rule that selected it.
        rule_priority: i64,
    },
    /// `Berth Image Pull`: pulls of an image by a principal since the last event of both.
    Pull {
        /// The image.
        digest: &'a str,
        /// The principal's ARN.
        principal: &'a str,
        /// How often.
        count: i64,
        /// The last time (ISO 8601).
        last_pulled_at: &'a str,
    },
    /// `Berth Test Event`: somebody asked for it. Its detail has no repository.
    Test {
        /// The target's name.
        target: &'a str,
    },
}

const fn result(succeeded: bool) -> &'static str {
    match succeeded {
        true => "SUCCESS",
        false => "FAILED",
    }
}

impl Event<'_> {
    /// EventBridge's `source`.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Event::Image(..) | Event::PullThroughCache(_) | Event::Replication(_) => AWS_SOURCE,
            Event::Lifecycle { .. } | Event::Pull { .. } | Event::Test { .. } => OWN_SOURCE,
        }
    }

    /// EventBridge's `detail-type`.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        match self {
            Event::Image(artifact, _) if artifact.is_referrer => "ECR Referrer Action",
            Event::Image(..) => "ECR Image Action",
            Event::PullThroughCache(_) => "ECR Pull Through Cache Action",
            Event::Replication(_) => "ECR Replication Action",
            Event::Lifecycle { .. } => "Berth Lifecycle Action",
            Event::Pull { .. } => PULL,
            Event::Test { .. } => "Berth Test Event",
        }
    }

    /// Whether `resources` lists the repository. In AWS's events of images it is empty.
    #[must_use]
    pub fn names_resource(&self) -> bool {
        !matches!(self, Event::Image(..) | Event::Test { .. })
    }

    /// `detail`.
    #[must_use]
    pub fn detail(&self, repository: &str) -> Value {
        let mut detail = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                detail.insert(key.to_owned(), value);
            }
        };
        if !matches!(self, Event::Test { .. }) {
            put("repository-name", Some(repository.into()));
        }
        match self {
            Event::Image(artifact, action) => {
                put("result", Some(result(true).into()));
                put("image-digest", Some(artifact.digest.into()));
                let mut tells_types = artifact.is_referrer;
                match action {
                    ImageAction::Push(tag) => {
                        put("action-type", Some("PUSH".into()));
                        put("image-tag", tag.map(Value::from));
                    }
                    ImageAction::Delete(tag) => {
                        put("action-type", Some("DELETE".into()));
                        put("image-tag", tag.map(Value::from));
                    }
                    ImageAction::UpdateStorageClass(change) => {
                        tells_types = true;
                        put("action-type", Some("UPDATE_STORAGE_CLASS".into()));
                        let (class, at) = match change {
                            StorageClassChange::Archive => ("ARCHIVE", None),
                            StorageClassChange::Standard { last_activated_at } => {
                                ("STANDARD", Some(*last_activated_at))
                            }
                        };
                        put("target-storage-class", Some(class.into()));
                        put("last-activated-at", at.map(Value::from));
                    }
                }
                if tells_types {
                    let artifact_type = artifact.artifact_type.map(Value::from);
                    put("manifest-media-type", artifact.media_type.map(Value::from));
                    put("artifact-media-type", artifact_type);
                }
            }
            Event::PullThroughCache(attempt) => {
                put("rule-version", Some("1".into()));
                put("sync-status", Some(result(attempt.succeeded).into()));
                put("ecr-repository-prefix", Some(attempt.prefix.into()));
                let upstream = attempt.upstream_registry_url;
                put("upstream-registry-url", Some(upstream.into()));
                put("image-tag", attempt.tag.map(Value::from));
                put("image-digest", attempt.digest.map(Value::from));
                put("failure-code", attempt.failure.map(|(code, _)| code.into()));
                put("failure-reason", attempt.failure.map(|(_, why)| why.into()));
            }
            Event::Replication(done) => {
                put("result", Some(result(done.succeeded).into()));
                put("image-digest", Some(done.digest.into()));
                put("source-account", Some(done.source_account.into()));
                put("action-type", Some("REPLICATE".into()));
                put("source-region", Some(done.source_region.into()));
                put("image-tag", done.tag.map(Value::from));
                put("failure-reason", done.failure.map(Value::from));
            }
            Event::Lifecycle {
                digest,
                tags,
                action,
                rule_priority,
            } => {
                let action = match action {
                    LifecycleAction::Expire => "EXPIRE",
                    LifecycleAction::Archive => "ARCHIVE",
                };
                put("result", Some(result(true).into()));
                put("image-digest", Some((*digest).into()));
                put("image-tags", Some(json!(tags)));
                put("action-type", Some(action.into()));
                put("rule-priority", Some((*rule_priority).into()));
            }
            Event::Pull {
                digest,
                principal,
                count,
                last_pulled_at,
            } => {
                put("result", Some(result(true).into()));
                put("image-digest", Some((*digest).into()));
                put("action-type", Some("PULL".into()));
                put("principal-arn", Some((*principal).into()));
                put("pull-count", Some((*count).into()));
                put("last-pulled-at", Some((*last_pulled_at).into()));
            }
            Event::Test { target } => {
                put("result", Some(result(true).into()));
                put("action-type", Some("TEST".into()));
                put("target-name", Some((*target).into()));
            }
        }
        Value::Object(detail)
    }
}
