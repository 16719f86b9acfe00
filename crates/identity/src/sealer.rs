//! Sealing: authenticated encryption of what leaves the process or rests in the
//! database: secrets of access keys, session tokens, registry passwords, download URLs.
//!
//! AES-256-GCM under a key of the ring, with the purpose as associated data, so that a
//! token made for one purpose is nothing in another. The ring stands in the database,
//! each key sealed under the master key: the newest seals, all open, so that a rotation
//! logs nobody out. A nonce is 96 random bits; NIST SP 800-38D (8.3) allows 2^32 of
//! those for one key, which [`Sealer::rotate_when_due`] keeps away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use authz::ServiceName;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use store::service_events::{self, NewEvent};
use store::{Moment, Scope, Store, Topic, settings};
use zeroize::Zeroizing;

use crate::Error;
use aws_types::{Entropy, draw};

/// Keys that the ring may hold. Secrets at rest go on needing the key that sealed them, so
/// none is dropped: with a rotation each month the ring is full after three centuries.
const RING_KEYS_MAX: i64 = 4096;
/// How old the newest key becomes before [`Sealer::rotate_when_due`] adds another: at a
/// thousand tokens a second, 30 days are 2^31.3.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The longest token that is looked at: longer ones are no token of ours.
pub const TOKEN_CHARS_MAX: usize = 24 * 1024;
/// The first byte of everything sealed: the form below.
const FORM: u8 = 1;
/// Form, key id.
const HEAD_BYTES: usize = 1 + 4;
const TAG_BYTES: usize = 16;
/// The purpose of the ring's own keys, sealed under the master key.
const RING: &str = "key-ring";
/// The setting with the id of the first key whose tokens are accepted.
const TOKENS_FROM: &str = "tokens_from_key";

