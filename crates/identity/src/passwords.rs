//! Passwords of users: what an account demands of them, how they are kept, and whether one is right.
//!
//! A password is kept as its Argon2id hash, sealed under the key ring. A hash takes memory and time on
//! purpose, so few are computed at once, outside of any transaction, and further requests wait in a
//! queue that is bounded.

pub(crate) mod rules;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_api::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_types::AccountId;
use jiff::Timestamp;
use store::iam::entity::{self, Kind};
use store::iam::{login_profile, password_policy};
use store::{Conn, Scope};
use zeroize::Zeroizing;

use crate::mfa::wait_seconds;
use crate::passwords::rules::PasswordState;
use crate::{Error, Identity};

/// What hashes are sealed for.
const HASH: &str = "password-hash";
/// The first byte of a hash: the parameters below.
const FORM: u8 = 1;
/// OWASP's Password Storage Cheat Sheet, "Argon2id": 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// How many earlier passwords are remembered: as many as `PasswordReusePrevention` can name.
pub(crate) const HISTORY_MAX: i64 = 24;

fn derive(password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; HASH_BYTES]>, Error> {
    let internal = |error: argon2::Error| Error::internal(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).map_err(internal)?;
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut *hash)
        .map_err(internal)?;
    Ok(hash)
}

/// Whether the password is the one of a stored hash, in constant time.
fn is_password(stored: &[u8], password: &[u8]) -> Result<bool, Error> {
    let Some((&FORM, rest)) = stored.split_first() else {
        return Err(Error::internal("a stored password has an unknown form"));
    };
    let (salt, hash) = rest
        .split_at_checked(SALT_BYTES)
        .ok_or_else(|| Error::internal("a stored password is too short"))?;
    Ok(verify_slices_are_equal(&*derive(password, salt)?, hash).is_ok())
}

impl Identity {
    /// The sealed hash of a new password.
    pub(crate) async fn hash_password(&self, password: &Secret<String>) -> Result<Vec<u8>, Error> {
        let salt = aws_types::draw::<SALT_BYTES>(&*self.0.entropy)?;
        let password = Zeroizing::new(password.expose().as_bytes().to_vec());
        let stored = self.0.hashing.run(move || {
            let hash = derive(&password, &salt)?;
            let mut stored = Zeroizing::new(vec![FORM]);
            stored.extend_from_slice(&salt);
            stored.extend_from_slice(&*hash);
            Ok(stored)
        });
        self.0.sealer.seal_bytes(HASH, &stored.await?)
    }

    /// Whether the password is one of those that were sealed. All are compared.
    pub(crate) async fn is_one_of(
        &self,
        sealed: &[Vec<u8>],
        password: &Secret<String>,
    ) -> Result<bool, Error> {
        let mut stored = Vec::with_capacity(sealed.len());
        for sealed in sealed {
            let opened = self.0.sealer.open_bytes(HASH, sealed).await;
            stored.push(opened.map_err(Error::internal)?);
        }
        let password = Zeroizing::new(password.expose().as_bytes().to_vec());
        let compared = self.0.hashing.run(move || {
            let mut found = false;
            for stored in &stored {
                found |= is_password(stored, &password)?;
            }
            Ok(found)
        });
        compared.await
    }

    /// Checks a user's password, for a sign-in. `None`: no such user, no password, a wrong one, or too
    /// many wrong ones shortly before; who asks learns no more than that.
    ///
    /// # Errors
    /// The database's; [`Error::Unavailable`] when too many passwords are being checked.
    pub async fn check_password(
        &self,
        account: AccountId,
        user_name: &str,
        password: &Secret<String>,
        now: Timestamp,
    ) -> Result<Option<PasswordState>, Error> {
        let user = {
            let mut read = self.0.store.snapshot().await?;
            entity::find(&mut read.conn(), account.as_str(), Kind::User, user_name).await?
        };
        let user = user.map_or(crate::authz_lookup::NO_ENTITY, |user| user.id);
        match self
            .verify_password(account, user, password, now, true)
            .await?
        {
            None => Ok(None),
            Some(profile) => {
                let mut read = self.0.store.snapshot().await?;
                let policy = password_policy::find(&mut read.conn(), account.as_str()).await?;
                Ok(Some(rules::state(&profile, policy.as_ref(), now)))
            }
        }
    }

    /// The user's login profile where the password is right. `signs_in`: the use is noted.
    pub(crate) async fn verify_password(
        &self,
        account: AccountId,
        user_id: i64,
        password: &Secret<String>,
        now: Timestamp,
        signs_in: bool,
    ) -> Result<Option<login_profile::LoginProfile>, Error> {
        let profile = {
            let mut read = self.0.store.snapshot().await?;
            login_profile::find(&mut read.conn(), user_id).await?
        };
        let now_ms = now.as_millisecond();
        let Some(profile) = profile else {
            // As long as a password takes, so that the time does not tell which users have one.
            self.hash_password(password).await?;
            return Ok(None);
        };
        let waits = now_ms < profile.wait_until;
        let right = self
            .is_one_of(std::slice::from_ref(&profile.sealed_hash), password)
            .await?;
        if waits {
            return Ok(None);
        }
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let mut conn = tx.conn();
        // The password may have changed meanwhile.
        let same = login_profile::find(&mut conn, user_id).await?;
        let same = same.filter(|same| same.sealed_hash == profile.sealed_hash);
        let Some(same) = same.filter(|same| now_ms >= same.wait_until) else {
            return Ok(None);
        };
        match right {
            true => login_profile::accept(&mut conn, user_id, signs_in.then_some(now_ms)).await?,
            false => {
                let wait = wait_seconds(same.failures + 1) * 1000;
                login_profile::fail(&mut conn, user_id, now_ms + wait).await?;
            }
        }
        tx.commit().await?;
        Ok(right.then_some(same))
    }

    /// Refuses a new password that the account's policy does not take. `user_id`: whose earlier
    /// passwords count.
    pub(crate) async fn check_new_password(
        &self,
        account: AccountId,
        user_id: Option<i64>,
        password: &Secret<String>,
    ) -> Result<(), Error> {
        let (earlier, policy) = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            self.demands(&mut conn, account, user_id, password).await?
        };
        if !earlier.is_empty() && self.is_one_of(&earlier, password).await? {
            return Err(rules::reused(policy));
        }
        Ok(())
    }

    /// Checks the text, and returns the earlier passwords that it must not be.
    async fn demands(
        &self,
        conn: &mut Conn<'_>,
        account: AccountId,
        user_id: Option<i64>,
        password: &Secret<String>,
    ) -> Result<(Vec<Vec<u8>>, i64), Error> {
        let found = store::iam::account::find(conn, account.as_str()).await?;
        let name = found.map_or_else(String::new, |account| account.name);
        let policy = password_policy::find(conn, account.as_str()).await?;
        rules::check(password.expose(), policy.as_ref(), &name)?;
        let count = policy
            .and_then(|policy| policy.reuse_prevention)
            .unwrap_or(0);
        let mut earlier = Vec::new();
        if let Some(user) = user_id.filter(|_| count > 0) {
            let present = login_profile::find(conn, user).await?;
            earlier.extend(present.map(|profile| profile.sealed_hash));
            // The present one is the first of them.
            earlier.extend(login_profile::history(conn, user, count - 1).await?);
        }
        Ok((earlier, count))
    }
}
