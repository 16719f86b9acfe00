//! What no honest client sends: a clear answer in the protocol's form, and the server goes on.

use aws_api::Service;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::{World, refused};
use crate::limits::{
    API_BODY_BYTES_MAX, BODY_BYTES_FREE, HEADERS_BYTES_MAX, LAYER_PART_BODY_BYTES_MAX,
    MANIFEST_BYTES_MAX, READ_BUFFER_BYTES_MAX, SMALL_BODY_BYTES_MAX,
};

const JSON: &str = "application/x-amz-json-1.1";
const FORM: &str = "application/x-www-form-urlencoded";
const CREATE: &str = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";

/// Sends bytes as they are and reads the answer to its end.
async fn raw(world: &World, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    // The server may answer and close before all is written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_requests() {
    let world = World::new().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let json: [&[u8]; 8] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{\"repositoryName\":1e999}",
        b"{\"repositoryName\":\"\xff\"}",
        b"{\"repositoryName\":{\"a\":1}}",
        deep.as_bytes(),
    ];
    for body in json {
        let reply = world
            .call(
                &world.root,
                Service::Ecr,
                Some(CREATE),
                JSON,
                body.to_vec().into(),
            )
            .await;
        let error = refused(Service::Ecr, &reply);
        assert_eq!(error.status, 400, "{error:?}");
        let known = ["SerializationException", "InvalidParameterException"];
        assert!(known.contains(&error.code.as_str()), "{error:?}");
    }
    let many = format!(
        "Action=CreateUser&Version=2010-05-08{}",
        "&a=b".repeat(50_000)
    );
    let forms: [&[u8]; 5] = [
        b"",
        b"Action=%ff&Version=2010-05-08",
        b"Action=CreateUser&Action=DeleteUser&Version=2010-05-08&UserName=x",
        b"Action=CreateUser&Version=2010-05-08&UserName=%3C%2FErrorResponse%3E%26amp%3B",
        many.as_bytes(),
    ];
    for body in forms {
        let reply = world
            .call(&world.root, Service::Iam, None, FORM, body.to_vec().into())
            .await;
        let error = refused(Service::Iam, &reply);
        assert_eq!(error.status, 400, "{}", reply.text());
        assert_ne!(error.code, "", "{}", reply.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_and_headers_that_are_too_long() {
    let world = World::new().await;
    let body = vec![b' '; API_BODY_BYTES_MAX + 1];
    let reply = world
        .call(&world.root, Service::Ecr, Some(CREATE), JSON, body.into())
        .await;
    assert_eq!(
        (reply.status, refused(Service::Ecr, &reply).code.as_str()),
        (413, "RequestEntityTooLargeException")
    );

    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    let body = vec![b' '; MANIFEST_BYTES_MAX + 1];
    let reply = world
        .send(Method::PUT, "/v2/app1/manifests/v1", &headers, body)
        .await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (413, "SIZE_INVALID")
    );

    let long = "x".repeat(HEADERS_BYTES_MAX);
    let headers = [("x-long", long.as_str())];
    let reply = world.send(Method::GET, "/v2/", &headers, "").await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (431, "SIZE_INVALID")
    );
    let headers = [("x-long", long.as_str()), ("x-amz-target", CREATE)];
    let reply = world.send(Method::POST, "/", &headers, "").await;
    assert_eq!(
        refused(Service::Ecr, &reply).code,
        "RequestEntityTooLargeException"
    );
    // Beyond what is even read.
    let endless = format!(
        "GET /v2/ HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "x".repeat(2 * READ_BUFFER_BYTES_MAX)
    );
    assert!(
        raw(&world, endless.as_bytes())
            .await
            .starts_with("HTTP/1.1 431 ")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_no_http() {
    let world = World::new().await;
    for (bytes, status) in [
        ("nonsense\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            "400",
        ),
        ("GET /v2/ HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", "400"),
        (
            "GET /v2/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "401",
        ),
        (
            "GET /layers/..%2f..%2fberth.db HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "403",
        ),
        // RFC 9112, section 3.2.2: the request line names the host.
        (
            "GET http://other/v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "401",
        ),
        (
            "GET http://other/v2/ HTTP/1.1\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET http://other/v2/ HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n",
            "400",
        ),
        ("GET /healthz HTTP/1.0\r\n\r\n", "200"),
        ("GET /readyz HTTP/1.0\r\n\r\n", "200"),
        ("HEAD /metrics HTTP/1.0\r\n\r\n", "200"),
        ("GET /v2/ HTTP/1.0\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        (
            "GET http://Good/v2/ HTTP/1.1\r\nhost: good\r\nconnection: close\r\n\r\n",
            "401",
        ),
        (
            "DELETE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "405",
        ),
        (
            "GET /.git/config HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "404",
        ),
    ] {
        let answer = raw(&world, bytes.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.") && answer[8..].starts_with(&format!(" {status} ")),
            "{bytes:?}: {answer}"
        );
    }
    for hosts in ["", "host: a\r\nhost: b\r\n"] {
        for line in ["GET /v2/", "POST /", "GET /healthz"] {
            let bytes = format!("{line} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
            let answer = raw(&world, bytes.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{bytes:?}: {answer}");
        }
    }
    // A challenge does not repeat what would break out of its quotes.
    let answer = raw(
        &world,
        b"GET /v2/ HTTP/1.1\r\nhost: x\",evil=\"y\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(!answer.contains("evil"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_that_are_none() {
    let world = World::new().await;
    let encode = |text: &str| {
        use base64::Engine as _;
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(text)
        )
    };
    let long = encode(&format!("AWS:{}", "x".repeat(32 * 1024)));
    for login in [
        "Basic".to_owned(),
        "Basic !!!!".to_owned(),
        encode("AWS"),
        encode("AWS:"),
        encode("AWS:password"),
        encode("root:password"),
        encode(":"),
        long,
    ] {
        let headers = [("authorization", login.as_str())];
        let reply = world.send(Method::GET, "/v2/", &headers, "").await;
        assert_eq!(
            (reply.status, reply.oci_code().as_str()),
            (401, "UNAUTHORIZED")
        );
        assert!(reply.header("www-authenticate").starts_with("Basic "));
    }
    // A good password under another user's name is none.
    let login = world.login(&world.root).await;
    let good = [("authorization", login.as_str())];
    assert_eq!(world.send(Method::GET, "/v2/", &good, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_keeps_what_came_and_goes_on() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let headers = [("authorization", login.as_str())];
    let reply = world
        .send(Method::POST, "/v2/app1/blobs/uploads/", &headers, "")
        .await;
    let location = reply.header("location").to_owned();
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nhost: x\r\nauthorization: {login}\r\ncontent-length: 1000000\r\n\r\nhello"
    );
    let mut cut = TcpStream::connect(world.address).await.unwrap();
    cut.write_all(head.as_bytes()).await.unwrap();
    drop(cut);
    // The server notices the end of the connection in its own time.
    let mut tries = 0..10_000;
    let size = loop {
        assert!(tries.next().is_some(), "the cut part was never kept");
        let reply = world.send(Method::GET, &location, &headers, "").await;
        assert_eq!(reply.status, 204);
        match reply.header("range") {
            "0-4" => break 5,
            "0-0" => {}
            other => panic!("{other}"),
        }
    };
    let digest = blobs::Digest::sha256_of(b"hello, world").to_string();
    let range = format!("{size}-11");
    let path = format!("{location}?digest={digest}");
    let headers = [headers[0], ("content-range", range.as_str())];
    // Busy for as long as the cut request holds the upload.
    loop {
        assert!(tries.next().is_some(), "the upload was never free");
        let reply = world.send(Method::PUT, &path, &headers, ", world").await;
        match reply.status {
            201 => break,
            409 => {}
            other => panic!("{other}: {}", reply.text()),
        }
    }
}

/// A request whose headers are signed by somebody whose key id is known and whose secret is not, and who
/// announces more than he sends. Answers when the server has begun to read its body.
async fn announced(world: &World, target: &str, length: usize, sent: &[u8]) -> TcpStream {
    let forger = super::world::Person {
        secret: "guessed".into(),
        ..world.root.clone()
    };
    let headers = world.signed(&forger, Service::Ecr, Some(target), JSON, b"{}");
    let mut head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n",
        world.address
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream
        .write_all(format!("{head}\r\n").as_bytes())
        .await
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 "));
    stream.write_all(sent).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announced_bodies_keep_nobody_waiting() {
    let world = World::new().await;
    let upload = "AmazonEC2ContainerRegistry_V20150921.UploadLayerPart";
    let mut forged = Vec::new();
    for _ in 0..8 {
        let stream = announced(&world, upload, LAYER_PART_BODY_BYTES_MAX, b"{").await;
        forged.push(stream);
    }
    let name = "x".repeat(2 * SMALL_BODY_BYTES_MAX);
    let body = format!(r#"{{"repositoryName":"{name}"}}"#);
    let reply = world
        .call(&world.root, Service::Ecr, Some(CREATE), JSON, body.into())
        .await;
    assert_eq!(
        refused(Service::Ecr, &reply).code,
        "InvalidParameterException"
    );
}

/// Every body that is kept is charged for as it comes, a manifest and a stranger's too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_bodies_are_charged_as_they_come() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let all = world.app.bodies.small.available();
    let manifest = format!("PUT /v2/app1/manifests/v1 HTTP/1.1\r\nauthorization: {login}\r\n");
    let unsigned = "POST / HTTP/1.1\r\n".to_owned();
    let unknown = "POST / HTTP/1.1\r\nauthorization: nonsense\r\n".to_owned();
    let sent = "x".repeat(BODY_BYTES_FREE + 1);
    for (head, kept) in [(manifest, true), (unsigned, true), (unknown, false)] {
        let length = 2 * sent.len();
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let request = format!("{head}host: x\r\ncontent-length: {length}\r\n\r\n{sent}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut tries = 0..10_000;
        if !kept {
            // Refused for its length, unread.
            let mut answer = [0; 10];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 4");
            continue;
        }
        while world.app.bodies.small.available() == all {
            assert!(tries.next().is_some(), "never charged: {head}");
            world.send(Method::GET, "/healthz", &[], "").await;
        }
        // And given back.
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        while world.app.bodies.small.available() < all {
            assert!(tries.next().is_some(), "never given back: {head}");
            world.send(Method::GET, "/healthz", &[], "").await;
        }
    }
}

/// What the head alone tells is told before the body is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_signature_makes_nobody_read() {
    let world = World::new().await;
    let headers = world.signed(&world.root, Service::Ecr, Some(CREATE), JSON, b"{}");
    world.pass(3600);
    let mut head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n",
        world.address
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let answer = raw(
        &world,
        format!("{head}connection: close\r\n\r\n").as_bytes(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(answer.contains("Signature expired"), "{answer}");
}
