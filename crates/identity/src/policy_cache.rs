//! Compiled policy documents: each is compiled once, for all principals that it applies to.

use std::sync::Arc;

use aws_lc_rs::digest;
use policy::{CompiledDocument, Document, DocumentKind, PolicySet};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::iam::{attachment, entity, inline_policy, managed_policy};
use store::{Conn, iam::entity::Kind};

use crate::managed::{self, ARN_PREFIX, AwsPolicy};
use crate::{Error, messages};

/// The bytes of compiled documents that are kept, by their text: principals share most of theirs.
const DOCUMENTS_BYTES_MAX: u64 = 16 << 20;
/// The bytes of compiled sets that are kept: all sessions of a role share one, and a change
/// elsewhere compiles nothing again.
const SETS_BYTES_MAX: u64 = 16 << 20;
/// What a cache takes for an entry beside key and value.
pub(crate) const ENTRY_BYTES: u64 = 64;
/// The size of a large entry. A cache is divided into shards so that each holds at least 32 of them.
pub(crate) const LARGE_ENTRY_BYTES: u64 = 64 << 10;

type Sha256 = [u8; 32];

/// Weighs compiled policies by what they keep on the heap. Documents count with each set that they
/// are a part of, so together the entries never keep more than the bound.
#[derive(Clone)]
struct ByBytes;

impl Weighter<Sha256, CompiledDocument> for ByBytes {
    fn weight(&self, _: &Sha256, document: &CompiledDocument) -> u64 {
        document.heap_bytes() as u64 + ENTRY_BYTES
    }
}

impl Weighter<Sha256, Arc<PolicySet>> for ByBytes {
    fn weight(&self, _: &Sha256, set: &Arc<PolicySet>) -> u64 {
        set.heap_bytes() as u64 + ENTRY_BYTES
    }
}

/// The compiled documents and sets of documents that are kept.
pub(crate) struct PolicyCache {
    documents: Cache<Sha256, CompiledDocument, ByBytes>,
    sets: Cache<Sha256, Arc<PolicySet>, ByBytes>,
}

/// A document with the name that explanations give it.
pub(crate) type Named = (policy::PolicyRef, CompiledDocument);

/// A managed policy, the customer's or AWS's.
pub(crate) enum ManagedPolicyRef<'a> {
    Aws(&'a AwsPolicy),
    Customer(entity::Entity),
}

impl PolicyCache {
    pub(crate) fn new() -> Result<PolicyCache, Error> {
        Ok(PolicyCache {
            documents: bounded(DOCUMENTS_BYTES_MAX, ByBytes),
            sets: bounded(SETS_BYTES_MAX, ByBytes),
        })
    }

    /// Compiles a stored document. It was valid when it was stored; one that cannot be read is a
    /// fault of the server, and its holder is refused.
    pub(crate) fn stored(&self, text: &str, kind: DocumentKind) -> Result<CompiledDocument, Error> {
        let key = sha256([format!("{kind:?}").as_str(), text]);
        if let Some(document) = self.documents.get(&key) {
            return Ok(document);
        }
        let document = Document::parse_language(text, kind).map_err(Error::internal)?;
        let document = CompiledDocument::new(&document);
        self.documents.insert(key, document.clone());
        Ok(document)
    }

    /// The document of an AWS managed policy: decompressed and compiled unless it is cached.
    fn aws_document(&self, policy: &AwsPolicy) -> Result<CompiledDocument, Error> {
        let key = sha256(["aws", policy.path, policy.name]);
        if let Some(document) = self.documents.get(&key) {
            return Ok(document);
        }
        let document = self.stored(&policy.text()?, DocumentKind::Managed)?;
        self.documents.insert(key, document.clone());
        Ok(document)
    }

