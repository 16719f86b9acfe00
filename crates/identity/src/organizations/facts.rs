//! What the authorization step needs to know of an organization before it decides.
//!
//! The organization's resources belong to its management account. So the identity policies of that account
//! decide about its own callers, and a member's caller also needs the delegation policy, as for any
//! resource of another account. A delegated administrator of a service may read (Organizations User Guide,
//! "Delegated administrator for AWS services").

use std::sync::Arc;

use aws_types::AccountId;
use policy::{DocumentKind, PolicyRef, PolicySet};
use store::Conn;
use store::organizations::organization::{self, Organization};
use store::organizations::{delegation, handshake, policy as policies, tag};

use super::arn;
use super::policies::{aws_policy, policy_arn};
use crate::policy_cache::Named;
use crate::{Error, Identity};

/// Something in an organization that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// `o-…`
    pub organization: String,
    /// Whose the resource is.
    pub management_account: AccountId,
    /// The ARN, `*` for the organization as a whole.
    pub arn: String,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// `organizations:PolicyType`, where a policy takes part.
    pub policy_type: Option<String>,
}

impl Identity {
    /// The organization of the account and, by its id, something in it: a root, a unit, an account, a
    /// policy. `policy` is a policy that the request is about as well. `None`: the account is in no
    /// organization. What does not exist has an ARN too.
    ///
    /// # Errors
    /// The database's.
    pub async fn organization_facts(
        &self,
        account: AccountId,
        id: Option<&str>,
        policy: Option<&str>,
    ) -> Result<Option<OrganizationFacts>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = organization::of_account(&mut conn, account.as_str()).await?;
        let Some(organization) = found else {
            return Ok(None);
        };
        let mut facts = OrganizationFacts {
            management_account: organization
                .management_account
                .parse()
                .map_err(Error::internal)?,
            arn: "*".to_owned(),
            tags: Vec::new(),
            policy_type: None,
            organization: organization.id.clone(),
        };
        if let Some(id) = id {
            facts.arn = self.organization_arn(&mut conn, &organization, id).await?;
            facts.tags = tag::list(&mut conn, &organization.id, id).await?;
        }
        let policy = policy.or(id.filter(|id| id.starts_with("p-")));
        if let Some(policy) = policy {
            facts.policy_type = policy_type(&mut conn, &organization, policy).await?;
        }
        Ok(Some(facts))
    }

    /// The delegation policy, and what delegated administrators may do: the resource policy of decisions
    /// about members' callers.
    ///
    /// # Errors
    /// The database's.
    pub async fn delegation_policy(&self, account: AccountId) -> Result<Arc<PolicySet>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = organization::of_account(&mut conn, account.as_str()).await?;
        let mut documents: Vec<Named> = Vec::new();
        if let Some(organization) = found {
            let kind = DocumentKind::Resource;
            if let Some((id, text)) = &organization.resource_policy {
                let name = PolicyRef::new(kind, arn(&organization, "resourcepolicy", id));
                documents.push((name, self.0.policies.stored(text, kind)?));
            }
            let own = &organization.id;
            let services =
                delegation::administered(&mut conn, own, account.as_str(), "", 1).await?;
            if !services.is_empty() {
                let text = format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":["organizations:Describe*","organizations:List*"],"Resource":"*"}}]}}"#
                );
                let name = PolicyRef::new(kind, "delegated administrator");
                documents.push((name, self.0.policies.stored(&text, kind)?));
            }
        }
        Ok(self.0.policies.compiled(&documents))
    }

    /// The ARN of a handshake that the account is a party of; `None` for any other.
    ///
    /// # Errors
    /// The database's.
    pub async fn handshake_arn(
        &self,
        account: AccountId,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let found = handshake::find(&mut read.conn(), id).await?;
        let own = account.as_str();
        let found = found.filter(|found| found.account == own || found.management_account == own);
        Ok(found.map(|found| {
            format!(
                "arn:aws:organizations::{}:handshake/{}/{}/{id}",
                found.management_account,
                found.organization,
                found.action.to_lowercase()
            )
        }))
    }

    async fn organization_arn(
        &self,
        conn: &mut Conn<'_>,
        organization: &Organization,
        id: &str,
    ) -> Result<String, Error> {
        let kind = match id.split('-').next().unwrap_or_default() {
            "r" => "root",
            "ou" => "ou",
            "rp" => "resourcepolicy",
            "p" => {
                let policy_type = policy_type(conn, organization, id).await?;
                // One that does not exist is of some type.
                let policy_type =
                    policy_type.unwrap_or_else(|| "service_control_policy".to_owned());
                return Ok(policy_arn(organization, &policy_type, id));
            }
            _ => "account",
        };
        Ok(arn(organization, kind, id))
    }
}

async fn policy_type(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Option<String>, Error> {
    if let Some(found) = aws_policy(id) {
        return Ok(Some(found.policy_type));
    }
    let found = policies::find(conn, &organization.id, id).await?;
    Ok(found.map(|found| found.policy_type))
}
