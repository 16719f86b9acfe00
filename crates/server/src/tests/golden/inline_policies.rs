//! Inline policies of users, groups and roles.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_inline_policies() {
    let mut g = Golden::new(Service::Iam).await;
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    g.given("CreateGroup", json!({"GroupName": "devs"})).await;
    let input = json!({"RoleName": "ci", "AssumeRolePolicyDocument": TRUST});
    g.given("CreateRole", input).await;
    for (kind, name) in [("User", "alice"), ("Group", "devs"), ("Role", "ci")] {
        let key = format!("{kind}Name");
        let put = format!("Put{kind}Policy");
        let policy = |holder: &str, policy: &str, text: &str| json!({&key: holder, "PolicyName": policy, "PolicyDocument": text});
        g.call(&put, "a policy", policy(name, "push", ALLOW)).await;
        g.call(
            &put,
            "another document",
            policy(name, "push", &ALLOW.replace("\":", "\": ")),
        )
        .await;
        g.call(&put, "no JSON", policy(name, "p", "not json")).await;
        g.call(
            &put,
            "JSON behind white space",
            policy(name, "p", &format!("  {ALLOW}")),
        )
        .await;
        g.call(
            &put,
            "another version",
            policy(name, "p", &ALLOW.replace("2012", "2020")),
        )
        .await;
        g.call(
            &put,
            "no version",
            policy(name, "p", &ALLOW.replace(r#""Version":"2012-10-17","#, "")),
        )
        .await;
        let text = ALLOW.replace("ecr:GetAuthorizationToken", "invalid");
        g.call(
            &put,
            "an action without a service",
            policy(name, "p", &text),
        )
        .await;
        let text = ALLOW.replace(r#""Resource":"*""#, r#""Resource":"x""#);
        g.call(
            &put,
            "a resource that is not an ARN",
            policy(name, "p", &text),
        )
        .await;
        let text = ALLOW.replace(r#","Resource":"*""#, "");
        g.call(&put, "no resource", policy(name, "p", &text)).await;
        let text = ALLOW.replace(r#""Effect":"Allow""#, r#""Effect":"allow""#);
        g.call(&put, "another effect", policy(name, "p", &text))
            .await;
        let text = ALLOW.replace(r#""Effect""#, r#""Principal":"*","Effect""#);
        g.call(&put, "a principal", policy(name, "p", &text)).await;
        let text = ALLOW.replace("GetAuthorizationToken", &"x".repeat(11_000));
        g.call(&put, "a document over the limit", policy(name, "p", &text))
            .await;
        g.call(
            &put,
            "a name with other characters",
            policy(name, "a b", ALLOW),
        )
        .await;
        g.call(&put, "nobody", policy("nobody", "p", ALLOW)).await;

        let one = |holder: &str, policy: &str| json!({&key: holder, "PolicyName": policy});
        let get = format!("Get{kind}Policy");
        g.call(&get, "a policy, percent-encoded", one(name, "push"))
            .await;
        g.call(&get, "in another case", one(name, "PUSH")).await;
        g.call(&get, "no such policy", one(name, "none")).await;
        g.call(&get, "nobody", one("nobody", "push")).await;

        let list = format!("List{kind}Policies");
        g.call(&list, "one policy", json!({&key: name})).await;
        g.call(&list, "nobody", json!({&key: "nobody"})).await;

        let delete = format!("Delete{kind}Policy");
        g.call(&delete, "a policy", one(name, "push")).await;
        g.call(&delete, "no such policy", one(name, "push")).await;
        g.call(&delete, "nobody", one("nobody", "push")).await;
        g.call(&list, "none", json!({&key: name})).await;
    }
    g.compare();
}
