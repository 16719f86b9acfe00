//! What KMS needs of IAM and of the key ring, and what the registry needs of KMS. None of them knows the other.

use std::sync::Arc;

use aws_types::{AccountId, Region};
use blobs::EncryptionKey;
use identity::Identity;
use policy::DocumentKind;
use registry::{KeyError, KeyId, LayerKeys};
use secrets::BoxFuture;
use secrets::kms::{KeyPolicies, Kms, KmsError, PolicyRefused};
use store::Store;
use zeroize::Zeroizing;

use crate::error::chain;
use crate::secret_seal::KeyRing;

/// What is authenticated beside the material of each key: nothing else that is sealed opens as one.
const PURPOSE: &str = "kms-key-material";

/// Key policies name principals as other resource policies do, and are pinned by the same function.
struct IamKeyPolicies(Identity);

impl KeyPolicies for IamKeyPolicies {
    fn pin<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<String, PolicyRefused>> {
        Box::pin(async move {
            let pinned = self.0.pin_document(text, DocumentKind::Resource).await;
            pinned.map_err(|error| match error {
                identity::Error::Unavailable(_) | identity::Error::Internal(_) => {
                    PolicyRefused::Unavailable(chain(&error))
                }
                other => PolicyRefused::Malformed(other.to_string()),
            })
        })
    }

    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let shown = self.0.unpin_document(stored, DocumentKind::Resource).await;
            shown.map_err(|error| chain(&error))
        })
    }
}

/// The keys of a server.
pub(crate) fn kms(store: &Store, identity: &Identity) -> Kms {
    let seal = Arc::new(KeyRing::new(identity, PURPOSE));
    let policies = Arc::new(IamKeyPolicies(identity.clone()));
    let entropy = Arc::new(aws_types::SystemEntropy);
    Kms::new(store.clone(), seal, policies, entropy)
}

/// The keys of KMS for the registry.
pub(crate) struct KmsKeys(pub(crate) Kms);

impl LayerKeys for KmsKeys {
    fn resolve<'a>(
        &'a self,
        account: &'a AccountId,
        region: &'a Region,
        named: Option<&'a str>,
        now_ms: i64,
    ) -> registry::BoxFuture<'a, Result<String, KeyError>> {
        Box::pin(async move {
            let arn = self.0.resolve(*account, region, named, now_ms).await;
            arn.map_err(refused)
        })
    }

    fn material(
        &self,
        key: KeyId,
    ) -> registry::BoxFuture<'_, Result<Arc<EncryptionKey>, KeyError>> {
        Box::pin(async move {
            let key = self.0.layer_key(&key.to_string()).await.map_err(refused)?;
            let (id, bytes) = &key.current;
            let current = EncryptionKey::new(*id, bytes);
            let with_earlier =
                |key: EncryptionKey, (id, bytes): &([u8; 16], Zeroizing<[u8; 32]>)| {
                    key.with_earlier(*id, bytes)
                };
            Ok(Arc::new(key.earlier.iter().fold(current, with_earlier)))
        })
    }
}

fn refused(error: KmsError) -> KeyError {
    match error {
        KmsError::Refused(..) | KmsError::Validation(_) => KeyError::Refused(error.to_string()),
        KmsError::Unavailable(_) | KmsError::Internal(_) => KeyError::Unavailable(chain(&error)),
    }
}
