//! Connections: whose they are, who is closed for whom, and how they end.

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;

/// Sends bytes as they are and reads the answer to its end.
async fn raw(world: &World, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A PROXY protocol header of a client at 203.0.113.9 who spoke TLS to the proxy.
pub(super) const PROXY_HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\
    \xcb\0\x71\x09\x0a\0\0\x01\x30\x39\x01\xbb\x20\0\x05\x01\0\0\0\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_names_the_client() {
    for (trusted, address, scheme) in [(true, "203.0.113.9", "https"), (false, "127.0.0.1", "http")]
    {
        let world = World::with(|settings| {
            if trusted {
                settings.transport.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
        })
        .await;
        let headers = [
            ("x-forwarded-for", "198.51.100.1, 203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ];
        let reply = world.send(Method::GET, "/v2/", &headers, "").await;
        let realm = reply.header("www-authenticate");
        assert!(
            realm.starts_with(&format!("Basic realm=\"{scheme}://")),
            "{realm}"
        );
        let login = [headers[0], headers[1], ("authorization", "Basic !")];
        world.send(Method::GET, "/v2/", &login, "").await;
        let events = world.stop().await;
        assert!(
            events
                .iter()
                .any(|event| event["errorCode"] == "UNAUTHORIZED"),
            "{events:?}"
        );
        for event in events
            .iter()
            .filter(|event| event["errorCode"] == "UNAUTHORIZED")
        {
            assert_eq!(event["sourceIPAddress"], address);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_protocol_is_spoken_with_trusted_proxies_only() {
    let request = b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let proxied = [PROXY_HEADER, request].concat();
    let world = World::with(|settings| {
        settings.transport.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let answer = raw(&world, &proxied).await;
    assert!(answer.contains("realm=\"https://x/\""), "{answer}");
    // Without the header the same port goes on serving.
    let answer = raw(&world, request).await;
    assert!(answer.contains("realm=\"http://x/\""), "{answer}");

    let world = World::new().await;
    let answer = raw(&world, &proxied).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_url_with_https_is_the_clients_scheme() {
    let world = World::with(|settings| {
        settings.public_url = Some("https://registry.example.com".to_owned());
    })
    .await;
    let reply = world.send(Method::GET, "/v2/", &[], "").await;
    let realm = reply.header("www-authenticate");
    assert!(realm.starts_with("Basic realm=\"https://"), "{realm}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_transport_security_is_an_option_and_never_for_loopback() {
    for (option, url, host, sent) in [
        (
            Some(60),
            "https://registry.example.com",
            "registry.example.com",
            "max-age=60",
        ),
        (
            None,
            "https://registry.example.com",
            "registry.example.com",
            "",
        ),
        (
            Some(60),
            "http://registry.example.com",
            "registry.example.com",
            "",
        ),
        (
            Some(60),
            "https://registry.example.com",
            "localhost:5000",
            "",
        ),
        (Some(60), "https://registry.example.com", "[::1]:5000", ""),
    ] {
        let world = World::with(|settings| {
            settings.public_url = Some(url.to_owned());
            settings.transport.hsts_seconds = option;
        })
        .await;
        let reply = world
            .send(Method::GET, "/healthz", &[("host", host)], "")
            .await;
        assert_eq!(
            reply.header("strict-transport-security"),
            sent,
            "{url} {host}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_requests_give_way_when_all_connections_are_taken() {
    let world = World::with(|settings| settings.transport.connections_max = 8).await;
    let mut unfinished = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream
            .write_all(b"GET /v2/ HTTP/1.1\r\nhost:")
            .await
            .unwrap();
        unfinished.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(world.send(Method::GET, "/v2/", &[], "").await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_no_unfinished_request() {
    let world = World::new().await;
    let mut streams = Vec::new();
    for bytes in [
        &b"GET /v2/ HTTP/1.1\r\nhost: x\r\n"[..],
        b"GE",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"P",
        b"",
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        streams.push(stream);
    }
    // An idle one that had a request.
    let mut idle = TcpStream::connect(world.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET")
        .await
        .unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    let stopped = std::time::Instant::now();
    world.stop().await;
    let took = stopped.elapsed();
    assert!(took < crate::limits::SHUTDOWN_GRACE / 2, "{took:?}");
}
