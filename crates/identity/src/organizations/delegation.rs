//! Services with access to the organization, and members that administer them.

use aws_api::Secret;
use aws_api::organizations::{
    DelegatedAdministrator, DelegatedService, DeregisterDelegatedAdministratorRequest,
    DisableAWSServiceAccessRequest, EnableAWSServiceAccessRequest, EnabledServicePrincipal,
    ListAWSServiceAccessForOrganizationRequest, ListAWSServiceAccessForOrganizationResponse,
    ListDelegatedAdministratorsRequest, ListDelegatedAdministratorsResponse,
    ListDelegatedServicesForAccountRequest, ListDelegatedServicesForAccountResponse,
    RegisterDelegatedAdministratorRequest,
};
use store::organizations::organization::Organization;
use store::organizations::{delegation, member};
use store::{Conn, Topic};

use super::accounts::{email_of, existing, state};
use super::paging::Page;
use super::{ALL_FEATURES, Organizations, arn, decided, messages, time};
use crate::{Authorized, Error};

impl Organizations {
    /// `EnableAWSServiceAccess`. Any service's principal is taken: what a service does with the access is
    /// its own matter, and IAM's (`iam.amazonaws.com`) is Berth's.
    ///
    /// # Errors
    /// `InvalidInputException` for what is no service's principal.
    pub async fn enable_aws_service_access(
        &self,
        cx: &Authorized,
        input: EnableAWSServiceAccessRequest,
    ) -> Result<(), Error> {
        check_principal(&input.service_principal)?;
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = all_features(&mut conn, cx).await?;
        let principal = &input.service_principal;
        delegation::enable_service(&mut conn, &organization.id, principal, cx.now_ms()).await?;
        tx.touch(Topic::Organization(&organization.id));
        Ok(tx.commit().await?)
    }

    /// `DisableAWSServiceAccess`.
    ///
    /// # Errors
    /// `InvalidInputException` for what is no service's principal; `ConstraintViolationException` while
    /// the service has a delegated administrator.
    pub async fn disable_aws_service_access(
        &self,
        cx: &Authorized,
        input: DisableAWSServiceAccessRequest,
    ) -> Result<(), Error> {
        check_principal(&input.service_principal)?;
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = all_features(&mut conn, cx).await?;
        let (own, principal) = (&organization.id, &input.service_principal);
        let found = delegation::administrators(&mut conn, own, Some(principal), "", 1).await?;
        if !found.is_empty() {
            return Err(messages::constraint(
                "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
                "You must deregister all delegated administrators of this service before you disable its \
                 access.",
            ));
        }
        delegation::disable_service(&mut conn, own, principal).await?;
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `ListAWSServiceAccessForOrganization`.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_aws_service_access_for_organization(
        &self,
        cx: &Authorized,
        input: ListAWSServiceAccessForOrganizationRequest,
    ) -> Result<ListAWSServiceAccessForOrganizationResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (own, after) = (&organization.id, &page.after);
        let found = delegation::services(&mut conn, own, after, page.rows()).await?;
        let (found, next_token) = page.cut(found, |service| &service.0);
        let principals = found
            .into_iter()
            .map(|(principal, at)| EnabledServicePrincipal {
                service_principal: Some(principal),
                date_enabled: time(at),
            });
        Ok(ListAWSServiceAccessForOrganizationResponse {
            enabled_service_principals: Some(principals.collect()),
            next_token,
        })
    }

