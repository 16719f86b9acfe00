//! Tokens for parts of a registry: a principal, like a registry password, and what the token is for.
//!
//! A token's scope only narrows. What its principal may do is looked up and decided at each use, so a token
//! ends with its key, user, role or session, as a password does; and what the scope does not name is refused
//! even where the principal may do it. A token made from another credential ends no later than that, and
//! names nothing that it did not.

use std::sync::Arc;

use aws_api::Secret;
use aws_types::{AccountId, Region};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::caller::credential;
use crate::registry_password::{PASSWORD_LIFETIME, pointer, principal_of};
use crate::{AuthError, Caller, Error, Identity, PrincipalRef};

/// How long a token lasts that a client was given for its next requests (Docker's token servers give minutes).
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// What tokens are sealed for.
const REGISTRY_TOKEN: &str = "registry-token";

/// What tells a token from a password: neither has a dot otherwise.
const PREFIX: &str = "bt.";

/// Bytes of a scope, so that a token of a password fits into a header as well.
const SCOPE_BYTES_MAX: usize = 2048;

/// What a client does in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ScopeAction {
    /// Reads manifests, layers, tags and referrers.
    #[serde(rename = "l")]
    Pull,
    /// Uploads layers, and puts manifests and tags.
    #[serde(rename = "s")]
    Push,
    /// Deletes images.
    #[serde(rename = "d")]
    Delete,
}

impl ScopeAction {
    /// All actions.
    pub const ALL: [ScopeAction; 3] = [ScopeAction::Pull, ScopeAction::Push, ScopeAction::Delete];

    /// The action's name in Docker's token protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ScopeAction::Pull => "pull",
            ScopeAction::Push => "push",
            ScopeAction::Delete => "delete",
        }
    }
}

/// A repository, and what may be done in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryScope {
    /// The repository's name.
    #[serde(rename = "n")]
    pub name: String,
    /// The actions, each once and sorted.
    #[serde(rename = "a")]
    pub actions: Vec<ScopeAction>,
}

/// What a token is for: parts of one registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenScope {
    #[serde(rename = "r")]
    registry: String,
    #[serde(rename = "g")]
    region: String,
    #[serde(rename = "p")]
    repositories: Vec<RepositoryScope>,
    /// Whether the registry's list of repositories belongs to it.
    #[serde(rename = "c")]
    catalog: bool,
}

impl TokenScope {
    /// Nothing of a registry: a token with this scope proves who its principal is.
    #[must_use]
    pub fn of_registry(registry: &AccountId, region: &Region) -> TokenScope {
        TokenScope {
            registry: registry.to_string(),
            region: region.to_string(),
            repositories: Vec::new(),
            catalog: false,
        }
    }

    /// The same with actions in a repository.
    #[must_use]
    pub fn and(mut self, name: &str, actions: &[ScopeAction]) -> TokenScope {
        let at = self.repositories.iter().position(|one| one.name == name);
        let at = at.unwrap_or_else(|| {
            self.repositories.push(RepositoryScope {
                name: name.to_owned(),
                actions: Vec::new(),
            });
            self.repositories.len() - 1
        });
        let held = &mut self.repositories[at].actions;
        held.extend(actions);
        held.sort_unstable();
        held.dedup();
        self
    }

    /// The same with the list of repositories.
    #[must_use]
    pub fn and_catalog(mut self) -> TokenScope {
        self.catalog = true;
        self
    }

    /// The repositories.
    #[must_use]
    pub fn repositories(&self) -> &[RepositoryScope] {
        &self.repositories
    }

    /// Whether the list of repositories belongs to the scope.
    #[must_use]
    pub fn has_catalog(&self) -> bool {
        self.catalog
    }

    /// Whether the scope is of a registry's parts.
    #[must_use]
    pub fn is_of(&self, registry: &AccountId, region: &Region) -> bool {
        self.registry == registry.as_str() && self.region == region.as_str()
    }

    /// Whether an action in a repository belongs to the scope.
    #[must_use]
    pub fn allows(&self, name: &str, action: ScopeAction) -> bool {
        let mut repositories = self.repositories.iter();
        repositories.any(|one| one.name == name && one.actions.contains(&action))
    }

