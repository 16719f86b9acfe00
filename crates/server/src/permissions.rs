//! What an operation needs to be allowed: its actions, their resources, and the condition keys that
//! its input sets. Pure data, made by the tables in `ops/`, evaluated by the authorization step.

use aws_api::{ecr, iam, sts};
use aws_types::AccountId;
use policy::{Context, ContextValue};

/// The resource of an action, before it is looked up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ResourceSelector {
    /// An action without a resource: `*`.
    Any,
    /// An ARN or another text of the caller's account, as it stands.
    Text(String),
    /// An ECR repository.
    Repository {
        /// Whose registry; the caller's when absent.
        registry: Option<String>,
        /// Its name, or `*` for a listing.
        name: String,
    },
    /// An ECR resource by its ARN (tagging).
    RepositoryArn(String),
    /// An IAM entity that exists, or should: its ARN has a path that the input does not tell.
    Entity(Entity, String),
    /// What an IAM entity will be called: its name, the new one and the new path, where they change.
    Renamed(Entity, String, Option<String>, Option<String>),
    /// An IAM entity that the operation creates, with its path.
    NewEntity(Entity, Option<String>, String),
    /// A managed policy by its ARN.
    Policy(String),
    /// The calling user.
    Caller,
    /// The user whose access key this is.
    KeyOwner(String),
    /// A federated user that `GetFederationToken` makes, by name.
    FederatedUser(String),
    /// A role to be assumed, by its ARN: its trust policy is the resource policy.
    TrustingRole(String),
}

/// The kinds of IAM entities whose ARNs hold a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    User,
    Role,
    Group,
    InstanceProfile,
    Policy,
}

impl Entity {
    /// The ARN's resource type.
    pub(crate) fn arn_type(self) -> &'static str {
        match self {
            Entity::User => "user",
            Entity::Role => "role",
            Entity::Group => "group",
            Entity::InstanceProfile => "instance-profile",
            Entity::Policy => "policy",
        }
    }
}

/// Everything that must be allowed for one request.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    /// The operation's own action and further ones; `None` stands for the operation's own. All must be
    /// allowed.
    pub(crate) checks: Vec<(Option<&'static str>, ResourceSelector)>,
    /// Another action that allows the first ask as well. A Deny of either refuses.
    pub(crate) or: Option<&'static str>,
    /// Condition keys from the input.
    pub(crate) keys: Context,
}

/// The operation's own action on `target`.
pub(crate) fn require(target: ResourceSelector) -> Requirements {
    Requirements {
        checks: vec![(None, target)],
        or: None,
        keys: Context::new(),
    }
}

/// The operation's own action on each of `targets`.
pub(crate) fn require_each(targets: impl IntoIterator<Item = ResourceSelector>) -> Requirements {
    Requirements {
        checks: targets.into_iter().map(|target| (None, target)).collect(),
        or: None,
        keys: Context::new(),
    }
}

/// A further action with its own name.
pub(crate) fn require_action(action: &'static str, target: ResourceSelector) -> Requirements {
    Requirements {
        checks: vec![(Some(action), target)],
        or: None,
        keys: Context::new(),
    }
}

impl Requirements {
    /// The first ask is allowed by this action too.
    #[must_use]
    pub(crate) fn or(mut self, action: &'static str) -> Requirements {
        self.or = Some(action);
        self
    }

    /// Another action that must be allowed as well.
    #[must_use]
    pub(crate) fn and(mut self, action: &'static str, target: ResourceSelector) -> Requirements {
        self.checks.push((Some(action), target));
        self
    }

    /// The operation's own action on another target as well.
    #[must_use]
    pub(crate) fn and_resource(mut self, target: ResourceSelector) -> Requirements {
        self.checks.push((None, target));
        self
    }

    /// The same as [`Requirements::also`], where `wanted`.
    #[must_use]
    pub(crate) fn and_if(
        self,
        wanted: bool,
        action: &'static str,
        target: ResourceSelector,
    ) -> Requirements {
        match wanted {
            true => self.and(action, target),
            false => self,
        }
    }

    /// A single-valued condition key, where the input has a value for it.
    #[must_use]
    pub(crate) fn key<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Requirements {
        if let Some(value) = value.into() {
            self.keys.insert(name, ContextValue::One(value.into()));
        }
        self
    }

    /// A multivalued condition key, where the input has the list.
    #[must_use]
    pub(crate) fn list(mut self, name: &str, values: Option<&[String]>) -> Requirements {
        if let Some(values) = values {
            let values = values.iter().map(|value| value.as_str().into()).collect();
            self.keys.insert(name, ContextValue::Many(values));
        }
        self
    }

    /// `aws:RequestTag/<key>` and `aws:TagKeys` from tags that the request passes.
    #[must_use]
    pub(crate) fn tags<'a, T: KeyValue + 'a>(
        mut self,
        tags: impl Into<Option<&'a Vec<T>>>,
    ) -> Requirements {
        let Some(tags) = tags.into().filter(|tags| !tags.is_empty()) else {
            return self;
        };
        for tag in tags {
            let name = format!("aws:RequestTag/{}", tag.key());
            self.keys
                .insert(&name, ContextValue::One(tag.value().into()));
        }
        let keys = tags.iter().map(|tag| tag.key().into()).collect();
        self.keys.insert("aws:TagKeys", ContextValue::Many(keys));
        self
    }
}

/// A tag of any of the services.
pub(crate) trait KeyValue {
    fn key(&self) -> &str;
    fn value(&self) -> &str;
}

macro_rules! key_value {
    ($($tag:ty),*) => {$(
        impl KeyValue for $tag {
            fn key(&self) -> &str {
                &self.key
            }
            fn value(&self) -> &str {
                &self.value
            }
        }
    )*};
}

key_value!(ecr::Tag, iam::Tag, sts::Tag);

/// The account of a `registryId`, or the caller's. The model's pattern was checked before.
pub(crate) fn registry_account(registry: Option<&str>, caller: AccountId) -> AccountId {
    registry.and_then(|id| id.parse().ok()).unwrap_or(caller)
}