    /// Compiles documents into one set, or finds the same set compiled before.
    pub(crate) fn compiled(&self, documents: &[Named]) -> Arc<PolicySet> {
        let kinds: Vec<String> = documents
            .iter()
            .map(|(name, _)| format!("{:?}", name.kind))
            .collect();
        let texts = documents.iter().zip(&kinds);
        let key =
            sha256(texts.flat_map(|((name, document), kind)| {
                [kind.as_str(), &*name.name, document.source()]
            }));
        if let Some(set) = self.sets.get(&key) {
            return set;
        }
        let set = Arc::new(PolicySet::union(documents.iter().cloned()));
        self.sets.insert(key, Arc::clone(&set));
        set
    }

    /// The managed policy of this ARN.
    pub(crate) async fn find(
        &self,
        conn: &mut Conn<'_>,
        arn: &str,
    ) -> Result<Option<ManagedPolicyRef<'_>>, Error> {
        if arn.starts_with(ARN_PREFIX) {
            return Ok(managed::find(arn).map(ManagedPolicyRef::Aws));
        }
        let found = entity_by_arn(conn, arn).await?;
        Ok(found
            .filter(|policy| policy.kind == Kind::Policy)
            .map(ManagedPolicyRef::Customer))
    }

    /// The managed policy of this ARN, if it is AWS's or the account's. Another account's policy is
    /// not looked up, so that nothing tells whether it exists.
    pub(crate) async fn find_in(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
        arn: &str,
    ) -> Result<Option<ManagedPolicyRef<'_>>, Error> {
        let owned = arn.starts_with(ARN_PREFIX) || account_of(arn) == Some(account);
        match owned {
            true => self.find(conn, arn).await,
            false => Ok(None),
        }
    }

    /// The managed policy that an entity of the account may use.
    pub(crate) async fn attachable(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
        arn: &str,
    ) -> Result<ManagedPolicyRef<'_>, Error> {
        let found = self.find_in(conn, account, arn).await?;
        found.ok_or_else(|| messages::policy_not_attachable(arn))
    }

    /// The document in force of a managed policy. `None` when the policy is gone.
    pub(crate) async fn managed(
        &self,
        conn: &mut Conn<'_>,
        arn: &str,
        kind: DocumentKind,
    ) -> Result<Option<Named>, Error> {
        let document = match self.find(conn, arn).await? {
            None => return Ok(None),
            Some(ManagedPolicyRef::Aws(policy)) => self.aws_document(policy)?,
            Some(ManagedPolicyRef::Customer(policy)) => {
                let version = managed_policy::default_version(conn, policy.id).await?;
                self.stored(&version.document, kind)?
            }
        };
        Ok(Some((policy::PolicyRef::new(kind, arn), document)))
    }

    /// All documents of a user, group or role: inline and attached.
    pub(crate) async fn of_entity(
        &self,
        conn: &mut Conn<'_>,
        holder: &entity::Entity,
        into: &mut Vec<Named>,
    ) -> Result<(), Error> {
        let kind = match holder.kind {
            Kind::Group => DocumentKind::InlineGroup,
            Kind::Role => DocumentKind::InlineRole,
            _ => DocumentKind::InlineUser,
        };
        for inline in inline_policy::list(conn, holder.id).await? {
            let document = self.stored(&inline.document, kind)?;
            into.push((policy::PolicyRef::new(kind, inline.name), document));
        }
        for arn in attachment::list(conn, holder.id).await? {
            into.extend(self.managed(conn, &arn, DocumentKind::Managed).await?);
        }
        Ok(())
    }
}

/// The hash of texts, each told apart from the next by its length.
fn sha256<'a>(texts: impl IntoIterator<Item = &'a str>) -> Sha256 {
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in texts {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(hash.finish().as_ref());
    key
}

/// A cache that keeps at most this many bytes.
pub(crate) fn bounded<K, V, W>(bytes_max: u64, weighter: W) -> Cache<K, V, W>
where
    K: Eq + std::hash::Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    let large = usize::try_from(bytes_max / LARGE_ENTRY_BYTES).unwrap_or(usize::MAX);
    Cache::with_weighter(large.max(1), bytes_max, weighter)
}

