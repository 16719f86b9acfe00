//! The delegation policy: what members may do with the organization.

use aws_api::organizations::{
    DescribeResourcePolicyResponse, PutResourcePolicyRequest, PutResourcePolicyResponse,
    ResourcePolicy, ResourcePolicySummary,
};
use policy::{Document, DocumentKind};
use store::Topic;
use store::organizations::organization::{self, Organization};
use store::organizations::tag;

use super::{Organizations, arn, decided, messages, tags};
use crate::pinning::{pin, unpin};
use crate::{Authorized, Error};

impl Organizations {
    /// `PutResourcePolicy`. It may grant actions of Organizations alone.
    ///
    /// # Errors
    /// `InvalidInputException` for a document that is no such policy.
    pub async fn put_resource_policy(
        &self,
        cx: &Authorized,
        input: PutResourcePolicyRequest,
    ) -> Result<PutResourcePolicyResponse, Error> {
        let document = parse(&input.content)?;
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let stored = pin(&mut conn, &document).await.map_err(not_json)?;
        let id = match &organization.resource_policy {
            Some((id, _)) => id.clone(),
            None => self.fresh_id::<10>("rp-")?,
        };
        let own = &organization.id;
        organization::set_resource_policy(&mut conn, own, Some((&id, &stored))).await?;
        tags::put(&mut conn, own, &id, input.tags).await?;
        tx.touch(Topic::Organization(own));
        tx.commit().await?;
        Ok(PutResourcePolicyResponse {
            resource_policy: Some(view(&organization, &id, input.content)),
        })
    }

    /// `DescribeResourcePolicy`.
    ///
    /// # Errors
    /// `ResourcePolicyNotFoundException`.
    pub async fn describe_resource_policy(
        &self,
        cx: &Authorized,
        (): (),
    ) -> Result<DescribeResourcePolicyResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (id, stored) = organization
            .resource_policy
            .clone()
            .ok_or_else(messages::no_resource_policy)?;
        let document = Document::parse_language(&stored, DocumentKind::Resource)?;
        let shown = unpin(&mut conn, &document).await?;
        Ok(DescribeResourcePolicyResponse {
            resource_policy: Some(view(&organization, &id, shown)),
        })
    }

    /// `DeleteResourcePolicy`.
    ///
    /// # Errors
    /// `ResourcePolicyNotFoundException`.
    pub async fn delete_resource_policy(&self, cx: &Authorized, (): ()) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let own = &organization.id;
        let Some((id, _)) = &organization.resource_policy else {
            return Err(messages::no_resource_policy());
        };
        organization::set_resource_policy(&mut conn, own, None).await?;
        tag::delete_all(&mut conn, own, id).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }
}

/// A resource policy whose actions are Organizations' (Organizations User Guide, "Delegated administrator
/// for AWS Organizations").
fn parse(content: &str) -> Result<Document, Error> {
    let document = Document::parse(content, DocumentKind::Resource);
    let document = document.map_err(|refused| not_json(refused.into()))?;
    let is_own = |action: &str| {
        let prefix = action.split(':').next().unwrap_or_default();
        prefix.eq_ignore_ascii_case("organizations")
    };
    let mut actions = document
        .statements()
        .iter()
        .flat_map(|statement| &statement.action.values);
    match actions.all(|action| is_own(&action.value)) {
        true => Ok(document),
        false => Err(messages::invalid(
            "INVALID_RESOURCE_POLICY_JSON",
            "The resource policy may contain actions of AWS Organizations only.",
        )),
    }
}

/// A refused document, in the form of Organizations' errors. Failures stay what they are.
fn not_json(error: Error) -> Error {
    match error {
        Error::Refused(_, message) => messages::invalid("INVALID_RESOURCE_POLICY_JSON", &message),
        other => other,
    }
}

fn view(organization: &Organization, id: &str, content: String) -> ResourcePolicy {
    ResourcePolicy {
        resource_policy_summary: Some(ResourcePolicySummary {
            id: Some(id.to_owned()),
            arn: Some(arn(organization, "resourcepolicy", id)),
        }),
        content: Some(content),
    }
}
