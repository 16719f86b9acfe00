//! Compares the linter's claims about decisions with the engine: conditions that never match,
//! redundant statements, and statements that are open to everyone.
#![allow(clippy::unwrap_used)]

use policy::{
    ApplicablePolicies, Context, Document, DocumentKind, Effect, PolicyRef, PolicySet, Principal,
    Request, decide,
};
use policy_lint::{Code, Finding, Nothing, lint};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(statements: &[Value]) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse_language(&text, DocumentKind::Managed).unwrap()
}

fn effect(document: &Document, action: &str, resource: &str, context: &Context) -> Effect {
    let set = PolicySet::compile([(PolicyRef::new(DocumentKind::Managed, "p"), document)]);
    let ana = Principal::user("arn:aws:iam::111122223333:user/ana", None);
    let applicable = ApplicablePolicies {
        identity: Some(&set),
        ..ApplicablePolicies::default()
    };
    let request = Request {
        principal: &ana,
        action,
        resource,
        resource_account: Some("111122223333"),
        context,
    };
    decide(&request, &applicable).effect
}

/// The findings of one code.
fn found(findings: &[Finding], code: Code) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| finding.code == code)
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(values)
}

fn condition() -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    let strings = (
        one_of(&[
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringEqualsIfExists",
            "StringLikeIfExists",
            "StringNotLikeIfExists",
        ]),
        proptest::collection::vec(one_of(&["a", "b", "A", "a*", "?", "*"]), 1..3),
    );
    let numbers = (
        one_of(&[
            "NumericEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEqualsIfExists",
        ]),
        proptest::collection::vec(one_of(&["1", "2", "2.0", "3"]), 1..3),
    );
    let addresses = (
        one_of(&["IpAddress", "NotIpAddress", "IpAddressIfExists"]),
        proptest::collection::vec(
            one_of(&["10.0.0.0/8", "10.0.0.0/9", "10.0.0.1", "0.0.0.0/0", "::/0"]),
            1..3,
        ),
    );
    let null = (
        Just("Null"),
        proptest::collection::vec(one_of(&["true", "false"]), 1..2),
    );
    prop_oneof![3 => strings, 2 => numbers, 2 => addresses, 1 => null]
}

fn statement() -> impl Strategy<Value = Value> {
    let action = one_of(&["s:*", "s:Get*", "s:GetA", "s:geta", "s:Put?", "*"]);
    let resource = one_of(&["*", "arn:aws:s:::x*", "arn:aws:s:::x/y", "arn:aws:s:::?"]);
    let condition = one_of(&["", "a", "b", "!a"]);
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        action,
        resource,
        condition,
    )
        .prop_map(
            |(allow, not_action, not_resource, action, resource, condition)| {
                let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
                statement[if not_action { "NotAction" } else { "Action" }] = json!([action]);
                statement[if not_resource {
                    "NotResource"
                } else {
                    "Resource"
                }] = json!([resource]);
                match condition.strip_prefix('!') {
                    Some(value) => {
                        statement["Condition"] =
                            json!({"StringNotEquals": {"aws:k": [value, "c"]}});
                    }
                    None if !condition.is_empty() => {
                        statement["Condition"] = json!({"StringEquals": {"aws:k": condition}});
                    }
                    None => {}
                }
                statement
            },
        )
}

fn contexts() -> Vec<Context> {
    let values = [
        "",
        "a",
        "b",
        "A",
        "ab",
        "c",
        "0",
        "1",
        "1.5",
        "2",
        "3",
        "4",
        "10.0.0.1",
        "10.200.0.1",
        "11.0.0.1",
        "::1",
    ];
    let with = |value: &&str| Context::new().set("aws:k", *value);
    let absent = std::iter::once(Context::new());
    absent.chain(values.iter().map(with)).collect()
}

/// A condition on who calls, correct or not.
fn who() -> impl Strategy<Value = Value> {
    let operators = one_of(&[
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringEqualsIfExists",
        "StringEqualsIgnoreCase",
        "ForAnyValue:StringLike",
        "ForAllValues:StringLike",
        "ArnLike",
        "ArnEquals",
        "IpAddress",
        "NotIpAddress",
        "Null",
        "Bool",
    ]);
    let keys = one_of(&[
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalTag/team",
        "aws:PrincipalType",
        "aws:PrincipalIsAWSService",
        "aws:SourceIp",
        "aws:userid",
        "aws:username",
    ]);
    let values = one_of(&[
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::*:user/a",
        "arn:*:iam::111122223333:user/a",
        "arn:aws:iam::?????2223333:user/a",
        "*:user/a",
        "111122223333",
        "1111*",
        "*3",
        "o-abcdefghij",
        "o-*",
        "o-abcdefghij/r-ab12/*",
        "*/r-ab12/*",
        "o-?*/r-ab12/*",
        "red",
        "User",
        "true",
        "false",
        "203.0.113.0/24",
        "0.0.0.0/0",
        "128.0.0.0/1",
        "AIDAEXAMPLEEXAMPLE12",
        "AIDA*",
        "*:ci",
        "a",
        "*",
        "${aws:PrincipalAccount}",
        "${aws:ResourceAccount}",
        "${aws:PrincipalOrgID}",
        "${aws:ResourceOrgID, 'o-zzzzzzzzzz'}",
        "${aws:username}",
    ]);
    (operators, keys, proptest::collection::vec(values, 1..3))
        .prop_map(|(operator, key, values)| json!({operator: {key: values}}))
}

