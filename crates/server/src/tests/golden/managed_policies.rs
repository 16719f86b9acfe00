//! Managed policies, their versions, tags and attachments.

use super::*;

const MANAGED: &str = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly";
const PUSH: &str = "arn:aws:iam::123456789012:policy/team/push";
const NONE: &str = "arn:aws:iam::123456789012:policy/none";

fn of(arn: &str) -> Value {
    json!({"PolicyArn": arn})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_managed_policies() {
    let mut g = Golden::new(Service::Iam).await;
    let create = |name: &str, text: &str| json!({"PolicyName": name, "PolicyDocument": text});
    let input = json!({"PolicyName": "push", "Path": "/team/", "Description": "Pushes.", "PolicyDocument": ALLOW,
        "Tags": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]});
    g.call(
        "CreatePolicy",
        "a policy with a path, a description and tags",
        input,
    )
    .await;
    g.call("CreatePolicy", "a policy", create("plain", ALLOW))
        .await;
    g.call(
        "CreatePolicy",
        "a name that is taken",
        create("PLAIN", ALLOW),
    )
    .await;
    g.call("CreatePolicy", "no JSON", create("p", "not json"))
        .await;
    g.call(
        "CreatePolicy",
        "no version",
        create("p", &ALLOW.replace(r#""Version":"2012-10-17","#, "")),
    )
    .await;
    g.call(
        "CreatePolicy",
        "an older version",
        create("p", &ALLOW.replace("2012-10-17", "2008-10-17")),
    )
    .await;
    let text = ALLOW.replace("GetAuthorizationToken", &"x".repeat(6_200));
    g.call(
        "CreatePolicy",
        "a document over the limit",
        create("p", &text),
    )
    .await;
    let input = json!({"PolicyName": "p", "PolicyDocument": ALLOW,
        "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]});
    g.call("CreatePolicy", "a tag key twice", input).await;

    g.call("GetPolicy", "with tags", of(PUSH)).await;
    g.call(
        "GetPolicy",
        "without tags",
        of("arn:aws:iam::123456789012:policy/plain"),
    )
    .await;
    g.call("GetPolicy", "of AWS", of(MANAGED)).await;
    g.call("GetPolicy", "no such policy", of(NONE)).await;
    g.call(
        "GetPolicy",
        "no such policy of AWS",
        of("arn:aws:iam::aws:policy/Nonexistent"),
    )
    .await;
    g.call("GetPolicy", "not an ARN", of("longpolicynamebutnoarn"))
        .await;
    g.call("GetPolicy", "too short for an ARN", of("push"))
        .await;
    g.call(
        "GetPolicy",
        "another partition",
        of("arn:aws-cn:iam::123456789012:policy/plain"),
    )
    .await;
    g.call(
        "GetPolicy",
        "an ARN of a user",
        of("arn:aws:iam::123456789012:user/alice"),
    )
    .await;
    g.call(
        "GetPolicy",
        "another account's",
        of("arn:aws:iam::444455556666:policy/plain"),
    )
    .await;

    g.call("ListPolicies", "of the account", json!({"Scope": "Local"}))
        .await;
    g.call(
        "ListPolicies",
        "a path prefix",
        json!({"Scope": "Local", "PathPrefix": "/team/"}),
    )
    .await;
    let input = json!({"Scope": "AWS", "PathPrefix": "/aws-service-role/", "MaxItems": 1});
    g.call("ListPolicies", "a page of AWS's", input).await;
    g.call(
        "ListPolicies",
        "attached ones",
        json!({"Scope": "Local", "OnlyAttached": true}),
    )
    .await;
    g.call("ListPolicies", "another scope", json!({"Scope": "Mine"}))
        .await;

    let version = |arn: &str, text: &str, default: bool| json!({"PolicyArn": arn, "PolicyDocument": text, "SetAsDefault": default});
    g.call(
        "CreatePolicyVersion",
        "the default",
        version(PUSH, ALLOW, true),
    )
    .await;
    for _ in 0..3 {
        g.given("CreatePolicyVersion", version(PUSH, ALLOW, false))
            .await;
    }
    g.call(
        "CreatePolicyVersion",
        "a sixth version",
        version(PUSH, ALLOW, false),
    )
    .await;
    g.call(
        "CreatePolicyVersion",
        "no JSON",
        version(PUSH, "not json", false),
    )
    .await;
    g.call(
        "CreatePolicyVersion",
        "no such policy",
        version(NONE, ALLOW, false),
    )
    .await;
    g.call(
        "CreatePolicyVersion",
        "a policy of AWS",
        version(MANAGED, ALLOW, false),
    )
    .await;

    let one = |arn: &str, id: &str| json!({"PolicyArn": arn, "VersionId": id});
    g.call(
        "GetPolicyVersion",
        "with its document, percent-encoded",
        one(PUSH, "v2"),
    )
    .await;
    g.call("GetPolicyVersion", "no such version", one(PUSH, "v9"))
        .await;
    g.call("GetPolicyVersion", "no such policy", one(NONE, "v1"))
        .await;
    g.call("GetPolicyVersion", "not a version", one(PUSH, "2"))
        .await;
    g.call(
        "ListPolicyVersions",
        "the newest first, without documents",
        of(PUSH),
    )
    .await;
    g.call(
        "ListPolicyVersions",
        "a page",
        json!({"PolicyArn": PUSH, "MaxItems": 2}),
    )
    .await;
    g.call("ListPolicyVersions", "no such policy", of(NONE))
        .await;
    g.call(
        "SetDefaultPolicyVersion",
        "an older version",
        one(PUSH, "v1"),
    )
    .await;
    g.call(
        "SetDefaultPolicyVersion",
        "no such version",
        one(PUSH, "v9"),
    )
    .await;
    g.call(
        "SetDefaultPolicyVersion",
        "a policy of AWS",
        one(MANAGED, "v1"),
    )
    .await;
    g.call("DeletePolicyVersion", "a version", one(PUSH, "v3"))
        .await;
    g.call(
        "DeletePolicyVersion",
        "the default version",
        one(PUSH, "v1"),
    )
    .await;
    g.call("DeletePolicyVersion", "no such version", one(PUSH, "v3"))
        .await;

    g.call(
        "TagPolicy",
        "keys differ in case",
        json!({"PolicyArn": PUSH, "Tags": [{"Key": "A", "Value": ""}]}),
    )
    .await;
    let input = json!({"PolicyArn": NONE, "Tags": [{"Key": "A", "Value": ""}]});
    g.call("TagPolicy", "no such policy", input).await;
    g.call("ListPolicyTags", "in the order of their keys", of(PUSH))
        .await;
    g.call("ListPolicyTags", "no such policy", of(NONE)).await;
    g.call(
        "UntagPolicy",
        "one of two",
        json!({"PolicyArn": PUSH, "TagKeys": ["a", "none"]}),
    )
    .await;
    g.call(
        "UntagPolicy",
        "no such policy",
        json!({"PolicyArn": NONE, "TagKeys": ["a"]}),
    )
    .await;

    g.call("DeletePolicy", "a policy with versions", of(PUSH))
        .await;
    let attach = json!({"UserName": "alice", "PolicyArn": PUSH});
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    g.given("AttachUserPolicy", attach.clone()).await;
    g.call("DeletePolicy", "an attached policy", of(PUSH)).await;
    g.call("DeletePolicy", "a policy of AWS", of(MANAGED)).await;
    g.call("DeletePolicy", "no such policy", of(NONE)).await;
    g.call("DeletePolicy", "not an ARN", of("longpolicynamebutnoarn"))
        .await;
    g.call(
        "DeletePolicy",
        "a policy",
        of("arn:aws:iam::123456789012:policy/plain"),
    )
    .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_attachments() {
    let mut g = Golden::new(Service::Iam).await;
    let input = json!({"PolicyName": "push", "Path": "/team/", "PolicyDocument": ALLOW});
    g.given("CreatePolicy", input).await;
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    g.given("CreateGroup", json!({"GroupName": "devs"})).await;
    let input =
        json!({"RoleName": "ci", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": PUSH});
    g.given("CreateRole", input).await;
    for (kind, name) in [("User", "alice"), ("Group", "devs"), ("Role", "ci")] {
        let key = format!("{kind}Name");
        let both = |holder: &str, arn: &str| json!({&key: holder, "PolicyArn": arn});
        let attach = format!("Attach{kind}Policy");
        g.call(&attach, "a policy", both(name, PUSH)).await;
        g.call(&attach, "a policy again", both(name, PUSH)).await;
        g.call(&attach, "a policy of AWS", both(name, MANAGED))
            .await;
        g.call(&attach, "no such policy", both(name, NONE)).await;
        g.call(&attach, "not an ARN", both(name, "longpolicynamebutnoarn"))
            .await;
        g.call(&attach, "too short for an ARN", both(name, "push"))
            .await;
        g.call(
            &attach,
            "another partition",
            both(name, "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"),
        )
        .await;
        g.call(
            &attach,
            "an ARN twice",
            both(name, &PUSH.replace("team/push", PUSH)),
        )
        .await;
        g.call(&attach, "nobody", both("nobody", PUSH)).await;
        let input = both(
            name,
            "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy",
        );
        g.call(&attach, "a policy of a service-linked role", input)
            .await;

        let list = format!("ListAttached{kind}Policies");
        g.call(&list, "two policies", json!({&key: name})).await;
        g.call(
            &list,
            "a path prefix",
            json!({&key: name, "PathPrefix": "/team/"}),
        )
        .await;
        g.call(&list, "a page", json!({&key: name, "MaxItems": 1}))
            .await;
        g.call(&list, "nobody", json!({&key: "nobody"})).await;
    }
    g.call(
        "ListEntitiesForPolicy",
        "attached, and a boundary",
        of(PUSH),
    )
    .await;
    let input = json!({"PolicyArn": PUSH, "EntityFilter": "Group"});
    g.call("ListEntitiesForPolicy", "groups", input).await;
    let input = json!({"PolicyArn": PUSH, "PolicyUsageFilter": "PermissionsBoundary"});
    g.call("ListEntitiesForPolicy", "boundaries", input).await;
    g.call("ListEntitiesForPolicy", "no such policy", of(NONE))
        .await;
    for (kind, name) in [("User", "alice"), ("Group", "devs"), ("Role", "ci")] {
        let key = format!("{kind}Name");
        let both = |holder: &str, arn: &str| json!({&key: holder, "PolicyArn": arn});
        let detach = format!("Detach{kind}Policy");
        g.call(&detach, "a policy", both(name, PUSH)).await;
        g.call(&detach, "a policy that is not attached", both(name, PUSH))
            .await;
        g.call(&detach, "no such policy", both(name, NONE)).await;
        g.call(&detach, "not an ARN", both(name, "longpolicynamebutnoarn"))
            .await;
        g.call(&detach, "nobody", both("nobody", PUSH)).await;
        let list = format!("ListAttached{kind}Policies");
        g.given(&detach, both(name, MANAGED)).await;
        g.call(&list, "none", json!({&key: name})).await;
    }
    g.compare();
}
