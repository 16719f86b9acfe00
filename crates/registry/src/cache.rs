//! What is answered from memory: repositories' facts, manifests, the sizes of layers.
//!
//! # Why nothing stale is served
//! - Only what exists is kept, so a new row makes no entry wrong. Of a registry, the absence of
//!   a policy and of settings is kept as well: setting one is therefore a change like any other.
//! - A change by this node removes its entries before the change is acknowledged.
//! - A change by another node makes the entries of its repository or registry stale, as
//!   soon as this node learns of it ([`store::Store::changed_since`], at every look-up).
//! - Filling an entry takes a [`Ticket`] *before* the database is read. Each removal
//!   invalidates all older tickets, so data read before a change is not stored after it.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_types::{AccountId, Region};
use blobs::Digest;
use quick_cache::sync::Cache as Map;
use quick_cache::{Equivalent, Weighter};

use store::{Moment, Store, Topic, Write};

use crate::account_quotas::AccountQuotas;
use crate::registry_facts::RegistryFacts;
use crate::stored_copy::StoredCopy;
use crate::{Manifest, RepositoryFacts};

/// The bytes of repositories' facts that are kept, with their compiled policies.
const REPOSITORIES_BYTES_MAX: u64 = 32 << 20;
/// The bytes of registries' facts that are kept, with their compiled policies.
const REGISTRIES_BYTES_MAX: u64 = 4 << 20;
/// The size of a large policy. A cache is divided into shards so that each holds at least 32 of them.
const LARGE_POLICY_BYTES: u64 = 64 << 10;
/// Layers whose sizes and keys are kept, about 250 bytes each.
const LAYERS_MAX: usize = 50_000;
/// Accounts whose quotas are kept.
const ACCOUNTS_MAX: usize = 1_000;
/// The cost of an entry beside the manifest's bytes.
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

impl<K> Weighter<K, Dated<Arc<Manifest>>> for ByBytes {
    fn weight(&self, _: &K, manifest: &Dated<Arc<Manifest>>) -> u64 {
        manifest.0.bytes.len() as u64 + ENTRY_BYTES
    }
}

impl Weighter<RepositoryKey, Dated<Arc<RepositoryFacts>>> for ByBytes {
    fn weight(&self, _: &RepositoryKey, facts: &Dated<Arc<RepositoryFacts>>) -> u64 {
        facts.0.heap_bytes() as u64 + ENTRY_BYTES
    }
}

impl Weighter<(AccountId, Region), Dated<Arc<RegistryFacts>>> for ByBytes {
    fn weight(&self, _: &(AccountId, Region), facts: &Dated<Arc<RegistryFacts>>) -> u64 {
        facts.0.heap_bytes() as u64 + ENTRY_BYTES
    }
}

/// A cache of policies that keeps at most this many bytes.
fn bounded<K, V>(bytes_max: u64) -> Map<K, V, ByBytes>
where
    K: Eq + Hash,
    V: Clone,
    ByBytes: Weighter<K, V>,
{
    let large = usize::try_from(bytes_max / LARGE_POLICY_BYTES).unwrap_or(usize::MAX);
    Map::with_weighter(large, bytes_max, ByBytes)
}

/// What a committed change invalidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A tag moved or went.
    Tag(i64, String),
    /// An image went.
    Image(i64, Digest),
    /// A layer was unlinked.
    Layer(i64, Digest),
    /// A repository's policy, tags or settings, by its id and name.
    Repository(i64, AccountId, Region, String),
    /// A registry's policy and settings, which are a part of the facts of all its repositories.
    Registry(AccountId, Region),
    /// A repository with its contents.
    RepositoryContents(i64),
}

impl Change {
    /// Marks what it makes stale, here and on other nodes, as changed by the transaction.
    pub(crate) fn touch(&self, tx: &mut Write) {
        match self {
            // `Cache::changed` removes the entry; the repository's others stay good on this node.
            Change::Tag(id, _)
            | Change::Image(id, _)
            | Change::Layer(id, _)
            | Change::Repository(id, ..) => tx.touch_handled(Topic::Repository(*id)),
            Change::RepositoryContents(id) => tx.touch(Topic::Repository(*id)),
            Change::Registry(account, region) => tx.touch(registry(account, region)),
        }
    }
}

fn registry<'a>(account: &'a AccountId, region: &'a Region) -> Topic<'a> {
    Topic::Registry {
        account: account.as_str(),
        region: region.as_str(),
    }
}

