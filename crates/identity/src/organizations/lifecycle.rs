//! The organization itself: creation, deletion, its root and the policy types in it.

use aws_api::Secret;
use aws_api::organizations::{
    CreateOrganizationRequest, CreateOrganizationResponse, DescribeOrganizationResponse,
    DisablePolicyTypeRequest, DisablePolicyTypeResponse, EnablePolicyTypeRequest,
    EnablePolicyTypeResponse, ListRootsRequest, ListRootsResponse,
    Organization as OrganizationView, OrganizationFeatureSet, PolicyType, PolicyTypeStatus,
    PolicyTypeSummary, Root,
};
use store::organizations::organization::{self, Organization};
use store::organizations::{attachment, member, tag, unit};
use store::{Conn, Topic};

use super::accounts::email_of;
use super::paging::Page;
use super::{
    ALL_FEATURES, ALLOW_ALL, Organizations, SERVICE_CONTROL, arn, attach_defaults, decided, join,
    messages, of_caller,
};
use crate::{Authorized, Error};

impl Organizations {
    /// `CreateOrganization`: the caller's account becomes the management account. With all features,
    /// service control policies are enabled at once.
    ///
    /// # Errors
    /// `AlreadyInOrganizationException`.
    pub async fn create_organization(
        &self,
        cx: &Authorized,
        input: CreateOrganizationRequest,
    ) -> Result<CreateOrganizationResponse, Error> {
        let account = cx.account.as_str();
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        if organization::of_account(&mut conn, account)
            .await?
            .is_some()
        {
            return Err(messages::already_member());
        }
        let feature_set = input.feature_set.unwrap_or(OrganizationFeatureSet::All);
        let created = Organization {
            id: self.fresh_id::<10>("o-")?,
            management_account: account.to_owned(),
            feature_set: feature_set.as_str().to_owned(),
            root_id: self.fresh_id::<6>("r-")?,
            created_at: cx.now_ms(),
            resource_policy: None,
            root_credentials: false,
            root_sessions: false,
        };
        organization::insert(&mut conn, &created).await?;
        if feature_set == OrganizationFeatureSet::All {
            organization::enable_policy_type(&mut conn, &created.id, SERVICE_CONTROL).await?;
        }
        attach_defaults(&mut conn, &created.id, &created.root_id).await?;
        // AWS says of the management account that it was invited.
        join(&mut tx, &created, account, "INVITED", cx.now_ms()).await?;
        let view = view(&mut tx.conn(), &created).await?;
        tx.commit().await?;
        Ok(CreateOrganizationResponse {
            organization: Some(view),
        })
    }

    /// `DescribeOrganization`, which every member may ask for.
    ///
    /// # Errors
    /// `AWSOrganizationsNotInUseException`.
    pub async fn describe_organization(
        &self,
        cx: &Authorized,
        (): (),
    ) -> Result<DescribeOrganizationResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = of_caller(&mut conn, cx).await?;
        Ok(DescribeOrganizationResponse {
            organization: Some(view(&mut conn, &organization).await?),
        })
    }

    /// `DeleteOrganization`: only one whose management account is alone.
    ///
    /// # Errors
    /// `OrganizationNotEmptyException`.
    pub async fn delete_organization(&self, cx: &Authorized, (): ()) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let (accounts, _) = member::count(&mut conn, &organization.id, cx.now_ms()).await?;
        if accounts > 1 {
            return Err(messages::not_empty());
        }
        organization::delete(&mut conn, &organization.id).await?;
        tx.touch(Topic::Account(&organization.management_account));
        tx.touch(Topic::Organization(&organization.id));
        Ok(tx.commit().await?)
    }

    /// `ListRoots`: an organization has one.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_roots(
        &self,
        cx: &Authorized,
        input: ListRootsRequest,
    ) -> Result<ListRootsResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let root = root(&mut conn, &organization).await?;
        let roots = page.after.is_empty().then_some(root);
        Ok(ListRootsResponse {
            roots: Some(roots.into_iter().collect()),
            next_token: None,
        })
    }

    /// `EnablePolicyType`: attaches AWS's policy that allows everything to the root, to every unit and to
    /// every account.
    ///
    /// # Errors
    /// `RootNotFoundException`, `PolicyTypeAlreadyEnabledException`,
    /// `PolicyTypeNotAvailableForOrganizationException`.
    pub async fn enable_policy_type(
        &self,
        cx: &Authorized,
        input: EnablePolicyTypeRequest,
    ) -> Result<EnablePolicyTypeResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        check_root(&organization, &input.root_id)?;
        available(&organization, input.policy_type)?;
        let policy_type = input.policy_type.as_str();
        if !organization::enable_policy_type(&mut conn, &organization.id, policy_type).await? {
            return Err(messages::type_enabled());
        }
        attach_everywhere(&mut conn, &organization, policy_type).await?;
        let root = root(&mut conn, &organization).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(EnablePolicyTypeResponse { root: Some(root) })
    }

    /// `DisablePolicyType`: drops all attachments of the type; enabling it again brings back AWS's policy
    /// alone.
    ///
    /// # Errors
    /// `RootNotFoundException`, `PolicyTypeNotEnabledException`.
    pub async fn disable_policy_type(
        &self,
        cx: &Authorized,
        input: DisablePolicyTypeRequest,
    ) -> Result<DisablePolicyTypeResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        check_root(&organization, &input.root_id)?;
        let policy_type = input.policy_type.as_str();
        if !organization::disable_policy_type(&mut conn, &organization.id, policy_type).await? {
            return Err(messages::type_not_enabled());
        }
        attachment::delete_type(&mut conn, &organization.id, policy_type).await?;
        let root = root(&mut conn, &organization).await?;
        tx.touch(Topic::Organization(&organization.id));
        tx.commit().await?;
        Ok(DisablePolicyTypeResponse { root: Some(root) })
    }
}

