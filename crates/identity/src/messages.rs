//! AWS's sentences, each once.

use store::iam::entity::Kind;

use crate::Error;

/// `NoSuchEntity` for an entity that is named by its name.
pub(crate) fn not_found(kind: Kind, name: &str) -> Error {
    Error::NoSuchEntity(match kind {
        Kind::User => format!("The user with name {name} cannot be found."),
        Kind::Group => format!("The group with name {name} cannot be found."),
        Kind::Role => format!("The role with name {name} cannot be found."),
        Kind::Policy => format!("Policy {name} was not found."),
        Kind::InstanceProfile => format!("Instance Profile {name} cannot be found."),
    })
}

/// `EntityAlreadyExists`.
pub(crate) fn exists(kind: Kind, name: &str) -> Error {
    Error::EntityAlreadyExists(match kind {
        Kind::User => format!("User with name {name} already exists."),
        Kind::Group => format!("Group with name {name} already exists."),
        Kind::Role => format!("Role with name {name} already exists."),
        Kind::Policy => {
            format!("A policy called {name} already exists. Duplicate names are not allowed.")
        }
        Kind::InstanceProfile => format!("Instance Profile {name} already exists."),
    })
}

/// `NoSuchEntity` for a managed policy that is looked up.
pub(crate) fn policy_not_found(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} was not found."))
}

/// `NoSuchEntity` for a managed policy that is to be used.
pub(crate) fn policy_not_attachable(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."))
}

/// `NoSuchEntity` for an inline policy.
pub(crate) fn inline_not_found(kind: Kind, name: &str) -> Error {
    let kind = kind.as_str();
    Error::NoSuchEntity(format!(
        "The {kind} policy with name {name} cannot be found."
    ))
}

/// `NoSuchEntity` for an access key.
pub(crate) fn key_not_found(id: &str) -> Error {
    Error::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}

/// `LimitExceeded`.
pub(crate) fn quota(name: &str, max: i64) -> Error {
    Error::LimitExceeded(format!("Cannot exceed quota for {name}: {max}"))
}

/// `DeleteConflict`: what must go first.
pub(crate) fn must_first(what: &str) -> Error {
    Error::DeleteConflict(format!("Cannot delete entity, must {what} first."))
}

/// The policies of service-linked roles cannot be attached to other entities (IAM API Reference,
/// `PolicyNotAttachableException`; <https://github.com/aws/aws-cdk/issues/6131> quotes the message).
pub(crate) fn service_linked_policy(kind: Kind) -> Error {
    let kind = match kind {
        Kind::Group => "Group",
        Kind::Role => "Role",
        _ => "User",
    };
    Error::PolicyNotAttachable(format!(
        "Cannot attach a Service Role Policy to a Customer {kind}."
    ))
}
