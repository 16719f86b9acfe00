//! What is answered from memory: repositories' facts, manifests, the sizes of layers.
//!
//! # Why nothing stale is served
//! - Only what exists is kept, so a new row makes no entry wrong. Of a registry policy
//!   its absence is kept as well: setting one is therefore a change like any other.
//! - A change by this node removes its entries before the change is acknowledged.
//! - A change by another node shows in the store's generation; everything is then
//!   dropped ([`Cache::refresh`], at the head of every look-up).
//! - Whoever reads the database to fill an entry takes a [`Ticket`] *before* reading.
//!   Each removal makes all older tickets worthless, so what was read before a change
//!   is not put back after it.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_types::{AccountId, Region};
use blobs::Digest;
use policy::PolicySet;
use quick_cache::sync::Cache as Map;
use quick_cache::{Equivalent, Weighter};

use crate::{Manifest, RepositoryFacts};

/// Repositories whose facts are kept.
const REPOSITORIES_MAX: usize = 10_000;
/// Registries whose policies are kept.
const REGISTRY_POLICIES_MAX: usize = 1_000;
/// Layers whose sizes are kept, about 100 bytes each.
const LAYERS_MAX: usize = 50_000;
/// What an entry costs beside the manifest's bytes.
const ENTRY_BYTES: u64 = 300;
/// A manifest's usual length, to size the tables.
const MANIFEST_BYTES_USUAL: u64 = 2_048;

#[derive(Clone, PartialEq, Eq, Hash)]
struct RepositoryKey {
    account: AccountId,
    region: Region,
    name: Arc<str>,
}

struct RepositoryKeyRef<'a> {
    account: &'a AccountId,
    region: &'a Region,
    name: &'a str,
}

impl Hash for RepositoryKeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.account.hash(state);
        self.region.hash(state);
        self.name.hash(state);
    }
}

impl Equivalent<RepositoryKey> for RepositoryKeyRef<'_> {
    fn equivalent(&self, key: &RepositoryKey) -> bool {
        *self.account == key.account && *self.region == key.region && *self.name == *key.name
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct TagKey(i64, Box<str>);

#[derive(Hash)]
struct TagKeyRef<'a>(i64, &'a str);

impl Equivalent<TagKey> for TagKeyRef<'_> {
    fn equivalent(&self, key: &TagKey) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

#[derive(Clone)]
struct ByBytes;

impl<K> Weighter<K, Arc<Manifest>> for ByBytes {
    fn weight(&self, _: &K, manifest: &Arc<Manifest>) -> u64 {
        manifest.bytes.len() as u64 + ENTRY_BYTES
    }
}

/// What a committed change makes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A tag moved or went.
    Tag(i64, String),
    /// An image went.
    Image(i64, Digest),
    /// A layer was unlinked.
    Layer(i64, Digest),
    /// A repository's policy, tags or settings.
    Repository(AccountId, Region, String),
    /// A registry's policy, which decides with those of all its repositories.
    RegistryPolicy,
    /// Too much to list, such as a repository with its contents.
    Everything,
}

/// Proof of when a reading began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

pub(crate) struct Cache {
    repositories: Map<RepositoryKey, Arc<RepositoryFacts>>,
    registry_policies: Map<(AccountId, Region), Option<Arc<PolicySet>>>,
    tags: Map<TagKey, Arc<Manifest>, ByBytes>,
    digests: Map<(i64, Digest), Arc<Manifest>, ByBytes>,
    layers: Map<(i64, Digest), u64>,
    /// The store's generation that all entries are known to agree with.
    generation: AtomicU64,
    /// Grows with each removal.
    epoch: AtomicU64,
    /// Held while entries are put or removed, so that no ticket grows old in between.
    gate: Mutex<()>,
}

impl Cache {
    pub(crate) fn new(generation: u64, manifest_bytes_max: u64) -> Self {
        let usual = manifest_bytes_max / (MANIFEST_BYTES_USUAL + ENTRY_BYTES);
        let items = usize::try_from(usual).unwrap_or(usize::MAX).max(16);
        Cache {
            repositories: Map::new(REPOSITORIES_MAX),
            registry_policies: Map::new(REGISTRY_POLICIES_MAX),
            tags: Map::with_weighter(items, manifest_bytes_max, ByBytes),
            digests: Map::with_weighter(items, manifest_bytes_max, ByBytes),
            layers: Map::new(LAYERS_MAX),
            generation: AtomicU64::new(generation),
            epoch: AtomicU64::new(0),
            gate: Mutex::new(()),
        }
    }

