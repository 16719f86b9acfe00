//! A database that is away: 503 with `Retry-After` in each protocol's form, whoever asks and whatever is
//! known already, and the cause is not told.

use aws_api::Service;
use http::Method;

use super::registry_routes::Client;
use super::world::{Person, Reply};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/x-amz-json-1.1";

fn check(what: &str, reply: &Reply, code: &str) {
    assert_eq!(reply.status, 503, "{what}: {}", reply.text());
    assert_eq!(reply.header("retry-after"), "1", "{what}");
    assert!(reply.text().contains(code), "{what}: {}", reply.text());
    assert!(!reply.text().contains("closed"), "{what}: {}", reply.text());
}

#[tokio::test]
async fn a_database_that_is_away_is_503_in_each_protocol() {
    let client = Client::new().await;
    let world = &client.world;
    let cold = world.user(&world.root, "cold", "").await;
    world.app.store.close().await;

    let unknown = Person {
        id: "AKIAUNKNOWN000000000".to_owned(),
        ..cold.clone()
    };
    for (who, person) in [
        ("warm", &world.root),
        ("cold", &cold),
        ("unknown", &unknown),
    ] {
        let target = Some("AmazonEC2ContainerRegistry_V20150921.DescribeRepositories");
        let reply = world
            .call(person, Service::Ecr, target, JSON, "{}".into())
            .await;
        check(
            &format!("ecr, {who}"),
            &reply,
            "ServiceUnavailableException",
        );
        for (service, action) in [
            (Service::Iam, "Action=ListUsers&Version=2010-05-08"),
            (
                Service::Iam,
                "Action=CreateUser&UserName=x&Version=2010-05-08",
            ),
        ] {
            let reply = world.call(person, service, None, FORM, action.into()).await;
            check(
                &format!("{action}, {who}"),
                &reply,
                "<Code>ServiceUnavailable</Code>",
            );
        }
    }
    for (method, path) in [
        (Method::GET, "/v2/app1/manifests/v1"),
        (Method::GET, "/v2/app1/tags/list"),
        (Method::GET, "/v2/unknown/tags/list"),
        (Method::GET, "/v2/_catalog"),
        (Method::DELETE, "/v2/app1/manifests/v1"),
    ] {
        let reply = client.send(method.clone(), path, &[], "").await;
        check(&format!("{method} {path}"), &reply, "\"UNAVAILABLE\"");
    }
}
