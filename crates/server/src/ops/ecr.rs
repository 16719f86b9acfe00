//! ECR: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for Amazon Elastic Container Registry") and the domain function that does it.

use aws_api::ecr::{self, ops};

use super::row::{Revokes, row};
use super::{Row, composite, upstream_images};
use secrets::kms::ECR_ALIAS;

use crate::limits::LAYER_PART_BODY_BYTES_MAX;
use authz::{EntityKind, Requirements, ResourceSelector, require, require_action, require_each};

/// `op!(Name, function, Level, |input| requirements)`: the action is `ecr:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Ecr,
            ops::$op,
            concat!("ecr:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.registry.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
    // Done by the server itself: it takes identity and registry together.
    ($op:ident, $module:ident::$function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Ecr,
            ops::$op,
            concat!("ecr:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| { $module::$function(&app, ok).await }
        )
    };
}

fn of_registry(registry: &Option<String>, name: &str) -> ResourceSelector {
    ResourceSelector::Repository {
        registry: registry.clone(),
        name: name.to_owned(),
    }
}

fn repository(registry: &Option<String>, name: &str) -> Requirements {
    require(of_registry(registry, name))
}

/// A listing without names is asked of `repository/*`, as ECR's own denials name it.
fn repositories(i: &ecr::DescribeRepositoriesRequest) -> Requirements {
    let target = |name: &str| ResourceSelector::Repository {
        registry: i.registry_id.clone(),
        name: name.to_owned(),
    };
    match i.repository_names.as_deref() {
        None | Some([]) => require(target("*")),
        Some(names) => require_each(names.iter().map(|name| target(name))),
    }
}

fn tagged(arn: &str) -> Requirements {
    require(ResourceSelector::RepositoryArn(arn.to_owned()))
}

/// Who creates a repository with a key lets ECR use the key (ECR user guide, "Encryption at rest": "you must have the
/// following permissions"). The key that the server makes for ECR needs none.
fn encrypted(requirements: Requirements, key: Option<&String>) -> Requirements {
    match key.filter(|key| !key.is_empty() && *key != ECR_ALIAS) {
        None => requirements,
        Some(key) => ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
            .into_iter()
            .fold(requirements, |requirements, action| {
                requirements.and(action, ResourceSelector::KmsKey(key.to_owned()))
            }),
    }
}

/// Who makes a template creates repositories by it (ECR user guide, "Creating a repository creation template", "IAM
/// permissions for creating repository creation templates").
fn template(
    prefix: &str,
    policy: &Option<String>,
    lifecycle: &Option<String>,
    role: &Option<String>,
) -> Requirements {
    let name = match prefix {
        "ROOT" => "*".to_owned(),
        prefix => format!("{}/*", prefix.trim_end_matches('/')),
    };
    let created = || of_registry(&None, &name);
    let requirements = require(ResourceSelector::Any)
        .and("ecr:CreateRepository", created())
        .and_if(policy.is_some(), "ecr:SetRepositoryPolicy", created())
        .and_if(lifecycle.is_some(), "ecr:PutLifecyclePolicy", created());
    match role.as_deref() {
        None | Some("") => requirements,
        Some(arn) => requirements
            .and(
                "iam:PassRole",
                ResourceSelector::EntityArn(EntityKind::Role, arn.to_owned()),
            )
            .key("iam:PassedToService", "ecr.amazonaws.com"),
    }
}

