//! Sessions: begun by a sign-in, ended by a sign-out, by time, or with what they were begun by.

use std::sync::Arc;

use aws_api::Secret;
use aws_types::{AccountId, draw, hex};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::console::{self, Session as Row};
use store::iam::entity::{self, Kind};
use store::iam::{login_profile, role};
use store::{Scope, Topic};

use super::links::{hash, new_secret};
use super::sign_in::ProvenSignIn;
use crate::caller::RefKind;
use crate::ids::{KeyKind, access_key_id, secret_access_key};
use crate::policy_cache::entity_by_arn;
use crate::session::{ConsoleRef, Session, Who};
use crate::sts::{CHAINED_SECONDS_MAX, SESSION_SECONDS_MIN, whole_second};
use crate::{AuthError, Caller, Error, Identity, PrincipalRef};

/// How long a session lasts at most, where the user's login profile names no other time: AWS's console
/// signs users out after 12 hours (AWS Sign-In User Guide, "Sign in to the AWS Management Console").
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// After this time without new credentials a session is over.
const IDLE_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long a session lasts whose user must set another password first.
const PASSWORD_CHANGE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long credentials of a session last.
const CREDENTIALS_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Sessions of a principal; the oldest goes.
const SESSIONS_PER_PRINCIPAL_MAX: i64 = 20;
/// The use of a session is written down at most once in this time.
const USE_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// What contents are sealed for.
const CONTENTS: &str = "console-session";

/// What credentials are made from. Only sealed in the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Contents {
    /// Who signed in.
    #[serde(rename = "b")]
    base: Session,
    /// The role that was switched to.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    switched: Option<Switched>,
    /// The user must set another password before anything else.
    #[serde(rename = "c", default)]
    must_change_password: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Switched {
    #[serde(rename = "r")]
    role: Session,
    #[serde(rename = "d")]
    badge: RoleBadge,
}

/// How the page shows the role that was switched to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleBadge {
    /// The name.
    #[serde(rename = "n")]
    pub display_name: String,
    /// The color, six hexadecimal digits.
    #[serde(rename = "c")]
    pub color: String,
}

/// A session that lasts, opened.
#[derive(Clone, Debug)]
pub struct ConsoleSession {
    row: Row,
    contents: Contents,
}

impl ConsoleSession {
    /// Whether another password must be set before anything else.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.contents.must_change_password
    }

    /// When the session ends at the latest.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.row.ends_at).unwrap_or(Timestamp::MIN)
    }
}

/// Credentials of a session, and who they are of.
#[derive(Debug)]
pub struct ConsoleCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret<String>,
    /// The session token.
    pub session_token: Secret<String>,
    /// When the credentials end.
    pub expires_at: Timestamp,
    /// Whose credentials they are.
    pub caller: Arc<Caller>,
    /// Whether a code of an MFA device was verified at the sign-in.
    pub has_mfa: bool,
    /// When the session ends at the latest.
    pub session_ends: Timestamp,
    /// Where they are a role's that was switched to: how it is shown, and the ARN of who switched.
    pub switched: Option<(RoleBadge, Arc<str>)>,
}

/// What a session gives now.
#[derive(Debug)]
pub enum ConsoleAnswer {
    /// It is over: the user is gone, the password was changed, the key deactivated.
    Over,
    /// The role that was switched to is gone, or its session has ended. Who switched is still signed in.
    RoleOver,
    /// Credentials.
    Credentials(Box<ConsoleCredentials>),
}

/// A session that is to be begun.
struct Begun {
    account: AccountId,
    principal: String,
    base: Session,
    access_key_id: Option<String>,
    password_changed_at: Option<i64>,
    must_change_password: bool,
    ends_at: Timestamp,
    /// The unique id of the identity provider that signed in.
    provider: Option<String>,
}

