//! Managed and inline policies.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{attach, create_policy, create_user, iam_tag, policy_arn, words};

/// The names of all pages.
async fn list_policies(
    i: &identity::Identity,
    cx: &identity::Authorized,
    input: iam::ListPoliciesRequest,
    page: i32,
) -> Vec<String> {
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let input = iam::ListPoliciesRequest {
            max_items: Some(page),
            marker,
            ..input.clone()
        };
        let answer = i.list_policies(cx, input).await.unwrap();
        names.extend(
            answer
                .policies
                .unwrap()
                .into_iter()
                .map(|policy| policy.policy_name.unwrap()),
        );
        marker = answer.marker;
        if marker.is_none() {
            return names;
        }
    }
}

#[on_every_engine]
async fn a_managed_policy_lives(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let input = iam::CreatePolicyRequest {
        description: Some("pushes".to_owned()),
        tags: Some(vec![iam_tag("a", "1")]),
        ..create_policy("push")
    };
    let policy = i.create_policy(&root, input).await.unwrap().policy.unwrap();
    let arn = policy_arn("push");
    assert_eq!(
        (policy.arn.as_deref(), policy.default_version_id.as_deref()),
        (Some(arn.as_str()), Some("v1"))
    );
    assert!(policy.policy_id.unwrap().starts_with("ANPA"));
    assert_eq!(
        said(i.create_policy(&root, create_policy("Push")).await),
        words(
            "EntityAlreadyExists",
            "A policy called Push already exists. Duplicate names are not allowed."
        )
    );
    let broken = iam::CreatePolicyRequest {
        policy_document: "{}".to_owned(),
        ..create_policy("broken")
    };
    assert_eq!(
        said(i.create_policy(&root, broken).await).0,
        "MalformedPolicyDocument"
    );

    i.create_user(&root, create_user("alice")).await.unwrap();
    i.attach_user_policy(&root, attach("alice", &arn))
        .await
        .unwrap();
    i.attach_user_policy(&root, attach("alice", &arn))
        .await
        .unwrap();
    let boundary = iam::PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: arn.clone(),
    };
    i.put_user_permissions_boundary(&root, boundary)
        .await
        .unwrap();
    let get = || iam::GetPolicyRequest {
        policy_arn: arn.clone(),
    };
    let policy = i.get_policy(&root, get()).await.unwrap().policy.unwrap();
    assert_eq!(
        (
            policy.attachment_count,
            policy.permissions_boundary_usage_count
        ),
        (Some(1), Some(1))
    );
    assert_eq!(policy.description.as_deref(), Some("pushes"));
    assert_eq!(policy.tags.unwrap(), [iam_tag("a", "1")]);
    let entities = iam::ListEntitiesForPolicyRequest {
        policy_arn: arn.clone(),
        ..Default::default()
    };
    let entities = i.list_entities_for_policy(&root, entities).await.unwrap();
    assert_eq!(entities.policy_users.unwrap().len(), 1);
    let attached = iam::ListAttachedUserPoliciesRequest {
        user_name: "alice".to_owned(),
        ..Default::default()
    };
    let attached = i
        .list_attached_user_policies(&root, attached)
        .await
        .unwrap()
        .attached_policies
        .unwrap();
    assert_eq!(
        (attached[0].policy_name.as_deref(), attached.len()),
        (Some("push"), 1)
    );

    let delete = || iam::DeletePolicyRequest {
        policy_arn: arn.clone(),
    };
    let attached = words(
        "DeleteConflict",
        "Cannot delete a policy attached to entities.",
    );
    assert_eq!(said(i.delete_policy(&root, delete()).await), attached);
    let detach = iam::DetachUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_arn: arn.clone(),
    };
    i.detach_user_policy(&root, detach).await.unwrap();
    assert_eq!(said(i.delete_policy(&root, delete()).await), attached);
    let boundary = || iam::DeleteUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
    };
    i.delete_user_permissions_boundary(&root, boundary())
        .await
        .unwrap();
    assert_eq!(
        said(i.delete_user_permissions_boundary(&root, boundary()).await).0,
        "NoSuchEntity"
    );
    i.delete_policy(&root, delete()).await.unwrap();
    assert_eq!(
        said(i.get_policy(&root, get()).await),
        words(
            "NoSuchEntity",
            "Policy arn:aws:iam::111122223333:policy/push was not found."
        )
    );
}

