//! Organizations: every operation with what it needs (Service Authorization Reference, "Actions, resources,
//! and condition keys for AWS Organizations") and the domain function that does it.
//!
//! What an organization holds belongs to its management account (`ResourceSelector::Organization`,
//! `InOrganization`). `ResourceSelector::Any` stands for what every account may ask about itself.

use aws_api::organizations::ops;

use super::Row;
use super::row::row;
use authz::{Requirements, ResourceSelector, require};

/// `op!(Name, function, Level, |input| requirements)`: the action is `organizations:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Organizations,
            ops::$op,
            concat!("organizations:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.identity.organizations().$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

/// The organization as a whole.
fn whole() -> Requirements {
    require(ResourceSelector::Organization)
}

/// One thing in it.
fn one(id: &str) -> Requirements {
    require(thing(id, None))
}

fn thing(id: &str, policy: Option<&str>) -> ResourceSelector {
    ResourceSelector::InOrganization {
        id: id.to_owned(),
        policy: policy.map(str::to_owned),
    }
}

/// A policy, and what it is attached to or detached from.
fn attachment(policy: &str, target: &str) -> Requirements {
    one(policy).and_resource(thing(target, Some(policy)))
}

fn handshake(id: &str) -> Requirements {
    require(ResourceSelector::Handshake(id.to_owned()))
}

/// The account that is asked about; where there is none, the caller's own, which may always be asked about.
fn effective(target: Option<&str>) -> Requirements {
    target.map_or_else(|| require(ResourceSelector::Any), one)
}

const SERVICE: &str = "organizations:ServicePrincipal";
const TYPE: &str = "organizations:PolicyType";

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(CreateOrganization, create_organization, Write, |_i| require(ResourceSelector::Any)),
        op!(DescribeOrganization, describe_organization, Read, |_i| require(ResourceSelector::Any)),
        op!(DeleteOrganization, delete_organization, Write, |_i| whole()),
        op!(EnableAllFeatures, enable_all_features, Write, |_i| whole()),
        op!(ListRoots, list_roots, List, |_i| whole()),
        op!(EnablePolicyType, enable_policy_type, Write, |i| one(&i.root_id).key(TYPE, i.policy_type.as_str())),
        op!(DisablePolicyType, disable_policy_type, Write, |i| one(&i.root_id).key(TYPE, i.policy_type.as_str())),

        op!(CreateOrganizationalUnit, create_organizational_unit, Write, |i| one(&i.parent_id).tags(&i.tags)),
        op!(DescribeOrganizationalUnit, describe_organizational_unit, Read, |i| one(&i.organizational_unit_id)),
        op!(UpdateOrganizationalUnit, update_organizational_unit, Write, |i| one(&i.organizational_unit_id)),
        op!(DeleteOrganizationalUnit, delete_organizational_unit, Write, |i| one(&i.organizational_unit_id)),
        op!(ListOrganizationalUnitsForParent, list_organizational_units_for_parent, List, |i| one(&i.parent_id)),
        op!(ListParents, list_parents, List, |i| one(&i.child_id)),
        op!(ListChildren, list_children, List, |i| one(&i.parent_id)),

        op!(CreateAccount, create_account, Write, |i| whole().tags(&i.tags)),
        op!(DescribeCreateAccountStatus, describe_create_account_status, Read, |_i| whole()),
        op!(ListCreateAccountStatus, list_create_account_status, List, |_i| whole()),
        op!(DescribeAccount, describe_account, Read, |i| one(&i.account_id)),
        op!(ListAccounts, list_accounts, List, |_i| whole()),
        op!(ListAccountsForParent, list_accounts_for_parent, List, |i| one(&i.parent_id)),
        op!(MoveAccount, move_account, Write, |i| one(&i.account_id).and_resource(thing(&i.source_parent_id, None)).and_resource(thing(&i.destination_parent_id, None))),
        op!(CloseAccount, close_account, Write, |i| one(&i.account_id)).revokes(super::row::Revokes::Always),
        op!(RemoveAccountFromOrganization, remove_account_from_organization, Write, |i| one(&i.account_id)),
        op!(LeaveOrganization, leave_organization, Write, |_i| require(ResourceSelector::Any)),

        op!(InviteAccountToOrganization, invite_account_to_organization, Write, |i| whole().tags(&i.tags)),
        op!(AcceptHandshake, accept_handshake, Write, |i| handshake(&i.handshake_id)),
        op!(DeclineHandshake, decline_handshake, Write, |i| handshake(&i.handshake_id)),
        op!(CancelHandshake, cancel_handshake, Write, |i| handshake(&i.handshake_id)),
        op!(DescribeHandshake, describe_handshake, Read, |i| handshake(&i.handshake_id)),
        op!(ListHandshakesForAccount, list_handshakes_for_account, List, |_i| require(ResourceSelector::Any)),
        op!(ListHandshakesForOrganization, list_handshakes_for_organization, List, |_i| whole()),

        op!(CreatePolicy, create_policy, Write, |i| whole().key(TYPE, i.r#type.as_str()).tags(&i.tags)),
        op!(DescribePolicy, describe_policy, Read, |i| one(&i.policy_id)),
        op!(UpdatePolicy, update_policy, PermissionsManagement, |i| one(&i.policy_id)),
        op!(DeletePolicy, delete_policy, Write, |i| one(&i.policy_id)),
        op!(ListPolicies, list_policies, List, |i| whole().key(TYPE, i.filter.as_str())),
        op!(AttachPolicy, attach_policy, PermissionsManagement, |i| attachment(&i.policy_id, &i.target_id)),
        op!(DetachPolicy, detach_policy, PermissionsManagement, |i| attachment(&i.policy_id, &i.target_id)),
        op!(ListPoliciesForTarget, list_policies_for_target, List, |i| one(&i.target_id).key(TYPE, i.filter.as_str())),
        op!(ListTargetsForPolicy, list_targets_for_policy, List, |i| one(&i.policy_id)),
        op!(DescribeEffectivePolicy, describe_effective_policy, Read, |i| effective(i.target_id.as_deref()).key(TYPE, i.policy_type.as_str())),
        op!(ListAccountsWithInvalidEffectivePolicy, list_accounts_with_invalid_effective_policy, List, |i| whole().key(TYPE, i.policy_type.as_str())),
        op!(ListEffectivePolicyValidationErrors, list_effective_policy_validation_errors, List, |i| one(&i.account_id).key(TYPE, i.policy_type.as_str())),

        op!(EnableAWSServiceAccess, enable_aws_service_access, Write, |i| whole().key(SERVICE, i.service_principal.as_str())),
        op!(DisableAWSServiceAccess, disable_aws_service_access, Write, |i| whole().key(SERVICE, i.service_principal.as_str())),
        op!(ListAWSServiceAccessForOrganization, list_aws_service_access_for_organization, List, |_i| whole()),
        op!(RegisterDelegatedAdministrator, register_delegated_administrator, Write, |i| one(&i.account_id).key(SERVICE, i.service_principal.as_str())),
        op!(DeregisterDelegatedAdministrator, deregister_delegated_administrator, Write, |i| one(&i.account_id).key(SERVICE, i.service_principal.as_str())),
        op!(ListDelegatedAdministrators, list_delegated_administrators, List, |i| whole().key(SERVICE, i.service_principal.as_deref())),
        op!(ListDelegatedServicesForAccount, list_delegated_services_for_account, List, |i| one(&i.account_id)),
        op!(PutResourcePolicy, put_resource_policy, PermissionsManagement, |i| whole().tags(&i.tags)),
        op!(DescribeResourcePolicy, describe_resource_policy, Read, |_i| whole()),
        op!(DeleteResourcePolicy, delete_resource_policy, PermissionsManagement, |_i| whole()),

        op!(TagResource, tag_resource, Tagging, |i| one(&i.resource_id).tags(Some(&i.tags))),
        op!(UntagResource, untag_resource, Tagging, |i| one(&i.resource_id).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListTagsForResource, list_tags_for_resource, List, |i| one(&i.resource_id)),
    ]
}
