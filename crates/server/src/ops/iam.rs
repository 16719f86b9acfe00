//! IAM: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for AWS Identity and Access Management") and the domain function that does it.

use std::collections::BTreeSet;

use aws_api::iam::{
    CreateDelegationRequestRequest, CreateServiceLinkedRoleRequest,
    CreateServiceSpecificCredentialRequest, PutAccountPropertiesRequest, ops,
};

use super::Row;
use super::composite;
use super::row::{Revokes, row};
use crate::limits::{SAML_METADATA_BODY_BYTES_MAX, SERVER_CERTIFICATE_BODY_BYTES_MAX};
use authz::{EntityKind, Requirements, ResourceSelector, require};

/// `op!(Name, function, Level, |input| requirements)`: the action is `iam:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Iam,
            ops::$op,
            concat!("iam:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.identity.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

fn user(name: &str) -> Requirements {
    require(ResourceSelector::Entity(EntityKind::User, name.to_owned()))
}

fn user_or_caller(name: &Option<String>) -> Requirements {
    match name {
        Some(name) => user(name),
        None => require(ResourceSelector::Caller),
    }
}

fn role(name: &str) -> Requirements {
    require(ResourceSelector::Entity(EntityKind::Role, name.to_owned()))
}

fn group(name: &str) -> Requirements {
    require(ResourceSelector::Entity(EntityKind::Group, name.to_owned()))
}

/// "To change a user's name or path, you must have the appropriate permissions on both the source object
/// and the target object" (IAM API, UpdateUser; the same for UpdateGroup and UpdateServerCertificate).
fn renamed(
    kind: EntityKind,
    name: &str,
    new: &Option<String>,
    path: &Option<String>,
) -> Requirements {
    require(ResourceSelector::Entity(kind, name.to_owned())).and_resource(
        ResourceSelector::Renamed {
            kind,
            name: name.to_owned(),
            new_name: new.clone(),
            new_path: path.clone(),
        },
    )
}

/// A resource without a path.
fn named(kind: &'static str, name: &str) -> Requirements {
    require(ResourceSelector::Named(kind, name.to_owned()))
}

/// The user that is named, or any.
fn user_or_any(name: &Option<String>) -> Requirements {
    match name {
        Some(name) => user(name),
        None => named("user", "*"),
    }
}

/// The role of `task/aws-service-role/<service>/<role name>/<uuid>` (IAM API, DeleteServiceLinkedRole).
fn deletion_task(id: &str) -> Requirements {
    let role = id.strip_prefix("task/").unwrap_or(id);
    let role = role.rsplit_once('/').map_or(role, |(role, _)| role);
    named("role", role)
}

/// The role's name follows from the service, and policies name its path: `role/aws-service-role/ecs.amazonaws.com/*`.
fn service_linked_role(i: &CreateServiceLinkedRoleRequest) -> Requirements {
    let service = &i.aws_service_name;
    named("role", &format!("aws-service-role/{service}/*"))
        .key("iam:AWSServiceName", service.as_str())
}

/// The namespaces that a request writes.
fn account_properties(i: &PutAccountPropertiesRequest) -> Requirements {
    let namespace = |name: &String| name.split('/').next().unwrap_or_default().to_owned();
    let namespaces: BTreeSet<String> = i.properties.keys().map(namespace).collect();
    let namespaces: Vec<String> = namespaces.into_iter().collect();
    require(ResourceSelector::Any).list("iam:AccountPropertyNamespaces", Some(&namespaces))
}

fn service_credential(i: &CreateServiceSpecificCredentialRequest) -> Requirements {
    let days = i.credential_age_days.map(|days| days.to_string());
    user(&i.user_name)
        .key(
            "iam:ServiceSpecificCredentialServiceName",
            i.service_name.as_str(),
        )
        .key("iam:ServiceSpecificCredentialAgeDays", days.as_deref())
}

/// The request has no id yet.
fn delegation(i: &CreateDelegationRequestRequest) -> Requirements {
    named("delegation-request", "*")
        .key("iam:NotificationChannel", i.notification_channel.as_str())
        .key(
            "iam:DelegationDuration",
            i.session_duration.to_string().as_str(),
        )
}

fn profile(name: &str) -> Requirements {
    require(ResourceSelector::Entity(
        EntityKind::InstanceProfile,
        name.to_owned(),
    ))
}

fn server_certificate(name: &str) -> Requirements {
    require(ResourceSelector::Entity(
        EntityKind::ServerCertificate,
        name.to_owned(),
    ))
}

/// A SAML provider by its ARN.
fn saml_provider(arn: &str) -> Requirements {
    require(ResourceSelector::EntityArn(
        EntityKind::SamlProvider,
        arn.to_owned(),
    ))
}

/// A virtual MFA device by its serial number, which is its ARN.
fn mfa_device(serial: &str) -> Requirements {
    require(ResourceSelector::EntityArn(
        EntityKind::MfaDevice,
        serial.to_owned(),
    ))
}

fn oidc_provider(arn: &str) -> Requirements {
    require(ResourceSelector::EntityArn(
        EntityKind::OidcProvider,
        arn.to_owned(),
    ))
}

/// A provider's name is its URL without the scheme.
fn new_oidc_provider(url: &str) -> Requirements {
    require(ResourceSelector::NewEntity {
        kind: EntityKind::OidcProvider,
        path: None,
        name: url.strip_prefix("https://").unwrap_or(url).to_owned(),
    })
}

fn policy(arn: &str) -> Requirements {
    require(ResourceSelector::Policy(arn.to_owned()))
}

fn new(kind: EntityKind, path: &Option<String>, name: &str) -> Requirements {
    require(ResourceSelector::NewEntity {
        kind,
        path: path.clone(),
        name: name.to_owned(),
    })
}

/// IAM checks a listing on the kind with its path prefix (`…:role/`), as its denials show, although the
/// reference lists no resource type for these actions.
fn listing(kind: EntityKind, prefix: &Option<String>) -> Requirements {
    require(ResourceSelector::Listing {
        kind,
        path_prefix: prefix.clone(),
    })
}

const BOUNDARY: &str = "iam:PermissionsBoundary";
const POLICY_ARN: &str = "iam:PolicyARN";

fn role_target(name: &str) -> ResourceSelector {
    ResourceSelector::Entity(EntityKind::Role, name.to_owned())
}

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        // Users.
        op!(CreateUser, create_user, Write, |i| new(EntityKind::User, &i.path, &i.user_name).tags(&i.tags).key(BOUNDARY, i.permissions_boundary.as_deref())),
        op!(GetUser, get_user, Read, |i| user_or_caller(&i.user_name)),
        op!(ListUsers, list_users, List, |i| listing(EntityKind::User, &i.path_prefix)),
        op!(UpdateUser, update_user, Write, |i| renamed(EntityKind::User, &i.user_name, &i.new_user_name, &i.new_path)),
        op!(DeleteUser, delete_user, Write, |i| user(&i.user_name)).revokes(Revokes::Always),
        op!(TagUser, tag_user, Tagging, |i| user(&i.user_name).tags(&i.tags)),
        op!(UntagUser, untag_user, Tagging, |i| user(&i.user_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListUserTags, list_user_tags, List, |i| user(&i.user_name)),
        op!(PutUserPolicy, put_user_policy, PermissionsManagement, |i| user(&i.user_name)),
        op!(GetUserPolicy, get_user_policy, Read, |i| user(&i.user_name)),
        op!(ListUserPolicies, list_user_policies, List, |i| user(&i.user_name)),
        op!(DeleteUserPolicy, delete_user_policy, PermissionsManagement, |i| user(&i.user_name)).revokes(Revokes::Always),
        op!(AttachUserPolicy, attach_user_policy, PermissionsManagement, |i| user(&i.user_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachUserPolicy, detach_user_policy, PermissionsManagement, |i| user(&i.user_name).key(POLICY_ARN, i.policy_arn.as_str())).revokes(Revokes::Always),
        op!(ListAttachedUserPolicies, list_attached_user_policies, List, |i| user(&i.user_name)),
        op!(PutUserPermissionsBoundary, put_user_permissions_boundary, PermissionsManagement, |i| user(&i.user_name).key(BOUNDARY, i.permissions_boundary.as_str())),
        op!(DeleteUserPermissionsBoundary, delete_user_permissions_boundary, PermissionsManagement, |i| user(&i.user_name)),
        op!(ListGroupsForUser, list_groups_for_user, List, |i| user(&i.user_name)),
        // Access keys.
        op!(CreateAccessKey, create_access_key, Write, |i| user_or_caller(&i.user_name)).audits_answer(),
        op!(ListAccessKeys, list_access_keys, List, |i| user_or_caller(&i.user_name)),
        op!(UpdateAccessKey, update_access_key, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::WhenInactive),
        op!(DeleteAccessKey, delete_access_key, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::Always),
        op!(GetAccessKeyLastUsed, get_access_key_last_used, Read, |i| require(ResourceSelector::KeyOwner(i.access_key_id.clone()))),
        // Groups.
        op!(CreateGroup, create_group, Write, |i| new(EntityKind::Group, &i.path, &i.group_name)),
        op!(GetGroup, get_group, Read, |i| group(&i.group_name)),
        op!(ListGroups, list_groups, List, |i| listing(EntityKind::Group, &i.path_prefix)),
        op!(UpdateGroup, update_group, Write, |i| renamed(EntityKind::Group, &i.group_name, &i.new_group_name, &i.new_path)),
        op!(DeleteGroup, delete_group, Write, |i| group(&i.group_name)).revokes(Revokes::Always),
        op!(AddUserToGroup, add_user_to_group, Write, |i| group(&i.group_name)),
        op!(RemoveUserFromGroup, remove_user_from_group, Write, |i| group(&i.group_name)).revokes(Revokes::Always),
        op!(PutGroupPolicy, put_group_policy, PermissionsManagement, |i| group(&i.group_name)),
        op!(GetGroupPolicy, get_group_policy, Read, |i| group(&i.group_name)),
        op!(ListGroupPolicies, list_group_policies, List, |i| group(&i.group_name)),
        op!(DeleteGroupPolicy, delete_group_policy, PermissionsManagement, |i| group(&i.group_name)).revokes(Revokes::Always),
        op!(AttachGroupPolicy, attach_group_policy, PermissionsManagement, |i| group(&i.group_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachGroupPolicy, detach_group_policy, PermissionsManagement, |i| group(&i.group_name).key(POLICY_ARN, i.policy_arn.as_str())).revokes(Revokes::Always),
        op!(ListAttachedGroupPolicies, list_attached_group_policies, List, |i| group(&i.group_name)),
        // Roles.
        op!(CreateRole, create_role, Write, |i| new(EntityKind::Role, &i.path, &i.role_name).tags(&i.tags).key(BOUNDARY, i.permissions_boundary.as_deref())),
        op!(GetRole, get_role, Read, |i| role(&i.role_name)),
        op!(ListRoles, list_roles, List, |i| listing(EntityKind::Role, &i.path_prefix)),
        op!(UpdateRole, update_role, Write, |i| role(&i.role_name)),
        op!(UpdateRoleDescription, update_role_description, Write, |i| role(&i.role_name)),
        op!(UpdateAssumeRolePolicy, update_assume_role_policy, PermissionsManagement, |i| role(&i.role_name)),
        op!(DeleteRole, delete_role, Write, |i| role(&i.role_name)).revokes(Revokes::Always),
        op!(TagRole, tag_role, Tagging, |i| role(&i.role_name).tags(&i.tags)),
        op!(UntagRole, untag_role, Tagging, |i| role(&i.role_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListRoleTags, list_role_tags, List, |i| role(&i.role_name)),
        op!(PutRolePolicy, put_role_policy, PermissionsManagement, |i| role(&i.role_name)),
        op!(GetRolePolicy, get_role_policy, Read, |i| role(&i.role_name)),
        op!(ListRolePolicies, list_role_policies, List, |i| role(&i.role_name)),
        op!(DeleteRolePolicy, delete_role_policy, PermissionsManagement, |i| role(&i.role_name)).revokes(Revokes::Always),
        op!(AttachRolePolicy, attach_role_policy, PermissionsManagement, |i| role(&i.role_name).key(POLICY_ARN, i.policy_arn.as_str())),
        op!(DetachRolePolicy, detach_role_policy, PermissionsManagement, |i| role(&i.role_name).key(POLICY_ARN, i.policy_arn.as_str())).revokes(Revokes::Always),
        op!(ListAttachedRolePolicies, list_attached_role_policies, List, |i| role(&i.role_name)),
        op!(PutRolePermissionsBoundary, put_role_permissions_boundary, PermissionsManagement, |i| role(&i.role_name).key(BOUNDARY, i.permissions_boundary.as_str())),
        op!(DeleteRolePermissionsBoundary, delete_role_permissions_boundary, PermissionsManagement, |i| role(&i.role_name)),
        op!(ListInstanceProfilesForRole, list_instance_profiles_for_role, List, |i| role(&i.role_name)),
        // Managed policies.
        op!(CreatePolicy, create_policy, PermissionsManagement, |i| new(EntityKind::Policy, &i.path, &i.policy_name).tags(&i.tags)),
        op!(GetPolicy, get_policy, Read, |i| policy(&i.policy_arn)),
        op!(ListPolicies, list_policies, List, |i| listing(EntityKind::Policy, &i.path_prefix)),
        op!(DeletePolicy, delete_policy, PermissionsManagement, |i| policy(&i.policy_arn)).revokes(Revokes::Always),
        op!(CreatePolicyVersion, create_policy_version, PermissionsManagement, |i| policy(&i.policy_arn)),
        op!(GetPolicyVersion, get_policy_version, Read, |i| policy(&i.policy_arn)),
        op!(ListPolicyVersions, list_policy_versions, List, |i| policy(&i.policy_arn)),
        op!(DeletePolicyVersion, delete_policy_version, PermissionsManagement, |i| policy(&i.policy_arn)).revokes(Revokes::Always),
        op!(SetDefaultPolicyVersion, set_default_policy_version, PermissionsManagement, |i| policy(&i.policy_arn)),
        op!(ListEntitiesForPolicy, list_entities_for_policy, List, |i| policy(&i.policy_arn)),
        op!(TagPolicy, tag_policy, Tagging, |i| policy(&i.policy_arn).tags(&i.tags)),
        op!(UntagPolicy, untag_policy, Tagging, |i| policy(&i.policy_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListPolicyTags, list_policy_tags, List, |i| policy(&i.policy_arn)),
        // Instance profiles. A role put there is passed to EC2.
        op!(CreateInstanceProfile, create_instance_profile, Write, |i| new(EntityKind::InstanceProfile, &i.path, &i.instance_profile_name).tags(&i.tags)),
        op!(GetInstanceProfile, get_instance_profile, Read, |i| profile(&i.instance_profile_name)),
        op!(ListInstanceProfiles, list_instance_profiles, List, |i| listing(EntityKind::InstanceProfile, &i.path_prefix)),
        op!(DeleteInstanceProfile, delete_instance_profile, Write, |i| profile(&i.instance_profile_name)).revokes(Revokes::Always),
        op!(AddRoleToInstanceProfile, add_role_to_instance_profile, Write, |i| profile(&i.instance_profile_name).and("iam:PassRole", role_target(&i.role_name)).key("iam:PassedToService", "ec2.amazonaws.com")),
        op!(RemoveRoleFromInstanceProfile, remove_role_from_instance_profile, Write, |i| profile(&i.instance_profile_name)).revokes(Revokes::Always),
        op!(TagInstanceProfile, tag_instance_profile, Tagging, |i| profile(&i.instance_profile_name).tags(&i.tags)),
        op!(UntagInstanceProfile, untag_instance_profile, Tagging, |i| profile(&i.instance_profile_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListInstanceProfileTags, list_instance_profile_tags, List, |i| profile(&i.instance_profile_name)),
        // MFA devices.
        op!(CreateVirtualMFADevice, create_virtual_mfa_device, Write, |i| new(EntityKind::MfaDevice, &i.path, &i.virtual_mfa_device_name).tags(&i.tags)),
        op!(EnableMFADevice, enable_mfa_device, Write, |i| user(&i.user_name)),
        op!(ListMFADevices, list_mfa_devices, List, |i| user_or_caller(&i.user_name)),
        op!(GetMFADevice, get_mfa_device, Read, |i| user_or_any(&i.user_name)),
        op!(DeactivateMFADevice, deactivate_mfa_device, Write, |i| user_or_caller(&i.user_name)),
        op!(ResyncMFADevice, resync_mfa_device, Write, |i| user(&i.user_name)),
        op!(ListMFADeviceTags, list_mfa_device_tags, List, |i| mfa_device(&i.serial_number)),
        op!(TagMFADevice, tag_mfa_device, Tagging, |i| mfa_device(&i.serial_number).tags(&i.tags)),
        op!(UntagMFADevice, untag_mfa_device, Tagging, |i| mfa_device(&i.serial_number).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(DeleteVirtualMFADevice, delete_virtual_mfa_device, Write, |i| mfa_device(&i.serial_number)),
        op!(ListVirtualMFADevices, list_virtual_mfa_devices, List, |_i| require(ResourceSelector::Any)),
        // OIDC providers.
        row!(Iam, ops::CreateOpenIDConnectProvider, "iam:CreateOpenIDConnectProvider", Write, |i| new_oidc_provider(&i.url).tags(&i.tags), |app, ok| { composite::create_open_id_connect_provider(&app, ok).await }),
        op!(ListOpenIDConnectProviders, list_open_id_connect_providers, List, |_i| require(ResourceSelector::Any)),
        op!(GetOpenIDConnectProvider, get_open_id_connect_provider, Read, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(DeleteOpenIDConnectProvider, delete_open_id_connect_provider, Write, |i| oidc_provider(&i.open_id_connect_provider_arn)).revokes(Revokes::Always),
        op!(ListOpenIDConnectProviderTags, list_open_id_connect_provider_tags, List, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(AddClientIDToOpenIDConnectProvider, add_client_id_to_open_id_connect_provider, Write, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(RemoveClientIDFromOpenIDConnectProvider, remove_client_id_from_open_id_connect_provider, Write, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(UpdateOpenIDConnectProviderThumbprint, update_open_id_connect_provider_thumbprint, Write, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(UpdateOpenIDConnectProvider, update_open_id_connect_provider, Write, |i| oidc_provider(&i.open_id_connect_provider_arn)),
        op!(TagOpenIDConnectProvider, tag_open_id_connect_provider, Tagging, |i| oidc_provider(&i.open_id_connect_provider_arn).tags(&i.tags)),
        op!(UntagOpenIDConnectProvider, untag_open_id_connect_provider, Tagging, |i| oidc_provider(&i.open_id_connect_provider_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        // Passwords.
        op!(CreateLoginProfile, create_login_profile, Write, |i| user_or_caller(&i.user_name)),
        op!(GetLoginProfile, get_login_profile, List, |i| user_or_caller(&i.user_name)),
        op!(UpdateLoginProfile, update_login_profile, Write, |i| user(&i.user_name)),
        op!(DeleteLoginProfile, delete_login_profile, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::Always),
        op!(GetAccountPasswordPolicy, get_account_password_policy, Read, |_i| require(ResourceSelector::Any)),
        op!(DeleteAccountPasswordPolicy, delete_account_password_policy, PermissionsManagement, |_i| require(ResourceSelector::Any)),
        op!(ChangePassword, change_password, Write, |_i| require(ResourceSelector::Caller)),
        op!(UpdateAccountPasswordPolicy, update_account_password_policy, Write, |_i| require(ResourceSelector::Any)),
        // Credentials of services that Berth does not have, and their roles.
        op!(CreateServiceSpecificCredential, create_service_specific_credential, Write, |i| service_credential(i)).audits_answer(),
        op!(ListServiceSpecificCredentials, list_service_specific_credentials, List, |i| match i.all_users { Some(true) => named("user", "*"), _ => user_or_caller(&i.user_name) }),
        op!(UpdateServiceSpecificCredential, update_service_specific_credential, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::WhenInactive),
        op!(ResetServiceSpecificCredential, reset_service_specific_credential, Write, |i| user_or_caller(&i.user_name)).audits_answer(),
        op!(DeleteServiceSpecificCredential, delete_service_specific_credential, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::Always),
        op!(CreateServiceLinkedRole, create_service_linked_role, Write, |i| service_linked_role(i)),
        op!(DeleteServiceLinkedRole, delete_service_linked_role, Write, |i| role(&i.role_name)).revokes(Revokes::Always),
        op!(GetServiceLinkedRoleDeletionStatus, get_service_linked_role_deletion_status, Read, |i| deletion_task(&i.deletion_task_id)),
        op!(AcquireRole, acquire_role, Write, |i| require(ResourceSelector::Text(i.template_arn.clone()))),
        op!(GetRoleTemplateVersion, get_role_template_version, Read, |i| require(ResourceSelector::Text(i.template_arn.clone()))),
        // Delegation requests. Who may see one is a matter of its owner, which the operations look at.
        op!(CreateDelegationRequest, create_delegation_request, Write, |i| delegation(i)),
        op!(ListDelegationRequests, list_delegation_requests, List, |_i| require(ResourceSelector::Any)),
        op!(GetDelegationRequest, get_delegation_request, Read, |i| named("delegation-request", &i.delegation_request_id)),
        op!(AcceptDelegationRequest, accept_delegation_request, Write, |i| named("delegation-request", &i.delegation_request_id)),
        op!(RejectDelegationRequest, reject_delegation_request, Write, |i| named("delegation-request", &i.delegation_request_id)),
        op!(UpdateDelegationRequest, update_delegation_request, Write, |i| named("delegation-request", &i.delegation_request_id)),
        op!(AssociateDelegationRequest, associate_delegation_request, Write, |i| named("delegation-request", &i.delegation_request_id)),
        op!(SendDelegationToken, send_delegation_token, Write, |i| named("delegation-request", &i.delegation_request_id)),
        op!(GetHumanReadableSummary, get_human_readable_summary, Read, |i| require(ResourceSelector::Text(i.entity_arn.clone()))),
        // Last accessed data.
        op!(GenerateServiceLastAccessedDetails, generate_service_last_accessed_details, Read, |i| require(ResourceSelector::Text(i.arn.clone()))),
        op!(GetServiceLastAccessedDetails, get_service_last_accessed_details, Read, |_i| require(ResourceSelector::Any)),
        op!(GetServiceLastAccessedDetailsWithEntities, get_service_last_accessed_details_with_entities, Read, |_i| require(ResourceSelector::Any)),
        op!(GetOrganizationsAccessReport, get_organizations_access_report, Read, |_i| require(ResourceSelector::Any)),
        op!(GenerateOrganizationsAccessReport, generate_organizations_access_report, Read, |i| named("access-report", &i.entity_path).key("iam:OrganizationsPolicyId", i.organizations_policy_id.as_deref())),
        op!(ListPoliciesGrantingServiceAccess, list_policies_granting_service_access, List, |i| require(ResourceSelector::Text(i.arn.clone()))),
        // SAML providers.
        op!(CreateSAMLProvider, create_saml_provider, Write, |i| new(EntityKind::SamlProvider, &None, &i.name).tags(&i.tags)).body(SAML_METADATA_BODY_BYTES_MAX),
        op!(ListSAMLProviders, list_saml_providers, List, |_i| require(ResourceSelector::Any)),
        op!(GetSAMLProvider, get_saml_provider, Read, |i| saml_provider(&i.saml_provider_arn)),
        op!(UpdateSAMLProvider, update_saml_provider, Write, |i| saml_provider(&i.saml_provider_arn)).body(SAML_METADATA_BODY_BYTES_MAX),
        op!(DeleteSAMLProvider, delete_saml_provider, Write, |i| saml_provider(&i.saml_provider_arn)).revokes(Revokes::Always),
        op!(ListSAMLProviderTags, list_saml_provider_tags, List, |i| saml_provider(&i.saml_provider_arn)),
        op!(TagSAMLProvider, tag_saml_provider, Tagging, |i| saml_provider(&i.saml_provider_arn).tags(&i.tags)),
        op!(UntagSAMLProvider, untag_saml_provider, Tagging, |i| saml_provider(&i.saml_provider_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        // The account.
        op!(CreateAccountAlias, create_account_alias, Write, |_i| require(ResourceSelector::Any)),
        op!(ListAccountAliases, list_account_aliases, List, |_i| require(ResourceSelector::Any)),
        op!(DeleteAccountAlias, delete_account_alias, Write, |_i| require(ResourceSelector::Any)),
        op!(GetAccountSummary, get_account_summary, List, |_i| require(ResourceSelector::Any)),
        op!(GenerateCredentialReport, generate_credential_report, Read, |_i| require(ResourceSelector::Any)),
        op!(GetCredentialReport, get_credential_report, Read, |_i| require(ResourceSelector::Any)),
        op!(GetAccountProperties, get_account_properties, Read, |_i| require(ResourceSelector::Any)),
        op!(PutAccountProperties, put_account_properties, Write, |i| account_properties(i)),
        op!(SetSecurityTokenServicePreferences, set_security_token_service_preferences, Write, |_i| require(ResourceSelector::Any)),
        op!(SimulateCustomPolicy, simulate_custom_policy, Read, |_i| require(ResourceSelector::Any)),
        op!(SimulatePrincipalPolicy, simulate_principal_policy, Read, |i| require(ResourceSelector::Text(i.policy_source_arn.clone()))),
        op!(GetContextKeysForCustomPolicy, get_context_keys_for_custom_policy, Read, |_i| require(ResourceSelector::Any)),
        op!(GetContextKeysForPrincipalPolicy, get_context_keys_for_principal_policy, Read, |i| require(ResourceSelector::Text(i.policy_source_arn.clone()))),
        op!(GetAccountAuthorizationDetails, get_account_authorization_details, Read, |_i| require(ResourceSelector::Any)),
        // SSH keys and certificates.
        op!(UploadSSHPublicKey, upload_ssh_public_key, Write, |i| user(&i.user_name)),
        op!(ListSSHPublicKeys, list_ssh_public_keys, List, |i| user_or_caller(&i.user_name)),
        op!(GetSSHPublicKey, get_ssh_public_key, Read, |i| user(&i.user_name)),
        op!(UpdateSSHPublicKey, update_ssh_public_key, Write, |i| user(&i.user_name)).revokes(Revokes::WhenInactive),
        op!(DeleteSSHPublicKey, delete_ssh_public_key, Write, |i| user(&i.user_name)).revokes(Revokes::Always),
        op!(UploadSigningCertificate, upload_signing_certificate, Write, |i| user_or_caller(&i.user_name)),
        op!(ListSigningCertificates, list_signing_certificates, List, |i| user_or_caller(&i.user_name)),
        op!(UpdateSigningCertificate, update_signing_certificate, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::WhenInactive),
        op!(DeleteSigningCertificate, delete_signing_certificate, Write, |i| user_or_caller(&i.user_name)).revokes(Revokes::Always),
        op!(UploadServerCertificate, upload_server_certificate, Write, |i| new(EntityKind::ServerCertificate, &i.path, &i.server_certificate_name).tags(&i.tags)).body(SERVER_CERTIFICATE_BODY_BYTES_MAX),
        op!(ListServerCertificates, list_server_certificates, List, |i| listing(EntityKind::ServerCertificate, &i.path_prefix)),
        op!(GetServerCertificate, get_server_certificate, Read, |i| server_certificate(&i.server_certificate_name)),
        op!(UpdateServerCertificate, update_server_certificate, Write, |i| renamed(EntityKind::ServerCertificate, &i.server_certificate_name, &i.new_server_certificate_name, &i.new_path)),
        op!(DeleteServerCertificate, delete_server_certificate, Write, |i| server_certificate(&i.server_certificate_name)).revokes(Revokes::Always),
        op!(ListServerCertificateTags, list_server_certificate_tags, List, |i| server_certificate(&i.server_certificate_name)),
        op!(TagServerCertificate, tag_server_certificate, Tagging, |i| server_certificate(&i.server_certificate_name).tags(&i.tags)),
        op!(UntagServerCertificate, untag_server_certificate, Tagging, |i| server_certificate(&i.server_certificate_name).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListOrganizationsFeatures, list_organizations_features, List, |_i| require(ResourceSelector::Any)),
        op!(EnableOrganizationsRootCredentialsManagement, enable_organizations_root_credentials_management, Write, |_i| require(ResourceSelector::Any)),
        op!(EnableOrganizationsRootSessions, enable_organizations_root_sessions, Write, |_i| require(ResourceSelector::Any)),
        op!(DisableOrganizationsRootCredentialsManagement, disable_organizations_root_credentials_management, Write, |_i| require(ResourceSelector::Any)),
        op!(DisableOrganizationsRootSessions, disable_organizations_root_sessions, Write, |_i| require(ResourceSelector::Any)),
        row!(Iam, ops::EnableOutboundWebIdentityFederation, "iam:EnableOutboundWebIdentityFederation", Write, |_i| require(ResourceSelector::Any), |app, ok| {
            let (proof, ()) = ok.into_parts();
            Ok(app.identity.enable_outbound_web_identity_federation(&proof, &app.names.issuers_url()).await?)
        }),
        row!(Iam, ops::GetOutboundWebIdentityFederationInfo, "iam:GetOutboundWebIdentityFederationInfo", Read, |_i| require(ResourceSelector::Any), |app, ok| {
            let (proof, ()) = ok.into_parts();
            Ok(app.identity.get_outbound_web_identity_federation_info(&proof, &app.names.issuers_url()).await?)
        }),
        op!(DisableOutboundWebIdentityFederation, disable_outbound_web_identity_federation, Write, |_i| require(ResourceSelector::Any)),
    ]
}
