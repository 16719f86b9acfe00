//! Quotas of IAM and of registries that an administrator of the server sets by account, as AWS raises them on request (UG
//! reference_iam-quotas). What AWS never raises is a constant beside its operation.
//!
//! A lower quota takes nothing away: what is there stays, and nothing is added.

use authz::ServiceName;
use aws_api::iam::ErrorCode;
use aws_types::AccountId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::ecr::quota as registry;
use store::ecr::quota::UNLIMITED;
use store::iam::entity::Kind;
use store::iam::{account, quota};
use store::{Conn, Scope, Topic};

use crate::accounts::record;
use crate::{Error, Identity, Settings};

macro_rules! quotas {
    ($($(#[$doc:meta])* $quota:ident = $name:expr, $default:expr, $max:expr;)*) => {
        /// A quota that differs by account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Quota {
            $($(#[$doc])* $quota,)*
        }

        impl Quota {
            /// All of them.
            pub const ALL: &'static [Quota] = &[$(Quota::$quota),*];

            /// The name in AWS's messages.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Quota::$quota => $name,)*
                }
            }

            /// The greatest value that it can be given.
            #[must_use]
            pub fn greatest(self) -> i64 {
                match self {
                    $(Quota::$quota => $max,)*
                }
            }

            /// What accounts have that nobody set it for.
            fn default_of(self, settings: &Settings) -> i64 {
                match self {
                    $(Quota::$quota => {
                        let default: fn(&Settings) -> i64 = $default;
                        default(settings)
                    })*
                }
            }
        }
    };
}

/// Of what lists are read in pages.
const PAGED_MAX: i64 = 1_000_000;
/// Of what one list shows in whole.
const LISTED_MAX: i64 = 1000;
/// Of what a request's decision reads for its caller: the highest that AWS gives, for a role's policies.
const PER_PRINCIPAL_MAX: i64 = 25;

/// Tags of an image, which one answer of `DescribeImages` shows.
const TAGS_MAX: i64 = 10_000;
/// Requests in a second.
const RATE_MAX: i64 = 1_000_000;
/// Bytes of layers: more than a disk has.
const BYTES_MAX: i64 = 1 << 60;

quotas! {
    /// Users.
    Users = "UsersPerAccount", |settings| settings.users_max, PAGED_MAX;
    /// Groups.
    Groups = "GroupsPerAccount", |settings| settings.groups_max, PAGED_MAX;
    /// Roles.
    Roles = "RolesPerAccount", |settings| settings.roles_max, PAGED_MAX;
    /// Customer managed policies.
    Policies = "PoliciesPerAccount", |settings| settings.policies_max, PAGED_MAX;
    /// Instance profiles.
    InstanceProfiles = "InstanceProfilesPerAccount", |settings| settings.instance_profiles_max, PAGED_MAX;
    /// Server certificates.
    ServerCertificates = "ServerCertificatesPerAccount", |settings| settings.server_certificates_max, PAGED_MAX;
    /// Virtual MFA devices, assigned or not.
    MfaDevices = "VirtualMFADevicesPerAccount", |settings| settings.mfa_devices_max, PAGED_MAX;
    /// OIDC providers.
    OidcProviders = "OpenIdConnectProvidersPerAccount", |settings| settings.oidc_providers_max, LISTED_MAX;
    /// SAML providers.
    SamlProviders = "SAMLProvidersPerAccount", |settings| settings.saml_providers_max, LISTED_MAX;
    /// Groups that a user is in.
    GroupsPerUser = "GroupsPerUser", |settings| settings.groups_per_user_max, PER_PRINCIPAL_MAX;
    /// Managed policies that are attached to a user.
    PoliciesPerUser = "PoliciesPerUser", |settings| settings.attached_policies_max, PER_PRINCIPAL_MAX;
    /// Managed policies that are attached to a group.
    PoliciesPerGroup = "PoliciesPerGroup", |settings| settings.attached_policies_max, PER_PRINCIPAL_MAX;
    /// Managed policies that are attached to a role.
    PoliciesPerRole = "PoliciesPerRole", |settings| settings.attached_policies_max, PER_PRINCIPAL_MAX;
    /// Repositories of a registry (ECR user guide, "Amazon ECR service quotas").
    Repositories = registry::REPOSITORIES, |_| 100_000, PAGED_MAX;
    /// Images of a repository.
    Images = registry::IMAGES, |_| 100_000, PAGED_MAX;
    /// Tags of an image.
    ImageTags = registry::TAGS, |_| 1_000, TAGS_MAX;
    /// Bytes of the layers of a repository.
    RepositoryBytes = registry::REPOSITORY_BYTES, |_| UNLIMITED, BYTES_MAX;
    /// Bytes of the layers of an account's repositories.
    AccountBytes = registry::ACCOUNT_BYTES, |_| UNLIMITED, BYTES_MAX;
    /// Requests of `GetAuthorizationToken` in a second.
    AuthorizationTokenRate = registry::AUTHORIZATION_TOKEN_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `BatchGetImage` in a second.
    GetImageRate = registry::GET_IMAGE_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `GetDownloadUrlForLayer` in a second.
    DownloadUrlRate = registry::DOWNLOAD_URL_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `BatchCheckLayerAvailability` in a second.
    CheckLayerRate = registry::CHECK_LAYER_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `InitiateLayerUpload` in a second.
    InitiateUploadRate = registry::INITIATE_UPLOAD_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `UploadLayerPart` in a second.
    UploadPartRate = registry::UPLOAD_PART_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `CompleteLayerUpload` in a second.
    CompleteUploadRate = registry::COMPLETE_UPLOAD_RATE, |_| UNLIMITED, RATE_MAX;
    /// Requests of `PutImage` in a second.
    PutImageRate = registry::PUT_IMAGE_RATE, |_| UNLIMITED, RATE_MAX;
}

impl Quota {
    /// The quota of this name in AWS's messages, whatever its letters' case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Quota> {
        let mut all = Quota::ALL.iter().copied();
        all.find(|quota| quota.name().eq_ignore_ascii_case(name))
    }

    /// Whether a value is that of a quota that nothing reaches.
    #[must_use]
    pub fn is_unlimited(value: i64) -> bool {
        value == UNLIMITED
    }

    /// The quota of an account's entities of this kind.
    pub(crate) fn of_kind(kind: Kind) -> Quota {
        match kind {
            Kind::User => Quota::Users,
            Kind::Group => Quota::Groups,
            Kind::Role => Quota::Roles,
            Kind::Policy => Quota::Policies,
            Kind::InstanceProfile => Quota::InstanceProfiles,
            Kind::OidcProvider => Quota::OidcProviders,
            Kind::SamlProvider => Quota::SamlProviders,
            Kind::MfaDevice => Quota::MfaDevices,
            Kind::ServerCertificate => Quota::ServerCertificates,
        }
    }
}

