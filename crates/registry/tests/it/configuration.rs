//! Settings of a registry: account settings, scanning, principals whose pulls are not recorded.

use std::collections::HashMap;

use crate::world::*;
use aws_api::ecr;
use registry::Error;
use store::testing::{TestStore, on_every_engine};

async fn put(w: &World, name: &str, value: &str) -> Result<(), Error> {
    let input = ecr::PutAccountSettingRequest {
        name: name.into(),
        value: value.into(),
    };
    let put = w.registry.put_account_setting(&w.cx, input).await?;
    assert_eq!(
        (put.name.as_deref(), put.value.as_deref()),
        (Some(name), Some(value))
    );
    Ok(())
}

async fn get(registry: &registry::Registry, w: &World, name: &str) -> String {
    let input = ecr::GetAccountSettingRequest { name: name.into() };
    let got = registry.get_account_setting(&w.cx, input).await.unwrap();
    got.value.unwrap()
}

#[on_every_engine]
async fn account_settings_are_kept_and_reach_other_nodes(store: TestStore) {
    let w = World::new(&store).await;
    let (node, other, _) = w.another_node(true, w.cx.now).await;
    let (account, region) = (&w.cx.account, &w.cx.region);
    assert!(node.mounts_blobs(&w.cx, account, region).await.unwrap());
    for (name, default, value) in [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", "CLAIR"),
        ("REGISTRY_POLICY_SCOPE", "V2", "V1"),
        ("BLOB_MOUNTING", "ENABLED", "DISABLED"),
    ] {
        assert_eq!(get(&node, &w, name).await, default);
        put(&w, name, value).await.unwrap();
        assert_eq!(get(&w.registry, &w, name).await, value);
        other.poll_changes().await.unwrap();
        assert_eq!(get(&node, &w, name).await, value);
        assert_eq!(refusal(put(&w, name, "OTHER").await), "InvalidParameter");
    }
    assert_eq!(refusal(put(&w, "NONE", "V2").await), "InvalidParameter");
    assert!(!node.mounts_blobs(&w.cx, account, region).await.unwrap());
}

#[on_every_engine]
async fn settings_belong_to_a_region(store: TestStore) {
    let w = World::new(&store).await;
    put(&w, "BLOB_MOUNTING", "DISABLED").await.unwrap();
    let elsewhere = "eu-west-1".parse().unwrap();
    let mounts = w.registry.mounts_blobs(&w.cx, &w.cx.account, &elsewhere);
    assert!(mounts.await.unwrap());
}

/// ECR user guide, "Private registry permissions".
#[on_every_engine]
async fn the_first_scope_decides_on_three_actions(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"ecr:*","Resource":"*"}]}"#;
    let input = ecr::PutRegistryPolicyRequest {
        policy_text: text.into(),
    };
    w.registry.put_registry_policy(&w.cx, input).await.unwrap();
    let allowed = async |action: &str, name: &str| {
        let found = w.registry.look_up(&w.cx.account, &w.cx.region, name);
        let policy = found.await.unwrap().policy;
        let principal = policy::Principal::user("arn:aws:iam::210987654321:user/u", None);
        let (context, resource) = (
            policy::Context::new(),
            format!("arn:aws:ecr:us-east-1:123456789012:repository/{name}"),
        );
        let request = policy::Request {
            principal: &principal,
            action,
            resource: &resource,
            resource_account: Some("123456789012"),
            context: &context,
        };
        // The account is named, so its own policies must allow as well.
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let document = policy::Document::parse(all, policy::DocumentKind::InlineUser).unwrap();
        let name = policy::PolicyRef::new(policy::DocumentKind::InlineUser, "all");
        let identity = policy::PolicySet::union([(name, policy::CompiledDocument::new(&document))]);
        let applicable = policy::ApplicablePolicies {
            identity: Some(&identity),
            resource: policy.as_deref(),
            ..Default::default()
        };
        policy::decide(&request, &applicable).is_allowed()
    };
    for name in ["app", "none"] {
        assert!(allowed("ecr:BatchGetImage", name).await, "{name}");
    }
    put(&w, "REGISTRY_POLICY_SCOPE", "V1").await.unwrap();
    for name in ["app", "none"] {
        assert!(!allowed("ecr:BatchGetImage", name).await, "{name}");
        for action in [
            "ReplicateImage",
            "BatchImportUpstreamImage",
            "CreateRepository",
        ] {
            assert!(
                allowed(&format!("ecr:{action}"), name).await,
                "{action} {name}"
            );
        }
    }
    // What was put stays as it is.
    let shown = w
        .registry
        .get_registry_policy(&w.cx, Default::default())
        .await
        .unwrap();
    assert_eq!(shown.policy_text.as_deref(), Some(text));
}

