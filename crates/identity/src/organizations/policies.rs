//! Service control policies and resource control policies.

use ::policy::{Document, DocumentKind, PolicyErrorCode};
use aws_api::organizations::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, DescribeEffectivePolicyRequest,
    DescribeEffectivePolicyResponse, DescribePolicyRequest, DescribePolicyResponse, ErrorCode,
    ListAccountsWithInvalidEffectivePolicyRequest, ListAccountsWithInvalidEffectivePolicyResponse,
    ListEffectivePolicyValidationErrorsRequest, ListEffectivePolicyValidationErrorsResponse,
    ListPoliciesRequest, ListPoliciesResponse, Policy as PolicyView, PolicySummary, PolicyType,
    UpdatePolicyRequest, UpdatePolicyResponse,
};
use store::organizations::organization::Organization;
use store::organizations::policy::{self, Policy};
use store::organizations::{attachment, tag};
use store::{Conn, Topic};

use super::accounts::existing;
use super::lifecycle::available;
use super::paging::Page;
use super::{ALLOW_ALL, Organizations, RESOURCE_CONTROL, decided, messages, of_caller, tags, tree};
use crate::{Authorized, Error};

/// Policies of an organization (Organizations User Guide, "Quotas for AWS Organizations").
const SERVICE_CONTROL_MAX: i64 = 10_000;
const RESOURCE_CONTROL_MAX: i64 = 1_000;

/// The document of AWS's policies that allow everything.
const ALLOW_ALL_SCP: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const ALLOW_ALL_RCP: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

impl Organizations {
    /// `CreatePolicy`.
    ///
    /// # Errors
    /// `PolicyTypeNotAvailableForOrganizationException`, `MalformedPolicyDocumentException`,
    /// `DuplicatePolicyException`; `ConstraintViolationException` for a long document and for too many.
    pub async fn create_policy(
        &self,
        cx: &Authorized,
        input: CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        available(&organization, input.r#type)?;
        let policy_type = input.r#type.as_str();
        check_document(&input.content, policy_type)?;
        let max = match policy_type {
            RESOURCE_CONTROL => RESOURCE_CONTROL_MAX,
            _ => SERVICE_CONTROL_MAX,
        };
        if policy::count(&mut conn, &organization.id, policy_type).await? >= max {
            return Err(messages::constraint(
                "POLICY_NUMBER_LIMIT_EXCEEDED",
                "You have exceeded the allowed number of policies.",
            ));
        }
        check_name(&mut conn, &organization, &input.name, None).await?;
        let created = Policy {
            id: self.fresh_id::<10>("p-")?,
            organization: organization.id.clone(),
            policy_type: policy_type.to_owned(),
            name: input.name,
            description: input.description,
            content: input.content,
        };
        policy::insert(&mut conn, &created).await?;
        tags::put(&mut conn, &organization.id, &created.id, input.tags).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(CreatePolicyResponse {
            policy: Some(view(&organization, created)),
        })
    }

    /// `DescribePolicy`.
    ///
    /// # Errors
    /// `PolicyNotFoundException`.
    pub async fn describe_policy(
        &self,
        cx: &Authorized,
        input: DescribePolicyRequest,
    ) -> Result<DescribePolicyResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = find(&mut conn, &organization, &input.policy_id).await?;
        Ok(DescribePolicyResponse {
            policy: Some(view(&organization, found)),
        })
    }

