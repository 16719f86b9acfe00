//! Quotas and other bounds. Tests lower them; there is no option for them, but some quotas differ by account
//! (`quotas`).

/// AWS's default quotas (IAM User Guide, "IAM and AWS STS quotas"), which hold for accounts that have none of
/// their own (`Quota`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `UsersPerAccount`.
    pub users_max: i64,
    /// `GroupsPerAccount`.
    pub groups_max: i64,
    /// `RolesPerAccount`.
    pub roles_max: i64,
    /// `PoliciesPerAccount`: customer managed policies.
    pub policies_max: i64,
    /// `InstanceProfilesPerAccount`.
    pub instance_profiles_max: i64,
    /// `OpenIdConnectProvidersPerAccount`.
    pub oidc_providers_max: i64,
    /// `SAMLProvidersPerAccount`.
    pub saml_providers_max: i64,
    /// Virtual MFA devices, assigned or not: as many as users.
    pub mfa_devices_max: i64,
    /// `ServerCertificatesPerAccount`.
    pub server_certificates_max: i64,
    /// `GroupsPerUser`.
    pub groups_per_user_max: i64,
    /// `AccessKeysPerUser`.
    pub access_keys_per_user_max: i64,
    /// `PoliciesPerUser`, `PoliciesPerGroup`, `PoliciesPerRole`: attached managed policies.
    pub attached_policies_max: i64,
    /// Versions of a managed policy.
    pub policy_versions_max: i64,
    /// Accounts of an organization. AWS begins with 10 and raises it on request.
    pub organization_accounts_max: i64,
    /// `TagsPerResource`.
    pub tags_max: i64,
    /// The bytes of callers that are cached, with their compiled policies.
    pub cached_callers_bytes_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            users_max: 5000,
            groups_max: 300,
            roles_max: 1000,
            policies_max: 1500,
            instance_profiles_max: 1000,
            oidc_providers_max: 100,
            saml_providers_max: 100,
            mfa_devices_max: 5000,
            server_certificates_max: 20,
            groups_per_user_max: 10,
            access_keys_per_user_max: 2,
            attached_policies_max: 10,
            policy_versions_max: 5,
            organization_accounts_max: 10_000,
            tags_max: 50,
            cached_callers_bytes_max: 48 << 20,
        }
    }
}
