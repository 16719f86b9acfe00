//! A role's life.

use aws_api::iam;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{iam_tag, words};

#[on_every_engine]
async fn a_role_lives(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let document = trust("111122223333").replace(
        "\"AWS\":\"111122223333\"",
        "\"Service\":\"ec2.amazonaws.com\"",
    );
    let input = iam::CreateRoleRequest {
        role_name: "host".to_owned(),
        path: Some("/infra/".to_owned()),
        assume_role_policy_document: document,
        description: Some("a host".to_owned()),
        max_session_duration: Some(7200),
        tags: Some(vec![iam_tag("a", "")]),
        ..Default::default()
    };
    let role = i.create_role(&root, input.clone()).await.unwrap().role;
    assert_eq!(role.arn, "arn:aws:iam::111122223333:role/infra/host");
    assert!(role.role_id.starts_with("AROA"));
    assert_eq!(
        said(i.create_role(&root, input).await),
        words("EntityAlreadyExists", "Role with name host already exists.")
    );
    let get = || iam::GetRoleRequest {
        role_name: "host".to_owned(),
    };
    let shown = i.get_role(&root, get()).await.unwrap().role;
    assert_eq!(
        (shown.description.as_deref(), shown.max_session_duration),
        (Some("a host"), Some(7200))
    );
    assert!(
        shown
            .assume_role_policy_document
            .unwrap()
            .contains("ec2.amazonaws.com")
    );
    let update = iam::UpdateRoleRequest {
        role_name: "host".to_owned(),
        description: Some(String::new()),
        max_session_duration: None,
        ..Default::default()
    };
    i.update_role(&root, update).await.unwrap();
    let shown = i.get_role(&root, get()).await.unwrap().role;
    assert_eq!(
        (shown.description.as_deref(), shown.max_session_duration),
        (Some(""), Some(7200))
    );
    let update = iam::UpdateRoleDescriptionRequest {
        role_name: "host".to_owned(),
        description: "new".to_owned(),
    };
    let shown = i
        .update_role_description(&root, update)
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(shown.description.as_deref(), Some("new"));
    assert_eq!(
        i.list_roles(&root, iam::ListRolesRequest::default())
            .await
            .unwrap()
            .roles
            .len(),
        1
    );

    let create = iam::CreateInstanceProfileRequest {
        instance_profile_name: "host".to_owned(),
        ..Default::default()
    };
    let profile = i
        .create_instance_profile(&root, create)
        .await
        .unwrap()
        .instance_profile;
    assert!(profile.instance_profile_id.starts_with("AIPA") && profile.roles.is_empty());
    let add = || iam::AddRoleToInstanceProfileRequest {
        instance_profile_name: "host".to_owned(),
        role_name: "host".to_owned(),
    };
    i.add_role_to_instance_profile(&root, add()).await.unwrap();
    assert_eq!(
        said(i.add_role_to_instance_profile(&root, add()).await),
        words(
            "LimitExceeded",
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
        )
    );
    let of = iam::ListInstanceProfilesForRoleRequest {
        role_name: "host".to_owned(),
        ..Default::default()
    };
    let profiles = i
        .list_instance_profiles_for_role(&root, of)
        .await
        .unwrap()
        .instance_profiles;
    assert_eq!(profiles[0].roles[0].role_id, role.role_id);

    let first = "Cannot delete entity, must remove roles from instance profile first.";
    let delete = || iam::DeleteRoleRequest {
        role_name: "host".to_owned(),
    };
    assert_eq!(
        said(i.delete_role(&root, delete()).await),
        words("DeleteConflict", first)
    );
    let profile = || iam::DeleteInstanceProfileRequest {
        instance_profile_name: "host".to_owned(),
    };
    assert_eq!(
        said(i.delete_instance_profile(&root, profile()).await),
        words("DeleteConflict", first)
    );
    let remove = || iam::RemoveRoleFromInstanceProfileRequest {
        instance_profile_name: "host".to_owned(),
        role_name: "host".to_owned(),
    };
    i.remove_role_from_instance_profile(&root, remove())
        .await
        .unwrap();
    assert_eq!(
        said(i.remove_role_from_instance_profile(&root, remove()).await).0,
        "NoSuchEntity"
    );
    i.delete_instance_profile(&root, profile()).await.unwrap();
    assert_eq!(
        said(i.delete_instance_profile(&root, profile()).await),
        words("NoSuchEntity", "Instance Profile host cannot be found.")
    );

    let attach = iam::AttachRolePolicyRequest {
        role_name: "host".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    };
    i.attach_role_policy(&root, attach).await.unwrap();
    assert_eq!(
        said(i.delete_role(&root, delete()).await).0,
        "DeleteConflict"
    );
    let detach = iam::DetachRolePolicyRequest {
        role_name: "host".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    };
    i.detach_role_policy(&root, detach).await.unwrap();
    w.put_role_policy(&root, "host", &allow("ecr:*")).await;
    assert_eq!(
        said(i.delete_role(&root, delete()).await).0,
        "DeleteConflict"
    );
    let inline = iam::DeleteRolePolicyRequest {
        role_name: "host".to_owned(),
        policy_name: "inline".to_owned(),
    };
    i.delete_role_policy(&root, inline).await.unwrap();
    i.delete_role(&root, delete()).await.unwrap();
    assert_eq!(
        said(i.get_role(&root, get()).await),
        words("NoSuchEntity", "The role with name host cannot be found.")
    );
}
