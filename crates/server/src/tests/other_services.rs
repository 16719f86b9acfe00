//! Calls that are not simply one of ours: other services, other formats, global regions, other hosts.

use aws_api::Service;
use http::Method;
use serde_json::Value;
use sha2::Digest as _;
use sigv4::{PathStyle, RequestParts, SecretKey, Signer};

use super::world::{Person, Reply, World};

/// A request as a tool signs it for any service.
struct Call<'a> {
    service: &'a str,
    region: &'a str,
    method: Method,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

async fn call(world: &World, person: &Person, call: &Call<'_>) -> Reply {
    let host = world.address.to_string();
    let secret = SecretKey::new(person.secret.as_str());
    let signer = Signer {
        access_key_id: &person.id,
        secret: &secret,
        session_token: None,
        region: call.region,
        service: call.service,
        now_epoch_seconds: world.now().as_second(),
        path_style: match call.service {
            "s3" => PathStyle::S3,
            _ => PathStyle::Standard,
        },
    };
    let (path, query) = call.path.split_once('?').unwrap_or((call.path, ""));
    let digest = aws_types::hex::encode(sha2::Sha256::digest(call.body));
    let mut headers = vec![("host", host.as_bytes())];
    headers.extend(call.headers.iter().map(|(k, v)| (*k, v.as_bytes())));
    if call.service == "s3" {
        headers.push(("x-amz-content-sha256", digest.as_bytes()));
    }
    let parts = RequestParts {
        method: call.method.as_str(),
        path,
        query,
        headers: &headers,
    };
    let signed = signer.sign(&parts, &digest).unwrap();
    let mut sent: Vec<(&str, &str)> = call.headers.to_vec();
    if call.service == "s3" {
        sent.push(("x-amz-content-sha256", &digest));
    }
    sent.push(("authorization", &signed.authorization));
    sent.push(("x-amz-date", &signed.x_amz_date));
    world
        .send(call.method.clone(), call.path, &sent, call.body.to_owned())
        .await
}

