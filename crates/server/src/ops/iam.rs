//! IAM: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Identity and Access Management") and the domain function that does it.

use aws_api::iam::ops;

use super::{Entry, entry};
use crate::permissions::{Entity, Requirements, ResourceSelector, require};

/// `op!(Name, function, |input| needs)`: the action is `iam:Name`.
macro_rules! op {
    ($op:ident, $function:ident, |$input:ident| $needs:expr) => {
        entry!(
            ops::$op,
            concat!("iam:", stringify!($op)),
            |$input| $needs,
            |app, ok| {
                let (call, input) = ok.into_identity_call();
                let answer = app.identity.$function(&call, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

fn user(name: &str) -> Requirements {
    require(ResourceSelector::Entity(Entity::User, name.to_owned()))
}

fn user_or_caller(name: &Option<String>) -> Requirements {
    match name {
        Some(name) => user(name),
        None => require(ResourceSelector::Caller),
    }
}

fn role(name: &str) -> Requirements {
    require(ResourceSelector::Entity(Entity::Role, name.to_owned()))
}

fn group(name: &str) -> Requirements {
    require(ResourceSelector::Entity(Entity::Group, name.to_owned()))
}

/// "To change a user's name or path, you must have the appropriate permissions on both the source object
/// and the target object" (IAM API, UpdateUser; the same for UpdateGroup).
fn renamed(kind: Entity, name: &str, new: &Option<String>, path: &Option<String>) -> Requirements {
    let target = || ResourceSelector::Renamed(kind, name.to_owned(), new.clone(), path.clone());
    require(ResourceSelector::Entity(kind, name.to_owned())).and_resource(target())
}

fn profile(name: &str) -> Requirements {
    require(ResourceSelector::Entity(
        Entity::InstanceProfile,
        name.to_owned(),
    ))
}

fn policy(arn: &str) -> Requirements {
    require(ResourceSelector::Policy(arn.to_owned()))
}

fn new(kind: Entity, path: &Option<String>, name: &str) -> Requirements {
    require(ResourceSelector::NewEntity(
        kind,
        path.clone(),
        name.to_owned(),
    ))
}

/// A listing's resource is the kind with its path prefix, as IAM's own denials name it.
fn listing(kind: Entity, prefix: &Option<String>) -> Requirements {
    require(ResourceSelector::NewEntity(
        kind,
        prefix.clone(),
        String::new(),
    ))
}

const BOUNDARY: &str = "iam:PermissionsBoundary";
const POLICY_ARN: &str = "iam:PolicyARN";

fn role_target(name: &str) -> ResourceSelector {
    ResourceSelector::Entity(Entity::Role, name.to_owned())
}

/// The operations that are built.
#[rustfmt::skip] // one line an operation
pub(super) fn table() -> Vec<Entry> {
    vec![
        // Users.
        op!(CreateUser, create_user, |i| new(Entity::User, &i.path, &i.user_name).tags(&i.tags).key(BOUNDARY, i.permissions_boundary.as_deref())),
        op!(GetUser, get_user, |i| user_or_caller(&i.user_name)),
        op!(ListUsers, list_users, |i| listing(Entity::User, &i.path_prefix)),
        op!(UpdateUser, update_user, |i| renamed(Entity::User, &i.user_name, &i.new_user_name, &i.new_path)),
        op!(DeleteUser, delete_user, |i| user(&i.user_name)),
        op!(TagUser, tag_user, |i| user(&i.user_name).tags(&i.tags)),
        op!(UntagUser, untag_user, |i| user(&i.user_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListUserTags, list_user_tags, |i| user(&i.user_name)),
        op!(PutUserPolicy, put_user_policy, |i| user(&i.user_name)),
        op!(GetUserPolicy, get_user_policy, |i| user(&i.user_name)),
        op!(ListUserPolicies, list_user_policies, |i| user(&i.user_name)),
        op!(DeleteUserPolicy, delete_user_policy, |i| user(&i.user_name)),
        op!(AttachUserPolicy, attach_user_policy, |i| user(&i.user_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachUserPolicy, detach_user_policy, |i| user(&i.user_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(ListAttachedUserPolicies, list_attached_user_policies, |i| user(&i.user_name)),
        op!(PutUserPermissionsBoundary, put_user_permissions_boundary, |i| user(&i.user_name).key(BOUNDARY, i.permissions_boundary.as_str())),
        op!(DeleteUserPermissionsBoundary, delete_user_permissions_boundary, |i| user(&i.user_name)),
        op!(ListGroupsForUser, list_groups_for_user, |i| user(&i.user_name)),
        // Access keys.
        op!(CreateAccessKey, create_access_key, |i| user_or_caller(&i.user_name)),
        op!(ListAccessKeys, list_access_keys, |i| user_or_caller(&i.user_name)),
        op!(UpdateAccessKey, update_access_key, |i| user_or_caller(&i.user_name)),
        op!(DeleteAccessKey, delete_access_key, |i| user_or_caller(&i.user_name)),
        op!(GetAccessKeyLastUsed, get_access_key_last_used, |i| require(ResourceSelector::KeyOwner(i.access_key_id.clone()))),
        // Groups.
        op!(CreateGroup, create_group, |i| new(Entity::Group, &i.path, &i.group_name)),
        op!(GetGroup, get_group, |i| group(&i.group_name)),
        op!(ListGroups, list_groups, |i| listing(Entity::Group, &i.path_prefix)),
        op!(UpdateGroup, update_group, |i| renamed(Entity::Group, &i.group_name, &i.new_group_name, &i.new_path)),
        op!(DeleteGroup, delete_group, |i| group(&i.group_name)),
        op!(AddUserToGroup, add_user_to_group, |i| group(&i.group_name)),
        op!(RemoveUserFromGroup, remove_user_from_group, |i| group(&i.group_name)),
        op!(PutGroupPolicy, put_group_policy, |i| group(&i.group_name)),
        op!(GetGroupPolicy, get_group_policy, |i| group(&i.group_name)),
        op!(ListGroupPolicies, list_group_policies, |i| group(&i.group_name)),
        op!(DeleteGroupPolicy, delete_group_policy, |i| group(&i.group_name)),
        op!(AttachGroupPolicy, attach_group_policy, |i| group(&i.group_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachGroupPolicy, detach_group_policy, |i| group(&i.group_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(ListAttachedGroupPolicies, list_attached_group_policies, |i| group(&i.group_name)),
        // Roles.
        op!(CreateRole, create_role, |i| new(Entity::Role, &i.path, &i.role_name).tags(&i.tags).key(BOUNDARY, i.permissions_boundary.as_deref())),
        op!(GetRole, get_role, |i| role(&i.role_name)),
        op!(ListRoles, list_roles, |i| listing(Entity::Role, &i.path_prefix)),
        op!(UpdateRole, update_role, |i| role(&i.role_name)),
        op!(UpdateRoleDescription, update_role_description, |i| role(&i.role_name)),
        op!(UpdateAssumeRolePolicy, update_assume_role_policy, |i| role(&i.role_name)),
        op!(DeleteRole, delete_role, |i| role(&i.role_name)),
        op!(TagRole, tag_role, |i| role(&i.role_name).tags(&i.tags)),
        op!(UntagRole, untag_role, |i| role(&i.role_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListRoleTags, list_role_tags, |i| role(&i.role_name)),
        op!(PutRolePolicy, put_role_policy, |i| role(&i.role_name)),
        op!(GetRolePolicy, get_role_policy, |i| role(&i.role_name)),
        op!(ListRolePolicies, list_role_policies, |i| role(&i.role_name)),
        op!(DeleteRolePolicy, delete_role_policy, |i| role(&i.role_name)),
        op!(AttachRolePolicy, attach_role_policy, |i| role(&i.role_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachRolePolicy, detach_role_policy, |i| role(&i.role_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(ListAttachedRolePolicies, list_attached_role_policies, |i| role(&i.role_name)),
        op!(PutRolePermissionsBoundary, put_role_permissions_boundary, |i| role(&i.role_name).key(BOUNDARY, i.permissions_boundary.as_str())),
        op!(DeleteRolePermissionsBoundary, delete_role_permissions_boundary, |i| role(&i.role_name)),
        op!(ListInstanceProfilesForRole, list_instance_profiles_for_role, |i| role(&i.role_name)),
        // Managed policies.
        op!(CreatePolicy, create_policy, |i| new(Entity::Policy, &i.path, &i.policy_name).tags(&i.tags)),
        op!(GetPolicy, get_policy, |i| policy(&i.policy_arn)),
        op!(ListPolicies, list_policies, |i| require(ResourceSelector::Text(format!("policy path {}", i.path_prefix.as_deref().unwrap_or("/"))))),
        op!(DeletePolicy, delete_policy, |i| policy(&i.policy_arn)),
        op!(CreatePolicyVersion, create_policy_version, |i| policy(&i.policy_arn)),
        op!(GetPolicyVersion, get_policy_version, |i| policy(&i.policy_arn)),
        op!(ListPolicyVersions, list_policy_versions, |i| policy(&i.policy_arn)),
        op!(DeletePolicyVersion, delete_policy_version, |i| policy(&i.policy_arn)),
        op!(SetDefaultPolicyVersion, set_default_policy_version, |i| policy(&i.policy_arn)),
        op!(ListEntitiesForPolicy, list_entities_for_policy, |i| policy(&i.policy_arn)),
        op!(TagPolicy, tag_policy, |i| policy(&i.policy_arn).tags(&i.tags)),
        op!(UntagPolicy, untag_policy, |i| policy(&i.policy_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListPolicyTags, list_policy_tags, |i| policy(&i.policy_arn)),
        // Instance profiles. A role put there is passed to EC2.
        op!(CreateInstanceProfile, create_instance_profile, |i| new(Entity::InstanceProfile, &i.path, &i.instance_profile_name).tags(&i.tags)),
        op!(GetInstanceProfile, get_instance_profile, |i| profile(&i.instance_profile_name)),
        op!(ListInstanceProfiles, list_instance_profiles, |i| listing(Entity::InstanceProfile, &i.path_prefix)),
        op!(DeleteInstanceProfile, delete_instance_profile, |i| profile(&i.instance_profile_name)),
        op!(AddRoleToInstanceProfile, add_role_to_instance_profile, |i| profile(&i.instance_profile_name).and("iam:PassRole", role_target(&i.role_name)).key("iam:PassedToService", "ec2.amazonaws.com")),
        op!(RemoveRoleFromInstanceProfile, remove_role_from_instance_profile, |i| profile(&i.instance_profile_name)),
        op!(TagInstanceProfile, tag_instance_profile, |i| profile(&i.instance_profile_name).tags(&i.tags)),
        op!(UntagInstanceProfile, untag_instance_profile, |i| profile(&i.instance_profile_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListInstanceProfileTags, list_instance_profile_tags, |i| profile(&i.instance_profile_name)),
        // The account.
        op!(CreateAccountAlias, create_account_alias, |_i| require(ResourceSelector::Any)),
        op!(ListAccountAliases, list_account_aliases, |_i| require(ResourceSelector::Any)),
        op!(DeleteAccountAlias, delete_account_alias, |_i| require(ResourceSelector::Any)),
        op!(GetAccountSummary, get_account_summary, |_i| require(ResourceSelector::Any)),
        op!(SimulateCustomPolicy, simulate_custom_policy, |_i| require(ResourceSelector::Any)),
        op!(SimulatePrincipalPolicy, simulate_principal_policy, |i| require(ResourceSelector::Text(i.policy_source_arn.clone()))),
        op!(GetContextKeysForCustomPolicy, get_context_keys_for_custom_policy, |_i| require(ResourceSelector::Any)),
        op!(GetContextKeysForPrincipalPolicy, get_context_keys_for_principal_policy, |i| require(ResourceSelector::Text(i.policy_source_arn.clone()))),
        op!(GetAccountAuthorizationDetails, get_account_authorization_details, |_i| require(ResourceSelector::Any)),
    ]
}
