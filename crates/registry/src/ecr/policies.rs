//! Repository policies and the registry policy.
//!
//! A policy is stored with unique ids in place of its principals'
//! ARNs, so that a policy about a deleted user or role does not apply to a new one of the
//! same name; it is shown with ARNs (IAM user guide,
//! "AWS JSON policy elements: Principal").

use std::collections::HashMap;
use std::sync::Arc;

use aws_api::authorization;
use aws_api::ecr::{
    DeleteRegistryPolicyRequest, DeleteRegistryPolicyResponse, DeleteRepositoryPolicyRequest,
    DeleteRepositoryPolicyResponse, GetRegistryPolicyRequest, GetRegistryPolicyResponse,
    GetRepositoryPolicyRequest, GetRepositoryPolicyResponse, PutRegistryPolicyRequest,
    PutRegistryPolicyResponse, SetRepositoryPolicyRequest, SetRepositoryPolicyResponse,
};
use policy::{Document, DocumentKind, PolicySet};
use store::ecr::{registry_policy, repository};

use crate::cache::Change;
use crate::facts::{read_policy, union};
use crate::{Authorized, Error, Pinned, Registry, RepositoryFacts};

impl Registry {
    /// The resource policies of the repository as they would be with this policy. The caller
    /// decides whether it locks anybody out (`force` of `SetRepositoryPolicy`).
    ///
    /// # Errors
    /// [`Error::InvalidPolicy`].
    pub async fn drafted_policy(
        &self,
        repository: &RepositoryFacts,
        policy_text: &str,
    ) -> Result<Option<Arc<PolicySet>>, Error> {
        let drafted = self.pin(policy_text, DocumentKind::EcrRepository).await?;
        let (account, region) = (&repository.account, &repository.region);
        let registry = self.registry_facts(account, region).await?;
        let of_registry = registry
            .policy
            .as_ref()
            .map(|policy| policy.document.clone());
        let drafted = read_policy(&drafted, DocumentKind::EcrRepository)?;
        let documents = std::iter::once(drafted).chain(of_registry);
        Ok(union(&repository.arn, documents))
    }