/// Proof of when a reading began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    epoch: u64,
    moment: Moment,
}

/// A value and the moment before it was read.
#[derive(Clone)]
struct Dated<T>(T, Moment);

pub(crate) struct Cache {
    store: Store,
    repositories: Map<RepositoryKey, Dated<Arc<RepositoryFacts>>, ByBytes>,
    registries: Map<(AccountId, Region), Dated<Arc<RegistryFacts>>, ByBytes>,
    quotas: Map<AccountId, Dated<Arc<AccountQuotas>>>,
    tags: Map<TagKey, Dated<Arc<Manifest>>, ByBytes>,
    digests: Map<(i64, Digest), Dated<Arc<Manifest>>, ByBytes>,
    layers: Map<(i64, Digest), Dated<StoredCopy>>,
    /// Grows with each removal.
    epoch: AtomicU64,
    /// Held while entries are put or removed, so that no ticket grows old in between.
    gate: Mutex<()>,
}

impl Cache {
    pub(crate) fn new(store: Store, manifest_bytes_max: u64) -> Self {
        let usual = manifest_bytes_max / (MANIFEST_BYTES_USUAL + ENTRY_BYTES);
        let items = usize::try_from(usual).unwrap_or(usize::MAX).max(16);
        Cache {
            store,
            repositories: bounded(REPOSITORIES_BYTES_MAX),
            registries: bounded(REGISTRIES_BYTES_MAX),
            quotas: Map::new(ACCOUNTS_MAX),
            tags: Map::with_weighter(items, manifest_bytes_max, ByBytes),
            digests: Map::with_weighter(items, manifest_bytes_max, ByBytes),
            layers: Map::new(LAYERS_MAX),
            epoch: AtomicU64::new(0),
            gate: Mutex::new(()),
        }
    }

    /// The value, unless its topic changed since it was read.
    fn fresh<T>(&self, found: Option<Dated<T>>, topic: Topic<'_>) -> Option<T> {
        let Dated(value, moment) = found?;
        (!self.store.changed_since(topic, moment)).then_some(value)
    }