fn rule(scan_frequency: ecr::ScanFrequency, filters: &[&str]) -> ecr::RegistryScanningRule {
    let filter = |filter: &&str| ecr::ScanningRepositoryFilter {
        filter: (*filter).to_owned(),
        filter_type: ecr::ScanningRepositoryFilterType::Wildcard,
    };
    ecr::RegistryScanningRule {
        scan_frequency,
        repository_filters: filters.iter().map(filter).collect(),
    }
}

async fn scan(
    w: &World,
    scan_type: Option<ecr::ScanType>,
    rules: Vec<ecr::RegistryScanningRule>,
) -> Result<(), String> {
    let input = ecr::PutRegistryScanningConfigurationRequest {
        scan_type,
        rules: Some(rules),
    };
    let put = w
        .registry
        .put_registry_scanning_configuration(&w.cx, input)
        .await;
    let put = put.map_err(|error| error.to_string())?;
    let got = w
        .registry
        .get_registry_scanning_configuration(&w.cx, Default::default());
    assert_eq!(
        put.registry_scanning_configuration,
        got.await.unwrap().scanning_configuration
    );
    Ok(())
}

#[on_every_engine]
async fn scanning_rules_decide_for_repositories_by_name(store: TestStore) {
    let w = World::new(&store).await;
    for name in ["prod/a", "dev/b", "dev/pushed"] {
        w.create(name, |input| {
            input.image_scanning_configuration = Some(ecr::ImageScanningConfiguration {
                scan_on_push: Some(name == "dev/pushed"),
            });
        })
        .await
        .unwrap();
    }
    let plans = async || {
        let names = ["prod/a", "dev/b", "dev/pushed", "none"].map(str::to_owned);
        let input = ecr::BatchGetRepositoryScanningConfigurationRequest {
            repository_names: names.to_vec(),
        };
        let answer = w
            .registry
            .batch_get_repository_scanning_configuration(&w.cx, input);
        let answer = answer.await.unwrap();
        assert_eq!(answer.failures.unwrap().len(), 1);
        let plans = answer
            .scanning_configurations
            .unwrap()
            .into_iter()
            .map(|one| {
                let filters = one.applied_scan_filters.unwrap();
                let filters: Vec<_> = filters.into_iter().map(|filter| filter.filter).collect();
                (
                    one.repository_name.unwrap(),
                    (one.scan_on_push.unwrap(), one.scan_frequency, filters),
                )
            });
        plans.collect::<HashMap<_, _>>()
    };
    use ecr::ScanFrequency::{ContinuousScan, Manual, ScanOnPush};
    let found = plans().await;
    assert_eq!(found["prod/a"], (false, Some(Manual), vec![]));
    assert_eq!(found["dev/pushed"], (true, Some(ScanOnPush), vec![]));

    scan(&w, None, vec![rule(ScanOnPush, &["prod", "x*"])])
        .await
        .unwrap();
    let found = plans().await;
    assert_eq!(
        found["prod/a"],
        (true, Some(ScanOnPush), vec!["prod".to_owned()])
    );
    assert_eq!(found["dev/b"], (false, Some(Manual), vec![]));
    assert_eq!(found["dev/pushed"], (true, Some(ScanOnPush), vec![]));

    let rules = vec![rule(ContinuousScan, &["prod/*"]), rule(ScanOnPush, &["a"])];
    scan(&w, Some(ecr::ScanType::Enhanced), rules)
        .await
        .unwrap();
    let found = plans().await;
    assert_eq!(
        found["prod/a"],
        (false, Some(ContinuousScan), vec!["prod/*".to_owned()])
    );
    assert_eq!(found["dev/b"], (false, None, vec![]));
}