/// Attaches AWS's policy of a type to the root, to every unit and to every account.
pub(super) async fn attach_everywhere(
    conn: &mut Conn<'_>,
    organization: &Organization,
    policy_type: &str,
) -> Result<(), Error> {
    let Some((_, policy)) = ALLOW_ALL.iter().find(|row| row.0 == policy_type) else {
        return Ok(());
    };
    let own = &organization.id;
    let mut targets = vec![organization.root_id.clone()];
    targets.extend(unit::ids(conn, own).await?);
    targets.extend(member::ids(conn, own).await?);
    for target in targets {
        attachment::insert(conn, own, &target, policy, policy_type).await?;
    }
    Ok(())
}

/// Policies need all features, and Berth has those that decide about requests.
pub(super) fn available(organization: &Organization, policy_type: PolicyType) -> Result<(), Error> {
    let decides = ALLOW_ALL.iter().any(|row| row.0 == policy_type.as_str());
    match organization.feature_set == ALL_FEATURES && decides {
        true => Ok(()),
        false => Err(messages::type_not_available()),
    }
}

fn check_root(organization: &Organization, id: &str) -> Result<(), Error> {
    match id == organization.root_id {
        true => Ok(()),
        false => Err(messages::no_root()),
    }
}

async fn view(conn: &mut Conn<'_>, organization: &Organization) -> Result<OrganizationView, Error> {
    let management = &organization.management_account;
    let account = store::iam::account::find(conn, management).await?;
    let email = account.and_then(|account| account.email);
    // "The AvailablePolicyTypes property is deprecated": AWS fills it with SCPs alone.
    let has_policies = organization.feature_set == ALL_FEATURES;
    let types = has_policies.then_some(PolicyTypeSummary {
        r#type: Some(PolicyType::ServiceControlPolicy),
        status: Some(PolicyTypeStatus::Enabled),
    });
    Ok(OrganizationView {
        id: Some(organization.id.clone()),
        arn: Some(format!(
            "arn:aws:organizations::{management}:organization/{}",
            organization.id
        )),
        feature_set: organization.feature_set.parse().ok(),
        master_account_arn: Some(arn(organization, "account", management)),
        master_account_id: Some(management.clone()),
        master_account_email: Some(Secret::new(email_of(email, management))),
        available_policy_types: Some(types.into_iter().collect()),
    })
}

async fn root(conn: &mut Conn<'_>, organization: &Organization) -> Result<Root, Error> {
    let types = organization::policy_types(conn, &organization.id).await?;
    let summary = |name: &String| PolicyTypeSummary {
        r#type: name.parse().ok(),
        status: Some(PolicyTypeStatus::Enabled),
    };
    Ok(Root {
        id: Some(organization.root_id.clone()),
        arn: Some(arn(organization, "root", &organization.root_id)),
        name: Some("Root".to_owned()),
        policy_types: Some(types.iter().map(summary).collect()),
    })
}

/// Removes what hangs on a unit that goes.
pub(super) async fn forget(
    conn: &mut Conn<'_>,
    organization: &str,
    resource: &str,
) -> Result<(), Error> {
    attachment::delete_target(conn, organization, resource).await?;
    Ok(tag::delete_all(conn, organization, resource).await?)
}
