//! The part of AWS KMS that the registry needs: keys for repositories that are encrypted
//! (`encryptionConfiguration` with `KMS`).
//!
//! ```text
//! let made = kms.create_key(&proof, input).await?;         // aws kms create-key
//! let arn  = kms.resolve(account, region, name, now).await?; // CreateRepository, which names a key
//! let key  = kms.layer_key(id).await?;                      // a layer is pushed or pulled
//! ```
//!
//! # Invariants
//! - The material of a key leaves the process sealed alone, and no operation returns it: there is no `Encrypt`
//!   and no `Decrypt`.
//! - A key that a repository uses is not deleted. Creating the repository and scheduling the deletion wait for
//!   each other in the database.
//! - A key that is disabled or pending deletion opens nothing, from the next request on.
//! - Each key policy lets the account itself administer the key. So it adds to IAM policies and denies, and never
//!   makes a key that nobody can manage.

mod aliases;
mod error;
mod keys;
mod lists;
mod material;
mod policies;
mod rotation;

pub use error::KmsError;
pub use material::LayerKey;
pub use policies::{KeyPolicies, PolicyRefused};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_api::kms::ErrorCode;
use aws_types::{AccountId, Arn, Entropy, Region};
use policy::{DocumentKind, PolicyRef, PolicySet};
use store::kms::Key;
use store::{Conn, Store};
use uuid::Uuid;

use crate::Seal;
use material::Materials;

/// The alias of the key that the server makes for repositories without a key of their own (ECR user guide,
/// "Encryption at rest").
pub const ECR_ALIAS: &str = "alias/aws/ecr";
/// What aliases of keys that the server makes begin with.
const RESERVED: &str = "alias/aws/";
/// `KeyManager` of keys that the server made.
const MANAGED: &str = "AWS";
/// `KeyManager` of all other keys.
const CUSTOMER: &str = "CUSTOMER";
const ENABLED: &str = "Enabled";
const DISABLED: &str = "Disabled";
const PENDING_DELETION: &str = "PendingDeletion";

/// Keys, their aliases and policies. Cheap to clone.
#[derive(Clone)]
pub struct Kms(Arc<Inner>);

struct Inner {
    store: Store,
    seal: Arc<dyn Seal>,
    policies: Arc<dyn KeyPolicies>,
    entropy: Arc<dyn Entropy>,
    materials: Materials,
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kms(…)")
    }
}

/// What the authorization step learns of a key.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// The key's ARN, or what the request names where there is no such key.
    pub arn: String,
    /// The key policy.
    pub policy: Option<Arc<PolicySet>>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The alias that the request names it by.
    pub alias: Option<String>,
}

/// What a request names a key by.
enum Named<'a> {
    Id(&'a str),
    Alias(&'a str),
}

impl Kms {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Store,
        seal: Arc<dyn Seal>,
        policies: Arc<dyn KeyPolicies>,
        entropy: Arc<dyn Entropy>,
    ) -> Kms {
        Kms(Arc::new(Inner {
            store,
            seal,
            policies,
            entropy,
            materials: Materials::default(),
        }))
    }

    /// What a decision about the key `id` must know. It comes before the decision, so it takes no proof of one.
    ///
    /// # Errors
    /// The store's.
    pub async fn facts(
        &self,
        account: AccountId,
        region: &Region,
        id: &str,
    ) -> Result<KeyFacts, KmsError> {
        let plain = |arn: String| KeyFacts {
            arn,
            policy: None,
            tags: BTreeMap::new(),
            alias: None,
        };
        if id == "*" {
            return Ok(plain(key_arn(account, region, id)));
        }
        let Ok(named) = parse(account, region, id) else {
            return Ok(plain(id.to_owned()));
        };
        let alias = match named {
            Named::Alias(alias) => Some(alias.to_owned()),
            Named::Id(_) => None,
        };
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let Some(key) = find(conn, account, region, &named).await? else {
            // Which aliases there are is told to those who may use every key.
            let id = match named {
                Named::Id(id) => id,
                Named::Alias(_) => "*",
            };
            return Ok(plain(key_arn(account, region, id)));
        };
        let tags = store::kms::tags(conn, &key.id).await?;
        let arn = arn_of(&key);
        let kind = DocumentKind::Resource;
        let document = policy::Document::parse_language(&key.policy, kind);
        let document = policy::CompiledDocument::new(&document.map_err(KmsError::internal)?);
        let set = PolicySet::union([(PolicyRef::new(kind, arn.as_str()), document)]);
        Ok(KeyFacts {
            arn,
            policy: Some(Arc::new(set)),
            tags: tags.into_iter().collect(),
            alias,
        })
    }

    /// The ARN of an alias, for a decision about it.
    #[must_use]
    pub fn alias_arn(account: AccountId, region: &Region, name: &str) -> String {
        match name.starts_with("arn:") {
            true => name.to_owned(),
            false => format!("arn:aws:kms:{region}:{account}:{name}"),
        }
    }
}

