//! Which answers count as failed authentications of an address.

use aws_api::Service;
use http::Method;

use super::world::World;
use crate::network::AddressGroup;

const FORM: &str = "application/x-www-form-urlencoded";
const WHO: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
const USERS: &[u8] = b"Action=ListUsers&Version=2010-05-08";

fn has_counted(world: &World) -> bool {
    let address = AddressGroup::of(world.address.ip());
    world.app.failure_delay.has_counted(address)
}

/// Sends a call that is signed for `signed` and has the body `sent`.
async fn call(world: &World, service: Service, signed: &[u8], sent: &[u8]) -> u16 {
    let headers = world.signed(&world.root, service, None, FORM, signed);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let reply = world.send(Method::POST, "/", &headers, sent.to_vec()).await;
    reply.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_requests_are_no_failures() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let login = world.login(&alice).await;
    assert_eq!(call(&world, Service::Sts, WHO, WHO).await, 200);
    // The first request of each docker client has no credentials.
    let challenge = world.send(Method::GET, "/v2/", &[], "").await;
    assert_eq!(challenge.status, 401);
    let login = [("authorization", login.as_str())];
    let base = world.send(Method::GET, "/v2/", &login, "").await;
    assert_eq!(base.status, 200);
    // A denial is an answer to a caller who is known.
    let denied = world.send(Method::GET, "/v2/app/tags/list", &login, "");
    assert_eq!(denied.await.status, 403);
    let reply = world
        .call(&alice, Service::Iam, None, FORM, USERS.into())
        .await;
    assert_eq!(reply.status, 403);
    assert!(!has_counted(&world));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_api_counts_failed_authentications() {
    let world = World::new().await;
    assert_eq!(call(&world, Service::Sts, WHO, b"Action=x").await, 403);
    assert!(has_counted(&world), "a wrong signature");

    let target = (
        "x-amz-target",
        "AmazonEC2ContainerRegistry_V20150921.DescribeRegistry",
    );
    let login = ("authorization", "Basic QVdTOng=");
    // Never signed: the token is what fails.
    let token = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=job\
                 &RoleArn=arn:aws:iam::123456789012:role/ci&WebIdentityToken=e30.e30.e30";
    for (method, path, header, body, status) in [
        (Method::POST, "/", target, "{}", 400),
        (Method::GET, "/v2/app/tags/list", login, "", 401),
        (Method::POST, "/", ("content-type", FORM), token, 400),
    ] {
        let world = World::new().await;
        let reply = world.send(method, path, &[header], body).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(has_counted(&world), "{path} {header:?}");
    }
}
