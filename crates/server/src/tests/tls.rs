//! TLS: certificates are read again, and a trusted proxy names its client in front of the handshake.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::transport::PROXY_HEADER;
use super::world::World;
use crate::tls::Tls;

/// A certificate and its key in files, which a server is told of.
struct Files(tempfile::TempDir);

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces both files by a new certificate for the loopback address.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        replace(&self.path("cert.pem"), &made.cert.pem());
        replace(&self.path("key.pem"), &made.signing_key.serialize_pem());
        made.cert.der().clone()
    }

    fn tls(&self) -> Tls {
        Tls::from_files(&self.path("cert.pem"), &self.path("key.pem")).unwrap()
    }
}

/// As tools that renew certificates do it: by a new file.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
}

/// Connects, with bytes in front of the handshake, to a server with one of the trusted certificates.
async fn connect(
    address: SocketAddr,
    trusted: &[&CertificateDer<'static>],
    first: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add((*certificate).clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(first).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let (_, connection) = stream.get_ref();
    connection.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

/// One request, and the answer to its end.
async fn ask(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes without a word of TLS has sent everything before.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_read_again_when_the_operator_asks() {
    let files = Files(tempfile::tempdir().unwrap());
    let old = files.renew();
    let reload = Arc::new(Notify::new());
    let world = World::with(|settings| {
        settings.tls = Some(files.tls());
        settings.transport.reload = Arc::clone(&reload);
    })
    .await;
    let mut open = connect(world.address, &[&old], b"").await.unwrap();
    assert_eq!(shown(&open), old);

    // Half of a replacement changes nothing.
    replace(&files.path("key.pem"), "no key");
    reload.notify_one();
    let new = files.renew();
    reload.notify_one();
    let mut tries = 0..10_000;
    loop {
        let stream = connect(world.address, &[&old, &new], b"").await.unwrap();
        let shown = shown(&stream);
        if shown == new {
            break;
        }
        assert_eq!(shown, old);
        assert!(
            tries.next().is_some(),
            "the new certificate was never served"
        );
    }
    // Who trusts the earlier one alone is not let down: the connection goes on.
    let answer = ask(&mut open, HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(connect(world.address, &[&old], b"").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_protocol_comes_before_the_handshake_and_from_trusted_proxies_only() {
    let files = Files(tempfile::tempdir().unwrap());
    let certificate = files.renew();
    let world = World::with(|settings| {
        settings.tls = Some(files.tls());
        settings.transport.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let request =
        "GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Basic !\r\n\r\n";
    for (header, address) in [(PROXY_HEADER, "203.0.113.9"), (b"", "127.0.0.1")] {
        let stream = connect(world.address, &[&certificate], header).await;
        let answer = ask(&mut stream.unwrap(), request).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{address}: {answer}");
        assert!(answer.contains("realm=\"https://x/\""), "{answer}");
    }
    // Inside of TLS it is no header, whoever sends it.
    let mut stream = connect(world.address, &[&certificate], b"").await.unwrap();
    let inside = [PROXY_HEADER, request.as_bytes()].concat();
    stream.write_all(&inside).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    let events = world.stop().await;
    let refused = events
        .iter()
        .filter(|event| event["errorCode"] == "UNAUTHORIZED");
    let addresses: Vec<_> = refused
        .map(|event| event["sourceIPAddress"].as_str().unwrap())
        .collect();
    assert_eq!(addresses, ["203.0.113.9", "127.0.0.1"]);

    let world = World::with(|settings| settings.tls = Some(files.tls())).await;
    let refused = connect(world.address, &[&certificate], PROXY_HEADER).await;
    assert!(refused.is_err(), "a proxy that is not trusted was believed");
}
