//! What an explanation advises: the least that allows the request, and what joining a statement that is
//! there would allow beside it.

use policy::scenario::Scenario;
use serde_json::{Value, json};

const ANA: &str = "arn:aws:iam::111122223333:user/ana";
const APP: &str = "arn:aws:ecr:us-east-1:111122223333:repository/app";

/// The first remedy for `ecr:PutImage` on a repository, when `policy` is the field's.
fn advised(principal: &str, field: &str, policy: &Value) -> String {
    let policies = match field {
        "identityPolicies" => json!([policy]),
        _ => policy.clone(),
    };
    let scenario = json!({
        "request": {"principal": principal, "action": "ecr:PutImage", "resource": APP},
        field: policies,
    });
    let scenario = Scenario::from_json(&scenario.to_string()).expect("a scenario");
    let explanation = scenario.explain();
    let first = explanation.missing.first().expect("somebody is silent");
    first.remedy.clone()
}

fn policy(statement: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

#[test]
fn remedies_allow_only_the_request_or_name_the_rest() {
    let other = APP.replace("app", "web");
    let own = format!("write a statement that allows `ecr:PutImage` on `{APP}`");
    let place = "of statement 0 of identityPolicies[0]";
    for (statement, advice) in [
        // Nothing else is gained.
        (
            json!({"Effect": "Allow", "Action": "ecr:GetImage", "Resource": APP}),
            format!("add `ecr:PutImage` to the `Action` {place}"),
        ),
        (
            json!({"Effect": "Allow", "Action": "ECR:putimage", "Resource": other}),
            format!("add `{APP}` to the `Resource` {place}"),
        ),
        // The action would be allowed on everything.
        (
            json!({"Effect": "Allow", "Action": "ecr:GetImage", "Resource": "*"}),
            format!(
                "{own}, or add the action to the `Action` {place}, which then also allows it on `*`"
            ),
        ),
        // Everything would be allowed on the resource.
        (
            json!({"Effect": "Allow", "Action": ["ecr:*", "s3:*", "a:b", "c:d"], "Resource": other}),
            format!(
                "{own}, or add the resource to the `Resource` {place}, which then also allows \
                 `ecr:*`, `s3:*`, `a:b` and more there"
            ),
        ),
        // What is listed is what is left out.
        (
            json!({"Effect": "Allow", "NotAction": "ecr:*", "Resource": APP}),
            format!("narrow the `NotAction` {place} so that it does not cover `ecr:PutImage`"),
        ),
        (
            json!({"Effect": "Allow", "NotAction": "iam:*", "NotResource": [APP, other]}),
            format!(
                "{own}, or narrow the `NotResource` {place} so that it does not cover the resource, \
                 which then also allows all but `iam:*` there"
            ),
        ),
        // Two elements: a statement of its own is the shorter way.
        (
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": other}),
            own.clone(),
        ),
    ] {
        let advised = advised(ANA, "identityPolicies", &policy(&statement));
        assert_eq!(advised, format!("in a policy of `{ANA}` {advice}"));
    }
}

#[test]
fn remedies_name_principals_as_policies_do() {
    let shared =
        json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "ecr:*"});
    let service = json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "ecr:PutImage", "Resource": APP});
    let own = |named: &str| {
        format!(
            "in the resource's policy write a statement that allows `ecr:PutImage` on `{APP}` and \
             names {named} in `Principal`"
        )
    };
    assert_eq!(
        advised("anonymous", "resourcePolicy", &policy(&shared)),
        own("`*`, which is everyone,")
            + ", or add the principal to the `Principal` of statement 0 of resourcePolicy, which then also allows `ecr:*` there"
    );
    assert_eq!(
        advised("ec2.amazonaws.com", "resourcePolicy", &policy(&service)),
        "in the resource's policy add `ec2.amazonaws.com` to the `Principal` of statement 0 of resourcePolicy"
    );
}

/// The notes beside the nearest statement's elements that do not match.
fn noted(version: &str, statement: &Value) -> Vec<String> {
    let scenario = json!({
        "request": {"principal": ANA, "action": "ecr:PutImage", "resource": APP,
                    "context": {"aws:PrincipalTag/team": "Red"}},
        "identityPolicies": [{"Version": version, "Statement": [statement]}],
    });
    let scenario = Scenario::from_json(&scenario.to_string()).expect("a scenario");
    let explanation = scenario.explain();
    let nearest = explanation.missing[0]
        .nearest
        .as_ref()
        .expect("a statement");
    nearest
        .elements
        .iter()
        .flat_map(|element| element.notes.clone())
        .collect()
}

#[test]
fn notes_near_matches() {
    let on = |resource: &str| json!({"Effect": "Allow", "Action": "ecr:*", "Resource": resource});
    let when = |operator: &str, key: &str, value: &str| json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}});
    let team = "aws:PrincipalTag/team";
    for (version, statement, note) in [
        (
            "2008-10-17",
            on("arn:aws:ecr:*:*:repository/${aws:username}"),
            "there are no variables",
        ),
        (
            "2012-10-17",
            on("arn:aws:ecr:*:*:repository/App"),
            "another letter case",
        ),
        (
            "2012-10-17",
            on("arn:aws:ecr:*:*:repository/${aws:PrincipalTag/app}"),
            "has no value",
        ),
        (
            "2012-10-17",
            when("StringEquals", team, "R*"),
            "taken literally",
        ),
        ("2012-10-17", when("StringLike", team, "r*"), "letter case"),
        (
            "2012-10-17",
            when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333"),
            "six fields",
        ),
    ] {
        let notes = noted(version, &statement);
        assert!(
            notes.len() == 1 && notes[0].contains(note),
            "{statement}: {notes:?}"
        );
    }
    assert!(noted("2012-10-17", &when("StringNotLike", team, "R*")).is_empty());
}
