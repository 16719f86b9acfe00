//! Central root access: the features of an organization that IAM has operations for (IAM User Guide,
//! "Centralize root access for member accounts").

use aws_api::iam::{
    DisableOrganizationsRootCredentialsManagementRequest,
    DisableOrganizationsRootCredentialsManagementResponse, DisableOrganizationsRootSessionsRequest,
    DisableOrganizationsRootSessionsResponse, EnableOrganizationsRootCredentialsManagementRequest,
    EnableOrganizationsRootCredentialsManagementResponse, EnableOrganizationsRootSessionsRequest,
    EnableOrganizationsRootSessionsResponse, ErrorCode, FeatureType,
    ListOrganizationsFeaturesRequest, ListOrganizationsFeaturesResponse,
};
use store::organizations::SCOPE;
use store::organizations::delegation;
use store::organizations::organization::{self, Organization};
use store::{Conn, Topic};

use super::ALL_FEATURES;
use crate::{Authorized, Error, Identity};

/// IAM's name among the services with access to an organization.
const IAM: &str = "iam.amazonaws.com";

/// `Operation(function)`: an operation that sets one feature. Input and output have no more than what all
/// have.
macro_rules! feature {
    ($($function:ident($input:ty) -> $output:ident: $field:ident = $value:expr;)*) => {
        impl Identity {$(
            #[doc = concat!("`", stringify!($function), "`.")]
            ///
            /// # Errors
            /// `OrganizationNotFoundException`, `CallerIsNotManagementAccountException`,
            /// `AccountNotManagementOrDelegatedAdministratorException`,
            /// `OrganizationNotInAllFeaturesModeException`, `ServiceAccessNotEnabledException`.
            pub async fn $function(&self, cx: &Authorized, _: $input) -> Result<$output, Error> {
                let mut tx = self.0.store.write(SCOPE).await?;
                let mut conn = tx.conn();
                let mut organization = administered(&mut conn, cx).await?;
                organization.$field = $value;
                let Organization { root_credentials, root_sessions, .. } = organization;
                let own = &organization.id;
                organization::set_root_features(&mut conn, own, root_credentials, root_sessions)
                    .await?;
                tx.touch(Topic::Organization(own));
                tx.commit().await?;
                Ok($output {
                    enabled_features: Some(features(&organization)),
                    organization_id: Some(organization.id),
                })
            }
        )*}
    };
}

feature! {
    enable_organizations_root_credentials_management(EnableOrganizationsRootCredentialsManagementRequest)
        -> EnableOrganizationsRootCredentialsManagementResponse: root_credentials = true;
    disable_organizations_root_credentials_management(DisableOrganizationsRootCredentialsManagementRequest)
        -> DisableOrganizationsRootCredentialsManagementResponse: root_credentials = false;
    enable_organizations_root_sessions(EnableOrganizationsRootSessionsRequest)
        -> EnableOrganizationsRootSessionsResponse: root_sessions = true;
    disable_organizations_root_sessions(DisableOrganizationsRootSessionsRequest)
        -> DisableOrganizationsRootSessionsResponse: root_sessions = false;
}

impl Identity {
    /// `ListOrganizationsFeatures`.
    ///
    /// # Errors
    /// `OrganizationNotFoundException`, `AccountNotManagementOrDelegatedAdministratorException`,
    /// `OrganizationNotInAllFeaturesModeException`, `ServiceAccessNotEnabledException`.
    pub async fn list_organizations_features(
        &self,
        cx: &Authorized,
        _: ListOrganizationsFeaturesRequest,
    ) -> Result<ListOrganizationsFeaturesResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let organization = administered(&mut read.conn(), cx).await?;
        Ok(ListOrganizationsFeaturesResponse {
            enabled_features: Some(features(&organization)),
            organization_id: Some(organization.id),
        })
    }
}

fn features(organization: &Organization) -> Vec<FeatureType> {
    let credentials = organization.root_credentials;
    let credentials = credentials.then_some(FeatureType::RootCredentialsManagement);
    let sessions = organization
        .root_sessions
        .then_some(FeatureType::RootSessions);
    credentials.into_iter().chain(sessions).collect()
}

/// The caller's organization, if the caller's account may administer root access there: the management
/// account, or IAM's delegated administrator. The messages are the model's descriptions of the errors.
async fn administered(conn: &mut Conn<'_>, cx: &Authorized) -> Result<Organization, Error> {
    let refused = |code: ErrorCode, why: &str| {
        let message = format!("The request was rejected because {why}");
        Err(Error::new(code, message))
    };
    let Some(organization) = organization::of_account(conn, cx.account.as_str()).await? else {
        return refused(
            ErrorCode::OrganizationNotFound,
            "no organization is associated with your account.",
        );
    };
    if !is_administrator(conn, &organization, cx).await? {
        return refused(
            ErrorCode::AccountNotManagementOrDelegatedAdministrator,
            "the account making the request is not the management account or delegated administrator \
             account for centralized root access.",
        );
    }
    if organization.feature_set != ALL_FEATURES {
        return refused(
            ErrorCode::OrganizationNotInAllFeaturesMode,
            "your organization does not have All features enabled. For more information, see Available \
             feature sets in the Organizations User Guide.",
        );
    }
    if !delegation::has_service(conn, &organization.id, IAM).await? {
        return refused(
            ErrorCode::ServiceAccessNotEnabled,
            "trusted access is not enabled for IAM in Organizations. For details, see IAM and \
             Organizations in the Organizations User Guide.",
        );
    }
    Ok(organization)
}

/// Whether the caller's account is the management account or IAM's delegated administrator.
pub(crate) async fn is_administrator(
    conn: &mut Conn<'_>,
    organization: &Organization,
    cx: &Authorized,
) -> Result<bool, Error> {
    let account = cx.account.as_str();
    if account == organization.management_account {
        return Ok(true);
    }
    let services = delegation::administered(conn, &organization.id, account, "", i64::MAX).await?;
    Ok(services.iter().any(|service| service.0 == IAM))
}