/// A rule of the pull through cache; who makes one by a role passes the role.
fn passing(role: &Option<String>) -> Requirements {
    let requirements = require(ResourceSelector::Any);
    match role.as_deref() {
        None | Some("") => requirements,
        Some(arn) => requirements
            .and(
                "iam:PassRole",
                ResourceSelector::EntityArn(EntityKind::Role, arn.to_owned()),
            )
            .key("iam:PassedToService", "pullthroughcache.ecr.amazonaws.com"),
    }
}

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(GetAuthorizationToken, composite::get_authorization_token, Read, |_i| require(ResourceSelector::Any)),
        op!(DescribeRegistry, describe_registry, Read, |_i| require(ResourceSelector::Any)),
        op!(GetRegistryPolicy, get_registry_policy, Read, |_i| require(ResourceSelector::Any)),
        op!(PutRegistryPolicy, put_registry_policy, PermissionsManagement, |_i| require(ResourceSelector::Any)),
        op!(DeleteRegistryPolicy, delete_registry_policy, PermissionsManagement, |_i| require(ResourceSelector::Any)).revokes(Revokes::Always),
        // Registry settings.
        op!(GetAccountSetting, get_account_setting, Read, |i| require(ResourceSelector::Any).key("ecr:AccountSetting", i.name.as_str())),
        op!(PutAccountSetting, put_account_setting, Write, |i| require(ResourceSelector::Any).key("ecr:AccountSetting", i.name.as_str())),
        op!(GetRegistryScanningConfiguration, get_registry_scanning_configuration, Read, |_i| require(ResourceSelector::Any)),
        op!(PutRegistryScanningConfiguration, put_registry_scanning_configuration, Write, |_i| require(ResourceSelector::Any)),
        op!(ListPullTimeUpdateExclusions, list_pull_time_update_exclusions, List, |_i| require(ResourceSelector::Any)),
        op!(RegisterPullTimeUpdateExclusion, register_pull_time_update_exclusion, Write, |_i| require(ResourceSelector::Any)),
        op!(DeregisterPullTimeUpdateExclusion, deregister_pull_time_update_exclusion, Write, |_i| require(ResourceSelector::Any)),
        op!(CreateRepositoryCreationTemplate, create_repository_creation_template, Write, |i| encrypted(template(&i.prefix, &i.repository_policy, &i.lifecycle_policy, &i.custom_role_arn), i.encryption_configuration.as_ref().and_then(|e| e.kms_key.as_ref()))),
        op!(DescribeRepositoryCreationTemplates, describe_repository_creation_templates, Read, |_i| require(ResourceSelector::Any)),
        op!(UpdateRepositoryCreationTemplate, update_repository_creation_template, Write, |i| encrypted(template(&i.prefix, &i.repository_policy, &i.lifecycle_policy, &i.custom_role_arn), i.encryption_configuration.as_ref().and_then(|e| e.kms_key.as_ref()))),
        op!(DeleteRepositoryCreationTemplate, delete_repository_creation_template, Write, |_i| require(ResourceSelector::Any)),
        // Repositories.
        op!(CreateRepository, create_repository, Write, |i| encrypted(repository(&i.registry_id, &i.repository_name).tags(&i.tags), i.encryption_configuration.as_ref().and_then(|e| e.kms_key.as_ref()))),
        op!(DescribeRepositories, describe_repositories, Read, |i| repositories(i)),
        op!(DeleteRepository, delete_repository, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(PutImageTagMutability, put_image_tag_mutability, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(PutImageScanningConfiguration, put_image_scanning_configuration, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(BatchGetRepositoryScanningConfiguration, batch_get_repository_scanning_configuration, Read, |i| require_each(i.repository_names.iter().map(|name| ResourceSelector::Repository { registry: None, name: name.clone() }))),
        op!(TagResource, tag_resource, Tagging, |i| tagged(&i.resource_arn).tags(&i.tags)),
        op!(UntagResource, untag_resource, Tagging, |i| tagged(&i.resource_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListTagsForResource, list_tags_for_resource, Read, |i| tagged(&i.resource_arn)),
        // Repository policies.
        op!(SetRepositoryPolicy, composite::set_repository_policy, PermissionsManagement, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetRepositoryPolicy, get_repository_policy, Read, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DeleteRepositoryPolicy, delete_repository_policy, PermissionsManagement, |i| repository(&i.registry_id, &i.repository_name)).revokes(Revokes::Always),
        // Lifecycle policies.
        op!(PutLifecyclePolicy, put_lifecycle_policy, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetLifecyclePolicy, get_lifecycle_policy, Read, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DeleteLifecyclePolicy, delete_lifecycle_policy, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(StartLifecyclePolicyPreview, start_lifecycle_policy_preview, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetLifecyclePolicyPreview, get_lifecycle_policy_preview, Read, |i| repository(&i.registry_id, &i.repository_name)),
        // What nobody can have configured: read and deleted as where there is nothing.
        op!(DescribeImageScanFindings, describe_image_scan_findings, Read, |i| repository(&i.registry_id, &i.repository_name)),
        op!(PutReplicationConfiguration, put_replication_configuration, Write, |_i| require(ResourceSelector::Any)),
        op!(DescribeImageReplicationStatus, describe_image_replication_status, Read, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribeImageSigningStatus, describe_image_signing_status, Read, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribePullThroughCacheRules, describe_pull_through_cache_rules, List, |_i| require(ResourceSelector::Any)),
        op!(DeletePullThroughCacheRule, delete_pull_through_cache_rule, Write, |_i| require(ResourceSelector::Any)),
        op!(CreatePullThroughCacheRule, composite::create_pull_through_cache_rule, Write, |i| passing(&i.custom_role_arn)),
        op!(UpdatePullThroughCacheRule, composite::update_pull_through_cache_rule, Write, |i| passing(&i.custom_role_arn)),
        op!(ValidatePullThroughCacheRule, composite::validate_pull_through_cache_rule, Read, |_i| require(ResourceSelector::Any)),
        op!(StartReplicationBackfill, start_replication_backfill, Write, |_i| require(ResourceSelector::Any)).audits_answer(),
        op!(ListReplicationBackfills, list_replication_backfills, List, |_i| require(ResourceSelector::Any)),
        op!(DescribeReplicationBackfillResults, describe_replication_backfill_results, Read, |_i| require(ResourceSelector::Any)),
        op!(StopReplicationBackfill, stop_replication_backfill, Write, |_i| require(ResourceSelector::Any)),
        op!(GetSigningConfiguration, get_signing_configuration, Read, |_i| require(ResourceSelector::Any)),
        op!(DeleteSigningConfiguration, delete_signing_configuration, Write, |_i| require(ResourceSelector::Any)),
        // Layers.
        op!(InitiateLayerUpload, initiate_layer_upload, Write, |i| repository(&i.registry_id, &i.repository_name)).data().stores_layers(),
        op!(UploadLayerPart, upload_layer_part, Write, |i| repository(&i.registry_id, &i.repository_name)).body(LAYER_PART_BODY_BYTES_MAX).data().stores_layers(),
        op!(CompleteLayerUpload, complete_layer_upload, Write, |i| repository(&i.registry_id, &i.repository_name)).data().stores_layers(),
        op!(BatchCheckLayerAvailability, upstream_images::batch_check_layer_availability, Read, |i| repository(&i.registry_id, &i.repository_name)).data(),
        op!(GetDownloadUrlForLayer, composite::get_download_url_for_layer, Read, |i| repository(&i.registry_id, &i.repository_name)).data(),
        // Images.
        op!(PutImage, put_image, Write, |i| repository(&i.registry_id, &i.repository_name)).body(LAYER_PART_BODY_BYTES_MAX).data().audits_answer(),
        op!(BatchGetImage, upstream_images::batch_get_image, Read, |i| repository(&i.registry_id, &i.repository_name)).data(),
        op!(BatchDeleteImage, batch_delete_image, Write, |i| repository(&i.registry_id, &i.repository_name)).audits_answer(),
        op!(UpdateImageStorageClass, update_image_storage_class, Write, |i| repository(&i.registry_id, &i.repository_name)),
        op!(ListImages, list_images, List, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribeImages, describe_images, List, |i| repository(&i.registry_id, &i.repository_name)),
        // The model's text: "the caller must have the ecr:BatchGetImage permission" (ECR API, ListImageReferrers).
        op!(ListImageReferrers, upstream_images::list_image_referrers, List, |i| require_action("ecr:BatchGetImage", of_registry(&i.registry_id, &i.repository_name))),
    ]
}
