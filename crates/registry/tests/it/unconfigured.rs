//! What nobody can have configured: lists are empty, single things are not found.

use crate::world::*;
use aws_api::ecr;
use registry::Error;
use store::testing::{TestStore, on_every_engine};

const IN_REGISTRY: &str = "in the registry with id '123456789012'";

/// The error's name and message.
fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> (&'static str, String) {
    let message = result.as_ref().unwrap_err().to_string();
    (refusal(result), message)
}

#[on_every_engine]
async fn nothing_is_found(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "one").await.to_string();
    let (r, cx) = (&w.registry, &w.cx);
    let app = || "app".to_owned();
    let in_app = format!("the repository with name 'app' {IN_REGISTRY}");
    let tag = |tag: &str| ecr::ImageIdentifier {
        image_digest: None,
        image_tag: Some(tag.into()),
    };

    let scan = |id| ecr::DescribeImageScanFindingsRequest {
        repository_name: app(),
        image_id: id,
        ..Default::default()
    };
    assert_eq!(
        said(r.describe_image_scan_findings(cx, scan(tag("v1"))).await),
        (
            "ScanNotFound",
            format!(
                "Image scan does not exist for the image with '{{imageDigest:'null', imageTag:'v1'}}' in {in_app}"
            )
        )
    );
    assert_eq!(
        said(r.describe_image_scan_findings(cx, scan(tag("v2"))).await).0,
        "ImageNotFound"
    );
    let status = ecr::DescribeImageReplicationStatusRequest {
        repository_name: app(),
        image_id: tag("v1"),
        ..Default::default()
    };
    let status = r
        .describe_image_replication_status(cx, status)
        .await
        .unwrap();
    assert_eq!(
        status.image_id.unwrap(),
        ecr::ImageIdentifier {
            image_digest: Some(digest),
            image_tag: Some("v1".into())
        }
    );
    assert_eq!(status.replication_statuses, Some(vec![]));
    let status = ecr::DescribeImageSigningStatusRequest {
        repository_name: app(),
        image_id: tag("v2"),
        ..Default::default()
    };
    assert_eq!(
        said(r.describe_image_signing_status(cx, status).await).0,
        "ImageNotFound"
    );

    let templates = ecr::DescribeRepositoryCreationTemplatesRequest {
        prefixes: Some(vec!["team".into()]),
        ..Default::default()
    };
    let templates = r
        .describe_repository_creation_templates(cx, templates)
        .await
        .unwrap();
    assert_eq!(templates.repository_creation_templates, Some(vec![]));
    let delete = ecr::DeleteRepositoryCreationTemplateRequest {
        prefix: "team".into(),
    };
    assert_eq!(
        said(r.delete_repository_creation_template(cx, delete).await).0,
        "TemplateNotFound"
    );
    let update = ecr::UpdateRepositoryCreationTemplateRequest {
        prefix: "team".into(),
        ..Default::default()
    };
    assert_eq!(
        said(r.update_repository_creation_template(cx, update).await).0,
        "TemplateNotFound"
    );

    assert_eq!(
        said(r.get_signing_configuration(cx, Default::default()).await).0,
        "SigningConfigurationNotFound"
    );
    assert_eq!(
        said(r.delete_signing_configuration(cx, Default::default()).await).0,
        "SigningConfigurationNotFound"
    );
    let exclusions = r
        .list_pull_time_update_exclusions(cx, Default::default())
        .await
        .unwrap();
    assert_eq!(exclusions.pull_time_update_exclusions, Some(vec![]));
    let deregister = ecr::DeregisterPullTimeUpdateExclusionRequest {
        principal_arn: "arn:aws:iam::123456789012:role/x".into(),
    };
    assert_eq!(
        said(
            r.deregister_pull_time_update_exclusion(cx, deregister)
                .await
        )
        .0,
        "ExclusionNotFound"
    );

    let scanning = r
        .get_registry_scanning_configuration(cx, Default::default())
        .await
        .unwrap()
        .scanning_configuration
        .unwrap();
    assert_eq!(
        (scanning.scan_type, scanning.rules),
        (Some(ecr::ScanType::Basic), Some(vec![]))
    );
    for (name, value) in [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE"),
        ("REGISTRY_POLICY_SCOPE", "V2"),
        ("BLOB_MOUNTING", "ENABLED"),
    ] {
        let setting = r
            .get_account_setting(cx, ecr::GetAccountSettingRequest { name: name.into() })
            .await
            .unwrap();
        assert_eq!(
            (setting.name.as_deref(), setting.value.as_deref()),
            (Some(name), Some(value))
        );
    }
    assert_eq!(
        said(
            r.get_account_setting(cx, ecr::GetAccountSettingRequest { name: "X".into() })
                .await
        )
        .0,
        "InvalidParameter"
    );
}
