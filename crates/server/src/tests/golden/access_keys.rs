//! Access keys.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_access_keys() {
    let mut g = Golden::new(Service::Iam).await;
    let alice = || json!({"UserName": "alice"});
    let nobody = || json!({"UserName": "nobody"});
    g.given("CreateUser", alice()).await;
    let key = g.call("CreateAccessKey", "a key", alice()).await;
    let id = member(&key, "AccessKeyId").to_owned();
    let secret = member(&key, "SecretAccessKey").to_owned();
    let second = g.given("CreateAccessKey", alice()).await;
    g.call("CreateAccessKey", "a third key", alice()).await;
    g.call("CreateAccessKey", "no such user", nobody()).await;

    g.call("ListAccessKeys", "two keys", alice()).await;
    g.call(
        "ListAccessKeys",
        "a page",
        json!({"UserName": "alice", "MaxItems": 1}),
    )
    .await;
    g.call("ListAccessKeys", "no such user", nobody()).await;

    let used = |id: &str| json!({"AccessKeyId": id});
    g.call(
        "GetAccessKeyLastUsed",
        "a key that was never used",
        used(&id),
    )
    .await;
    let person = Person {
        id: id.clone(),
        secret,
        token: None,
    };
    let root = std::mem::replace(&mut g.caller, person);
    g.send("GetUser", &json!({})).await;
    g.caller = root;
    g.world.app.identity.flush_last_used().await.unwrap();
    g.call("GetAccessKeyLastUsed", "a key that was used", used(&id))
        .await;
    g.call(
        "GetAccessKeyLastUsed",
        "no such key",
        used("AKIAIOSFODNN7EXAMPLE"),
    )
    .await;

    let update = |user: &str, id: &str, status: &str| json!({"UserName": user, "AccessKeyId": id, "Status": status});
    g.call(
        "UpdateAccessKey",
        "a key is deactivated",
        update("alice", &id, "Inactive"),
    )
    .await;
    g.call(
        "UpdateAccessKey",
        "another status",
        update("alice", &id, "Gone"),
    )
    .await;
    let none = "AKIAIOSFODNN7EXAMPLE";
    g.call(
        "UpdateAccessKey",
        "no such key",
        update("alice", none, "Active"),
    )
    .await;
    g.call(
        "UpdateAccessKey",
        "no such user",
        update("nobody", &id, "Active"),
    )
    .await;

    let delete = |user: &str, id: &str| json!({"UserName": user, "AccessKeyId": id});
    g.given("CreateUser", json!({"UserName": "bob"})).await;
    g.call("DeleteAccessKey", "another user's key", delete("bob", &id))
        .await;
    g.call("DeleteAccessKey", "a key", delete("alice", &id))
        .await;
    g.call(
        "DeleteAccessKey",
        "a key that is gone",
        delete("alice", &id),
    )
    .await;
    g.call(
        "DeleteAccessKey",
        "no such user",
        delete("nobody", member(&second, "AccessKeyId")),
    )
    .await;
    g.compare();
}
