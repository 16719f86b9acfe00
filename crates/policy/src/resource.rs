//! The form of an entry of `Resource` (row 45).

use crate::document::Text;
use crate::parse::{LEGACY, Refused, refused};

/// The partitions of AWS (General Reference, Amazon Resource Names).
const PARTITIONS: [&str; 7] = [
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
];

/// What IAM's own resources start with.
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

/// Resources of S3 that, unlike buckets, stand in a region (Service Authorization Reference, Amazon S3).
const S3_REGIONAL: [&str; 6] = [
    "accesspoint/",
    "access-grants/",
    "async-request/",
    "job/",
    "storage-lens/",
    "storage-lens-group/",
];

/// Checks that an entry is `*` or has the form of an ARN.
pub(crate) fn check(text: &Text) -> Result<(), Refused> {
    let resource = &*text.value;
    let refuse = |message: String| {
        let detail = "a resource is `*` or `arn:partition:service:region:account:name`";
        Err(refused(message, detail, text.position))
    };
    if resource == "*" {
        return Ok(());
    }
    let Some(behind) = resource.strip_prefix("arn:") else {
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
        return refuse(format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{}:{}:{}:{}\".",
            part(0),
            part(1),
            part(2),
            part(3)
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
        return refuse(LEGACY.into());
    }
    let name = name.unwrap_or_default();
    if service == "iam" {
        // A wildcard before the first slash may stand for any of them.
        let first = name.split('/').next().unwrap_or_default();
        let open = first.contains(['*', '?']) || name == "root";
        if !open && !IAM_PATHS.iter().any(|path| name.starts_with(path)) {
            return refuse(format!(
                "IAM resource path must either be \"*\" or start with {}.",
                IAM_PATHS.join(", ")
            ));
        }
    }
    Ok(())
}
