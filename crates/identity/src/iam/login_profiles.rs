//! Login profiles: the passwords of users.
//!
//! The root user's has no password: in a session of `AssumeRoot` it is made without one, which on AWS lets the
//! account's owner recover the password by e-mail (IAM User Guide, "Perform a privileged task on an AWS
//! Organizations member account"; the model, `CreateLoginProfileRequest`).
//!
//! Words: `Login Profile for User … cannot be found.` is recorded from AWS in LocalStack's
//! `test_login_profile_errors`; `… already exists.`, `Only IAM Users can change their own password` and
//! `The old password was incorrect.` stand in public error reports of the CLI and Terraform.

use aws_api::CommonError;
use aws_api::iam::{
    ChangePasswordRequest, CreateLoginProfileRequest, CreateLoginProfileResponse,
    DeleteLoginProfileRequest, ErrorCode, GetLoginProfileRequest, GetLoginProfileResponse,
    LoginProfile, UpdateLoginProfileRequest,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::login_profile::{self, LoginProfile as Row};

use super::users::user_or_caller;
use super::{commit, get_existing, time};
use crate::passwords::HISTORY_MAX;
use crate::{Authorized, CallerKind, Error, Identity};

/// What a root user that names nobody is called: it has no login profile.
const ROOT: &str = "root";

fn not_found(user: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Login Profile for User {user} cannot be found."),
    )
}

fn already_exists(user: &str) -> Error {
    Error::new(
        ErrorCode::EntityAlreadyExists,
        format!("Login Profile for user {user} already exists."),
    )
}

fn shown(user: &Entity, row: &Row) -> LoginProfile {
    LoginProfile {
        user_name: user.name.clone(),
        create_date: time(row.created_at),
        password_reset_required: Some(row.reset_required),
        max_signin_session_duration: row
            .max_signin_seconds
            .and_then(|seconds| i32::try_from(seconds).ok()),
    }
}

/// Whether a request is about the root user, who has no name to give.
fn is_about_root(cx: &Authorized, name: Option<&String>) -> bool {
    name.is_none() && cx.caller.kind == CallerKind::Root
}

/// The root user's login profile.
fn shown_of_root(created_at: i64) -> LoginProfile {
    LoginProfile {
        user_name: ROOT.to_owned(),
        create_date: time(created_at),
        ..LoginProfile::default()
    }
}

/// When the root user's login profile was made.
async fn existing_of_root(conn: &mut Conn<'_>, cx: &Authorized) -> Result<i64, Error> {
    let found = login_profile::root_created_at(conn, cx.account.as_str()).await?;
    found.ok_or_else(|| not_found(ROOT))
}

/// The user and the password that an operation is about, where both are there.
async fn existing(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    name: Option<String>,
) -> Result<(Entity, Row), Error> {
    let name = user_or_caller(cx, name)?;
    let user = get_existing(conn, cx, Kind::User, &name).await?;
    let row = login_profile::find(conn, user.id).await?;
    let row = row.ok_or_else(|| not_found(&user.name))?;
    Ok((user, row))
}