    /// `UpdatePolicy`: name, description and document, each where it is given.
    ///
    /// # Errors
    /// `PolicyNotFoundException`, `MalformedPolicyDocumentException`, `DuplicatePolicyException`;
    /// `InvalidInputException` for AWS's own policies.
    pub async fn update_policy(
        &self,
        cx: &Authorized,
        input: UpdatePolicyRequest,
    ) -> Result<UpdatePolicyResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let mut found = own(&mut conn, &organization, &input.policy_id).await?;
        if let Some(content) = input.content {
            check_document(&content, &found.policy_type)?;
            found.content = content;
        }
        if let Some(name) = input.name {
            check_name(&mut conn, &organization, &name, Some(&found.id)).await?;
            found.name = name;
        }
        if let Some(description) = input.description {
            found.description = description;
        }
        let (name, description) = (&found.name, &found.description);
        policy::update(&mut conn, &found.id, name, description, &found.content).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(UpdatePolicyResponse {
            policy: Some(view(&organization, found)),
        })
    }

    /// `DeletePolicy`: only one that is attached to nothing.
    ///
    /// # Errors
    /// `PolicyNotFoundException`, `PolicyInUseException`; `InvalidInputException` for AWS's own policies.
    pub async fn delete_policy(
        &self,
        cx: &Authorized,
        input: DeletePolicyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = own(&mut conn, &organization, &input.policy_id).await?;
        let own = &organization.id;
        let targets = attachment::targets(&mut conn, own, &found.id, "", 1).await?;
        if !targets.is_empty() {
            return Err(messages::policy_in_use());
        }
        policy::delete(&mut conn, &found.id).await?;
        tag::delete_all(&mut conn, own, &found.id).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `ListPolicies`: those of one type, AWS's own first.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_policies(
        &self,
        cx: &Authorized,
        input: ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let policy_type = input.filter.as_str();
        let aws = ALLOW_ALL.iter().filter(|row| row.0 == policy_type);
        let aws = aws.filter(|row| row.1 > page.after.as_str());
        // Only with all features are there policies at all.
        let has_policies = available(&organization, input.filter).is_ok();
        let mut found: Vec<Policy> = match has_policies {
            true => aws.filter_map(|row| aws_policy(row.1)).collect(),
            false => Vec::new(),
        };
        let (own, rows) = (&organization.id, page.rows());
        found.extend(policy::list(&mut conn, own, policy_type, &page.after, rows).await?);
        found.sort_by(|one, other| one.id.cmp(&other.id));
        let (found, next_token) = page.cut(found, |policy| &policy.id);
        let summaries = found.iter().map(|policy| summary(&organization, policy));
        Ok(ListPoliciesResponse {
            policies: Some(summaries.collect()),
            next_token,
        })
    }

    /// `DescribeEffectivePolicy`: of the types that are merged (tag, backup and the like), none of which
    /// Berth has. A member may ask about its own account, and where it names none it asks about that.
    ///
    /// # Errors
    /// `EffectivePolicyNotFoundException`, `TargetNotFoundException`.
    pub async fn describe_effective_policy(
        &self,
        cx: &Authorized,
        input: DescribeEffectivePolicyRequest,
    ) -> Result<DescribeEffectivePolicyResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = of_caller(&mut conn, cx).await?;
        if let Some(target) = &input.target_id
            && tree::node(&mut conn, &organization, target)
                .await?
                .is_none()
        {
            return Err(messages::no_target());
        }
        tracing::debug!(policy_type = %input.policy_type, "no policy of this type");
        Err(messages::no_effective_policy())
    }

    /// `ListAccountsWithInvalidEffectivePolicy`: there are no effective policies.
    ///
    /// # Errors
    /// `EffectivePolicyNotFoundException`.
    pub async fn list_accounts_with_invalid_effective_policy(
        &self,
        cx: &Authorized,
        input: ListAccountsWithInvalidEffectivePolicyRequest,
    ) -> Result<ListAccountsWithInvalidEffectivePolicyResponse, Error> {
        Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        decided(&mut read.conn(), cx).await?;
        tracing::debug!(policy_type = %input.policy_type, "no policy of this type");
        Err(messages::no_effective_policy())
    }

    /// `ListEffectivePolicyValidationErrors`: there are no effective policies.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `EffectivePolicyNotFoundException`.
    pub async fn list_effective_policy_validation_errors(
        &self,
        cx: &Authorized,
        input: ListEffectivePolicyValidationErrorsRequest,
    ) -> Result<ListEffectivePolicyValidationErrorsResponse, Error> {
        Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        existing(&mut conn, &organization, &input.account_id).await?;
        tracing::debug!(policy_type = %input.policy_type, "no policy of this type");
        Err(messages::no_effective_policy())
    }
}

