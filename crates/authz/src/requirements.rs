//! What an operation needs to be allowed: its actions, their resources, and the condition keys
//! that its input sets. Plain data, made by the rows of the operations.

use aws_api::authorization::AccessLevel;
use aws_api::{berth, ecr, iam, kms, organizations, secrets_manager, sts};
use policy::{Context, ContextValue};

use crate::SessionScope;

/// The part of an operation's row that the authorization step needs.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The operation's IAM action.
    pub action: &'static str,
    /// The action's access level (Service Authorization Reference).
    pub access: AccessLevel,
    /// Which credentials may call it at all.
    pub sessions: SessionScope,
}

/// The resource of a check, before it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceSelector {
    /// An action without a resource: `*`.
    Any,
    /// An ARN or another text of the caller's account, as it is.
    Text(String),
    /// A resource of IAM without a path, of the caller's account: its type and its name.
    Named(&'static str, String),
    /// An ECR repository.
    Repository {
        /// The owner of the registry; the caller where absent.
        registry: Option<String>,
        /// Its name, or `*` for a listing.
        name: String,
    },
    /// An ECR resource by its ARN (tagging).
    RepositoryArn(String),
    /// An IAM entity that exists, or should, by name. Its path is not in the input.
    Entity(EntityKind, String),
    /// An IAM entity under its new name or path.
    Renamed {
        /// The kind of entity.
        kind: EntityKind,
        /// The present name.
        name: String,
        /// The new name, where it changes.
        new_name: Option<String>,
        /// The new path, where it changes.
        new_path: Option<String>,
    },
    /// An IAM entity that the operation creates.
    NewEntity {
        /// The kind of entity.
        kind: EntityKind,
        /// Its path; `/` where absent.
        path: Option<String>,
        /// Its name.
        name: String,
    },
    /// A listing of IAM entities.
    Listing {
        /// The kind of entities.
        kind: EntityKind,
        /// `PathPrefix`; `/` where absent.
        path_prefix: Option<String>,
    },
    /// A managed policy by its ARN.
    Policy(String),
    /// Another IAM entity that requests name by its ARN: a provider, an MFA device.
    EntityArn(EntityKind, String),
    /// The calling user.
    Caller,
    /// The user whose access key this is.
    KeyOwner(String),
    /// A federated user that `GetFederationToken` makes, by name.
    FederatedUser(String),
    /// The caller's organization as a whole: `*`, which belongs to its management account.
    Organization,
    /// Something in the caller's organization by its id: a root, a unit, an account, a policy.
    InOrganization {
        /// `r-…`, `ou-…`, twelve digits, `p-…`, `rp-…`.
        id: String,
        /// A policy that the request attaches to it or detaches from it.
        policy: Option<String>,
    },
    /// An invitation to an organization, which both sides may ask about.
    Handshake(String),
    /// A role to be assumed, by its ARN: its trust policy is the resource policy.
    TrustingRole(String),
    /// The role of the calling host's instance profile, to be assumed: its trust policy is the resource
    /// policy.
    RoleOfHost,
    /// The role of an instance profile by the profile's name, to be passed.
    RoleOfProfile(String),
    /// A host of the caller's account and the request's region, by its id, or `*`.
    Host(String),
    /// A host by its ARN (tagging).
    HostArn(String),
    /// A KMS key by its id, alias or ARN.
    KmsKey(String),
    /// An alias of a KMS key by its name or ARN.
    KmsAlias(String),
    /// A secret by its name or ARN.
    Secret(String),
    /// A target of the events of the caller's registry, by its name, or `*`.
    EventTarget(String),
    /// A peer of replication of the caller's registry, by the account and the region of its destination.
    ReplicationPeer {
        /// The account.
        registry_id: String,
        /// The region.
        region: String,
    },
    /// A run of the collection, of the caller's account, by its id, or `*`.
    Collection(String),
    /// A check of the integrity of metadata and layers, of the caller's account, by its id, or `*`.
    IntegrityCheck(String),
}

/// The kinds of IAM entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityKind {
    /// A user.
    User,
    /// A role.
    Role,
    /// A group.
    Group,
    /// An instance profile.
    InstanceProfile,
    /// A managed policy.
    Policy,
    /// An OIDC provider.
    OidcProvider,
    /// A SAML provider.
    SamlProvider,
    /// A virtual MFA device.
    MfaDevice,
    /// A server certificate.
    ServerCertificate,
}

impl EntityKind {
    /// The ARN's resource type.
    #[must_use]
    pub const fn arn_type(self) -> &'static str {
        match self {
            EntityKind::User => "user",
            EntityKind::Role => "role",
            EntityKind::Group => "group",
            EntityKind::InstanceProfile => "instance-profile",
            EntityKind::Policy => "policy",
            EntityKind::OidcProvider => "oidc-provider",
            EntityKind::SamlProvider => "saml-provider",
            EntityKind::MfaDevice => "mfa",
            EntityKind::ServerCertificate => "server-certificate",
        }
    }

    /// The words for the kind in denials of IAM.
    const fn words(self) -> &'static str {
        match self {
            EntityKind::InstanceProfile => "instance profile",
            EntityKind::ServerCertificate => "server certificate",
            other => other.arn_type(),
        }
    }
}

