//! What a transaction is about ([`Scope`]), and what it changes ([`Topic`]).

use std::fmt::{self, Write as _};

use crate::fnv::{hash, hash_on};

/// The row that says which changes were pruned (see `prune`). No [`Topic`] has this name.
pub(crate) const PRUNED: &str = "pruned";

/// What a writing transaction is about. Transactions of one scope run one after the other; on SQLite
/// all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// An account and its IAM entities, by the account's id.
    Account(&'a str),
    /// The set of repositories of an account and region, and what hangs on it.
    Registry {
        /// The account's id.
        account: &'a str,
        /// The region's name.
        region: &'a str,
    },
    /// One repository, by its row's id: images, tags, layers, uploads.
    Repository(i64),
    /// Something that belongs to no account, such as the key ring, by a name of its own.
    System(&'static str),
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Account(account) => write!(f, "account/{account}"),
            Scope::Registry { account, region } => write!(f, "registry/{account}/{region}"),
            Scope::Repository(id) => write!(f, "repository/{id}"),
            Scope::System(name) => write!(f, "system/{name}"),
        }
    }
}

impl Scope<'_> {
    /// The key of PostgreSQL's advisory lock. A collision only makes two scopes wait for each other.
    pub(crate) fn lock_key(self) -> i64 {
        i64::from_ne_bytes(hash_of(self).to_ne_bytes())
    }
}

/// A part of the data that caches are built from, as small as what one change makes stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic<'a> {
    /// An account's principals, their keys and policies, by the account's id.
    Account(&'a str),
    /// A registry's policy.
    Registry {
        /// The account's id.
        account: &'a str,
        /// The region's name.
        region: &'a str,
    },
    /// What was *changed or removed* in a repository, by its row's id: moved tags, deleted images and
    /// layers, its policy and settings. A new row needs no touch: absence is not cached.
    Repository(i64),
    /// The tree, the policies and the attachments of an organization, by its id. Which accounts belong to
    /// it is a matter of the accounts' topics.
    Organization(&'a str),
    /// Keys that layers are encrypted under: their states and materials.
    EncryptionKeys,
    /// The key ring.
    KeyRing,
    /// Whether the server refuses writes.
    ReadOnlyMode,
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Account(account) => write!(f, "account/{account}"),
            Topic::Registry { account, region } => write!(f, "registry/{account}/{region}"),
            Topic::Repository(id) => write!(f, "repository/{id}"),
            Topic::Organization(id) => write!(f, "organization/{id}"),
            Topic::EncryptionKeys => f.write_str("encryption-keys"),
            Topic::KeyRing => f.write_str("key-ring"),
            Topic::ReadOnlyMode => f.write_str("read-only-mode"),
        }
    }
}

impl Topic<'_> {
    /// The name of its row.
    pub(crate) fn name(self) -> String {
        self.to_string()
    }

    /// The hash of its name, made without allocating.
    pub(crate) fn hash(self) -> u64 {
        hash_of(self)
    }
}

fn hash_of(name: impl fmt::Display) -> u64 {
    let mut fnv = Fnv(hash(""));
    // Writing to it does not fail.
    let _ = write!(fnv, "{name}");
    fnv.0
}

struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = hash_on(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_names() {
        for topic in [
            Topic::Account("123456789012"),
            Topic::Registry {
                account: "123456789012",
                region: "us-east-1",
            },
            Topic::Repository(-7),
            Topic::Organization("o-exampleorgid"),
            Topic::KeyRing,
            Topic::ReadOnlyMode,
        ] {
            assert_eq!(topic.hash(), hash(&topic.name()), "{topic}");
        }
    }
}
