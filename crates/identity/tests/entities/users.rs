//! A user's life, the lists, and access keys.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{attach, create_user, iam_tag, policy_arn, words};

#[on_every_engine]
async fn a_user_lives(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let input = iam::CreateUserRequest {
        path: Some("/team/".to_owned()),
        tags: Some(vec![iam_tag("Team", "blue")]),
        permissions_boundary: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()),
        ..create_user("Alice")
    };
    let user = i.create_user(&root, input).await.unwrap().user.unwrap();
    assert_eq!(user.arn, "arn:aws:iam::111122223333:user/team/Alice");
    assert!(user.user_id.starts_with("AIDA") && user.user_id.len() == 21);
    assert_eq!(user.create_date, w.now);
    assert_eq!(
        said(i.create_user(&root, create_user("aLICE")).await),
        words(
            "EntityAlreadyExists",
            "User with name aLICE already exists."
        )
    );

    let get = |name: &str| iam::GetUserRequest {
        user_name: Some(name.to_owned()),
    };
    let same = i.get_user(&root, get("alice")).await.unwrap().user;
    assert_eq!(same, user);
    assert_eq!(
        same.permissions_boundary
            .unwrap()
            .permissions_boundary_arn
            .as_deref(),
        Some("arn:aws:iam::aws:policy/ReadOnlyAccess")
    );
    assert_eq!(
        said(i.get_user(&root, get("bob")).await),
        words("NoSuchEntity", "The user with name bob cannot be found.")
    );

    i.create_user(&root, create_user("bob")).await.unwrap();
    let rename = |new: &str| iam::UpdateUserRequest {
        user_name: "Alice".to_owned(),
        new_user_name: Some(new.to_owned()),
        new_path: None,
    };
    assert_eq!(
        said(i.update_user(&root, rename("BOB")).await).0,
        "EntityAlreadyExists"
    );
    i.update_user(&root, rename("ALICE")).await.unwrap();
    let renamed = i.get_user(&root, get("alice")).await.unwrap().user;
    assert_eq!(
        (renamed.user_name.as_str(), renamed.user_id),
        ("ALICE", user.user_id)
    );

    let missing = iam::CreateUserRequest {
        permissions_boundary: Some(policy_arn("none")),
        ..create_user("carol")
    };
    assert_eq!(
        said(i.create_user(&root, missing).await),
        words(
            "NoSuchEntity",
            "Scope ARN: arn:aws:iam::111122223333:policy/none does not exist or is not attachable."
        )
    );
    // A refused request leaves nothing.
    assert_eq!(
        said(i.get_user(&root, get("carol")).await).0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn get_user_without_a_name_is_the_caller(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let me = w
        .identity
        .get_user(&cx, iam::GetUserRequest::default())
        .await
        .unwrap()
        .user;
    assert_eq!(me.user_name, "alice");
    let me = w
        .identity
        .get_user(&root, iam::GetUserRequest::default())
        .await
        .unwrap()
        .user;
    assert_eq!(
        (me.user_id.as_str(), me.arn.as_str()),
        (ACCOUNT, "arn:aws:iam::111122223333:root")
    );
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    let job = w.assume(&cx, assume("ci")).await.unwrap();
    let job = w.call(&job).await.unwrap();
    assert_eq!(
        said(
            w.identity
                .get_user(&job, iam::GetUserRequest::default())
                .await
        ),
        words(
            "ValidationError",
            "Must specify userName when calling with non-User credentials"
        )
    );
}

#[on_every_engine]
async fn a_user_is_deleted_when_nothing_depends_on_it(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let key = w.user(&root, "alice").await;
    let delete = || iam::DeleteUserRequest {
        user_name: "alice".to_owned(),
    };
    assert_eq!(
        said(i.delete_user(&root, delete()).await),
        words(
            "DeleteConflict",
            "Cannot delete entity, must delete access keys first."
        )
    );
    let input = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: key.id,
    };
    i.delete_access_key(&root, input).await.unwrap();

    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    i.attach_user_policy(&root, attach("alice", admin))
        .await
        .unwrap();
    assert_eq!(
        said(i.delete_user(&root, delete()).await),
        words(
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first."
        )
    );
    let detach = || iam::DetachUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_arn: admin.to_owned(),
    };
    i.detach_user_policy(&root, detach()).await.unwrap();
    assert_eq!(
        said(i.detach_user_policy(&root, detach()).await),
        words(
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/AdministratorAccess was not found."
        )
    );

    w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
    assert_eq!(
        said(i.delete_user(&root, delete()).await),
        words(
            "DeleteConflict",
            "Cannot delete entity, must delete policies first."
        )
    );
    let inline = || iam::DeleteUserPolicyRequest {
        user_name: "alice".to_owned(),
        policy_name: "inline".to_owned(),
    };
    i.delete_user_policy(&root, inline()).await.unwrap();
    assert_eq!(
        said(i.delete_user_policy(&root, inline()).await),
        words(
            "NoSuchEntity",
            "The user policy with name inline cannot be found."
        )
    );

    i.create_group(
        &root,
        iam::CreateGroupRequest {
            group_name: "g".to_owned(),
            path: None,
        },
    )
    .await
    .unwrap();
    let add = iam::AddUserToGroupRequest {
        group_name: "g".to_owned(),
        user_name: "alice".to_owned(),
    };
    i.add_user_to_group(&root, add).await.unwrap();
    assert_eq!(
        said(i.delete_user(&root, delete()).await).0,
        "DeleteConflict"
    );
    let remove = iam::RemoveUserFromGroupRequest {
        group_name: "g".to_owned(),
        user_name: "alice".to_owned(),
    };
    i.remove_user_from_group(&root, remove).await.unwrap();
    i.delete_user(&root, delete()).await.unwrap();
    assert_eq!(said(i.delete_user(&root, delete()).await).0, "NoSuchEntity");
}