/// The messages are Amazon ECR's (badmintoncryer/cdk-preflight, `rules/ecr`).
#[on_every_engine]
async fn scanning_rules_are_checked(store: TestStore) {
    let w = World::new(&store).await;
    use ecr::ScanFrequency::{ContinuousScan, Manual, ScanOnPush};
    let (basic, enhanced) = (Some(ecr::ScanType::Basic), Some(ecr::ScanType::Enhanced));
    let said = |reason: &str| {
        Err(format!(
            "Invalid parameter failed to satisfy constraint: '{reason}'"
        ))
    };
    for (scan_type, rules, reason) in [
        (
            basic,
            vec![rule(ContinuousScan, &["*"])],
            "Invalid scan frequency for scanType BASIC: CONTINUOUS_SCAN",
        ),
        (
            None,
            vec![rule(Manual, &["*"])],
            "Invalid scan frequency for scanType BASIC: MANUAL",
        ),
        (
            enhanced,
            vec![rule(Manual, &["*"])],
            "Invalid scan frequency for scanType ENHANCED: MANUAL",
        ),
        (
            basic,
            vec![rule(ScanOnPush, &["a"]), rule(ScanOnPush, &["b"])],
            "Invalid input. Contains duplicate scan frequencies: [SCAN_ON_PUSH]",
        ),
        (
            basic,
            vec![rule(ScanOnPush, &["a*b*c*d*e*"])],
            "A filter must have 4 wildcards at most: a*b*c*d*e*",
        ),
    ] {
        assert_eq!(scan(&w, scan_type, rules).await, said(reason));
    }
    let got = w
        .registry
        .get_registry_scanning_configuration(&w.cx, Default::default());
    let rules = got.await.unwrap().scanning_configuration.unwrap().rules;
    assert_eq!(rules, Some(vec![]), "nothing was stored");
}

#[on_every_engine]
async fn pulls_of_excluded_principals_are_not_recorded(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "v1", "one").await;
    let pulled = async || {
        w.registry
            .maintain(ServiceName::Maintenance, w.cx.now)
            .await
            .unwrap();
        let input = ecr::DescribeImagesRequest {
            repository_name: "app".into(),
            ..Default::default()
        };
        let images = w.registry.describe_images(&w.cx, input).await.unwrap();
        images.image_details.unwrap()[0].last_recorded_pull_time
    };
    let pull = async |cx: &registry::Authorized| {
        let repo = w.facts("app").await;
        w.registry.get_manifest(cx, &repo, "v1").await.unwrap();
        let input = ecr::BatchGetImageRequest {
            repository_name: "app".into(),
            image_ids: vec![ecr::ImageIdentifier {
                image_digest: None,
                image_tag: Some("v1".into()),
            }],
            ..Default::default()
        };
        w.registry.batch_get_image(cx, input).await.unwrap();
    };
    let role = "arn:aws:iam::123456789012:role/path/scanner";
    let session = {
        let mut caller =
            (*authz::testing::caller("arn:aws:sts::123456789012:assumed-role/scanner/one", None))
                .clone();
        caller.kind = authz::CallerKind::RoleSession {
            role_arn: role.into(),
            role_name: "scanner".into(),
            session_name: "one".into(),
        };
        let mut context = w.cx.context().clone();
        context.caller = std::sync::Arc::new(caller);
        authz::testing::authorized(context)
    };
    for arn in [role, "arn:aws:iam::123456789012:user/pusher"] {
        let input = ecr::RegisterPullTimeUpdateExclusionRequest {
            principal_arn: arn.into(),
        };
        let registered = w
            .registry
            .register_pull_time_update_exclusion(&w.cx, input.clone())
            .await
            .unwrap();
        assert_eq!(registered.created_at.unwrap(), w.cx.now);
        let again = w
            .registry
            .register_pull_time_update_exclusion(&w.cx, input)
            .await;
        assert_eq!(refusal(again), "ExclusionAlreadyExists");
    }
    pull(&session).await;
    pull(&w.cx).await;
    assert_eq!(pulled().await, None);

    let list = async |token| {
        let input = ecr::ListPullTimeUpdateExclusionsRequest {
            max_results: Some(1),
            next_token: token,
        };
        let page = w
            .registry
            .list_pull_time_update_exclusions(&w.cx, input)
            .await
            .unwrap();
        (page.pull_time_update_exclusions.unwrap(), page.next_token)
    };
    let (first, token) = list(None).await;
    assert_eq!((first, token.is_some()), (vec![role.to_owned()], true));
    let (second, token) = list(token).await;
    assert_eq!((second.len(), token), (1, None));

    let input = ecr::DeregisterPullTimeUpdateExclusionRequest {
        principal_arn: role.into(),
    };
    w.registry
        .deregister_pull_time_update_exclusion(&w.cx, input)
        .await
        .unwrap();
    pull(&session).await;
    assert_eq!(pulled().await, Some(w.cx.now));
}

/// ECR user guide, "Amazon ECR service quotas".
#[on_every_engine]
async fn a_registry_has_100_pull_time_exclusions(store: TestStore) {
    let w = World::new(&store).await;
    for number in 0..=100 {
        let input = ecr::RegisterPullTimeUpdateExclusionRequest {
            principal_arn: format!("arn:aws:iam::123456789012:role/r{number}"),
        };
        let registered = w
            .registry
            .register_pull_time_update_exclusion(&w.cx, input)
            .await;
        match number {
            100 => assert_eq!(refusal(registered), "LimitExceeded"),
            _ => drop(registered.unwrap()),
        }
    }
}