    /// `RegisterDelegatedAdministrator`: a member that may read the organization, and administer one
    /// service, whose access must be enabled before.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `AccountAlreadyRegisteredException`; `ConstraintViolationException` for
    /// the management account, for a closed account and without the service's access.
    pub async fn register_delegated_administrator(
        &self,
        cx: &Authorized,
        input: RegisterDelegatedAdministratorRequest,
    ) -> Result<(), Error> {
        check_principal(&input.service_principal)?;
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = all_features(&mut conn, cx).await?;
        let found = member_of(&mut conn, &organization, &input.account_id).await?;
        if found.closed_at.is_some() {
            return Err(messages::constraint(
                "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
                "You cannot register a suspended account as a delegated administrator.",
            ));
        }
        let (own, principal) = (&organization.id, &input.service_principal);
        if !delegation::has_service(&mut conn, own, principal).await? {
            return Err(messages::constraint(
                "SERVICE_ACCESS_NOT_ENABLED",
                "You must enable service access before you register a delegated administrator.",
            ));
        }
        let (account, now) = (&found.account, cx.now_ms());
        if !delegation::register(&mut conn, own, account, principal, now).await? {
            return Err(messages::administrator_exists());
        }
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `DeregisterDelegatedAdministrator`.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `AccountNotRegisteredException`.
    pub async fn deregister_delegated_administrator(
        &self,
        cx: &Authorized,
        input: DeregisterDelegatedAdministratorRequest,
    ) -> Result<(), Error> {
        check_principal(&input.service_principal)?;
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = all_features(&mut conn, cx).await?;
        let found = member_of(&mut conn, &organization, &input.account_id).await?;
        let (own, account) = (&organization.id, &found.account);
        if !delegation::deregister(&mut conn, own, account, &input.service_principal).await? {
            return Err(messages::not_administrator());
        }
        tx.touch(Topic::Organization(own));
        Ok(tx.commit().await?)
    }

    /// `ListDelegatedAdministrators`: of one service, or of any.
    ///
    /// # Errors
    /// `InvalidInputException` for a token and for what is no service's principal.
    pub async fn list_delegated_administrators(
        &self,
        cx: &Authorized,
        input: ListDelegatedAdministratorsRequest,
    ) -> Result<ListDelegatedAdministratorsResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let principal = input.service_principal.as_deref();
        principal.map_or(Ok(()), check_principal)?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (own, after, rows) = (&organization.id, &page.after, page.rows());
        let found = delegation::administrators(&mut conn, own, principal, after, rows).await?;
        let (found, next_token) = page.cut(found, |administrator| &administrator.0);
        let mut administrators = Vec::with_capacity(found.len());
        for (account, at) in found {
            let member = existing(&mut conn, &organization, &account).await?;
            let (state, status) = state(&member);
            administrators.push(DelegatedAdministrator {
                arn: Some(arn(&organization, "account", &account)),
                email: Some(Secret::new(email_of(member.email, &account))),
                id: Some(account),
                name: Some(Secret::new(member.name)),
                status: Some(status),
                state: Some(state),
                joined_method: member.joined_method.parse().ok(),
                joined_timestamp: time(member.joined_at),
                delegation_enabled_date: time(at),
            });
        }
        Ok(ListDelegatedAdministratorsResponse {
            delegated_administrators: Some(administrators),
            next_token,
        })
    }

    /// `ListDelegatedServicesForAccount`.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `AccountNotRegisteredException`.
    pub async fn list_delegated_services_for_account(
        &self,
        cx: &Authorized,
        input: ListDelegatedServicesForAccountRequest,
    ) -> Result<ListDelegatedServicesForAccountResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.account_id).await?;
        let (own, account) = (&organization.id, &found.account);
        if delegation::administered(&mut conn, own, account, "", 1)
            .await?
            .is_empty()
        {
            return Err(messages::not_administrator());
        }
        let (after, rows) = (&page.after, page.rows());
        let services = delegation::administered(&mut conn, own, account, after, rows).await?;
        let (services, next_token) = page.cut(services, |service| &service.0);
        let services = services
            .into_iter()
            .map(|(principal, at)| DelegatedService {
                service_principal: Some(principal),
                delegation_enabled_date: time(at),
            });
        Ok(ListDelegatedServicesForAccountResponse {
            delegated_services: Some(services.collect()),
            next_token,
        })
    }
}

/// The principal of an AWS service: `iam.amazonaws.com`, `sso.amazonaws.com`.
fn check_principal(principal: &str) -> Result<(), Error> {
    match principal.ends_with(".amazonaws.com") && !principal.starts_with('.') {
        true => Ok(()),
        false => Err(messages::invalid(
            "UNRECOGNIZED_SERVICE_PRINCIPAL",
            "You specified an unrecognized service principal.",
        )),
    }
}

/// The organization, which must have all features.
async fn all_features(conn: &mut Conn<'_>, cx: &Authorized) -> Result<Organization, Error> {
    let organization = decided(conn, cx).await?;
    match organization.feature_set == ALL_FEATURES {
        true => Ok(organization),
        false => Err(messages::not_all_features()),
    }
}

/// A member that is not the management account.
async fn member_of(
    conn: &mut Conn<'_>,
    organization: &Organization,
    account: &str,
) -> Result<member::Member, Error> {
    let found = existing(conn, organization, account).await?;
    match found.account == organization.management_account {
        true => Err(messages::management_administrator()),
        false => Ok(found),
    }
}
