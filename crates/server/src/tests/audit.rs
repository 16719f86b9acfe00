//! What the audit log says, and what it does not.

use aws_api::{Service, ecr, iam};
use http::Method;
use serde_json::{Value, json};

use super::world::{World, statement};

fn find<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["eventName"] == name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_leaves_an_event_and_no_secret() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let deny = r#"{"Sid":"NoPush","Effect":"Deny","Action":"ecr:PutImage","Resource":"*"}"#;
    let all = statement("Allow", &["ecr:*"], "*");
    let alice = world
        .user(&world.root, "alice", &format!("{all},{deny}"))
        .await;
    let answer = world
        .aws::<ecr::ops::GetAuthorizationToken>(&alice, &Default::default())
        .await;
    let data = answer.unwrap().authorization_data.unwrap();
    let token = data[0]
        .authorization_token
        .as_ref()
        .unwrap()
        .expose()
        .clone();
    let login = format!("Basic {token}");
    let headers = [
        ("authorization", login.as_str()),
        ("user-agent", "docker/27"),
    ];
    world
        .send(Method::PUT, "/v2/app1/manifests/v1", &headers, "{}")
        .await;
    world
        .send(Method::GET, "/v2/app1/manifests/v1", &headers, "")
        .await;
    let input = iam::GetUserRequest {
        user_name: Some("bob".into()),
    };
    world
        .aws::<iam::ops::GetUser>(&world.root, &input)
        .await
        .unwrap_err();
    world
        .send(
            Method::POST,
            "/",
            &[],
            "Action=ListUsers&Version=2010-05-08",
        )
        .await;
    let secret = alice.secret.clone();
    let root = world.root.clone();
    let events = world.stop().await;

    let text = serde_json::to_string(&events).unwrap();
    for secret in [&secret, &token, &root.secret] {
        assert!(
            !text.contains(secret.as_str()),
            "a secret stands in the audit log"
        );
    }
    let pushed = find(&events, "PutImage")[0];
    assert_eq!(pushed["eventSource"], "ecr.amazonaws.com");
    assert_eq!(pushed["errorCode"], "DENIED");
    let exception = &pushed["additionalEventData"]["exception"];
    assert_eq!(exception, "AccessDeniedException");
    let arn = "arn:aws:ecr:us-east-1:123456789012:repository/app1";
    let resources = json!([{"ARN": arn, "accountId": "123456789012"}]);
    assert_eq!(pushed["resources"], resources);
    assert_eq!(pushed["eventCategory"], "Data");
    assert_eq!(pushed["userAgent"], "docker/27");
    assert_eq!(pushed["sourceIPAddress"], "127.0.0.1");
    assert_eq!(pushed["recipientAccountId"], "123456789012");
    assert_eq!(pushed["requestParameters"]["repositoryName"], "app1");
    assert_eq!(pushed["readOnly"], false);
    let identity = &pushed["userIdentity"];
    assert_eq!(identity["type"], "IAMUser");
    assert_eq!(identity["userName"], "alice");
    assert_eq!(identity["accessKeyId"], alice.id);
    let decided = &pushed["additionalEventData"]["authorization"];
    assert_eq!(decided["decision"], "ExplicitlyDenied");
    assert_eq!(
        decided["statement"],
        json!({"policy": "inline", "sid": "NoPush", "index": 1})
    );
    assert_eq!(
        decided["resource"],
        "arn:aws:ecr:us-east-1:123456789012:repository/app1"
    );

    let pulled = find(&events, "BatchGetImage")[0];
    assert_eq!(
        (&pulled["errorCode"], &pulled["readOnly"]),
        (&json!("MANIFEST_UNKNOWN"), &json!(true))
    );
    let got = find(&events, "GetUser")[0];
    assert_eq!(got["errorCode"], "NoSuchEntity");
    assert_eq!(got["requestParameters"], json!({"userName": "bob"}));
    assert_eq!(got["userIdentity"]["type"], "Root");
    let stranger = find(&events, "ListUsers")[0];
    assert_eq!(stranger["eventSource"], "iam.amazonaws.com");
    assert_eq!(stranger["errorCode"], "MissingAuthenticationToken");
    assert_eq!(stranger["userIdentity"], json!({"type": "Unknown"}));
    let created = find(&events, "CreateUser")[0];
    assert_eq!(created["eventTime"], "2026-11-22T12:00:00Z");
    assert_eq!(created.get("errorCode"), None);
}

