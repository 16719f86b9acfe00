//! `SimulateRequest`: a simulated decision, and how each element of each statement compares with it.

use aws_api::berth::{
    ComparedElement, Decision, SimulateRequestRequest, SimulateRequestResponse,
    SimulatedContextEntry, SimulatedPolicy, ops,
};
use aws_api::iam;

use super::world::{Person, World, document, statement};

const APP: &str = "arn:aws:ecr:us-east-1:123456789012:repository/app";
const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

fn asked(action: &str) -> SimulateRequestRequest {
    SimulateRequestRequest {
        action: action.to_owned(),
        resource_arn: APP.to_owned(),
        ..Default::default()
    }
}

fn of_alice(action: &str) -> SimulateRequestRequest {
    SimulateRequestRequest {
        policy_source_arn: Some(ALICE.to_owned()),
        ..asked(action)
    }
}

async fn simulate(
    world: &World,
    person: &Person,
    input: &SimulateRequestRequest,
) -> SimulateRequestResponse {
    let answer = world.aws::<ops::SimulateRequest>(person, input).await;
    answer.unwrap()
}

fn policy<'a>(answer: &'a SimulateRequestResponse, name: &str) -> &'a SimulatedPolicy {
    let mut policies = answer.policies.iter();
    let found = policies.find(|policy| policy.policy_name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("no {name} in {answer:?}"))
}

