//! What holds for all resources: paths, tags, quotas.

use aws_api::iam;
use identity::Settings;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{attach, create_policy, create_user, iam_tag, policy_arn, words};

#[on_every_engine]
async fn paths_of_aws_are_refused(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "alice").await;
    for path in [
        "/aws-service-role/ecr.amazonaws.com/",
        "/aws-reserved/sso.amazonaws.com/",
        "/aws-service-role/",
    ] {
        let path = Some(path.to_owned());
        let role = iam::CreateRoleRequest {
            role_name: "r".to_owned(),
            path: path.clone(),
            assume_role_policy_document: trust("arn:aws:iam::111122223333:user/alice"),
            ..Default::default()
        };
        assert_eq!(said(i.create_role(&root, role).await).0, "InvalidInput");
        let user = iam::CreateUserRequest {
            user_name: "u".to_owned(),
            path: path.clone(),
            ..Default::default()
        };
        assert_eq!(said(i.create_user(&root, user).await).0, "InvalidInput");
        let group = iam::CreateGroupRequest {
            group_name: "g".to_owned(),
            path: path.clone(),
        };
        assert_eq!(said(i.create_group(&root, group).await).0, "InvalidInput");
        let renamed = iam::UpdateUserRequest {
            user_name: "alice".to_owned(),
            new_path: path,
            ..Default::default()
        };
        assert_eq!(said(i.update_user(&root, renamed).await).0, "InvalidInput");
    }
    // Only those prefixes: a path that holds them further on is a customer's.
    let user = iam::CreateUserRequest {
        user_name: "u".to_owned(),
        path: Some("/my/aws-reserved/".to_owned()),
        ..Default::default()
    };
    i.create_user(&root, user).await.unwrap();
}

#[on_every_engine]
async fn tags_are_told_apart_without_case(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    i.create_user(&root, create_user("alice")).await.unwrap();
    let tag = |tags| iam::TagUserRequest {
        user_name: "alice".to_owned(),
        tags,
    };
    i.tag_user(&root, tag(vec![iam_tag("Team", "blue"), iam_tag("a", "1")]))
        .await
        .unwrap();
    i.tag_user(&root, tag(vec![iam_tag("TEAM", "red")]))
        .await
        .unwrap();
    let list = || iam::ListUserTagsRequest {
        user_name: "alice".to_owned(),
        ..Default::default()
    };
    let tags = i.list_user_tags(&root, list()).await.unwrap().tags;
    assert_eq!(tags, [iam_tag("a", "1"), iam_tag("TEAM", "red")]);
    assert_eq!(
        said(
            i.tag_user(&root, tag(vec![iam_tag("x", "1"), iam_tag("X", "2")]))
                .await
        )
        .0,
        "InvalidInput"
    );
    assert_eq!(
        said(i.tag_user(&root, tag(vec![iam_tag("AWS:x", "1")])).await).0,
        "InvalidInput"
    );
    let many = (0..49).map(|n| iam_tag(&format!("n{n}"), "")).collect();
    assert_eq!(
        said(i.tag_user(&root, tag(many)).await),
        words(
            "LimitExceeded",
            "The number of tags has reached the maximum limit."
        )
    );
    let untag = iam::UntagUserRequest {
        user_name: "alice".to_owned(),
        tag_keys: vec!["team".to_owned(), "none".to_owned()],
    };
    i.untag_user(&root, untag).await.unwrap();
    assert_eq!(
        i.list_user_tags(&root, list()).await.unwrap().tags,
        [iam_tag("a", "1")]
    );
    i.create_policy(&root, create_policy("p")).await.unwrap();
    let input = iam::TagPolicyRequest {
        policy_arn: policy_arn("p"),
        tags: vec![iam_tag("k", "v")],
    };
    i.tag_policy(&root, input).await.unwrap();
    let list = iam::ListPolicyTagsRequest {
        policy_arn: policy_arn("p"),
        ..Default::default()
    };
    assert_eq!(
        i.list_policy_tags(&root, list).await.unwrap().tags,
        [iam_tag("k", "v")]
    );
}

#[on_every_engine]
async fn quotas_are_kept(t: TestStore) {
    let settings = Settings {
        users_max: 2,
        groups_max: 2,
        roles_max: 1,
        policies_max: 1,
        instance_profiles_max: 1,
        groups_per_user_max: 1,
        attached_policies_max: 1,
        ..Settings::default()
    };
    let w = World::with(&t, settings).await;
    let (i, root) = (&w.identity, w.root().await);
    let quota = |name: &str, max: i64| {
        words(
            "LimitExceeded",
            &format!("Cannot exceed quota for {name}: {max}"),
        )
    };
    w.user(&root, "a").await;
    i.create_user(&root, create_user("b")).await.unwrap();
    assert_eq!(
        said(i.create_user(&root, create_user("c")).await),
        quota("UsersPerAccount", 2)
    );
    w.key(&root, "a").await.unwrap();
    assert_eq!(
        w.key(&root, "a").await.map(|_| ()).unwrap_err().to_string(),
        "Cannot exceed quota for AccessKeysPerUser: 2"
    );
    for group in ["g", "h"] {
        i.create_group(
            &root,
            iam::CreateGroupRequest {
                group_name: group.to_owned(),
                path: None,
            },
        )
        .await
        .unwrap();
    }
    assert_eq!(
        said(
            i.create_group(
                &root,
                iam::CreateGroupRequest {
                    group_name: "i".to_owned(),
                    path: None
                }
            )
            .await
        ),
        quota("GroupsPerAccount", 2)
    );
    let add = |group: &str| iam::AddUserToGroupRequest {
        group_name: group.to_owned(),
        user_name: "a".to_owned(),
    };
    i.add_user_to_group(&root, add("g")).await.unwrap();
    assert_eq!(
        said(i.add_user_to_group(&root, add("h")).await),
        quota("GroupsPerUser", 1)
    );
    i.create_policy(&root, create_policy("p")).await.unwrap();
    assert_eq!(
        said(i.create_policy(&root, create_policy("q")).await),
        quota("PoliciesPerAccount", 1)
    );
    i.attach_user_policy(&root, attach("a", &policy_arn("p")))
        .await
        .unwrap();
    assert_eq!(
        said(
            i.attach_user_policy(&root, attach("a", "arn:aws:iam::aws:policy/ReadOnlyAccess"))
                .await
        ),
        quota("PoliciesPerUser", 1)
    );
    w.create_role(&root, "r", ACCOUNT).await.unwrap();
    assert_eq!(
        said(w.create_role(&root, "s", ACCOUNT).await),
        quota("RolesPerAccount", 1)
    );
}
