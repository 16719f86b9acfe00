//! Accounts and their root users' access keys: made and recovered by who can read the master key.

use authz::ServiceName;
use aws_api::Secret;
use aws_api::iam::ErrorCode;
use aws_types::AccountId;
use jiff::Timestamp;
use serde_json::json;
use store::iam::access_key::{self, AccessKey};
use store::iam::{account, mfa_device};
use store::service_events::{self, NewEvent};
use store::{Conn, Scope, Topic};
use zeroize::Zeroizing;

use crate::ids::{KeyKind, access_key_id, secret_access_key};
use crate::{Error, Identity, messages};

/// What secrets of access keys are sealed for.
pub(crate) const ACCESS_KEY_SECRET: &str = "access-key-secret";

/// How often an access key id is drawn anew when it is taken: with 39 random bits for
/// each account, a second time is already rare.
const DRAWS_MAX: usize = 8;

/// The access key of an account's root user.
#[derive(Clone, Debug)]
pub struct RootCredentials {
    /// `AKIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Secret<String>,
}

/// How an account is recovered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recovery {
    /// The root user's other access keys are deleted and its sessions end.
    pub revoke: bool,
    /// The root user's MFA devices stay as they are.
    pub keep_mfa: bool,
}

/// What a recovery did.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The new key.
    pub credentials: RootCredentials,
    /// The token of a one-time link that signs the root user in to the web console.
    pub sign_in_token: Secret<String>,
    /// The keys that were deleted.
    pub deleted_keys: Vec<String>,
    /// The serial numbers of the MFA devices that were deactivated.
    pub deactivated_mfa_devices: Vec<String>,
}

