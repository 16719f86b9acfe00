//! What an organization imposes on its accounts: the policies of each level, compiled, and the condition
//! keys. Asked for at every request, so an account's answer is kept until its place, or the organization,
//! changes.

use std::sync::Arc;

pub use authz::AccountControls;
use aws_types::AccountId;
use policy::{CompiledDocument, PolicyRef, PolicySet};
use store::organizations::organization::{self, Organization};
use store::organizations::{attachment, member};

use super::policies::{aws_policy, document_kind, policy_arn};
use super::{RESOURCE_CONTROL, SERVICE_CONTROL, tree};
use crate::controls_cache::Dated;
use crate::{Error, Identity};

/// Maximum reloads when the account or its organization changes during a load. The last one counts, but is
/// not kept.
const READS_MAX: usize = 4;

impl Identity {
    /// What the account's organization imposes on it; `None` for an account in no organization.
    ///
    /// # Errors
    /// The database's; [`Error::Internal`] for a stored policy that cannot be read.
    pub async fn account_controls(
        &self,
        account: AccountId,
    ) -> Result<Option<Arc<AccountControls>>, Error> {
        let store = &self.0.store;
        if let Some(found) = self.0.controls.0.get(&account)
            && found.is_fresh(store, account)
        {
            return Ok(found.controls);
        }
        let mut reads = 0;
        loop {
            let read_at = store.moment();
            // On the heap: a request that finds the answer kept does not carry the room for this.
            let controls = Box::pin(self.load_controls(account)).await?;
            reads += 1;
            let dated = Dated {
                controls: controls.clone(),
                read_at,
            };
            if dated.is_fresh(store, account) {
                self.0.controls.0.insert(account, dated);
                return Ok(controls);
            }
            if reads == READS_MAX {
                return Ok(controls);
            }
        }
    }

    async fn load_controls(
        &self,
        account: AccountId,
    ) -> Result<Option<Arc<AccountControls>>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = organization::of_account(&mut conn, account.as_str()).await?;
        let Some(organization) = found else {
            return Ok(None);
        };
        let member = member::find(&mut conn, &organization.id, account.as_str()).await?;
        let member = member.ok_or_else(|| Error::internal("a member without its row"))?;
        let mut levels = tree::lineage(&mut conn, &organization, &member.parent).await?;
        let path = format!("{}/{}/", organization.id, levels.join("/"));
        levels.push(member.account);
        let is_management = organization.management_account == account.as_str();
        let mut controls = AccountControls {
            organization: organization.id.as_str().into(),
            management_account: organization.management_account.as_str().into(),
            path: path.into(),
            is_management,
            service_control: Vec::new(),
            resource_control: Vec::new(),
        };
        // Neither binds the management account (docs/semantics.md#10).
        if is_management {
            return Ok(Some(Arc::new(controls)));
        }
        let enabled = organization::policy_types(&mut conn, &organization.id).await?;
        let is_enabled = |policy_type: &str| enabled.iter().any(|enabled| enabled == policy_type);
        for level in &levels {
            let attached = attachment::documents(&mut conn, &organization.id, level).await?;
            if is_enabled(SERVICE_CONTROL) {
                let set = self.level(&organization, SERVICE_CONTROL, &attached)?;
                controls.service_control.push(set);
            }
            if is_enabled(RESOURCE_CONTROL) {
                let set = self.level(&organization, RESOURCE_CONTROL, &attached)?;
                // AWS's own denies nothing, and every level allows (docs/semantics.md#10).
                if !set.is_empty() {
                    controls.resource_control.push(set);
                }
            }
        }
        Ok(Some(Arc::new(controls)))
    }

    /// The union of one type's policies that are attached to one level.
    fn level(
        &self,
        organization: &Organization,
        policy_type: &str,
        attached: &[(String, String, Option<String>)],
    ) -> Result<PolicySet, Error> {
        let kind = document_kind(policy_type);
        let mut documents: Vec<(PolicyRef, CompiledDocument)> = Vec::new();
        for (_, id, content) in attached.iter().filter(|row| row.0 == policy_type) {
            let own = match content {
                Some(content) => content.clone(),
                None if policy_type == RESOURCE_CONTROL => continue,
                None => {
                    aws_policy(id)
                        .ok_or_else(|| Error::internal("an attached policy is gone"))?
                        .content
                }
            };
            let name = PolicyRef::new(kind, policy_arn(organization, policy_type, id));
            documents.push((name, self.0.policies.stored(&own, kind)?));
        }
        Ok((*self.0.policies.compiled(&documents)).clone())
    }
}
