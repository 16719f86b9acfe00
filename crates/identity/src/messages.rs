//! AWS's messages, each once. The words are those of answers recorded from AWS (LocalStack's
//! `tests/aws/services/iam/*.snapshot.json`, cloud-custodian's `tests/data/placebo`).

use aws_api::iam::ErrorCode;
use store::iam::entity::Kind;

use crate::Error;

/// `NoSuchEntity` for an entity that is named by its name.
pub(crate) fn not_found(kind: Kind, name: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        match kind {
            Kind::User => format!("The user with name {name} cannot be found."),
            Kind::Group => format!("The group with name {name} cannot be found."),
            Kind::Role => format!("The role with name {name} cannot be found."),
            Kind::Policy => format!("Policy {name} was not found."),
            Kind::InstanceProfile => format!("Instance Profile {name} cannot be found."),
            Kind::OidcProvider => format!("OpenIDConnect Provider not found for arn {name}"),
            Kind::SamlProvider => format!("SAMLProvider {name} not found."),
            Kind::MfaDevice => format!("VirtualMFADevice with serial number {name} doesn't exist."),
            Kind::ServerCertificate => {
                format!("The Server Certificate with name {name} cannot be found.")
            }
        },
    )
}

/// `EntityAlreadyExists`.
pub(crate) fn exists(kind: Kind, name: &str) -> Error {
    Error::new(
        ErrorCode::EntityAlreadyExists,
        match kind {
            Kind::User => format!("User with name {name} already exists."),
            Kind::Group => format!("Group with name {name} already exists."),
            Kind::Role => format!("Role with name {name} already exists."),
            Kind::Policy => {
                format!("A policy called {name} already exists. Duplicate names are not allowed.")
            }
            Kind::InstanceProfile => format!("Instance Profile {name} already exists."),
            Kind::OidcProvider => format!("Provider with url https://{name} already exists."),
            Kind::SamlProvider => format!("SAMLProvider {name} already exists."),
            // In CloudTrail's records and in reports of the console.
            Kind::MfaDevice => {
                "MFADevice entity at the same path and name already exists.".to_owned()
            }
            Kind::ServerCertificate => {
                format!("The Server Certificate with name {name} already exists.")
            }
        },
    )
}

/// `NoSuchEntity` for a managed policy that is looked up.
pub(crate) fn policy_not_found(arn: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Policy {arn} was not found."),
    )
}

/// `NoSuchEntity` for a managed policy that is to be used.
pub(crate) fn policy_not_attachable(arn: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Policy {arn} does not exist or is not attachable."),
    )
}

/// `NoSuchEntity` for a policy that is to be a permissions boundary.
pub(crate) fn boundary_not_attachable(arn: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Scope ARN: {arn} does not exist or is not attachable."),
    )
}

/// `NoSuchEntity` for a version of a managed policy, whether the policy or the version is missing.
pub(crate) fn version_not_found(arn: &str, id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Policy {arn} version {id} does not exist or is not attachable."),
    )
}

/// `NoSuchEntity` for a role that an instance profile does not hold.
pub(crate) fn role_not_in_profile(role: &str, profile: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("Role {role} in Instance Profile {profile} cannot be found."),
    )
}

/// `NoSuchEntity` for the user, group or role whose policies are to be simulated.
pub(crate) fn policy_source_not_found() -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        "Unable to retrieve specified IAM entity.".to_owned(),
    )
}

/// `InvalidInput` for tag keys that one request names twice.
pub(crate) fn duplicate_tags(ignores_case: bool) -> Error {
    let note = match ignores_case {
        true => " Please note that Tag keys are case insensitive.",
        false => "",
    };
    Error::new(
        ErrorCode::InvalidInput,
        format!("Duplicate tag keys found.{note}"),
    )
}

/// `LimitExceeded` for one tag too many on an entity.
pub(crate) fn too_many_tags() -> Error {
    Error::new(
        ErrorCode::LimitExceeded,
        "The number of tags has reached the maximum limit.".to_owned(),
    )
}

/// `NoSuchEntity` for an inline policy.
pub(crate) fn inline_not_found(kind: Kind, name: &str) -> Error {
    let kind = kind.as_str();
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The {kind} policy with name {name} cannot be found."),
    )
}

/// `NoSuchEntity` for an access key.
pub(crate) fn key_not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The Access Key with id {id} cannot be found."),
    )
}

/// `LimitExceeded`.
pub(crate) fn quota(name: &str, max: i64) -> Error {
    Error::new(
        ErrorCode::LimitExceeded,
        format!("Cannot exceed quota for {name}: {max}"),
    )
}

/// `DeleteConflict`: what must go first. Of signing certificates (`delete certificates`) and SSH keys
/// (`remove referenced objects`) the words stand in <https://github.com/rebuy-de/aws-nuke/issues/671> and
/// <https://github.com/rebuy-de/aws-nuke/issues/522>.
pub(crate) fn must_first(what: &str) -> Error {
    Error::new(
        ErrorCode::DeleteConflict,
        format!("Cannot delete entity, must {what} first."),
    )
}

/// The policies of service-linked roles cannot be attached to other entities (IAM API Reference,
/// `PolicyNotAttachableException`; <https://github.com/aws/aws-cdk/issues/6131> quotes the message).
pub(crate) fn service_linked_policy(kind: Kind) -> Error {
    let kind = match kind {
        Kind::Group => "Group",
        Kind::Role => "Role",
        _ => "User",
    };
    Error::new(
        ErrorCode::PolicyNotAttachable,
        format!("Cannot attach a Service Role Policy to a Customer {kind}."),
    )
}
