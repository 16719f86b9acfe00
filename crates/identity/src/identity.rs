//! The crate's handle: what it is made of and how it is opened.

use std::sync::Arc;

use aws_api::AccountId;
use jiff::Timestamp;
use store::Store;
use zeroize::Zeroizing;

use crate::facts::{EntityFacts, EntityRef, RoleFacts};
use crate::{AuthError, Caller, Entropy, Error, Key, PrincipalRef, Sealer, Settings};

/// Accounts, principals and their credentials. Cheap to clone.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
}

/// The access key of an account's root user.
#[derive(Clone, Debug)]
pub struct RootCredentials {
    /// `AKIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret: aws_api::Secret<String>,
}

impl Identity {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When a bundled policy document cannot be read, which a test excludes.
    pub fn open(
        store: Store,
        sealer: Sealer,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Result<Identity, Error> {
        Ok(Identity(Arc::new(Inner {
            store,
            sealer,
            entropy,
            settings,
        })))
    }

    /// Seals and opens tokens.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// Creates the account and its root user's access key where they are missing, and
    /// answers that key. With `credentials`, the key is that one.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_account(
        &self,
        account: AccountId,
        name: &str,
        credentials: Option<RootCredentials>,
        now: Timestamp,
    ) -> Result<RootCredentials, Error> {
        let _ = (account, name, credentials, now);
        Err(Error::internal("not built"))
    }

    /// The account of this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn account_exists(&self, account: AccountId) -> Result<bool, Error> {
        let _ = account;
        Err(Error::internal("not built"))
    }

    /// Finds a credential: the secret to check the signature with, and whose it is.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn find_key(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now: Timestamp,
    ) -> Result<Key, AuthError> {
        let _ = (access_key_id, session_token, now, Zeroizing::new(0));
        Err(AuthError::InvalidClientTokenId)
    }

    /// Looks a principal up, as it is now.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn caller(
        &self,
        principal: &PrincipalRef,
        now: Timestamp,
    ) -> Result<Arc<Caller>, AuthError> {
        let _ = (principal, now);
        Err(AuthError::InvalidClientTokenId)
    }

    /// A password for `docker login`, and when it ends.
    ///
    /// # Errors
    /// The random source's.
    pub fn issue_registry_password(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(aws_api::Secret<String>, Timestamp), Error> {
        let _ = (caller, now);
        Err(Error::internal("not built"))
    }

    /// The principal that a password was made for. Ask [`Identity::caller`] next.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn open_registry_password(
        &self,
        password: &str,
        now: Timestamp,
    ) -> Result<PrincipalRef, AuthError> {
        let _ = (password, now);
        Err(AuthError::InvalidClientTokenId)
    }

    /// Notes that a credential was used. Cheap: written later, by [`Identity::flush_last_used`].
    pub fn touch_key_last_used(
        &self,
        caller: &Caller,
        service: &'static str,
        region: &str,
        now: Timestamp,
    ) {
        let _ = (caller, service, region, now);
    }

    /// Writes what [`Identity::touch_key_last_used`] noted. A server calls this every
    /// minute and before it stops.
    ///
    /// # Errors
    /// The database's; the notes are kept.
    pub async fn flush_last_used(&self) -> Result<(), Error> {
        Ok(())
    }

    /// What the door needs to decide `sts:AssumeRole`. `None`: no such role.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_for_assume(&self, role_arn: &str) -> Result<Option<Arc<RoleFacts>>, Error> {
        let _ = role_arn;
        Ok(None)
    }

    /// What the door needs to know of an entity. `None`: no such entity.
    ///
    /// # Errors
    /// The database's.
    pub async fn entity_facts(
        &self,
        account: AccountId,
        entity: EntityRef<'_>,
    ) -> Result<Option<EntityFacts>, Error> {
        let _ = (account, entity);
        Ok(None)
    }

    /// The unique id of the user or role with this ARN.
    ///
    /// # Errors
    /// The database's.
    pub async fn principal_id(&self, arn: &str) -> Result<Option<String>, Error> {
        let _ = arn;
        Ok(None)
    }

    /// The ARN of the user or role with this unique id.
    ///
    /// # Errors
    /// The database's.
    pub async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, Error> {
        let _ = unique_id;
        Ok(None)
    }

    /// A resource policy's text with the users and roles it names pinned to their
    /// unique ids (UG reference_policies_elements_principal): store this.
    ///
    /// # Errors
    /// [`Error::Policy`] "Invalid principal in policy" when one does not exist.
    pub async fn pin_principals(&self, document: &policy::Document) -> Result<String, Error> {
        Ok(document.source().to_owned())
    }

    /// The stored text with ARNs again; an id whose owner is gone stays. Show this.
    ///
    /// # Errors
    /// The database's.
    pub async fn unpin_principals(&self, document: &policy::Document) -> Result<String, Error> {
        Ok(document.source().to_owned())
    }

    /// A message for `DecodeAuthorizationMessage`.
    ///
    /// # Errors
    /// The random source's.
    pub fn encode_authorization_message(
        &self,
        account: AccountId,
        json: &str,
        now: Timestamp,
    ) -> Result<String, Error> {
        let _ = (account, json, now);
        Err(Error::internal("not built"))
    }
}