/// The action that setting tags on hosts needs.
const TAG_HOST: &str = "berth:TagResource";

/// The action that an operation without resources to tag would need. No managed policy but
/// `AdministratorAccess` grants it.
const TAG_OTHER: &str = TAG_HOST;

impl ResourceSelector {
    /// The action that setting tags on the resource needs.
    fn tag_action(&self) -> &'static str {
        match self {
            ResourceSelector::Repository { .. } | ResourceSelector::RepositoryArn(_) => {
                "ecr:TagResource"
            }
            ResourceSelector::TrustingRole(_)
            | ResourceSelector::RoleOfHost
            | ResourceSelector::FederatedUser(_) => "sts:TagSession",
            ResourceSelector::Organization
            | ResourceSelector::InOrganization { .. }
            | ResourceSelector::Handshake(_) => "organizations:TagResource",
            ResourceSelector::Policy(_) => "iam:TagPolicy",
            ResourceSelector::KmsKey(_) | ResourceSelector::KmsAlias(_) => "kms:TagResource",
            ResourceSelector::Secret(_) => "secretsmanager:TagResource",
            ResourceSelector::Entity(kind, _)
            | ResourceSelector::EntityArn(kind, _)
            | ResourceSelector::Renamed { kind, .. }
            | ResourceSelector::NewEntity { kind, .. }
            | ResourceSelector::Listing { kind, .. } => match kind {
                EntityKind::User => "iam:TagUser",
                EntityKind::Role => "iam:TagRole",
                EntityKind::InstanceProfile => "iam:TagInstanceProfile",
                EntityKind::Policy => "iam:TagPolicy",
                EntityKind::OidcProvider => "iam:TagOpenIDConnectProvider",
                EntityKind::SamlProvider => "iam:TagSAMLProvider",
                EntityKind::MfaDevice => "iam:TagMFADevice",
                EntityKind::ServerCertificate => "iam:TagServerCertificate",
                EntityKind::Group => TAG_OTHER,
            },
            ResourceSelector::Host(_) | ResourceSelector::HostArn(_) => TAG_HOST,
            ResourceSelector::Any
            | ResourceSelector::RoleOfProfile(_)
            | ResourceSelector::EventTarget(_)
            | ResourceSelector::ReplicationPeer { .. }
            | ResourceSelector::Collection(_)
            | ResourceSelector::IntegrityCheck(_)
            | ResourceSelector::Text(_)
            | ResourceSelector::Named(..)
            | ResourceSelector::Caller
            | ResourceSelector::KeyOwner(_) => TAG_OTHER,
        }
    }

    /// The resource as IAM's denials name it, where that is not its ARN. IAM names what exists by
    /// kind and name (`user alice`), a policy by kind and the input's name or ARN, and the other
    /// new entities, and a role that is passed, by ARN (recorded denials in public issues:
    /// `iam:GetRole on resource: role NAME`, `iam:CreatePolicy on resource: policy NAME`,
    /// `iam:ListPolicies on resource: policy path /`, `iam:CreateRole on resource: arn:…`).
    #[must_use]
    pub fn short_name(&self, action: &str) -> Option<String> {
        if action.eq_ignore_ascii_case("iam:PassRole") {
            return None;
        }
        match self {
            ResourceSelector::Entity(kind, name) => Some(format!("{} {name}", kind.words())),
            ResourceSelector::Policy(arn) => Some(format!("policy {arn}")),
            ResourceSelector::NewEntity {
                kind: EntityKind::Policy,
                name,
                ..
            } => Some(format!("policy {name}")),
            ResourceSelector::Listing {
                kind: EntityKind::Policy,
                path_prefix,
            } => {
                let prefix = path_prefix.as_deref().unwrap_or("/");
                Some(format!("policy path {prefix}"))
            }
            ResourceSelector::KeyOwner(id) => Some(format!("access key {id}")),
            _ => None,
        }
    }
}

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The action; `None` is the operation's own.
    pub action: Option<&'static str>,
    /// The resource.
    pub resource: ResourceSelector,
}

/// Everything that must be allowed for one request.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// All must be allowed. A denial names the first that is not.
    checks: Vec<Check>,
    /// Condition keys from the input.
    keys: Context,
    /// Whether the input passes tags.
    passes_tags: bool,
    /// The code of an MFA device that the input brings.
    second_factor: Option<SecondFactor>,
}

/// `SerialNumber` and `TokenCode` of an input. What they prove is a condition key, so they are verified
/// before the decision.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The device.
    pub serial_number: Option<String>,
    /// The code.
    pub token_code: Option<String>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("serial_number", &self.serial_number)
            .finish_non_exhaustive()
    }
}

/// The operation's own action on `resource`.
#[must_use]
pub fn require(resource: ResourceSelector) -> Requirements {
    require_each([resource])
}

/// The operation's own action on each of `resources`.
#[must_use]
pub fn require_each(resources: impl IntoIterator<Item = ResourceSelector>) -> Requirements {
    let own = |resource| Check {
        action: None,
        resource,
    };
    Requirements {
        checks: resources.into_iter().map(own).collect(),
        keys: Context::new(),
        passes_tags: false,
        second_factor: None,
    }
}