#[on_every_engine]
async fn a_policy_has_five_versions(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_policy(&root, create_policy("push")).await.unwrap();
    let arn = policy_arn("push");
    let version = |document: String, default| iam::CreatePolicyVersionRequest {
        policy_arn: arn.clone(),
        policy_document: document,
        set_as_default: Some(default),
    };
    let alice = w.user(&root, "alice").await;
    i.attach_user_policy(&root, attach("alice", &arn))
        .await
        .unwrap();
    assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    for n in 2..=5 {
        let made = i
            .create_policy_version(&root, version(deny("ecr:*"), n == 3))
            .await
            .unwrap();
        assert_eq!(
            made.policy_version.unwrap().version_id.unwrap(),
            format!("v{n}")
        );
    }
    assert!(!may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    let (code, message) = said(
        i.create_policy_version(&root, version(allow("*"), false))
            .await,
    );
    assert_eq!(code, "LimitExceeded");
    assert!(
        message.starts_with("A managed policy can have up to 5 versions."),
        "{message}"
    );
    let default = |id: &str| iam::SetDefaultPolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: id.to_owned(),
    };
    i.set_default_policy_version(&root, default("v1"))
        .await
        .unwrap();
    assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
    assert_eq!(
        said(i.set_default_policy_version(&root, default("v9")).await).0,
        "NoSuchEntity"
    );

    let get = |id: &str| iam::GetPolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: id.to_owned(),
    };
    let shown = i
        .get_policy_version(&root, get("v1"))
        .await
        .unwrap()
        .policy_version
        .unwrap();
    assert_eq!(shown.is_default_version, Some(true));
    assert!(
        shown
            .document
            .unwrap()
            .starts_with("%7B%22Version%22%3A%222012-10-17%22")
    );
    let listed = iam::ListPolicyVersionsRequest {
        policy_arn: arn.clone(),
        ..Default::default()
    };
    let listed = i
        .list_policy_versions(&root, listed)
        .await
        .unwrap()
        .versions
        .unwrap();
    let ids: Vec<_> = listed
        .into_iter()
        .map(|version| version.version_id.unwrap())
        .collect();
    assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);

    let delete = |id: &str| iam::DeletePolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: id.to_owned(),
    };
    assert_eq!(
        said(i.delete_policy_version(&root, delete("v1")).await),
        words(
            "DeleteConflict",
            "Cannot delete the default version of a policy."
        )
    );
    i.delete_policy_version(&root, delete("v5")).await.unwrap();
    // A number is never given twice.
    let made = i
        .create_policy_version(&root, version(allow("*"), false))
        .await
        .unwrap();
    assert_eq!(made.policy_version.unwrap().version_id.unwrap(), "v6");
    let detach = iam::DetachUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_arn: arn.clone(),
    };
    i.detach_user_policy(&root, detach).await.unwrap();
    let (code, message) = said(
        i.delete_policy(
            &root,
            iam::DeletePolicyRequest {
                policy_arn: arn.clone(),
            },
        )
        .await,
    );
    assert!(
        code == "DeleteConflict" && message.contains("more than one version"),
        "{message}"
    );
}

