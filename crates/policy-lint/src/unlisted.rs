//! Names that AWS uses and the service authorization reference does not list.
//!
//! The reference drops a service when it is retired, and lists some actions late or never. AWS's
//! own managed policies still name them, and Access Analyzer accepts them, so they are not
//! findings (AWS Managed Policy Reference; each name has a comment with its policy).

/// Prefixes of services.
const SERVICES: [&str; 7] = [
    "assurance",    // AssuranceServiceRolePolicy
    "builderid",    // AWSSupplyChainFederationAdminAccess
    "deepcomposer", // ReadOnlyAccess
    "deeplens",     // AWSDeepLensServiceRolePolicy
    "deepracer",    // AWSDeepRacerServiceRolePolicy
    "iot1click",    // ReadOnlyAccess
    "zocalo",       // AmazonZocaloFullAccess
];

/// Actions, in lower case.
const ACTIONS: [&str; 3] = [
    "account:sendphonenumberverification", // AWSAccountSettingsManagementRole
    "account:verifyphonenumber",           // AWSAccountSettingsManagementRole
    // AmazonRoute53RecoveryControlConfigReadOnlyAccess
    "route53-recovery-control-config:describeroutingcontrolbyname",
];

/// Condition keys, in lower case.
const KEYS: [&str; 1] = [
    "aws:principalorgmasteraccountid", // AWSSSOServiceRolePolicy
];

pub(crate) fn is_service(prefix: &str) -> bool {
    SERVICES.contains(&&*prefix.to_ascii_lowercase())
}

pub(crate) fn is_action(action: &str) -> bool {
    ACTIONS.contains(&&*action.to_ascii_lowercase())
}

pub(crate) fn is_key(key: &str) -> bool {
    KEYS.contains(&&*key.to_ascii_lowercase())
}
