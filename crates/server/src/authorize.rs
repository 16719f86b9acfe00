//! Authorization: asks the crate `authz` for a decision and gives it the facts about resources.
//!
//! The decision itself is made in `authz`. This module looks resources up in `identity` and
//! `registry`, which `authz` cannot know, and turns refusals into API errors.

use std::sync::Arc;

use authz::{
    AccountControls, EntityKind, Facts, Refused, RequestContext, Requirements, Resource,
    ResourceSelector, Rule, SecondFactor,
};
use aws_types::{AccountId, Arn, Region};
use identity::{EntityRef, RoleFacts};
use policy::PolicySet;
use registry::RepositoryFacts;
use secrets::kms::Kms;

use crate::app::App;
use crate::boxed::boxed;
use crate::error::ApiError;

/// The record of a resource that handlers get: a repository's facts.
pub(crate) type Record = Arc<RepositoryFacts>;

/// The proof with which a handler of the operation with input `I` is called.
pub(crate) type Authorized<I> = authz::Authorized<I, Record>;

/// Decides everything that `requirements` names, and makes the proof for the handler.
pub(crate) async fn authorize<I>(
    app: &App,
    context: RequestContext,
    rule: &Rule,
    requirements: &Requirements,
    input: I,
) -> Result<Authorized<I>, ApiError> {
    let decided = authz::authorize(app, context, rule, requirements, input).await;
    decided.map_err(refused)
}

/// The decision alone, for what an operation does only where it is allowed (a blob that is mounted
/// from another repository). Returns the repository of the first check.
pub(crate) async fn check(
    app: &App,
    context: &RequestContext,
    rule: &Rule,
    requirements: &Requirements,
) -> Result<Option<Record>, ApiError> {
    let resource = authz::check(app, context, rule, requirements).await;
    Ok(resource.map_err(refused)?.record)
}

/// Whether the caller could perform `action` on the operation's repository under another
/// repository policy.
pub(crate) fn is_allowed_under<I>(
    ok: &Authorized<I>,
    action: &str,
    policy: Arc<PolicySet>,
) -> bool {
    let Some(repository) = ok.record() else {
        return true;
    };
    let selector = ResourceSelector::Repository {
        registry: Some(repository.account.to_string()),
        name: repository.name.to_string(),
    };
    let resource = Resource {
        policy: Some(policy),
        ..of_repository(Arc::clone(repository))
    };
    authz::is_allowed_under(ok.context(), action, &selector, &resource)
}

fn refused(refused: Refused<ApiError>) -> ApiError {
    match refused {
        Refused::Session(refused) => ApiError::Session(refused),
        Refused::Denied(denial) => ApiError::Denied(denial),
        Refused::Lookup(error) => error,
    }
}

impl Facts for App {
    type Record = Record;
    type Error = ApiError;

    async fn resource(
        &self,
        context: &RequestContext,
        selector: &ResourceSelector,
    ) -> Result<Resource<Record>, ApiError> {
        match selector {
            // What each pull and push asks for has a small future of its own.
            ResourceSelector::Repository { registry, name } => {
                let owner = registry::registry_account(context.account, registry.as_deref())?;
                self.repository(owner, &context.region, name).await
            }
            _ => boxed(|| self.other_resource(context, selector)).await,
        }
    }

    async fn verify(
        &self,
        context: &RequestContext,
        factor: &SecondFactor,
    ) -> Result<(), ApiError> {
        let serial = factor.serial_number.as_deref();
        let code = factor.token_code.as_deref();
        Ok(self.identity.verify_mfa(context, serial, code).await?)
    }

    async fn controls(&self, account: AccountId) -> Result<Option<Arc<AccountControls>>, ApiError> {
        Ok(self.identity.account_controls(account).await?)
    }

    async fn equalize(&self, resource: &Resource<Record>) -> Result<(), ApiError> {
        if let Some(repository) = &resource.record {
            self.registry.repeat_look_up(repository).await?;
        }
        Ok(())
    }
}

