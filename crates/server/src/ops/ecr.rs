//! ECR: every operation with what it needs (Service Authorization Reference, "Actions, resources, and
//! condition keys for Amazon Elastic Container Registry") and the domain function that does it.

use aws_api::ecr::{self, ops};

use super::{Entry, composite, entry};
use crate::permissions::{Requirements, ResourceSelector, require, require_each};

/// `op!(Name, function, |input| needs)`: the action is `ecr:Name`.
macro_rules! op {
    ($op:ident, $function:ident, |$input:ident| $needs:expr) => {
        entry!(
            ops::$op,
            concat!("ecr:", stringify!($op)),
            |$input| $needs,
            |app, ok| {
                let (call, input) = ok.into_registry_call();
                let answer = app.registry.$function(&call, input).await;
                answer.map_err(Into::into)
            }
        )
    };
    // Done by the server itself: it takes identity and registry together.
    ($op:ident, composite::$function:ident, |$input:ident| $needs:expr) => {
        entry!(
            ops::$op,
            concat!("ecr:", stringify!($op)),
            |$input| $needs,
            |app, ok| { composite::$function(&app, ok).await }
        )
    };
}

fn repository(registry: &Option<String>, name: &str) -> Requirements {
    require(ResourceSelector::Repository {
        registry: registry.clone(),
        name: name.to_owned(),
    })
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

/// The operations that are built.
#[rustfmt::skip] // one line an operation
pub(super) fn table() -> Vec<Entry> {
    vec![
        op!(GetAuthorizationToken, composite::get_authorization_token, |_i| require(ResourceSelector::Any)),
        op!(DescribeRegistry, describe_registry, |_i| require(ResourceSelector::Any)),
        op!(GetRegistryPolicy, get_registry_policy, |_i| require(ResourceSelector::Any)),
        op!(PutRegistryPolicy, put_registry_policy, |_i| require(ResourceSelector::Any)),
        op!(DeleteRegistryPolicy, delete_registry_policy, |_i| require(ResourceSelector::Any)),
        // Repositories.
        op!(CreateRepository, create_repository, |i| repository(&i.registry_id, &i.repository_name).tags(&i.tags)),
        op!(DescribeRepositories, describe_repositories, |i| repositories(i)),
        op!(DeleteRepository, delete_repository, |i| repository(&i.registry_id, &i.repository_name)),
        op!(PutImageTagMutability, put_image_tag_mutability, |i| repository(&i.registry_id, &i.repository_name)),
        op!(PutImageScanningConfiguration, put_image_scanning_configuration, |i| repository(&i.registry_id, &i.repository_name)),
        op!(BatchGetRepositoryScanningConfiguration, batch_get_repository_scanning_configuration, |i| require_each(i.repository_names.iter().map(|name| ResourceSelector::Repository { registry: None, name: name.clone() }))),
        op!(TagResource, tag_resource, |i| tagged(&i.resource_arn).tags(&i.tags)),
        op!(UntagResource, untag_resource, |i| tagged(&i.resource_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListTagsForResource, list_tags_for_resource, |i| tagged(&i.resource_arn)),
        // Repository policies.
        op!(SetRepositoryPolicy, composite::set_repository_policy, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetRepositoryPolicy, get_repository_policy, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DeleteRepositoryPolicy, delete_repository_policy, |i| repository(&i.registry_id, &i.repository_name)),
        // What nobody can have configured: read and deleted as where there is nothing.
        op!(GetLifecyclePolicy, get_lifecycle_policy, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DeleteLifecyclePolicy, delete_lifecycle_policy, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetLifecyclePolicyPreview, get_lifecycle_policy_preview, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetRegistryScanningConfiguration, get_registry_scanning_configuration, |_i| require(ResourceSelector::Any)),
        op!(DescribeImageScanFindings, describe_image_scan_findings, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribeImageReplicationStatus, describe_image_replication_status, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribeImageSigningStatus, describe_image_signing_status, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribePullThroughCacheRules, describe_pull_through_cache_rules, |_i| require(ResourceSelector::Any)),
        op!(DeletePullThroughCacheRule, delete_pull_through_cache_rule, |_i| require(ResourceSelector::Any)),
        op!(UpdatePullThroughCacheRule, update_pull_through_cache_rule, |_i| require(ResourceSelector::Any)),
        op!(ValidatePullThroughCacheRule, validate_pull_through_cache_rule, |_i| require(ResourceSelector::Any)),
        op!(DescribeRepositoryCreationTemplates, describe_repository_creation_templates, |_i| require(ResourceSelector::Any)),
        op!(DeleteRepositoryCreationTemplate, delete_repository_creation_template, |_i| require(ResourceSelector::Any)),
        op!(UpdateRepositoryCreationTemplate, update_repository_creation_template, |_i| require(ResourceSelector::Any)),
        op!(ListReplicationBackfills, list_replication_backfills, |_i| require(ResourceSelector::Any)),
        op!(DescribeReplicationBackfillResults, describe_replication_backfill_results, |_i| require(ResourceSelector::Any)),
        op!(StopReplicationBackfill, stop_replication_backfill, |_i| require(ResourceSelector::Any)),
        op!(GetSigningConfiguration, get_signing_configuration, |_i| require(ResourceSelector::Any)),
        op!(DeleteSigningConfiguration, delete_signing_configuration, |_i| require(ResourceSelector::Any)),
        op!(ListPullTimeUpdateExclusions, list_pull_time_update_exclusions, |_i| require(ResourceSelector::Any)),
        op!(DeregisterPullTimeUpdateExclusion, deregister_pull_time_update_exclusion, |_i| require(ResourceSelector::Any)),
        op!(GetAccountSetting, get_account_setting, |i| require(ResourceSelector::Any).key("ecr:AccountSetting", i.name.as_str())),
        // Layers.
        op!(InitiateLayerUpload, initiate_layer_upload, |i| repository(&i.registry_id, &i.repository_name)),
        op!(UploadLayerPart, upload_layer_part, |i| repository(&i.registry_id, &i.repository_name)),
        op!(CompleteLayerUpload, complete_layer_upload, |i| repository(&i.registry_id, &i.repository_name)),
        op!(BatchCheckLayerAvailability, batch_check_layer_availability, |i| repository(&i.registry_id, &i.repository_name)),
        op!(GetDownloadUrlForLayer, composite::get_download_url_for_layer, |i| repository(&i.registry_id, &i.repository_name)),
        // Images.
        op!(PutImage, put_image, |i| repository(&i.registry_id, &i.repository_name)),
        op!(BatchGetImage, batch_get_image, |i| repository(&i.registry_id, &i.repository_name)),
        op!(BatchDeleteImage, batch_delete_image, |i| repository(&i.registry_id, &i.repository_name)),
        op!(ListImages, list_images, |i| repository(&i.registry_id, &i.repository_name)),
        op!(DescribeImages, describe_images, |i| repository(&i.registry_id, &i.repository_name)),
        // The API's model asks for ecr:BatchGetImage, so that who may pull finds the signatures (docs/adr/0004).
        op!(ListImageReferrers, list_image_referrers, |i| repository(&i.registry_id, &i.repository_name).or("ecr:BatchGetImage")),
    ]
}
