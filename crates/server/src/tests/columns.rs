//! What the columns of the rows lead to: tags on creation, what goes on while nothing can be written.

use authz::ResourceSelector;
use aws_api::authorization::AccessLevel;
use aws_api::{Kind, iam};

use super::world::{ACCOUNT, World, statement};
use crate::writable::Effect;

/// Whether the operation's input has tags.
fn takes_tags(operation: aws_api::Operation) -> bool {
    match operation.input().kind {
        Kind::Structure(members) => members
            .iter()
            .any(|member| member.name.eq_ignore_ascii_case("tags")),
        _ => false,
    }
}

#[test]
fn every_operation_that_takes_tags_requires_the_tag_action() {
    let mut walked = 0;
    for (&operation, row) in crate::ops::table() {
        if !takes_tags(operation) {
            continue;
        }
        walked += 1;
        let body = super::sample::api_body_with_tags(operation);
        let requirements = (row.requirements)(&body).unwrap();
        let rule = row.columns.rule;
        let checks = rule.checks(&requirements);
        let tags = |check: &&authz::Check| {
            let action = check.action.unwrap_or(rule.action);
            let known = aws_api::authorization::action(action);
            known.is_some_and(|action| action.access_level() == AccessLevel::Tagging)
        };
        let tag = checks.iter().find(tags);
        let tag = tag.unwrap_or_else(|| panic!("{} sets tags without a Tag action", rule.action));
        assert_eq!(tag.resource, checks[0].resource, "{}", rule.action);
        assert_ne!(tag.resource, ResourceSelector::Any, "{}", rule.action);
    }
    assert!(walked >= 12, "only {walked} operations take tags");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creating_with_tags_is_denied_without_the_tag_action() {
    let world = World::new().await;
    let statements = [
        statement("Allow", &["iam:*"], "*"),
        statement("Deny", &["iam:TagUser"], "*"),
    ];
    let alice = world
        .user(&world.root, "alice", &statements.join(","))
        .await;
    let create = |tags: Option<Vec<iam::Tag>>| iam::CreateUserRequest {
        user_name: "bob".into(),
        tags,
        ..Default::default()
    };
    let team = iam::Tag {
        key: "team".into(),
        value: "core".into(),
    };
    let denied = world
        .aws::<iam::ops::CreateUser>(&alice, &create(Some(vec![team])))
        .await
        .unwrap_err();
    assert_eq!(denied.code, "AccessDenied");
    assert_eq!(
        denied.message,
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: iam:TagUser on resource: \
             arn:aws:iam::{ACCOUNT}:user/bob with an explicit deny in an identity-based policy"
        )
    );
    // No tags, and an empty list of them, set none.
    let created = world
        .aws::<iam::ops::CreateUser>(&alice, &create(Some(Vec::new())))
        .await;
    assert!(created.is_ok(), "{created:?}");
}

#[test]
fn columns_tell_what_goes_on_while_nothing_can_be_written() {
    let table = crate::ops::table();
    let effect = |name: &str, parameters: serde_json::Value| {
        let row = table.values().find(|row| row.columns.rule.action == name);
        row.unwrap().columns.effect(&parameters)
    };
    let none = || serde_json::Value::Null;
    for (action, expected) in [
        ("ecr:BatchGetImage", Effect::Reads),
        ("ecr:GetAuthorizationToken", Effect::Reads),
        ("sts:GetCallerIdentity", Effect::Reads),
        ("sts:AssumeRole", Effect::Writes),
        ("sts:GetSessionToken", Effect::Writes),
        ("iam:CreateAccessKey", Effect::Writes),
        ("ecr:PutImage", Effect::Writes),
        ("ecr:UploadLayerPart", Effect::StoresLayers),
        ("iam:DeleteAccessKey", Effect::Revokes),
        ("iam:DetachUserPolicy", Effect::Revokes),
        ("ecr:DeleteRepositoryPolicy", Effect::Revokes),
        ("iam:DeleteUserPermissionsBoundary", Effect::Writes),
    ] {
        assert_eq!(effect(action, none()), expected, "{action}");
    }
    let status = |status| effect("iam:UpdateAccessKey", serde_json::json!({"status": status}));
    assert_eq!(status("Inactive"), Effect::Revokes);
    assert_eq!(status("Active"), Effect::Writes);
}