/// `arn:aws:kms:<region>:<account>:key/<id>`.
fn key_arn(account: AccountId, region: &Region, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

fn arn_of(key: &Key) -> String {
    format!("arn:aws:kms:{}:{}:key/{}", key.region, key.account, key.id)
}

/// Reads an id, an alias or an ARN of one of both (KMS developer guide, "Key identifiers"). Keys of other
/// accounts and regions are not here.
fn parse<'a>(account: AccountId, region: &Region, id: &'a str) -> Result<Named<'a>, KmsError> {
    let resource = if id.starts_with("arn:") {
        let arn = id.parse::<Arn>().ok().filter(|arn| arn.service() == "kms");
        let arn = arn
            .ok_or_else(|| KmsError::refused(ErrorCode::InvalidArn, format!("Invalid arn {id}")))?;
        if arn.region() != region.as_str() {
            let message = format!("Invalid arn {}", arn.region());
            return Err(KmsError::refused(ErrorCode::NotFound, message));
        }
        if arn.account() != account.as_str() {
            return Err(KmsError::no_key(id));
        }
        let resource_at = id.len() - arn.resource().len();
        &id[resource_at..]
    } else {
        id
    };
    if resource.starts_with("alias/") {
        return Ok(Named::Alias(resource));
    }
    let key = match id.starts_with("arn:") {
        true => resource.strip_prefix("key/"),
        false => Some(resource),
    };
    match key.filter(|key| is_uuid(key)) {
        Some(key) => Ok(Named::Id(key)),
        None => Err(KmsError::refused(
            ErrorCode::NotFound,
            format!("Invalid keyId '{id}'"),
        )),
    }
}

/// Whether the text is a UUID as KMS writes it.
fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

fn new_uuid(entropy: &dyn Entropy) -> Result<String, KmsError> {
    let bytes = aws_types::draw(entropy)?;
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    Ok(id.to_string())
}

/// The 16 bytes of a UUID.
fn uuid_bytes(text: &str) -> Result<[u8; 16], KmsError> {
    let id = Uuid::try_parse(text).map_err(KmsError::internal)?;
    Ok(id.into_bytes())
}

async fn find(
    conn: &mut Conn<'_>,
    account: AccountId,
    region: &Region,
    named: &Named<'_>,
) -> Result<Option<Key>, KmsError> {
    let (account, region) = (account.as_str(), region.as_str());
    let id = match named {
        Named::Id(id) => (*id).to_owned(),
        Named::Alias(alias) => match store::kms::alias(conn, account, region, alias).await? {
            Some(alias) => alias.key_id,
            None => return Ok(None),
        },
    };
    let found = store::kms::get(conn, &id).await?;
    Ok(found.filter(|key| key.account == account && key.region == region))
}

/// The key that a request names.
async fn existing(
    conn: &mut Conn<'_>,
    account: AccountId,
    region: &Region,
    id: &str,
) -> Result<Key, KmsError> {
    let named = parse(account, region, id)?;
    let found = find(conn, account, region, &named).await?;
    found.ok_or_else(|| match named {
        Named::Id(id) => KmsError::no_key(&key_arn(account, region, id)),
        Named::Alias(alias) => KmsError::no_alias(&Kms::alias_arn(account, region, alias)),
    })
}

/// The same for operations that take no alias (KMS API reference, the `KeyId` of each).
async fn by_id(
    conn: &mut Conn<'_>,
    account: AccountId,
    region: &Region,
    id: &str,
) -> Result<Key, KmsError> {
    match parse(account, region, id)? {
        Named::Id(_) => existing(conn, account, region, id).await,
        Named::Alias(_) => Err(KmsError::refused(
            ErrorCode::NotFound,
            format!("Invalid keyId '{id}'"),
        )),
    }
}
