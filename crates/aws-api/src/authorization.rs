//! AWS's service authorization reference: which actions, resource types and
//! condition keys there are, for every service.
//!
//! A policy linter uses it: does an action exist, does it support a resource type
//! or a condition key, which similar name could have been meant?
//!
//! ```
//! use aws_api::authorization::{self, AccessLevel, KeyType};
//!
//! let ecr = authorization::service("ecr").ok_or("no ECR")?;
//! let put = ecr.action("putimage").ok_or("no PutImage")?; // Case does not matter.
//! assert_eq!((put.name(), put.access_level()), ("PutImage", AccessLevel::Write));
//!
//! let acts_on: Vec<&str> = put.resource_types().map(|r| r.resource_type.name).collect();
//! assert_eq!(acts_on, ["repository"]);
//! assert!(put.is_valid_condition_key("ecr:ResourceTag/team"));
//! assert!(put.is_valid_condition_key("aws:SourceIp")); // Global keys go with every action.
//! assert!(!put.is_valid_condition_key("ecr:AccountSetting"));
//!
//! let meant = ecr.similar_action("GetAuthToken").ok_or("nothing alike")?;
//! assert_eq!(meant.name(), "GetAuthorizationToken");
//!
//! let paths = authorization::condition_key("aws:PrincipalOrgPaths").ok_or("no such key")?;
//! assert_eq!((paths.key_type, paths.multivalued), (KeyType::String, true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The data is that of AWS's *Service Authorization Reference*; `data.txt` names
//! the package that it comes from. It is one text of about 1 MB in the binary. The
//! first look-up parses the index, and each service's section is parsed at its
//! first look-up; nothing is parsed at start.
//!
//! Names that AWS compares case-insensitively (prefixes, actions, condition keys)
//! are found in any case. For wildcards in an action, callers iterate over
//! [`ServiceAuthorization::actions`].

mod global;
mod key;
mod parse;
mod similar;

#[cfg(test)]
mod tests;

pub use key::{ConditionKey, KeyType};

use parse::{Index, Row, section};
use std::cmp::Ordering;
use std::sync::{LazyLock, OnceLock};

static DATA: &str = include_str!("authorization/data.txt");

/// One service of the index; its section is parsed at the first look-up.
struct Slot {
    prefix: &'static str,
    text: &'static str,
    service: OnceLock<ServiceAuthorization>,
}

static SERVICES: LazyLock<Vec<Slot>> = LazyLock::new(|| {
    let index = Index::read(DATA).expect("the embedded index is proved by a test");
    let slots = index.sections.into_iter().map(|(prefix, text)| Slot {
        prefix,
        text,
        service: OnceLock::new(),
    });
    slots.collect()
});

/// The service of this prefix, such as `ecr`, in any case.
///
/// ```
/// assert!(aws_api::authorization::service("ECR").is_some());
/// assert!(aws_api::authorization::service("ecr2").is_none());
/// ```
pub fn service(prefix: &str) -> Option<&'static ServiceAuthorization> {
    let at = SERVICES
        .binary_search_by(|slot| compare(slot.prefix, prefix))
        .ok()?;
    let slot = SERVICES.get(at)?;
    Some(
        slot.service.get_or_init(|| {
            section(slot.text).expect("every embedded section is proved by a test")
        }),
    )
}

/// Every service's prefix, in order.
pub fn prefixes() -> impl ExactSizeIterator<Item = &'static str> {
    SERVICES.iter().map(|slot| slot.prefix)
}

/// The action of a full name such as `ecr:PutImage`, in any case.
pub fn action(name: &str) -> Option<Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

/// The most similar prefix, for "did you mean".
pub fn similar_prefix(prefix: &str) -> Option<&'static str> {
    similar::best(prefix, prefixes())
}

/// The keys that every action supports: `aws:…`, and those that a service's role
/// session has in every request, such as `ec2:SourceInstanceArn` (IAM User Guide,
/// *AWS global condition context keys*).
pub fn global_condition_keys() -> &'static [ConditionKey] {
    global::KEYS
}

/// The condition key of this full name: a global one, one of the service that its
/// prefix names, or one of an identity provider, which AWS lists with `sts`.
/// `ecr:ResourceTag/team` finds `ecr:ResourceTag/${TagKey}`.
pub fn condition_key(name: &str) -> Option<&'static ConditionKey> {
    if let Some(global) = find(global::KEYS, name) {
        return Some(global);
    }
    let (prefix, _) = name.split_once(':')?;
    service(prefix)
        .or_else(|| service("sts"))?
        .condition_key(name)
}

/// The condition key most similar to this full name, for "did you mean": among
/// the global ones and those of the service that its prefix names. Tag keys are not
/// compared.
///
/// ```
/// use aws_api::authorization::similar_condition_key;
/// assert_eq!(similar_condition_key("aws:SourceIPs"), Some("aws:SourceIp"));
/// assert_eq!(
///     similar_condition_key("ecr:ResourceTags/team"),
///     Some("ecr:ResourceTag/${TagKey}")
/// );
/// ```
pub fn similar_condition_key(name: &str) -> Option<&'static str> {
    let head = |name: &'static str| name.split('/').next().unwrap_or(name);
    let (prefix, _) = name.split_once(':')?;
    let of_service = service(prefix).map_or(&[][..], |service| service.condition_keys());
    let keys = || global::KEYS.iter().chain(of_service).map(|key| key.name);
    let meant = similar::best(name.split('/').next()?, keys().map(head))?;
    keys().find(|name| head(name) == meant)
}

