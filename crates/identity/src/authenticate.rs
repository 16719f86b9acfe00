//! The hot path: from a credential to a caller, without SQL when warm.
//!
//! A miss of the caches reads several statements. When the account changed meanwhile, they may not
//! belong together, and are read again.

use std::sync::Arc;

use aws_types::AccountId;
use jiff::Timestamp;
use policy::{Context, ContextValue, DocumentKind, PolicyRef, PolicySet, Principal};
use sigv4::SecretKey;
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::tag::{self, Tag};
use store::iam::{access_key, account, group, password_policy};

use crate::caches::{CallerId, Dated};
use crate::caller::RefKind;
use crate::console_end::refuse_ended;
use crate::hosts;
use crate::policy_cache::Named;
use crate::session::{Session, SessionKey, SessionTag, Who};
use crate::{AuthError, Caller, CallerKind, Error, Identity, Key, PrincipalRef, SessionInfo};

/// Maximum reloads when the account changes during a load. The last one counts, but is not
/// kept.
const READS_MAX: usize = 4;

/// What every user of an account may whose password policy lets users change their own: "permissions are
/// applied at the account-level for all users by IAM" (the model, `AllowUsersToChangePassword`).
const CHANGE_OWN_PASSWORD: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"},
    {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/${aws:username}"},
    {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/*/${aws:username}"}
]}"#;

impl Identity {
    /// The bytes that cached callers keep, their compiled policies included.
    #[must_use]
    pub fn cached_caller_bytes(&self) -> u64 {
        self.0.caches.callers.weight()
    }
}

/// What makes up a caller, read from the database.
struct KeyRecord {
    account: AccountId,
    principal: Principal,
    kind: CallerKind,
    user_id: String,
    tags: Vec<Tag>,
    identity: Vec<Named>,
    boundary: Option<Vec<Named>>,
}

impl Identity {
    /// Finds a credential: the secret to check the signature with, and whose it is. A
    /// session that is over is found too ([`Key::expires_at`]): only who signed with its
    /// secret is told so, by [`Identity::caller`]; a stolen token alone tells nothing.
    ///
    /// # Errors
    /// [`AuthError::InvalidClientTokenId`] for unknown and inactive keys, and for tokens
    /// that are not the key's.
    pub async fn find_key(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Key, AuthError> {
        if let Some(token) = session_token {
            let session = Session::open(&self.0.sealer, token).await?;
            if session.access_key_id != access_key_id {
                return Err(AuthError::InvalidClientTokenId);
            }
            return Ok(Key {
                secret: SecretKey::new(session.secret.clone()),
                expires_at: Some(session.expires_at()),
                principal: PrincipalRef(Arc::new(RefKind::Session(session))),
            });
        }
        let read_at = self.0.store.moment();
        if let Some(found) = self.0.caches.keys.get(access_key_id)
            && found.is_fresh(&self.0.store)
        {
            return Ok(found.value);
        }
        let row = {
            let mut read = self.0.store.snapshot().await?;
            access_key::find(&mut read.conn(), access_key_id).await?
        };
        let row = row
            .filter(|row| row.active)
            .ok_or(AuthError::InvalidClientTokenId)?;
        let secret = self.open_secret(&row.sealed_secret).await?;
        let key = Key {
            secret: SecretKey::new(secret.to_string()),
            principal: PrincipalRef(Arc::new(RefKind::AccessKey {
                id: row.id.clone(),
                until: None,
            })),
            expires_at: None,
        };
        let dated = Dated {
            value: key.clone(),
            account: account(&row.account)?,
            read_at,
        };
        self.0.caches.keys.insert(row.id, dated);
        Ok(key)
    }

    /// Looks a principal up as it is now: a deleted user, role or key, and one that was
    /// switched off, is an error at once.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn caller(
        &self,
        principal: &PrincipalRef,
        now: Timestamp,
    ) -> Result<Arc<Caller>, AuthError> {
        if principal.expires_at().is_some_and(|end| now >= end) {
            return Err(AuthError::ExpiredToken);
        }
        let id = match &*principal.0 {
            RefKind::AccessKey { id, .. } => CallerId::AccessKey(id.clone()),
            RefKind::Session(session) => CallerId::Session(session.id, session.expires_at()),
        };
        if let Some(found) = self.0.caches.callers.get(&id)
            && found.is_fresh(&self.0.store)
        {
            return Ok(found.value);
        }
        let is_kept = principal.depends_on_one_account();
        let mut reads = 0;
        loop {
            let read_at = self.0.store.moment();
            let caller = self.load_caller(principal).await?;
            reads += 1;
            let dated = Dated {
                value: Arc::clone(&caller),
                account: caller.account,
                read_at,
            };
            if dated.is_fresh(&self.0.store) {
                if is_kept {
                    self.0.caches.callers.insert(id, dated);
                }
                return Ok(caller);
            }
            if reads == READS_MAX {
                return Ok(caller);
            }
        }
    }

    async fn load_caller(&self, principal: &PrincipalRef) -> Result<Arc<Caller>, AuthError> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let (parts, session) = match &*principal.0 {
            RefKind::AccessKey { id, .. } => (self.key_parts(conn, id).await?, None),
            RefKind::Session(session) => (self.session_parts(conn, session).await?, Some(session)),
        };
        // Nobody of a closed account is let in (Organizations User Guide, "Closing a member account").
        if account::is_closed(conn, parts.account.as_str()).await? {
            return Err(AuthError::InvalidClientTokenId);
        }
        let session_policies = match session {
            Some(session) => self.session_policies(conn, session).await?,
            None => None,
        };
        let mut scope_downs = Vec::new();
        for text in session.iter().flat_map(|session| &session.scope_downs) {
            let document = self.0.policies.stored(text, DocumentKind::Session)?;
            let name = PolicyRef::new(DocumentKind::Session, "scope-down");
            scope_downs.push(self.0.policies.compiled(&[(name, document)]));
        }
        let arn: Arc<str> = parts.principal.arn().into();
        let user_id: Arc<str> = parts.user_id.into();
        let context = context(&parts.principal, &user_id, &parts.tags, session);
        Ok(Arc::new(Caller {
            account: parts.account,
            arn,
            user_id,
            principal: parts.principal,
            kind: parts.kind,
            access_key_id: principal.access_key_id().to_owned(),
            identity: self.0.policies.compiled(&parts.identity),
            boundary: {
                let boundary = parts.boundary.as_deref();
                boundary.map(|boundary| self.0.policies.compiled(boundary))
            },
            session: session_policies,
            scope_downs,
            context: Arc::new(context),
            session_info: session.map(session_info),
            credential: authz::Credential::new(principal.clone()),
        }))
    }

    async fn key_parts(&self, conn: &mut Conn<'_>, id: &str) -> Result<KeyRecord, AuthError> {
        let key = access_key::find(conn, id)
            .await?
            .filter(|key| key.active)
            .ok_or(AuthError::InvalidClientTokenId)?;
        match key.user_id {
            None => root_parts(&key.account),
            Some(user) => {
                let user = entity::find_by_id(conn, user).await?;
                let user = user.ok_or(AuthError::InvalidClientTokenId)?;
                self.user_parts(conn, user).await
            }
        }
    }

    async fn session_parts(
        &self,
        conn: &mut Conn<'_>,
        session: &Session,
    ) -> Result<KeyRecord, AuthError> {
        if let Some(console) = &session.console {
            refuse_ended(conn, console).await?;
        }
        match &session.who {
            Who::Root => root_session_parts(conn, session).await,
            Who::User(id) => {
                let user = find_principal(conn, id, Kind::User).await?;
                self.user_parts(conn, user).await
            }
            Who::Role(id, name) => {
                let role = find_principal(conn, id, Kind::Role).await?;
                if let Some(host) = &session.host
                    && !hosts::is_entitled(conn, host, &role).await?
                {
                    return Err(AuthError::InvalidClientTokenId);
                }
                self.role_parts(conn, role, name).await
            }
            Who::Federated(issuer, name) => {
                let mut parts = match issuer {
                    None => root_session_parts(conn, session).await?,
                    Some(id) => {
                        let user = find_principal(conn, id, Kind::User).await?;
                        self.user_parts(conn, user).await?
                    }
                };
                let account = parts.account;
                let issuer_arn = parts.principal.arn().to_owned();
                let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
                parts.principal =
                    Principal::federated_user(arn, Some(&issuer_arn), issuer.as_deref());
                parts.user_id = format!("{account}:{name}");
                parts.kind = CallerKind::FederatedUser {
                    name: name.clone(),
                    issuer_arn,
                };
                Ok(parts)
            }
        }
    }

    async fn user_parts(&self, conn: &mut Conn<'_>, user: Entity) -> Result<KeyRecord, AuthError> {
        let mut identity = Vec::new();
        self.0
            .policies
            .of_entity(conn, &user, &mut identity)
            .await?;
        for group in group::of_user(conn, user.id).await? {
            self.0
                .policies
                .of_entity(conn, &group, &mut identity)
                .await?;
        }
        let demands = password_policy::find(conn, &user.account).await?;
        if demands.is_some_and(|demands| demands.allow_users_to_change) {
            let kind = DocumentKind::InlineUser;
            let document = self.0.policies.stored(CHANGE_OWN_PASSWORD, kind)?;
            let name = PolicyRef::new(kind, "AllowUsersToChangePassword");
            identity.push((name, document));
        }
        Ok(KeyRecord {
            account: account(&user.account)?,
            principal: Principal::user(user.arn(), Some(&user.unique_id)),
            tags: tag::list(conn, user.id).await?,
            identity,
            boundary: self.boundary(conn, &user).await?,
            user_id: user.unique_id,
            kind: CallerKind::User {
                name: user.name,
                path: user.path,
            },
        })
    }

    async fn role_parts(
        &self,
        conn: &mut Conn<'_>,
        role: Entity,
        session_name: &str,
    ) -> Result<KeyRecord, AuthError> {
        let mut identity = Vec::new();
        self.0
            .policies
            .of_entity(conn, &role, &mut identity)
            .await?;
        let role_arn = role.arn();
        let arn = session_arn(&role, session_name);
        Ok(KeyRecord {
            account: account(&role.account)?,
            principal: Principal::role_session(arn, role_arn.clone(), Some(&role.unique_id)),
            tags: tag::list(conn, role.id).await?,
            identity,
            boundary: self.boundary(conn, &role).await?,
            user_id: format!("{}:{session_name}", role.unique_id),
            kind: CallerKind::RoleSession {
                role_arn,
                role_name: role.name,
                session_name: session_name.to_owned(),
            },
        })
    }

    /// The boundary's documents. A boundary whose policy is gone limits to nothing.
    async fn boundary(
        &self,
        conn: &mut Conn<'_>,
        holder: &Entity,
    ) -> Result<Option<Vec<Named>>, Error> {
        let Some(arn) = &holder.boundary_arn else {
            return Ok(None);
        };
        let kind = DocumentKind::PermissionsBoundary;
        let found = self.0.policies.managed(conn, arn, kind).await?;
        Ok(Some(found.into_iter().collect()))
    }

    /// The session policies. A managed one that is gone allows nothing; a federated user
    /// without any has an empty set, for its session grants nothing (docs/semantics.md#11).
    async fn session_policies(
        &self,
        conn: &mut Conn<'_>,
        session: &Session,
    ) -> Result<Option<Arc<PolicySet>>, Error> {
        let federated = matches!(session.who, Who::Federated(..));
        if session.policy.is_none() && session.policy_arns.is_empty() && !federated {
            return Ok(None);
        }
        let mut documents = Vec::new();
        if let Some(text) = &session.policy {
            let document = self.0.policies.stored(text, DocumentKind::Session)?;
            let name = PolicyRef::new(DocumentKind::Session, "session");
            documents.push((name, document));
        }
        for arn in &session.policy_arns {
            let kind = DocumentKind::Session;
            documents.extend(self.0.policies.managed(conn, arn, kind).await?);
        }
        Ok(Some(self.0.policies.compiled(&documents)))
    }
}

/// `arn:aws:sts::123456789012:assumed-role/name/session`: the role's path is left out.
pub(crate) fn session_arn(role: &Entity, session_name: &str) -> String {
    format!(
        "arn:aws:sts::{}:assumed-role/{}/{session_name}",
        role.account, role.name
    )
}

fn account(text: &str) -> Result<AccountId, Error> {
    text.parse().map_err(Error::internal)
}

fn root_parts(account_id: &str) -> Result<KeyRecord, AuthError> {
    Ok(KeyRecord {
        account: account(account_id)?,
        principal: Principal::root(account_id),
        kind: CallerKind::Root,
        user_id: account_id.to_owned(),
        tags: Vec::new(),
        identity: Vec::new(),
        boundary: None,
    })
}

/// As [`root_parts`], of a session that was issued after the account's recovery ended earlier ones.
async fn root_session_parts(
    conn: &mut Conn<'_>,
    session: &Session,
) -> Result<KeyRecord, AuthError> {
    let account = session.account()?;
    let from = account::root_sessions_from(conn, account.as_str()).await?;
    if from.is_some_and(|from| session.issued_at().as_millisecond() < from) {
        return Err(AuthError::InvalidClientTokenId);
    }
    root_parts(account.as_str())
}

async fn find_principal(
    conn: &mut Conn<'_>,
    unique_id: &str,
    kind: Kind,
) -> Result<Entity, AuthError> {
    let found = entity::find_by_unique_id(conn, unique_id).await?;
    found
        .filter(|found| found.kind == kind)
        .ok_or(AuthError::InvalidClientTokenId)
}

fn session_info(session: &Session) -> SessionInfo {
    let transitive = session.tags.iter().filter(|tag| tag.2);
    SessionInfo {
        issued_at: session.issued_at(),
        expires_at: session.expires_at(),
        source_identity: session.source_identity.clone(),
        transitive_tags: transitive
            .map(|tag| (tag.0.clone(), tag.1.clone()))
            .collect(),
        mfa_at: session.mfa_at(),
        is_console: session.console.is_some(),
    }
}

/// The keys that follow from principal and session (UG
/// reference_policies_condition-keys). A session tag wins over the entity's own of the
/// same key (UG id_session-tags).
fn context(
    principal: &Principal,
    user_id: &str,
    tags: &[Tag],
    session: Option<&Session>,
) -> Context {
    let mut context = principal.context().set("aws:userid", user_id);
    for tag in tags {
        context = context.set(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
    }
    let Some(session) = session else {
        return context;
    };
    for SessionTag(key, value, _) in &session.tags {
        context = context.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    for key in &session.keys {
        let (name, value) = match key {
            SessionKey::One(name, value) => (name, ContextValue::One(value.as_str().into())),
            SessionKey::Many(name, values) => {
                let values = values.iter().map(|value| value.as_str().into());
                (name, ContextValue::Many(values.collect()))
            }
        };
        context.insert(name, value);
    }
    // Present on temporary credentials alone, and not on those of federation (UG
    // reference_policies_condition-keys; docs/semantics.md#40). A role session has no MFA information:
    // the code counted in the trust policy (UG id_credentials_mfa_configure-api-require). The pages
    // differ on whether the key is then absent or false; false also meets `Deny` with `Bool`.
    let federated = session.keys.iter().any(SessionKey::is_of_a_provider);
    let mfa_present = match (&session.who, session.mfa_at()) {
        (Who::Federated(..), _) => None,
        _ if federated => None,
        (_, Some(_)) => Some("true"),
        (_, None) => Some("false"),
    };
    context
        .set_option("aws:MultiFactorAuthPresent", mfa_present)
        .set(
            "aws:TokenIssueTime",
            aws_types::time::iso8601(session.issued_at()),
        )
        .set_option("aws:SourceIdentity", session.source_identity.as_deref())
}
