//! Secrets Manager: every operation with what it needs (Service Authorization Reference, "Actions, resources,
//! and condition keys for AWS Secrets Manager") and the domain function that does it.

use aws_api::secrets_manager::ops;

use super::Row;
use super::row::{Revokes, row};
use authz::{Requirements, ResourceSelector, require};

/// `op!(Name, function, Level, |input| requirements)`: the action is `secretsmanager:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            SecretsManager,
            ops::$op,
            concat!("secretsmanager:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.secrets.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

fn secret(id: &str) -> Requirements {
    require(ResourceSelector::Secret(id.to_owned()))
}

const NAME: &str = "secretsmanager:Name";
const DESCRIPTION: &str = "secretsmanager:Description";
const KMS_KEY: &str = "secretsmanager:KmsKeyId";
const VERSION: &str = "secretsmanager:VersionId";
const STAGE: &str = "secretsmanager:VersionStage";
const WINDOW: &str = "secretsmanager:RecoveryWindowInDays";
const FORCE: &str = "secretsmanager:ForceDeleteWithoutRecovery";

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(CreateSecret, create_secret, Write, |i| secret(&i.name).key(NAME, i.name.as_str()).key(DESCRIPTION, i.description.as_deref()).key(KMS_KEY, i.kms_key_id.as_deref()).tags(&i.tags)),
        op!(DescribeSecret, describe_secret, Read, |i| secret(&i.secret_id)),
        op!(ListSecrets, list_secrets, List, |_i| require(ResourceSelector::Any)),
        op!(UpdateSecret, update_secret, Write, |i| secret(&i.secret_id).key(DESCRIPTION, i.description.as_deref()).key(KMS_KEY, i.kms_key_id.as_deref())),
        op!(PutSecretValue, put_secret_value, Write, |i| secret(&i.secret_id)),
        op!(GetSecretValue, get_secret_value, Read, |i| secret(&i.secret_id).key(VERSION, i.version_id.as_deref()).key(STAGE, i.version_stage.as_deref().or(Some("AWSCURRENT").filter(|_| i.version_id.is_none())))),
        op!(DeleteSecret, delete_secret, Write, |i| secret(&i.secret_id).key(WINDOW, i.recovery_window_in_days.map(|days| days.to_string()).as_deref()).key(FORCE, i.force_delete_without_recovery.map(|force| if force { "true" } else { "false" }))).revokes(Revokes::Always),
        op!(RestoreSecret, restore_secret, Write, |i| secret(&i.secret_id)),
        op!(GetResourcePolicy, get_resource_policy, Read, |i| secret(&i.secret_id)),
        op!(ListSecretVersionIds, list_secret_version_ids, Read, |i| secret(&i.secret_id)),
        op!(TagResource, tag_resource, Tagging, |i| secret(&i.secret_id).tags(Some(&i.tags))),
        op!(UntagResource, untag_resource, Tagging, |i| secret(&i.secret_id).list("aws:TagKeys", Some(&i.tag_keys))),
    ]
}
