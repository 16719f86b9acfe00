//! What the linter needs to know about services.

/// The services, actions, resource types and condition keys of AWS. Names are looked up without
/// regard to case and returned as the service writes them.
pub trait Catalogue {
    /// Every service prefix (`ecr`), in order.
    fn services(&self) -> Vec<&str>;

    /// Whether there is a service of this prefix.
    fn has_service(&self, prefix: &str) -> bool;

    /// The prefix that is most similar to this one.
    fn similar_service(&self, prefix: &str) -> Option<&str>;

    /// The actions of a service, without the prefix; empty for a service that does not exist.
    fn actions(&self, service: &str) -> Vec<&str>;

    /// One action, its name without the prefix.
    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>>;

    /// The action of the service that is most similar to this name.
    fn similar_action(&self, service: &str, name: &str) -> Option<&str>;

    /// The resource types whose ARNs have this service in their third field. It is usually, but not
    /// always, a prefix (`catalog` belongs to `servicecatalog`).
    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>>;

    /// A condition key by its full name, including the tag key (`aws:ResourceTag/team`).
    fn condition_key(&self, name: &str) -> Option<KeyFacts>;

    /// The key that is most similar to this name.
    fn similar_condition_key(&self, name: &str) -> Option<&str>;

    /// Whether requests of this action may have the key; true for global keys.
    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool;

    /// Whether the reference lists the key for the action itself. A global key is in every request
    /// only if it does not depend on the resource.
    fn action_lists_key(&self, service: &str, action: &str, key: &str) -> bool {
        self.action_knows_key(service, action, key)
    }

    /// Whether requests of any of the service's actions may have the key. May be true for a key that
    /// none has; if it is false, no action is looked up.
    fn service_knows_key(&self, service: &str, key: &str) -> bool {
        let mut actions = self.actions(service).into_iter();
        actions.any(|action| self.action_knows_key(service, action, key))
    }
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFacts<'a> {
    /// The name as AWS writes it, without the prefix.
    pub name: &'a str,
    /// The resource types that it applies to. If there are none, `Resource` must be `*`.
    pub resource_types: Vec<ResourceType<'a>>,
}

/// A type of resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType<'a> {
    /// Such as `repository`.
    pub name: &'a str,
    /// The forms of its ARN, such as
    /// `arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}`.
    pub arn_patterns: Vec<&'a str>,
}

/// A condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// What its values are.
    pub key_type: KeyType,
    /// Whether a request may have several values.
    pub multivalued: bool,
}

/// What a condition key's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Compared with `String…`.
    String,
    /// Compared with `Arn…`.
    Arn,
    /// Compared with `Bool`.
    Bool,
    /// Compared with `Numeric…`.
    Numeric,
    /// Compared with `Date…`.
    Date,
    /// Compared with `IpAddress` and `NotIpAddress`.
    IpAddress,
}

impl KeyType {
    /// The names of the operators, for messages.
    pub fn operators(self) -> &'static str {
        match self {
            KeyType::String => "String",
            KeyType::Arn => "ArnLike or ArnEquals",
            KeyType::Bool => "Bool",
            KeyType::Numeric => "Numeric",
            KeyType::Date => "Date",
            KeyType::IpAddress => "IpAddress or NotIpAddress",
        }
    }
}

/// An empty catalogue: the checks that need one are skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Catalogue for Nothing {
    fn services(&self) -> Vec<&str> {
        Vec::new()
    }

    fn has_service(&self, _: &str) -> bool {
        false
    }

    fn similar_service(&self, _: &str) -> Option<&str> {
        None
    }

    fn actions(&self, _: &str) -> Vec<&str> {
        Vec::new()
    }

    fn action(&self, _: &str, _: &str) -> Option<ActionFacts<'_>> {
        None
    }

    fn similar_action(&self, _: &str, _: &str) -> Option<&str> {
        None
    }

    fn resource_types(&self, _: &str) -> Vec<ResourceType<'_>> {
        Vec::new()
    }

    fn condition_key(&self, _: &str) -> Option<KeyFacts> {
        None
    }

    fn similar_condition_key(&self, _: &str) -> Option<&str> {
        None
    }

    fn action_knows_key(&self, _: &str, _: &str, _: &str) -> bool {
        true
    }
}