/// A quota as an account has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountQuota {
    /// Which.
    pub quota: Quota,
    /// What holds.
    pub value: i64,
    /// What accounts have that nobody set it for.
    pub default: i64,
    /// Whether it was set for the account.
    pub is_set: bool,
}

/// The quotas of an account, for answers that show many.
pub(crate) struct AccountQuotas(Vec<AccountQuota>);

impl AccountQuotas {
    pub(crate) fn value(&self, quota: Quota) -> i64 {
        let found = self.0.iter().find(|found| found.quota == quota);
        // All are there.
        found.map_or(0, |found| found.value)
    }
}

impl Identity {
    /// What holds for the account.
    pub(crate) async fn quota(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
        quota: Quota,
    ) -> Result<i64, Error> {
        let set = quota::find(conn, account, quota.name()).await?;
        Ok(set.unwrap_or_else(|| quota.default_of(&self.0.settings)))
    }

    /// All quotas of the account.
    pub(crate) async fn account_quotas(
        &self,
        conn: &mut Conn<'_>,
        account: &str,
    ) -> Result<AccountQuotas, Error> {
        let set = quota::list(conn, account).await?;
        let quotas = Quota::ALL.iter().map(|quota| {
            let default = quota.default_of(&self.0.settings);
            let found = set.iter().find(|(name, _)| name == quota.name());
            AccountQuota {
                quota: *quota,
                value: found.map_or(default, |(_, value)| *value),
                default,
                is_set: found.is_some(),
            }
        });
        Ok(AccountQuotas(quotas.collect()))
    }

    /// The quotas of an account, for an administrator of the server.
    ///
    /// # Errors
    /// `NoSuchEntity` for an account that is not there.
    pub async fn quotas(&self, account: AccountId) -> Result<Vec<AccountQuota>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        must_exist(&mut conn, account).await?;
        Ok(self.account_quotas(&mut conn, account.as_str()).await?.0)
    }

    /// Sets quotas of an account, and gives those without a value back to the defaults. An audit event of
    /// `service`.
    ///
    /// # Errors
    /// `NoSuchEntity` for an account that is not there, `InvalidInput` for a value out of range.
    pub async fn set_quotas(
        &self,
        service: ServiceName,
        account: AccountId,
        changes: &[(Quota, Option<i64>)],
        now: Timestamp,
    ) -> Result<(), Error> {
        for (quota, value) in changes {
            let (name, greatest) = (quota.name(), quota.greatest());
            if value.is_some_and(|value| !(0..=greatest).contains(&value)) {
                return Err(Error::new(
                    ErrorCode::InvalidInput,
                    format!("The quota {name} can be set to 0 up to {greatest}."),
                ));
            }
        }
        let mut tx = self.0.store.write(Scope::Account(account.as_str())).await?;
        let mut conn = tx.conn();
        must_exist(&mut conn, account).await?;
        let mut done = Map::new();
        for (quota, value) in changes {
            match value {
                Some(value) => {
                    quota::put(&mut conn, account.as_str(), quota.name(), *value).await?;
                }
                None => quota::delete(&mut conn, account.as_str(), quota.name()).await?,
            }
            done.insert(
                quota.name().to_owned(),
                value.map_or(Value::Null, Value::from),
            );
        }
        if !done.is_empty() {
            // Servers keep the rates in memory.
            tx.touch(Topic::Account(account.as_str()));
            let mut conn = tx.conn();
            let details = json!({"accountId": account.as_str(), "quotas": done});
            record(
                &mut conn,
                service,
                "SetAccountQuotas",
                account,
                &details,
                now,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

async fn must_exist(conn: &mut Conn<'_>, account: AccountId) -> Result<(), Error> {
    let id = account.as_str();
    match account::find(conn, id).await? {
        Some(_) => Ok(()),
        None => Err(Error::new(
            ErrorCode::NoSuchEntity,
            format!("There is no account {id}."),
        )),
    }
}
