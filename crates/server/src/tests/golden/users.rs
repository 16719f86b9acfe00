//! Users and their tags, boundaries and memberships.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_users() {
    let mut g = Golden::new(Service::Iam).await;
    let alice = || json!({"UserName": "alice"});
    let nobody = || json!({"UserName": "nobody"});
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";

    let title = "a user with a path, tags and a boundary";
    let input = json!({"UserName": "alice", "Path": "/team/", "PermissionsBoundary": boundary,
        "Tags": [{"Key": "team", "Value": "core"}, {"Key": "Cost", "Value": ""}]});
    g.call("CreateUser", title, input).await;
    g.call("CreateUser", "a user", json!({"UserName": "bob"}))
        .await;
    g.call(
        "CreateUser",
        "the name differs in its case alone",
        json!({"UserName": "Alice"}),
    )
    .await;
    g.call(
        "CreateUser",
        "a name with other characters",
        json!({"UserName": "a b"}),
    )
    .await;
    g.call(
        "CreateUser",
        "a name that is too long",
        json!({"UserName": "x".repeat(65)}),
    )
    .await;
    g.call("CreateUser", "no name", json!({})).await;
    let input = json!({"UserName": "carol", "Path": "team"});
    g.call("CreateUser", "a path without slashes", input).await;
    let input = json!({"UserName": "carol", "Path": "/aws-reserved/"});
    g.call("CreateUser", "a path of AWS", input).await;
    let input = json!({"UserName": "carol", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]});
    g.call("CreateUser", "a tag key twice", input).await;
    let input = json!({"UserName": "carol", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/none"});
    g.call("CreateUser", "a boundary that does not exist", input)
        .await;
    let input = json!({"UserName": "carol", "PermissionsBoundary": "nothing-like-an-arn-at-all"});
    g.call("CreateUser", "a boundary that is not an ARN", input)
        .await;

    g.call(
        "GetUser",
        "a user with a path, tags and a boundary",
        alice(),
    )
    .await;
    g.call("GetUser", "a user without", json!({"UserName": "bob"}))
        .await;
    g.call("GetUser", "no name: the caller", json!({})).await;
    g.call("GetUser", "no such user", nobody()).await;

    g.call("ListUsers", "all, without their tags", json!({}))
        .await;
    g.call(
        "ListUsers",
        "a path prefix",
        json!({"PathPrefix": "/team/"}),
    )
    .await;
    let input = json!({"PathPrefix": "/none/"});
    g.call("ListUsers", "none", input).await;
    let page = g.call("ListUsers", "a page", json!({"MaxItems": 1})).await;
    let marker = member(&page, "Marker").to_owned();
    g.secret(&marker);
    g.call("ListUsers", "the next page", json!({"Marker": marker}))
        .await;
    g.call("ListUsers", "no marker of ours", json!({"Marker": "100!"}))
        .await;
    g.call("ListUsers", "a page without items", json!({"MaxItems": 0}))
        .await;
    g.call(
        "ListUsers",
        "a page that is too long",
        json!({"MaxItems": 1001}),
    )
    .await;

    let tag = |key: &str, value: &str| json!({"UserName": "alice", "Tags": [{"Key": key, "Value": value}]});
    g.call("TagUser", "another tag", tag("Zone", "a")).await;
    g.call(
        "TagUser",
        "a tag anew, in another case",
        tag("TEAM", "edge"),
    )
    .await;
    g.call("TagUser", "a key of AWS", tag("aws:x", "1")).await;
    g.call(
        "TagUser",
        "a key that is too long",
        tag(&"k".repeat(129), "1"),
    )
    .await;
    g.call("TagUser", "a value with other characters", tag("k", "a;b"))
        .await;
    let input = json!({"UserName": "alice", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]});
    g.call("TagUser", "a key twice", input).await;
    let many: Vec<Value> = (0..50)
        .map(|n| json!({"Key": format!("k{n}"), "Value": ""}))
        .collect();
    let input = json!({"UserName": "alice", "Tags": many});
    g.call("TagUser", "more than 50 with those that it has", input)
        .await;
    let many: Vec<Value> = (0..51)
        .map(|n| json!({"Key": format!("k{n}"), "Value": ""}))
        .collect();
    let input = json!({"UserName": "alice", "Tags": many});
    g.call("TagUser", "more than 50", input).await;
    let input = json!({"UserName": "nobody", "Tags": [{"Key": "k", "Value": "v"}]});
    g.call("TagUser", "no such user", input).await;

    g.call("ListUserTags", "in the order of their keys", alice())
        .await;
    g.call("ListUserTags", "none", json!({"UserName": "bob"}))
        .await;
    g.call(
        "ListUserTags",
        "a page",
        json!({"UserName": "alice", "MaxItems": 1}),
    )
    .await;
    g.call("ListUserTags", "no such user", nobody()).await;

    let untag = |keys: &[&str]| json!({"UserName": "alice", "TagKeys": keys});
    g.call("UntagUser", "one of two", untag(&["zone", "none"]))
        .await;
    g.call(
        "UntagUser",
        "a key that is too long",
        untag(&[&"k".repeat(129)]),
    )
    .await;
    g.call(
        "UntagUser",
        "no such user",
        json!({"UserName": "nobody", "TagKeys": ["k"]}),
    )
    .await;

    let put = |user: &str, arn: &str| json!({"UserName": user, "PermissionsBoundary": arn});
    g.call(
        "PutUserPermissionsBoundary",
        "a boundary",
        put("bob", boundary),
    )
    .await;
    let none = "arn:aws:iam::123456789012:policy/none";
    g.call(
        "PutUserPermissionsBoundary",
        "no such policy",
        put("bob", none),
    )
    .await;
    g.call(
        "PutUserPermissionsBoundary",
        "not an ARN",
        put("bob", "longpolicynamebutnoarn"),
    )
    .await;
    let other = "arn:aws-cn:iam::aws:policy/ReadOnlyAccess";
    g.call(
        "PutUserPermissionsBoundary",
        "another partition",
        put("bob", other),
    )
    .await;
    g.call(
        "PutUserPermissionsBoundary",
        "no such user",
        put("nobody", boundary),
    )
    .await;
    g.call(
        "DeleteUserPermissionsBoundary",
        "a boundary",
        json!({"UserName": "bob"}),
    )
    .await;
    g.call(
        "DeleteUserPermissionsBoundary",
        "no boundary",
        json!({"UserName": "bob"}),
    )
    .await;
    g.call("DeleteUserPermissionsBoundary", "no such user", nobody())
        .await;

    g.given(
        "CreateGroup",
        json!({"GroupName": "devs", "Path": "/team/"}),
    )
    .await;
    g.given(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "alice"}),
    )
    .await;
    g.call("ListGroupsForUser", "one group", alice()).await;
    g.call("ListGroupsForUser", "none", json!({"UserName": "bob"}))
        .await;
    g.call("ListGroupsForUser", "no such user", nobody()).await;

    let rename = json!({"UserName": "bob", "NewUserName": "robert", "NewPath": "/x/"});
    g.call("UpdateUser", "a name and a path", rename).await;
    let input = json!({"UserName": "robert", "NewUserName": "ALICE"});
    g.call("UpdateUser", "a name that is taken", input).await;
    let input = json!({"UserName": "nobody", "NewUserName": "somebody"});
    g.call("UpdateUser", "no such user", input).await;

    g.call("DeleteUser", "a member of a group", alice()).await;
    g.given(
        "RemoveUserFromGroup",
        json!({"GroupName": "devs", "UserName": "alice"}),
    )
    .await;
    g.given("CreateAccessKey", alice()).await;
    g.call("DeleteUser", "a user with access keys", alice())
        .await;
    let input = json!({"UserName": "robert", "PolicyName": "p", "PolicyDocument": ALLOW});
    g.given("PutUserPolicy", input).await;
    g.call(
        "DeleteUser",
        "a user with inline policies",
        json!({"UserName": "robert"}),
    )
    .await;
    g.given(
        "DeleteUserPolicy",
        json!({"UserName": "robert", "PolicyName": "p"}),
    )
    .await;
    let attach = json!({"UserName": "robert", "PolicyArn": boundary});
    g.given("AttachUserPolicy", attach.clone()).await;
    g.call(
        "DeleteUser",
        "a user with managed policies",
        json!({"UserName": "robert"}),
    )
    .await;
    g.given("DetachUserPolicy", attach).await;
    g.call(
        "DeleteUser",
        "a user with nothing",
        json!({"UserName": "robert"}),
    )
    .await;
    g.call("DeleteUser", "no such user", nobody()).await;
    g.compare();
}