#[on_every_engine]
async fn lists_are_sorted_filtered_and_paged(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    for (name, path) in [
        ("delta", "/a/"),
        ("Alpha", "/a/b/"),
        ("charlie", "/b/"),
        ("Bravo", "/a/"),
    ] {
        let input = iam::CreateUserRequest {
            path: Some(path.to_owned()),
            ..create_user(name)
        };
        i.create_user(&root, input).await.unwrap();
    }
    let names = |answer: &iam::ListUsersResponse| {
        answer
            .users
            .iter()
            .map(|user| user.user_name.clone())
            .collect::<Vec<_>>()
    };
    let all = i
        .list_users(&root, iam::ListUsersRequest::default())
        .await
        .unwrap();
    assert_eq!(names(&all), ["Alpha", "Bravo", "charlie", "delta"]);
    assert_eq!(
        (all.is_truncated, all.marker.as_deref()),
        (Some(false), None)
    );
    let team = iam::ListUsersRequest {
        path_prefix: Some("/a/".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        names(&i.list_users(&root, team).await.unwrap()),
        ["Alpha", "Bravo", "delta"]
    );
    let (mut seen, mut marker) = (Vec::new(), None);
    for page in 0.. {
        let input = iam::ListUsersRequest {
            max_items: Some(3),
            marker,
            path_prefix: None,
        };
        let answer = i.list_users(&root, input).await.unwrap();
        seen.extend(names(&answer));
        marker = answer.marker;
        assert_eq!(answer.is_truncated, Some(page == 0));
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, names(&all));
    let broken = iam::ListUsersRequest {
        marker: Some("%".to_owned()),
        ..Default::default()
    };
    assert_eq!(said(i.list_users(&root, broken).await).0, "ValidationError");
    // Another account sees none of them.
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    assert!(
        i.list_users(&other, iam::ListUsersRequest::default())
            .await
            .unwrap()
            .users
            .is_empty()
    );
    let get = iam::GetUserRequest {
        user_name: Some("Alpha".to_owned()),
    };
    assert_eq!(said(i.get_user(&other, get).await).0, "NoSuchEntity");
}

#[on_every_engine]
async fn access_keys_are_listed_and_are_their_owners(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let alice = w.user(&root, "alice").await;
    w.user(&root, "bob").await;
    let cx = w.call(&alice).await.unwrap();
    let mine = i
        .list_access_keys(&cx, iam::ListAccessKeysRequest::default())
        .await
        .unwrap()
        .access_key_metadata;
    assert_eq!(
        (mine[0].access_key_id.as_deref(), mine.len()),
        (Some(alice.id.as_str()), 1)
    );
    let of_bob = iam::DeleteAccessKeyRequest {
        user_name: Some("bob".to_owned()),
        access_key_id: alice.id.clone(),
    };
    assert_eq!(
        said(i.delete_access_key(&root, of_bob).await),
        words(
            "NoSuchEntity",
            &format!("The Access Key with id {} cannot be found.", alice.id)
        )
    );
    let expired = iam::UpdateAccessKeyRequest {
        user_name: None,
        access_key_id: alice.id.clone(),
        status: iam::StatusType::Expired,
    };
    assert_eq!(
        said(i.update_access_key(&cx, expired).await).0,
        "ValidationError"
    );
    assert_eq!(
        i.owner_of_key(&alice.id).await.unwrap().as_deref(),
        Some("arn:aws:iam::111122223333:user/alice")
    );
    assert_eq!(
        i.owner_of_key(&root.caller.access_key_id)
            .await
            .unwrap()
            .as_deref(),
        Some("arn:aws:iam::111122223333:root")
    );
    assert_eq!(i.owner_of_key("AKIANONE").await.unwrap(), None);
    let own = i
        .list_access_keys(&root, iam::ListAccessKeysRequest::default())
        .await
        .unwrap()
        .access_key_metadata;
    assert_eq!(
        own[0].access_key_id.as_deref(),
        Some(root.caller.access_key_id.as_str())
    );
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let used = iam::GetAccessKeyLastUsedRequest {
        access_key_id: alice.id.clone(),
    };
    let foreign = said(i.get_access_key_last_used(&other, used).await);
    let unknown = iam::GetAccessKeyLastUsedRequest {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
    };
    let unknown = said(i.get_access_key_last_used(&other, unknown).await);
    assert_eq!(
        unknown,
        words(
            "AccessDenied",
            "User: arn:aws:iam::444455556666:root is not authorized to perform \
            iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE"
        )
    );
    assert_eq!(
        foreign.1.replace(&alice.id, "AKIAIOSFODNN7EXAMPLE"),
        unknown.1
    );
}
