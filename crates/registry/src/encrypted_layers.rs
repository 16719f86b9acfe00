//! The bytes of layers under the key of their repository.

use std::borrow::Cow;

use authz::ServiceName;
use aws_api::ecr::{EncryptionConfiguration, EncryptionType};
use aws_types::{AccountId, Region};
use blobs::{Blobs, Digest, Source};

use crate::damage::Damage;
use crate::layer_keys::check_encryption;
use crate::stored_copy::StoredCopy;
use crate::{Error, KeyId, Registry, RepositoryFacts};

/// What opening a copy found.
pub(crate) enum Opened {
    Whole(Source),
    Damaged(Damage),
}

impl Registry {
    /// The bytes of a repository's layers.
    pub(crate) async fn blobs_of(&self, repo: &RepositoryFacts) -> Result<Cow<'_, Blobs>, Error> {
        self.blobs_under(repo.encryption).await
    }

    /// The bytes that are encrypted under a key, or not at all.
    pub(crate) async fn blobs_under(&self, key: Option<KeyId>) -> Result<Cow<'_, Blobs>, Error> {
        let Some(key) = key else {
            return Ok(Cow::Borrowed(&self.0.blobs));
        };
        let material = self.0.keys.material(key).await?;
        Ok(Cow::Owned(self.0.blobs.encrypted(material)))
    }

    /// The ARN of the key that a repository with this setting is encrypted under; `None`: it is not.
    pub(crate) async fn asked_key(
        &self,
        account: &AccountId,
        region: &Region,
        asked: Option<EncryptionConfiguration>,
        now_ms: i64,
    ) -> Result<Option<String>, Error> {
        let Some(asked) = asked else {
            return Ok(None);
        };
        check_encryption(&asked)?;
        match asked.encryption_type {
            EncryptionType::Aes256 => Ok(None),
            EncryptionType::Kms | EncryptionType::KmsDsse => {
                let key = asked.kms_key.as_deref();
                let arn = self.0.keys.resolve(account, region, key, now_ms).await?;
                Ok(Some(arn))
            }
        }
    }

    /// Makes a layer of one repository a layer of another one that is encrypted differently, for work of the
    /// server's own: its bytes are read and written anew. False when the source has no such layer.
    ///
    /// # Errors
    /// [`Error::Kms`], those of the store and of the blobs.
    pub async fn copy_layer(
        &self,
        service: ServiceName,
        from: &RepositoryFacts,
        to: &RepositoryFacts,
        digest: &Digest,
        now_ms: i64,
    ) -> Result<bool, Error> {
        let Some(source) = self.open_layer(service, from.id, digest, now_ms).await? else {
            return Ok(false);
        };
        let blobs = self.blobs_of(to).await?;
        let received = blobs
            .receive(digest, source.read_range(0..source.size()))
            .await?;
        self.link_received(to, received, None, now_ms).await?;
        Ok(true)
    }

    /// A copy, opened: its length and, of an encrypted one, its key and its end are right.
    pub(crate) async fn open_stored(&self, copy: &StoredCopy) -> Result<Opened, Error> {
        let blobs = self.blobs_under(copy.encryption).await?;
        Ok(match blobs.open(&copy.key).await {
            Ok(Some(source)) if source.size() == copy.size => Opened::Whole(source),
            Ok(Some(_)) => Opened::Damaged(Damage::Size),
            Ok(None) => Opened::Damaged(Damage::Lost),
            Err(error) if error.is_damage() => Opened::Damaged(Damage::Bytes),
            Err(error) => {
                if error.is_unreadable() {
                    self.suspect(&copy.key).await;
                }
                return Err(error.into());
            }
        })
    }
}