/// The IAM entity of an ARN. Its path must be the real one.
pub(crate) async fn entity_by_arn(
    conn: &mut Conn<'_>,
    arn: &str,
) -> Result<Option<entity::Entity>, Error> {
    let Some((account, resource)) = iam_arn(arn) else {
        return Ok(None);
    };
    let Some((word, path_and_name)) = resource.split_once('/') else {
        return Ok(None);
    };
    let kinds = [
        Kind::User,
        Kind::Group,
        Kind::Role,
        Kind::Policy,
        Kind::InstanceProfile,
        Kind::MfaDevice,
        Kind::SamlProvider,
    ];
    let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == word) else {
        return Ok(None);
    };
    let key = match (kind, path_and_name.rsplit('/').next()) {
        (Kind::MfaDevice, _) | (_, None) => path_and_name,
        (_, Some(name)) => name,
    };
    let found = entity::find(conn, account, kind, key).await?;
    Ok(found.filter(|found| found.arn() == arn))
}

/// The account of an ARN of IAM's.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    iam_arn(arn).map(|(account, _)| account)
}

/// Account and resource of an ARN of IAM's.
fn iam_arn(arn: &str) -> Option<(&str, &str)> {
    arn.strip_prefix("arn:aws:iam::")?.split_once(':')
}

/// A document as IAM shows it: percent-encoded after RFC 3986.
pub(crate) fn encode(document: &str) -> String {
    aws_types::percent::encode(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A managed policy of nearly the largest size, different for each number.
    fn large_policy(number: usize) -> String {
        let resources: Vec<String> = (0..110)
            .map(|at| format!("\"arn:aws:ecr:*:*:repository/{number}/{at}-*\""))
            .collect();
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "ecr:*",
                 "Resource": [{}]}}]}}"#,
            resources.join(",")
        )
    }

    #[test]
    fn caches_keep_at_most_their_bytes() {
        let cache = PolicyCache::new().unwrap();
        let mut compiled = 0;
        for number in 0.. {
            let document = cache.stored(&large_policy(number), DocumentKind::Managed);
            let document = document.unwrap();
            compiled += document.heap_bytes() as u64;
            let name = policy::PolicyRef::new(DocumentKind::Managed, "arn");
            cache.compiled(&[(name, document)]);
            if compiled > 2 * DOCUMENTS_BYTES_MAX {
                break;
            }
        }
        let documents: usize = cache
            .documents
            .iter()
            .map(|(_, kept)| kept.heap_bytes())
            .sum();
        let sets: usize = cache.sets.iter().map(|(_, kept)| kept.heap_bytes()).sum();
        for (kept, max) in [(documents, DOCUMENTS_BYTES_MAX), (sets, SETS_BYTES_MAX)] {
            assert!((kept as u64) <= max, "{kept} of {max} bytes");
            assert!(kept as u64 > max / 2, "{kept} of {max} bytes");
        }
    }

    #[test]
    fn sets_share_documents() {
        let cache = PolicyCache::new().unwrap();
        let texts: Vec<String> = (0..10).map(large_policy).collect();
        let named = |first: &str| -> Vec<Named> {
            let texts = texts.iter().map(String::as_str).skip(1);
            let all = std::iter::once(first).chain(texts);
            all.map(|text| {
                let document = cache.stored(text, DocumentKind::Managed).unwrap();
                (
                    policy::PolicyRef::new(DocumentKind::Managed, "arn"),
                    document,
                )
            })
            .collect()
        };
        let one = named(&texts[0]);
        let other = named(&large_policy(10));
        for (one, other) in one.iter().zip(&other).skip(1) {
            assert!(std::ptr::eq(one.1.source(), other.1.source()));
        }
    }

    #[test]
    fn documents_are_encoded_as_rfc_3986_says() {
        assert_eq!(
            encode("{\"a b\": [\"é~-._*\"]}"),
            "%7B%22a%20b%22%3A%20%5B%22%C3%A9~-._%2A%22%5D%7D"
        );
    }
}