/// Element and whether it matched.
fn matches(elements: &[ComparedElement]) -> Vec<(&str, bool)> {
    elements
        .iter()
        .map(|element| (element.element.as_str(), element.is_match))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_element_is_shown_with_the_values_of_policy_and_request() {
    let world = World::new().await;
    let office = format!(
        r#"{{"Sid":"office","Effect":"Allow","Action":["ecr:PutImage","ecr:Get*"],"Resource":"{APP}","Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}},"StringEquals":{{"aws:username":"${{aws:PrincipalTag/owner}}"}}}}}}"#
    );
    world.user(&world.root, "alice", &office).await;
    let input = SimulateRequestRequest {
        context_entries: Some(vec![SimulatedContextEntry {
            context_key_name: "aws:SourceIp".to_owned(),
            context_key_values: vec!["203.0.113.7".to_owned()],
            is_multivalued: None,
        }]),
        ..of_alice("ecr:PutImage")
    };
    let answer = simulate(&world, &world.root, &input).await;
    assert_eq!(answer.decision, Decision::ImplicitlyDenied);
    assert_eq!(answer.policy_type, "identity-based policy");
    let [policy] = answer.policies.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(policy.holder_name.as_deref(), Some("alice"));
    let [statement] = policy.statements.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(statement.statement_id.as_deref(), Some("office"));
    assert!(!statement.is_match && statement.is_nearest && !statement.is_decisive);
    assert_eq!(
        matches(&statement.elements),
        [
            ("Action", true),
            ("Resource", true),
            ("Condition IpAddress aws:SourceIp", false),
            ("Condition StringEquals aws:username", false),
        ]
    );
    let [action, _, address, name] = statement.elements.as_slice() else {
        panic!("{statement:?}")
    };
    assert_eq!(action.wanted, ["ecr:PutImage", "ecr:Get*"]);
    assert_eq!(address.wanted, ["10.0.0.0/8"]);
    assert_eq!(
        address.saw.as_deref(),
        Some(&["203.0.113.7".to_owned()][..])
    );
    let note = name.notes.as_ref().unwrap().first().unwrap();
    assert!(note.contains("has no value in this request"), "{note}");

    let inside = SimulateRequestRequest {
        policy_inputs: Some(vec![document(&statement_of(
            r#""Effect":"Allow","Action":"ecr:PutImage","Resource":"*""#,
        ))]),
        ..of_alice("ecr:PutImage")
    };
    let answer = simulate(&world, &world.root, &inside).await;
    assert_eq!(answer.decision, Decision::Allowed);
    let given = self::policy(&answer, "PolicyInputList.1");
    assert!(given.statements[0].is_decisive && given.statements[0].is_match);
    assert_eq!(given.statements[0].line, 1);
}

fn statement_of(members: &str) -> String {
    format!("{{{members}}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_decision_is_that_of_the_simulator_of_iam() {
    let world = World::new().await;
    let all = statement("Allow", &["ecr:*"], "*");
    let closed = statement("Deny", &["ecr:DeleteRepository"], "*");
    world
        .user(&world.root, "alice", &format!("{all},{closed}"))
        .await;
    for (action, decision) in [
        ("ecr:PutImage", Decision::Allowed),
        ("ecr:DeleteRepository", Decision::ExplicitlyDenied),
        ("ecr:GetAuthorizationToken", Decision::ImplicitlyDenied),
        ("iam:GetUser", Decision::ImplicitlyDenied),
    ] {
        let answer = simulate(&world, &world.root, &of_alice(action)).await;
        assert_eq!(answer.decision, decision, "{action}");
        let input = iam::SimulatePrincipalPolicyRequest {
            policy_source_arn: ALICE.to_owned(),
            action_names: vec![action.to_owned()],
            resource_arns: Some(vec![APP.to_owned()]),
            ..Default::default()
        };
        let iam = world.aws::<iam::ops::SimulatePrincipalPolicy>(&world.root, &input);
        let iam = iam.await.unwrap().evaluation_results.unwrap();
        let expected = match decision {
            Decision::Allowed => "allowed",
            Decision::ExplicitlyDenied => "explicitDeny",
            Decision::ImplicitlyDenied => "implicitDeny",
        };
        assert_eq!(iam[0].eval_decision.as_str(), expected, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_policy_shows_the_principals_as_they_were_given() {
    let world = World::new().await;
    world.user(&world.root, "alice", "").await;
    let given = format!(
        "{{\"Version\":\"2012-10-17\",\n\"Statement\":[\n{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"{ALICE}\"}},\"Action\":\"ecr:PutImage\",\"Resource\":\"*\"}}]}}"
    );
    let input = SimulateRequestRequest {
        resource_policy: Some(given),
        ..of_alice("ecr:PutImage")
    };
    let answer = simulate(&world, &world.root, &input).await;
    assert_eq!(answer.decision, Decision::Allowed);
    let [statement] = policy(&answer, "ResourcePolicy").statements.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(statement.line, 3);
    assert_eq!(statement.elements[0].element, "Principal");
    assert_eq!(statement.elements[0].wanted, [ALICE]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_shown_to_those_who_may_read_the_policy() {
    let world = World::new().await;
    let push = statement("Allow", &["ecr:PutImage"], "*");
    let alice = world.user(&world.root, "alice", &push).await;
    let rights = [
        statement("Allow", &["berth:SimulateRequest"], "*"),
        statement("Allow", &["iam:SimulatePrincipalPolicy"], ALICE),
    ];
    let viewer = world.user(&world.root, "viewer", &rights.join(",")).await;
    let answer = simulate(&world, &viewer, &of_alice("ecr:PutImage")).await;
    assert_eq!(answer.decision, Decision::Allowed);
    let [policy] = answer.policies.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(policy.required_action.as_deref(), Some("iam:GetUserPolicy"));
    assert!(policy.statements.is_empty());
    let shown = format!("{answer:?}");
    assert!(!shown.contains("Effect"), "{shown}");

    // The policies of others, and those of nobody: the rights of IAM's simulator are needed.
    for (person, input, action) in [
        (&alice, of_alice("ecr:PutImage"), "berth:SimulateRequest"),
        (&viewer, asked("ecr:PutImage"), "iam:SimulateCustomPolicy"),
    ] {
        let refused = world.aws::<ops::SimulateRequest>(person, &input).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, "AccessDeniedException");
        assert!(refused.message.contains(action), "{}", refused.message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_what_the_simulator_of_iam_refuses() {
    let world = World::new().await;
    let stranger = world.other_account().await;
    world.user(&world.root, "alice", "").await;
    let unreadable = SimulateRequestRequest {
        policy_inputs: Some(vec!["{".to_owned()]),
        ..asked("ecr:PutImage")
    };
    for (person, input) in [
        (&world.root, unreadable),
        (&world.root, asked("nothing")),
        // Another account's user is not found.
        (&stranger, of_alice("ecr:PutImage")),
    ] {
        let refused = world.aws::<ops::SimulateRequest>(person, &input).await;
        assert_eq!(refused.unwrap_err().code, "InvalidParameterException");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_trace_is_cut_and_says_so() {
    let world = World::new().await;
    let keys: Vec<String> = (0..100).map(|number| format!("{number:0>2000}")).collect();
    let unlike = r#"{"Effect":"Allow","Action":"ecr:PutImage","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"x"}}},"#;
    let mut statements = unlike.repeat(50);
    statements.push_str(&statement("Deny", &["ecr:PutImage"], "*"));
    let input = SimulateRequestRequest {
        policy_inputs: Some(vec![document(&statements)]),
        context_entries: Some(vec![SimulatedContextEntry {
            context_key_name: "aws:TagKeys".to_owned(),
            context_key_values: keys,
            is_multivalued: Some(true),
        }]),
        ..asked("ecr:PutImage")
    };
    let answer = simulate(&world, &world.root, &input).await;
    assert_eq!(answer.is_truncated, Some(true));
    let statements = &policy(&answer, "PolicyInputList.1").statements;
    assert!(statements.len() < 10, "{}", statements.len());
    assert!(statements.last().unwrap().is_decisive);
}
