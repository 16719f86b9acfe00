//! The form of an entry of `Resource` (docs/semantics.md#45).

use std::borrow::Cow;

use crate::document::Text;
use crate::document_kind::DocumentKind;
use crate::error::{LEGACY, Violation, violation};

/// The partitions of AWS (General Reference, Amazon Resource Names).
const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
];

/// How IAM's own resources start.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Newer ones, which the message does not list.
const IAM_PATHS_NEW: [&str; 3] = ["role-template/", "delegation-request/", "context-provider/"];

/// Resources of S3 that, unlike buckets, stand in a region (Service Authorization Reference, Amazon S3).
const S3_REGIONAL: [&str; 6] = [
    "accesspoint/",
    "access-grants/",
    "async-request/",
    "job/",
    "storage-lens/",
    "storage-lens-group/",
];

/// How API Gateway's policies write an API's ARN: it puts region, account and the API's ID in
/// (API Gateway Developer Guide, apigateway-resource-policies-examples).
const EXECUTE_API: &str = "execute-api:/";

/// The ARN that an entry stands for.
pub fn in_full(resource: &str) -> Cow<'_, str> {
    match resource.strip_prefix(EXECUTE_API) {
        Some(path) => format!("arn:*:execute-api:*:*:*/{path}").into(),
        None => resource.into(),
    }
}

/// Whether the missing fields of an incomplete ARN, one with fewer than six fields, stand for `*`:
/// `arn:aws:ecr` is `arn:aws:ecr:*:*:*` (docs/semantics.md#46).
///
/// UG reference-arns, the note on incomplete ARNs, says so of identity-based policies, and that
/// session policies passed to STS do not support them; a managed policy that limits a session is
/// an identity-based policy and keeps its meaning. SCPs and RCPs are written in the syntax of
/// identity-based policies (Organizations UG orgs_manage_policies_scps_syntax and ..._rcps_syntax),
/// and what they deny must not depend on a missing field. No page completes the ARNs of
/// resource-based policies: there, [`check`] refuses those that could match nothing.
pub(crate) fn completes_arns(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Managed
        | DocumentKind::InlineUser
        | DocumentKind::InlineGroup
        | DocumentKind::InlineRole
        | DocumentKind::Session
        | DocumentKind::PermissionsBoundary
        | DocumentKind::ServiceControl
        | DocumentKind::ResourceControl => true,
        DocumentKind::Trust
        | DocumentKind::EcrRepository
        | DocumentKind::EcrRegistry
        | DocumentKind::Resource => false,
    }
}

/// Why an entry of `Resource` is invalid. IAM finds the two in different passes.
pub(crate) enum InvalidResource {
    /// It fails "legacy parsing".
    Legacy(Violation),
    Form(Violation),
}

/// Checks that an entry is `*` or has the form of an ARN.
pub(crate) fn check(text: &Text, kind: DocumentKind) -> Result<(), InvalidResource> {
    const FORM: &str = "a resource is `*` or `arn:partition:service:region:account:name`";
    let resource = &*text.value;
    let refuse_for = |message: String, detail: String| {
        Err(InvalidResource::Form(violation(
            message,
            detail,
            text.position,
        )))
    };
    let refuse = |message: String| refuse_for(message, FORM.into());
    let short = kind == DocumentKind::Resource && resource.starts_with(EXECUTE_API);
    if resource == "*" || short {
        return Ok(());
    }
    // IAM looks at what follows the first colon, whatever precedes it.
    let Some((_, behind)) = resource.split_once(':') else {
        return refuse(format!(
            "Resource {resource} must be in ARN format or \"*\"."
        ));
    };
    let mut parts = behind.splitn(5, ':');
    let partition = parts.next().unwrap_or_default();
    // AWS's own managed policies write `arn:*:…`.
    if !PARTITIONS.contains(&partition) && !partition.contains(['*', '?']) {
        let rest: Vec<&str> = parts.collect();
        let part = |at: usize| rest.get(at).copied().unwrap_or("*");
        let message = format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{}:{}:{}:{}\".",
            part(0),
            part(1),
            part(2),
            part(3)
        );
        let known = PARTITIONS.join(", ");
        let detail = format!("unknown partition `{partition}`; the partitions are {known}");
        return refuse_for(message, detail);
    }
    if !resource.starts_with("arn:") {
        return refuse(format!(
            "Resource {resource} must be in ARN format or \"*\"."
        ));
    }
    let Some(service) = parts.next() else {
        let message = "Resource vendor must be fully qualified and cannot contain regexes.";
        return refuse(message.into());
    };
    if service.contains(['*', '?']) {
        let message = "Resource vendor must be fully qualified and cannot contain regexes.";
        return refuse(message.into());
    }
    let (region, account, name) = (parts.next(), parts.next(), parts.next());
    if region.is_some_and(|region| !region.is_empty()) {
        match service {
            "iam" => {
                return refuse(format!(
                    "IAM resource {resource} cannot contain region information."
                ));
            }
            "s3" if !S3_REGIONAL
                .iter()
                .any(|kind| name.unwrap_or_default().starts_with(kind)) =>
            {
                return refuse(format!(
                    "Resource {resource} can not contain region information."
                ));
            }
            _ => {}
        }
    }
    if service.is_empty() || (account.is_none() || name.is_none()) && resource.contains("::") {
        return Err(InvalidResource::Legacy(violation(
            LEGACY,
            FORM,
            text.position,
        )));
    }
    let Some(name) = name else {
        // Without completion an incomplete ARN matches nothing, unless a `*` reaches past colons.
        let accepted = match kind {
            DocumentKind::Session => false,
            _ => completes_arns(kind) || resource.contains('*'),
        };
        return match accepted {
            true => Ok(()),
            false => refuse_for(
                format!("Resource {resource} must be in ARN format or \"*\"."),
                format!("{FORM}; only identity-based policies may leave fields out"),
            ),
        };
    };
    if service == "iam" {
        // A wildcard before the first slash may match any of them.
        let first = name.split('/').next().unwrap_or_default();
        let open = first.contains(['*', '?']) || name == "root";
        let mut paths = IAM_PATHS.iter().chain(&IAM_PATHS_NEW);
        if !open && !paths.any(|path| name.starts_with(path)) {
            let message = format!(
                "IAM resource path must either be \"*\", root, or start with {}.",
                IAM_PATHS.join(", ")
            );
            let detail = format!("IAM has no resources under `{first}`");
            return refuse_for(message, detail);
        }
    }
    Ok(())
}
