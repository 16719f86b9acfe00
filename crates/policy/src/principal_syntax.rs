//! The principals that `Principal` and `NotPrincipal` name (docs/semantics.md, rules 16, 17, 18, 21 and 51).
//!
//! [`NamedPrincipal::parse`] is the only place that reads such a name. Validation, matching, and
//! the pinning of users and roles to their unique IDs all start from its answer, so trust
//! policies, repository policies and registry policies cannot disagree.
//!
//! Sources: UG reference_policies_elements_principal, reference_policies_elements_notprincipal,
//! reference_identifiers ("Unique identifiers").

use crate::document::{PrincipalElement, PrincipalEntry, PrincipalType, StatementEffect};
use crate::document_kind::DocumentKind;
use crate::error::{SYNTAX, Violation, violation};
use crate::principal::is_account_id;

/// A principal as a policy names it.
///
/// ```
/// use policy::{NamedPrincipal, PrincipalType};
///
/// let named = NamedPrincipal::parse(PrincipalType::Aws, "arn:aws:iam::111122223333:role/ci");
/// assert_eq!(named, Some(NamedPrincipal::Role { account: "111122223333" }));
/// assert_eq!(NamedPrincipal::parse(PrincipalType::Service, "ec2.amazonaws.COM"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedPrincipal<'a> {
    /// `*`, with or without the type `AWS`: both mean the same.
    Everyone,
    /// An account, as `111122223333` or `arn:aws:iam::111122223333:root`: both mean the same.
    Account(&'a str),
    /// The ARN of a user.
    User {
        /// The user's account.
        account: &'a str,
    },
    /// The ARN of a role.
    Role {
        /// The role's account.
        account: &'a str,
    },
    /// The ARN of a role's session (`assumed-role/role/session`).
    RoleSession {
        /// The role's account.
        account: &'a str,
        /// The role's name, without its path.
        role: &'a str,
        /// The session's name.
        session: &'a str,
    },
    /// The ARN of a session of `GetFederationToken` (`federated-user/name`).
    FederatedUser {
        /// The account of the user who federates.
        account: &'a str,
        /// The session's name.
        name: &'a str,
    },
    /// `AIDA...` of a user or `AROA...` of a role.
    UniqueId(&'a str),
    /// A CloudFront origin access identity, in bucket policies.
    OriginAccessIdentity,
    /// Every service: `{"Service": "*"}`.
    AnyService,
    /// A service, such as `ec2.amazonaws.com`.
    Service(&'a str),
    /// The ARN of an OIDC provider, or the host name of a built-in one such as
    /// `accounts.google.com`.
    OidcProvider(&'a str),
    /// The ARN of a SAML provider.
    SamlProvider(&'a str),
    /// An S3 canonical user ID.
    CanonicalUser(&'a str),
}

impl<'a> NamedPrincipal<'a> {
    /// Reads a name that is listed under `kind`; `None` if there are no such principals.
    ///
    /// This checks the form alone. Whether the principal exists is for the caller to look up.
    pub fn parse(kind: PrincipalType, text: &'a str) -> Option<NamedPrincipal<'a>> {
        match kind {
            PrincipalType::Everyone => (text == "*").then_some(NamedPrincipal::Everyone),
            PrincipalType::Aws => aws_principal(text),
            PrincipalType::Service if text == "*" => Some(NamedPrincipal::AnyService),
            PrincipalType::Service => is_service(text).then_some(NamedPrincipal::Service(text)),
            PrincipalType::Federated => provider(text),
            PrincipalType::CanonicalUser => {
                let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                hex.then_some(NamedPrincipal::CanonicalUser(text))
            }
        }
    }
}

/// Checks `Principal` or `NotPrincipal`. What only this version of the rules refuses is refused
/// when a document is stored, so a document that was stored earlier stays readable.
pub(crate) fn check(
    element: &PrincipalElement,
    effect: StatementEffect,
    kind: DocumentKind,
    stored: bool,
) -> Result<(), Violation> {
    if element.not && effect == StatementEffect::Allow {
        let detail = "`NotPrincipal` with Allow would allow everyone else; use a condition";
        return Err(violation(SYNTAX, detail, element.position));
    }
    for entry in &element.entries {
        let valid = match NamedPrincipal::parse(entry.kind, &entry.text.value) {
            // Only S3 knows these two.
            Some(NamedPrincipal::CanonicalUser(_) | NamedPrincipal::OriginAccessIdentity) => {
                kind == DocumentKind::Resource
            }
            Some(NamedPrincipal::AnyService) => kind != DocumentKind::Trust,
            Some(_) => true,
            None => !stored && was_valid(entry),
        };
        if !valid {
            return Err(invalid_principal(entry));
        }
    }
    Ok(())
}

/// The names that earlier versions stored and [`NamedPrincipal::parse`] does not know. They match
/// nobody.
fn was_valid(entry: &PrincipalEntry) -> bool {
    let text = &*entry.text.value;
    match entry.kind {
        PrincipalType::Aws => is_identifier(text),
        PrincipalType::Service => is_domain(text),
        PrincipalType::Federated if text.contains(['*', '?']) => false,
        PrincipalType::Federated => {
            let name = text.splitn(6, ':').nth(5).unwrap_or_default();
            let is_provider =
                name.starts_with("oidc-provider/") || name.starts_with("saml-provider/");
            text.starts_with("arn:") && is_provider || is_domain(text)
        }
        PrincipalType::Everyone | PrincipalType::CanonicalUser => false,
    }
}

fn invalid_principal(entry: &PrincipalEntry) -> Violation {
    let text = &entry.text.value;
    let name = match entry.kind {
        PrincipalType::Federated => {
            let message = "Federated principals must be valid domain names or SAML metadata ARNs";
            let detail = format!("`{text}` is neither a provider's ARN nor a domain name");
            return violation(message, detail, entry.text.position);
        }
        PrincipalType::Everyone => "STAR",
        PrincipalType::Aws => "AWS",
        PrincipalType::Service => "SERVICE",
        PrincipalType::CanonicalUser => "CANONICAL_USER",
    };
    let message = format!("Invalid principal in policy: \"{name}\":\"{text}\"");
    let lower = text.to_ascii_lowercase();
    let detail = match entry.kind {
        _ if text.contains(['*', '?']) => {
            format!("`{text}` is not a principal: a wildcard cannot match a part of a name")
        }
        PrincipalType::Service if is_service(&lower) => {
            format!("`{text}` is not a service principal: they are lower case, `{lower}`")
        }
        _ => format!("`{text}` is not a principal of the type `{name}`"),
    };
    violation(message, detail, entry.text.position)
}

fn aws_principal(text: &str) -> Option<NamedPrincipal<'_>> {
    if text == "*" {
        return Some(NamedPrincipal::Everyone);
    }
    if is_account_id(text) {
        return Some(NamedPrincipal::Account(text));
    }
    // docs/semantics.md#17: no wildcard matches a part of a name.
    if text.contains(['*', '?']) {
        return None;
    }
    if !text.starts_with("arn:") {
        // Users and roles, by what a policy shows when one of them is gone (docs/semantics.md#16). Groups and
        // policies have unique IDs as well, and are no principals.
        let known = text.starts_with("AIDA") || text.starts_with("AROA");
        return (known && is_identifier(text)).then_some(NamedPrincipal::UniqueId(text));
    }
    let (service, account, resource) = arn(text)?;
    if (service, account) == ("iam", "cloudfront") {
        return is_origin_access_identity(resource).then_some(NamedPrincipal::OriginAccessIdentity);
    }
    if !is_account_id(account) {
        return None;
    }
    // A path may hold empty parts, a name is never empty.
    let is_named = |path_and_name: &str| !path_and_name.is_empty() && !path_and_name.ends_with('/');
    match (service, resource.split_once('/')) {
        ("iam", None) if resource == "root" => Some(NamedPrincipal::Account(account)),
        ("iam", Some(("user", name))) if is_named(name) => Some(NamedPrincipal::User { account }),
        ("iam", Some(("role", name))) if is_named(name) => Some(NamedPrincipal::Role { account }),
        ("sts", Some(("assumed-role", name))) => {
            let (role, session) = name.split_once('/')?;
            let valid = !role.is_empty() && !session.is_empty() && !session.contains('/');
            valid.then_some(NamedPrincipal::RoleSession {
                account,
                role,
                session,
            })
        }
        ("sts", Some(("federated-user", name))) if !name.is_empty() && !name.contains('/') => {
            Some(NamedPrincipal::FederatedUser { account, name })
        }
        _ => None,
    }
}

/// The service, the account and the resource of an ARN without a region.
fn arn(text: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, resource] = parts[..] else {
        return None;
    };
    let partition = partition == "aws" || partition.starts_with("aws-");
    partition.then_some((service, account, resource))
}

/// The form of a unique ID.
fn is_identifier(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (16..=128).contains(&text.len()) && text.starts_with('A') && text.bytes().all(allowed)
}

/// As which CloudFront reads a private bucket, in bucket policies that are older than origin
/// access control (CloudFront Developer Guide, private-content-restricting-access-to-s3).
fn is_origin_access_identity(resource: &str) -> bool {
    const NAME: &str = "user/CloudFront Origin Access Identity ";
    let id = resource.strip_prefix(NAME).unwrap_or_default();
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// docs/semantics.md#51: a service principal is `service-name.amazonaws.com`, in lower case. UG
/// access-analyzer-reference-policy-checks, "Invalid service principal format", refuses others.
fn is_service(text: &str) -> bool {
    is_domain(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_domain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    text.contains('.') && text.split('.').all(label)
}

fn provider(text: &str) -> Option<NamedPrincipal<'_>> {
    if text.contains(['*', '?']) {
        return None;
    }
    if !text.starts_with("arn:") {
        return is_domain(text).then_some(NamedPrincipal::OidcProvider(text));
    }
    let (service, account, resource) = arn(text)?;
    if service != "iam" || !is_account_id(account) {
        return None;
    }
    match resource.split_once('/')? {
        (_, "") => None,
        ("oidc-provider", _) => Some(NamedPrincipal::OidcProvider(text)),
        ("saml-provider", _) => Some(NamedPrincipal::SamlProvider(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NamedPrincipal as Named;

    const ACCOUNT: &str = "111122223333";

    #[test]
    fn classifies_every_form() {
        let aws = PrincipalType::Aws;
        let service = PrincipalType::Service;
        let federated = PrincipalType::Federated;
        let oidc = "arn:aws:iam::111122223333:oidc-provider/ci.example.com/id";
        let saml = "arn:aws:iam::111122223333:saml-provider/corp";
        let account = ACCOUNT;
        let session = Named::RoleSession {
            account,
            role: "ci",
            session: "job1",
        };
        let federated_user = Named::FederatedUser {
            account,
            name: "guest",
        };
        let cases: &[(PrincipalType, &str, Named<'_>)] = &[
            (PrincipalType::Everyone, "*", Named::Everyone),
            (aws, "*", Named::Everyone),
            (aws, ACCOUNT, Named::Account(ACCOUNT)),
            (
                aws,
                "arn:aws:iam::111122223333:root",
                Named::Account(ACCOUNT),
            ),
            (
                aws,
                "arn:aws-cn:iam::111122223333:root",
                Named::Account(ACCOUNT),
            ),
            (
                aws,
                "arn:aws:iam::111122223333:user/ana",
                Named::User { account },
            ),
            (
                aws,
                "arn:aws:iam::111122223333:user/team/ana",
                Named::User { account },
            ),
            (
                aws,
                "arn:aws:iam::111122223333:role/ci",
                Named::Role { account },
            ),
            (
                aws,
                "arn:aws:sts::111122223333:assumed-role/ci/job1",
                session,
            ),
            (
                aws,
                "arn:aws:sts::111122223333:federated-user/guest",
                federated_user,
            ),
            (
                aws,
                "AIDAEXAMPLEEXAMPLE12",
                Named::UniqueId("AIDAEXAMPLEEXAMPLE12"),
            ),
            (
                aws,
                "AROAEXAMPLEEXAMPLE12",
                Named::UniqueId("AROAEXAMPLEEXAMPLE12"),
            ),
            (service, "*", Named::AnyService),
            (
                service,
                "ec2.amazonaws.com",
                Named::Service("ec2.amazonaws.com"),
            ),
            (
                federated,
                "accounts.google.com",
                Named::OidcProvider("accounts.google.com"),
            ),
            (federated, oidc, Named::OidcProvider(oidc)),
            (federated, saml, Named::SamlProvider(saml)),
            (
                PrincipalType::CanonicalUser,
                "79a59d",
                Named::CanonicalUser("79a59d"),
            ),
        ];
        for &(kind, text, expected) in cases {
            assert_eq!(Named::parse(kind, text), Some(expected), "{kind:?} {text}");
        }
    }

    #[test]
    fn refuses_other_names() {
        let aws = [
            "",
            "nobody",
            "1234",
            "1111*",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::111122223333:group/devs",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:role/ci-*",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:iam::1:root",
            "arn:aws:iam:us-east-1:111122223333:root",
            "arn:awsome:iam::111122223333:root",
            "arn:aws:sts::111122223333:assumed-role/ci",
            "arn:aws:sts::111122223333:assumed-role//job1",
            "arn:aws:sts::111122223333:assumed-role/ci/job1/more",
            "arn:aws:sts::111122223333:assumed-role/ci/*",
            "arn:aws:iam::111122223333:assumed-role/ci/job1",
            "arn:aws:sts::111122223333:federated-user/",
            "arn:aws:sts::111122223333:user/ana",
            "arn:aws:s3:::bucket",
            "AGPAEXAMPLEEXAMPLE12",
            "AKIAEXAMPLEEXAMPLE12",
            "aidaexampleexample12",
            "AIDA",
            "ec2.amazonaws.com",
        ];
        for text in aws {
            assert_eq!(Named::parse(PrincipalType::Aws, text), None, "{text}");
        }
        for text in [
            "",
            "ec2",
            "ec2.amazonaws.COM",
            "EC2.amazonaws.com",
            "ec2..com",
            "ec2.*",
        ] {
            assert_eq!(Named::parse(PrincipalType::Service, text), None, "{text}");
        }
        let federated = [
            "",
            "*",
            "foo",
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::111122223333:oidc-provider/",
            "arn:aws:iam::1:saml-provider/corp",
            "arn:aws:sts::111122223333:saml-provider/corp",
        ];
        for text in federated {
            assert_eq!(Named::parse(PrincipalType::Federated, text), None, "{text}");
        }
    }
}
