//! Pulls over TLS beside nginx's, both with the same certificate.
//!
//! A client that decrypts would take a core of its own from the server. So a large pull is decrypted once, to see that
//! it is whole, and the measured client only counts the bytes of the records.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{IpAddr, ServerName};
use rustls::{ClientConfig, ClientConnection};

use crate::Options;
use crate::berth;
use crate::cell::{Done, Figures, Result, Unit, Workload};
use crate::certificate::Certificate;
use crate::content::{Layers, blob_path, push_layer};
use crate::layers::{place_file, size_name};
use crate::load::{self, Request, Until};
use crate::peers::Peer;
use crate::registries;

const SMALL_BYTES: usize = 10 << 10;
const SMALL_CLIENTS: [usize; 2] = [8, 64];

pub fn large_case(bytes: usize) -> String {
    format!("TLS pull of {}, 1 client", size_name(bytes))
}

pub fn run(options: &Options, figures: &mut Figures) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let folder = |name: &str| -> Result<std::path::PathBuf> {
        let path = dir.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    };
    let certificate = Certificate::new(&folder("tls")?)?;
    let client = certificate.client()?;
    let files = folder("files")?;
    // Filled over plain HTTP, then served over TLS.
    let at = folder("berth")?;
    let plain = berth::start("berth", &options.berth, &at)?;
    let mut paths = Vec::new();
    for bytes in [options.layer_bytes, SMALL_BYTES] {
        let (layers, end) = (Layers::of(bytes), Layers::new_end());
        let layer = layers.with_end(&end);
        push_layer(&mut plain.client()?, "bench", &layer)?;
        let path = blob_path(&layer.digest);
        place_file(&files, &path, &layer.parts)?;
        paths.push(path);
    }
    let authorization = plain.authorization.clone();
    drop(plain);
    let text = |path: &std::path::Path| path.to_str().map(str::to_owned).ok_or("not text");
    let (chain, key) = (text(&certificate.chain)?, text(&certificate.key)?);
    let flags = ["--tls-cert", &chain, "--tls-key", &key];
    let mut berth = berth::start_alone("berth", &options.berth, &at, &flags)?;
    berth.authorization = authorization;
    let nginx = match registries::nginx(&folder("nginx")?, &files, Some(&certificate)) {
        Ok(peer) => Some(peer),
        Err(error) => {
            figures.note(format!("absent: nginx: {error}"));
            None
        }
    };
    let servers: Vec<&Peer> = [Some(&berth), nginx.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    for peer in &servers {
        let requests = [Request::new(peer, "GET", &paths[0])];
        let pulled = load::send(peer.address, Some(&client), &requests, 1, Until::AllOnce)?;
        if pulled.bytes != options.layer_bytes as u64 {
            return Err(format!("{} sent {} bytes", peer.name, pulled.bytes).into());
        }
    }
    let mut workloads = vec![Workload {
        case: large_case(options.layer_bytes),
        unit: Unit::Megabytes,
        on: servers.clone(),
        work: Box::new(|peer| {
            let pull = Pull {
                address: peer.address,
                tls: &client,
                request: closing_request(peer, &paths[0]),
                bytes_least: options.layer_bytes as u64,
            };
            pull.again_for(options.time)
        }),
    }];
    for clients in SMALL_CLIENTS {
        let (tls, path) = (&client, &paths[1]);
        workloads.push(Workload {
            case: format!("TLS pull of {}, {clients} clients", size_name(SMALL_BYTES)),
            unit: Unit::Requests,
            on: servers.clone(),
            work: Box::new(move |peer| {
                let requests = [Request::new(peer, "GET", path)];
                let until = Until::Passed(options.time);
                let answers = load::send(peer.address, Some(tls), &requests, clients, until)?;
                Ok(answers.done(Unit::Requests))
            }),
        });
    }
    figures.run(&workloads, options.rounds);
    Ok(())
}

fn closing_request(peer: &Peer, path: &str) -> String {
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
        peer.address
    );
    if let Some(value) = &peer.authorization {
        text.push_str(&format!("Authorization: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

/// A pull whose answer is not decrypted: it ends when the server hangs up.
struct Pull<'a> {
    address: SocketAddr,
    tls: &'a Arc<ClientConfig>,
    request: String,
    /// A whole answer has more.
    bytes_least: u64,
}

impl Pull<'_> {
    fn again_for(&self, time: Duration) -> Result<Done> {
        let (started, mut bytes) = (Instant::now(), 0);
        while started.elapsed() < time {
            bytes += self.once(started + time)?;
        }
        Ok(Done {
            amount: bytes as f64 / 1e6,
            seconds: started.elapsed().as_secs_f64(),
            p99_ms: None,
        })
    }

    /// Bytes of records that came until then.
    fn once(&self, until: Instant) -> Result<u64> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let name = ServerName::IpAddress(IpAddr::from(self.address.ip()));
        let mut tls = ClientConnection::new(Arc::clone(self.tls), name)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        tls.writer().write_all(self.request.as_bytes())?;
        while tls.wants_write() {
            tls.write_tls(&mut stream)?;
        }
        let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
        while Instant::now() < until {
            // With TRUNC, TCP counts the bytes and leaves the buffer alone.
            let flags = rustix::net::RecvFlags::TRUNC;
            let (_, dropped) = rustix::net::recv(&stream, &mut buffer[..], flags)?;
            if dropped == 0 {
                return match bytes >= self.bytes_least {
                    true => Ok(bytes),
                    false => Err(format!("a pull over TLS ended after {bytes} bytes").into()),
                };
            }
            bytes += dropped as u64;
        }
        Ok(bytes)
    }
}