#[on_every_engine]
async fn lists_aws_policies_beside_those_of_the_account(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_policy(&root, create_policy("AdministratorAccess"))
        .await
        .unwrap();
    i.create_policy(&root, create_policy("zulu")).await.unwrap();
    let scope = |scope| iam::ListPoliciesRequest {
        scope,
        ..Default::default()
    };
    let aws = list_policies(i, &root, scope(Some(iam::PolicyScopeType::Aws)), 1000).await;
    assert!(aws.len() > 1500, "{}", aws.len());
    assert!(aws.contains(&"AmazonEC2ContainerRegistryPullOnly".to_owned()));
    let local = list_policies(i, &root, scope(Some(iam::PolicyScopeType::Local)), 1000).await;
    assert_eq!(local, ["AdministratorAccess", "zulu"]);
    assert_eq!(
        aws[..3],
        ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess"]
    );
    // Equal names are told apart, wherever a page ends.
    let all = list_policies(i, &root, scope(None), 1000).await;
    assert_eq!(all, [local, aws].concat());
    assert_eq!(list_policies(i, &root, scope(None), 9).await, all);
    let of = |path: &str| iam::ListPoliciesRequest {
        path_prefix: Some(path.to_owned()),
        ..scope(None)
    };
    let jobs = list_policies(i, &root, of("/job-function/"), 4).await;
    assert!(
        jobs.len() > 10 && jobs.contains(&"Billing".to_owned()),
        "{jobs:?}"
    );
}

#[on_every_engine]
async fn lists_only_attached_aws_policies_on_one_page(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    let (attached, bounding) = (
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::aws:policy/PowerUserAccess",
    );
    i.attach_user_policy(&root, attach("alice", attached))
        .await
        .unwrap();
    let boundary = iam::PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: bounding.to_owned(),
    };
    i.put_user_permissions_boundary(&root, boundary)
        .await
        .unwrap();
    let list = async |only_attached, policy_usage_filter| {
        let input = iam::ListPoliciesRequest {
            only_attached,
            policy_usage_filter,
            ..Default::default()
        };
        let answer = i.list_policies(&root, input).await.unwrap();
        assert_eq!(answer.marker, None);
        answer
            .policies
            .unwrap()
            .into_iter()
            .map(|policy| policy.policy_name.unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(Some(true), None).await, ["ReadOnlyAccess"]);
    assert_eq!(
        list(None, Some(iam::PolicyUsageType::PermissionsPolicy)).await,
        ["ReadOnlyAccess"]
    );
    assert_eq!(
        list(None, Some(iam::PolicyUsageType::PermissionsBoundary)).await,
        ["PowerUserAccess"]
    );
    let get = iam::GetPolicyRequest {
        policy_arn: attached.to_owned(),
    };
    let policy = i.get_policy(&root, get).await.unwrap().policy.unwrap();
    assert_eq!(
        (
            policy.attachment_count,
            policy.permissions_boundary_usage_count
        ),
        (Some(1), Some(0))
    );
    let details = iam::GetAccountAuthorizationDetailsRequest::default();
    let details = i
        .get_account_authorization_details(&root, details)
        .await
        .unwrap()
        .policies
        .unwrap();
    let names: Vec<_> = details
        .iter()
        .filter_map(|policy| policy.policy_name.as_deref())
        .collect();
    assert_eq!(names, ["PowerUserAccess", "ReadOnlyAccess"]);
}