/// Users of another account, who choose names, tags and paths that match.
fn outsiders() -> Vec<(Principal, Context)> {
    let names = ["a", ":iam::111122223333:user/a"];
    let user = |name: &&str| {
        let arn = format!("arn:aws:iam::999999999993:user/{name}");
        let context = Context::new()
            .set("aws:PrincipalArn", arn.clone())
            .set("aws:PrincipalAccount", "999999999993")
            .set("aws:PrincipalOrgID", "o-zzzzzzzzzz")
            .set_list("aws:PrincipalOrgPaths", ["o-zzzzzzzzzz/r-ab12/"])
            .set("aws:PrincipalTag/team", "red")
            .set("aws:PrincipalType", "User")
            .set("aws:PrincipalIsAWSService", "false")
            .set("aws:SourceIp", "198.51.100.7")
            .set("aws:userid", "AIDAZZZZZZZZZZZZZZZZ")
            .set("aws:username", "a")
            .set("aws:ResourceAccount", "111122223333")
            .set("aws:ResourceOrgID", "o-abcdefghij");
        (Principal::user(arn, None), context)
    };
    // And one whose request has none of the keys.
    let bare = user(&"a").0;
    let users = names.iter().map(user);
    users.chain([(bare, Context::new())]).collect()
}

fn is_open_to(document: &Document, outsider: &Principal, context: &Context) -> bool {
    let compile = |document, kind| PolicySet::compile([(PolicyRef::new(kind, "p"), document)]);
    let everything = self::document(&[json!({"Effect": "Allow", "Action": "*", "Resource": "*"})]);
    let (resource, identity) = (
        compile(document, DocumentKind::Resource),
        compile(&everything, DocumentKind::Managed),
    );
    let applicable = ApplicablePolicies {
        identity: Some(&identity),
        resource: Some(&resource),
        ..ApplicablePolicies::default()
    };
    let request = Request {
        principal: outsider,
        action: "s:GetA",
        resource: "arn:aws:s:::x",
        resource_account: Some("111122223333"),
        context,
    };
    decide(&request, &applicable).effect == Effect::Allowed
}

/// What a wildcard as the only value comes to, by the finding's code, as the engine decides it.
#[test]
fn wildcard_condition_decides_as_reported() {
    for quantifier in ["", "ForAllValues:", "ForAnyValue:"] {
        for test in ["StringLike", "StringNotLike"] {
            for suffix in ["", "IfExists"] {
                let operator = format!("{quantifier}{test}{suffix}");
                let document = document(&[json!({"Effect": "Allow", "Action": "s:GetA",
                    "Resource": "*", "Condition": {&operator: {"aws:k": "*"}}})]);
                let findings = lint(&document, &Nothing);
                let is = |code| found(&findings, code).next().is_some();
                let present = Context::new().set_list("aws:k", ["a", "b"]);
                let present = match quantifier {
                    "" => Context::new().set("aws:k", "a"),
                    _ => present,
                };
                let allowed = [Context::new(), present]
                    .map(|context| effect(&document, "s:GetA", "arn:aws:s:::x", &context))
                    .map(|effect| effect == Effect::Allowed);
                let reported = [
                    (Code::EquivalentToNullTrue, [true, false]),
                    (Code::EquivalentToNullFalse, [false, true]),
                    (Code::RedundantKeyDueToWildcardInCondition, [true, true]),
                    (
                        Code::RedundantStatementDueToWildcardInCondition,
                        [false, false],
                    ),
                ];
                let reported = reported.iter().filter(|(code, _)| is(*code));
                let outcomes: Vec<_> = reported.map(|(_, outcome)| *outcome).collect();
                assert_eq!(outcomes, [allowed], "{operator}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn finds_statements_that_allow_outsiders(condition in who()) {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s:GetA",
            "Resource": "*", "Condition": condition});
        let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let document = Document::parse_language(&text, DocumentKind::Resource).unwrap();
        let open = outsiders().iter().any(|(who, context)| is_open_to(&document, who, context));
        let findings = lint(&document, &Nothing);
        let said = found(&findings, Code::PrincipalStarWithoutCondition).next().is_some();
        prop_assert!(said || !open, "{}", condition);
    }

    #[test]
    fn condition_reported_as_contradictory_never_matches(conditions in proptest::collection::vec(condition(), 2..4)) {
        let mut block = json!({});
        for (operator, values) in &conditions {
            block[operator] = json!({"aws:k": values});
        }
        let document = document(&[json!({
            "Effect": "Allow", "Action": "s:GetA", "Resource": "*", "Condition": block
        })]);
        let findings = lint(&document, &Nothing);
        if found(&findings, Code::ConditionNeverHolds).next().is_some() {
            for context in contexts() {
                let effect = effect(&document, "s:GetA", "arn:aws:s:::x", &context);
                prop_assert_eq!(effect, Effect::ImplicitlyDenied, "{:?}", block);
            }
        }
    }

    #[test]
    fn redundant_statement_can_be_removed(statements in proptest::collection::vec(statement(), 2..4)) {
        let all = document(&statements);
        let findings = lint(&all, &Nothing);
        for code in [Code::RedundantStatement, Code::ShadowedByDeny] {
            // One at a time: the removed statement may be why another one is redundant.
            let Some(finding) = found(&findings, code).next() else { continue };
            let at = all.statements().iter().position(|s| s.position == finding.position).unwrap();
            let mut fewer = statements.clone();
            fewer.remove(at);
            let fewer = document(&fewer);
            for action in ["s:GetA", "s:GetB", "s:PutA", "t:GetA"] {
                for resource in ["arn:aws:s:::x", "arn:aws:s:::x/y", "arn:aws:s:::z"] {
                    for context in &contexts()[..5] {
                        prop_assert_eq!(
                            effect(&all, action, resource, context),
                            effect(&fewer, action, resource, context),
                            "{:?} without {}", code, at
                        );
                    }
                }
            }
        }
    }
}
