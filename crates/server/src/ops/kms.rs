//! KMS: every operation with what it needs (Service Authorization Reference, "Actions, resources, and condition
//! keys for AWS Key Management Service") and the domain function that does it.

use aws_api::kms::ops;

use super::Row;
use super::row::{Revokes, row};
use authz::{Requirements, ResourceSelector, require};

/// `op!(Name, function, Level, |input| requirements)`: the action is `kms:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Kms,
            ops::$op,
            concat!("kms:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.kms.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

fn key(id: &str) -> Requirements {
    require(ResourceSelector::KmsKey(id.to_owned()))
}

/// What is done to an alias needs the permission on the alias and on the key; to move one, on both keys (KMS developer
/// guide, "Controlling access to aliases").
fn alias(name: &str, action: &'static str, id: &str) -> Requirements {
    require(ResourceSelector::KmsAlias(name.to_owned()))
        .and(action, ResourceSelector::KmsKey(id.to_owned()))
}

/// The key that is about to be made has no id yet. AWS has no resource for `kms:CreateKey`, and the key for the
/// `kms:TagResource` that comes with it; here both have the ARN of every key.
const NEW: &str = "*";
const WINDOW: &str = "kms:ScheduleKeyDeletionPendingWindowInDays";
const ROTATION: &str = "kms:RotationPeriodInDays";
const BYPASS: &str = "kms:BypassPolicyLockoutSafetyCheck";

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(CancelKeyDeletion, cancel_key_deletion, Write, |i| key(&i.key_id)),
        op!(CreateAlias, create_alias, Write, |i| alias(&i.alias_name, "kms:CreateAlias", &i.target_key_id)),
        op!(CreateKey, create_key, Write, |i| key(NEW).key("kms:KeySpec", "SYMMETRIC_DEFAULT").key("kms:KeyUsage", "ENCRYPT_DECRYPT").key("kms:KeyOrigin", "AWS_KMS").tags(&i.tags)),
        op!(DeleteAlias, delete_alias, Write, |i| alias(&i.alias_name, "kms:DeleteAlias", &i.alias_name)).revokes(Revokes::Always),
        op!(DescribeKey, describe_key, Read, |i| key(&i.key_id)),
        op!(DisableKey, disable_key, Write, |i| key(&i.key_id)).revokes(Revokes::Always),
        op!(DisableKeyRotation, disable_key_rotation, Write, |i| key(&i.key_id)),
        op!(EnableKey, enable_key, Write, |i| key(&i.key_id)),
        op!(EnableKeyRotation, enable_key_rotation, Write, |i| key(&i.key_id).key(ROTATION, i.rotation_period_in_days.map(|days| days.to_string()).as_deref())),
        op!(GetKeyPolicy, get_key_policy, Read, |i| key(&i.key_id)),
        op!(GetKeyRotationStatus, get_key_rotation_status, Read, |i| key(&i.key_id)),
        op!(ListAliases, list_aliases, List, |_i| require(ResourceSelector::Any)),
        op!(ListKeyPolicies, list_key_policies, List, |i| key(&i.key_id)),
        op!(ListKeys, list_keys, List, |_i| require(ResourceSelector::Any)),
        op!(ListResourceTags, list_resource_tags, List, |i| key(&i.key_id)),
        op!(PutKeyPolicy, put_key_policy, PermissionsManagement, |i| key(&i.key_id).key(BYPASS, i.bypass_policy_lockout_safety_check.map(|bypass| if bypass { "true" } else { "false" }))),
        op!(ScheduleKeyDeletion, schedule_key_deletion, Write, |i| key(&i.key_id).key(WINDOW, i.pending_window_in_days.map(|days| days.to_string()).as_deref())).revokes(Revokes::Always),
        op!(TagResource, tag_resource, Tagging, |i| key(&i.key_id).tags(Some(&i.tags))),
        op!(UntagResource, untag_resource, Tagging, |i| key(&i.key_id).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(UpdateAlias, update_alias, Write, |i| alias(&i.alias_name, "kms:UpdateAlias", &i.target_key_id).and("kms:UpdateAlias", ResourceSelector::KmsKey(i.alias_name.clone()))),
        op!(UpdateKeyDescription, update_key_description, Write, |i| key(&i.key_id)),
    ]
}