#[on_every_engine]
async fn reads_the_version_in_force_of_an_aws_policy(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let arn = "arn:aws:iam::aws:policy/job-function/Billing".to_owned();
    let get = iam::GetPolicyRequest {
        policy_arn: arn.clone(),
    };
    let policy = i.get_policy(&root, get).await.unwrap().policy.unwrap();
    assert_eq!(policy.path.as_deref(), Some("/job-function/"));
    let list = iam::ListPolicyVersionsRequest {
        policy_arn: arn.clone(),
        ..Default::default()
    };
    let versions = i
        .list_policy_versions(&root, list)
        .await
        .unwrap()
        .versions
        .unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].version_id, policy.default_version_id);
    assert_eq!(versions[0].create_date, policy.update_date);
    let version_id = policy.default_version_id.unwrap();
    let get = |version_id: &str| iam::GetPolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: version_id.to_owned(),
    };
    let version = i
        .get_policy_version(&root, get(&version_id))
        .await
        .unwrap()
        .policy_version
        .unwrap();
    assert!(version.document.unwrap().contains("aws-portal"));
    assert_eq!(
        said(i.get_policy_version(&root, get("v1")).await).0,
        "NoSuchEntity"
    );
    let wrong_path = iam::GetPolicyRequest {
        policy_arn: "arn:aws:iam::aws:policy/Billing".to_owned(),
    };
    assert_eq!(
        said(i.get_policy(&root, wrong_path).await).0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn refuses_to_attach_policies_of_service_linked_roles(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    let arn = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
    assert_eq!(
        said(i.attach_user_policy(&root, attach("alice", arn)).await),
        words(
            "PolicyNotAttachable",
            "Cannot attach a Service Role Policy to a Customer User."
        )
    );
}

#[on_every_engine]
async fn aws_policies_cannot_be_changed(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_policy(&root, create_policy("zulu")).await.unwrap();

    let arn = "arn:aws:iam::aws:policy/AdministratorAccess".to_owned();
    assert_eq!(
        said(
            i.delete_policy(
                &root,
                iam::DeletePolicyRequest {
                    policy_arn: arn.clone()
                }
            )
            .await
        )
        .0,
        "AccessDenied"
    );
    let get = iam::GetPolicyVersionRequest {
        policy_arn: arn,
        version_id: "v1".to_owned(),
    };
    let document = i
        .get_policy_version(&root, get)
        .await
        .unwrap()
        .policy_version
        .unwrap()
        .document
        .unwrap();
    assert!(
        document.contains("AdministratorAccess") || document.contains("%2A"),
        "{document}"
    );
    // Another account's policy does not exist for this one.
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    i.create_user(&other, create_user("eve")).await.unwrap();
    assert_eq!(
        said(
            i.attach_user_policy(&other, attach("eve", &policy_arn("zulu")))
                .await
        )
        .0,
        "NoSuchEntity"
    );
    let get = iam::GetPolicyRequest {
        policy_arn: policy_arn("zulu"),
    };
    assert_eq!(said(i.get_policy(&other, get).await).0, "NoSuchEntity");
}

#[on_every_engine]
async fn inline_policies_share_one_size(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    let put = |name: &str, resources: usize| iam::PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: name.to_owned(),
        policy_document: allow("ecr:*").replace(
            "\"*\"",
            &format!(
                "[{}]",
                vec!["\"arn:aws:ecr:us-east-1:111122223333:repository/app\""; resources]
                    .join(",  ")
            ),
        ),
    };
    i.put_user_policy(&root, put("a", 16)).await.unwrap();
    assert_eq!(
        said(i.put_user_policy(&root, put("b", 22)).await),
        words(
            "LimitExceeded",
            "Maximum policy size of 2048 bytes exceeded for user alice"
        )
    );
    i.put_user_policy(&root, put("a", 1)).await.unwrap();
    i.put_user_policy(&root, put("b", 22)).await.unwrap();
    let list = iam::ListUserPoliciesRequest {
        user_name: "alice".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        i.list_user_policies(&root, list)
            .await
            .unwrap()
            .policy_names,
        ["a", "b"]
    );
    let get = iam::GetUserPolicyRequest {
        user_name: "ALICE".to_owned(),
        policy_name: "a".to_owned(),
    };
    let got = i.get_user_policy(&root, get).await.unwrap();
    assert_eq!(got.user_name, "alice");
    assert!(
        got.policy_document
            .contains("%3A111122223333%3Arepository%2Fapp")
    );
    let principal = iam::PutUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "c".to_owned(),
        policy_document: trust("111122223333"),
    };
    assert_eq!(
        said(i.put_user_policy(&root, principal).await).0,
        "MalformedPolicyDocument"
    );
}
