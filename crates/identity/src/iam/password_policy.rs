//! The account's password policy.

use aws_api::iam::{
    ErrorCode, GetAccountPasswordPolicyResponse, PasswordPolicy, UpdateAccountPasswordPolicyRequest,
};
use store::iam::password_policy::{self, PasswordPolicy as Row};

use super::commit;
use crate::passwords::rules::POLICY_LENGTH;
use crate::{Authorized, Error, Identity};

fn shown(row: &Row) -> PasswordPolicy {
    let small = |number: i64| i32::try_from(number).ok();
    PasswordPolicy {
        minimum_password_length: small(row.minimum_length),
        require_symbols: Some(row.require_symbols),
        require_numbers: Some(row.require_numbers),
        require_uppercase_characters: Some(row.require_uppercase),
        require_lowercase_characters: Some(row.require_lowercase),
        allow_users_to_change_password: Some(row.allow_users_to_change),
        expire_passwords: Some(row.max_age_days.is_some()),
        max_password_age: row.max_age_days.and_then(small),
        password_reuse_prevention: row.reuse_prevention.and_then(small),
        hard_expiry: row.hard_expiry,
    }
}

impl Identity {
    /// `UpdateAccountPasswordPolicy`: replaces the whole policy; what the input leaves out falls to its
    /// default.
    ///
    /// # Errors
    /// The database's.
    pub async fn update_account_password_policy(
        &self,
        cx: &Authorized,
        input: UpdateAccountPasswordPolicyRequest,
    ) -> Result<(), Error> {
        let row = Row {
            minimum_length: input
                .minimum_password_length
                .map_or(POLICY_LENGTH, i64::from),
            require_symbols: input.require_symbols.unwrap_or(false),
            require_numbers: input.require_numbers.unwrap_or(false),
            require_uppercase: input.require_uppercase_characters.unwrap_or(false),
            require_lowercase: input.require_lowercase_characters.unwrap_or(false),
            allow_users_to_change: input.allow_users_to_change_password.unwrap_or(false),
            max_age_days: input.max_password_age.map(i64::from),
            reuse_prevention: input.password_reuse_prevention.map(i64::from),
            hard_expiry: input.hard_expiry,
        };
        let mut tx = self.change(cx).await?;
        password_policy::put(&mut tx.conn(), cx.account.as_str(), &row).await?;
        commit(tx).await
    }

    /// `GetAccountPasswordPolicy` (LocalStack's test_get_account_password_policy_not_found).
    ///
    /// # Errors
    /// `NoSuchEntity` for an account without a policy of its own.
    pub async fn get_account_password_policy(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<GetAccountPasswordPolicyResponse, Error> {
        let account = cx.account;
        let mut read = self.0.store.snapshot().await?;
        let row = password_policy::find(&mut read.conn(), account.as_str()).await?;
        let row = row.ok_or_else(|| {
            Error::new(
                ErrorCode::NoSuchEntity,
                format!("The Password Policy with domain name {account} cannot be found."),
            )
        })?;
        Ok(GetAccountPasswordPolicyResponse {
            password_policy: shown(&row),
        })
    }

    /// `DeleteAccountPasswordPolicy` (LocalStack's test_delete_account_password_policy_not_found).
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_account_password_policy(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let account = cx.account.as_str();
        if !password_policy::delete(&mut tx.conn(), account).await? {
            return Err(Error::new(
                ErrorCode::NoSuchEntity,
                "The account policy with name PasswordPolicy cannot be found.",
            ));
        }
        commit(tx).await
    }
}
