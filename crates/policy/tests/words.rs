//! The words: denials, explanations, and documents shown back as they were given.

use policy::scenario::Scenario;
use policy::{Document, DocumentKind, PolicyError, PolicyErrorCode, Reason, UnknownKind};
use proptest::prelude::*;
use serde_json::{Value, json};

const USER: &str = "arn:aws:iam::111122223333:user/ana";
const REPOSITORY: &str = "arn:aws:ecr:us-east-1:111122223333:repository/app";

fn statement(effect: &str, principal: bool) -> Value {
    let mut statement = json!({"Effect": effect, "Action": "ecr:*", "Resource": "*"});
    if principal {
        statement["Principal"] = json!("*");
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn scenario(fields: Value) -> Scenario {
    let mut all =
        json!({"request": {"principal": USER, "action": "ecr:PutImage", "resource": REPOSITORY}});
    for (name, value) in fields.as_object().expect("fields") {
        all[name] = value.clone();
    }
    Scenario::from_json(&all.to_string()).expect("a scenario")
}

/// UG troubleshoot_access-denied: every ending, with the scenario that brings it about.
#[test]
fn denials_have_the_messages_of_aws() {
    let (allow, deny) = (statement("Allow", false), statement("Deny", false));
    let (allow_all, deny_all) = (statement("Allow", true), statement("Deny", true));
    let none = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let cases = [
        (
            json!({}),
            "because no identity-based policy allows the ecr:PutImage action",
        ),
        (
            json!({"identityPolicies": [allow], "permissionsBoundary": none}),
            "because no permissions boundary allows the ecr:PutImage action",
        ),
        (
            json!({"identityPolicies": [allow], "sessionPolicies": [none]}),
            "because no session policy allows the ecr:PutImage action",
        ),
        (
            json!({"identityPolicies": [allow], "serviceControlPolicies": [[none]]}),
            "because no service control policy allows the ecr:PutImage action",
        ),
        (
            json!({"identityPolicies": [deny]}),
            "with an explicit deny in an identity-based policy",
        ),
        (
            json!({"resourcePolicy": deny_all}),
            "with an explicit deny in a resource-based policy",
        ),
        (
            json!({"permissionsBoundary": deny}),
            "with an explicit deny in a permissions boundary",
        ),
        (
            json!({"sessionPolicies": [deny]}),
            "with an explicit deny in a session policy",
        ),
        (
            json!({"serviceControlPolicies": [[deny]]}),
            "with an explicit deny in a service control policy",
        ),
        (
            json!({"resourceControlPolicies": [[allow_all, deny_all]]}),
            "with an explicit deny in a resource control policy",
        ),
    ];
    for (fields, ending) in cases {
        let expected = format!(
            "User: {USER} is not authorized to perform: ecr:PutImage on resource: {REPOSITORY} {ending}"
        );
        assert_eq!(scenario(fields).denial_message(), expected);
    }
}

#[test]
fn denials_distinguish_resource_and_trust_policies() {
    let other = json!({"request": {"principal": "arn:aws:iam::444455556666:user/ben",
        "action": "ecr:PutImage", "resource": REPOSITORY},
        "identityPolicies": [statement("Allow", false)]});
    let message = Scenario::from_json(&other.to_string())
        .expect("a scenario")
        .denial_message();
    assert!(message.ends_with("because no resource-based policy allows the ecr:PutImage action"));
    let assume = json!({"request": {"principal": USER, "action": "sts:AssumeRole",
        "resource": "arn:aws:iam::111122223333:role/ci"}});
    let message = Scenario::from_json(&assume.to_string())
        .expect("a scenario")
        .denial_message();
    assert!(message.ends_with("because no role trust policy allows the sts:AssumeRole action"));
}

#[test]
fn an_implicit_denial_names_the_nearest_statement() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b"},
        {"Sid": "Push", "Effect": "Allow", "Action": "ecr:Put*", "Resource": REPOSITORY,
         "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}, "Bool": {"aws:SecureTransport": true}}}]});
    let scenario = Scenario::from_json(
        &json!({"request": {"principal": USER, "action": "ecr:PutImage", "resource": REPOSITORY,
                            "context": {"aws:SecureTransport": true}},
                "identityPolicies": [policy]})
        .to_string(),
    )
    .expect("a scenario");
    let explanation = scenario.explain();
    assert_eq!(explanation.reason, Reason::Identity);
    let [missing] = &explanation.missing[..] else {
        panic!("one policy type is silent: {explanation}")
    };
    let nearest = missing.nearest.as_ref().expect("a nearest statement");
    assert_eq!(nearest.statement.index, 1);
    assert_eq!(nearest.statement.sid.as_deref(), Some("Push"));
    assert_eq!(nearest.elements.len(), 1);
    insta::assert_snapshot!(explanation.to_string());
    insta::assert_json_snapshot!(explanation);
}

#[test]
fn principals_can_be_replaced_and_restored() {
    let text = r#"{ "Version": "2012-10-17",
      "Statement": [ {"Effect":"Allow", "Principal": {"Service": "ec2.amazonaws.com",
          "AWS": ["arn:aws:iam::111122223333:user/\u0061na", "111122223333"]},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/ana"}}},
      {"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"} ] }"#;
    let document = Document::parse(text, DocumentKind::Trust).expect("a trust policy");
    let named: Vec<&str> = document.principals().collect();
    assert_eq!(named, [USER, "111122223333"]);
    let pinned =
        document.map_principals(|name| (name == USER).then(|| "AIDAEXAMPLEEXAMPLE12".into()));
    assert_eq!(
        pinned,
        text.replace(
            r"arn:aws:iam::111122223333:user/\u0061na",
            "AIDAEXAMPLEEXAMPLE12"
        )
    );
    let stored = Document::parse(&pinned, DocumentKind::Trust).expect("still one");
    let shown = stored.map_principals(|id| id.starts_with("AIDA").then(|| USER.into()));
    assert_eq!(shown, text.replace(r"\u0061", "a"));
    assert_eq!(document.map_principals(|_| None), text);
}

#[test]
fn unknown_principals_have_the_message_of_the_service() {
    let error = PolicyError::invalid_principal(DocumentKind::Trust, USER);
    assert_eq!(error.code, PolicyErrorCode::MalformedPolicyDocument);
    assert_eq!(
        error.message,
        format!("Invalid principal in policy: \"AWS\":\"{USER}\"")
    );
    let error = PolicyError::invalid_principal(DocumentKind::EcrRepository, USER);
    assert_eq!(error.code.as_str(), "InvalidParameterException");
    assert!(
        error
            .message
            .ends_with("'Invalid repository policy provided'")
    );
    assert!(error.detail.contains(USER));
}

#[test]
fn invalid_scenarios_say_what_is_wrong() {
    for (text, words) in [
        ("{", "cannot be read"),
        ("{}", "`request` is missing"),
        (
            r#"{"request": {"principal": "nobody", "action": "a:b"}}"#,
            "`nobody` is not a principal",
        ),
        (
            r#"{"request": {"principal": "anonymous", "action": "a:b"}, "identityPolicy": []}"#,
            "unknown field `identityPolicy`",
        ),
        (
            r#"{"request": {"principal": "anonymous", "action": "a:b"}, "identityPolicies": [{}]}"#,
            "`identityPolicies[0]` is refused",
        ),
        (
            r#"{"request": {"principal": "anonymous", "action": "a:b"}, "expect": "Maybe"}"#,
            "not `Maybe`",
        ),
        (
            r#"{"request": {"principal": "anonymous", "action": "a:b", "context": {"k": {}}}}"#,
            "context key `k`",
        ),
    ] {
        // `expect` is read when a test asks for it.
        let read = Scenario::from_json(text);
        let read = read.and_then(|scenario| scenario.expect().map(|_| ()));
        let error = read.expect_err(text).to_string();
        assert!(error.contains(words), "{error}");
    }
    // A name can be any JSON value.
    let numbered = r#"{"name": 7, "request": {"principal": "anonymous", "action": "a:b"}}"#;
    let numbered = Scenario::from_json(numbered).expect("a scenario");
    assert_eq!(numbered.name(), Some("7"));
    let lines = "{\"request\": {\"principal\": \"anonymous\", \"action\": \"a:b\"}}\n".repeat(3);
    assert_eq!(
        Scenario::many_from_json(&lines)
            .iter()
            .filter(|read| read.is_ok())
            .count(),
        3
    );
}

#[test]
fn errors_have_positions_in_the_whole_text() {
    let fine = r#"{"request": {"principal": "anonymous", "action": "a:b"}}"#;
    for (bad, line, column) in [
        // A policy on lines of its own, and on the line of the one before.
        (
            "{\"request\": {\"principal\": \"anonymous\", \"action\": \"a:b\"},\n \"identityPolicies\": [\n  \
             {\"Statement\": {\"Effect\": \"Allow\",\n    \"Acton\": \"*\"}}]}",
            5,
            5,
        ),
        (
            r#"{"request": {"principal": "anonymous", "action": "a:b"}, "resourcePolicy": {"Id": "é", "Sid": 2}}"#,
            2,
            88,
        ),
        // A field of another type.
        (r#"{"request": {"principal": 5, "action": "a:b"}}"#, 2, 27),
        ("{\"request\":\n\n 5}", 4, 2),
        // No JSON.
        ("{\n,}", 3, 1),
    ] {
        for text in [format!("{fine}\n{bad}"), format!("[{fine},\n{bad}]")] {
            let read = Scenario::many_from_json(&text);
            let error = read.last().unwrap().as_ref().unwrap_err();
            let place = error.position().unwrap();
            assert_eq!(
                (place.line, place.column),
                (line, column),
                "{error}: {text}"
            );
            assert!(!error.to_string().contains(" line "), "{error}");
            let line = text.split_inclusive('\n').nth(line as usize - 1).unwrap();
            let (at, _) = line.char_indices().nth(column as usize - 1).unwrap();
            let offset = text.find(line).unwrap() + at;
            assert_eq!(place.offset as usize, offset);
        }
    }
}

#[test]
fn kinds_have_names_and_are_detected() {
    for kind in DocumentKind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert!(UnknownKind.to_string().contains(kind.name()));
    }
    assert!("policy".parse::<DocumentKind>().is_err());
    let with = |fields: &str| {
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{fields}}}}}"#)
    };
    for (fields, kind) in [
        (r#""Action":"ecr:*","Resource":"*""#, DocumentKind::Managed),
        (
            r#""Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}"#,
            DocumentKind::Trust,
        ),
        (
            r#""Action":"ecr:*","Principal":"*""#,
            DocumentKind::EcrRepository,
        ),
        (
            r#""Action":"ecr:ReplicateImage","Principal":"*","Resource":"*""#,
            DocumentKind::EcrRegistry,
        ),
        (
            r#""Action":"s3:*","Principal":"*","Resource":"*""#,
            DocumentKind::Resource,
        ),
        (r#""Action":7"#, DocumentKind::Managed),
    ] {
        assert_eq!(DocumentKind::detect(&with(fields)), kind, "{fields}");
    }
}

proptest! {
    #[test]
    fn parser_never_panics(text in "\\PC{0,200}") {
        let _ = Document::parse(&text, DocumentKind::Managed);
    }

    /// A valid document with one part cut out, doubled or replaced is read or refused, and
    /// a refusal points into the text.
    #[test]
    fn damaged_documents_do_not_panic(at in 0usize..400, length in 0usize..20, with in "[\\\\\"{}\\[\\],:*a0 ]{0,4}") {
        let text = r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Deny",
            "NotPrincipal":{"AWS":["111122223333","*"],"Service":"ec2.amazonaws.com"},"NotAction":["ecr:*"],
            "Resource":"arn:aws:ecr:*:111122223333:repository/${aws:username, 'x'}/*",
            "Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*",true,1.5e3]},
                         "DateLessThan":{"aws:CurrentTime":"2030-01-01"}}}]}"#;
        let start = at.min(text.len());
        let end = (start + length).min(text.len());
        let damaged = format!("{}{with}{}", &text[..start], &text[end..]);
        for kind in [DocumentKind::Managed, DocumentKind::Trust, DocumentKind::Resource, DocumentKind::EcrRegistry] {
            if let Err(error) = Document::parse(&damaged, kind) {
                prop_assert!(!error.message.is_empty());
                let offset = error.position.map_or(0, |position| position.offset as usize);
                prop_assert!(offset <= damaged.len());
            }
        }
    }
}