    /// `SetRepositoryPolicy`. Whether the policy locks its author out was checked
    /// before: this crate makes no access decisions.
    ///
    /// # Errors
    /// [`Error::InvalidPolicy`], [`Error::RepositoryNotFound`].
    pub async fn set_repository_policy(
        &self,
        cx: &Authorized,
        input: SetRepositoryPolicyRequest,
    ) -> Result<SetRepositoryPolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let stored = self
            .pin(&input.policy_text, DocumentKind::EcrRepository)
            .await?;
        self.store_policy(&repo, Some(stored)).await?;
        Ok(SetRepositoryPolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            policy_text: Some(input.policy_text),
        })
    }

    /// `GetRepositoryPolicy`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::RepositoryPolicyNotFound`].
    pub async fn get_repository_policy(
        &self,
        cx: &Authorized,
        input: GetRepositoryPolicyRequest,
    ) -> Result<GetRepositoryPolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let stored = self.stored_policy(&repo).await?;
        Ok(GetRepositoryPolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            policy_text: Some(self.show(&stored, DocumentKind::EcrRepository).await?),
        })
    }

    /// `DeleteRepositoryPolicy`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::RepositoryPolicyNotFound`].
    pub async fn delete_repository_policy(
        &self,
        cx: &Authorized,
        input: DeleteRepositoryPolicyRequest,
    ) -> Result<DeleteRepositoryPolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let stored = self.stored_policy(&repo).await?;
        let shown = self.show(&stored, DocumentKind::EcrRepository).await?;
        self.store_policy(&repo, None).await?;
        Ok(DeleteRepositoryPolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            policy_text: Some(shown),
        })
    }

    /// `PutRegistryPolicy`: decides together with the policies of all repositories of the
    /// registry, on the actions of its scope (user guide, "Private registry permissions").
    ///
    /// # Errors
    /// [`Error::InvalidPolicy`].
    pub async fn put_registry_policy(
        &self,
        cx: &Authorized,
        input: PutRegistryPolicyRequest,
    ) -> Result<PutRegistryPolicyResponse, Error> {
        let stored = self
            .pin(&input.policy_text, DocumentKind::EcrRegistry)
            .await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        registry_policy::put(&mut tx.conn(), account, region, &stored).await?;
        self.configured(cx, tx).await?;
        Ok(PutRegistryPolicyResponse {
            registry_id: Some(account.to_owned()),
            policy_text: Some(input.policy_text),
        })
    }

    /// `GetRegistryPolicy`.
    ///
    /// # Errors
    /// [`Error::RegistryPolicyNotFound`].
    pub async fn get_registry_policy(
        &self,
        cx: &Authorized,
        _: GetRegistryPolicyRequest,
    ) -> Result<GetRegistryPolicyResponse, Error> {
        let mut read = self.0.store.read().await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let stored = registry_policy::get(&mut read.conn(), account, region).await?;
        drop(read);
        let stored = stored.ok_or(Error::RegistryPolicyNotFound(cx.account))?;
        Ok(GetRegistryPolicyResponse {
            registry_id: Some(account.to_owned()),
            policy_text: Some(self.show(&stored, DocumentKind::EcrRegistry).await?),
        })
    }

    /// `DeleteRegistryPolicy`.
    ///
    /// # Errors
    /// [`Error::RegistryPolicyNotFound`].
    pub async fn delete_registry_policy(
        &self,
        cx: &Authorized,
        _: DeleteRegistryPolicyRequest,
    ) -> Result<DeleteRegistryPolicyResponse, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let policy = registry_policy::get(&mut tx.conn(), account, region).await?;
        let stored = policy.ok_or(Error::RegistryPolicyNotFound(cx.account))?;
        registry_policy::delete(&mut tx.conn(), account, region).await?;
        self.configured(cx, tx).await?;
        Ok(DeleteRegistryPolicyResponse {
            registry_id: Some(account.to_owned()),
            policy_text: Some(self.show(&stored, DocumentKind::EcrRegistry).await?),
        })
    }

    async fn stored_policy(&self, repo: &RepositoryFacts) -> Result<String, Error> {
        let mut read = self.0.store.read().await?;
        let row = repository::get(&mut read.conn(), repo.id).await?;
        let row = row.ok_or_else(|| Error::RepositoryNotFound(repo.place()))?;
        row.policy
            .ok_or_else(|| Error::RepositoryPolicyNotFound(repo.place()))
    }

    async fn store_policy(
        &self,
        repo: &RepositoryFacts,
        policy: Option<String>,
    ) -> Result<(), Error> {
        let mut tx = self.write(repo.id).await?;
        if !repository::set_policy(&mut tx.conn(), repo.id, policy).await? {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        let change = Change::Repository(
            repo.id,
            repo.account,
            repo.region.clone(),
            repo.name.to_string(),
        );
        self.commit(tx, &[change]).await
    }

    /// The text to store: principals' ARNs replaced by their unique ids.
    pub(super) async fn pin(&self, text: &str, kind: DocumentKind) -> Result<String, Error> {
        let document = Document::parse(text, kind).map_err(|error| refused(kind, error.detail))?;
        check_actions(&document, kind)?;
        let mut ids = HashMap::new();
        for principal in document.principals() {
            match self
                .0
                .principals
                .pin(principal)
                .await
                .map_err(Error::internal)?
            {
                Pinned::AsIs => {}
                Pinned::Id(id) => drop(ids.insert(principal.to_owned(), id)),
                Pinned::Unknown => {
                    return Err(Error::PrincipalNotFound(principal.to_owned()));
                }
            }
        }
        Ok(document.map_principals(|principal| ids.get(principal).cloned()))
    }

    /// The text to show: unique ids replaced by their ARNs, where they still have one.
    pub(super) async fn show(&self, stored: &str, kind: DocumentKind) -> Result<String, Error> {
        let document = Document::parse_language(stored, kind).map_err(Error::internal)?;
        let mut arns = HashMap::new();
        for principal in document.principals() {
            if let Some(arn) = self
                .0
                .principals
                .show(principal)
                .await
                .map_err(Error::internal)?
            {
                arns.insert(principal.to_owned(), arn);
            }
        }
        Ok(document.map_principals(|principal| arns.get(principal).cloned()))
    }
}

/// Refuses actions that a repository or registry policy cannot be about: those of other
/// services, and in a repository policy those that act on the registry, such as
/// `ecr:GetAuthorizationToken` (cloudposse/terraform-aws-ecr#67). Patterns are accepted:
/// `ecr:*` is about those of its actions that act on the repository. So are names that the
/// service authorization reference does not know.
fn check_actions(document: &Document, kind: DocumentKind) -> Result<(), Error> {
    let elements = document.statements().iter().map(|s| &s.action);
    for text in elements.filter(|e| !e.not).flat_map(|e| &e.values) {
        let action: &str = &text.value;
        if action == "*" {
            continue;
        }
        let (service, _) = action.split_once(':').unwrap_or((action, ""));
        if !service.eq_ignore_ascii_case("ecr") {
            return Err(refused(kind, format!("`{action}` is not an action of ECR")));
        }
        let known = authorization::action(action);
        let of_registry = known.is_some_and(|action| action.resource_types().next().is_none());
        if kind == DocumentKind::EcrRepository && of_registry {
            let reason = format!("`{action}` does not act on a repository");
            return Err(refused(kind, reason));
        }
    }
    Ok(())
}

fn refused(kind: DocumentKind, reason: String) -> Error {
    let kind = match kind {
        DocumentKind::EcrRegistry => "registry",
        _ => "repository",
    };
    Error::InvalidPolicy { kind, reason }
}
