//! The form of `Principal` (rows 17, 18 and 21).
//!
//! Source: UG reference_policies_elements_principal, reference_policies_elements_notprincipal.

use crate::document::{PrincipalElement, PrincipalEntry, PrincipalType, StatementEffect};
use crate::document_kind::DocumentKind;
use crate::error::{SYNTAX, Violation, violation};
use crate::principal::is_account_id;

/// Checks `Principal` or `NotPrincipal`.
pub(crate) fn check(
    element: &PrincipalElement,
    effect: StatementEffect,
    kind: DocumentKind,
) -> Result<(), Violation> {
    if element.not && effect == StatementEffect::Allow {
        let detail = "`NotPrincipal` with Allow would allow everyone else; use a condition";
        return Err(violation(SYNTAX, detail, element.position));
    }
    for entry in &element.entries {
        let text = &*entry.text.value;
        let (name, valid) = match entry.kind {
            PrincipalType::Everyone => continue,
            PrincipalType::Aws => {
                let origin = kind == DocumentKind::Resource && is_origin_access_identity(text);
                ("AWS", origin || is_aws_principal(text))
            }
            PrincipalType::Service => ("SERVICE", is_service(text, kind)),
            PrincipalType::Federated => ("FEDERATED", is_provider(text)),
            PrincipalType::CanonicalUser => {
                let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
                ("CANONICAL_USER", kind == DocumentKind::Resource && hex)
            }
        };
        if !valid {
            return Err(invalid_principal(name, entry));
        }
    }
    Ok(())
}

fn invalid_principal(name: &str, entry: &PrincipalEntry) -> Violation {
    let text = &entry.text.value;
    if entry.kind == PrincipalType::Federated {
        let message = "Federated principals must be valid domain names or SAML metadata ARNs";
        let detail = format!("`{text}` is no provider's ARN and no domain");
        return violation(message, detail, entry.text.position);
    }
    let message = format!("Invalid principal in policy: \"{name}\":\"{text}\"");
    let detail = match text.contains(['*', '?']) {
        true => format!("`{text}` is no principal: `*` stands alone or not at all"),
        false => format!("`{text}` is no principal of the type `{name}`"),
    };
    violation(message, detail, entry.text.position)
}

/// `*`, an account, an ARN of an account, user, role or session, or a unique ID.
fn is_aws_principal(text: &str) -> bool {
    if text == "*" || is_account_id(text) {
        return true;
    }
    if text.contains(['*', '?']) {
        return false;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, name] = parts[..] else {
        // Users, roles, and what a policy still shows when one of them is gone (row 16).
        let id = text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        return id && (16..=128).contains(&text.len()) && text.starts_with('A');
    };
    let known = match (service, name.split_once('/')) {
        ("iam", None) => name == "root",
        ("iam", Some(("user" | "role", name))) => !name.is_empty(),
        ("sts", Some(("assumed-role", name))) => {
            name.split('/').filter(|p| !p.is_empty()).count() == 2
        }
        ("sts", Some(("federated-user", name))) => !name.is_empty(),
        _ => false,
    };
    arn == "arn"
        && partition.starts_with("aws")
        && region.is_empty()
        && is_account_id(account)
        && known
}

/// As which CloudFront reads a private bucket, in bucket policies that are older than origin
/// access control (CloudFront Developer Guide, private-content-restricting-access-to-s3).
fn is_origin_access_identity(text: &str) -> bool {
    const NAME: &str = "user/CloudFront Origin Access Identity ";
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, name] = parts[..] else {
        return false;
    };
    let id = name.strip_prefix(NAME).unwrap_or_default();
    arn == "arn"
        && partition.starts_with("aws")
        && (service, region, account) == ("iam", "", "cloudfront")
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_service(text: &str, kind: DocumentKind) -> bool {
    if text == "*" {
        return kind != DocumentKind::Trust;
    }
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.contains('.') && text.split('.').all(label)
}

/// A provider's ARN, or the host name of a built-in one such as `accounts.google.com`.
fn is_provider(text: &str) -> bool {
    if text.contains(['*', '?']) {
        return false;
    }
    if text.starts_with("arn:") {
        let name = text.splitn(6, ':').nth(5).unwrap_or_default();
        return name.starts_with("oidc-provider/") || name.starts_with("saml-provider/");
    }
    is_service(text, DocumentKind::Trust)
}
