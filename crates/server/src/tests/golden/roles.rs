//! Roles.

use super::*;

const BOUNDARY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_roles() {
    let mut g = Golden::new(Service::Iam).await;
    let ci = || json!({"RoleName": "ci"});
    let none = || json!({"RoleName": "none"});
    let create =
        |name: &str, trust: &str| json!({"RoleName": name, "AssumeRolePolicyDocument": trust});
    g.call("CreateRole", "a role", create("ci", TRUST)).await;
    let input = json!({"RoleName": "deploy", "Path": "/team/", "Description": "Deploys.", "MaxSessionDuration": 7200,
        "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": BOUNDARY,
        "Tags": [{"Key": "team", "Value": "core"}]});
    g.call("CreateRole", "a role with everything", input).await;
    g.call("CreateRole", "a name that is taken", create("CI", TRUST))
        .await;
    g.call(
        "CreateRole",
        "a name with other characters",
        create("a b", TRUST),
    )
    .await;
    g.call("CreateRole", "no JSON", create("r", "not json"))
        .await;
    g.call(
        "CreateRole",
        "JSON behind white space",
        create("r", &format!(" {TRUST}")),
    )
    .await;
    g.call("CreateRole", "an empty document", create("r", "{}"))
        .await;
    let trust = TRUST.replace("sts:AssumeRole", "ecr:PutImage");
    g.call(
        "CreateRole",
        "an action of another service",
        create("r", &trust),
    )
    .await;
    let trust = TRUST.replace(r#""Action""#, r#""Resource":"*","Action""#);
    g.call("CreateRole", "a resource", create("r", &trust))
        .await;
    let trust = TRUST.replace(r#""Principal":{"Service":"ec2.amazonaws.com"},"#, "");
    g.call("CreateRole", "no principal", create("r", &trust))
        .await;
    let trust = TRUST.replace(
        r#"{"Service":"ec2.amazonaws.com"}"#,
        r#"{"AWS":"arn:aws:iam::123456789012:user/none"}"#,
    );
    g.call(
        "CreateRole",
        "a principal that does not exist",
        create("r", &trust),
    )
    .await;
    let mut input = create("r", TRUST);
    input["MaxSessionDuration"] = 100.into();
    g.call("CreateRole", "sessions that are too short", input)
        .await;
    let mut input = create("r", TRUST);
    input["PermissionsBoundary"] = "arn:aws:iam::123456789012:policy/none".into();
    g.call("CreateRole", "a boundary that does not exist", input)
        .await;
    let mut input = create("r", TRUST);
    input["Description"] = "x".repeat(1001).into();
    g.call("CreateRole", "a description that is too long", input)
        .await;

    g.call("GetRole", "a role", ci()).await;
    g.call(
        "GetRole",
        "a role with everything",
        json!({"RoleName": "deploy"}),
    )
    .await;
    g.call("GetRole", "no such role", none()).await;
    g.call(
        "ListRoles",
        "all, without tags, boundaries and last use",
        json!({}),
    )
    .await;
    g.call(
        "ListRoles",
        "a path prefix",
        json!({"PathPrefix": "/team/"}),
    )
    .await;
    g.call("ListRoles", "a page", json!({"MaxItems": 1})).await;

    let input = json!({"RoleName": "ci", "Description": "Builds.", "MaxSessionDuration": 7200});
    g.call("UpdateRole", "a description and a duration", input)
        .await;
    g.call("UpdateRole", "nothing", ci()).await;
    g.call(
        "UpdateRole",
        "sessions that are too long",
        json!({"RoleName": "ci", "MaxSessionDuration": 43201}),
    )
    .await;
    g.call("UpdateRole", "no such role", none()).await;
    let input = json!({"RoleName": "deploy", "Description": "Deploys it."});
    g.call("UpdateRoleDescription", "a role with everything", input)
        .await;
    let input = json!({"RoleName": "none", "Description": ""});
    g.call("UpdateRoleDescription", "no such role", input).await;
    let trust = |name: &str, text: &str| json!({"RoleName": name, "PolicyDocument": text});
    g.call(
        "UpdateAssumeRolePolicy",
        "another policy",
        trust("ci", TRUST),
    )
    .await;
    g.call("UpdateAssumeRolePolicy", "no JSON", trust("ci", "not json"))
        .await;
    let condition = format!(
        r#","Condition":{{"StringEquals":{{"aws:SourceAccount":"{}"}}}}}}]"#,
        "1".repeat(2_048)
    );
    let text = TRUST.replace("}]", &condition);
    g.call(
        "UpdateAssumeRolePolicy",
        "a document over the limit",
        trust("ci", &text),
    )
    .await;
    g.call(
        "UpdateAssumeRolePolicy",
        "no such role",
        trust("none", TRUST),
    )
    .await;

    let tag =
        |name: &str, key: &str| json!({"RoleName": name, "Tags": [{"Key": key, "Value": "v"}]});
    g.call("TagRole", "a tag", tag("ci", "stage")).await;
    g.call("TagRole", "a key of AWS", tag("ci", "aws:x")).await;
    g.call("TagRole", "no such role", tag("none", "k")).await;
    g.call("ListRoleTags", "a tag", ci()).await;
    g.call("ListRoleTags", "no such role", none()).await;
    g.call(
        "UntagRole",
        "a tag in another case",
        json!({"RoleName": "ci", "TagKeys": ["STAGE"]}),
    )
    .await;
    g.call(
        "UntagRole",
        "no such role",
        json!({"RoleName": "none", "TagKeys": ["k"]}),
    )
    .await;
    g.call("ListRoleTags", "none", ci()).await;

    let put = |name: &str, arn: &str| json!({"RoleName": name, "PermissionsBoundary": arn});
    g.call(
        "PutRolePermissionsBoundary",
        "a boundary",
        put("ci", BOUNDARY),
    )
    .await;
    let missing = "arn:aws:iam::123456789012:policy/none";
    g.call(
        "PutRolePermissionsBoundary",
        "no such policy",
        put("ci", missing),
    )
    .await;
    g.call(
        "PutRolePermissionsBoundary",
        "not an ARN",
        put("ci", "longpolicynamebutnoarn"),
    )
    .await;
    g.call(
        "PutRolePermissionsBoundary",
        "no such role",
        put("none", BOUNDARY),
    )
    .await;
    g.call("DeleteRolePermissionsBoundary", "a boundary", ci())
        .await;
    g.call("DeleteRolePermissionsBoundary", "no boundary", ci())
        .await;
    g.call("DeleteRolePermissionsBoundary", "no such role", none())
        .await;

    g.given(
        "CreateInstanceProfile",
        json!({"InstanceProfileName": "ci"}),
    )
    .await;
    let both = json!({"InstanceProfileName": "ci", "RoleName": "ci"});
    g.given("AddRoleToInstanceProfile", both.clone()).await;
    g.call("ListInstanceProfilesForRole", "one profile", ci())
        .await;
    g.call(
        "ListInstanceProfilesForRole",
        "none",
        json!({"RoleName": "deploy"}),
    )
    .await;
    g.call("ListInstanceProfilesForRole", "no such role", none())
        .await;

    g.call("DeleteRole", "a role in an instance profile", ci())
        .await;
    g.given("RemoveRoleFromInstanceProfile", both).await;
    let attach = json!({"RoleName": "ci", "PolicyArn": BOUNDARY});
    g.given("AttachRolePolicy", attach.clone()).await;
    g.call("DeleteRole", "a role with managed policies", ci())
        .await;
    g.given("DetachRolePolicy", attach).await;
    let input = json!({"RoleName": "ci", "PolicyName": "p", "PolicyDocument": ALLOW});
    g.given("PutRolePolicy", input).await;
    g.call("DeleteRole", "a role with inline policies", ci())
        .await;
    g.given(
        "DeleteRolePolicy",
        json!({"RoleName": "ci", "PolicyName": "p"}),
    )
    .await;
    g.call("DeleteRole", "a role with nothing", ci()).await;
    g.call("DeleteRole", "no such role", none()).await;
    g.compare();
}