impl App {
    /// A resource of any kind.
    async fn other_resource(
        &self,
        context: &RequestContext,
        selector: &ResourceSelector,
    ) -> Result<Resource<Record>, ApiError> {
        let account = context.account;
        Ok(match selector {
            ResourceSelector::Any => Resource::plain("*", Some(account)),
            ResourceSelector::Text(text) => Resource::plain(text.as_str(), Some(account)),
            ResourceSelector::Named(kind, name) => {
                let arn = format!("arn:aws:iam::{account}:{kind}/{name}");
                Resource::plain(arn, Some(account))
            }
            ResourceSelector::Caller => {
                Resource::plain(Arc::clone(&context.caller.arn), Some(account))
            }
            ResourceSelector::KeyOwner(id) => match self.identity.owner_of_key(id).await? {
                Some(arn) if is_of(&arn, account) => Resource::plain(arn, Some(account)),
                // Whoever may ask for every user's keys learns that there is none. The owner of
                // another account's key is not told either.
                _ => Resource::plain(format!("arn:aws:iam::{account}:user/*"), Some(account)),
            },
            ResourceSelector::Repository { registry, name } => {
                let owner = registry::registry_account(account, registry.as_deref())?;
                self.repository(owner, &context.region, name).await?
            }
            ResourceSelector::RepositoryArn(text) => self.tagged_repository(context, text).await?,
            ResourceSelector::Entity(kind, name) => self.entity(account, *kind, name).await?,
            ResourceSelector::Renamed {
                kind,
                name,
                new_name,
                new_path,
            } => {
                let now = self.entity(account, *kind, name).await?;
                let name = new_name.as_deref().unwrap_or(name);
                let path = match new_path {
                    Some(path) => Some(path.clone()),
                    None => path_of(&now.arn, *kind),
                };
                Resource {
                    arn: entity_arn(*kind, account, path.as_deref(), name).into(),
                    ..now
                }
            }
            ResourceSelector::NewEntity { kind, path, name } => Resource::plain(
                entity_arn(*kind, account, path.as_deref(), name),
                Some(account),
            ),
            ResourceSelector::Listing { kind, path_prefix } => Resource::plain(
                entity_arn(*kind, account, path_prefix.as_deref(), ""),
                Some(account),
            ),
            ResourceSelector::Policy(arn) => self.entity(account, EntityKind::Policy, arn).await?,
            ResourceSelector::EntityArn(kind, arn) => self.entity_arn(account, *kind, arn).await?,
            ResourceSelector::FederatedUser(name) => {
                Resource::plain(Arn::federated_user(account, name).as_str(), Some(account))
            }
            ResourceSelector::TrustingRole(arn) => {
                trusting_role(self.identity.role_for_assume(arn).await?, arn)
            }
            ResourceSelector::RoleOfHost => {
                let role = self.identity.role_of_host(&context.caller).await?;
                // No ARN to name: the host's profile has no role.
                trusting_role(role, "*")
            }
            ResourceSelector::RoleOfProfile(name) => {
                let role = self.identity.role_arn_of_profile(account, name).await?;
                // Which profiles exist is told to those who may pass every role.
                let any = || Arn::iam_role(account, "/", "*").as_str().to_owned();
                Resource::plain(role.unwrap_or_else(any), Some(account))
            }
            ResourceSelector::Host(id) => self.host(account, &context.region, id).await?,
            ResourceSelector::HostArn(arn) => {
                let prefix = host_arn(account, &context.region, "");
                match arn.strip_prefix(&prefix) {
                    Some(id) => self.host(account, &context.region, id).await?,
                    // The operation answers that there is no such host.
                    None => Resource::plain(arn.as_str(), Some(account)),
                }
            }
            ResourceSelector::KmsKey(id) => {
                let found = self.kms.facts(account, &context.region, id).await?;
                let mut keys = tag_keys(&["aws:ResourceTag/"], found.tags.iter());
                keys.extend(
                    found
                        .alias
                        .map(|alias| ("kms:RequestAlias".to_owned(), alias.into())),
                );
                Resource {
                    keys,
                    policy: found.policy,
                    ..Resource::plain(found.arn, Some(account))
                }
            }
            ResourceSelector::KmsAlias(name) => {
                let arn = Kms::alias_arn(account, &context.region, name);
                Resource::plain(arn, Some(account))
            }
            ResourceSelector::Secret(id) => {
                let found = self.secrets.facts(account, &context.region, id).await?;
                let tags = found.tags.iter();
                let mut keys = tag_keys(&["aws:ResourceTag/", "secretsmanager:ResourceTag/"], tags);
                keys.push((
                    "secretsmanager:SecretId".to_owned(),
                    found.arn.as_str().into(),
                ));
                Resource {
                    keys,
                    ..Resource::plain(found.arn, Some(account))
                }
            }
            ResourceSelector::EventTarget(name) => Resource::plain(
                registry::webhooks::target_arn(&account, &context.region, name),
                Some(account),
            ),
            ResourceSelector::ReplicationPeer {
                registry_id,
                region,
            } => Resource::plain(
                registry::peer_arn(&account, &context.region, registry_id, region),
                Some(account),
            ),
            ResourceSelector::Collection(id) => Resource::plain(
                format!("arn:aws:berth:{}:{account}:collection/{id}", context.region),
                Some(account),
            ),
            ResourceSelector::IntegrityCheck(id) => Resource::plain(
                format!(
                    "arn:aws:berth:{}:{account}:integrity-check/{id}",
                    context.region
                ),
                Some(account),
            ),
            ResourceSelector::Organization => self.in_organization(account, None, None).await?,
            ResourceSelector::InOrganization { id, policy } => {
                self.in_organization(account, Some(id), policy.as_deref())
                    .await?
            }
            ResourceSelector::Handshake(id) => {
                let arn = self.identity.handshake_arn(account, id).await?;
                // Of others it is not told that it exists.
                let arn = arn.unwrap_or_else(|| {
                    format!("arn:aws:organizations::{account}:handshake/o-*/*/{id}")
                });
                Resource::plain(arn, Some(account))
            }
        })
    }

