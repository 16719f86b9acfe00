//! The keys of repositories whose layers are encrypted.

use std::fmt;
use std::sync::Arc;

use aws_api::ecr::{EncryptionConfiguration, EncryptionType};
use aws_types::{AccountId, Region};
use blobs::EncryptionKey;
use store::ecr::layer;
use uuid::Uuid;

use crate::Error;
use crate::settings::BoxFuture;

/// A key by its id, which the ARN ends in and encrypted files name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Uuid);

impl KeyId {
    /// The id in a key's ARN, `arn:aws:kms:<region>:<account>:key/<id>`; `None` for another text.
    #[must_use]
    pub fn of_arn(arn: &str) -> Option<KeyId> {
        KeyId::parse(arn.rsplit_once(":key/")?.1)
    }

    /// Reads a UUID as KMS writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<KeyId> {
        let id = Uuid::try_parse(text).ok().map(KeyId)?;
        (id.to_string() == text).then_some(id)
    }

    /// Its bytes, as files name it.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// There is no such key, or its state does not allow it. The text is for the client.
    Refused(String),
    /// The answer cannot be had. The text is for the log.
    Unavailable(String),
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Error {
        match error {
            KeyError::Refused(message) => Error::Kms(message),
            KeyError::Unavailable(why) => Error::internal(why),
        }
    }
}

/// The keys that repositories are encrypted under, as KMS knows them. The registry knows no KMS: a higher
/// layer implements this.
pub trait LayerKeys: Send + Sync {
    /// The ARN of the enabled key that a request for this registry names by id, ARN, alias or alias ARN.
    /// Without a name, that of `alias/aws/ecr`, which is made at its first use (ECR API,
    /// `EncryptionConfiguration`).
    ///
    /// # Errors
    /// [`KeyError`].
    fn resolve<'a>(
        &'a self,
        account: &'a AccountId,
        region: &'a Region,
        named: Option<&'a str>,
        now_ms: i64,
    ) -> BoxFuture<'a, Result<String, KeyError>>;

    /// The material of an enabled key, usually from memory.
    ///
    /// # Errors
    /// [`KeyError`].
    fn material(&self, key: KeyId) -> BoxFuture<'_, Result<Arc<EncryptionKey>, KeyError>>;
}

/// For a registry without KMS: there is no key.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl LayerKeys for NoKeys {
    fn resolve<'a>(
        &'a self,
        _: &'a AccountId,
        _: &'a Region,
        _: Option<&'a str>,
        _: i64,
    ) -> BoxFuture<'a, Result<String, KeyError>> {
        Box::pin(async {
            let message =
                "Encryption with AWS KMS keys is not available in this registry: use AES256";
            Err(KeyError::Refused(message.to_owned()))
        })
    }

    fn material(&self, key: KeyId) -> BoxFuture<'_, Result<Arc<EncryptionKey>, KeyError>> {
        Box::pin(async move { Err(KeyError::Refused(format!("Key '{key}' does not exist"))) })
    }
}

/// The setting of a repository as the API shows it.
pub(crate) fn shown_encryption(kms_key: Option<String>) -> EncryptionConfiguration {
    let encryption_type = match kms_key {
        Some(_) => EncryptionType::Kms,
        None => EncryptionType::Aes256,
    };
    EncryptionConfiguration {
        encryption_type,
        kms_key,
    }
}

/// A setting that contradicts itself, or asks for what there is in AWS GovCloud alone (ECR API,
/// `EncryptionConfiguration`).
pub(crate) fn check_encryption(encryption: &EncryptionConfiguration) -> Result<(), Error> {
    match encryption.encryption_type {
        EncryptionType::Aes256 if encryption.kms_key.is_some() => Err(Error::Encryption(
            "Invalid encryption configuration: Encryption key should not be set for AES256 encryption.",
        )),
        EncryptionType::KmsDsse => Err(Error::Encryption(
            "Invalid encryption configuration: KMS_DSSE is not available in this region.",
        )),
        EncryptionType::Aes256 | EncryptionType::Kms => Ok(()),
    }
}

/// What the row of a repository says of its encryption.
pub(crate) fn stored_key(kms_key: Option<&str>) -> Result<Option<KeyId>, Error> {
    let Some(arn) = kms_key else {
        return Ok(None);
    };
    let id = KeyId::of_arn(arn);
    id.map(Some)
        .ok_or_else(|| Error::internal(format!("`{arn}` is the ARN of no key")))
}

/// The word for a key in the tables of blobs and layers; empty: not encrypted.
pub(crate) fn stored_word(key: Option<KeyId>) -> String {
    key.map(|key| key.to_string()).unwrap_or_default()
}

/// What a word of the tables means.
pub(crate) fn of_word(blob: &layer::Blob) -> Result<Option<KeyId>, Error> {
    if blob.encryption.is_empty() {
        return Ok(None);
    }
    let id = KeyId::parse(&blob.encryption);
    id.map(Some).ok_or_else(|| {
        Error::internal(format!(
            "the blob at {} is encrypted by `{}`, which this version cannot read",
            blob.object_key, blob.encryption
        ))
    })
}