impl RootCredentials {
    /// The model's `accessKeyIdType`, and a secret that is one.
    fn check(&self) -> Result<(), Error> {
        let id = &self.access_key_id;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !(16..=128).contains(&id.len()) || !id.bytes().all(word) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "an access key id has 16 to 128 letters and digits".to_owned(),
            ));
        }
        if !(16..=128).contains(&self.secret.expose().len()) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "a secret access key has 16 to 128 characters".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Identity {
    /// Creates the account and its root user's access key where they are missing, and
    /// answers that key: the oldest active one. With `credentials`, the key is that one,
    /// made or given that secret. What was made is an audit event of `service`.
    ///
    /// # Errors
    /// `InvalidInput` for credentials that cannot be any, or whose id is another
    /// principal's; else [`Error::Internal`].
    pub async fn create_account(
        &self,
        service: ServiceName,
        account: AccountId,
        name: &str,
        credentials: Option<RootCredentials>,
        now: Timestamp,
    ) -> Result<RootCredentials, Error> {
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let mut conn = tx.conn();
        let is_new =
            account::insert(&mut conn, account.as_str(), name, now.as_millisecond()).await?;
        let mut made_key = true;
        let answer = match credentials {
            Some(given) => {
                given.check()?;
                self.set_root_key(&mut conn, account, &given, now).await?;
                given
            }
            None => {
                let keys = access_key::list_of_root(&mut conn, account.as_str()).await?;
                match keys.into_iter().find(|key| key.active) {
                    Some(key) => {
                        made_key = false;
                        let secret = self.open_secret(&key.sealed_secret).await?;
                        RootCredentials {
                            secret: Secret::new(secret.to_string()),
                            access_key_id: key.id,
                        }
                    }
                    None => {
                        let (key, secret) = self.new_key(&mut conn, account, None, now).await?;
                        RootCredentials {
                            access_key_id: key.id,
                            secret,
                        }
                    }
                }
            }
        };
        let done = match (is_new, made_key) {
            (true, _) => Some("CreateAccount"),
            (false, true) => Some("CreateAccessKey"),
            (false, false) => None,
        };
        if let Some(name) = done {
            let details =
                json!({"accountId": account.as_str(), "accessKeyId": answer.access_key_id});
            record(&mut conn, service, name, account, &details, now).await?;
        }
        tx.touch(Topic::Account(account.as_str()));
        tx.commit().await?;
        Ok(answer)
    }

    /// Gives the root user of an existing account a new access key and a one-time link for the console,
    /// and deactivates its MFA devices, for an owner who has lost them. An audit event of `service`.
    ///
    /// # Errors
    /// `NoSuchEntity` for an account that is not there, `InvalidInput` for a closed one, `LimitExceeded`
    /// where the root user has as many keys as it may have and they are not revoked.
    pub async fn recover_account(
        &self,
        service: ServiceName,
        account: AccountId,
        recovery: Recovery,
        now: Timestamp,
    ) -> Result<Recovered, Error> {
        let id = account.as_str();
        let mut tx = self.0.store.write(Scope::Account(id)).await?;
        let mut conn = tx.conn();
        let Some(found) = account::find(&mut conn, id).await? else {
            let text = format!("There is no account {id}.");
            return Err(Error::new(ErrorCode::NoSuchEntity, text));
        };
        if found.closed_at.is_some() {
            let text = format!("The account {id} is closed: its root user may do nothing.");
            return Err(Error::new(ErrorCode::InvalidInput, text));
        }
        let mut deleted_keys = Vec::new();
        let keys = access_key::list_of_root(&mut conn, id).await?;
        if recovery.revoke {
            for key in keys {
                access_key::delete(&mut conn, &key.id).await?;
                deleted_keys.push(key.id);
            }
            // Sessions that were issued in this very millisecond end as well.
            account::end_root_sessions(&mut conn, id, now.as_millisecond() + 1).await?;
        } else {
            let max = self.0.settings.access_keys_per_user_max;
            if i64::try_from(keys.len()).map_err(Error::internal)? >= max {
                return Err(messages::quota("AccessKeysPerUser", max));
            }
        }
        let mut deactivated_mfa_devices = Vec::new();
        if !recovery.keep_mfa {
            for (device, _) in mfa_device::list_of(&mut conn, id, None).await? {
                mfa_device::disable(&mut conn, device.id).await?;
                deactivated_mfa_devices.push(device.arn());
            }
        }
        let (key, secret) = self.new_key(&mut conn, account, None, now).await?;
        let sign_in_token = self.new_link(&mut conn, account, now).await?;
        let details = json!({
            "accountId": id,
            "accessKeyId": key.id,
            "deletedAccessKeyIds": deleted_keys,
            "deactivatedMfaDevices": deactivated_mfa_devices,
            "sessionsEnded": recovery.revoke,
        });
        record(&mut conn, service, "RecoverAccount", account, &details, now).await?;
        tx.touch(Topic::Account(id));
        tx.commit().await?;
        Ok(Recovered {
            credentials: RootCredentials {
                access_key_id: key.id,
                secret,
            },
            sign_in_token,
            deleted_keys,
            deactivated_mfa_devices,
        })
    }

    /// Whether there is such an account.
    ///
    /// # Errors
    /// The database's.
    pub async fn account_exists(&self, account: AccountId) -> Result<bool, Error> {
        let mut read = self.0.store.snapshot().await?;
        let found = account::find(&mut read.conn(), account.as_str()).await?;
        Ok(found.is_some())
    }

    async fn set_root_key(
        &self,
        conn: &mut Conn<'_>,
        account: AccountId,
        given: &RootCredentials,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut created_at = now.as_millisecond();
        if let Some(key) = access_key::find(conn, &given.access_key_id).await? {
            if key.account != account.as_str() || key.user_id.is_some() {
                return Err(Error::new(
                    ErrorCode::InvalidInput,
                    "this access key id belongs to another principal".to_owned(),
                ));
            }
            created_at = key.created_at;
            access_key::delete(conn, &key.id).await?;
        }
        let key = AccessKey {
            id: given.access_key_id.clone(),
            account: account.to_string(),
            user_id: None,
            active: true,
            sealed_secret: self
                .0
                .sealer
                .seal_bytes(ACCESS_KEY_SECRET, given.secret.expose().as_bytes())?,
            created_at,
            last_used: None,
        };
        Ok(access_key::insert(conn, &key).await?)
    }

    /// Makes an access key for a user, or for the root user.
    pub(crate) async fn new_key(
        &self,
        conn: &mut Conn<'_>,
        account: AccountId,
        user_id: Option<i64>,
        now: Timestamp,
    ) -> Result<(AccessKey, Secret<String>), Error> {
        let entropy = &*self.0.entropy;
        let secret = secret_access_key(entropy)?;
        let mut id = access_key_id(KeyKind::LongTerm, account, entropy)?;
        for _ in 0..DRAWS_MAX {
            if access_key::find(conn, &id).await?.is_none() {
                break;
            }
            id = access_key_id(KeyKind::LongTerm, account, entropy)?;
        }
        let key = AccessKey {
            id,
            account: account.to_string(),
            user_id,
            active: true,
            sealed_secret: self
                .0
                .sealer
                .seal_bytes(ACCESS_KEY_SECRET, secret.as_bytes())?,
            created_at: now.as_millisecond(),
            last_used: None,
        };
        access_key::insert(conn, &key).await?;
        Ok((key, Secret::new(secret.to_string())))
    }

    pub(crate) async fn open_secret(&self, sealed: &[u8]) -> Result<Zeroizing<String>, Error> {
        let bytes = self
            .0
            .sealer
            .open_bytes(ACCESS_KEY_SECRET, sealed)
            .await
            .map_err(Error::internal)?;
        let text = std::str::from_utf8(&bytes).map_err(Error::internal)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// Notes the audit event of a change that `service` made to an account, in the change's transaction.
pub(crate) async fn record(
    conn: &mut Conn<'_>,
    service: ServiceName,
    name: &str,
    account: AccountId,
    details: &serde_json::Value,
    now: Timestamp,
) -> Result<(), Error> {
    let event = NewEvent {
        occurred_at: now.as_millisecond(),
        service: service.as_str(),
        source: ServiceName::EVENT_SOURCE,
        name,
        account: Some(account.as_str()),
        resource: None,
        details: &details.to_string(),
    };
    Ok(service_events::insert(conn, &event).await?)
}
