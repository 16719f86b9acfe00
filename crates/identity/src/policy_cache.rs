//! Policy documents: parsed once, whoever holds them.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use policy::{Document, DocumentKind, PolicyError, PolicySet};
use store::iam::{account, attachment, entity, inline_policy, managed_policy};
use store::{Conn, iam::entity::Kind};

use crate::ids::is_unique_id;
use crate::managed::{self, ARN_PREFIX, AwsPolicy};
use crate::{Error, messages};

/// Parsed documents that are kept, by what they say: callers share most of theirs.
const DOCUMENTS_MAX: usize = 4096;
/// Compiled sets that are kept: all sessions of a role share one, and a change elsewhere
/// compiles nothing anew.
const SETS_MAX: usize = 4096;

type Sha256 = [u8; 32];

/// The parsed documents, and AWS's own.
pub(crate) struct PolicyCache {
    parsed: quick_cache::sync::Cache<Sha256, Arc<Document>>,
    compiled: quick_cache::sync::Cache<Sha256, Arc<PolicySet>>,
}

/// A document with the name that explanations give it.
pub(crate) type Named = (policy::PolicyRef, Arc<Document>);

/// A managed policy, the customer's or AWS's.
pub(crate) enum ManagedPolicyRef<'a> {
    Aws(&'a AwsPolicy),
    Customer(entity::Entity),
}

impl PolicyCache {
    pub(crate) fn new() -> Result<PolicyCache, Error> {
        Ok(PolicyCache {
            parsed: quick_cache::sync::Cache::new(DOCUMENTS_MAX),
            compiled: quick_cache::sync::Cache::new(SETS_MAX),
        })
    }

    /// Parses a stored document. It was valid when it was stored, so one that is not any
    /// more is a fault of the server's; its holder is then refused, never granted.
    pub(crate) fn stored(&self, text: &str, kind: DocumentKind) -> Result<Arc<Document>, Error> {
        let key = sha256([format!("{kind:?}").as_str(), text]);
        if let Some(document) = self.parsed.get(&key) {
            return Ok(document);
        }
        let document = Document::parse_language(text, kind).map_err(Error::internal)?;
        let document = Arc::new(document);
        self.parsed.insert(key, Arc::clone(&document));
        Ok(document)
    }

    /// The document of an AWS managed policy: decompressed and parsed unless it is cached.
    fn aws_document(&self, policy: &AwsPolicy) -> Result<Arc<Document>, Error> {
        let key = sha256(["aws", policy.path, policy.name]);
        if let Some(document) = self.parsed.get(&key) {
            return Ok(document);
        }
        let document = self.stored(&policy.text()?, DocumentKind::Managed)?;
        self.parsed.insert(key, Arc::clone(&document));
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
        if let Some(set) = self.compiled.get(&key) {
            return set;
        }
        let set = compile(documents);
        self.compiled.insert(key, Arc::clone(&set));
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

/// Compiles documents into one set.
pub(crate) fn compile(documents: &[Named]) -> Arc<PolicySet> {
    let documents = documents
        .iter()
        .map(|(name, document)| (name.clone(), &**document));
    Arc::new(PolicySet::compile(documents))
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
    ];
    let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == word) else {
        return Ok(None);
    };
    let name = path_and_name.rsplit('/').next().unwrap_or(path_and_name);
    let found = entity::find(conn, account, kind, name).await?;
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

/// Pins the users and roles that a document names in `Principal` to their unique ids,
/// as IAM does when it stores the document (UG reference_policies_elements_principal,
/// "IAM user principals", "Role principals").
///
/// Sessions and federated users keep their ARNs: they are made of names. A service is
/// not looked up.
pub(crate) async fn pin(conn: &mut Conn<'_>, document: &Document) -> Result<String, Error> {
    let mut pinned: HashMap<String, String> = HashMap::new();
    let principals: Vec<String> = document.principals().map(str::to_owned).collect();
    for principal in principals {
        if pinned.contains_key(&principal) {
            continue;
        }
        let id = pin_one(conn, &principal)
            .await?
            .ok_or_else(|| PolicyError::invalid_principal(document.kind(), &principal))?;
        pinned.insert(principal, id);
    }
    Ok(document
        .map_principals(|principal| pinned.get(principal).filter(|id| *id != principal).cloned()))
}

/// What is stored for one principal; `None` when it does not exist.
async fn pin_one(conn: &mut Conn<'_>, principal: &str) -> Result<Option<String>, Error> {
    let same = Some(principal.to_owned());
    if principal == "*" {
        return Ok(same);
    }
    if is_unique_id(principal) {
        let found = entity::find_by_unique_id(conn, principal).await?;
        return Ok(found.and(same));
    }
    if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(account::find(conn, principal).await?.and(same));
    }
    if let Some((account_id, resource)) = iam_arn(principal) {
        if resource == "root" {
            return Ok(account::find(conn, account_id).await?.and(same));
        }
        let found = entity_by_arn(conn, principal).await?;
        let found = found.filter(|found| matches!(found.kind, Kind::User | Kind::Role));
        return Ok(found.map(|found| found.unique_id));
    }
    if let Some((account_id, resource)) = principal
        .strip_prefix("arn:aws:sts::")
        .and_then(|rest| rest.split_once(':'))
    {
        return Ok(match resource.split('/').collect::<Vec<_>>()[..] {
            ["assumed-role", role, _] => entity::find(conn, account_id, Kind::Role, role)
                .await?
                .and(same),
            ["federated-user", _] => account::find(conn, account_id).await?.and(same),
            _ => None,
        });
    }
    Ok(None)
}

/// Puts ARNs back in place of unique ids; the id of a deleted entity stays.
pub(crate) async fn unpin(conn: &mut Conn<'_>, document: &Document) -> Result<String, Error> {
    let mut arns: HashMap<String, String> = HashMap::new();
    let ids: Vec<String> = document
        .principals()
        .filter(|principal| is_unique_id(principal))
        .map(str::to_owned)
        .collect();
    for id in ids {
        if let Some(found) = entity::find_by_unique_id(conn, &id).await? {
            arns.insert(id, found.arn());
        }
    }
    if arns.is_empty() {
        return Ok(document.source().to_owned());
    }
    Ok(document.map_principals(|id| arns.get(id).cloned()))
}

/// A document as IAM shows it: percent-encoded after RFC 3986.
pub(crate) fn encode(document: &str) -> String {
    aws_types::percent::encode(document)
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn documents_are_encoded_as_rfc_3986_says() {
        assert_eq!(
            encode("{\"a b\": [\"é~-._*\"]}"),
            "%7B%22a%20b%22%3A%20%5B%22%C3%A9~-._%2A%22%5D%7D"
        );
    }
}
