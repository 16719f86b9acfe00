//! The linter on AWS's own policies, which are correct by definition: an error about one of them is
//! either a mistake of AWS or one of the linter.

use std::collections::BTreeMap;

use policy::{Document, DocumentKind};
use policy_lint::{AwsCatalogue, Level, lint};

use super::all;

/// The policies with errors. Access Analyzer reports the first group as well (its findings of
/// 2026-03 are public); the second is newer than the service authorization reference, or has a
/// fault that Access Analyzer does not check. A policy that a newer table adds here needs a reason.
const ERRORS: &[(&str, &[&str])] = &[
    ("AWSAuditManagerAdministratorAccess", &["MISSING_QUALIFIER"]),
    ("AWSCodeStarFullAccess", &["INVALID_ACTION"]),
    (
        "AWSIAMIdentityCenterAllowListForIdentityContext",
        &["INVALID_ACTION"],
    ),
    (
        "AmazonDataZoneGlueManageAccessRolePolicy",
        &["INVALID_SERVICE_CONDITION_KEY"],
    ),
    (
        "AmazonDataZoneSageMakerEnvironmentRolePermissionsBoundary",
        &["INVALID_SERVICE_IN_ACTION"],
    ),
    ("AmazonSageMakerFullAccess", &["INVALID_SERVICE_IN_ACTION"]),
    ("CloudTrailEventContext", &["MISSING_QUALIFIER"]),
    ("MemoryDBServiceRolePolicy", &["INVALID_ACTION"]),
    ("RDSCloudHsmAuthorizationRole", &["INVALID_ACTION"]),
    (
        "ResourceGroupsTaggingAPITagUntagSupportedResources",
        &["INVALID_SERVICE_IN_ACTION"],
    ),
    // Names that the reference does not have yet.
    ("AWSManagedSettingsAdminAccess", &["INVALID_ACTION"]),
    ("SecurityAgentWebAppAPIPolicy", &["INVALID_ACTION"]),
    // A variable in the account of an ARN, and `ecr:GetAuthorizationToken` on repositories.
    (
        "AmazonTimestreamInfluxDBServiceRolePolicy",
        &["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
    ),
    (
        "SageMakerStudioProjectProvisioningRolePolicy",
        &["ACTION_NEEDS_STAR_RESOURCE", "MISSING_QUALIFIER"],
    ),
];

#[test]
fn linter_reports_errors_only_for_known_policies() {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for policy in all() {
        let text = policy.text().unwrap();
        let document = Document::parse_language(&text, DocumentKind::Managed).unwrap();
        for finding in lint(&document, &AwsCatalogue) {
            if finding.code.level() == Level::Error {
                found
                    .entry(policy.name)
                    .or_default()
                    .push(finding.code.as_str());
            }
        }
    }
    for codes in found.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    let expected: BTreeMap<&str, Vec<&str>> = ERRORS
        .iter()
        .map(|(name, codes)| (*name, codes.to_vec()))
        .collect();
    assert_eq!(found, expected);
}
