//! Sign-ins: what proves that somebody is a user or the root user.

use aws_api::Secret;
use aws_types::AccountId;
use jiff::Timestamp;
use store::console;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{account, password_policy};

use super::links::hash;
use crate::authz_lookup::NO_ENTITY;
use crate::caller::RefKind;
use crate::passwords::rules::{self, PasswordState};
use crate::session::Who;
use crate::{Caller, CallerKind, Error, Identity, PrincipalRef};

/// The name of the account's root user in answers and events.
const ROOT: &str = "root";

/// A sign-in by name and password.
#[derive(Debug)]
pub struct PasswordSignIn<'a> {
    /// The account; `None` for a name that no account has.
    pub account: Option<AccountId>,
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a Secret<String>,
    /// A code of an MFA device.
    pub mfa_code: Option<&'a str>,
}

/// Who signs in, for the answer and the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInSubject {
    /// The account.
    pub account: AccountId,
    /// `AIDA…`; the account's id for the root user.
    pub principal_id: String,
    /// The ARN.
    pub arn: String,
    /// The user's name, `root` for the root user.
    pub name: String,
    /// Whether it is the root user.
    pub is_root: bool,
}

/// What came of a sign-in.
#[derive(Debug)]
pub enum SignInOutcome {
    /// No such account or user, no password, a wrong password or code, or too many wrong ones shortly
    /// before. The subject is there where the user is; who asks must not learn which it was.
    Refused(Option<SignInSubject>),
    /// The password is right, and a code of an MFA device is missing.
    MfaRequired(SignInSubject),
    /// The password is too old, and only an administrator can set another one.
    PasswordExpired(SignInSubject),
    /// It is the user.
    Proven(Box<ProvenSignIn>),
}

/// A sign-in that was proven: what a session of the console is made from.
#[derive(Debug)]
pub struct ProvenSignIn {
    /// Who signed in.
    pub subject: SignInSubject,
    /// The serial number of the MFA device whose code came with it.
    pub mfa_device: Option<String>,
    /// Whether another password must be set before anything else.
    pub must_change_password: bool,
    pub(crate) who: Who,
    pub(crate) at: Timestamp,
    pub(crate) access_key_id: Option<String>,
    pub(crate) password_changed_at: Option<i64>,
    pub(crate) max_seconds: Option<i64>,
}

fn subject_of_user(account: AccountId, user: &Entity) -> SignInSubject {
    SignInSubject {
        account,
        principal_id: user.unique_id.clone(),
        arn: user.arn(),
        name: user.name.clone(),
        is_root: false,
    }
}

fn subject_of_root(account: AccountId) -> SignInSubject {
    SignInSubject {
        account,
        principal_id: account.to_string(),
        arn: format!("arn:aws:iam::{account}:root"),
        name: ROOT.to_owned(),
        is_root: true,
    }
}

