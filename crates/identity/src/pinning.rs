//! Principals that policies name, pinned to unique ids: for trust policies, and through
//! [`Identity::pin_principal`] for the policies of repositories and registries.
//!
//! IAM replaces the ARN of a user or a role with its unique id when it stores a policy, and shows the
//! ARN again while the entity exists (UG reference_policies_elements_principal, "IAM user principals",
//! "IAM role principals"; docs/semantics.md#16). So a policy never means a user or a role that was created later
//! under the same name.
//!
//! Each form is looked up, and a principal that does not exist is refused:
//!
//! | named | must exist | stored |
//! |---|---|---|
//! | `*` | | as written |
//! | account, root user | the account | as written |
//! | user, role | the user or role, with its path | its unique id |
//! | role session | the role | as written: sessions have no unique id |
//! | federated user | the account | as written |
//! | `AIDA...`, `AROA...` | the user or role | as written |
//!
//! The pages do not say what IAM looks up for sessions. Looking up what they belong to is stricter, and
//! refuses the same mistakes. The only partition is `aws`.

use std::collections::HashMap;

use policy::{Document, DocumentKind, NamedPrincipal, PolicyError, PrincipalType};
use store::Conn;
use store::iam::account;
use store::iam::entity::{self, Entity, Kind};

use crate::policy_cache::entity_by_arn;
use crate::{Error, Identity};

/// What is stored for a principal that a policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinnedPrincipal {
    /// The principal as it is written.
    AsWritten,
    /// The unique id of the user or role.
    UniqueId(String),
    /// There is no such principal: the policy is refused.
    Unknown,
}

impl Identity {
    /// What to store for `principal`, an entry of a policy's `AWS` list.
    ///
    /// # Errors
    /// The database's.
    pub async fn pin_principal(&self, principal: &str) -> Result<PinnedPrincipal, Error> {
        let mut read = self.0.store.snapshot().await?;
        pin_one(&mut read.conn(), principal).await
    }

    /// The ARN to show for `stored`, if that is the unique id of a user or role that exists.
    ///
    /// # Errors
    /// The database's.
    pub async fn unpin_principal(&self, stored: &str) -> Result<Option<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        unpin_one(&mut read.conn(), stored).await
    }
}

impl Identity {
    /// The text to store of a policy that another service keeps.
    ///
    /// # Errors
    /// A text that is no policy of this kind, a principal that does not exist, and the database's.
    pub async fn pin_document(&self, text: &str, kind: DocumentKind) -> Result<String, Error> {
        let document = Document::parse(text, kind)?;
        let mut read = self.0.store.snapshot().await?;
        pin(&mut read.conn(), &document).await
    }

    /// The text to show of such a policy.
    ///
    /// # Errors
    /// The database's.
    pub async fn unpin_document(&self, stored: &str, kind: DocumentKind) -> Result<String, Error> {
        let document = Document::parse_language(stored, kind)?;
        let mut read = self.0.store.snapshot().await?;
        unpin(&mut read.conn(), &document).await
    }
}

/// The document's text as it is stored.
pub(crate) async fn pin(conn: &mut Conn<'_>, document: &Document) -> Result<String, Error> {
    let mut pinned: HashMap<String, Option<String>> = HashMap::new();
    for principal in document.principals() {
        if pinned.contains_key(principal) {
            continue;
        }
        let stored = match pin_one(conn, principal).await? {
            PinnedPrincipal::AsWritten => None,
            PinnedPrincipal::UniqueId(id) => Some(id),
            PinnedPrincipal::Unknown => {
                return Err(PolicyError::invalid_principal(document.kind(), principal).into());
            }
        };
        pinned.insert(principal.to_owned(), stored);
    }
    Ok(document.map_principals(|principal| pinned.get(principal).cloned().flatten()))
}

/// The document's text as it is shown; the id of a deleted entity stays.
pub(crate) async fn unpin(conn: &mut Conn<'_>, document: &Document) -> Result<String, Error> {
    let mut arns: HashMap<String, String> = HashMap::new();
    for stored in document.principals() {
        if let Some(arn) = unpin_one(conn, stored).await? {
            arns.insert(stored.to_owned(), arn);
        }
    }
    Ok(document.map_principals(|stored| arns.get(stored).cloned()))
}

async fn pin_one(conn: &mut Conn<'_>, principal: &str) -> Result<PinnedPrincipal, Error> {
    if principal.starts_with("arn:") && !principal.starts_with("arn:aws:") {
        return Ok(PinnedPrincipal::Unknown);
    }
    let exists = match NamedPrincipal::parse(PrincipalType::Aws, principal) {
        Some(NamedPrincipal::Everyone) => true,
        Some(NamedPrincipal::Account(account) | NamedPrincipal::FederatedUser { account, .. }) => {
            account::find(conn, account).await?.is_some()
        }
        Some(NamedPrincipal::User { .. } | NamedPrincipal::Role { .. }) => {
            let found = entity_by_arn(conn, principal).await?.filter(is_principal);
            return Ok(found.map_or(PinnedPrincipal::Unknown, |found| {
                PinnedPrincipal::UniqueId(found.unique_id)
            }));
        }
        Some(NamedPrincipal::RoleSession { account, role, .. }) => {
            let role = entity::find(conn, account, Kind::Role, role).await?;
            role.is_some()
        }
        Some(NamedPrincipal::UniqueId(id)) => {
            let found = entity::find_by_unique_id(conn, id).await?;
            found.as_ref().is_some_and(is_principal)
        }
        // Of the others none is listed under `AWS`, or none is anybody here.
        Some(_) | None => false,
    };
    Ok(match exists {
        true => PinnedPrincipal::AsWritten,
        false => PinnedPrincipal::Unknown,
    })
}

async fn unpin_one(conn: &mut Conn<'_>, stored: &str) -> Result<Option<String>, Error> {
    let named = NamedPrincipal::parse(PrincipalType::Aws, stored);
    let Some(NamedPrincipal::UniqueId(id)) = named else {
        return Ok(None);
    };
    let found = entity::find_by_unique_id(conn, id).await?;
    Ok(found.map(|found| found.arn()))
}

fn is_principal(entity: &Entity) -> bool {
    matches!(entity.kind, Kind::User | Kind::Role)
}
