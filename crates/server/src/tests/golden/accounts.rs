//! The account: its alias, its summary, all its entities.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_the_account() {
    let mut g = Golden::new(Service::Iam).await;
    let alias = |alias: &str| json!({"AccountAlias": alias});
    g.call("ListAccountAliases", "none", json!({})).await;
    g.call("CreateAccountAlias", "an alias", alias("acme"))
        .await;
    g.call(
        "CreateAccountAlias",
        "an alias in its place",
        alias("acme-builds"),
    )
    .await;
    g.call(
        "CreateAccountAlias",
        "the alias again",
        alias("acme-builds"),
    )
    .await;
    g.call("CreateAccountAlias", "other characters", alias("Acme"))
        .await;
    g.call("CreateAccountAlias", "too short", alias("ac")).await;
    g.call("CreateAccountAlias", "twelve digits", alias("111122223333"))
        .await;
    g.call("ListAccountAliases", "one", json!({})).await;
    g.call("DeleteAccountAlias", "another alias", alias("none"))
        .await;
    g.call("DeleteAccountAlias", "the alias", alias("acme-builds"))
        .await;
    g.call("DeleteAccountAlias", "no alias", alias("acme-builds"))
        .await;

    g.call(
        "GetAccountAuthorizationDetails",
        "an empty account",
        json!({"Filter": ["User", "Role", "Group", "LocalManagedPolicy"]}),
    )
    .await;
    let tags = || json!([{"Key": "team", "Value": "core"}]);
    let input = json!({"PolicyName": "push", "PolicyDocument": ALLOW, "Description": "Pushes."});
    g.given("CreatePolicy", input).await;
    let push = "arn:aws:iam::123456789012:policy/push";
    let input = json!({"UserName": "alice", "Tags": tags(), "PermissionsBoundary": push});
    g.given("CreateUser", input).await;
    g.given("CreateUser", json!({"UserName": "bob"})).await;
    g.given("CreateGroup", json!({"GroupName": "devs"})).await;
    g.given(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "alice"}),
    )
    .await;
    let input = json!({"RoleName": "ci", "AssumeRolePolicyDocument": TRUST, "Tags": tags()});
    g.given("CreateRole", input).await;
    let input = json!({"RoleName": "plain", "AssumeRolePolicyDocument": TRUST});
    g.given("CreateRole", input).await;
    g.given(
        "CreateInstanceProfile",
        json!({"InstanceProfileName": "ci"}),
    )
    .await;
    g.given(
        "AddRoleToInstanceProfile",
        json!({"InstanceProfileName": "ci", "RoleName": "ci"}),
    )
    .await;
    for (kind, name) in [("User", "alice"), ("Group", "devs"), ("Role", "ci")] {
        let key = format!("{kind}Name");
        let input = json!({&key: name, "PolicyName": "inline", "PolicyDocument": ALLOW});
        g.given(&format!("Put{kind}Policy"), input).await;
        g.given(
            &format!("Attach{kind}Policy"),
            json!({&key: name, "PolicyArn": push}),
        )
        .await;
    }
    let filter = |kinds: &[&str]| json!({"Filter": kinds});
    let operation = "GetAccountAuthorizationDetails";
    g.call(operation, "users", filter(&["User"])).await;
    g.call(operation, "groups", filter(&["Group"])).await;
    g.call(operation, "roles", filter(&["Role"])).await;
    g.call(
        operation,
        "policies of the account",
        filter(&["LocalManagedPolicy"]),
    )
    .await;
    g.call(
        operation,
        "policies of AWS: attached ones",
        filter(&["AWSManagedPolicy"]),
    )
    .await;
    let input = json!({"Filter": ["User"], "MaxItems": 1});
    g.call(operation, "a page", input).await;
    g.call(operation, "another kind", filter(&["Robot"])).await;

    g.call("GetAccountSummary", "counts and quotas", json!({}))
        .await;
    g.compare();
}
