//! Access Analyzer's `ValidatePolicy`, over restJson1.

use aws_api::Service;
use aws_api::access_analyzer::{
    PolicyType, ValidatePolicyFindingType, ValidatePolicyRequest, ValidatePolicyResourceType, ops,
};
use http::Method;
use serde_json::{Value, json};

use super::sample;
use super::world::{World, statement};

const MISSPELT: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
    "Action": ["iam:PassRole", "ecr:PutImages"], "Resource": "*"}}"#;

fn identity(document: &str) -> ValidatePolicyRequest {
    ValidatePolicyRequest {
        policy_document: document.to_owned(),
        policy_type: PolicyType::IdentityPolicy,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_name_the_check_the_place_and_a_page() {
    let world = World::new().await;
    let input = identity(MISSPELT);
    let answer = world.aws::<ops::ValidatePolicy>(&world.root, &input).await;
    let findings = answer.unwrap().findings;
    let misspelt = findings
        .iter()
        .find(|finding| finding.issue_code == "INVALID_ACTION")
        .unwrap();
    assert_eq!(misspelt.finding_type, ValidatePolicyFindingType::Error);
    assert!(
        misspelt
            .finding_details
            .contains("Did you mean `ecr:PutImage`?")
    );
    assert!(
        misspelt
            .learn_more_link
            .starts_with("https://docs.aws.amazon.com/IAM/")
    );
    let [location] = misspelt.locations.as_slice() else {
        panic!("{misspelt:?}")
    };
    let path = location
        .path
        .iter()
        .map(|element| (element.index, element.value.as_deref()));
    let expected = [
        (None, Some("Statement")),
        (None, Some("Action")),
        (Some(1), None),
    ];
    assert_eq!(path.collect::<Vec<_>>(), expected);
    let (start, end) = (&location.span.start, &location.span.end);
    assert_eq!((start.line, start.column), (2, 31));
    let at = |offset: i32| usize::try_from(offset).unwrap();
    assert_eq!(
        &MISSPELT[at(start.offset)..at(end.offset)],
        "\"ecr:PutImages\""
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_come_page_by_page() {
    let world = World::new().await;
    let mut input = identity(MISSPELT);
    let all = world.aws::<ops::ValidatePolicy>(&world.root, &input).await;
    let all = all.unwrap().findings;
    assert!(all.len() > 1, "{all:?}");
    let mut listed = Vec::new();
    input.max_results = Some(1);
    loop {
        let page = world.aws::<ops::ValidatePolicy>(&world.root, &input).await;
        let page = page.unwrap();
        assert_eq!(page.findings.len(), 1);
        listed.extend(page.findings);
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    assert_eq!(listed, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_type_of_the_policy_decides_what_is_checked() {
    let world = World::new().await;
    let codes = async |policy_type, resource_type, document: &str| {
        let input = ValidatePolicyRequest {
            policy_type,
            validate_policy_resource_type: resource_type,
            ..identity(document)
        };
        let answer = world.aws::<ops::ValidatePolicy>(&world.root, &input).await;
        let findings = answer.unwrap().findings.into_iter();
        findings
            .filter(|finding| finding.finding_type == ValidatePolicyFindingType::Error)
            .map(|finding| finding.issue_code)
            .collect::<Vec<_>>()
    };
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}"#;
    let repository = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow",
        "Principal": {"AWS": "123456789012"}, "Action": "ecr:BatchGetImage"}]}"#;
    let role = ValidatePolicyResourceType::AwsIamAssumeRolePolicyDocument;
    let none: Vec<String> = Vec::new();
    assert_eq!(
        codes(PolicyType::ResourcePolicy, Some(role), trust).await,
        none
    );
    // AWS has no resource type for repositories.
    assert_eq!(
        codes(PolicyType::ResourcePolicy, None, repository).await,
        none
    );
    for policy_type in [
        PolicyType::IdentityPolicy,
        PolicyType::ServiceControlPolicy,
        PolicyType::ResourceControlPolicy,
    ] {
        assert_ne!(codes(policy_type, None, trust).await, none);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_model_does_not_take_is_refused_by_field() {
    let world = World::new().await;
    let validate = Service::AccessAnalyzer.operation("ValidatePolicy").unwrap();
    let call = async |input: Value| {
        let sent = sample::request(validate, &input);
        let service = Service::AccessAnalyzer;
        let reply = world.call_operation(&world.root, service, &sent).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.header("x-amzn-errortype"), "ValidationException");
        assert_eq!(reply.header("content-type"), "application/json");
        serde_json::from_slice::<Value>(&reply.body).unwrap()
    };
    let wrong = call(json!({"policyDocument": "{}", "policyType": "NO_SUCH"})).await;
    assert_eq!(wrong["reason"], "fieldValidationFailed");
    assert_eq!(wrong["fieldList"][0]["name"], "policyType");
    let missing = call(json!({"policyType": "IDENTITY_POLICY"})).await;
    assert_eq!(missing["fieldList"][0]["name"], "policyDocument");
    let base = json!({"policyDocument": "{}", "policyType": "IDENTITY_POLICY"});
    for (member, value, reason) in [
        ("maxResults", json!(0), "fieldValidationFailed"),
        ("maxResults", json!("many"), "cannotParse"),
        ("nextToken", json!("eA"), "fieldValidationFailed"),
        ("policyDocument", json!(7), "cannotParse"),
        (
            "validatePolicyResourceType",
            json!("AWS::S3::Bucket"),
            "fieldValidationFailed",
        ),
    ] {
        let mut input = base.clone();
        input[member] = value;
        let refused = call(input).await;
        assert_eq!(refused["reason"], reason, "{member}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_policy_allows_it_and_its_event_names_it() {
    let world = World::new().await;
    let validate = statement("Allow", &["access-analyzer:ValidatePolicy"], "*");
    let alice = world.user(&world.root, "alice", &validate).await;
    let bob = world.user(&world.root, "bob", "").await;
    let input = identity("not json");
    let answer = world.aws::<ops::ValidatePolicy>(&alice, &input).await;
    assert_eq!(answer.unwrap().findings.len(), 1);
    let refused = world.aws::<ops::ValidatePolicy>(&bob, &input).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "AccessDeniedException")
    );
    let events = world.stop().await;
    let mut events = events
        .iter()
        .filter(|event| event["eventName"] == "ValidatePolicy");
    let event = events.next().unwrap();
    assert_eq!(event["eventSource"], "access-analyzer.amazonaws.com");
    assert_eq!(event["readOnly"], true);
    assert_eq!(event["userIdentity"]["userName"], "alice");
    assert_eq!(events.next().unwrap()["errorCode"], "AccessDeniedException");
}

/// The signature's service says which API a path is of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_is_of_the_signatures_service() {
    let world = World::new().await;
    let validate = Service::AccessAnalyzer.operation("ValidatePolicy").unwrap();
    let input = json!({"policyDocument": "{}", "policyType": "IDENTITY_POLICY"});
    let sent = sample::request(validate, &input);
    let reply = world.call_operation(&world.root, Service::Sts, &sent).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("There is no operation at this path."));
    let mut elsewhere = sample::request(validate, &input);
    elsewhere.path = "/policy/validations".to_owned();
    for method in [Method::POST, Method::GET] {
        elsewhere.method = method;
        let service = Service::AccessAnalyzer;
        let reply = world.call_operation(&world.root, service, &elsewhere).await;
        assert_eq!(reply.status, 404, "{}", reply.text());
        assert_eq!(
            reply.header("x-amzn-errortype"),
            "UnknownOperationException"
        );
    }
}
