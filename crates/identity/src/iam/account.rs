//! The account: its alias and its summary.

use aws_api::CommonError;
use aws_api::iam::ErrorCode;
use std::collections::BTreeMap;

use aws_api::iam::{
    CreateAccountAliasRequest, DeleteAccountAliasRequest, GetAccountSummaryResponse,
    ListAccountAliasesRequest, ListAccountAliasesResponse, SummaryKeyType,
};
use store::iam::account;
use store::iam::entity::{self, Kind};
use store::iam::{
    access_key, account_property, login_profile, managed_policy, mfa_device, signing_certificate,
};

use super::{commit, signing_certificates};
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity};

/// A quota of what Berth does not limit: AWS's number, which tools read beside the others.
const POLICY_VERSIONS_MAX: i64 = 10_000;

/// The version of the global endpoint's tokens in an account that has not chosen one (recorded in LocalStack's
/// `test_get_account_summary_format`).
const TOKEN_VERSION: i64 = 1;

impl Identity {
    /// `CreateAccountAlias`: an account has one, so another takes its place.
    ///
    /// # Errors
    /// `EntityAlreadyExists`.
    pub async fn create_account_alias(
        &self,
        cx: &Authorized,
        input: CreateAccountAliasRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let alias = input.account_alias;
        // "The account alias … cannot be a 12-digit number": it would be mistaken for an account's id
        // (UG console_account-alias).
        if alias.len() == 12 && alias.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(
                CommonError::Validation,
                "The account alias must not be a number of twelve digits.",
            ));
        }
        let holder = account::find_by_alias(&mut conn, &alias).await?;
        if holder.is_some_and(|holder| holder.id != cx.account.as_str()) {
            return Err(Error::new(
                ErrorCode::EntityAlreadyExists,
                format!("The account alias {alias} already exists."),
            ));
        }
        account::set_alias(&mut conn, cx.account.as_str(), Some(&alias)).await?;
        commit(tx).await
    }

    /// `DeleteAccountAlias`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_account_alias(
        &self,
        cx: &Authorized,
        input: DeleteAccountAliasRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = account::find(&mut conn, cx.account.as_str()).await?;
        let alias = input.account_alias;
        if found.and_then(|account| account.alias).as_ref() != Some(&alias) {
            return Err(Error::new(
                ErrorCode::NoSuchEntity,
                format!("The account alias {alias} cannot be found."),
            ));
        }
        account::set_alias(&mut conn, cx.account.as_str(), None).await?;
        commit(tx).await
    }

    /// `ListAccountAliases`: none or one.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_account_aliases(
        &self,
        cx: &Authorized,
        _input: ListAccountAliasesRequest,
    ) -> Result<ListAccountAliasesResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let found = account::find(&mut read.conn(), cx.account.as_str()).await?;
        Ok(ListAccountAliasesResponse {
            account_aliases: found
                .and_then(|account| account.alias)
                .into_iter()
                .collect(),
            is_truncated: Some(false),
            marker: None,
        })
    }

    /// `GetAccountSummary`: what there is, and how much there may be.
    ///
    /// # Errors
    /// The database's.
    pub async fn get_account_summary(
        &self,
        cx: &Authorized,
        _input: (),
    ) -> Result<GetAccountSummaryResponse, Error> {
        use SummaryKeyType as K;
        let account = cx.account.as_str();
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let mut map: BTreeMap<K, i32> = BTreeMap::new();
        let mut put = |key, number: i64| {
            map.insert(key, i32::try_from(number).unwrap_or(i32::MAX));
        };
        for (key, kind) in [
            (K::Users, Kind::User),
            (K::Groups, Kind::Group),
            (K::Roles, Kind::Role),
            (K::Policies, Kind::Policy),
            (K::InstanceProfiles, Kind::InstanceProfile),
            (K::MfaDevices, Kind::MfaDevice),
            (K::ServerCertificates, Kind::ServerCertificate),
        ] {
            put(key, entity::count(&mut conn, account, kind).await?);
        }
        let assigned = mfa_device::count_assigned(&mut conn, account).await?;
        put(K::MfaDevicesInUse, assigned);
        let of_root = mfa_device::list_of(&mut conn, account, None).await?;
        put(K::AccountMfaEnabled, i64::from(!of_root.is_empty()));
        let mut providers = 0;
        for kind in [Kind::OidcProvider, Kind::SamlProvider] {
            providers += entity::count(&mut conn, account, kind).await?;
        }
        put(K::Providers, providers);
        let token_version = account_property::token_version(&mut conn, account).await?;
        put(
            K::GlobalEndpointTokenVersion,
            token_version.unwrap_or(TOKEN_VERSION),
        );
        let versions = managed_policy::count_versions(&mut conn, account).await?;
        put(K::PolicyVersionsInUse, versions);
        let root_keys = access_key::list_of_root(&mut conn, account).await?;
        put(
            K::AccountAccessKeysPresent,
            i64::from(!root_keys.is_empty()),
        );
        let of_root = signing_certificate::list_of_root(&mut conn, account).await?;
        put(
            K::AccountSigningCertificatesPresent,
            i64::from(!of_root.is_empty()),
        );
        let of_root = login_profile::root_created_at(&mut conn, account).await?;
        put(K::AccountPasswordPresent, i64::from(of_root.is_some()));
        let settings = &self.0.settings;
        let quotas = self.account_quotas(&mut conn, account).await?;
        for (key, number) in [
            (K::UsersQuota, quotas.value(Quota::Users)),
            (K::GroupsQuota, quotas.value(Quota::Groups)),
            (K::RolesQuota, quotas.value(Quota::Roles)),
            (K::PoliciesQuota, quotas.value(Quota::Policies)),
            (
                K::InstanceProfilesQuota,
                quotas.value(Quota::InstanceProfiles),
            ),
            (K::GroupsPerUserQuota, quotas.value(Quota::GroupsPerUser)),
            (K::AccessKeysPerUserQuota, settings.access_keys_per_user_max),
            (
                K::AttachedPoliciesPerUserQuota,
                quotas.value(Quota::PoliciesPerUser),
            ),
            (
                K::AttachedPoliciesPerGroupQuota,
                quotas.value(Quota::PoliciesPerGroup),
            ),
            (
                K::AttachedPoliciesPerRoleQuota,
                quotas.value(Quota::PoliciesPerRole),
            ),
            (K::VersionsPerPolicyQuota, settings.policy_versions_max),
            (K::PolicyVersionsInUseQuota, POLICY_VERSIONS_MAX),
            (
                K::ServerCertificatesQuota,
                quotas.value(Quota::ServerCertificates),
            ),
            (
                K::SigningCertificatesPerUserQuota,
                signing_certificates::PER_USER_MAX,
            ),
            (K::UserPolicySizeQuota, 2_048),
            (K::GroupPolicySizeQuota, 5_120),
            (K::RolePolicySizeQuota, 10_240),
            (K::PolicySizeQuota, 6_144),
            (K::AssumeRolePolicySizeQuota, 2_048),
        ] {
            put(key, number);
        }
        Ok(GetAccountSummaryResponse {
            summary_map: Some(map),
        })
    }
}