/// Service, method, path, headers, body, a part of the expected answer, and the name in it.
type Case<'a> = (
    &'a str,
    Method,
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a str,
    &'a str,
    &'a str,
);

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_other_services_say_that_they_are_not_served() {
    let world = World::new().await;
    let json = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AmazonSSM.GetParameter"),
    ];
    let json10 = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.ListTables"),
    ];
    let describe = "Action=DescribeInstances&Version=2016-11-15";
    let topics = "Action=ListTopics&Version=2010-03-31";
    let table: [Case<'_>; 7] = [
        (
            "ec2",
            Method::POST,
            "/",
            &[FORM],
            describe,
            "<Response><Errors><Error><Code>NotImplemented</Code>",
            "DescribeInstances",
        ),
        (
            "sns",
            Method::POST,
            "/",
            &[FORM],
            topics,
            "<ErrorResponse><Error><Type>Receiver</Type><Code>NotImplemented</Code>",
            "ListTopics",
        ),
        (
            "ssm",
            Method::POST,
            "/",
            &json,
            "{}",
            "\"__type\":\"NotImplemented\"",
            "GetParameter",
        ),
        (
            "dynamodb",
            Method::POST,
            "/",
            &json10,
            "{}",
            "\"__type\":\"NotImplemented\"",
            "ListTables",
        ),
        (
            "s3",
            Method::GET,
            "/",
            &[],
            "",
            "<Error><Code>NotImplemented</Code>",
            "GET",
        ),
        (
            "s3",
            Method::PUT,
            "/bucket/key?tagging=",
            &[],
            "x",
            "<Error><Code>NotImplemented</Code>",
            "PUT",
        ),
        (
            "apigateway",
            Method::GET,
            "/v2/apis",
            &[],
            "",
            "{\"message\":\"The service 'apigateway' is not served here",
            "GET",
        ),
    ];
    let mut wrong = world.root.clone();
    wrong.secret.push('x');
    for (service, method, path, headers, body, expected, _) in &table {
        let request = Call {
            service,
            region: "us-east-1",
            method: method.clone(),
            path,
            headers,
            body,
        };
        let reply = call(&world, &world.root, &request).await;
        assert_eq!(reply.status, 501, "{service} {path}: {}", reply.text());
        assert!(
            reply.text().contains(expected),
            "{service}: {}",
            reply.text()
        );
        // The signature comes first.
        let reply = call(&world, &wrong, &request).await;
        assert!(
            [400, 403].contains(&reply.status),
            "{service}: {}",
            reply.text()
        );
        assert!(
            !reply.text().contains("not served"),
            "{service}: {}",
            reply.text()
        );
    }
    let names: Vec<(&str, &str)> = table.iter().map(|row| (row.0, row.6)).collect();
    let events = world.stop().await;
    for (service, name) in names {
        let source = format!("{service}.amazonaws.com");
        let found = |event: &&Value| {
            event["eventSource"] == source.as_str()
                && event["eventName"] == name
                && event["errorCode"] == "NotImplemented"
        };
        let event = events.iter().find(found);
        let event = event.unwrap_or_else(|| panic!("no event {source} {name}"));
        assert_eq!(event["userIdentity"]["type"], "Root");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_json_where_the_client_names_it() {
    let world = World::new().await;
    for (accept, json) in [
        ("application/json", true),
        ("*/*", false),
        ("application/xml", false),
    ] {
        for (body, status) in [
            ("Action=GetCallerIdentity&Version=2011-06-15", 200),
            ("Action=Nonsense&Version=2011-06-15", 400),
        ] {
            let request = Call {
                service: "sts",
                region: "us-east-1",
                method: Method::POST,
                path: "/",
                headers: &[FORM, ("accept", accept)],
                body,
            };
            let reply = call(&world, &world.root, &request).await;
            assert_eq!(reply.status, status, "{accept}: {}", reply.text());
            assert_eq!(
                reply.text().starts_with('{'),
                json,
                "{accept}: {}",
                reply.text()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iam_and_global_calls_are_for_us_east_1() {
    let world = World::new().await;
    for (service, region, body, expected) in [
        (
            "iam",
            "eu-west-1",
            "Action=ListUsers&Version=2010-05-08",
            "us-east-1",
        ),
        (
            "iam",
            "aws-global",
            "Action=ListRoles&Version=2010-05-08",
            "us-east-1",
        ),
        (
            "sts",
            "aws-global",
            "Action=GetCallerIdentity&Version=2011-06-15",
            "us-east-1",
        ),
        (
            "sts",
            "eu-west-1",
            "Action=GetSessionToken&Version=2011-06-15",
            "eu-west-1",
        ),
    ] {
        let request = Call {
            service,
            region,
            method: Method::POST,
            path: "/",
            headers: &[FORM],
            body,
        };
        let reply = call(&world, &world.root, &request).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        let _ = expected;
    }
    let events = world.stop().await;
    for (name, region) in [
        ("ListUsers", "us-east-1"),
        ("ListRoles", "us-east-1"),
        ("GetCallerIdentity", "us-east-1"),
        ("GetSessionToken", "eu-west-1"),
    ] {
        let event = events
            .iter()
            .find(|event| event["eventName"] == name)
            .unwrap();
        assert_eq!(event["awsRegion"], region, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_a_registrys_host_names_the_account() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    for (host, status, account) in [
        ("localhost", 200, "123456789012"),
        ("123456789012.dkr-ecr.us-east-1.on.aws", 200, "123456789012"),
        (
            "999988887777.dkr.ecr.us-east-1.amazonaws.com",
            404,
            "999988887777",
        ),
        ("999988887777.dkr-ecr.us-east-1.on.aws", 404, "999988887777"),
        (
            "999988887777.dkr-ecr-fips.us-east-1.on.aws",
            404,
            "999988887777",
        ),
        (
            "99998888777.dkr.ecr.us-east-1.amazonaws.com",
            400,
            "form of a registry",
        ),
        ("999988887777.dkr-ecr.on.aws", 400, "form of a registry"),
    ] {
        let headers = [("authorization", login.as_str()), ("host", host)];
        let reply = world
            .send(Method::GET, "/v2/app1/tags/list", &headers, "")
            .await;
        // The root user has no rights in another account: not found or denied, never the default's.
        let expected = if status == 404 {
            [404, 403]
        } else {
            [status, status]
        };
        assert!(expected.contains(&reply.status), "{host}: {}", reply.text());
        if status != 200 {
            assert!(reply.text().contains(account), "{host}: {}", reply.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_and_unknown_routes_leave_events() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    let login = world.login(&alice).await;
    let headers = [("authorization", login.as_str())];
    let reply = world.send(Method::GET, "/v2/", &headers, "").await;
    assert_eq!(reply.status, 200);
    let reply = world
        .send(Method::GET, "/v2/app1/nonsense", &headers, "")
        .await;
    assert_eq!(reply.status, 404);
    let off = aws_api::iam::UpdateAccessKeyRequest {
        user_name: Some("alice".into()),
        access_key_id: alice.id.clone(),
        status: aws_api::iam::StatusType::Inactive,
    };
    world
        .aws::<aws_api::iam::ops::UpdateAccessKey>(&world.root, &off)
        .await
        .unwrap();
    let reply = world.send(Method::GET, "/v2/", &headers, "").await;
    assert_eq!(reply.status, 401);
    let events = world.stop().await;
    let login = events
        .iter()
        .find(|event| event["eventName"] == "Login")
        .unwrap();
    assert_eq!(login["userIdentity"]["userName"], "alice");
    let unknown = events
        .iter()
        .find(|event| event["eventName"] == "UnknownOperation");
    assert_eq!(
        unknown.unwrap()["requestParameters"]["path"],
        "/v2/app1/nonsense"
    );
    let refused = events
        .iter()
        .find(|event| event["errorCode"] == "UNAUTHORIZED")
        .unwrap();
    assert_eq!(refused["userIdentity"]["accessKeyId"], alice.id);
    let _ = Service::Ecr;
}