    async fn repository(
        &self,
        owner: AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Resource<Record>, ApiError> {
        let absent = |policy| Resource {
            policy,
            ..Resource::plain(
                Arn::ecr_repository(region, owner, name).as_str(),
                Some(owner),
            )
        };
        if name == "*" {
            return Ok(absent(self.registry.registry_policy(&owner, region).await?));
        }
        let found = self.registry.look_up(&owner, region, name).await?;
        Ok(match found.repository {
            Some(facts) => Resource {
                from_memory: found.from_memory,
                ..of_repository(facts)
            },
            None => absent(found.policy),
        })
    }

    async fn tagged_repository(
        &self,
        context: &RequestContext,
        text: &str,
    ) -> Result<Resource<Record>, ApiError> {
        let parsed = text.parse::<Arn>().ok().and_then(|arn| {
            let owner: AccountId = arn.account().parse().ok()?;
            let region: Region = arn.region().parse().ok()?;
            let name = arn.resource().strip_prefix("repository/")?.to_owned();
            (arn.service() == "ecr").then_some((owner, region, name))
        });
        match parsed {
            Some((owner, region, name)) if registry::is_repository_name(&name) => {
                self.repository(owner, &region, &name).await
            }
            // The operation says what is wrong with it, to a caller that may do it on anything.
            _ => Ok(Resource::plain(text, Some(context.account))),
        }
    }

    async fn entity(
        &self,
        account: AccountId,
        kind: EntityKind,
        name: &str,
    ) -> Result<Resource<Record>, ApiError> {
        let named = match kind {
            EntityKind::User => EntityRef::User(name),
            EntityKind::Role => EntityRef::Role(name),
            EntityKind::Group => EntityRef::Group(name),
            EntityKind::InstanceProfile => EntityRef::InstanceProfile(name),
            EntityKind::Policy => EntityRef::Policy(name),
            EntityKind::OidcProvider => EntityRef::OidcProvider(name),
            EntityKind::SamlProvider => EntityRef::SamlProvider(name),
            EntityKind::MfaDevice => EntityRef::MfaDevice(name),
            EntityKind::ServerCertificate => EntityRef::ServerCertificate(name),
        };
        let arn = match kind {
            EntityKind::Policy => name.to_owned(),
            _ => entity_arn(kind, account, None, name),
        };
        // AWS's own managed policies belong to the account `aws`, and every account may read them.
        let owner = arn
            .parse::<Arn>()
            .ok()
            .and_then(|arn| arn.account().parse().ok())
            .unwrap_or(account);
        Ok(match self.identity.entity_facts(account, named).await? {
            Some(facts) => {
                let tags = facts.tags.iter().map(|(key, value)| (key, value));
                let mut keys = tag_keys(&["aws:ResourceTag/", "iam:ResourceTag/"], tags);
                if let Some(boundary) = facts.boundary_arn {
                    keys.push(("iam:PermissionsBoundary".to_owned(), boundary.into()));
                }
                Resource {
                    keys,
                    unique_id: Some(facts.unique_id.into()),
                    ..Resource::plain(facts.arn, Some(owner))
                }
            }
            None => Resource::plain(arn, Some(owner)),
        })
    }

    /// An entity by its ARN. One of another account is not looked up: nothing of it can be read.
    async fn entity_arn(
        &self,
        account: AccountId,
        kind: EntityKind,
        arn: &str,
    ) -> Result<Resource<Record>, ApiError> {
        let plain = Resource::plain(arn, Some(account));
        let Some(name) = name_in_arn(arn, kind, account) else {
            return Ok(plain);
        };
        let found = self.entity(account, kind, name).await?;
        // The path is a part of the ARN, and most names are unique whatever the path.
        Ok(if *found.arn == *arn { found } else { plain })
    }

    /// Something in the caller's organization, or the organization itself. It belongs to the management
    /// account; of members the delegation policy is asked.
    async fn in_organization(
        &self,
        account: AccountId,
        id: Option<&str>,
        policy: Option<&str>,
    ) -> Result<Resource<Record>, ApiError> {
        let facts = self.identity.organization_facts(account, id, policy);
        let Some(facts) = facts.await? else {
            // The operation says that there is no organization, to a caller that may do it on anything.
            return Ok(Resource::plain("*", Some(account)));
        };
        let is_member = facts.management_account != account;
        let tags = facts.tags.iter().map(|(key, value)| (key, value));
        let mut keys = tag_keys(&["aws:ResourceTag/"], tags);
        if let Some(policy_type) = facts.policy_type {
            keys.push(("organizations:PolicyType".to_owned(), policy_type.into()));
        }
        Ok(Resource {
            policy: match is_member {
                true => Some(self.identity.delegation_policy(account).await?),
                false => None,
            },
            keys,
            unique_id: Some(facts.organization.into()),
            ..Resource::plain(facts.arn, Some(facts.management_account))
        })
    }

    async fn host(
        &self,
        account: AccountId,
        region: &Region,
        id: &str,
    ) -> Result<Resource<Record>, ApiError> {
        let tags = self.identity.host_tags(account, region, id).await?;
        let tags = tags.unwrap_or_default();
        let tags = tags.iter().map(|(key, value)| (key, value));
        Ok(Resource {
            keys: tag_keys(&["aws:ResourceTag/"], tags),
            ..Resource::plain(host_arn(account, region, id), Some(account))
        })
    }
}

/// A role that does not exist is refused like one whose trust policy is silent, so that the
/// answer does not tell whether it exists.
fn trusting_role(role: Option<Arc<RoleFacts>>, arn: &str) -> Resource<Record> {
    match role {
        Some(role) => {
            let tags = role.tags.iter().map(|(key, value)| (key, value));
            Resource {
                account: Some(role.account),
                policy: Some(Arc::clone(&role.trust)),
                unique_id: Some(role.unique_id.as_str().into()),
                keys: tag_keys(&["aws:ResourceTag/", "iam:ResourceTag/"], tags),
                ..Resource::plain(role.arn.as_str(), None)
            }
        }
        None => Resource {
            policy: Some(Arc::new(PolicySet::default())),
            ..Resource::plain(arn, None)
        },
    }
}

fn host_arn(account: AccountId, region: &Region, id: &str) -> String {
    format!("arn:aws:berth:{region}:{account}:host/{id}")
}

fn of_repository(repository: Arc<RepositoryFacts>) -> Resource<Record> {
    Resource {
        arn: Arc::clone(&repository.arn),
        account: Some(repository.account),
        policy: repository.policy.clone(),
        keys: tag_keys(
            &["aws:ResourceTag/", "ecr:ResourceTag/"],
            repository.tags.iter(),
        ),
        unique_id: None,
        record: Some(repository),
        from_memory: false,
    }
}

/// `/team/` of `arn:aws:iam::123456789012:user/team/alice`.
fn path_of(arn: &str, kind: EntityKind) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    let path_and_name = arn.resource().strip_prefix(kind.arn_type())?;
    let end = path_and_name.rfind('/')?;
    Some(path_and_name[..=end].to_owned())
}