impl Identity {
    /// `CreateLoginProfile`: a password for a user who has none.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`, `PasswordPolicyViolation`; `ValidationError` without a
    /// password, which only a session of `AssumeRoot` leaves out, and leaves out always.
    pub async fn create_login_profile(
        &self,
        cx: &Authorized,
        input: CreateLoginProfileRequest,
    ) -> Result<CreateLoginProfileResponse, Error> {
        let is_root_task = cx.caller.context.one("aws:AssumedRoot") == Some("true");
        if is_root_task && is_about_root(cx, input.user_name.as_ref()) {
            return self.create_login_profile_of_root(cx, input).await;
        }
        let name = user_or_caller(cx, input.user_name)?;
        let Some(password) = input.password else {
            return Err(Error::new(
                CommonError::Validation,
                "1 validation error detected: Value at 'password' failed to satisfy constraint: Member \
                 must not be null",
            ));
        };
        let user = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let user = get_existing(&mut conn, cx, Kind::User, &name).await?;
            // Before the hash is computed, and again below.
            vacant(&mut conn, &user).await?;
            user
        };
        self.check_new_password(cx.account, None, &password).await?;
        let sealed_hash = self.hash_password(&password).await?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &user.name).await?;
        vacant(&mut conn, &user).await?;
        let row = Row {
            sealed_hash,
            created_at: cx.now_ms(),
            changed_at: cx.now_ms(),
            reset_required: input.password_reset_required.unwrap_or(false),
            max_signin_seconds: input.max_signin_session_duration.map(i64::from),
            last_used_at: None,
            failures: 0,
            wait_until: 0,
        };
        login_profile::insert(&mut conn, user.id, &row).await?;
        let login_profile = shown(&user, &row);
        commit(tx).await?;
        Ok(CreateLoginProfileResponse { login_profile })
    }

    /// The root user's login profile, in a session of `AssumeRoot`.
    async fn create_login_profile_of_root(
        &self,
        cx: &Authorized,
        input: CreateLoginProfileRequest,
    ) -> Result<CreateLoginProfileResponse, Error> {
        for (is_given, name) in [
            (input.password.is_some(), "Password"),
            (
                input.max_signin_session_duration.is_some(),
                "MaxSigninSessionDuration",
            ),
        ] {
            if is_given {
                let message = format!("{name} must be omitted for the root user.");
                return Err(Error::new(CommonError::Validation, message));
            }
        }
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let account = cx.account.as_str();
        if login_profile::root_created_at(&mut conn, account)
            .await?
            .is_some()
        {
            return Err(already_exists(ROOT));
        }
        login_profile::insert_of_root(&mut conn, account, cx.now_ms()).await?;
        commit(tx).await?;
        Ok(CreateLoginProfileResponse {
            login_profile: shown_of_root(cx.now_ms()),
        })
    }

    /// `GetLoginProfile`: whether a user has a password.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_login_profile(
        &self,
        cx: &Authorized,
        input: GetLoginProfileRequest,
    ) -> Result<GetLoginProfileResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let login_profile = match is_about_root(cx, input.user_name.as_ref()) {
            true => shown_of_root(existing_of_root(&mut conn, cx).await?),
            false => {
                let (user, row) = existing(&mut conn, cx, input.user_name).await?;
                shown(&user, &row)
            }
        };
        Ok(GetLoginProfileResponse { login_profile })
    }

    /// `UpdateLoginProfile`: another password, or other options; what is not named stays.
    ///
    /// # Errors
    /// `NoSuchEntity`, `PasswordPolicyViolation`, `InvalidInput`.
    pub async fn update_login_profile(
        &self,
        cx: &Authorized,
        input: UpdateLoginProfileRequest,
    ) -> Result<(), Error> {
        let resets = input.reset_max_signin_session_duration.unwrap_or(false);
        if resets && input.max_signin_session_duration.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "MaxSigninSessionDuration and ResetMaxSigninSessionDuration cannot be used together.",
            ));
        }
        let name = Some(input.user_name);
        let sealed_hash = match &input.password {
            None => None,
            Some(password) => {
                let user = {
                    let mut read = self.0.store.snapshot().await?;
                    existing(&mut read.conn(), cx, name.clone()).await?.0
                };
                self.check_new_password(cx.account, Some(user.id), password)
                    .await?;
                Some(self.hash_password(password).await?)
            }
        };
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let (user, row) = existing(&mut conn, cx, name).await?;
        if let Some(sealed_hash) = sealed_hash {
            set_password(&mut conn, user.id, &sealed_hash, cx.now_ms()).await?;
        }
        let reset = input.password_reset_required.unwrap_or(row.reset_required);
        let seconds = match resets {
            true => None,
            false => input
                .max_signin_session_duration
                .map(i64::from)
                .or(row.max_signin_seconds),
        };
        login_profile::set_options(&mut conn, user.id, reset, seconds).await?;
        commit(tx).await
    }

    /// `DeleteLoginProfile`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_login_profile(
        &self,
        cx: &Authorized,
        input: DeleteLoginProfileRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        if is_about_root(cx, input.user_name.as_ref()) {
            existing_of_root(&mut conn, cx).await?;
            login_profile::delete_of_root(&mut conn, cx.account.as_str()).await?;
        } else {
            let (user, _) = existing(&mut conn, cx, input.user_name).await?;
            login_profile::delete(&mut conn, user.id).await?;
        }
        commit(tx).await
    }

    /// `ChangePassword`: a user's own.
    ///
    /// # Errors
    /// `InvalidUserType` for a caller that is no user; `AccessDenied` for a wrong old password;
    /// `NoSuchEntity`, `PasswordPolicyViolation`.
    pub async fn change_password(
        &self,
        cx: &Authorized,
        input: ChangePasswordRequest,
    ) -> Result<(), Error> {
        let CallerKind::User { name, .. } = &cx.caller.kind else {
            return Err(Error::new(
                ErrorCode::InvalidUserType,
                "Only IAM Users can change their own password",
            ));
        };
        let user = {
            let mut read = self.0.store.snapshot().await?;
            existing(&mut read.conn(), cx, Some(name.clone())).await?.0
        };
        let verified =
            self.verify_password(cx.account, user.id, &input.old_password, cx.now, false);
        let Some(before) = verified.await? else {
            return Err(Error::new(
                CommonError::AccessDenied,
                "The old password was incorrect.",
            ));
        };
        self.check_new_password(cx.account, Some(user.id), &input.new_password)
            .await?;
        let sealed_hash = self.hash_password(&input.new_password).await?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = entity::find_by_id(&mut conn, user.id).await?;
        let user = user.ok_or_else(|| not_found(name))?;
        let row = login_profile::find(&mut conn, user.id).await?;
        // Another password was set meanwhile: what was verified is not the one in force.
        let row = row
            .filter(|row| row.sealed_hash == before.sealed_hash)
            .ok_or_else(|| not_found(&user.name))?;
        set_password(&mut conn, user.id, &sealed_hash, cx.now_ms()).await?;
        login_profile::set_options(&mut conn, user.id, false, row.max_signin_seconds).await?;
        commit(tx).await
    }
}

async fn set_password(
    conn: &mut Conn<'_>,
    user_id: i64,
    sealed_hash: &[u8],
    now: i64,
) -> Result<(), Error> {
    login_profile::set_password(conn, user_id, sealed_hash, now).await?;
    Ok(login_profile::trim_history(conn, user_id, HISTORY_MAX).await?)
}

/// Refuses a user who has a password.
async fn vacant(conn: &mut Conn<'_>, user: &Entity) -> Result<(), Error> {
    match login_profile::find(conn, user.id).await? {
        None => Ok(()),
        Some(_) => Err(already_exists(&user.name)),
    }
}