impl Identity {
    /// The open account of this id or alias.
    ///
    /// # Errors
    /// The database's.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<AccountId>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = match name.parse::<AccountId>() {
            Ok(id) => account::find(&mut conn, id.as_str()).await?,
            Err(_) => account::find_by_alias(&mut conn, name).await?,
        };
        let open = found.filter(|account| account.closed_at.is_none());
        open.map(|account| account.id.parse().map_err(Error::internal))
            .transpose()
    }

    /// The account's alias, where it has one.
    ///
    /// # Errors
    /// The database's.
    pub async fn account_alias(&self, account: AccountId) -> Result<Option<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let found = account::find(&mut read.conn(), account.as_str()).await?;
        Ok(found.and_then(|account| account.alias))
    }

    /// Signs a user in by name and password. A name that no user has costs as much as a wrong password.
    ///
    /// # Errors
    /// The database's; [`Error::Unavailable`] when too many passwords are being checked.
    pub async fn sign_in_by_password(
        &self,
        sign_in: PasswordSignIn<'_>,
        now: Timestamp,
    ) -> Result<SignInOutcome, Error> {
        let Some(account) = sign_in.account else {
            self.hash_password(sign_in.password).await?;
            return Ok(SignInOutcome::Refused(None));
        };
        let user = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            entity::find(&mut conn, account.as_str(), Kind::User, sign_in.user).await?
        };
        let id = user.as_ref().map_or(NO_ENTITY, |user| user.id);
        let verified = self.verify_password(account, id, sign_in.password, now, true);
        let verified = verified.await?;
        let Some(user) = user else {
            return Ok(SignInOutcome::Refused(None));
        };
        let subject = subject_of_user(account, &user);
        let Some(profile) = verified else {
            return Ok(SignInOutcome::Refused(Some(subject)));
        };
        let factor = self.factor(account, Some(user.id), sign_in.mfa_code, now);
        let mfa_device = match factor.await? {
            Factor::Missing => return Ok(SignInOutcome::MfaRequired(subject)),
            Factor::Wrong => return Ok(SignInOutcome::Refused(Some(subject))),
            Factor::None => None,
            Factor::Device(serial_number) => Some(serial_number),
        };
        let policy = {
            let mut read = self.0.store.snapshot().await?;
            password_policy::find(&mut read.conn(), account.as_str()).await?
        };
        let state = rules::state(&profile, policy.as_ref(), now);
        if state == PasswordState::Expired {
            return Ok(SignInOutcome::PasswordExpired(subject));
        }
        Ok(SignInOutcome::Proven(Box::new(ProvenSignIn {
            who: Who::User(user.unique_id),
            subject,
            mfa_device,
            must_change_password: state == PasswordState::MustChange,
            at: now,
            access_key_id: None,
            password_changed_at: Some(profile.changed_at),
            max_seconds: profile.max_signin_seconds,
        })))
    }

    /// Signs in who has an access key, once a signature by it was verified: the user or the root user whose
    /// key it is. A code of an MFA device may come with it and is not demanded, as by no call with the key.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_by_key(
        &self,
        caller: &Caller,
        mfa_code: Option<&str>,
        now: Timestamp,
    ) -> Result<SignInOutcome, Error> {
        let key = caller.credential.get::<PrincipalRef>();
        let key = key.and_then(|key| match &*key.0 {
            RefKind::AccessKey { id, until: None } => Some(id.clone()),
            _ => None,
        });
        // Temporary credentials end when they end, and begin no session.
        let Some(key) = key else {
            return Ok(SignInOutcome::Refused(None));
        };
        let account = caller.account;
        let (subject, who, user_id) = match &caller.kind {
            CallerKind::Root => (subject_of_root(account), Who::Root, None),
            CallerKind::User { .. } => {
                let mut read = self.0.store.snapshot().await?;
                let user = entity::find_by_unique_id(&mut read.conn(), &caller.user_id).await?;
                let Some(user) = user else {
                    return Ok(SignInOutcome::Refused(None));
                };
                let subject = subject_of_user(account, &user);
                (subject, Who::User(user.unique_id), Some(user.id))
            }
            _ => return Ok(SignInOutcome::Refused(None)),
        };
        let mfa_device = match mfa_code {
            None => None,
            Some(code) => match self.device_of_code(account, user_id, code, now).await? {
                None => return Ok(SignInOutcome::Refused(Some(subject))),
                device => device,
            },
        };
        Ok(SignInOutcome::Proven(Box::new(ProvenSignIn {
            subject,
            mfa_device,
            must_change_password: false,
            who,
            at: now,
            access_key_id: Some(key),
            password_changed_at: None,
            max_seconds: None,
        })))
    }

    /// Signs the root user in by a one-time link. Where it has an MFA device, its code is demanded, and the
    /// link is used up once the code was right.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        mfa_code: Option<&str>,
        now: Timestamp,
    ) -> Result<SignInOutcome, Error> {
        let hash = hash(token);
        let found = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            match console::find_link(&mut conn, &hash).await? {
                Some((id, ends_at)) if now.as_millisecond() < ends_at => {
                    match account::is_closed(&mut conn, &id).await? {
                        true => None,
                        false => Some(id.parse::<AccountId>().map_err(Error::internal)?),
                    }
                }
                _ => None,
            }
        };
        let Some(account) = found else {
            return Ok(SignInOutcome::Refused(None));
        };
        let subject = subject_of_root(account);
        let mfa_device = match self.factor(account, None, mfa_code, now).await? {
            Factor::Missing => return Ok(SignInOutcome::MfaRequired(subject)),
            Factor::Wrong => return Ok(SignInOutcome::Refused(Some(subject))),
            Factor::None => None,
            Factor::Device(serial_number) => Some(serial_number),
        };
        let scope = store::Scope::Account(account.as_str());
        let mut tx = self.0.store.write(scope).await?;
        let is_first = console::use_link(&mut tx.conn(), &hash).await?;
        tx.commit().await?;
        if !is_first {
            return Ok(SignInOutcome::Refused(Some(subject)));
        }
        Ok(SignInOutcome::Proven(Box::new(ProvenSignIn {
            subject,
            mfa_device,
            must_change_password: false,
            who: Who::Root,
            at: now,
            access_key_id: None,
            password_changed_at: None,
            max_seconds: None,
        })))
    }

    /// The second factor: demanded of who has a device.
    async fn factor(
        &self,
        account: AccountId,
        user_id: Option<i64>,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<Factor, Error> {
        if !self.has_device(account, user_id).await? {
            return Ok(Factor::None);
        }
        let Some(code) = code else {
            return Ok(Factor::Missing);
        };
        let device = self.device_of_code(account, user_id, code, now).await?;
        Ok(device.map_or(Factor::Wrong, Factor::Device))
    }
}

/// What a second factor came to.
enum Factor {
    /// There is no device.
    None,
    /// There is a device, and no code came.
    Missing,
    Wrong,
    /// The serial number of the device whose code it was.
    Device(String),
}