/// What an ARN says of an entity of `kind` in `account`: its name. An OIDC provider's may hold slashes and has
/// no path; an MFA device is found by its path as well.
fn name_in_arn(arn: &str, kind: EntityKind, account: AccountId) -> Option<&str> {
    let prefix = format!("arn:aws:iam::{account}:{}/", kind.arn_type());
    let path_and_name = arn.strip_prefix(&prefix)?;
    match kind {
        EntityKind::OidcProvider | EntityKind::MfaDevice => Some(path_and_name),
        _ => path_and_name.rsplit('/').next(),
    }
}

fn is_of(arn: &str, account: AccountId) -> bool {
    arn.parse::<Arn>()
        .is_ok_and(|arn| arn.account() == account.as_str())
}

fn entity_arn(kind: EntityKind, account: AccountId, path: Option<&str>, name: &str) -> String {
    let arn = Arn::iam(kind.arn_type(), account, path.unwrap_or("/"), name);
    arn.as_str().to_owned()
}

fn tag_keys<'a>(
    prefixes: &[&str],
    tags: impl Iterator<Item = (&'a String, &'a String)>,
) -> Vec<(String, Arc<str>)> {
    let mut keys = Vec::new();
    for (key, value) in tags {
        let value: Arc<str> = value.as_str().into();
        for prefix in prefixes {
            keys.push((format!("{prefix}{key}"), Arc::clone(&value)));
        }
    }
    keys
}
