//! The material of keys: sealed in the database, in memory while it is used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use store::kms::{Key, Material};
use store::{Moment, Topic, Write};
use zeroize::Zeroizing;

use super::{ENABLED, Kms, KmsError, arn_of, new_uuid, uuid_bytes};

const KEY_BYTES: usize = 32;
/// Keys whose material is kept in memory. Each has a few hundred bytes.
const CACHED_MAX: usize = 1_000;

/// The material of a key, as the store of layers takes it.
pub struct LayerKey {
    /// Id and key that seal.
    pub current: ([u8; 16], Zeroizing<[u8; KEY_BYTES]>),
    /// Those from before rotations, which open.
    pub earlier: Vec<([u8; 16], Zeroizing<[u8; KEY_BYTES]>)>,
}

impl fmt::Debug for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerKey(…)")
    }
}

/// Keys by their ids, each with the moment before it was read.
#[derive(Default)]
pub(super) struct Materials(Mutex<HashMap<String, (Moment, Arc<LayerKey>)>>);

impl Materials {
    fn get(&self, id: &str, is_fresh: impl Fn(Moment) -> bool) -> Option<Arc<LayerKey>> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, key) = cached.get(id)?;
        is_fresh(*read_at).then(|| Arc::clone(key))
    }

    fn put(&self, id: &str, read_at: Moment, key: &Arc<LayerKey>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= CACHED_MAX {
            cached.clear();
        }
        cached.insert(id.to_owned(), (read_at, Arc::clone(key)));
    }
}

impl Kms {
    /// The material of an enabled key, usually from memory: for layers that are pushed and pulled. Who may do
    /// that is decided by the repository's policies (KMS developer guide, "Grants": Amazon ECR has one).
    ///
    /// # Errors
    /// `NotFoundException`, `DisabledException`, `KMSInvalidStateException`.
    pub async fn layer_key(&self, id: &str) -> Result<Arc<LayerKey>, KmsError> {
        let store = &self.0.store;
        let is_fresh = |read_at| !store.changed_since(Topic::EncryptionKeys, read_at);
        if let Some(key) = self.0.materials.get(id, is_fresh) {
            return Ok(key);
        }
        let read_at = store.moment();
        let rows = {
            let mut read = store.read().await?;
            let conn = &mut read.conn();
            let Some(key) = store::kms::get(conn, id).await? else {
                return Err(KmsError::no_key(id));
            };
            if key.state != ENABLED {
                return Err(KmsError::state(&arn_of(&key), &key.state));
            }
            store::kms::materials(conn, id).await?
        };
        let mut opened = Vec::with_capacity(rows.len());
        for row in &rows {
            opened.push((uuid_bytes(&row.id)?, self.open(id, row).await?));
        }
        let mut opened = opened.into_iter();
        let current = opened.next();
        let key = Arc::new(LayerKey {
            current: current.ok_or_else(|| KmsError::internal(format!("{id} has no material")))?,
            earlier: opened.collect(),
        });
        self.0.materials.put(id, read_at, &key);
        Ok(key)
    }

    /// Adds a fresh material to a key, which seals from now on.
    pub(super) async fn add_material(
        &self,
        tx: &mut Write,
        key: &Key,
        number: i64,
        now: i64,
    ) -> Result<(), KmsError> {
        let material = Zeroizing::new(aws_types::draw::<KEY_BYTES>(&*self.0.entropy)?);
        let id = new_uuid(&*self.0.entropy)?;
        let new = Material {
            sealed: self.seal(&key.id, &id, &material)?,
            id,
            number,
            created_at: now,
        };
        store::kms::insert_material(&mut tx.conn(), &key.id, &new).await?;
        tx.touch(Topic::EncryptionKeys);
        Ok(())
    }

    /// Key and material are sealed with the bytes: a row that was copied to another key does not open.
    fn seal(
        &self,
        key_id: &str,
        id: &str,
        material: &[u8; KEY_BYTES],
    ) -> Result<Vec<u8>, KmsError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(2 * 36 + KEY_BYTES));
        plain.extend_from_slice(key_id.as_bytes());
        plain.extend_from_slice(id.as_bytes());
        plain.extend_from_slice(material);
        Ok(self.0.seal.seal(&plain)?)
    }

    async fn open(
        &self,
        key_id: &str,
        row: &Material,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, KmsError> {
        let opened = self.0.seal.open(&row.sealed).await?;
        let place = [key_id.as_bytes(), row.id.as_bytes()].concat();
        let material = opened.strip_prefix(place.as_slice());
        let material = material.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
        material
            .map(Zeroizing::new)
            .ok_or_else(|| KmsError::internal(format!("the material {} is another key's", row.id)))
    }
}
