//! General rules, on generated requests and policies: the compiled decision equals a slow
//! reference, a Deny never allows more, an Allow never allows less, order is nothing.

mod reference;

use policy::Effect;
use policy::scenario::Scenario;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use reference::{Verdict, World};
use serde_json::{Map, Value, json};

const PRINCIPALS: [&str; 6] = [
    "arn:aws:sts::111122223333:federated-user/guest",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/ci/job1",
    "arn:aws:iam::444455556666:user/ana",
    "arn:aws:sts::444455556666:assumed-role/ci/job1",
];

const NAMED: [&str; 10] = [
    "arn:aws:sts::111122223333:federated-user/guest",
    "*",
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:role/ci",
    "arn:aws:sts::111122223333:assumed-role/ci/job1",
    "444455556666",
    "arn:aws:iam::444455556666:user/ana",
    "arn:aws:sts::444455556666:assumed-role/ci/job1",
];

const ACTIONS: [&str; 8] = [
    "ecr:PutImage",
    "ECR:putimage",
    "ecr:Put*",
    "ecr:*",
    "*",
    "ecr:Get?mage",
    "iam:*",
    "ecr:BatchGetImage",
];

const RESOURCES: [&str; 11] = [
    "*",
    "arn:aws:ecr:us-east-1:111122223333:repository/app",
    "arn:aws:ecr:us-east-1:111122223333:repository/*",
    "arn:aws:ecr:*:111122223333:repository/ap?",
    "arn:aws:ecr:us-east-1:111122223333:repository/${aws:username}",
    "arn:aws:ecr:us-east-1:111122223333:repository/${aws:PrincipalTag/team, 'app'}*",
    "arn:aws:ecr:us-east-1:111122223333:repository/${aws:TagKeys}",
    "arn:aws:ecr:us-east-1:${aws:PrincipalAccount}:repository/app",
    "arn:aws:ecr:us-east-1:111122223333:repository/${*}",
    "arn:aws:ecr:eu-west-1:*",
    "arn:aws:s3:::bucket/*",
];

const ASKED: [&str; 4] = [
    "arn:aws:ecr:us-east-1:111122223333:repository/app",
    "arn:aws:ecr:us-east-1:111122223333:repository/ana",
    "arn:aws:ecr:us-east-1:111122223333:repository/*",
    "arn:aws:ecr:us-east-1:111122223333:repository/red/x",
];

fn one_or_many(values: Vec<&'static str>) -> Value {
    match values.as_slice() {
        [one] => json!(one),
        many => json!(many),
    }
}

fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(values.to_vec(), 1..=3).prop_map(one_or_many)
}

fn condition() -> impl Strategy<Value = Value> {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "Bool",
        "IpAddress",
        "NotIpAddress",
        "ArnLike",
        "ArnNotLike",
        "ArnEquals",
        "Null",
    ];
    let keys = [
        "aws:username",
        "AWS:PrincipalArn",
        "aws:TagKeys",
        "aws:ResourceTag/Team",
        "aws:SourceIp",
        "aws:PrincipalTag/team",
        "x:count",
        "aws:MultiFactorAuthPresent",
        "x:absent",
    ];
    let values = &[
        "ana",
        "A*",
        "red",
        "Red",
        "${aws:username}",
        "${aws:PrincipalTag/team}",
        "*",
        "5",
        "5.0",
        "true",
        "false",
        "10.0.0.0/8",
        "10.0.0.7",
        "arn:aws:iam::*:user/*",
        "arn:aws:iam::111122223333:role/ci",
        "arn:*",
        "a",
        "${x:absent, 'a'}",
    ][..];
    let quantifiers = ["", "", "ForAllValues:", "ForAnyValue:"];
    (
        select(quantifiers.to_vec()).prop_map(str::to_owned),
        select(operators.to_vec()).prop_map(str::to_owned),
        any::<bool>(),
        select(keys.to_vec()).prop_map(str::to_owned),
        subsequence(values.to_vec(), 1..=4),
    )
        .prop_map(|(quantifier, operator, exists, key, values)| {
            let exists = if exists && operator != "Null" {
                "IfExists"
            } else {
                ""
            };
            json!({ format!("{quantifier}{operator}{exists}"): { key: one_or_many(values) } })
        })
}

fn statement(with_principal: bool, effect: &'static str) -> impl Strategy<Value = Value> {
    let effects = if effect.is_empty() {
        vec!["Allow", "Allow", "Allow", "Deny"]
    } else {
        vec![effect]
    };
    (
        select(effects),
        (any::<[bool; 3]>(), prop::option::weighted(0.5, condition())),
        some_of(&ACTIONS),
        some_of(&RESOURCES),
        some_of(&NAMED),
    )
        .prop_map(
            move |(effect, (not, condition), action, resource, principal)| {
                let mut statement = Map::new();
                let not_action = not[0] && not[1];
                let not_resource = not[1] && not[2];
                statement.insert("Effect".into(), json!(effect));
                statement.insert(
                    if not_action { "NotAction" } else { "Action" }.into(),
                    action,
                );
                statement.insert(
                    if not_resource {
                        "NotResource"
                    } else {
                        "Resource"
                    }
                    .into(),
                    resource,
                );
                if with_principal {
                    statement.insert("Principal".into(), json!({ "AWS": principal }));
                }
                if let Some(condition) = condition {
                    statement.insert("Condition".into(), condition);
                }
                Value::Object(statement)
            },
        )
}

