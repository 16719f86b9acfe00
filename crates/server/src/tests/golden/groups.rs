//! Groups and their members.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_groups() {
    let mut g = Golden::new(Service::Iam).await;
    let devs = || json!({"GroupName": "devs"});
    let none = || json!({"GroupName": "none"});
    g.call(
        "CreateGroup",
        "a group with a path",
        json!({"GroupName": "devs", "Path": "/team/"}),
    )
    .await;
    g.call("CreateGroup", "a group", json!({"GroupName": "ops"}))
        .await;
    g.call(
        "CreateGroup",
        "the name differs in its case alone",
        json!({"GroupName": "DEVS"}),
    )
    .await;
    g.call(
        "CreateGroup",
        "a name with other characters",
        json!({"GroupName": "a/b"}),
    )
    .await;
    g.call(
        "CreateGroup",
        "a name that is too long",
        json!({"GroupName": "x".repeat(129)}),
    )
    .await;

    g.call("ListGroups", "all", json!({})).await;
    g.call(
        "ListGroups",
        "a path prefix",
        json!({"PathPrefix": "/team/"}),
    )
    .await;
    g.call("ListGroups", "a page", json!({"MaxItems": 1})).await;

    let both = |group: &str, user: &str| json!({"GroupName": group, "UserName": user});
    g.given("CreateUser", json!({"UserName": "alice", "Path": "/team/"}))
        .await;
    g.call("AddUserToGroup", "a member", both("devs", "alice"))
        .await;
    g.call("AddUserToGroup", "a member again", both("devs", "alice"))
        .await;
    g.call("AddUserToGroup", "no such user", both("devs", "nobody"))
        .await;
    g.call("AddUserToGroup", "no such group", both("none", "alice"))
        .await;
    g.call("AddUserToGroup", "neither", both("none", "nobody"))
        .await;

    g.call("GetGroup", "a group with a member", devs()).await;
    g.call(
        "GetGroup",
        "a group without members",
        json!({"GroupName": "ops"}),
    )
    .await;
    g.call("GetGroup", "no such group", none()).await;

    g.call("RemoveUserFromGroup", "no member", both("ops", "alice"))
        .await;
    g.call(
        "RemoveUserFromGroup",
        "no such user",
        both("devs", "nobody"),
    )
    .await;
    g.call(
        "RemoveUserFromGroup",
        "no such group",
        both("none", "alice"),
    )
    .await;

    let input = json!({"GroupName": "ops", "NewGroupName": "operations", "NewPath": "/x/"});
    g.call("UpdateGroup", "a name and a path", input).await;
    let input = json!({"GroupName": "operations", "NewGroupName": "Devs"});
    g.call("UpdateGroup", "a name that is taken", input).await;
    let input = json!({"GroupName": "none", "NewGroupName": "some"});
    g.call("UpdateGroup", "no such group", input).await;

    g.call("DeleteGroup", "a group with members", devs()).await;
    g.call("RemoveUserFromGroup", "a member", both("devs", "alice"))
        .await;
    let input = json!({"GroupName": "devs", "PolicyName": "p", "PolicyDocument": ALLOW});
    g.given("PutGroupPolicy", input).await;
    g.call("DeleteGroup", "a group with inline policies", devs())
        .await;
    g.given(
        "DeleteGroupPolicy",
        json!({"GroupName": "devs", "PolicyName": "p"}),
    )
    .await;
    let attach =
        json!({"GroupName": "devs", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    g.given("AttachGroupPolicy", attach.clone()).await;
    g.call("DeleteGroup", "a group with managed policies", devs())
        .await;
    g.given("DetachGroupPolicy", attach).await;
    g.call("DeleteGroup", "a group with nothing", devs()).await;
    g.call("DeleteGroup", "no such group", none()).await;
    g.compare();
}
