//! `ProposeChange` and `ListAllowedPrincipals`: what would allow a denied request, and who is allowed.

use aws_api::berth::{
    AccessKind, AllowedPrincipal, ChangeType, Decision, ListAllowedPrincipalsRequest,
    PrincipalKind, ProposeChangeRequest, ProposeChangeResponse, ops,
};
use aws_api::{Service, ecr, iam};
use http::Method;

use super::world::{OTHER, Person, World, document, statement};

const APP: &str = "arn:aws:ecr:us-east-1:123456789012:repository/app";

/// Begins a push, which needs `ecr:InitiateLayerUpload`; returns the status and the request's id.
async fn push(world: &World, person: &Person) -> (u16, String) {
    let login = world.login(person).await;
    let headers = [("authorization", login.as_str())];
    let path = "/v2/app/blobs/uploads/";
    let reply = world.send(Method::POST, path, &headers, "").await;
    (reply.status, reply.header("x-amzn-requestid").to_owned())
}

async fn propose(world: &World, person: &Person, request_id: &str) -> ProposeChangeResponse {
    let request_id = request_id.to_owned();
    let input = ProposeChangeRequest { request_id };
    world
        .aws::<ops::ProposeChange>(person, &input)
        .await
        .unwrap()
}

async fn put(world: &World, user: &str, policy: &str, text: &str) {
    let input = iam::PutUserPolicyRequest {
        user_name: user.to_owned(),
        policy_name: policy.to_owned(),
        policy_document: text.to_owned(),
    };
    world
        .aws::<iam::ops::PutUserPolicy>(&world.root, &input)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposed_statement_allows_the_request_and_nothing_else() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = statement("Allow", &["ecr:GetAuthorizationToken"], "*");
    let alice = world.user(&world.root, "alice", &login).await;
    let (status, request_id) = push(&world, &alice).await;
    assert_eq!(status, 403);
    let proposal = propose(&world, &world.root, &request_id).await;
    assert_eq!(proposal.decision, Some(Decision::ImplicitlyDenied));
    let step = proposal.steps.iter().find(|step| step.is_decisive).unwrap();
    assert_eq!(step.policy_type, "identity-based policy");
    let nearest = step.statement.as_ref().unwrap();
    let missed = nearest.elements.iter().filter(|element| !element.is_match);
    assert_eq!(
        missed
            .map(|element| element.element.as_str())
            .collect::<Vec<_>>(),
        ["Action"]
    );
    let [change] = proposal.changes.as_slice() else {
        panic!("{proposal:?}")
    };
    assert_eq!(change.change_type, ChangeType::AddStatement);
    assert_eq!(change.operation, "iam:PutUserPolicy");
    assert_eq!(change.holder_name.as_deref(), Some("alice"));
    let (old, new) = (
        change.old_document.as_deref(),
        change.new_document.as_deref(),
    );
    let added = format!(
        r#"{{"Effect": "Allow", "Action": "ecr:InitiateLayerUpload", "Resource": "{APP}"}}"#
    );
    assert!(new.unwrap().contains(&added), "{new:?}");
    assert!(!old.unwrap().contains("InitiateLayerUpload"));

    put(
        &world,
        "alice",
        change.policy_name.as_deref().unwrap(),
        new.unwrap(),
    )
    .await;
    assert_eq!(push(&world, &alice).await.0, 202);
    let proposal = propose(&world, &world.root, &request_id).await;
    assert_eq!(proposal.decision, Some(Decision::Allowed));
    assert!(proposal.changes.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_policy_gets_a_new_one() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let form = "application/x-www-form-urlencoded";
    let users = "Action=DeleteUser&Version=2010-05-08&UserName=bob";
    let reply = world
        .call(&alice, Service::Iam, None, form, users.into())
        .await;
    let proposal = propose(&world, &world.root, reply.header("x-amzn-requestid")).await;
    let [change] = proposal.changes.as_slice() else {
        panic!("{proposal:?}")
    };
    assert_eq!(change.change_type, ChangeType::CreatePolicy);
    assert_eq!(change.policy_name.as_deref(), Some("AllowIamDeleteUser"));
    assert_eq!(change.old_document, None);
    assert!(!change.new_document.as_deref().unwrap().contains("\"*\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deny_and_a_missing_allow_are_changed_together() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = statement("Allow", &["ecr:GetAuthorizationToken"], "*");
    let alice = world.user(&world.root, "alice", &login).await;
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app".to_owned(),
        policy_text: document(
            r#"{"Sid":"closed","Effect":"Deny","Principal":"*","Action":"ecr:InitiateLayerUpload"}"#,
        ),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
        .await
        .unwrap();
    let (_, request_id) = push(&world, &alice).await;
    let proposal = propose(&world, &world.root, &request_id).await;
    assert_eq!(proposal.decision, Some(Decision::ExplicitlyDenied));
    let types = proposal.changes.iter().map(|change| change.change_type);
    assert_eq!(
        types.collect::<Vec<_>>(),
        [ChangeType::AddStatement, ChangeType::NarrowDeny]
    );
    let narrowed = &proposal.changes[1];
    assert_eq!(narrowed.operation, "ecr:SetRepositoryPolicy");
    assert_eq!(narrowed.resource_arn.as_deref(), Some(APP));
    let text = narrowed.new_document.clone().unwrap();
    assert!(
        text.contains(
            r#""ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:user/alice"}"#
        ),
        "{text}"
    );
    // Both together let the push begin.
    let input = ecr::SetRepositoryPolicyRequest {
        policy_text: text,
        ..input
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
        .await
        .unwrap();
    let added = &proposal.changes[0];
    let name = added.policy_name.as_deref().unwrap();
    put(
        &world,
        "alice",
        name,
        added.new_document.as_deref().unwrap(),
    )
    .await;
    assert_eq!(push(&world, &alice).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_shown_to_those_who_may_read_them() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = statement("Allow", &["ecr:GetAuthorizationToken"], "*");
    let alice = world.user(&world.root, "alice", &login).await;
    let viewer = statement("Allow", &["berth:ProposeChange"], "*");
    let viewer = world.user(&world.root, "viewer", &viewer).await;
    let (_, request_id) = push(&world, &alice).await;
    let proposal = propose(&world, &viewer, &request_id).await;
    let [change] = proposal.changes.as_slice() else {
        panic!("{proposal:?}")
    };
    assert_eq!(change.required_action.as_deref(), Some("iam:GetUserPolicy"));
    assert_eq!(
        (
            &change.old_document,
            &change.new_document,
            &change.description
        ),
        (&None, &None, &None)
    );
    assert!(proposal.steps.iter().all(|step| step.statement.is_none()));
    // Another account's request is not found, and who may not ask is told so.
    let stranger = world.other_account().await;
    let input = ProposeChangeRequest { request_id };
    let refused = world
        .aws::<ops::ProposeChange>(&stranger, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "RequestNotFoundException");
    let refused = world
        .aws::<ops::ProposeChange>(&alice, &input)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_leaves_out_a_second_factor() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let policy = format!(
        r#"{},{{"Sid":"mfa","Effect":"Allow","Action":"ecr:*","Resource":"*","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}"#,
        statement("Allow", &["ecr:GetAuthorizationToken"], "*")
    );
    let alice = world.user(&world.root, "alice", &policy).await;
    let (_, request_id) = push(&world, &alice).await;
    let proposal = propose(&world, &world.root, &request_id).await;
    assert!(proposal.changes.is_empty(), "{proposal:?}");
    assert!(proposal.note.unwrap().contains("under conditions"));
}

async fn allowed(world: &World, max_results: i32) -> Vec<AllowedPrincipal> {
    let mut input = ListAllowedPrincipalsRequest {
        action: "ecr:PutImage".to_owned(),
        resource_arn: APP.to_owned(),
        max_results: Some(max_results),
        next_token: None,
    };
    let mut all = Vec::new();
    loop {
        let page = world
            .aws::<ops::ListAllowedPrincipals>(&world.root, &input)
            .await;
        let page = page.unwrap();
        all.extend(page.principals);
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_allowed_is_listed_with_the_conditions_that_remain() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let push = statement("Allow", &["ecr:PutImage"], APP);
    world.user(&world.root, "always", &push).await;
    let office = r#"{"Sid":"office","Effect":"Allow","Action":"ecr:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#;
    world.user(&world.root, "office", office).await;
    world
        .user(
            &world.root,
            "never",
            &statement("Allow", &["ecr:BatchGetImage"], APP),
        )
        .await;
    let denied = format!("{push},{}", statement("Deny", &["ecr:PutImage"], "*"));
    world.user(&world.root, "denied", &denied).await;
    world
        .role(&world.root, "ci", "arn:aws:iam::123456789012:root", &push)
        .await;
    world.other_account().await;
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app".to_owned(),
        policy_text: document(&format!(
            r#"{{"Sid":"partner","Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"ecr:Put*"}}"#,
            OTHER
        )),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
        .await
        .unwrap();

    let all = allowed(&world, 100).await;
    let found = |name: &str| all.iter().find(|one| one.principal_arn.ends_with(name));
    assert_eq!(found("user/always").unwrap().access, AccessKind::Allowed);
    assert_eq!(
        found("role/ci").unwrap().principal_kind,
        PrincipalKind::Role
    );
    assert_eq!(
        found("123456789012:root").unwrap().principal_kind,
        PrincipalKind::Root
    );
    for absent in ["user/never", "user/denied"] {
        assert_eq!(found(absent), None);
    }
    let office = found("user/office").unwrap();
    assert_eq!(office.access, AccessKind::Conditional);
    assert!(
        office.conditions[0].contains("IpAddress aws:SourceIp 10.0.0.0/8"),
        "{office:?}"
    );
    let partner = all
        .iter()
        .find(|one| one.principal_kind == PrincipalKind::Account)
        .unwrap();
    assert_eq!(partner.access, AccessKind::Conditional);
    assert!(
        partner.conditions[0].contains("its own account"),
        "{partner:?}"
    );
    // In pages of one principal, the same.
    assert_eq!(allowed(&world, 1).await, all);
}