    /// What belongs to both scopes.
    #[must_use]
    pub fn and_only(&self, other: &TokenScope) -> TokenScope {
        let mut both = TokenScope {
            repositories: Vec::new(),
            catalog: self.catalog && other.catalog,
            ..self.clone()
        };
        if self.registry != other.registry || self.region != other.region {
            both.catalog = false;
            return both;
        }
        for one in &self.repositories {
            let actions = one.actions.iter().copied();
            let actions: Vec<_> = actions
                .filter(|action| other.allows(&one.name, *action))
                .collect();
            if !actions.is_empty() {
                both = both.and(&one.name, &actions);
            }
        }
        both
    }

    /// Whether the scope is short enough for a token.
    #[must_use]
    pub fn fits(&self) -> bool {
        let names = self.repositories.iter().map(|one| one.name.len() + 32);
        names.sum::<usize>() <= SCOPE_BYTES_MAX
    }
}

/// A password or a token of a registry, opened.
#[derive(Clone, Debug)]
pub struct RegistryCredential {
    /// Whose it is. Ask [`Identity::caller`] what it is now.
    pub principal: PrincipalRef,
    /// What it is limited to; `None` for a password.
    pub scope: Option<TokenScope>,
}

impl Identity {
    /// A token for a job, which may outlast the session that asked for it, as a registry password does.
    ///
    /// # Errors
    /// The random source's.
    pub fn issue_registry_token(
        &self,
        caller: &Caller,
        scope: &TokenScope,
        lifetime: SignedDuration,
        now: Timestamp,
    ) -> Result<(Secret<String>, Timestamp), Error> {
        let ends_at = now
            .saturating_add(lifetime.min(PASSWORD_LIFETIME))
            .map_err(Error::internal)?;
        self.seal_token(credential(caller)?, scope, ends_at)
    }

    /// A token of a password or of another token, for a client's next requests: the part of `wanted` that
    /// the credential is for. It ends with the credential.
    ///
    /// # Errors
    /// The random source's.
    pub fn narrow_registry_credential(
        &self,
        credential: &RegistryCredential,
        wanted: &TokenScope,
        now: Timestamp,
    ) -> Result<(Secret<String>, TokenScope, Timestamp), Error> {
        let scope = match &credential.scope {
            Some(held) => wanted.and_only(held),
            None => wanted.clone(),
        };
        let mut ends_at = now
            .saturating_add(TOKEN_LIFETIME)
            .map_err(Error::internal)?;
        if let Some(end) = credential.principal.expires_at() {
            ends_at = ends_at.min(end);
        }
        let (token, ends_at) = self.seal_token(&credential.principal, &scope, ends_at)?;
        Ok((token, scope, ends_at))
    }

    fn seal_token(
        &self,
        principal: &PrincipalRef,
        scope: &TokenScope,
        ends_at: Timestamp,
    ) -> Result<(Secret<String>, Timestamp), Error> {
        let (pointer, ends_at) = pointer(principal, ends_at)?;
        let scope = serde_json::to_vec(scope).map_err(Error::internal)?;
        let length = u32::try_from(scope.len()).map_err(Error::internal)?;
        let payload = [&length.to_be_bytes()[..], &scope, &pointer].concat();
        let sealed = self.0.sealer.seal(REGISTRY_TOKEN, &payload, ends_at)?;
        Ok((Secret::new(format!("{PREFIX}{sealed}")), ends_at))
    }

    /// Opens a registry password or a token.
    ///
    /// # Errors
    /// [`AuthError::ExpiredToken`], and [`AuthError::InvalidClientTokenId`] for what was not made here.
    pub async fn open_registry_credential(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<RegistryCredential, AuthError> {
        if let Some(token) = text.strip_prefix(PREFIX) {
            return self.open_registry_token(token, now).await;
        }
        Ok(RegistryCredential {
            principal: self.open_registry_password(text, now).await?,
            scope: None,
        })
    }

    async fn open_registry_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<RegistryCredential, AuthError> {
        let sealer = &self.0.sealer;
        let (payload, until) = sealer.open_dated(REGISTRY_TOKEN, token, now).await?;
        // Authenticated, so it is of our own making, perhaps of another version.
        let invalid = AuthError::InvalidClientTokenId;
        let Some((length, rest)) = payload.split_first_chunk::<4>() else {
            return Err(invalid);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((scope, pointer)) = rest.split_at_checked(length) else {
            return Err(invalid);
        };
        let scope = serde_json::from_slice(scope).map_err(|_| invalid)?;
        Ok(RegistryCredential {
            principal: PrincipalRef(Arc::new(principal_of(pointer, until)?)),
            scope: Some(scope),
        })
    }
}
