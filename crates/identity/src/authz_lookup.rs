//! What the authorization step needs to know of entities before it decides.

use std::sync::Arc;

use aws_types::AccountId;
use jiff::{SignedDuration, Timestamp};
use policy::{DocumentKind, PolicyRef, PolicySet};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::role::{self, Role};
use store::iam::tag;

use crate::policy_cache::{self, ManagedPolicyRef};
use crate::{Error, Identity};

/// Names an entity as a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityRef<'a> {
    /// A user by name.
    User(&'a str),
    /// A group by name.
    Group(&'a str),
    /// A role by name.
    Role(&'a str),
    /// A managed policy by ARN, the customer's or AWS's.
    Policy(&'a str),
    /// An instance profile by name.
    InstanceProfile(&'a str),
    /// An OIDC provider by its URL without the scheme.
    OidcProvider(&'a str),
    /// A SAML provider by name.
    SamlProvider(&'a str),
    /// A virtual MFA device by path and name, without the first slash.
    MfaDevice(&'a str),
    /// A server certificate by name.
    ServerCertificate(&'a str),
}

/// What policies look at in an entity that is a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityFacts {
    /// The ARN, with its real path.
    pub arn: String,
    /// `AIDA…` and its like.
    pub unique_id: String,
    /// `iam:ResourceTag/…`, `aws:ResourceTag/…`.
    pub tags: Vec<(String, String)>,
    /// `iam:PermissionsBoundary`.
    pub boundary_arn: Option<String>,
}

/// A role that is to be assumed.
#[derive(Clone, Debug)]
pub struct RoleFacts {
    /// The ARN, with its real path.
    pub arn: String,
    /// `AROA…`
    pub unique_id: String,
    /// Whose role it is.
    pub account: AccountId,
    /// The trust policy, compiled: the resource policy of the decision.
    pub trust: Arc<PolicySet>,
    /// The role's tags.
    pub tags: Vec<(String, String)>,
    /// `MaxSessionDuration`.
    pub max_session_seconds: i64,
}

/// The id of no row: ids begin at 1.
pub(crate) const NO_ENTITY: i64 = 0;

/// What messages for `DecodeAuthorizationMessage` are sealed for.
const AUTHORIZATION_MESSAGE: &str = "authorization-message";

/// How long such a message can be decoded.
const MESSAGE_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Between the account and the text in a message.
const MESSAGE_SEPARATOR: char = '\n';

impl Identity {
    /// What the authorization step needs to decide `sts:AssumeRole`. `None`: no such role.
    ///
    /// Runs the same queries for a role that does not exist, so that the time of a denial does not
    /// tell strangers which roles an account has.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_for_assume(&self, role_arn: &str) -> Result<Option<Arc<RoleFacts>>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = policy_cache::entity_by_arn(&mut conn, role_arn).await?;
        let found = found.filter(|found| found.kind == Kind::Role);
        let id = found.as_ref().map_or(NO_ENTITY, |entity| entity.id);
        let role = role::find(&mut conn, id).await?;
        let tags = tags(&mut conn, id).await?;
        let (Some(entity), Some(role)) = (found, role) else {
            return Ok(None);
        };
        self.compiled_role(entity, &role, tags).map(Some)
    }

    /// What the authorization step needs to know of a role that was found.
    pub(crate) async fn role_facts(
        &self,
        conn: &mut Conn<'_>,
        entity: Entity,
    ) -> Result<Arc<RoleFacts>, Error> {
        let role = role::get(conn, entity.id).await?;
        let tags = tags(conn, entity.id).await?;
        self.compiled_role(entity, &role, tags)
    }

    fn compiled_role(
        &self,
        entity: Entity,
        role: &Role,
        tags: Vec<(String, String)>,
    ) -> Result<Arc<RoleFacts>, Error> {
        let trust = self
            .0
            .policies
            .stored(&role.trust_policy, DocumentKind::Trust)?;
        let arn = entity.arn();
        let name = PolicyRef::new(DocumentKind::Trust, arn.as_str());
        Ok(Arc::new(RoleFacts {
            account: entity.account.parse().map_err(Error::internal)?,
            trust: self.0.policies.compiled(&[(name, trust)]),
            arn,
            tags,
            max_session_seconds: role.max_session_seconds,
            unique_id: entity.unique_id,
        }))
    }

    /// What the authorization step needs to know of an entity. `None`: no such entity.
    ///
    /// # Errors
    /// The database's.
    pub async fn entity_facts(
        &self,
        account: AccountId,
        entity: EntityRef<'_>,
    ) -> Result<Option<EntityFacts>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let (kind, name) = match entity {
            EntityRef::User(name) => (Kind::User, name),
            EntityRef::Group(name) => (Kind::Group, name),
            EntityRef::Role(name) => (Kind::Role, name),
            EntityRef::InstanceProfile(name) => (Kind::InstanceProfile, name),
            EntityRef::OidcProvider(name) => (Kind::OidcProvider, name),
            EntityRef::SamlProvider(name) => (Kind::SamlProvider, name),
            EntityRef::MfaDevice(name) => (Kind::MfaDevice, name),
            EntityRef::ServerCertificate(name) => (Kind::ServerCertificate, name),
            EntityRef::Policy(arn) => {
                let policies = &self.0.policies;
                return match policies.find_in(&mut conn, account.as_str(), arn).await? {
                    None => Ok(None),
                    Some(ManagedPolicyRef::Customer(found)) => {
                        Ok(Some(facts(&mut conn, found).await?))
                    }
                    Some(ManagedPolicyRef::Aws(policy)) => Ok(Some(EntityFacts {
                        arn: policy.arn(),
                        unique_id: policy.id.to_owned(),
                        tags: Vec::new(),
                        boundary_arn: None,
                    })),
                };
            }
        };
        match entity::find(&mut conn, account.as_str(), kind, name).await? {
            Some(found) => Ok(Some(facts(&mut conn, found).await?)),
            None => Ok(None),
        }
    }

    /// A message that `DecodeAuthorizationMessage` gives back to callers of the account.
    ///
    /// # Errors
    /// The random source's.
    pub fn encode_authorization_message(
        &self,
        account: AccountId,
        json: &str,
        now: Timestamp,
    ) -> Result<String, Error> {
        let expires_at = now
            .saturating_add(MESSAGE_LIFETIME)
            .map_err(Error::internal)?;
        let payload = format!("{account}{MESSAGE_SEPARATOR}{json}");
        self.0
            .sealer
            .seal(AUTHORIZATION_MESSAGE, payload.as_bytes(), expires_at)
    }

    /// The text of a message that was made for the account; `None` for any other.
    pub(crate) async fn open_authorization_message(
        &self,
        account: AccountId,
        message: &str,
        now: Timestamp,
    ) -> Option<String> {
        let opened = self
            .0
            .sealer
            .open(AUTHORIZATION_MESSAGE, message, now)
            .await;
        let text = String::from_utf8(opened.ok()?.to_vec()).ok()?;
        let (of, json) = text.split_once(MESSAGE_SEPARATOR)?;
        (of == account.as_str()).then(|| json.to_owned())
    }
}

async fn tags(conn: &mut Conn<'_>, entity: i64) -> Result<Vec<(String, String)>, Error> {
    let tags = tag::list(conn, entity).await?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

async fn facts(conn: &mut Conn<'_>, entity: Entity) -> Result<EntityFacts, Error> {
    Ok(EntityFacts {
        arn: entity.arn(),
        tags: tags(conn, entity.id).await?,
        unique_id: entity.unique_id,
        boundary_arn: entity.boundary_arn,
    })
}