/// The key that seals the key ring. It lives outside of the database.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A fresh one.
    ///
    /// # Errors
    /// The random source's.
    pub fn generate(entropy: &dyn Entropy) -> Result<MasterKey, Error> {
        Ok(MasterKey(Zeroizing::new(draw(entropy)?)))
    }

    /// Reads the form that [`MasterKey::encode`] writes: 64 hexadecimal digits, with
    /// white space around them.
    #[must_use]
    pub fn parse(text: &str) -> Option<MasterKey> {
        let text = text.trim().as_bytes();
        if text.len() != 64 {
            return None;
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(MasterKey(key))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        use fmt::Write as _;
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.iter() {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl MasterKey {
    /// Seals bytes for `purpose`, for what has no key ring: backups.
    ///
    /// # Errors
    /// The random source's.
    pub fn seal(
        &self,
        purpose: &'static str,
        payload: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, Error> {
        seal_with(&aead_key(&self.0[..])?, 0, purpose, payload, entropy)
    }

    /// Opens what was sealed for the same purpose under this key; `None` for everything else.
    #[must_use]
    pub fn open(&self, purpose: &'static str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = aead_key(&self.0[..]).ok()?;
        let (_, opened) = open_with(|_| Some(&key), purpose, sealed)?;
        Some(opened)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Why something sealed does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not made here, made for another purpose, or changed on its way.
    #[error("the token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// The key ring could not be read; the log says why.
    #[error("the key ring is not available")]
    Unavailable,
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Inner>);

struct Inner {
    store: Store,
    entropy: Arc<dyn Entropy>,
    master: LessSafeKey,
    ring: RwLock<Ring>,
}

#[derive(Default)]
struct Ring {
    keys: BTreeMap<u32, Arc<LessSafeKey>>,
    /// When the ring was read.
    read_at: Moment,
    /// When the newest key was made, in milliseconds since the epoch.
    newest_at: i64,
    /// The first key whose tokens are accepted: older ones go on opening what is stored.
    tokens_from: u32,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// Reads the key ring, and begins one where there is none.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails, or when the master key is not the
    /// one that sealed the ring.
    pub async fn load(
        store: Store,
        master: &MasterKey,
        entropy: Arc<dyn Entropy>,
        now: Timestamp,
    ) -> Result<Sealer, Error> {
        let sealer = Sealer(Arc::new(Inner {
            store,
            entropy,
            master: aead_key(&master.0[..])?,
            ring: RwLock::default(),
        }));
        sealer.reload().await?;
        // Two nodes that start together make two keys, and both load both. A later start, whose newest
        // key is old, does what the job of a running server would have done.
        let service = match sealer.newest() {
            None => ServiceName::FirstStart,
            Some(_) => ServiceName::Maintenance,
        };
        sealer.rotate_when_due(service, now).await?;
        Ok(sealer)
    }

    /// Adds a key to the ring when there is none or the newest is 30 days old. A server
    /// calls this when it starts and once a day.
    ///
    /// # Errors
    /// As [`Sealer::rotate`].
    pub async fn rotate_when_due(&self, service: ServiceName, now: Timestamp) -> Result<(), Error> {
        let newest_at = {
            let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
            (!ring.keys.is_empty()).then_some(ring.newest_at)
        };
        let lifetime = i64::try_from(KEY_LIFETIME.as_millis()).map_err(Error::internal)?;
        match newest_at {
            Some(at) if now.as_millisecond().saturating_sub(at) < lifetime => Ok(()),
            _ => self.rotate(service, now).await,
        }
    }

    /// Reads the ring again where another node has added a key, so that this node seals under the newest
    /// one too. A server calls this every minute.
    ///
    /// # Errors
    /// The database's.
    pub async fn refresh(&self) -> Result<(), Error> {
        let read_at = {
            let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
            ring.read_at
        };
        match self.0.store.changed_since(Topic::KeyRing, read_at) {
            true => self.reload().await,
            false => Ok(()),
        }
    }

    /// Adds a key to the ring: it seals from now on, the older ones go on opening. The audit event has
    /// the name and the member of KMS's own (KMS Developer Guide, "RotateKey" in the CloudTrail log).
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn rotate(&self, service: ServiceName, now: Timestamp) -> Result<(), Error> {
        let key = Zeroizing::new(draw::<32>(&*self.0.entropy)?);
        let sealed = seal_with(&self.0.master, 0, RING, &*key, &*self.0.entropy)?;
        let mut tx = self.0.store.write(Scope::System("key-ring")).await?;
        let keys = store::iam::sealing_key::count(&mut tx.conn()).await?;
        if keys >= RING_KEYS_MAX {
            return Err(Error::internal("the key ring is full"));
        }
        let now = now.as_millisecond();
        let id = store::iam::sealing_key::insert(&mut tx.conn(), &sealed, now).await?;
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: if keys == 0 { "CreateKey" } else { "RotateKey" },
            account: None,
            resource: None,
            details: &serde_json::json!({ "keyId": id }).to_string(),
        };
        service_events::insert(&mut tx.conn(), &event).await?;
        tx.touch(Topic::KeyRing);
        tx.commit().await?;
        self.reload().await
    }

    /// Adds a key to the ring, and accepts no token that an older one sealed: sessions, registry passwords and
    /// tokens, download URLs. What is stored goes on opening. A restore ends with it: whatever was given out before
    /// may have been revoked after the backup.
    ///
    /// # Errors
    /// As [`Sealer::rotate`].
    pub async fn refuse_older_tokens(
        &self,
        service: ServiceName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.rotate(service, now).await?;
        let (id, _) = self
            .newest()
            .ok_or_else(|| Error::internal("the key ring is empty"))?;
        let mut tx = self.0.store.write(Scope::System("key-ring")).await?;
        settings::put(&mut tx.conn(), TOKENS_FROM, &id.to_string()).await?;
        tx.touch(Topic::KeyRing);
        tx.commit().await?;
        self.reload().await
    }

    /// Seals bytes for `purpose` under the master key: for a backup, which is opened before there is a key ring.
    ///
    /// # Errors
    /// The random source's.
    pub fn seal_under_master(
        &self,
        purpose: &'static str,
        payload: &[u8],
    ) -> Result<Vec<u8>, Error> {
        seal_with(&self.0.master, 0, purpose, payload, &*self.0.entropy)
    }

    /// Reads the ring anew.
    async fn reload(&self) -> Result<(), Error> {
        let read_at = self.0.store.moment();
        let mut conn = self.0.store.read().await?;
        let rows = store::iam::sealing_key::list(&mut conn.conn(), RING_KEYS_MAX).await?;
        let tokens_from = settings::get(&mut conn.conn(), TOKENS_FROM).await?;
        let tokens_from = match tokens_from {
            Some(id) => id.parse().map_err(Error::internal)?,
            None => 0,
        };
        let mut keys = BTreeMap::new();
        let newest_at = rows.first().map_or(0, |row| row.created_at);
        for row in rows {
            let id = u32::try_from(row.id).map_err(Error::internal)?;
            let (_, opened) = open_with(|_| Some(&self.0.master), RING, &row.sealed_key)
                .ok_or_else(|| {
                    Error::internal(
                        "the master key does not open this database's key ring: use the one it was made with",
                    )
                })?;
            keys.insert(id, Arc::new(aead_key(&opened)?));
        }
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = Ring {
            keys,
            read_at,
            newest_at,
            tokens_from,
        };
        Ok(())
    }

    fn newest(&self) -> Option<(u32, Arc<LessSafeKey>)> {
        let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.keys
            .last_key_value()
            .map(|(id, key)| (*id, Arc::clone(key)))
    }

    fn key(&self, id: u32) -> Option<Arc<LessSafeKey>> {
        let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.keys.get(&id).map(Arc::clone)
    }

    /// Seals bytes for `purpose`. They hold no time limit.
    ///
    /// # Errors
    /// The random source's.
    pub fn seal_bytes(&self, purpose: &'static str, payload: &[u8]) -> Result<Vec<u8>, Error> {
        let (id, key) = self
            .newest()
            .ok_or_else(|| Error::internal("the key ring is empty"))?;
        seal_with(&key, id, purpose, payload, &*self.0.entropy)
    }

    /// Opens what [`Sealer::seal_bytes`] made for the same purpose.
    ///
    /// # Errors
    /// [`SealError::Invalid`] for everything else.
    pub async fn open_bytes(
        &self,
        purpose: &'static str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let id = key_id(sealed).ok_or(SealError::Invalid)?;
        let key = match self.key(id) {
            Some(key) => key,
            None => {
                // Another node may have rotated a moment ago. A made-up id costs a small
                // read, as a made-up access key does.
                let (seen, newest) = {
                    let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
                    let newest = ring.keys.last_key_value().map_or(0, |(id, _)| *id);
                    (ring.read_at, newest)
                };
                if id <= newest {
                    return Err(SealError::Invalid);
                }
                let unavailable = |error: Error| {
                    tracing::error!(?error, "the key ring cannot be read");
                    SealError::Unavailable
                };
                let store = &self.0.store;
                let polled = store.poll_changes().await;
                polled.map_err(|error| unavailable(error.into()))?;
                if !store.changed_since(Topic::KeyRing, seen) {
                    return Err(SealError::Invalid);
                }
                self.reload().await.map_err(unavailable)?;
                self.key(id).ok_or(SealError::Invalid)?
            }
        };
        let (_, opened) = open_with(|_| Some(&*key), purpose, sealed).ok_or(SealError::Invalid)?;
        Ok(opened)
    }

    /// Seals a payload for `purpose` until `expires_at`, as text of letters, digits,
    /// `-` and `_`: fit for a URL, a header, and a docker login, which splits at colons.
    ///
    /// # Errors
    /// The random source's.
    pub fn seal(
        &self,
        purpose: &'static str,
        payload: &[u8],
        expires_at: Timestamp,
    ) -> Result<String, Error> {
        let mut plain = Zeroizing::new(Vec::with_capacity(8 + payload.len()));
        plain.extend_from_slice(&expires_at.as_millisecond().to_be_bytes());
        plain.extend_from_slice(payload);
        Ok(URL_SAFE_NO_PAD.encode(self.seal_bytes(purpose, &plain)?))
    }

    /// Opens what [`Sealer::seal`] made for the same purpose, while its time lasts.
    ///
    /// # Errors
    /// [`SealError::Expired`] from `expires_at` on, [`SealError::Invalid`] for anything
    /// that was not made here for this purpose.
    pub async fn open(
        &self,
        purpose: &'static str,
        token: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (payload, _) = self.open_dated(purpose, token, now).await?;
        Ok(payload)
    }

    /// As [`Sealer::open`], and when the token ends: for whoever keeps what was in it.
    pub(crate) async fn open_dated(
        &self,
        purpose: &'static str,
        token: &str,
        now: Timestamp,
    ) -> Result<(Zeroizing<Vec<u8>>, Timestamp), SealError> {
        let (payload, expires_at) = self.open_even_expired(purpose, token).await?;
        if now >= expires_at {
            return Err(SealError::Expired);
        }
        Ok((payload, expires_at))
    }

    /// As [`Sealer::open_dated`], also past the token's end: for who has more to check
    /// before saying that its time is over.
    pub(crate) async fn open_even_expired(
        &self,
        purpose: &'static str,
        token: &str,
    ) -> Result<(Zeroizing<Vec<u8>>, Timestamp), SealError> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(SealError::Invalid);
        }
        let sealed = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| SealError::Invalid)?;
        let plain = self.open_bytes(purpose, &sealed).await?;
        let tokens_from = {
            let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
            ring.tokens_from
        };
        if key_id(&sealed).is_none_or(|id| id < tokens_from) {
            return Err(SealError::Invalid);
        }
        let (expires_at, payload) = plain.split_first_chunk().ok_or(SealError::Invalid)?;
        let expires_at = Timestamp::from_millisecond(i64::from_be_bytes(*expires_at))
            .map_err(|_| SealError::Invalid)?;
        Ok((Zeroizing::new(payload.to_vec()), expires_at))
    }
}

fn aead_key(bytes: &[u8]) -> Result<LessSafeKey, Error> {
    let key = UnboundKey::new(&AES_256_GCM, bytes)
        .map_err(|_| Error::internal("a sealing key has the wrong length"))?;
    Ok(LessSafeKey::new(key))
}

fn key_id(sealed: &[u8]) -> Option<u32> {
    let (head, rest) = sealed.split_first_chunk::<HEAD_BYTES>()?;
    let [FORM, id @ ..] = *head else { return None };
    (rest.len() >= NONCE_LEN + TAG_BYTES).then(|| u32::from_be_bytes(id))
}

/// What is authenticated beside the payload: form, key and purpose.
fn associated(id: u32, purpose: &str) -> Vec<u8> {
    let mut data = vec![FORM];
    data.extend_from_slice(&id.to_be_bytes());
    data.extend_from_slice(purpose.as_bytes());
    data
}

fn seal_with(
    key: &LessSafeKey,
    id: u32,
    purpose: &str,
    payload: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let nonce = draw::<NONCE_LEN>(entropy)?;
    let mut sealed = Vec::with_capacity(HEAD_BYTES + NONCE_LEN + payload.len() + TAG_BYTES);
    sealed.push(FORM);
    sealed.extend_from_slice(&id.to_be_bytes());
    sealed.extend_from_slice(&nonce);
    let body = sealed.len();
    sealed.extend_from_slice(payload);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated(id, purpose)),
            &mut sealed[body..],
        )
        .map_err(|_| Error::internal("sealing failed"))?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// The key's id and what was sealed.
fn open_with<'k>(
    key: impl FnOnce(u32) -> Option<&'k LessSafeKey>,
    purpose: &str,
    sealed: &[u8],
) -> Option<(u32, Zeroizing<Vec<u8>>)> {
    let id = key_id(sealed)?;
    let (nonce, body) = sealed[HEAD_BYTES..].split_first_chunk::<NONCE_LEN>()?;
    let mut body = Zeroizing::new(body.to_vec());
    let opened = key(id)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(associated(id, purpose)),
            &mut body,
        )
        .ok()?
        .len();
    body.truncate(opened);
    Some((id, body))
}