/// What AWS documents about one service.
#[derive(Debug)]
pub struct ServiceAuthorization {
    prefix: &'static str,
    name: &'static str,
    keys: Vec<ConditionKey>,
    /// Sets of keys, as positions in `keys`.
    sets: Vec<Box<[u16]>>,
    resources: Vec<ResourceType>,
    /// By name in lower case.
    rows: Vec<Row>,
}

impl ServiceAuthorization {
    /// The part of an action before the colon.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The service's full name, such as `Amazon Elastic Container Registry`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The action of this name (without the prefix), in any case.
    pub fn action(&'static self, name: &str) -> Option<Action> {
        let at = self
            .rows
            .binary_search_by(|row| compare(row.name, name))
            .ok()?;
        Some(Action {
            service: self,
            row: self.rows.get(at)?,
        })
    }

    /// All actions, by name.
    pub fn actions(&'static self) -> impl ExactSizeIterator<Item = Action> {
        self.rows
            .iter()
            .map(move |row| Action { service: self, row })
    }

    /// The action most similar to this name (without the prefix), for "did you
    /// mean"; `None` if none is similar.
    pub fn similar_action(&'static self, name: &str) -> Option<Action> {
        self.action(similar::best(name, self.rows.iter().map(|row| row.name))?)
    }

    /// All resource types, by name.
    pub fn resource_types(&self) -> &[ResourceType] {
        &self.resources
    }

    /// The resource type of this name, case-sensitive.
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resources.iter().find(|r| r.name == name)
    }

    /// All condition keys that the reference lists for the service, by name.
    pub fn condition_keys(&self) -> &[ConditionKey] {
        &self.keys
    }

    /// The service's condition key of this full name (`ecr:ResourceTag/team`), in
    /// any case; global keys that the service does not list are not among them.
    pub fn condition_key(&self, name: &str) -> Option<&ConditionKey> {
        find(&self.keys, name)
    }

    fn set(&self, number: Option<u16>) -> impl Iterator<Item = &ConditionKey> {
        number
            .and_then(|number| self.sets.get(usize::from(number)))
            .into_iter()
            .flatten()
            .filter_map(|&at| self.keys.get(usize::from(at)))
    }
}

/// A type of resource that policies can name.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The reference's name, such as `repository`.
    pub name: &'static str,
    /// The ARN's pattern, such as
    /// `arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}`.
    /// A dozen types have several.
    pub arn_patterns: Box<[&'static str]>,
    set: Option<u16>,
}

/// An action, with the service that it belongs to.
#[derive(Clone, Copy)]
pub struct Action {
    service: &'static ServiceAuthorization,
    row: &'static Row,
}

/// A resource type that an action supports.
#[derive(Clone, Copy, Debug)]
pub struct ActionResource {
    pub resource_type: &'static ResourceType,
    /// Whether the action always acts on such a resource: a statement that allows
    /// the action needs one of that type in `Resource`.
    pub required: bool,
    set: Option<u16>,
}

impl Action {
    /// The name without the prefix, as AWS writes it.
    pub fn name(self) -> &'static str {
        self.row.name
    }

    /// The service it belongs to.
    pub fn service(self) -> &'static ServiceAuthorization {
        self.service
    }

    /// Its access level.
    pub fn access_level(self) -> AccessLevel {
        self.row.level
    }

    /// The resource types that it supports. If there are none, `Resource` must be `*`.
    pub fn resource_types(self) -> impl Iterator<Item = ActionResource> {
        self.row.resources.iter().filter_map(move |need| {
            Some(ActionResource {
                resource_type: self.service.resources.get(usize::from(need.at))?,
                required: need.required,
                set: need.set,
            })
        })
    }

    /// The keys that the reference lists for it: those of the action, of the
    /// action on a resource type, and of the resource types themselves. A key may
    /// occur more than once; global keys occur where the reference repeats them.
    pub fn condition_keys(self) -> impl Iterator<Item = &'static ConditionKey> {
        let of_resources = self.resource_types().flat_map(move |needed| {
            self.service
                .set(needed.set)
                .chain(self.service.set(needed.resource_type.set))
        });
        self.service.set(self.row.set).chain(of_resources)
    }

    /// The documented key of this full name that a condition on this action may
    /// use, global ones included.
    pub fn condition_key(self, name: &str) -> Option<&'static ConditionKey> {
        self.condition_keys()
            .find(|key| key.matches(name))
            .or_else(|| find(global::KEYS, name))
    }

    /// Whether a condition on this action may use the key of this full name.
    ///
    /// True also for the keys that a federated session has in every request: the
    /// claims `aud`, `sub` and the like of any OpenID Connect provider, the claims
    /// that the reference lists for a provider, and SAML's subject.
    pub fn is_valid_condition_key(self, name: &str) -> bool {
        self.condition_key(name).is_some()
            || key::is_of_federation(name)
            || (key::is_of_provider(name) && condition_key(name).is_some())
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service.prefix, self.row.name)
    }
}

/// AWS's classification of an action (IAM User Guide, *Understanding access level
/// summaries within policy summaries*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessLevel {
    /// Lists resources, without their contents.
    List,
    /// Reads the contents of resources.
    Read,
    /// Creates, changes or deletes resources.
    Write,
    /// Changes tags only.
    Tagging,
    /// Grants or changes permissions.
    PermissionsManagement,
}

impl AccessLevel {
    /// The reference's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

fn find<'a>(keys: &'a [ConditionKey], name: &str) -> Option<&'a ConditionKey> {
    keys.iter().find(|key| key.matches(name))
}

/// The case-insensitive order of names.
fn compare(left: &str, right: &str) -> Ordering {
    let left = left.bytes().map(|b| b.to_ascii_lowercase());
    left.cmp(right.bytes().map(|b| b.to_ascii_lowercase()))
}
