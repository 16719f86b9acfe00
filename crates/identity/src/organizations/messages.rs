//! AWS's messages, each once: the words are those of error reports in public issue trackers (Terraform's
//! AWS provider, org-formation, Account Factory) and of the API reference's descriptions where no report
//! was found.

use aws_api::organizations::ErrorCode;

use crate::Error;

pub(super) fn constraint(reason: &'static str, message: &str) -> Error {
    Error::Constrained {
        code: ErrorCode::ConstraintViolation.into(),
        reason,
        message: message.to_owned(),
    }
}

pub(super) fn invalid(reason: &'static str, message: &str) -> Error {
    Error::Constrained {
        code: ErrorCode::InvalidInput.into(),
        reason,
        message: message.to_owned(),
    }
}

pub(super) fn handshake(reason: &'static str, message: &str) -> Error {
    Error::Constrained {
        code: ErrorCode::HandshakeConstraintViolation.into(),
        reason,
        message: message.to_owned(),
    }
}

macro_rules! refusals {
    ($($name:ident $code:ident $message:literal;)*) => {$(
        pub(super) fn $name() -> Error {
            Error::new(ErrorCode::$code, $message)
        }
    )*};
}

refusals! {
    not_in_use AWSOrganizationsNotInUse "Your account is not a member of an organization.";
    already_member AlreadyInOrganization "The provided account is already a member of an organization.";
    not_empty OrganizationNotEmpty "To delete an organization you must first remove all member accounts (except the master).";
    master_cannot_leave MasterCannotLeaveOrganization "You can't remove the management account from the organization.";
    no_account AccountNotFound "You specified an account that doesn't exist.";
    no_unit OrganizationalUnitNotFound "You specified an organizational unit that doesn't exist.";
    no_parent ParentNotFound "You specified a parent that doesn't exist.";
    no_child ChildNotFound "You specified a child that doesn't exist.";
    no_root RootNotFound "You specified a root that doesn't exist.";
    no_target TargetNotFound "You specified a target that doesn't exist.";
    no_policy PolicyNotFound "We can't find a policy with the PolicyId that you specified.";
    no_source_parent SourceParentNotFound "You specified a source parent that doesn't exist.";
    no_destination_parent DestinationParentNotFound "You specified a destination parent that doesn't exist.";
    already_there DuplicateAccount "The specified account is already present in the specified destination.";
    duplicate_unit DuplicateOrganizationalUnit "An OU with the same name already exists.";
    unit_not_empty OrganizationalUnitNotEmpty "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.";
    duplicate_policy DuplicatePolicy "A policy with the same name already exists.";
    policy_in_use PolicyInUse "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.";
    duplicate_attachment DuplicatePolicyAttachment "A policy with the same name and type is already attached to the specified target.";
    not_attached PolicyNotAttached "The specified policy is not attached to the specified target.";
    type_enabled PolicyTypeAlreadyEnabled "The specified policy type is already enabled.";
    type_not_enabled PolicyTypeNotEnabled "This operation can be performed only for enabled policy types.";
    type_not_available PolicyTypeNotAvailableForOrganization "You can't use the specified policy type with the feature set currently enabled for this organization.";
    no_effective_policy EffectivePolicyNotFound "The account doesn't have an effective policy of this type.";
    already_closed AccountAlreadyClosed "The provided account is already closed.";
    too_many_at_once TooManyRequests "AWS Organizations can't complete your request because another request is already in progress. Try again later.";
    no_request CreateAccountStatusNotFound "We can't find a create account request with the CreateAccountRequestId that you specified.";
    no_handshake HandshakeNotFound "We can't find a handshake with the HandshakeId that you specified.";
    handshake_in_state HandshakeAlreadyInState "The specified handshake is already in the requested state.";
    bad_transition InvalidHandshakeTransition "You can't perform the operation on the handshake in its current state.";
    duplicate_handshake DuplicateHandshake "A handshake with the same action and target already exists.";
    administrator_exists AccountAlreadyRegistered "The provided account is already a delegated administrator for your organization.";
    not_administrator AccountNotRegistered "The provided account is not a registered delegated administrator for your organization.";
    no_resource_policy ResourcePolicyNotFound "We can't find a resource policy request with the parameter that you specified.";
}

pub(super) fn bad_token() -> Error {
    invalid(
        "INVALID_PAGINATION_TOKEN",
        "You provided an invalid NextToken.",
    )
}

pub(super) fn not_all_features() -> Error {
    constraint(
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        "This operation requires the organization to be in all features mode.",
    )
}

pub(super) fn management_administrator() -> Error {
    constraint(
        "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
        "You cannot register master account/yourself as delegated administrator for your organization.",
    )
}

pub(super) fn too_many_accounts() -> Error {
    constraint(
        "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
        "You have exceeded the allowed number of AWS accounts.",
    )
}