    /// Drops everything when the store knows of changes that this cache does not.
    pub(crate) fn refresh(&self, generation: u64) {
        if self.generation.load(Ordering::Acquire) == generation {
            return;
        }
        let _gate = self.close_gate();
        if self.generation.load(Ordering::Acquire) < generation {
            self.clear();
            self.generation.store(generation, Ordering::Release);
        }
    }

    /// To be taken before the database is read for an entry.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.epoch.load(Ordering::Acquire))
    }

    pub(crate) fn repository(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Option<Arc<RepositoryFacts>> {
        self.repositories.get(&RepositoryKeyRef {
            account,
            region,
            name,
        })
    }

    pub(crate) fn put_repository(&self, ticket: Ticket, facts: &Arc<RepositoryFacts>) {
        let key = RepositoryKey {
            account: facts.account,
            region: facts.region.clone(),
            name: facts.name.clone(),
        };
        self.put(ticket, || self.repositories.insert(key, facts.clone()));
    }

    /// `Some(None)`: there is none, and that is known.
    pub(crate) fn registry_policy(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Option<Option<Arc<PolicySet>>> {
        self.registry_policies.get(&(account, region.clone()))
    }

    pub(crate) fn put_registry_policy(
        &self,
        ticket: Ticket,
        account: AccountId,
        region: &Region,
        policy: &Option<Arc<PolicySet>>,
    ) {
        let key = (account, region.clone());
        self.put(ticket, || {
            self.registry_policies.insert(key, policy.clone())
        });
    }

    pub(crate) fn by_tag(&self, repository_id: i64, tag: &str) -> Option<Arc<Manifest>> {
        self.tags.get(&TagKeyRef(repository_id, tag))
    }

    pub(crate) fn put_tag(&self, ticket: Ticket, id: i64, tag: &str, manifest: &Arc<Manifest>) {
        self.put(ticket, || {
            self.tags.insert(TagKey(id, tag.into()), manifest.clone())
        });
    }

    pub(crate) fn by_digest(&self, repository_id: i64, digest: &Digest) -> Option<Arc<Manifest>> {
        self.digests.get(&(repository_id, *digest))
    }

    pub(crate) fn put_digest(&self, ticket: Ticket, id: i64, manifest: &Arc<Manifest>) {
        self.put(ticket, || {
            self.digests.insert((id, manifest.digest), manifest.clone())
        });
    }

    pub(crate) fn layer(&self, repository_id: i64, digest: &Digest) -> Option<u64> {
        self.layers.get(&(repository_id, *digest))
    }

    pub(crate) fn put_layer(&self, ticket: Ticket, repository_id: i64, digest: Digest, size: u64) {
        self.put(ticket, || self.layers.insert((repository_id, digest), size));
    }

    /// Removes what this node's commit made wrong. `generation` is the store's after
    /// the commit; when it grew by more than this one change, the next look-up drops
    /// everything.
    pub(crate) fn changed(&self, generation: u64, changes: &[Change]) {
        let _gate = self.close_gate();
        if changes.contains(&Change::Everything) {
            self.clear();
        }
        for change in changes {
            match change {
                Change::Tag(id, tag) => drop(self.tags.remove(&TagKeyRef(*id, tag))),
                Change::Image(id, digest) => drop(self.digests.remove(&(*id, *digest))),
                Change::Layer(id, digest) => drop(self.layers.remove(&(*id, *digest))),
                Change::Repository(account, region, name) => {
                    drop(self.repositories.remove(&RepositoryKeyRef {
                        account,
                        region,
                        name,
                    }));
                }
                Change::RegistryPolicy => {
                    self.repositories.clear();
                    self.registry_policies.clear();
                }
                Change::Everything => {}
            }
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
        if self.generation.load(Ordering::Acquire) + 1 == generation {
            self.generation.store(generation, Ordering::Release);
        }
    }

    fn put(&self, ticket: Ticket, insert: impl FnOnce()) {
        let _gate = self.close_gate();
        if self.epoch.load(Ordering::Acquire) == ticket.0 {
            insert();
        }
    }

    /// The caller holds the gate.
    fn clear(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.repositories.clear();
        self.registry_policies.clear();
        self.tags.clear();
        self.digests.clear();
        self.layers.clear();
    }

    fn close_gate(&self) -> MutexGuard<'_, ()> {
        // What is behind the gate is sound at every step.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
