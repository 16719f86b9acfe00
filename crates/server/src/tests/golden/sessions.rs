//! STS.

use super::*;

const CI: &str = "arn:aws:iam::123456789012:role/team/ci";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_sts() {
    let mut g = Golden::new(Service::Iam).await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;
    let input = json!({"RoleName": "ci", "Path": "/team/", "AssumeRolePolicyDocument": trust});
    g.given("CreateRole", input).await;
    let root = g.caller.clone();
    let everything = super::super::world::statement("Allow", &["*"], "*");
    let alice = g.world.user(&root, "alice", &everything).await;
    g.service = Service::Sts;

    g.call("GetCallerIdentity", "the root user", json!({}))
        .await;
    g.call(
        "AssumeRole",
        "the root user",
        json!({"RoleArn": CI, "RoleSessionName": "job1"}),
    )
    .await;
    g.caller = alice.clone();
    g.call("GetCallerIdentity", "a user", json!({})).await;

    let assume = |more: Value| {
        let mut input = json!({"RoleArn": CI, "RoleSessionName": "job1"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let session = g.call("AssumeRole", "a role", assume(json!({}))).await;
    let input = assume(
        json!({"Policy": ALLOW, "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        "Tags": [{"Key": "team", "Value": "core"}], "TransitiveTagKeys": ["team"], "SourceIdentity": "alice",
        "DurationSeconds": 900}),
    );
    g.call("AssumeRole", "policies, tags, a source identity", input)
        .await;
    let none = "arn:aws:iam::123456789012:role/none";
    g.call(
        "AssumeRole",
        "no such role",
        assume(json!({"RoleArn": none})),
    )
    .await;
    g.call(
        "AssumeRole",
        "not an ARN",
        assume(json!({"RoleArn": "nothing-valid-in-here"})),
    )
    .await;
    g.call(
        "AssumeRole",
        "a session name with other characters",
        assume(json!({"RoleSessionName": "job:1"})),
    )
    .await;
    g.call("AssumeRole", "no session name", json!({"RoleArn": CI}))
        .await;
    g.call(
        "AssumeRole",
        "a session that is too short",
        assume(json!({"DurationSeconds": 899})),
    )
    .await;
    g.call(
        "AssumeRole",
        "longer than the role's maximum",
        assume(json!({"DurationSeconds": 3601})),
    )
    .await;
    g.call(
        "AssumeRole",
        "longer than any role's maximum",
        assume(json!({"DurationSeconds": 43201})),
    )
    .await;
    g.call(
        "AssumeRole",
        "no JSON",
        assume(json!({"Policy": "not json"})),
    )
    .await;
    let text = ALLOW.replace("GetAuthorizationToken", &"x".repeat(2_100));
    g.call(
        "AssumeRole",
        "a policy over the limit",
        assume(json!({"Policy": text})),
    )
    .await;
    let input = json!({"PolicyArns": [{"arn": "arn:aws:iam::123456789012:policy/none"}]});
    g.call(
        "AssumeRole",
        "a session policy that does not exist",
        assume(input),
    )
    .await;
    let input = json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]});
    g.call("AssumeRole", "a tag key twice", assume(input)).await;
    let input = json!({"Tags": [{"Key": "aws:a", "Value": "1"}]});
    g.call("AssumeRole", "a tag of AWS", assume(input)).await;
    let input = json!({"Tags": [{"Key": "a", "Value": "1"}], "TransitiveTagKeys": ["b"]});
    g.call(
        "AssumeRole",
        "a transitive key without its tag",
        assume(input),
    )
    .await;
    let input =
        json!({"SerialNumber": "arn:aws:iam::123456789012:mfa/none", "TokenCode": "123456"});
    g.call("AssumeRole", "a device that does not exist", assume(input))
        .await;

    g.call("GetSessionToken", "a session", json!({})).await;
    g.call(
        "GetSessionToken",
        "a session that is too short",
        json!({"DurationSeconds": 899}),
    )
    .await;
    g.call(
        "GetSessionToken",
        "a session that is too long",
        json!({"DurationSeconds": 129_601}),
    )
    .await;
    let input =
        json!({"SerialNumber": "arn:aws:iam::123456789012:mfa/none", "TokenCode": "123456"});
    g.call("GetSessionToken", "a device that does not exist", input)
        .await;

    g.call(
        "GetFederationToken",
        "without policies",
        json!({"Name": "carol"}),
    )
    .await;
    let input = json!({"Name": "carol", "Policy": ALLOW, "Tags": [{"Key": "team", "Value": "core"}], "DurationSeconds": 900});
    g.call("GetFederationToken", "a policy and a tag", input)
        .await;
    g.call(
        "GetFederationToken",
        "no JSON",
        json!({"Name": "carol", "Policy": "not json"}),
    )
    .await;
    g.call(
        "GetFederationToken",
        "a name with other characters",
        json!({"Name": "a b"}),
    )
    .await;
    g.call(
        "GetFederationToken",
        "a name that is too short",
        json!({"Name": "c"}),
    )
    .await;
    g.call(
        "GetFederationToken",
        "a session that is too short",
        json!({"Name": "carol", "DurationSeconds": 899}),
    )
    .await;

    g.call(
        "GetAccessKeyInfo",
        "a user's key",
        json!({"AccessKeyId": alice.id}),
    )
    .await;
    g.call(
        "GetAccessKeyInfo",
        "a session's key",
        json!({"AccessKeyId": member(&session, "AccessKeyId")}),
    )
    .await;
    g.call(
        "GetAccessKeyInfo",
        "no key",
        json!({"AccessKeyId": "ABCDEFGHIJKLMNOP"}),
    )
    .await;
    let input = json!({"EncodedMessage": "none"});
    g.call(
        "DecodeAuthorizationMessage",
        "a message that was not made here",
        input,
    )
    .await;

    g.caller = Person {
        id: member(&session, "AccessKeyId").to_owned(),
        secret: member(&session, "SecretAccessKey").to_owned(),
        token: Some(member(&session, "SessionToken").to_owned()),
    };
    g.call("GetCallerIdentity", "a role session", json!({}))
        .await;
    g.call("GetSessionToken", "a role session", json!({})).await;
    g.call(
        "GetFederationToken",
        "a role session",
        json!({"Name": "carol"}),
    )
    .await;
    g.caller = g.world.user(&root, "nobody", "").await;
    g.call("AssumeRole", "a user who may not", assume(json!({})))
        .await;
    g.call(
        "GetFederationToken",
        "a user who may not",
        json!({"Name": "carol"}),
    )
    .await;
    g.call(
        "DecodeAuthorizationMessage",
        "a user who may not",
        json!({"EncodedMessage": "none"}),
    )
    .await;
    g.world.pass(5);
    g.caller.secret.push('x');
    g.call("GetCallerIdentity", "a wrong signature", json!({}))
        .await;
    g.caller.id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    g.call("GetCallerIdentity", "an unknown key", json!({}))
        .await;
    g.compare();
}