/// The document, as its type demands.
fn check_document(content: &str, policy_type: &str) -> Result<(), Error> {
    let refused = match Document::parse(content, document_kind(policy_type)) {
        Ok(_) => return Ok(()),
        Err(refused) => refused,
    };
    Err(match refused.code {
        PolicyErrorCode::ConstraintViolation => {
            messages::constraint("POLICY_CONTENT_LIMIT_EXCEEDED", &refused.message)
        }
        _ => Error::new(ErrorCode::MalformedPolicyDocument, refused.message),
    })
}

/// The kind of document that policies of a type are.
pub(super) fn document_kind(policy_type: &str) -> DocumentKind {
    match policy_type {
        RESOURCE_CONTROL => DocumentKind::ResourceControl,
        _ => DocumentKind::ServiceControl,
    }
}

async fn check_name(
    conn: &mut Conn<'_>,
    organization: &Organization,
    name: &str,
    own: Option<&str>,
) -> Result<(), Error> {
    let taken = policy::find_named(conn, &organization.id, name).await?;
    let is_aws = ALLOW_ALL
        .iter()
        .filter_map(|row| aws_policy(row.1))
        .any(|policy| policy.name == name);
    match is_aws || taken.is_some_and(|taken| Some(taken.id.as_str()) != own) {
        true => Err(messages::duplicate_policy()),
        false => Ok(()),
    }
}

/// One of AWS's policies, which every organization has.
pub(super) fn aws_policy(id: &str) -> Option<Policy> {
    let (policy_type, _) = ALLOW_ALL.iter().find(|row| row.1 == id)?;
    let is_rcp = *policy_type == RESOURCE_CONTROL;
    let (name, description, content) = match is_rcp {
        true => (
            "RCPFullAWSAccess",
            "Allows access to every resource",
            ALLOW_ALL_RCP,
        ),
        false => (
            "FullAWSAccess",
            "Allows access to every operation",
            ALLOW_ALL_SCP,
        ),
    };
    Some(Policy {
        id: id.to_owned(),
        organization: String::new(),
        policy_type: (*policy_type).to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        content: content.to_owned(),
    })
}

/// The policy of this id, the organization's or AWS's.
pub(super) async fn find(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Policy, Error> {
    if let Some(found) = aws_policy(id) {
        return Ok(found);
    }
    let found = policy::find(conn, &organization.id, id).await?;
    found.ok_or_else(messages::no_policy)
}

/// The organization's own policy of this id.
async fn own(conn: &mut Conn<'_>, organization: &Organization, id: &str) -> Result<Policy, Error> {
    if aws_policy(id).is_some() {
        return Err(messages::invalid(
            "IMMUTABLE_POLICY",
            "You specified a policy that is managed by AWS and can't be modified.",
        ));
    }
    find(conn, organization, id).await
}

/// `arn:aws:organizations::<management account>:policy/<organization>/<type>/<id>`; AWS's own belong to
/// the account `aws`.
pub(super) fn policy_arn(organization: &Organization, policy_type: &str, id: &str) -> String {
    let kind = policy_type.to_lowercase();
    match aws_policy(id) {
        Some(_) => format!("arn:aws:organizations::aws:policy/{kind}/{id}"),
        None => {
            let Organization {
                id: own,
                management_account,
                ..
            } = organization;
            format!("arn:aws:organizations::{management_account}:policy/{own}/{kind}/{id}")
        }
    }
}

pub(super) fn summary(organization: &Organization, policy: &Policy) -> PolicySummary {
    PolicySummary {
        id: Some(policy.id.clone()),
        arn: Some(policy_arn(organization, &policy.policy_type, &policy.id)),
        name: Some(policy.name.clone()),
        description: Some(policy.description.clone()),
        r#type: policy.policy_type.parse::<PolicyType>().ok(),
        aws_managed: Some(aws_policy(&policy.id).is_some()),
    }
}

fn view(organization: &Organization, policy: Policy) -> PolicyView {
    PolicyView {
        policy_summary: Some(summary(organization, &policy)),
        content: Some(policy.content),
    }
}