impl Identity {
    /// Begins a session of who signed in. Returns the secret for the cookie.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn begin_console_session(
        &self,
        proven: &ProvenSignIn,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let seconds = proven.max_seconds.map(SignedDuration::from_secs);
        let lifetime = match proven.must_change_password {
            true => PASSWORD_CHANGE_LIFETIME,
            false => seconds.unwrap_or(SESSION_LIFETIME),
        };
        let ends_at = after(now, lifetime)?;
        let account = proven.subject.account;
        let mut base = Session::new(
            0,
            String::new(),
            "",
            account,
            proven.who.clone(),
            whole_second(proven.at)?,
            ends_at,
        );
        if proven.mfa_device.is_some() {
            base.set_mfa_at(proven.at);
        }
        let begun = Begun {
            account,
            principal: proven.subject.principal_id.clone(),
            base,
            access_key_id: proven.access_key_id.clone(),
            password_changed_at: proven.password_changed_at,
            must_change_password: proven.must_change_password,
            ends_at,
            provider: None,
        };
        self.insert_session(begun, None, now).await
    }

    /// Begins a session of a role, whose session token the user of a provider was given. `provider` is the
    /// provider's unique id: the session ends with it.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn begin_federated_console_session(
        &self,
        session_token: &Secret<String>,
        provider: String,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let base = self.role_session(session_token).await?;
        let Who::Role(unique_id, _) = &base.who else {
            return Err(Error::internal("a provider's user got no role"));
        };
        let begun = Begun {
            account: base.account()?,
            principal: unique_id.clone(),
            ends_at: base.expires_at().min(after(now, SESSION_LIFETIME)?),
            base,
            access_key_id: None,
            password_changed_at: None,
            must_change_password: false,
            provider: Some(provider),
        };
        self.insert_session(begun, None, now).await
    }

    /// The session of a token that this server has just made.
    async fn role_session(&self, token: &Secret<String>) -> Result<Session, Error> {
        let opened = Session::open(&self.0.sealer, token.expose()).await;
        let opened = opened.map_err(|_| Error::internal("a new session token does not open"))?;
        Ok(opened.without_secret())
    }

    /// Adds a session, in place of the one with the id `replaced`.
    async fn insert_session(
        &self,
        begun: Begun,
        replaced: Option<&str>,
        now: Timestamp,
    ) -> Result<Secret<String>, Error> {
        let id = hex::encode(draw::<16>(&*self.0.entropy)?);
        let (secret, secret_hash) = new_secret(self)?;
        let (now, account) = (now.as_millisecond(), begun.account);
        let ends_at = begun.ends_at.as_millisecond();
        let mut base = begun.base;
        base.console = Some(ConsoleRef::new(id.clone(), account, ends_at));
        let contents = Contents {
            base,
            switched: None,
            must_change_password: begun.must_change_password,
        };
        let row = Row {
            id,
            secret_hash,
            account: account.to_string(),
            principal: begun.principal,
            sealed: self.sealed(&contents)?,
            access_key_id: begun.access_key_id,
            password_changed_at: begun.password_changed_at,
            created_at: now,
            used_at: now,
            ends_at,
            provider: begun.provider,
        };
        let account = account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let mut conn = tx.conn();
        if let Some(replaced) = replaced {
            console::delete(&mut conn, replaced).await?;
        }
        let idle = i64::try_from(IDLE_LIFETIME.as_millis()).unwrap_or(i64::MAX);
        console::delete_over(&mut conn, account, now, now.saturating_sub(idle)).await?;
        console::insert(&mut conn, &row).await?;
        console::trim(
            &mut conn,
            account,
            &row.principal,
            SESSIONS_PER_PRINCIPAL_MAX,
        )
        .await?;
        // Credentials of the sessions that went are over.
        tx.touch(Topic::Account(account));
        tx.commit().await?;
        Ok(secret)
    }

    fn sealed(&self, contents: &Contents) -> Result<Vec<u8>, Error> {
        let bytes = serde_json::to_vec(contents).map(zeroize::Zeroizing::new);
        let bytes = bytes.map_err(Error::internal)?;
        self.0.sealer.seal_bytes(CONTENTS, &bytes)
    }

    /// The session of a cookie, where it lasts. What it may do is looked up when it is asked for
    /// credentials.
    ///
    /// # Errors
    /// The database's.
    pub async fn console_session(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<ConsoleSession>, Error> {
        let row = {
            let mut read = self.0.store.snapshot().await?;
            console::find_by_secret(&mut read.conn(), &hash(secret)).await?
        };
        let Some(row) = row.filter(|row| lasts(row, now)) else {
            return Ok(None);
        };
        let bytes = self.0.sealer.open_bytes(CONTENTS, &row.sealed).await;
        let bytes = bytes.map_err(Error::internal)?;
        let contents = serde_json::from_slice(&bytes).map_err(Error::internal)?;
        Ok(Some(ConsoleSession { row, contents }))
    }

    /// Who signed in, as they are now; `None` where the session is over.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn console_caller(
        &self,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<Option<Arc<Caller>>, Error> {
        let made = self.with_new_credentials(&session.contents.base, session, now)?;
        self.caller_of(made, now).await
    }

    /// The role that was switched to, as it is now; `None` where none was, and where it is gone or its
    /// session has ended.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn console_role(
        &self,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<Option<Arc<Caller>>, Error> {
        let Some(switched) = &session.contents.switched else {
            return Ok(None);
        };
        let made = self.with_new_credentials(&switched.role, session, now)?;
        self.caller_of(made, now).await
    }

    /// How long a session of a role that is switched to may last, in seconds: as long as the role allows and
    /// the session of who switches lasts (IAM User Guide, "Switch from a user to an IAM role (console)").
    /// A role that does not exist has some answer too; whether the caller may assume it is asked later.
    ///
    /// # Errors
    /// The database's.
    pub async fn longest_role_session(
        &self,
        session: &ConsoleSession,
        role_arn: &str,
        now: Timestamp,
    ) -> Result<i32, Error> {
        let max = match &session.contents.base.who {
            Who::Role(..) => CHAINED_SECONDS_MAX,
            _ => {
                let mut read = self.0.store.snapshot().await?;
                let mut conn = read.conn();
                let found = entity_by_arn(&mut conn, role_arn).await?;
                match found.filter(|found| found.kind == Kind::Role) {
                    Some(found) => role::get(&mut conn, found.id).await?.max_session_seconds,
                    None => CHAINED_SECONDS_MAX,
                }
            }
        };
        let left = session.ends_at().as_second() - now.as_second();
        let seconds = max.min(left).max(SESSION_SECONDS_MIN);
        i32::try_from(seconds).map_err(Error::internal)
    }

    /// Credentials of the session: of who signed in, or of the role that was switched to.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn console_credentials(
        &self,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<ConsoleAnswer, Error> {
        let Some(base) = self.console_caller(session, now).await? else {
            return Ok(ConsoleAnswer::Over);
        };
        let contents = &session.contents;
        let (template, switched) = match &contents.switched {
            None => (&contents.base, None),
            Some(switched) => (&switched.role, Some(switched)),
        };
        if now >= template.expires_at() {
            return Ok(ConsoleAnswer::RoleOver);
        }
        let made = self.with_new_credentials(template, session, now)?;
        let secret_access_key = Secret::new(made.secret.clone());
        let session_token = Secret::new(made.seal(&self.0.sealer)?);
        let (access_key_id, expires_at) = (made.access_key_id.clone(), made.expires_at());
        let Some(caller) = self.caller_of(made, now).await? else {
            return Ok(ConsoleAnswer::RoleOver);
        };
        self.note_use(session, now).await?;
        Ok(ConsoleAnswer::Credentials(Box::new(ConsoleCredentials {
            access_key_id,
            secret_access_key,
            session_token,
            expires_at,
            caller,
            has_mfa: contents.base.mfa_at().is_some(),
            session_ends: session.ends_at(),
            switched: switched.map(|switched| (switched.badge.clone(), Arc::clone(&base.arn))),
        })))
    }

    fn with_new_credentials(
        &self,
        template: &Session,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<Session, Error> {
        let entropy = &*self.0.entropy;
        let made = template.with_credentials(
            u128::from_be_bytes(draw(entropy)?),
            access_key_id(KeyKind::Temporary, template.account()?, entropy)?,
            &secret_access_key(entropy)?,
        );
        let ends = after(now, CREDENTIALS_LIFETIME)?
            .min(template.expires_at())
            .min(session.ends_at());
        Ok(made.lasting_until(ends))
    }

    async fn caller_of(
        &self,
        session: Session,
        now: Timestamp,
    ) -> Result<Option<Arc<Caller>>, Error> {
        let principal = PrincipalRef(Arc::new(RefKind::Session(session)));
        match self.caller(&principal, now).await {
            Ok(caller) => Ok(Some(caller)),
            Err(AuthError::Internal(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    async fn note_use(&self, session: &ConsoleSession, now: Timestamp) -> Result<(), Error> {
        let row = &session.row;
        let interval = i64::try_from(USE_INTERVAL.as_millis()).unwrap_or(i64::MAX);
        if now.as_millisecond() < row.used_at.saturating_add(interval) {
            return Ok(());
        }
        let mut tx = self.0.store.write(Scope::Account(&row.account)).await?;
        console::set_used(&mut tx.conn(), &row.id, now.as_millisecond()).await?;
        Ok(tx.commit().await?)
    }

    /// Switches the session to a role whose session token its principal was given. Returns the new secret
    /// for the cookie; `None` where the session was switched or ended meanwhile.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn switch_console_role(
        &self,
        session: &ConsoleSession,
        role_token: &Secret<String>,
        badge: RoleBadge,
        now: Timestamp,
    ) -> Result<Option<Secret<String>>, Error> {
        let mut role = self.role_session(role_token).await?;
        role.console.clone_from(&session.contents.base.console);
        let mut contents = session.contents.clone();
        contents.switched = Some(Switched { role, badge });
        self.replace_contents(session, &contents, now).await
    }

    /// Switches back to who signed in. Returns the new secret for the cookie; `None` where the session was
    /// switched or ended meanwhile.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn leave_console_role(
        &self,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<Option<Secret<String>>, Error> {
        let mut contents = session.contents.clone();
        contents.switched = None;
        self.replace_contents(session, &contents, now).await
    }

    async fn replace_contents(
        &self,
        session: &ConsoleSession,
        contents: &Contents,
        now: Timestamp,
    ) -> Result<Option<Secret<String>>, Error> {
        let (secret, new_hash) = new_secret(self)?;
        let sealed = self.sealed(contents)?;
        let row = &session.row;
        let mut tx = self.0.store.write(Scope::Account(&row.account)).await?;
        let (old, at) = (&row.secret_hash, now.as_millisecond());
        let mut conn = tx.conn();
        let replaced = console::replace(&mut conn, &row.id, old, &new_hash, &sealed, at).await?;
        tx.commit().await?;
        Ok(replaced.then_some(secret))
    }

    /// Begins the session anew after its user has set another password. Returns the secret for the cookie.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn renew_after_password_change(
        &self,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Result<Option<Secret<String>>, Error> {
        let row = &session.row;
        let profile = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let user = entity::find_by_unique_id(&mut conn, &row.principal).await?;
            match user.filter(|user| user.kind == Kind::User) {
                Some(user) => login_profile::find(&mut conn, user.id).await?,
                None => None,
            }
        };
        let Some(profile) = profile else {
            return Ok(None);
        };
        let seconds = profile.max_signin_seconds.map(SignedDuration::from_secs);
        let ends_at = after(now, seconds.unwrap_or(SESSION_LIFETIME))?;
        let base = session.contents.base.clone().lasting_until(ends_at);
        let begun = Begun {
            account: base.account()?,
            principal: row.principal.clone(),
            base,
            access_key_id: None,
            password_changed_at: Some(profile.changed_at),
            must_change_password: false,
            ends_at,
            provider: None,
        };
        let secret = self.insert_session(begun, Some(&row.id), now).await?;
        Ok(Some(secret))
    }

    /// Ends the session of a cookie, and with it all credentials that it gave.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_console_session(&self, secret: &str) -> Result<(), Error> {
        let row = {
            let mut read = self.0.store.snapshot().await?;
            console::find_by_secret(&mut read.conn(), &hash(secret)).await?
        };
        let Some(row) = row else {
            return Ok(());
        };
        let mut tx = self.0.store.write(Scope::Account(&row.account)).await?;
        console::delete(&mut tx.conn(), &row.id).await?;
        tx.touch(Topic::Account(&row.account));
        Ok(tx.commit().await?)
    }
}

fn lasts(row: &Row, now: Timestamp) -> bool {
    let now = now.as_millisecond();
    let idle = i64::try_from(IDLE_LIFETIME.as_millis()).unwrap_or(i64::MAX);
    now < row.ends_at && now < row.used_at.saturating_add(idle)
}

fn after(now: Timestamp, lifetime: SignedDuration) -> Result<Timestamp, Error> {
    now.saturating_add(lifetime).map_err(Error::internal)
}