/// ECR User Guide, "Logging Amazon ECR actions with AWS CloudTrail", "Image push action".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_to_the_registry_is_recorded_as_put_image() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let media_type = "application/vnd.oci.image.index.v1+json";
    let headers = [
        ("authorization", login.as_str()),
        ("content-type", media_type),
    ];
    let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[]}}"#);
    let digest = blobs::Digest::sha256_of(manifest.as_bytes()).to_string();
    for reference in ["v1".to_owned(), format!("{digest}?tag=v2"), digest.clone()] {
        let path = format!("/v2/app1/manifests/{reference}");
        let reply = world
            .send(Method::PUT, &path, &headers, manifest.clone())
            .await;
        assert_eq!(reply.status, 201, "{reference}: {}", reply.text());
    }
    let input = ecr::PutImageRequest {
        repository_name: "app1".into(),
        image_manifest: manifest,
        image_manifest_media_type: Some(media_type.into()),
        image_tag: Some("v3".into()),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::PutImage>(&world.root, &input)
        .await
        .unwrap();
    let gone = world
        .send(Method::DELETE, "/v2/app1/manifests/v1", &headers, "")
        .await;
    assert_eq!(gone.status, 202, "{}", gone.text());
    let input = ecr::BatchDeleteImageRequest {
        repository_name: "app1".into(),
        image_ids: vec![ecr::ImageIdentifier {
            image_digest: None,
            image_tag: Some("v3".into()),
        }],
        ..Default::default()
    };
    world
        .aws::<ecr::ops::BatchDeleteImage>(&world.root, &input)
        .await
        .unwrap();
    let events = world.stop().await;

    let arn = "arn:aws:ecr:us-east-1:123456789012:repository/app1";
    let resources = json!([{"ARN": arn, "accountId": "123456789012"}]);
    let pushes = find(&events, "PutImage");
    assert_eq!(pushes.len(), 4);
    for (push, tag) in pushes
        .iter()
        .zip([Some("v1"), Some("v2"), None, Some("v3")])
    {
        let by_registry = tag != Some("v3");
        let mut image_id = json!({"imageDigest": digest});
        let mut parameters = json!({
            "registryId": "123456789012",
            "repositoryName": "app1",
            "imageDigest": digest,
            "imageManifestMediaType": media_type,
        });
        if let Some(tag) = tag {
            image_id["imageTag"] = tag.into();
            parameters["imageTag"] = tag.into();
        }
        if by_registry {
            assert_eq!(push["requestParameters"], parameters);
        }
        let image = &push["responseElements"]["image"];
        assert_eq!(image["imageId"], image_id);
        assert_eq!(image["registryId"], "123456789012");
        assert_eq!(image["repositoryName"], "app1");
        assert_eq!(push["resources"], resources);
        assert_eq!(push["eventCategory"], "Data");
        assert_eq!(push["managementEvent"], false);
    }

    let deleted = find(&events, "BatchDeleteImage")[0];
    assert_eq!(deleted["eventCategory"], "Management");
    assert_eq!(deleted["managementEvent"], true);
    assert_eq!(deleted["readOnly"], false);
    assert_eq!(deleted["resources"], resources);
    assert_eq!(
        deleted["requestParameters"]["imageIds"],
        json!([{"imageTag": "v1"}])
    );
    assert_eq!(
        deleted["responseElements"]["imageIds"],
        json!([{"imageDigest": digest, "imageTag": "v1"}])
    );
    let by_ecr = find(&events, "BatchDeleteImage")[1];
    assert_eq!(
        by_ecr["responseElements"]["imageIds"],
        json!([{"imageDigest": digest, "imageTag": "v3"}])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_runs() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let digest = blobs::Digest::sha256_of(b"hello").to_string();
    let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /v2/app1/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: x\r\nauthorization: {login}\r\n\
         content-length: 5\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The interim answer comes when the handler reads the body: the request runs.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 "));
    let stopping = tokio::spawn(world.stop());
    stream.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let events = stopping.await.unwrap();
    assert_eq!(find(&events, "InitiateLayerUpload").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_and_counters_need_no_login() {
    let world = World::new().await;
    for path in ["/healthz", "/readyz"] {
        let reply = world.send(Method::GET, path, &[], "").await;
        assert_eq!((reply.status, reply.text()), (200, "ok\n"), "{path}");
    }
    world
        .call(
            &world.root,
            Service::Sts,
            None,
            "",
            "Action=GetCallerIdentity".into(),
        )
        .await;
    let reply = world.send(Method::GET, "/metrics", &[], "").await;
    assert!(
        reply
            .text()
            .contains("berth_requests_total{api=\"aws\",status=\"2xx\"} 1"),
        "{}",
        reply.text()
    );
    for path in ["/latest/meta-data/"] {
        let reply = world.send(Method::GET, path, &[], "").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("not built yet"), "{path}");
    }
}

/// Going away does not make an act unseen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_client_goes_away_is_done_and_told() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let body = "Action=CreateUser&Version=2010-05-08&UserName=ghost";
    let kind = "application/x-www-form-urlencoded";
    let headers = world.signed(&world.root, Service::Iam, None, kind, body.as_bytes());
    let mut request = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n",
        world.address,
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
    stream
        .write_all(format!("{request}\r\n").as_bytes())
        .await
        .unwrap();
    // The interim answer comes when the handler reads the body: the request runs.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    drop(stream);
    let input = iam::GetUserRequest {
        user_name: Some("ghost".into()),
    };
    let mut tries = 0..10_000;
    while world
        .aws::<iam::ops::GetUser>(&world.root, &input)
        .await
        .is_err()
    {
        assert!(tries.next().is_some(), "the call was never done");
    }
    let events = world.stop().await;
    assert_eq!(find(&events, "CreateUser").len(), 1);
}

/// What a stranger writes is not written to the disk at length.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_event_is_short() {
    let world = World::new().await;
    let long = "x".repeat(3000);
    let body = format!("Action={long}&Version=2010-05-08");
    world.send(Method::POST, "/", &[], body).await;
    let target = format!("{long}.{}", "y".repeat(30_000));
    let headers = [("x-amz-target", target.as_str())];
    world.send(Method::POST, "/", &headers, "{}").await;
    let body = format!("Action={}&Version={long}", "z".repeat(500_000));
    let kind = "application/x-www-form-urlencoded";
    let reply = world
        .call(&world.root, Service::Iam, None, kind, body.into())
        .await;
    assert!(reply.body.len() < 1000, "{}", reply.text());
    let events = world.stop().await;
    let last = &events[events.len() - 3..];
    for event in last {
        assert_ne!(event["errorCode"], Value::Null);
        let length = event.to_string().len();
        assert!(length < 1500, "{length}: {event}");
    }
}

