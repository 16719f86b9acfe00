//! Calls whose callers are not known until something costly is verified.

use std::net::IpAddr;
use std::sync::Arc;

use aws_api::{Op, Service, berth, sts};
use bytes::Bytes;
use http::Method;

use super::world::{ACCOUNT, Person, World};
use crate::network::AddressGroup;

const FLOOD: &str = "198.51.100.1";
const HONEST: &str = "203.0.113.9";
/// Requests of the flood that wait for a turn.
const WAITING: usize = 100;

type Sent = (Vec<(String, String)>, Bytes);

/// An unsigned call.
fn unsigned<O: Op>(input: &O::Input) -> Sent {
    let request = aws_api::encode_request::<O>(input);
    let mut headers = vec![("content-type".to_owned(), request.content_type.to_owned())];
    headers.extend(
        request
            .target
            .map(|target| ("x-amz-target".to_owned(), target)),
    );
    (headers, request.body.into())
}

fn web_identity(_: &World) -> Sent {
    unsigned::<sts::ops::AssumeRoleWithWebIdentity>(&sts::AssumeRoleWithWebIdentityRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        role_session_name: "job".to_owned(),
        web_identity_token: "e30.e30.e30".to_owned().into(),
        ..Default::default()
    })
}

fn saml(_: &World) -> Sent {
    unsigned::<sts::ops::AssumeRoleWithSAML>(&sts::AssumeRoleWithSAMLRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        principal_arn: format!("arn:aws:iam::{ACCOUNT}:saml-provider/idp"),
        saml_assertion: "PGEvPg==".to_owned().into(),
        ..Default::default()
    })
}

fn join_host(_: &World) -> Sent {
    unsigned::<berth::ops::JoinHost>(&berth::JoinHostRequest {
        code: "x".repeat(40).into(),
        public_key: vec![0; 91].into(),
        signature: vec![0; 70].into(),
        host_name: None,
    })
}

fn host_credentials(_: &World) -> Sent {
    unsigned::<berth::ops::GetHostCredentials>(&berth::GetHostCredentialsRequest {
        host_id: format!("i-{}", "0".repeat(17)),
        server_id: "00".to_owned(),
        timestamp: "2026-11-22T12:00:00Z".to_owned(),
        nonce: "n".repeat(22),
        signature: vec![0; 70].into(),
    })
}

fn signed_with_an_unknown_key(world: &World) -> Sent {
    let stranger = Person {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wrong".to_owned(),
        token: None,
    };
    let kind = "application/x-www-form-urlencoded";
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = world.signed(&stranger, Service::Sts, None, kind, body.as_bytes());
    (headers, body.into())
}

/// Trap 10 of OIDC and SAML: endpoints that anybody may call do costly cryptography. Each verification waits
/// for one of a few turns, which addresses get equally, so a flood from one address delays that address
/// alone; and what fails counts against the rate of its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_10_verifications_of_strangers_have_a_budget_and_a_rate_by_address() {
    type Call = fn(&World) -> Sent;
    let calls: [(&str, Call); 5] = [
        ("AssumeRoleWithWebIdentity", web_identity),
        ("AssumeRoleWithSAML", saml),
        ("JoinHost", join_host),
        ("GetHostCredentials", host_credentials),
        ("GetCallerIdentity", signed_with_an_unknown_key),
    ];
    for (name, call) in calls {
        let world = World::with(|settings| {
            settings.transport.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        let admission = &world.app.admission;
        let flood = admission.party(FLOOD.parse().unwrap(), None);
        let mut turns = Vec::new();
        while admission.free_turns() > 0 {
            turns.push(admission.turn(&flood).await);
        }
        let waiting: Vec<_> = (0..WAITING)
            .map(|_| {
                let (app, flood) = (Arc::clone(&world.app), flood.clone());
                // Whoever gets a turn keeps it.
                tokio::spawn(async move { std::mem::forget(app.admission.turn(&flood).await) })
            })
            .collect();
        let wait_for = async |count: usize| {
            let mut tries = 0..100_000_000;
            while admission.waiting_turns() < count {
                assert!(tries.next().is_some(), "{name} takes no turn");
                tokio::task::yield_now().await;
            }
        };
        wait_for(WAITING).await;

        let (mut headers, body) = call(&world);
        headers.push(("x-forwarded-for".to_owned(), HONEST.to_owned()));
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let asked = world.send(Method::POST, "/", &headers, body);
        let released = async {
            wait_for(WAITING + 1).await;
            // One turn is free: the address that has none is next, not the first of a hundred.
            turns.pop();
        };
        let (reply, ()) = tokio::join!(asked, released);
        assert!(
            (400..500).contains(&reply.status),
            "{name}: {} {}",
            reply.status,
            reply.text()
        );
        let has_counted = |address: &str| {
            let address: IpAddr = address.parse().unwrap();
            world
                .app
                .failure_delay
                .has_counted(AddressGroup::of(address))
        };
        assert!(has_counted(HONEST), "{name}");
        assert!(!has_counted(FLOOD), "{name}");
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
