//! A group's life.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{create_user, words};

#[on_every_engine]
async fn a_group_lives(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let create = || iam::CreateGroupRequest {
        group_name: "g".to_owned(),
        path: None,
    };
    let group = i.create_group(&root, create()).await.unwrap().group;
    assert!(group.group_id.starts_with("AGPA"));
    assert_eq!(
        said(i.create_group(&root, create()).await),
        words("EntityAlreadyExists", "Group with name g already exists.")
    );
    for name in ["b", "a"] {
        i.create_user(&root, create_user(name)).await.unwrap();
        let add = iam::AddUserToGroupRequest {
            group_name: "g".to_owned(),
            user_name: name.to_owned(),
        };
        i.add_user_to_group(&root, add.clone()).await.unwrap();
        i.add_user_to_group(&root, add).await.unwrap();
    }
    let get = |max_items, marker| iam::GetGroupRequest {
        group_name: "g".to_owned(),
        max_items,
        marker,
    };
    let first = i.get_group(&root, get(Some(1), None)).await.unwrap();
    assert_eq!(
        (first.users[0].user_name.as_str(), first.is_truncated),
        ("a", Some(true))
    );
    let second = i.get_group(&root, get(None, first.marker)).await.unwrap();
    assert_eq!(
        (second.users[0].user_name.as_str(), second.is_truncated),
        ("b", Some(false))
    );
    let of = iam::ListGroupsForUserRequest {
        user_name: "a".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        i.list_groups_for_user(&root, of).await.unwrap().groups,
        [group]
    );
    let delete = || iam::DeleteGroupRequest {
        group_name: "g".to_owned(),
    };
    assert_eq!(
        said(i.delete_group(&root, delete()).await),
        words(
            "DeleteConflict",
            "Cannot delete entity, must remove users from group first."
        )
    );
    for name in ["a", "b"] {
        let remove = iam::RemoveUserFromGroupRequest {
            group_name: "g".to_owned(),
            user_name: name.to_owned(),
        };
        i.remove_user_from_group(&root, remove).await.unwrap();
    }
    let rename = iam::UpdateGroupRequest {
        group_name: "g".to_owned(),
        new_group_name: Some("h".to_owned()),
        new_path: None,
    };
    i.update_group(&root, rename).await.unwrap();
    assert_eq!(
        said(i.delete_group(&root, delete()).await),
        words("NoSuchEntity", "The group with name g cannot be found.")
    );
    i.delete_group(
        &root,
        iam::DeleteGroupRequest {
            group_name: "h".to_owned(),
        },
    )
    .await
    .unwrap();
}
