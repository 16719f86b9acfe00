//! `ExplainRequest`: denied requests of both APIs are explained to their account, and to no other.

use aws_api::Service;
use aws_api::berth::{
    Decision, ExplainRequestRequest, ExplainRequestResponse, ListDenialGroupsRequest,
    ListDenialsRequest, ops,
};
use http::Method;

use super::world::{Person, Refused, Reply, World, statement};

const FORM: &str = "application/x-www-form-urlencoded";

async fn explain(
    world: &World,
    person: &Person,
    request_id: &str,
) -> Result<ExplainRequestResponse, Refused> {
    let request_id = request_id.to_owned();
    let input = ExplainRequestRequest { request_id };
    world.aws::<ops::ExplainRequest>(person, &input).await
}

fn id(reply: &Reply) -> String {
    reply.header("x-amzn-requestid").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_says_who_what_where_and_why() {
    let world = World::new().await;
    let deny = statement("Deny", &["iam:DeleteUser"], "*");
    let alice = world.user(&world.root, "alice", &deny).await;
    let body = "Action=DeleteUser&Version=2010-05-08&UserName=bob";
    let reply = world
        .call(&alice, Service::Iam, None, FORM, body.into())
        .await;
    assert_eq!(reply.status, 403);

    let explained = explain(&world, &world.root, &id(&reply)).await.unwrap();
    assert_eq!(explained.decision, Decision::ExplicitlyDenied);
    assert_eq!(explained.request_time, Some(world.now()));
    assert_eq!(
        explained.principal_arn.as_deref(),
        Some("arn:aws:iam::123456789012:user/alice")
    );
    assert_eq!(explained.action.as_deref(), Some("iam:DeleteUser"));
    assert_eq!(
        explained.resource_arn.as_deref(),
        Some("arn:aws:iam::123456789012:user/bob")
    );
    assert!(
        explained.reason.contains("with an explicit deny"),
        "{}",
        explained.reason
    );
    let statements = explained.statements.unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0].policy_type, "identity-based policy");
    assert_eq!(statements[0].policy_name.as_deref(), Some("inline"));
    assert_eq!(statements[0].statement_index, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_implicit_denial_of_a_push_names_no_statement() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let alice = world.user(&world.root, "alice", "").await;
    let login = world.login(&alice).await;
    let headers = [("authorization", login.as_str())];
    let reply = world
        .send(Method::POST, "/v2/app/blobs/uploads/", &headers, "")
        .await;
    assert_eq!(reply.status, 403);
    let explained = explain(&world, &world.root, &id(&reply)).await.unwrap();
    assert_eq!(explained.decision, Decision::ImplicitlyDenied);
    assert_eq!(explained.action.as_deref(), Some("ecr:InitiateLayerUpload"));
    assert!(
        explained
            .reason
            .contains("because no identity-based policy allows")
    );
    assert_eq!(explained.statements, Some(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_denied_here_is_not_found() {
    let world = World::new().await;
    let stranger = world.other_account().await;
    let alice = world.user(&world.root, "alice", "").await;
    let users = "Action=ListUsers&Version=2010-05-08";
    let denied = world
        .call(&alice, Service::Iam, None, FORM, users.into())
        .await;
    assert_eq!(denied.status, 403);
    let allowed = world
        .call(&world.root, Service::Iam, None, FORM, users.into())
        .await;
    assert_eq!(allowed.status, 200);
    let unknown = "0f1e2d3c-0000-4000-8000-000000000000".to_owned();
    for (person, request_id) in [
        (&world.root, id(&allowed)),
        (&world.root, unknown),
        // The other account's root user learns nothing.
        (&stranger, id(&denied)),
    ] {
        let refused = explain(&world, person, &request_id).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (400, "RequestNotFoundException")
        );
    }
    // Who may not ask is told so, and that denial can be explained as well.
    let refused = explain(&world, &alice, &id(&denied)).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_are_kept_over_a_restart_and_shared_by_nodes() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let users = "Action=ListUsers&Version=2010-05-08";
    let denied = world
        .call(&alice, Service::Iam, None, FORM, users.into())
        .await;
    world.app.identity.flush_denials().await.unwrap();
    // Nothing of it is in memory now.
    let explained = explain(&world, &world.root, &id(&denied)).await.unwrap();
    assert_eq!(explained.action.as_deref(), Some("iam:ListUsers"));
    assert_eq!(explained.request_time, Some(world.now()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_are_listed_newest_first_to_their_account() {
    let world = World::new().await;
    let stranger = world.other_account().await;
    let alice = world.user(&world.root, "alice", "").await;
    let mut ids = Vec::new();
    for user in ["a", "b", "c"] {
        let body = format!("Action=DeleteUser&Version=2010-05-08&UserName={user}");
        let reply = world
            .call(&alice, Service::Iam, None, FORM, body.into())
            .await;
        ids.insert(0, id(&reply));
        world.pass(1);
    }
    let mut input = ListDenialsRequest {
        max_results: Some(2),
        ..Default::default()
    };
    let first = world.aws::<ops::ListDenials>(&world.root, &input).await;
    let first = first.unwrap();
    input.next_token = first.next_token;
    let second = world.aws::<ops::ListDenials>(&world.root, &input).await;
    let second = second.unwrap();
    assert_eq!((first.denials.len(), second.next_token), (2, None));
    let listed = first.denials.into_iter().chain(second.denials);
    assert_eq!(
        listed.map(|denial| denial.request_id).collect::<Vec<_>>(),
        ids
    );

    input.next_token = None;
    let theirs = world.aws::<ops::ListDenials>(&stranger, &input).await;
    assert!(theirs.unwrap().denials.is_empty());
    // A text and a number without an id, in base64.
    for token in ["eA", "MTI"] {
        input.next_token = Some(token.to_owned());
        let refused = world.aws::<ops::ListDenials>(&world.root, &input).await;
        assert_eq!(refused.unwrap_err().code, "InvalidParameterException");
    }
}

/// One client that is refused all the time displaces no other's denial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_principal_has_a_share_of_what_is_noted() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let noisy = world.user(&world.root, "noisy", "").await;
    let users = "Action=ListUsers&Version=2010-05-08";
    let call = |person| world.call(person, Service::Iam, None, FORM, users.into());
    let first = call(&alice).await;
    let lost = call(&noisy).await;
    for _ in 0..100 {
        call(&noisy).await;
    }
    let last = call(&noisy).await;
    for (reply, found) in [(&first, true), (&lost, false), (&last, true)] {
        let explained = explain(&world, &world.root, &id(reply)).await;
        assert_eq!(explained.is_ok(), found);
    }
}

/// The ids of the denials that are listed.
async fn listed(world: &World, input: ListDenialsRequest) -> Vec<String> {
    let answer = world.aws::<ops::ListDenials>(&world.root, &input).await;
    let denials = answer.unwrap().denials.into_iter();
    denials.map(|denial| denial.request_id).collect()
}

const USERS: &str = "Action=ListUsers&Version=2010-05-08";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_are_listed_by_principal_action_resource_and_time() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let bob = world.user(&world.root, "bob", "").await;
    let call = |person, body: &str| {
        let body = body.to_owned();
        world.call(person, Service::Iam, None, FORM, body.into())
    };
    let of_alice = id(&call(&alice, USERS).await);
    world.pass(10);
    let of_bob = id(&call(&bob, "Action=DeleteUser&Version=2010-05-08&UserName=x").await);
    let all = ListDenialsRequest::default;
    assert_eq!(
        listed(&world, all()).await,
        [of_bob.clone(), of_alice.clone()]
    );
    let user = |name: &str| Some(format!("arn:aws:iam::123456789012:user/{name}"));
    for (input, expected) in [
        (
            ListDenialsRequest {
                principal_arn: user("alice"),
                ..all()
            },
            &of_alice,
        ),
        (
            ListDenialsRequest {
                action: Some("iam:DeleteUser".into()),
                ..all()
            },
            &of_bob,
        ),
        (
            ListDenialsRequest {
                resource_arn: user("x"),
                ..all()
            },
            &of_bob,
        ),
        (
            ListDenialsRequest {
                start_time: Some(world.now()),
                ..all()
            },
            &of_bob,
        ),
        (
            ListDenialsRequest {
                end_time: Some(world.now()),
                ..all()
            },
            &of_alice,
        ),
    ] {
        assert_eq!(listed(&world, input).await, std::slice::from_ref(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_with_one_cause_are_one_group() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let first_time = world.now();
    let mut newest = String::new();
    for body in [USERS, "Action=ListRoles&Version=2010-05-08", USERS] {
        let reply = world
            .call(&alice, Service::Iam, None, FORM, body.into())
            .await;
        newest = id(&reply);
        world.pass(5);
    }
    let mut input = ListDenialGroupsRequest {
        max_results: Some(1),
        ..Default::default()
    };
    let page = world
        .aws::<ops::ListDenialGroups>(&world.root, &input)
        .await;
    let page = page.unwrap();
    let [group] = page.groups.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!((group.action.as_str(), group.count), ("iam:ListUsers", 2));
    assert_eq!(group.request_id, newest);
    assert_eq!(group.first_time, first_time);
    assert!(group.last_time > first_time);
    input.next_token = page.next_token;
    assert!(input.next_token.is_some());
    let page = world
        .aws::<ops::ListDenialGroups>(&world.root, &input)
        .await;
    let page = page.unwrap();
    assert_eq!((page.groups.len(), page.groups[0].count), (1, 1));
    assert_eq!(page.next_token, None);
    input.next_token = None;
    input.action = Some("iam:ListRoles".to_owned());
    let page = world
        .aws::<ops::ListDenialGroups>(&world.root, &input)
        .await;
    assert_eq!(page.unwrap().groups.len(), 1);
}

/// Notes of a batch that failed are written with the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_are_listed_while_the_database_takes_none() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let call = || world.call(&alice, Service::Iam, None, FORM, USERS.into());
    let written = id(&call().await);
    world.app.identity.flush_denials().await.unwrap();
    world.pass(1);
    let execute = async |sql: &'static str| {
        let mut tx = world.app.store.write(store::denials::SCOPE).await.unwrap();
        tx.conn().execute(sql, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
    };
    execute("CREATE TRIGGER none BEFORE INSERT ON denials BEGIN SELECT RAISE(ABORT, 'none'); END")
        .await;
    let noted = id(&call().await);
    assert!(world.app.identity.flush_denials().await.is_err());
    assert_eq!(
        listed(&world, ListDenialsRequest::default()).await,
        std::slice::from_ref(&written)
    );
    // What is not written is explained nevertheless.
    assert!(explain(&world, &world.root, &noted).await.is_ok());
    execute("DROP TRIGGER none").await;
    let both = listed(&world, ListDenialsRequest::default()).await;
    assert_eq!(both, [noted, written]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denials_of_a_quiet_account_go_after_a_week() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let denied = world
        .call(&alice, Service::Iam, None, FORM, USERS.into())
        .await;
    world.app.identity.flush_denials().await.unwrap();
    let prune = |days: i64| {
        let now = world.now() + jiff::SignedDuration::from_hours(24 * days);
        world
            .app
            .identity
            .prune_denials(authz::ServiceName::Maintenance, now)
    };
    assert!(!prune(6).await.unwrap());
    assert!(explain(&world, &world.root, &id(&denied)).await.is_ok());
    assert!(!prune(8).await.unwrap());
    let gone = explain(&world, &world.root, &id(&denied))
        .await
        .unwrap_err();
    assert_eq!(gone.code, "RequestNotFoundException");
}
