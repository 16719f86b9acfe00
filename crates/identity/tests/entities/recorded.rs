//! Answers as AWS gave them, recorded in LocalStack's `tests/aws/services/iam/*.snapshot.json` and
//! `tests/aws/services/sts/test_sts.snapshot.json`. Each test names its recording.

use aws_api::{iam, sts};
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{create_policy, create_user, iam_tag, policy_arn, words};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}"#;

fn role(name: &str) -> iam::CreateRoleRequest {
    iam::CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        description: Some("initial".to_owned()),
        max_session_duration: Some(7200),
        ..Default::default()
    }
}

/// The names of an answer's members that are there, in the model's order.
fn members<O: aws_api::Op>(answer: &O::Output) -> Vec<String> {
    let body = aws_api::encode_response::<O>(answer, "id").body;
    let body = String::from_utf8(body).unwrap();
    let names = body
        .split('<')
        .skip(1)
        .filter_map(|part| part.split(['>', '/']).next());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn shows<O: aws_api::Op>(answer: &O::Output, member: &str) -> bool {
    members::<O>(answer).iter().any(|name| name == member)
}

// test_create_role_defaults, test_update_role.
#[on_every_engine]
async fn roles_show_what_aws_shows(t: TestStore) {
    use iam::ops::{CreateRole, GetRole, ListRoles, UpdateRoleDescription};
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let created = i.create_role(&root, role("ci")).await.unwrap();
    for member in [
        "MaxSessionDuration",
        "Description",
        "RoleLastUsed",
        "Tags",
        "PermissionsBoundary",
    ] {
        assert!(!shows::<CreateRole>(&created, member), "{member}");
    }
    let get = iam::GetRoleRequest {
        role_name: "ci".to_owned(),
    };
    let got = i.get_role(&root, get).await.unwrap();
    for member in ["MaxSessionDuration", "Description", "RoleLastUsed"] {
        assert!(shows::<GetRole>(&got, member), "{member}");
    }
    assert!(!shows::<GetRole>(&got, "Tags"));
    let described = iam::UpdateRoleDescriptionRequest {
        role_name: "ci".to_owned(),
        description: "new".to_owned(),
    };
    let described = i.update_role_description(&root, described).await.unwrap();
    assert!(shows::<UpdateRoleDescription>(&described, "Description"));
    assert!(!shows::<UpdateRoleDescription>(
        &described,
        "MaxSessionDuration"
    ));
    let listed = i
        .list_roles(&root, iam::ListRolesRequest::default())
        .await
        .unwrap();
    assert!(
        shows::<ListRoles>(&listed, "MaxSessionDuration")
            && shows::<ListRoles>(&listed, "Description")
    );
    assert!(!shows::<ListRoles>(&listed, "RoleLastUsed"));
}

// test_list_instance_profiles, test_instance_profile_lifecycle.
#[on_every_engine]
async fn a_role_in_a_profile_has_six_members(t: TestStore) {
    use iam::ops::{CreateInstanceProfile, GetInstanceProfile, ListInstanceProfiles};
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_role(&root, role("ci")).await.unwrap();
    let create = iam::CreateInstanceProfileRequest {
        instance_profile_name: "p".to_owned(),
        ..Default::default()
    };
    let created = i.create_instance_profile(&root, create).await.unwrap();
    assert!(!shows::<CreateInstanceProfile>(&created, "Tags"));
    let add = iam::AddRoleToInstanceProfileRequest {
        instance_profile_name: "p".to_owned(),
        role_name: "ci".to_owned(),
    };
    i.add_role_to_instance_profile(&root, add).await.unwrap();
    let get = iam::GetInstanceProfileRequest {
        instance_profile_name: "p".to_owned(),
    };
    let got = i.get_instance_profile(&root, get).await.unwrap();
    assert!(shows::<GetInstanceProfile>(&got, "Tags"));
    let listed = i
        .list_instance_profiles(&root, iam::ListInstanceProfilesRequest::default())
        .await
        .unwrap();
    assert!(!shows::<ListInstanceProfiles>(&listed, "Tags"));
    let role = &listed.instance_profiles[0].roles[0];
    let bare = iam::Role {
        path: role.path.clone(),
        role_name: role.role_name.clone(),
        role_id: role.role_id.clone(),
        arn: role.arn.clone(),
        create_date: role.create_date,
        assume_role_policy_document: role.assume_role_policy_document.clone(),
        ..Default::default()
    };
    assert_eq!(role, &bare);
}

// test_role_instance_profile_operations_errors.
#[on_every_engine]
async fn profiles_name_what_is_missing(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_role(&root, role("ci")).await.unwrap();
    let create = iam::CreateInstanceProfileRequest {
        instance_profile_name: "p".to_owned(),
        ..Default::default()
    };
    i.create_instance_profile(&root, create).await.unwrap();
    let remove = |profile: &str, role: &str| iam::RemoveRoleFromInstanceProfileRequest {
        instance_profile_name: profile.to_owned(),
        role_name: role.to_owned(),
    };
    assert_eq!(
        said(
            i.remove_role_from_instance_profile(&root, remove("none", "ci"))
                .await
        ),
        words("NoSuchEntity", "Instance Profile none cannot be found.")
    );
    assert_eq!(
        said(
            i.remove_role_from_instance_profile(&root, remove("p", "none"))
                .await
        ),
        words("NoSuchEntity", "The role with name none cannot be found.")
    );
    assert_eq!(
        said(
            i.remove_role_from_instance_profile(&root, remove("p", "ci"))
                .await
        ),
        words(
            "NoSuchEntity",
            "Role ci in Instance Profile p cannot be found."
        )
    );
}

// test_policy_tag_lifecycle, test_policy_tag_create_errors, test_policy_version_errors.
#[on_every_engine]
async fn policies_answer_as_recorded(t: TestStore) {
    use iam::ops::{CreatePolicy, GetPolicy};
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let tagged = iam::CreatePolicyRequest {
        tags: Some(vec![iam_tag("a", "lowercase"), iam_tag("A", "uppercase")]),
        ..create_policy("tagged")
    };
    let created = i
        .create_policy(&root, tagged)
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(
        created.tags,
        Some(vec![iam_tag("a", "lowercase"), iam_tag("A", "uppercase")])
    );
    let list = || iam::ListPolicyTagsRequest {
        policy_arn: policy_arn("tagged"),
        ..Default::default()
    };
    let tags = i.list_policy_tags(&root, list()).await.unwrap().tags;
    assert_eq!(tags, [iam_tag("A", "uppercase"), iam_tag("a", "lowercase")]);
    let untag = iam::UntagPolicyRequest {
        policy_arn: policy_arn("tagged"),
        tag_keys: vec!["a".to_owned()],
    };
    i.untag_policy(&root, untag).await.unwrap();
    assert_eq!(
        i.list_policy_tags(&root, list()).await.unwrap().tags,
        [iam_tag("A", "uppercase")]
    );
    let twice = iam::TagPolicyRequest {
        policy_arn: policy_arn("tagged"),
        tags: vec![iam_tag("k", "1"), iam_tag("k", "2")],
    };
    assert_eq!(
        said(i.tag_policy(&root, twice).await),
        words("InvalidInput", "Duplicate tag keys found.")
    );

    let plain = i
        .create_policy(&root, create_policy("plain"))
        .await
        .unwrap();
    assert!(!shows::<CreatePolicy>(&plain, "Tags"));
    for arn in [
        policy_arn("plain"),
        "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    ] {
        let got = i
            .get_policy(&root, iam::GetPolicyRequest { policy_arn: arn })
            .await
            .unwrap();
        assert!(shows::<GetPolicy>(&got, "Tags"));
    }

    let missing = |arn: &str, id: &str| {
        words(
            "NoSuchEntity",
            &format!("Policy {arn} version {id} does not exist or is not attachable."),
        )
    };
    let (none, plain) = (policy_arn("none"), policy_arn("plain"));
    for (arn, id) in [(&none, "v1"), (&plain, "v9")] {
        let get = iam::GetPolicyVersionRequest {
            policy_arn: arn.clone(),
            version_id: id.to_owned(),
        };
        assert_eq!(
            said(i.get_policy_version(&root, get).await),
            missing(arn, id)
        );
        let set = iam::SetDefaultPolicyVersionRequest {
            policy_arn: arn.clone(),
            version_id: id.to_owned(),
        };
        assert_eq!(
            said(i.set_default_policy_version(&root, set).await),
            missing(arn, id)
        );
        let delete = iam::DeletePolicyVersionRequest {
            policy_arn: arn.clone(),
            version_id: id.to_owned(),
        };
        assert_eq!(
            said(i.delete_policy_version(&root, delete).await),
            missing(arn, id)
        );
    }
    let delete = iam::DeletePolicyRequest {
        policy_arn: none.clone(),
    };
    assert_eq!(
        said(i.delete_policy(&root, delete).await),
        words("NoSuchEntity", &format!("Policy {none} was not found."))
    );
}

// test_remove_user_from_unknown_group, test_list_virtual_mfa_devices (the marker).
#[on_every_engine]
async fn the_user_is_named_before_the_group(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let add = iam::AddUserToGroupRequest {
        group_name: "none".to_owned(),
        user_name: "any-user".to_owned(),
    };
    let any_user = words(
        "NoSuchEntity",
        "The user with name any-user cannot be found.",
    );
    assert_eq!(said(i.add_user_to_group(&root, add).await), any_user);
    let remove = iam::RemoveUserFromGroupRequest {
        group_name: "none".to_owned(),
        user_name: "any-user".to_owned(),
    };
    assert_eq!(
        said(i.remove_user_from_group(&root, remove).await),
        any_user
    );
    let list = iam::ListUsersRequest {
        marker: Some("100!".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        said(i.list_users(&root, list).await),
        words("ValidationError", "Invalid Marker.")
    );
}

// HumanCellAtlas/data-store#1963: an inline policy over the limit names its holder.
#[on_every_engine]
async fn an_inline_policy_over_its_limit_names_the_entity(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    let action = format!("ecr:{}", "x".repeat(2_048));
    let put = |user: &str| iam::PutUserPolicyRequest {
        user_name: user.to_owned(),
        policy_name: "p".to_owned(),
        policy_document: allow(&action),
    };
    assert_eq!(
        said(i.put_user_policy(&root, put("alice")).await),
        words(
            "LimitExceeded",
            "Maximum policy size of 2048 bytes exceeded for user alice"
        )
    );
    assert_eq!(
        said(i.put_user_policy(&root, put("nobody")).await),
        words("NoSuchEntity", "The user with name nobody cannot be found.")
    );
}

// test_get_account_authorization_details_no_filter.
#[on_every_engine]
async fn account_details_send_empty_lists_as_aws_does(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    i.create_role(&root, role("ci")).await.unwrap();
    let details = iam::GetAccountAuthorizationDetailsRequest::default();
    let details = i
        .get_account_authorization_details(&root, details)
        .await
        .unwrap();
    let (user, role) = (
        &details.user_detail_list.unwrap()[0],
        &details.role_detail_list.unwrap()[0],
    );
    assert_eq!(
        (user.tags.as_deref(), user.user_policy_list.as_deref()),
        (Some(&[][..]), None)
    );
    assert_eq!(
        (role.tags.as_deref(), role.role_policy_list.as_deref()),
        (Some(&[][..]), Some(&[][..]))
    );
}

// test_get_account_summary_format.
#[on_every_engine]
async fn the_account_summary_has_every_key(t: TestStore) {
    use iam::SummaryKeyType as K;
    let w = World::new(&t).await;
    let root = w.root().await;
    let summary = w
        .identity
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    for key in K::ALL {
        assert!(summary.contains_key(key), "{key}");
    }
    for (key, value) in [
        (K::PolicyVersionsInUseQuota, 10_000),
        (K::ServerCertificatesQuota, 20),
        (K::SigningCertificatesPerUserQuota, 2),
    ] {
        assert_eq!(summary[&key], value);
    }
}

// TestSTSIntegrations, TestSTSAssumeRoleTagging; aws/containers-roadmap#2413 (the size of tags).
#[on_every_engine]
async fn sessions_answer_as_recorded(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    let cx = w.call(&alice).await.unwrap();
    let tag = |key: &str, value: &str| sts::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let assume = |tags: Vec<sts::Tag>, transitive: &[&str]| sts::AssumeRoleRequest {
        role_arn: "arn:aws:iam::111122223333:role/ci".to_owned(),
        role_session_name: "Session1".to_owned(),
        tags: Some(tags),
        transitive_tag_keys: Some(transitive.iter().map(|key| (*key).to_owned()).collect()),
        ..Default::default()
    };
    let plain = w
        .identity
        .assume_role(&cx, assume(Vec::new(), &[]))
        .await
        .unwrap();
    assert_eq!(plain.packed_policy_size, None);
    let tagged = w
        .identity
        .assume_role(&cx, assume(vec![tag("SessionTag1", "v")], &["sessiontag1"]))
        .await
        .unwrap();
    assert_eq!(tagged.packed_policy_size, Some(1));
    let unknown = assume(vec![tag("SessionTag1", "v")], &["InvalidKey"]);
    assert_eq!(
        said(w.identity.assume_role(&cx, unknown).await),
        words(
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags."
        )
    );
    let twice = assume(
        vec![tag("SessionTag1", "v"), tag("sessiontag1", "w")],
        &["sessiontag1"],
    );
    assert_eq!(
        said(w.identity.assume_role(&cx, twice).await),
        words(
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    );
    let many = (0..50)
        .map(|n| tag(&format!("key{n}"), &"x".repeat(100)))
        .collect();
    assert_eq!(
        said(w.identity.assume_role(&cx, assume(many, &[])).await),
        words(
            "PackedPolicyTooLarge",
            "Packed size of session tags consumes 128% of allotted space."
        )
    );
    let federated = sts::GetFederationTokenRequest {
        name: "TestName".to_owned(),
        ..Default::default()
    };
    let federated = w
        .identity
        .get_federation_token(&cx, federated)
        .await
        .unwrap();
    assert_eq!(federated.packed_policy_size, Some(0));
}

// test_aws_managed_policy_errors.
#[on_every_engine]
async fn what_is_done_to_aws_policies_is_named(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
    let denied = |what: &str| {
        words(
            "AccessDenied",
            &format!("Cannot {what} outside your own account."),
        )
    };
    let delete = iam::DeletePolicyRequest {
        policy_arn: arn.clone(),
    };
    assert_eq!(
        said(i.delete_policy(&root, delete).await),
        denied("delete policies")
    );
    let delete = iam::DeletePolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: "v2".to_owned(),
    };
    assert_eq!(
        said(i.delete_policy_version(&root, delete).await),
        denied("delete policy versions for policies")
    );
    let set = iam::SetDefaultPolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: "v2".to_owned(),
    };
    assert_eq!(
        said(i.set_default_policy_version(&root, set).await),
        denied("update policies")
    );
    let tag = iam::TagPolicyRequest {
        policy_arn: arn,
        tags: vec![iam_tag("a", "1")],
    };
    assert_eq!(
        said(i.tag_policy(&root, tag).await),
        denied("update policies")
    );
}

// test_policy_tag_order.
#[on_every_engine]
async fn tags_of_a_policy_are_listed_by_length_and_key(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let tags = ["abc", "b", "z", "a"].map(|key| iam_tag(key, "v"));
    let input = iam::CreatePolicyRequest {
        tags: Some(tags.to_vec()),
        ..create_policy("push")
    };
    i.create_policy(&root, input).await.unwrap();
    let (mut keys, mut marker) = (Vec::new(), None);
    loop {
        let list = iam::ListPolicyTagsRequest {
            policy_arn: policy_arn("push"),
            max_items: Some(1),
            marker,
        };
        let page = i.list_policy_tags(&root, list).await.unwrap();
        keys.extend(page.tags.into_iter().map(|tag| tag.key));
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(keys, ["a", "b", "z", "abc"]);
}

// test_list_entities_for_policy_errors.
#[on_every_engine]
async fn entities_of_a_missing_policy_cannot_be_listed(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let arn = policy_arn("none");
    let list = iam::ListEntitiesForPolicyRequest {
        policy_arn: arn.clone(),
        ..Default::default()
    };
    assert_eq!(
        said(w.identity.list_entities_for_policy(&root, list).await),
        words(
            "NoSuchEntity",
            &format!("Policy {arn} does not exist or is not attachable.")
        )
    );
}

// test_delete_user_after_service_credential_created.
#[on_every_engine]
async fn a_user_with_a_service_credential_stays(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("ada")).await.unwrap();
    let create = iam::CreateServiceSpecificCredentialRequest {
        user_name: "ada".to_owned(),
        service_name: "codecommit.amazonaws.com".to_owned(),
        ..Default::default()
    };
    i.create_service_specific_credential(&root, create)
        .await
        .unwrap();
    let delete = iam::DeleteUserRequest {
        user_name: "ada".to_owned(),
    };
    assert_eq!(
        said(i.delete_user(&root, delete).await),
        words(
            "DeleteConflict",
            "Cannot delete entity, must remove referenced objects first."
        )
    );
}