/// A region that is none is refused, not replaced by the server's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_for_a_region() {
    let world = World::new().await;
    let body = b"Action=GetCallerIdentity&Version=2011-06-15";
    let kind = "application/x-www-form-urlencoded";
    for (region, status) in [("eu-west-1", 200), ("EU_WEST", 403), ("-", 403)] {
        let headers = world.signed_for(region, &world.root, Service::Sts, None, kind, body);
        let headers: Vec<_> = headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let reply = world.send(Method::POST, "/", &headers, &body[..]).await;
        assert_eq!(reply.status, status, "{region}: {}", reply.text());
        if status == 403 {
            let error = super::world::refused(Service::Sts, &reply);
            assert_eq!(error.code, "SignatureDoesNotMatch");
            assert_eq!(
                error.message,
                "Credential should be scoped to a valid region."
            );
        }
    }
    let events = world.stop().await;
    let called = find(&events, "GetCallerIdentity");
    assert_eq!(called[0]["awsRegion"], "eu-west-1");
}

/// A key's way is followed from who asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_name_the_credentials_that_were_handed_out() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let trusted = "arn:aws:iam::123456789012:user/alice";
    let all = statement("Allow", &["ecr:*"], "*");
    world.role(&world.root, "ci", trusted, &all).await;
    let input = aws_api::sts::AssumeRoleRequest {
        role_arn: "arn:aws:iam::123456789012:role/ci".into(),
        role_session_name: "job1".into(),
        ..Default::default()
    };
    let session = world.assume(&alice, &input).await.unwrap();
    let events = world.stop().await;
    let created = find(&events, "CreateAccessKey")[0];
    assert_eq!(
        created["responseElements"]["accessKey"]["accessKeyId"],
        alice.id
    );
    let assumed = find(&events, "AssumeRole")[0];
    assert_eq!(
        assumed["responseElements"]["credentials"]["accessKeyId"],
        session.id
    );
    let text = serde_json::to_string(&events).unwrap();
    for secret in [&alice.secret, &session.secret, &session.token.unwrap()] {
        assert!(
            !text.contains(secret.as_str()),
            "a secret stands in the audit log"
        );
    }
    assert_eq!(
        find(&events, "CreateRole")[0]["responseElements"],
        Value::Null
    );
}

/// AWS records a call in the region of the endpoint that got it, and IAM's in `us-east-1` (CloudTrail User
/// Guide, "Global service events"). An unsigned call names no region, so it is the server's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsigned_call_is_recorded_in_the_region_of_the_server() {
    let world = World::with(|settings| settings.region = "eu-west-1".parse().unwrap()).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for body in [
        "Action=GetCallerIdentity&Version=2011-06-15",
        "Action=ListUsers&Version=2010-05-08",
    ] {
        world.send(Method::POST, "/", &form, body).await;
    }
    for target in [
        "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        "Berth_20261201.JoinHost",
    ] {
        let json = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        world.send(Method::POST, "/", &json, "{}").await;
    }
    // A key that does not exist, for another region: IAM's events stay where they are.
    let stranger = super::world::Person {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wrong".to_owned(),
        token: None,
    };
    let body = b"Action=ListRoles&Version=2010-05-08";
    let headers = world.signed_for("ap-south-1", &stranger, Service::Iam, None, form[0].1, body);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    world.send(Method::POST, "/", &headers, &body[..]).await;
    let events = world.stop().await;
    for (name, region) in [
        ("GetCallerIdentity", "eu-west-1"),
        ("ListUsers", "us-east-1"),
        ("DescribeRepositories", "eu-west-1"),
        ("JoinHost", "eu-west-1"),
        ("ListRoles", "us-east-1"),
    ] {
        let found = find(&events, name);
        assert_eq!(found.len(), 1, "{name}");
        assert_ne!(found[0]["errorCode"], Value::Null, "{name}");
        assert_eq!(found[0]["awsRegion"], region, "{name}");
    }
}
