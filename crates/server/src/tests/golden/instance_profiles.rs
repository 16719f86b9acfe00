//! Instance profiles.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_instance_profiles() {
    let mut g = Golden::new(Service::Iam).await;
    let web = || json!({"InstanceProfileName": "web"});
    let none = || json!({"InstanceProfileName": "none"});
    let input = json!({"InstanceProfileName": "web", "Path": "/team/",
        "Tags": [{"Key": "b", "Value": "1"}, {"Key": "B", "Value": "2"}]});
    g.call(
        "CreateInstanceProfile",
        "a profile with a path and tags",
        input,
    )
    .await;
    g.call(
        "CreateInstanceProfile",
        "a profile",
        json!({"InstanceProfileName": "plain"}),
    )
    .await;
    g.call(
        "CreateInstanceProfile",
        "a name that is taken",
        json!({"InstanceProfileName": "WEB"}),
    )
    .await;
    g.call(
        "CreateInstanceProfile",
        "a name with other characters",
        json!({"InstanceProfileName": "a b"}),
    )
    .await;

    let input =
        json!({"RoleName": "ci", "AssumeRolePolicyDocument": TRUST, "Description": "Builds."});
    g.given("CreateRole", input).await;
    let input = json!({"RoleName": "second", "AssumeRolePolicyDocument": TRUST});
    g.given("CreateRole", input).await;
    let both =
        |profile: &str, role: &str| json!({"InstanceProfileName": profile, "RoleName": role});
    g.call("AddRoleToInstanceProfile", "a role", both("web", "ci"))
        .await;
    g.call(
        "AddRoleToInstanceProfile",
        "a second role",
        both("web", "second"),
    )
    .await;
    g.call(
        "AddRoleToInstanceProfile",
        "the same role",
        both("web", "ci"),
    )
    .await;
    g.call(
        "AddRoleToInstanceProfile",
        "no such profile",
        both("none", "ci"),
    )
    .await;
    g.call(
        "AddRoleToInstanceProfile",
        "no such role",
        both("plain", "none"),
    )
    .await;
    g.call("AddRoleToInstanceProfile", "neither", both("none", "none"))
        .await;

    g.call("GetInstanceProfile", "with a role and tags", web())
        .await;
    g.call(
        "GetInstanceProfile",
        "without",
        json!({"InstanceProfileName": "plain"}),
    )
    .await;
    g.call("GetInstanceProfile", "no such profile", none())
        .await;
    g.call("ListInstanceProfiles", "all, without tags", json!({}))
        .await;
    g.call(
        "ListInstanceProfiles",
        "a path prefix",
        json!({"PathPrefix": "/none/"}),
    )
    .await;
    g.call("ListInstanceProfiles", "a page", json!({"MaxItems": 1}))
        .await;

    let tag = |name: &str, key: &str| json!({"InstanceProfileName": name, "Tags": [{"Key": key, "Value": "v"}]});
    g.call("TagInstanceProfile", "a tag", tag("web", "a")).await;
    g.call("TagInstanceProfile", "no such profile", tag("none", "a"))
        .await;
    g.call(
        "ListInstanceProfileTags",
        "in the order of their keys",
        web(),
    )
    .await;
    g.call("ListInstanceProfileTags", "no such profile", none())
        .await;
    let input = json!({"InstanceProfileName": "web", "TagKeys": ["b"]});
    g.call("UntagInstanceProfile", "a tag", input).await;
    let input = json!({"InstanceProfileName": "none", "TagKeys": ["b"]});
    g.call("UntagInstanceProfile", "no such profile", input)
        .await;

    g.call(
        "RemoveRoleFromInstanceProfile",
        "a role that it does not hold",
        both("plain", "ci"),
    )
    .await;
    g.call(
        "RemoveRoleFromInstanceProfile",
        "no such profile",
        both("none", "ci"),
    )
    .await;
    g.call(
        "RemoveRoleFromInstanceProfile",
        "no such role",
        both("web", "none"),
    )
    .await;
    g.call("DeleteInstanceProfile", "a profile with a role", web())
        .await;
    g.call("RemoveRoleFromInstanceProfile", "a role", both("web", "ci"))
        .await;
    g.call("DeleteInstanceProfile", "a profile without", web())
        .await;
    g.call("DeleteInstanceProfile", "no such profile", none())
        .await;
    g.compare();
}
