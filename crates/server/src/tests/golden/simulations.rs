//! The policy simulator.

use super::*;

const A: &str = "arn:aws:s3:::bucket/a";
const B: &str = "arn:aws:s3:::bucket/b";

fn one(effect: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
    )
}

fn tagged(effect: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"s3:GetObject","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"${{aws:username}}"}}}}}}]}}"#
    )
}

fn entry(entry: Value) -> Value {
    json!({"ContextEntries": [entry]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_the_simulator() {
    let mut g = Golden::new(Service::Iam).await;
    let custom = |policies: &[String], more: Value| {
        let mut input = json!({"PolicyInputList": policies, "ActionNames": ["s3:GetObject"]});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let allow = || vec![one("Allow", "*")];
    let operation = "SimulateCustomPolicy";
    g.call(operation, "allowed", custom(&allow(), json!({})))
        .await;
    g.call(
        operation,
        "two resources",
        custom(&[one("Allow", A)], json!({"ResourceArns": [A, B]})),
    )
    .await;
    let input = custom(
        &[one("Allow", "*"), one("Deny", B)],
        json!({"ResourceArns": [B]}),
    );
    g.call(operation, "denied", input).await;
    let boundary =
        json!({"PermissionsBoundaryPolicyInputList": [one("Allow", A)], "ResourceArns": [B]});
    g.call(operation, "a boundary", custom(&allow(), boundary))
        .await;
    g.call(
        operation,
        "context that is missing",
        custom(&[tagged("Allow")], json!({})),
    )
    .await;
    let context = json!({"ContextEntries": [
        {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyType": "string", "ContextKeyValues": ["x"]},
        {"ContextKeyName": "aws:username", "ContextKeyType": "string", "ContextKeyValues": ["x"]}]});
    g.call(operation, "context", custom(&[tagged("Allow")], context))
        .await;
    let page = json!({"ActionNames": ["s3:GetObject", "s3:PutObject"], "MaxItems": 1});
    g.call(operation, "a page", custom(&allow(), page)).await;
    g.call(
        operation,
        "no JSON",
        custom(&["not json".to_owned()], json!({})),
    )
    .await;

    let refused = [
        (
            "two boundaries",
            json!({"PermissionsBoundaryPolicyInputList": [one("Allow", A), one("Allow", B)]}),
        ),
        (
            "an action without a service",
            json!({"ActionNames": ["GetObject"]}),
        ),
        (
            "actions that AWS knows and others",
            json!({"ActionNames": ["s3:GetObject", "s3:*"], "ResourceArns": [A]}),
        ),
        (
            "a resource that is not an ARN",
            json!({"ResourceArns": ["x"]}),
        ),
        (
            "a resource without a service",
            json!({"ResourceArns": ["arn:aws::::name"]}),
        ),
        ("all resources and one", json!({"ResourceArns": ["*", A]})),
        (
            "a context key without a name",
            entry(json!({"ContextKeyType": "string", "ContextKeyValues": ["x"]})),
        ),
        (
            "a context key without a type",
            entry(json!({"ContextKeyName": "k:key", "ContextKeyValues": ["x"]})),
        ),
        (
            "a context key without values",
            entry(json!({"ContextKeyName": "k:key", "ContextKeyType": "string"})),
        ),
        (
            "no number",
            entry(
                json!({"ContextKeyName": "k:key", "ContextKeyType": "numeric", "ContextKeyValues": ["0x10"]}),
            ),
        ),
        (
            "no address",
            entry(
                json!({"ContextKeyName": "k:key", "ContextKeyType": "ip", "ContextKeyValues": ["192.0.2.0/24"]}),
            ),
        ),
        (
            "no base64",
            entry(
                json!({"ContextKeyName": "k:key", "ContextKeyType": "binary", "ContextKeyValues": ["YQ"]}),
            ),
        ),
        (
            "a resource policy without a caller",
            json!({"ResourcePolicy": one("Allow", A), "ResourceArns": [A]}),
        ),
        (
            "an owner that is not an account",
            json!({"ResourceOwner": "123456789012"}),
        ),
    ];
    for (title, more) in refused {
        g.call(operation, title, custom(&allow(), more)).await;
    }
    let more = json!({
        "ActionNames": ["iam:GetUser", "sqs:SendMessage"],
        "ResourceArns": [
            "arn:aws-cn:sqs:cn-north-1:123456789012:one",
            "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:two",
        ],
    });
    let title = "an action that does not act on the resources";
    g.call(operation, title, custom(&allow(), more)).await;

    let input = json!({"PolicyName": "read", "PolicyDocument": one("Allow", "*")});
    g.given("CreatePolicy", input).await;
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    g.given("CreateGroup", json!({"GroupName": "devs"})).await;
    g.given(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "alice"}),
    )
    .await;
    let input = json!({"UserName": "alice", "PolicyArn": "arn:aws:iam::123456789012:policy/read"});
    g.given("AttachUserPolicy", input).await;
    let input =
        json!({"GroupName": "devs", "PolicyName": "tagged", "PolicyDocument": tagged("Deny")});
    g.given("PutGroupPolicy", input).await;
    let principal = |source: &str| json!({"PolicySourceArn": source, "ActionNames": ["s3:GetObject", "s3:PutObject"]});
    let alice = "arn:aws:iam::123456789012:user/alice";
    let operation = "SimulatePrincipalPolicy";
    g.call(operation, "a user", principal(alice)).await;
    g.call(
        operation,
        "a group",
        principal("arn:aws:iam::123456789012:group/devs"),
    )
    .await;
    let none = "arn:aws:iam::123456789012:user/none";
    g.call(operation, "no such user", principal(none)).await;
    g.call(
        operation,
        "another account's",
        principal("arn:aws:iam::444455556666:user/alice"),
    )
    .await;

    let operation = "GetContextKeysForCustomPolicy";
    g.call(
        operation,
        "two keys",
        json!({"PolicyInputList": [tagged("Allow")]}),
    )
    .await;
    g.call(operation, "none", json!({"PolicyInputList": allow()}))
        .await;
    g.call(
        operation,
        "no JSON",
        json!({"PolicyInputList": ["not json"]}),
    )
    .await;
    let operation = "GetContextKeysForPrincipalPolicy";
    g.call(operation, "a user", json!({"PolicySourceArn": alice}))
        .await;
    g.call(operation, "no such user", json!({"PolicySourceArn": none}))
        .await;
    g.compare();
}