fn document(with_principal: bool) -> impl Strategy<Value = Value> {
    let versions = vec![
        json!("2012-10-17"),
        json!("2012-10-17"),
        json!("2008-10-17"),
        Value::Null,
    ];
    (
        select(versions),
        prop::collection::vec(statement(with_principal, ""), 1..5),
    )
        .prop_map(|(version, statements)| match version {
            Value::Null => json!({ "Statement": statements }),
            version => json!({ "Version": version, "Statement": statements }),
        })
}

fn context() -> impl Strategy<Value = Value> {
    let keys = vec![
        ("aws:SourceIp", json!("10.0.0.7")),
        ("aws:SourceIp", json!("192.168.0.1")),
        ("aws:ResourceTag/team", json!("red")),
        ("aws:PrincipalTag/Team", json!("red")),
        ("aws:PrincipalTag/Team", json!("*")),
        ("x:count", json!("5")),
        ("x:count", json!("12.5")),
        ("aws:MultiFactorAuthPresent", json!("true")),
        ("aws:TagKeys", json!(["a", "red"])),
        ("aws:TagKeys", json!([])),
        ("aws:TagKeys", json!([""])),
    ];
    subsequence(keys, 0..=6).prop_map(|keys| {
        let keys: Map<String, Value> = keys
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Value::Object(keys)
    })
}

fn scenario() -> impl Strategy<Value = Value> {
    let documents = |with_principal| prop::collection::vec(document(with_principal), 0..3);
    let levels = |with_principal| {
        prop::collection::vec(prop::collection::vec(document(with_principal), 1..3), 0..3)
    };
    (
        (select(&PRINCIPALS[..]), select(&["ecr:PutImage", "ecr:GetImage"][..]), select(&ASKED[..]), context()),
        prop::option::weighted(0.9, documents(false)),
        prop::option::weighted(0.3, document(false)),
        prop::option::weighted(0.3, documents(false)),
        prop::option::weighted(0.6, document(true)),
        prop_oneof![4 => Just(Vec::new()), 1 => levels(false)],
        prop_oneof![4 => Just(Vec::new()), 1 => levels(true)],
    )
        .prop_map(|((principal, action, resource, context), identity, boundary, session, policy, scp, rcp)| {
            json!({
                "request": {"principal": principal, "action": action, "resource": resource, "context": context,
                            "principalUserArn": principal.contains(":federated-user/")
                                .then_some("arn:aws:iam::111122223333:user/ana")},
                "identityPolicies": identity, "permissionsBoundary": boundary, "sessionPolicies": session,
                "resourcePolicy": policy, "serviceControlPolicies": scp, "resourceControlPolicies": rcp,
            })
        })
}

fn decide(scenario: &Value) -> Effect {
    let scenario = Scenario::from_json(&scenario.to_string()).expect("a valid scenario");
    let outcome = scenario.evaluate();
    assert_eq!(
        scenario.decide().effect,
        outcome.decision,
        "decide and explain differ"
    );
    outcome.decision
}

/// Every place of a scenario that holds a list of statements, with whether they name
/// principals.
const PLACES: [(&str, bool); 4] = [
    ("/identityPolicies/0/Statement", false),
    ("/permissionsBoundary/Statement", false),
    ("/sessionPolicies/0/Statement", false),
    ("/resourcePolicy/Statement", true),
];

fn with_statement(scenario: &Value, place: &str, statement: Value) -> Option<Value> {
    let mut scenario = scenario.clone();
    scenario.pointer_mut(place)?.as_array_mut()?.push(statement);
    Some(scenario)
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().rev().map(reversed).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                // Values within a request's key keep their order, lists of policies do not.
                let value = if name == "request" {
                    value.clone()
                } else {
                    reversed(value)
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_compiled_decision_equals_the_reference(scenario in scenario()) {
        let expected = match (World { scenario: &scenario }).decide() {
            Verdict::Allowed => Effect::Allowed,
            Verdict::ExplicitlyDenied => Effect::ExplicitlyDenied,
            Verdict::ImplicitlyDenied => Effect::ImplicitlyDenied,
        };
        prop_assert_eq!(decide(&scenario), expected, "{}", scenario);
    }

    #[test]
    fn adding_a_deny_never_allows_more(
        scenario in scenario(),
        place in select(&PLACES[..]),
        with in statement(true, "Deny"),
        without in statement(false, "Deny"),
    ) {
        let statement = if place.1 { with } else { without };
        if let Some(more) = with_statement(&scenario, place.0, statement) {
            let (before, after) = (decide(&scenario), decide(&more));
            prop_assert!(after != Effect::Allowed || before == Effect::Allowed);
        }
    }

    #[test]
    fn adding_an_allow_never_allows_less(
        scenario in scenario(),
        place in select(&PLACES[..]),
        with in statement(true, "Allow"),
        without in statement(false, "Allow"),
    ) {
        let statement = if place.1 { with } else { without };
        if let Some(more) = with_statement(&scenario, place.0, statement) {
            let (before, after) = (decide(&scenario), decide(&more));
            prop_assert!(before != Effect::Allowed || after == Effect::Allowed);
        }
    }

    #[test]
    fn order_changes_nothing(scenario in scenario()) {
        prop_assert_eq!(decide(&scenario), decide(&reversed(&scenario)));
    }
}

#[test]
fn generated_scenarios_reach_all_three_decisions() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = [0; 3];
    for _ in 0..300 {
        let value = scenario()
            .new_tree(&mut runner)
            .expect("a scenario")
            .current();
        seen[decide(&value) as usize] += 1;
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
}
