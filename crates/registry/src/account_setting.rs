//! Account settings: what a registry can be told to do otherwise (ECR API, `AccountSettingName`).

use crate::Error;

macro_rules! settings {
    ($($(#[$doc:meta])* $setting:ident = $name:literal [$default:literal $(, $value:literal)*];)*) => {
        /// An account setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum AccountSetting {
            $($(#[$doc])* $setting,)*
        }

        impl AccountSetting {
            const ALL: &[AccountSetting] = &[$(AccountSetting::$setting),*];

            /// Its name in the API.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(AccountSetting::$setting => $name,)*
                }
            }

            /// The values that it takes, the default first.
            fn values(self) -> &'static [&'static str] {
                match self {
                    $(AccountSetting::$setting => &[$default $(, $value)*],)*
                }
            }
        }
    };
}

settings! {
    /// The engine of basic scanning. AWS accepts `CLAIR` as well for accounts that had it
    /// (terraform-provider-aws, `aws_ecr_account_setting`).
    BasicScanTypeVersion = "BASIC_SCAN_TYPE_VERSION" ["AWS_NATIVE", "CLAIR"];
    /// Which actions the registry policy decides on. "The V2 version is the default registry policy
    /// scope" (ECR user guide, "Private registry permissions").
    RegistryPolicyScope = "REGISTRY_POLICY_SCOPE" ["V2", "V1"];
    /// Whether blobs are mounted across repositories. AWS's documents name no default; the
    /// distribution specification's behaviour is to mount.
    BlobMounting = "BLOB_MOUNTING" ["ENABLED", "DISABLED"];
}

impl AccountSetting {
    /// The setting of this name.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a setting that Amazon ECR does not have.
    pub(crate) fn of_name(name: &str) -> Result<AccountSetting, Error> {
        let found = AccountSetting::ALL
            .iter()
            .find(|known| known.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = AccountSetting::ALL
                .iter()
                .map(|known| known.name())
                .collect();
            Error::parameter("name", format!("must be one of: {}", names.join(", ")))
        })
    }

    /// What registries do whose setting nobody put.
    pub(crate) fn default_value(self) -> &'static str {
        self.values()[0]
    }

    /// Refuses a value that the setting does not take.
    pub(crate) fn check(self, value: &str) -> Result<(), Error> {
        match self.values().contains(&value) {
            true => Ok(()),
            false => {
                let values = self.values().join(", ");
                Err(Error::parameter(
                    "value",
                    format!("must be one of: {values}"),
                ))
            }
        }
    }

    /// The account settings among the rows of a registry.
    pub(crate) fn stored(rows: Vec<(String, String)>) -> Vec<(AccountSetting, String)> {
        let setting = |(name, value): (String, String)| {
            let known = AccountSetting::ALL
                .iter()
                .find(|known| known.name() == name);
            Some((*known?, value))
        };
        rows.into_iter().filter_map(setting).collect()
    }
}
