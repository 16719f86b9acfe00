//! Each resource's life: made, shown, listed, changed, refused, deleted.

#![allow(clippy::unwrap_used)]

mod common;

use aws_api::iam;
use common::*;
use identity::{EntityRef, Settings};
use store::on_every_engine;

fn iam_tag(key: &str, value: &str) -> iam::Tag {
    iam::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn create_user(name: &str) -> iam::CreateUserRequest {
    iam::CreateUserRequest {
        user_name: name.to_owned(),
        ..Default::default()
    }
}

fn create_policy(name: &str) -> iam::CreatePolicyRequest {
    iam::CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: allow("ecr:*"),
        ..Default::default()
    }
}

fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

fn attach(user: &str, arn: &str) -> iam::AttachUserPolicyRequest {
    iam::AttachUserPolicyRequest {
        user_name: user.to_owned(),
        policy_arn: arn.to_owned(),
    }
}

fn words(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

on_every_engine! {
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
        assert_eq!(said(i.create_user(&root, create_user("aLICE")).await),
            words("EntityAlreadyExists", "User with name aLICE already exists."));

        let get = |name: &str| iam::GetUserRequest { user_name: Some(name.to_owned()) };
        let same = i.get_user(&root, get("alice")).await.unwrap().user;
        assert_eq!(same, user);
        assert_eq!(same.permissions_boundary.unwrap().permissions_boundary_arn.as_deref(),
            Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        assert_eq!(said(i.get_user(&root, get("bob")).await),
            words("NoSuchEntity", "The user with name bob cannot be found."));

        i.create_user(&root, create_user("bob")).await.unwrap();
        let rename = |new: &str| iam::UpdateUserRequest {
            user_name: "Alice".to_owned(), new_user_name: Some(new.to_owned()), new_path: None,
        };
        assert_eq!(said(i.update_user(&root, rename("BOB")).await).0, "EntityAlreadyExists");
        i.update_user(&root, rename("ALICE")).await.unwrap();
        let renamed = i.get_user(&root, get("alice")).await.unwrap().user;
        assert_eq!((renamed.user_name.as_str(), renamed.user_id), ("ALICE", user.user_id));

        let missing = iam::CreateUserRequest { permissions_boundary: Some(policy_arn("none")), ..create_user("carol") };
        assert_eq!(said(i.create_user(&root, missing).await),
            words("NoSuchEntity", "Policy arn:aws:iam::111122223333:policy/none does not exist or is not attachable."));
        // A refused request leaves nothing.
        assert_eq!(said(i.get_user(&root, get("carol")).await).0, "NoSuchEntity");
    }

    async fn get_user_without_a_name_is_the_caller(t: TestStore) {
        let w = World::new(&t).await;
        let root = w.root().await;
        let alice = w.user(&root, "alice").await;
        let cx = w.call(&alice).await.unwrap();
        let me = w.identity.get_user(&cx, iam::GetUserRequest::default()).await.unwrap().user;
        assert_eq!(me.user_name, "alice");
        let me = w.identity.get_user(&root, iam::GetUserRequest::default()).await.unwrap().user;
        assert_eq!((me.user_id.as_str(), me.arn.as_str()), (ACCOUNT, "arn:aws:iam::111122223333:root"));
        w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice").await.unwrap();
        let job = w.assume(&cx, assume("ci")).await.unwrap();
        let job = w.call(&job).await.unwrap();
        assert_eq!(said(w.identity.get_user(&job, iam::GetUserRequest::default()).await),
            words("ValidationError", "Must specify userName when calling with non-User credentials"));
    }

    async fn a_user_is_deleted_when_nothing_depends_on_it(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let key = w.user(&root, "alice").await;
        let delete = || iam::DeleteUserRequest { user_name: "alice".to_owned() };
        assert_eq!(said(i.delete_user(&root, delete()).await),
            words("DeleteConflict", "Cannot delete entity, must delete access keys first."));
        let input = iam::DeleteAccessKeyRequest { user_name: Some("alice".to_owned()), access_key_id: key.id };
        i.delete_access_key(&root, input).await.unwrap();

        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        i.attach_user_policy(&root, attach("alice", admin)).await.unwrap();
        assert_eq!(said(i.delete_user(&root, delete()).await),
            words("DeleteConflict", "Cannot delete entity, must detach all policies first."));
        let detach = || iam::DetachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: admin.to_owned() };
        i.detach_user_policy(&root, detach()).await.unwrap();
        assert_eq!(said(i.detach_user_policy(&root, detach()).await),
            words("NoSuchEntity", "Policy arn:aws:iam::aws:policy/AdministratorAccess was not found."));

        w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
        assert_eq!(said(i.delete_user(&root, delete()).await),
            words("DeleteConflict", "Cannot delete entity, must delete policies first."));
        let inline = || iam::DeleteUserPolicyRequest { user_name: "alice".to_owned(), policy_name: "inline".to_owned() };
        i.delete_user_policy(&root, inline()).await.unwrap();
        assert_eq!(said(i.delete_user_policy(&root, inline()).await),
            words("NoSuchEntity", "The user policy with name inline cannot be found."));

        i.create_group(&root, iam::CreateGroupRequest { group_name: "g".to_owned(), path: None }).await.unwrap();
        let add = iam::AddUserToGroupRequest { group_name: "g".to_owned(), user_name: "alice".to_owned() };
        i.add_user_to_group(&root, add).await.unwrap();
        assert_eq!(said(i.delete_user(&root, delete()).await).0, "DeleteConflict");
        let remove = iam::RemoveUserFromGroupRequest { group_name: "g".to_owned(), user_name: "alice".to_owned() };
        i.remove_user_from_group(&root, remove).await.unwrap();
        i.delete_user(&root, delete()).await.unwrap();
        assert_eq!(said(i.delete_user(&root, delete()).await).0, "NoSuchEntity");
    }

    async fn lists_are_sorted_filtered_and_paged(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        for (name, path) in [("delta", "/a/"), ("Alpha", "/a/b/"), ("charlie", "/b/"), ("Bravo", "/a/")] {
            let input = iam::CreateUserRequest { path: Some(path.to_owned()), ..create_user(name) };
            i.create_user(&root, input).await.unwrap();
        }
        let names = |answer: &iam::ListUsersResponse| {
            answer.users.iter().map(|user| user.user_name.clone()).collect::<Vec<_>>()
        };
        let all = i.list_users(&root, iam::ListUsersRequest::default()).await.unwrap();
        assert_eq!(names(&all), ["Alpha", "Bravo", "charlie", "delta"]);
        assert_eq!((all.is_truncated, all.marker.as_deref()), (Some(false), None));
        let team = iam::ListUsersRequest { path_prefix: Some("/a/".to_owned()), ..Default::default() };
        assert_eq!(names(&i.list_users(&root, team).await.unwrap()), ["Alpha", "Bravo", "delta"]);
        let (mut seen, mut marker) = (Vec::new(), None);
        for page in 0.. {
            let input = iam::ListUsersRequest { max_items: Some(3), marker, path_prefix: None };
            let answer = i.list_users(&root, input).await.unwrap();
            seen.extend(names(&answer));
            marker = answer.marker;
            assert_eq!(answer.is_truncated, Some(page == 0));
            if marker.is_none() { break; }
        }
        assert_eq!(seen, names(&all));
        let broken = iam::ListUsersRequest { marker: Some("%".to_owned()), ..Default::default() };
        assert_eq!(said(i.list_users(&root, broken).await).0, "ValidationError");
        // Another account sees none of them.
        let other = w.account(OTHER_ACCOUNT).await;
        let other = w.call(&other).await.unwrap();
        assert!(i.list_users(&other, iam::ListUsersRequest::default()).await.unwrap().users.is_empty());
        let get = iam::GetUserRequest { user_name: Some("Alpha".to_owned()) };
        assert_eq!(said(i.get_user(&other, get).await).0, "NoSuchEntity");
    }

    async fn a_group_lives(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let create = || iam::CreateGroupRequest { group_name: "g".to_owned(), path: None };
        let group = i.create_group(&root, create()).await.unwrap().group;
        assert!(group.group_id.starts_with("AGPA"));
        assert_eq!(said(i.create_group(&root, create()).await),
            words("EntityAlreadyExists", "Group with name g already exists."));
        for name in ["b", "a"] {
            i.create_user(&root, create_user(name)).await.unwrap();
            let add = iam::AddUserToGroupRequest { group_name: "g".to_owned(), user_name: name.to_owned() };
            i.add_user_to_group(&root, add.clone()).await.unwrap();
            i.add_user_to_group(&root, add).await.unwrap();
        }
        let get = |max_items, marker| iam::GetGroupRequest { group_name: "g".to_owned(), max_items, marker };
        let first = i.get_group(&root, get(Some(1), None)).await.unwrap();
        assert_eq!((first.users[0].user_name.as_str(), first.is_truncated), ("a", Some(true)));
        let second = i.get_group(&root, get(None, first.marker)).await.unwrap();
        assert_eq!((second.users[0].user_name.as_str(), second.is_truncated), ("b", Some(false)));
        let of = iam::ListGroupsForUserRequest { user_name: "a".to_owned(), ..Default::default() };
        assert_eq!(i.list_groups_for_user(&root, of).await.unwrap().groups, [group]);
        let delete = || iam::DeleteGroupRequest { group_name: "g".to_owned() };
        assert_eq!(said(i.delete_group(&root, delete()).await),
            words("DeleteConflict", "Cannot delete entity, must remove users from group first."));
        for name in ["a", "b"] {
            let remove = iam::RemoveUserFromGroupRequest { group_name: "g".to_owned(), user_name: name.to_owned() };
            i.remove_user_from_group(&root, remove).await.unwrap();
        }
        let rename = iam::UpdateGroupRequest { group_name: "g".to_owned(), new_group_name: Some("h".to_owned()), new_path: None };
        i.update_group(&root, rename).await.unwrap();
        assert_eq!(said(i.delete_group(&root, delete()).await),
            words("NoSuchEntity", "The group with name g cannot be found."));
        i.delete_group(&root, iam::DeleteGroupRequest { group_name: "h".to_owned() }).await.unwrap();
    }

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
        assert_eq!((policy.arn.as_deref(), policy.default_version_id.as_deref()), (Some(arn.as_str()), Some("v1")));
        assert!(policy.policy_id.unwrap().starts_with("ANPA"));
        assert_eq!(said(i.create_policy(&root, create_policy("Push")).await),
            words("EntityAlreadyExists", "A policy called Push already exists. Duplicate names are not allowed."));
        let broken = iam::CreatePolicyRequest { policy_document: "{}".to_owned(), ..create_policy("broken") };
        assert_eq!(said(i.create_policy(&root, broken).await).0, "MalformedPolicyDocument");

        i.create_user(&root, create_user("alice")).await.unwrap();
        i.attach_user_policy(&root, attach("alice", &arn)).await.unwrap();
        i.attach_user_policy(&root, attach("alice", &arn)).await.unwrap();
        let boundary = iam::PutUserPermissionsBoundaryRequest { user_name: "alice".to_owned(), permissions_boundary: arn.clone() };
        i.put_user_permissions_boundary(&root, boundary).await.unwrap();
        let get = || iam::GetPolicyRequest { policy_arn: arn.clone() };
        let policy = i.get_policy(&root, get()).await.unwrap().policy.unwrap();
        assert_eq!((policy.attachment_count, policy.permissions_boundary_usage_count), (Some(1), Some(1)));
        assert_eq!(policy.description.as_deref(), Some("pushes"));
        assert_eq!(policy.tags.unwrap(), [iam_tag("a", "1")]);
        let entities = iam::ListEntitiesForPolicyRequest { policy_arn: arn.clone(), ..Default::default() };
        let entities = i.list_entities_for_policy(&root, entities).await.unwrap();
        assert_eq!(entities.policy_users.unwrap().len(), 1);
        let attached = iam::ListAttachedUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
        let attached = i.list_attached_user_policies(&root, attached).await.unwrap().attached_policies.unwrap();
        assert_eq!((attached[0].policy_name.as_deref(), attached.len()), (Some("push"), 1));

        let delete = || iam::DeletePolicyRequest { policy_arn: arn.clone() };
        let attached = words("DeleteConflict", "Cannot delete a policy attached to entities.");
        assert_eq!(said(i.delete_policy(&root, delete()).await), attached);
        let detach = iam::DetachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: arn.clone() };
        i.detach_user_policy(&root, detach).await.unwrap();
        assert_eq!(said(i.delete_policy(&root, delete()).await), attached);
        let boundary = || iam::DeleteUserPermissionsBoundaryRequest { user_name: "alice".to_owned() };
        i.delete_user_permissions_boundary(&root, boundary()).await.unwrap();
        assert_eq!(said(i.delete_user_permissions_boundary(&root, boundary()).await).0, "NoSuchEntity");
        i.delete_policy(&root, delete()).await.unwrap();
        assert_eq!(said(i.get_policy(&root, get()).await),
            words("NoSuchEntity", "Policy arn:aws:iam::111122223333:policy/push was not found."));
    }

    async fn a_policy_has_five_versions(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        i.create_policy(&root, create_policy("push")).await.unwrap();
        let arn = policy_arn("push");
        let version = |document: String, default| iam::CreatePolicyVersionRequest {
            policy_arn: arn.clone(), policy_document: document, set_as_default: Some(default),
        };
        let alice = w.user(&root, "alice").await;
        i.attach_user_policy(&root, attach("alice", &arn)).await.unwrap();
        assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
        for n in 2..=5 {
            let made = i.create_policy_version(&root, version(deny("ecr:*"), n == 3)).await.unwrap();
            assert_eq!(made.policy_version.unwrap().version_id.unwrap(), format!("v{n}"));
        }
        assert!(!may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
        let (code, message) = said(i.create_policy_version(&root, version(allow("*"), false)).await);
        assert_eq!(code, "LimitExceeded");
        assert!(message.starts_with("A managed policy can have up to 5 versions."), "{message}");
        let default = |id: &str| iam::SetDefaultPolicyVersionRequest { policy_arn: arn.clone(), version_id: id.to_owned() };
        i.set_default_policy_version(&root, default("v1")).await.unwrap();
        assert!(may(&w.call(&alice).await.unwrap(), "ecr:PutImage"));
        assert_eq!(said(i.set_default_policy_version(&root, default("v9")).await).0, "NoSuchEntity");

        let get = |id: &str| iam::GetPolicyVersionRequest { policy_arn: arn.clone(), version_id: id.to_owned() };
        let shown = i.get_policy_version(&root, get("v1")).await.unwrap().policy_version.unwrap();
        assert_eq!(shown.is_default_version, Some(true));
        assert!(shown.document.unwrap().starts_with("%7B%22Version%22%3A%222012-10-17%22"));
        let listed = iam::ListPolicyVersionsRequest { policy_arn: arn.clone(), ..Default::default() };
        let listed = i.list_policy_versions(&root, listed).await.unwrap().versions.unwrap();
        let ids: Vec<_> = listed.into_iter().map(|version| version.version_id.unwrap()).collect();
        assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);

        let delete = |id: &str| iam::DeletePolicyVersionRequest { policy_arn: arn.clone(), version_id: id.to_owned() };
        assert_eq!(said(i.delete_policy_version(&root, delete("v1")).await),
            words("DeleteConflict", "Cannot delete the default version of a policy."));
        i.delete_policy_version(&root, delete("v5")).await.unwrap();
        // A number is never given twice.
        let made = i.create_policy_version(&root, version(allow("*"), false)).await.unwrap();
        assert_eq!(made.policy_version.unwrap().version_id.unwrap(), "v6");
        let detach = iam::DetachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: arn.clone() };
        i.detach_user_policy(&root, detach).await.unwrap();
        let (code, message) = said(i.delete_policy(&root, iam::DeletePolicyRequest { policy_arn: arn.clone() }).await);
        assert!(code == "DeleteConflict" && message.contains("more than one version"), "{message}");
    }

    async fn aws_policies_are_there_and_cannot_be_changed(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        i.create_policy(&root, create_policy("AdministratorAccess")).await.unwrap();
        i.create_policy(&root, create_policy("zulu")).await.unwrap();
        let list = |scope| iam::ListPoliciesRequest { scope, ..Default::default() };
        let names = |answer: iam::ListPoliciesResponse| {
            answer.policies.unwrap().into_iter().map(|policy| policy.policy_name.unwrap()).collect::<Vec<_>>()
        };
        let aws = names(i.list_policies(&root, list(Some(iam::PolicyScopeType::Aws))).await.unwrap());
        assert!(aws.contains(&"AmazonEC2ContainerRegistryPullOnly".to_owned()));
        let local = names(i.list_policies(&root, list(Some(iam::PolicyScopeType::Local))).await.unwrap());
        assert_eq!(local, ["AdministratorAccess", "zulu"]);
        let all = names(i.list_policies(&root, list(None)).await.unwrap());
        assert_eq!(all.len(), aws.len() + local.len());
        // One by one, the same in the same order: equal names are told apart.
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let input = iam::ListPoliciesRequest { max_items: Some(1), marker, ..list(None) };
            let answer = i.list_policies(&root, input).await.unwrap();
            marker = answer.marker.clone();
            seen.extend(names(answer));
            if marker.is_none() { break; }
        }
        assert_eq!(seen, all);

        let arn = "arn:aws:iam::aws:policy/AdministratorAccess".to_owned();
        assert_eq!(said(i.delete_policy(&root, iam::DeletePolicyRequest { policy_arn: arn.clone() }).await).0, "AccessDenied");
        let get = iam::GetPolicyVersionRequest { policy_arn: arn, version_id: "v1".to_owned() };
        let document = i.get_policy_version(&root, get).await.unwrap().policy_version.unwrap().document.unwrap();
        assert!(document.contains("AdministratorAccess") || document.contains("%2A"), "{document}");
        i.create_user(&root, create_user("alice")).await.unwrap();
        i.attach_user_policy(&root, attach("alice", "arn:aws:iam::aws:policy/ReadOnlyAccess")).await.unwrap();
        let input = iam::ListPoliciesRequest { only_attached: Some(true), ..list(None) };
        assert_eq!(names(i.list_policies(&root, input).await.unwrap()), ["ReadOnlyAccess"]);
        // Another account's policy is none of ours.
        let other = w.account(OTHER_ACCOUNT).await;
        let other = w.call(&other).await.unwrap();
        i.create_user(&other, create_user("eve")).await.unwrap();
        assert_eq!(said(i.attach_user_policy(&other, attach("eve", &policy_arn("zulu"))).await).0, "NoSuchEntity");
        let get = iam::GetPolicyRequest { policy_arn: policy_arn("zulu") };
        assert_eq!(said(i.get_policy(&other, get).await).0, "NoSuchEntity");
    }

    async fn inline_policies_share_one_size(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        i.create_user(&root, create_user("alice")).await.unwrap();
        let put = |name: &str, resources: usize| iam::PutUserPolicyRequest {
            user_name: "alice".to_owned(),
            policy_name: name.to_owned(),
            policy_document: allow("ecr:*").replace(
                "\"*\"",
                &format!("[{}]", vec!["\"arn:aws:ecr:us-east-1:111122223333:repository/app\""; resources].join(",  ")),
            ),
        };
        i.put_user_policy(&root, put("a", 16)).await.unwrap();
        assert_eq!(said(i.put_user_policy(&root, put("b", 22)).await),
            words("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user alice"));
        i.put_user_policy(&root, put("a", 1)).await.unwrap();
        i.put_user_policy(&root, put("b", 22)).await.unwrap();
        let list = iam::ListUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
        assert_eq!(i.list_user_policies(&root, list).await.unwrap().policy_names, ["a", "b"]);
        let get = iam::GetUserPolicyRequest { user_name: "ALICE".to_owned(), policy_name: "a".to_owned() };
        let got = i.get_user_policy(&root, get).await.unwrap();
        assert_eq!(got.user_name, "alice");
        assert!(got.policy_document.contains("%3A111122223333%3Arepository%2Fapp"));
        let principal = iam::PutUserPolicyRequest {
            user_name: "alice".to_owned(),
            policy_name: "c".to_owned(),
            policy_document: trust("111122223333"),
        };
        assert_eq!(said(i.put_user_policy(&root, principal).await).0, "MalformedPolicyDocument");
    }

    async fn a_role_lives(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let document = trust("111122223333").replace("\"AWS\":\"111122223333\"", "\"Service\":\"ec2.amazonaws.com\"");
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
        assert_eq!(said(i.create_role(&root, input).await), words("EntityAlreadyExists", "Role with name host already exists."));
        let get = || iam::GetRoleRequest { role_name: "host".to_owned() };
        let shown = i.get_role(&root, get()).await.unwrap().role;
        assert_eq!((shown.description.as_deref(), shown.max_session_duration), (Some("a host"), Some(7200)));
        assert!(shown.assume_role_policy_document.unwrap().contains("ec2.amazonaws.com"));
        let update = iam::UpdateRoleRequest { role_name: "host".to_owned(), description: Some(String::new()), max_session_duration: None };
        i.update_role(&root, update).await.unwrap();
        let shown = i.get_role(&root, get()).await.unwrap().role;
        assert_eq!((shown.description.as_deref(), shown.max_session_duration), (Some(""), Some(7200)));
        let update = iam::UpdateRoleDescriptionRequest { role_name: "host".to_owned(), description: "new".to_owned() };
        let shown = i.update_role_description(&root, update).await.unwrap().role.unwrap();
        assert_eq!(shown.description.as_deref(), Some("new"));
        assert_eq!(i.list_roles(&root, iam::ListRolesRequest::default()).await.unwrap().roles.len(), 1);

        let create = iam::CreateInstanceProfileRequest { instance_profile_name: "host".to_owned(), ..Default::default() };
        let profile = i.create_instance_profile(&root, create).await.unwrap().instance_profile;
        assert!(profile.instance_profile_id.starts_with("AIPA") && profile.roles.is_empty());
        let add = || iam::AddRoleToInstanceProfileRequest { instance_profile_name: "host".to_owned(), role_name: "host".to_owned() };
        i.add_role_to_instance_profile(&root, add()).await.unwrap();
        assert_eq!(said(i.add_role_to_instance_profile(&root, add()).await),
            words("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
        let of = iam::ListInstanceProfilesForRoleRequest { role_name: "host".to_owned(), ..Default::default() };
        let profiles = i.list_instance_profiles_for_role(&root, of).await.unwrap().instance_profiles;
        assert_eq!(profiles[0].roles[0].role_id, role.role_id);

        let first = "Cannot delete entity, must remove roles from instance profile first.";
        let delete = || iam::DeleteRoleRequest { role_name: "host".to_owned() };
        assert_eq!(said(i.delete_role(&root, delete()).await), words("DeleteConflict", first));
        let profile = || iam::DeleteInstanceProfileRequest { instance_profile_name: "host".to_owned() };
        assert_eq!(said(i.delete_instance_profile(&root, profile()).await), words("DeleteConflict", first));
        let remove = || iam::RemoveRoleFromInstanceProfileRequest { instance_profile_name: "host".to_owned(), role_name: "host".to_owned() };
        i.remove_role_from_instance_profile(&root, remove()).await.unwrap();
        assert_eq!(said(i.remove_role_from_instance_profile(&root, remove()).await).0, "NoSuchEntity");
        i.delete_instance_profile(&root, profile()).await.unwrap();
        assert_eq!(said(i.delete_instance_profile(&root, profile()).await),
            words("NoSuchEntity", "Instance Profile host cannot be found."));

        let attach = iam::AttachRolePolicyRequest { role_name: "host".to_owned(), policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned() };
        i.attach_role_policy(&root, attach).await.unwrap();
        assert_eq!(said(i.delete_role(&root, delete()).await).0, "DeleteConflict");
        let detach = iam::DetachRolePolicyRequest { role_name: "host".to_owned(), policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned() };
        i.detach_role_policy(&root, detach).await.unwrap();
        w.put_role_policy(&root, "host", &allow("ecr:*")).await;
        assert_eq!(said(i.delete_role(&root, delete()).await).0, "DeleteConflict");
        let inline = iam::DeleteRolePolicyRequest { role_name: "host".to_owned(), policy_name: "inline".to_owned() };
        i.delete_role_policy(&root, inline).await.unwrap();
        i.delete_role(&root, delete()).await.unwrap();
        assert_eq!(said(i.get_role(&root, get()).await), words("NoSuchEntity", "The role with name host cannot be found."));
    }

    async fn paths_of_aws_are_refused(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        w.user(&root, "alice").await;
        for path in ["/aws-service-role/ecr.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/", "/aws-service-role/"] {
            let path = Some(path.to_owned());
            let role = iam::CreateRoleRequest {
                role_name: "r".to_owned(),
                path: path.clone(),
                assume_role_policy_document: trust("arn:aws:iam::111122223333:user/alice"),
                ..Default::default()
            };
            assert_eq!(said(i.create_role(&root, role).await).0, "InvalidInput");
            let user = iam::CreateUserRequest { user_name: "u".to_owned(), path: path.clone(), ..Default::default() };
            assert_eq!(said(i.create_user(&root, user).await).0, "InvalidInput");
            let group = iam::CreateGroupRequest { group_name: "g".to_owned(), path: path.clone() };
            assert_eq!(said(i.create_group(&root, group).await).0, "InvalidInput");
            let renamed = iam::UpdateUserRequest { user_name: "alice".to_owned(), new_path: path, ..Default::default() };
            assert_eq!(said(i.update_user(&root, renamed).await).0, "InvalidInput");
        }
        // Only those prefixes: a path that holds them further on is a customer's.
        let user = iam::CreateUserRequest { user_name: "u".to_owned(), path: Some("/my/aws-reserved/".to_owned()), ..Default::default() };
        i.create_user(&root, user).await.unwrap();
    }

    async fn tags_are_told_apart_without_case(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        i.create_user(&root, create_user("alice")).await.unwrap();
        let tag = |tags| iam::TagUserRequest { user_name: "alice".to_owned(), tags };
        i.tag_user(&root, tag(vec![iam_tag("Team", "blue"), iam_tag("a", "1")])).await.unwrap();
        i.tag_user(&root, tag(vec![iam_tag("TEAM", "red")])).await.unwrap();
        let list = || iam::ListUserTagsRequest { user_name: "alice".to_owned(), ..Default::default() };
        let tags = i.list_user_tags(&root, list()).await.unwrap().tags;
        assert_eq!(tags, [iam_tag("a", "1"), iam_tag("TEAM", "red")]);
        assert_eq!(said(i.tag_user(&root, tag(vec![iam_tag("x", "1"), iam_tag("X", "2")])).await).0, "InvalidInput");
        assert_eq!(said(i.tag_user(&root, tag(vec![iam_tag("AWS:x", "1")])).await).0, "InvalidInput");
        let many = (0..49).map(|n| iam_tag(&format!("n{n}"), "")).collect();
        assert_eq!(said(i.tag_user(&root, tag(many)).await),
            words("LimitExceeded", "Cannot exceed quota for TagsPerResource: 50"));
        let untag = iam::UntagUserRequest { user_name: "alice".to_owned(), tag_keys: vec!["team".to_owned(), "none".to_owned()] };
        i.untag_user(&root, untag).await.unwrap();
        assert_eq!(i.list_user_tags(&root, list()).await.unwrap().tags, [iam_tag("a", "1")]);
        i.create_policy(&root, create_policy("p")).await.unwrap();
        let input = iam::TagPolicyRequest { policy_arn: policy_arn("p"), tags: vec![iam_tag("k", "v")] };
        i.tag_policy(&root, input).await.unwrap();
        let list = iam::ListPolicyTagsRequest { policy_arn: policy_arn("p"), ..Default::default() };
        assert_eq!(i.list_policy_tags(&root, list).await.unwrap().tags, [iam_tag("k", "v")]);
    }

    async fn quotas_are_kept(t: TestStore) {
        let settings = Settings {
            users_max: 2, groups_max: 2, roles_max: 1, policies_max: 1, instance_profiles_max: 1,
            groups_per_user_max: 1, attached_policies_max: 1, ..Settings::default()
        };
        let w = World::with(&t, settings).await;
        let (i, root) = (&w.identity, w.root().await);
        let quota = |name: &str, max: i64| words("LimitExceeded", &format!("Cannot exceed quota for {name}: {max}"));
        w.user(&root, "a").await;
        i.create_user(&root, create_user("b")).await.unwrap();
        assert_eq!(said(i.create_user(&root, create_user("c")).await), quota("UsersPerAccount", 2));
        w.key(&root, "a").await.unwrap();
        assert_eq!(w.key(&root, "a").await.map(|_| ()).unwrap_err().to_string(), "Cannot exceed quota for AccessKeysPerUser: 2");
        for group in ["g", "h"] {
            i.create_group(&root, iam::CreateGroupRequest { group_name: group.to_owned(), path: None }).await.unwrap();
        }
        assert_eq!(said(i.create_group(&root, iam::CreateGroupRequest { group_name: "i".to_owned(), path: None }).await),
            quota("GroupsPerAccount", 2));
        let add = |group: &str| iam::AddUserToGroupRequest { group_name: group.to_owned(), user_name: "a".to_owned() };
        i.add_user_to_group(&root, add("g")).await.unwrap();
        assert_eq!(said(i.add_user_to_group(&root, add("h")).await), quota("GroupsPerUser", 1));
        i.create_policy(&root, create_policy("p")).await.unwrap();
        assert_eq!(said(i.create_policy(&root, create_policy("q")).await), quota("PoliciesPerAccount", 1));
        i.attach_user_policy(&root, attach("a", &policy_arn("p"))).await.unwrap();
        assert_eq!(said(i.attach_user_policy(&root, attach("a", "arn:aws:iam::aws:policy/ReadOnlyAccess")).await),
            quota("PoliciesPerUser", 1));
        w.create_role(&root, "r", ACCOUNT).await.unwrap();
        assert_eq!(said(w.create_role(&root, "s", ACCOUNT).await), quota("RolesPerAccount", 1));
    }

    async fn access_keys_are_listed_and_are_their_owners(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let alice = w.user(&root, "alice").await;
        w.user(&root, "bob").await;
        let cx = w.call(&alice).await.unwrap();
        let mine = i.list_access_keys(&cx, iam::ListAccessKeysRequest::default()).await.unwrap().access_key_metadata;
        assert_eq!((mine[0].access_key_id.as_deref(), mine.len()), (Some(alice.id.as_str()), 1));
        let of_bob = iam::DeleteAccessKeyRequest { user_name: Some("bob".to_owned()), access_key_id: alice.id.clone() };
        assert_eq!(said(i.delete_access_key(&root, of_bob).await),
            words("NoSuchEntity", &format!("The Access Key with id {} cannot be found.", alice.id)));
        let expired = iam::UpdateAccessKeyRequest { user_name: None, access_key_id: alice.id.clone(), status: iam::StatusType::Expired };
        assert_eq!(said(i.update_access_key(&cx, expired).await).0, "ValidationError");
        assert_eq!(i.owner_of_key(&alice.id).await.unwrap().as_deref(), Some("arn:aws:iam::111122223333:user/alice"));
        assert_eq!(i.owner_of_key(&root.caller.access_key_id).await.unwrap().as_deref(), Some("arn:aws:iam::111122223333:root"));
        assert_eq!(i.owner_of_key("AKIANONE").await.unwrap(), None);
        let own = i.list_access_keys(&root, iam::ListAccessKeysRequest::default()).await.unwrap().access_key_metadata;
        assert_eq!(own[0].access_key_id.as_deref(), Some(root.caller.access_key_id.as_str()));
        let other = w.account(OTHER_ACCOUNT).await;
        let other = w.call(&other).await.unwrap();
        let used = iam::GetAccessKeyLastUsedRequest { access_key_id: alice.id.clone() };
        assert_eq!(said(i.get_access_key_last_used(&other, used).await).0, "NoSuchEntity");
    }

    async fn the_account_has_an_alias_a_summary_and_details(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let alias = |alias: &str| iam::CreateAccountAliasRequest { account_alias: alias.to_owned() };
        i.create_account_alias(&root, alias("one")).await.unwrap();
        i.create_account_alias(&root, alias("two")).await.unwrap();
        let other = w.account(OTHER_ACCOUNT).await;
        let other = w.call(&other).await.unwrap();
        assert_eq!(said(i.create_account_alias(&other, alias("two")).await),
            words("EntityAlreadyExists", "The account alias two already exists."));
        let list = i.list_account_aliases(&root, iam::ListAccountAliasesRequest::default()).await.unwrap();
        assert_eq!(list.account_aliases, ["two"]);
        let delete = |alias: &str| iam::DeleteAccountAliasRequest { account_alias: alias.to_owned() };
        assert_eq!(said(i.delete_account_alias(&root, delete("one")).await).0, "NoSuchEntity");
        i.delete_account_alias(&root, delete("two")).await.unwrap();

        w.user(&root, "alice").await;
        w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
        i.attach_user_policy(&root, attach("alice", "arn:aws:iam::aws:policy/ReadOnlyAccess")).await.unwrap();
        i.create_policy(&root, create_policy("p")).await.unwrap();
        i.create_group(&root, iam::CreateGroupRequest { group_name: "g".to_owned(), path: None }).await.unwrap();
        w.create_role(&root, "r", ACCOUNT).await.unwrap();
        let summary = i.get_account_summary(&root, ()).await.unwrap().summary_map.unwrap();
        assert_eq!(summary[&iam::SummaryKeyType::Users], 1);
        assert_eq!(summary[&iam::SummaryKeyType::PolicyVersionsInUse], 1);
        assert_eq!(summary[&iam::SummaryKeyType::UsersQuota], 5000);

        let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
        let mut marker = None;
        loop {
            let input = iam::GetAccountAuthorizationDetailsRequest { max_items: Some(1), marker, filter: None };
            let page = i.get_account_authorization_details(&root, input).await.unwrap();
            users.extend(page.user_detail_list.unwrap());
            groups.extend(page.group_detail_list.unwrap());
            roles.extend(page.role_detail_list.unwrap());
            policies.extend(page.policies.unwrap());
            marker = page.marker;
            if marker.is_none() { break; }
        }
        assert_eq!((users.len(), groups.len(), roles.len()), (1, 1, 1));
        let names: Vec<_> = policies.iter().map(|policy| policy.policy_name.as_deref().unwrap()).collect();
        assert_eq!(names, ["ReadOnlyAccess", "p"]);
        assert_eq!(users[0].user_policy_list.as_ref().unwrap().len(), 1);
        assert_eq!(users[0].attached_managed_policies.as_ref().unwrap().len(), 1);
        let only = iam::GetAccountAuthorizationDetailsRequest { filter: Some(vec![iam::EntityType::Role]), ..Default::default() };
        let page = i.get_account_authorization_details(&root, only).await.unwrap();
        assert_eq!((page.user_detail_list.unwrap().len(), page.role_detail_list.unwrap().len()), (0, 1));
    }

    async fn the_door_knows_entities(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let input = iam::CreateUserRequest {
            path: Some("/team/".to_owned()),
            tags: Some(vec![iam_tag("a", "1")]),
            permissions_boundary: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()),
            ..create_user("Alice")
        };
        i.create_user(&root, input).await.unwrap();
        let facts = i.entity_facts(root.account, EntityRef::User("alice")).await.unwrap().unwrap();
        assert_eq!(facts.arn, "arn:aws:iam::111122223333:user/team/Alice");
        assert_eq!(facts.tags, [("a".to_owned(), "1".to_owned())]);
        assert_eq!(facts.boundary_arn.as_deref(), Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        assert_eq!(i.entity_facts(root.account, EntityRef::Role("alice")).await.unwrap(), None);
        let aws = i.entity_facts(root.account, EntityRef::Policy("arn:aws:iam::aws:policy/ReadOnlyAccess")).await.unwrap();
        assert!(aws.is_some());
        // A path that is not the real one names nobody.
        for arn in ["arn:aws:iam::111122223333:user/Alice", "arn:aws:iam::111122223333:user/team/alice", "", "arn:aws:iam::x"] {
            assert_eq!(i.principal_id(arn).await.unwrap(), None, "{arn}");
        }
        assert_eq!(i.principal_id(&facts.arn).await.unwrap(), Some(facts.unique_id.clone()));
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"a","Effect":"Allow","Principal":{{"AWS":["{}","111122223333","*"]}},"Action":"ecr:BatchGetImage"}}]}}"#, facts.arn);
        let document = policy::Document::parse(&text, policy::DocumentKind::EcrRepository).unwrap();
        let pinned = i.pin_principals(&document).await.unwrap();
        assert_eq!(pinned, text.replace(&facts.arn, &facts.unique_id));
        let pinned = policy::Document::parse_language(&pinned, policy::DocumentKind::EcrRepository).unwrap();
        assert_eq!(i.unpin_principals(&pinned).await.unwrap(), text);
        let unknown = text.replace("Alice", "Bob");
        let unknown = policy::Document::parse(&unknown, policy::DocumentKind::EcrRepository).unwrap();
        assert_eq!(said(i.pin_principals(&unknown).await).0, "InvalidParameterException");
    }
}