    /// To be taken before the database is read for an entry.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket {
            epoch: self.epoch.load(Ordering::Acquire),
            moment: self.store.moment(),
        }
    }

    pub(crate) fn repository(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Option<Arc<RepositoryFacts>> {
        let Dated(facts, moment) = self.repositories.get(&RepositoryKeyRef {
            account,
            region,
            name,
        })?;
        // The registry's facts are part of the repository's.
        let is_stale = self
            .store
            .changed_since(Topic::Repository(facts.id), moment)
            || self.store.changed_since(registry(account, region), moment);
        (!is_stale).then_some(facts)
    }

    pub(crate) fn put_repository(&self, ticket: Ticket, facts: &Arc<RepositoryFacts>) {
        let key = RepositoryKey {
            account: facts.account,
            region: facts.region.clone(),
            name: facts.name.clone(),
        };
        self.put(ticket, |moment| {
            self.repositories.insert(key, Dated(facts.clone(), moment));
        });
    }

    pub(crate) fn registry_facts(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Option<Arc<RegistryFacts>> {
        let found = self.registries.get(&(account, region.clone()));
        self.fresh(found, registry(&account, region))
    }

    pub(crate) fn put_registry_facts(
        &self,
        ticket: Ticket,
        account: AccountId,
        region: &Region,
        facts: &Arc<RegistryFacts>,
    ) {
        let key = (account, region.clone());
        self.put(ticket, |moment| {
            self.registries.insert(key, Dated(facts.clone(), moment));
        });
    }

    pub(crate) fn quotas(&self, account: AccountId) -> Option<Arc<AccountQuotas>> {
        let found = self.quotas.get(&account);
        self.fresh(found, Topic::Account(account.as_str()))
    }

    pub(crate) fn put_quotas(
        &self,
        ticket: Ticket,
        account: AccountId,
        quotas: &Arc<AccountQuotas>,
    ) {
        self.put(ticket, |moment| {
            self.quotas.insert(account, Dated(quotas.clone(), moment));
        });
    }

    pub(crate) fn by_tag(&self, repository_id: i64, tag: &str) -> Option<Arc<Manifest>> {
        let found = self.tags.get(&TagKeyRef(repository_id, tag));
        self.fresh(found, Topic::Repository(repository_id))
    }

    pub(crate) fn put_tag(&self, ticket: Ticket, id: i64, tag: &str, manifest: &Arc<Manifest>) {
        self.put(ticket, |moment| {
            self.tags
                .insert(TagKey(id, tag.into()), Dated(manifest.clone(), moment));
        });
    }

    pub(crate) fn by_digest(&self, repository_id: i64, digest: &Digest) -> Option<Arc<Manifest>> {
        let found = self.digests.get(&(repository_id, *digest));
        self.fresh(found, Topic::Repository(repository_id))
    }

    pub(crate) fn put_digest(&self, ticket: Ticket, id: i64, manifest: &Arc<Manifest>) {
        self.put(ticket, |moment| {
            self.digests
                .insert((id, manifest.digest), Dated(manifest.clone(), moment));
        });
    }

    pub(crate) fn layer(&self, repository_id: i64, digest: &Digest) -> Option<StoredCopy> {
        let found = self.layers.get(&(repository_id, *digest));
        self.fresh(found, Topic::Repository(repository_id))
    }

    pub(crate) fn put_layer(
        &self,
        ticket: Ticket,
        repository_id: i64,
        digest: Digest,
        copy: StoredCopy,
    ) {
        self.put(ticket, |moment| {
            self.layers
                .insert((repository_id, digest), Dated(copy, moment));
        });
    }

    /// Removes what a commit of this node made wrong. What it made stale as a whole, the store
    /// knows already.
    pub(crate) fn changed(&self, changes: &[Change]) {
        let _gate = self.close_gate();
        for change in changes {
            match change {
                Change::Tag(id, tag) => drop(self.tags.remove(&TagKeyRef(*id, tag))),
                Change::Image(id, digest) => drop(self.digests.remove(&(*id, *digest))),
                Change::Layer(id, digest) => drop(self.layers.remove(&(*id, *digest))),
                Change::Repository(_, account, region, name) => {
                    drop(self.repositories.remove(&RepositoryKeyRef {
                        account,
                        region,
                        name,
                    }));
                }
                Change::Registry(..) | Change::RepositoryContents(_) => {}
            }
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn put(&self, ticket: Ticket, insert: impl FnOnce(Moment)) {
        let _gate = self.close_gate();
        if self.epoch.load(Ordering::Acquire) == ticket.epoch {
            insert(ticket.moment);
        }
    }

    fn close_gate(&self) -> MutexGuard<'_, ()> {
        // What is behind the gate is sound at every step.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use policy::{CompiledDocument, Document, DocumentKind, PolicyRef, PolicySet};

    use super::*;

    /// A repository with a policy of nearly the largest size, different for each number.
    fn facts(number: u64) -> RepositoryFacts {
        let actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        let statements: Vec<String> = (0..70)
            .map(|at| {
                format!(
                    r#"{{"Effect": "Allow", "Principal": {{"AWS": "{:012}"}}, "Action": "{}"}}"#,
                    number + at,
                    actions[at as usize % 2],
                )
            })
            .collect();
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
            statements.join(",")
        );
        let document = Document::parse(&text, DocumentKind::EcrRepository).unwrap();
        let name = PolicyRef::new(DocumentKind::EcrRepository, "arn");
        let compiled = CompiledDocument::new(&document);
        RepositoryFacts {
            id: 1,
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: format!("app-{number}").into(),
            arn: "arn".into(),
            policy: Some(Arc::new(PolicySet::union([(name, compiled)]))),
            tags: Arc::default(),
            read_only_mode: None,
            encryption: None,
            registry: Arc::default(),
        }
    }

    #[test]
    fn repositories_keep_at_most_their_bytes() {
        let cache = bounded(REPOSITORIES_BYTES_MAX);
        let mut inserted = 0;
        for number in 0.. {
            let facts = Arc::new(facts(number));
            inserted += facts.heap_bytes() as u64;
            let key = RepositoryKey {
                account: facts.account,
                region: facts.region.clone(),
                name: facts.name.clone(),
            };
            cache.insert(key, Dated(facts, Moment::default()));
            if inserted > 2 * REPOSITORIES_BYTES_MAX {
                break;
            }
        }
        let kept = cache.iter().map(|(_, facts)| facts.0.heap_bytes() as u64);
        let kept: u64 = kept.sum();
        assert!(kept <= REPOSITORIES_BYTES_MAX, "{kept} bytes");
        assert!(kept > REPOSITORIES_BYTES_MAX / 2, "{kept} bytes");
    }
}