/// Another action than the operation's own.
#[must_use]
pub fn require_action(action: &'static str, resource: ResourceSelector) -> Requirements {
    Requirements {
        checks: vec![Check {
            action: Some(action),
            resource,
        }],
        keys: Context::new(),
        passes_tags: false,
        second_factor: None,
    }
}

impl Requirements {
    /// Another action that must be allowed as well.
    #[must_use]
    pub fn and(mut self, action: &'static str, resource: ResourceSelector) -> Requirements {
        self.checks.push(Check {
            action: Some(action),
            resource,
        });
        self
    }

    /// The operation's own action on another resource as well.
    #[must_use]
    pub fn and_resource(mut self, resource: ResourceSelector) -> Requirements {
        self.checks.push(Check {
            action: None,
            resource,
        });
        self
    }

    /// As [`Requirements::and`], where `wanted`.
    #[must_use]
    pub fn and_if(
        self,
        wanted: bool,
        action: &'static str,
        resource: ResourceSelector,
    ) -> Requirements {
        match wanted {
            true => self.and(action, resource),
            false => self,
        }
    }

    /// A single-valued condition key, where the input has a value for it.
    #[must_use]
    pub fn key<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Requirements {
        if let Some(value) = value.into() {
            self.keys.insert(name, ContextValue::One(value.into()));
        }
        self
    }

    /// A multivalued condition key, where the input has the list.
    #[must_use]
    pub fn list(mut self, name: &str, values: Option<&[String]>) -> Requirements {
        if let Some(values) = values {
            let values = values.iter().map(|value| value.as_str().into()).collect();
            self.keys.insert(name, ContextValue::Many(values));
        }
        self
    }

    /// Tags that the request passes: `aws:RequestTag/<key>` and `aws:TagKeys`, and the Tag action
    /// on the first resource (see [`Rule::checks`]).
    #[must_use]
    pub fn tags<'a, T: Tag + 'a>(mut self, tags: impl Into<Option<&'a Vec<T>>>) -> Requirements {
        let Some(tags) = tags.into().filter(|tags| !tags.is_empty()) else {
            return self;
        };
        // One without a key is refused by the operation.
        for tag in tags.iter().filter(|tag| !tag.key().is_empty()) {
            let name = format!("aws:RequestTag/{}", tag.key());
            self.keys
                .insert(&name, ContextValue::One(tag.value().into()));
        }
        let keys = tags.iter().map(|tag| tag.key().into()).collect();
        self.keys.insert("aws:TagKeys", ContextValue::Many(keys));
        self.passes_tags = true;
        self
    }

    /// The code of an MFA device, where the input has one.
    #[must_use]
    pub fn second_factor(
        mut self,
        serial_number: Option<&str>,
        token_code: Option<&str>,
    ) -> Requirements {
        if serial_number.is_some() || token_code.is_some() {
            self.second_factor = Some(SecondFactor {
                serial_number: serial_number.map(str::to_owned),
                token_code: token_code.map(str::to_owned),
            });
        }
        self
    }

    /// The code of an MFA device that the input brings.
    pub(crate) fn presented_factor(&self) -> Option<&SecondFactor> {
        self.second_factor.as_ref()
    }

    /// The condition keys from the input.
    #[must_use]
    pub fn keys(&self) -> &Context {
        &self.keys
    }
}

impl Rule {
    /// Every check for a request, in the order in which they are decided.
    ///
    /// Creating with tags is tagging as well: the Tag action must be allowed on the same resource
    /// (IAM User Guide, "Tagging IAM resources"; ECR User Guide, "Tagging a private repository";
    /// IAM User Guide, "Pass session tags in AWS STS"). It follows from the tags of the input, so
    /// no row can forget it.
    #[must_use]
    pub fn checks(&self, requirements: &Requirements) -> Vec<Check> {
        let mut checks = requirements.checks.clone();
        let creates_tagged = requirements.passes_tags && self.access != AccessLevel::Tagging;
        if let Some(first) = checks.first().filter(|_| creates_tagged) {
            let tag = Check {
                action: Some(first.resource.tag_action()),
                resource: first.resource.clone(),
            };
            checks.insert(1, tag);
        }
        checks
    }
}

/// A tag of any of the services.
pub trait Tag {
    /// The tag's key.
    fn key(&self) -> &str;
    /// The tag's value.
    fn value(&self) -> &str;
}

macro_rules! tags {
    ($($tag:ty),*) => {$(
        impl Tag for $tag {
            fn key(&self) -> &str {
                &self.key
            }
            fn value(&self) -> &str {
                &self.value
            }
        }
    )*};
}

impl Tag for kms::Tag {
    fn key(&self) -> &str {
        &self.tag_key
    }
    fn value(&self) -> &str {
        &self.tag_value
    }
}

impl Tag for secrets_manager::Tag {
    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }
    fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

tags!(berth::Tag, ecr::Tag, iam::Tag, organizations::Tag, sts::Tag);
