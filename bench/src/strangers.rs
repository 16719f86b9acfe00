//! Honest clients while strangers attack: the p99 of a pull and a call, quiet and under each attack.
//!
//! Eight attackers, each with a loopback address of its own (127.0.0.2 to 127.0.0.9), run in a process of
//! their own at the lowest priority: their work is done on other machines in reality, so it must not be
//! measured as the server's. Every attack is bounded in connections and time.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::Options;
use crate::berth::{self, Key};
use crate::content::{MANIFEST_TYPE, push_image, random_bytes};
use crate::latency::{Latencies, repeat};
use crate::peers::Peer;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The attackers' addresses end with these.
const ATTACKERS: std::ops::RangeInclusive<u8> = 2..=9;
/// How long the honest client is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// How long an attack goes on at most, whoever forgets to end it.
const ATTACK_MAX: Duration = Duration::from_secs(60);
/// The honest p99 under attack over the quiet one, at most.
const RATIO_MAX: f64 = 3.0;
/// The file that a forged request is passed in: its length is no argument's.
const FORGED: &str = "BERTH_BENCH_FORGED";

/// An attack: its name, connections of each attacker, and what each connection does.
struct Attack {
    name: &'static str,
    connections: usize,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Sends this and waits.
    Hold(fn() -> Vec<u8>),
    /// Sends a request, reads the answer, and again.
    Again(fn() -> Vec<Vec<u8>>),
    /// Announces a body under a forged signature and sends it slowly.
    SlowBody,
}

const ATTACKS: [Attack; 5] = [
    Attack {
        name: "unfinished requests",
        connections: 560,
        kind: Kind::Hold(|| b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-".to_vec()),
    },
    Attack {
        name: "long headers",
        connections: 250,
        kind: Kind::Hold(|| {
            [
                b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ".as_slice(),
                &[b'x'; 60_000],
            ]
            .concat()
        }),
    },
    Attack {
        name: "wrong signatures",
        connections: 40,
        kind: Kind::Again(|| vec![forged()]),
    },
    Attack {
        name: "no credentials",
        connections: 3,
        kind: Kind::Again(|| {
            vec![
                b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
                b"GET /v2/app/tags/list HTTP/1.1\r\nHost: x\r\nAuthorization: Basic QVdTOng=\r\n\r\n".to_vec(),
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\nAction=ListUsers".to_vec(),
            ]
        }),
    },
    Attack {
        name: "slow bodies",
        connections: 40,
        kind: Kind::SlowBody,
    },
];

/// Measures the honest client quietly and under each attack, and prints a table.
pub fn run(options: &Options) -> Result<String> {
    more_files()?;
    let dir = tempfile::tempdir()?;
    let berth = berth::start("berth", &options.berth, dir.path())?;
    push_image(
        &mut berth.client()?,
        "bench",
        "v1",
        &random_bytes(16 << 10, 7),
    )?;
    let root = berth::root_key(dir.path())?;
    let requests = honest_requests(&berth, &root)?;
    let forged = dir.path().join("forged");
    std::fs::write(&forged, forged_request(&berth, &root)?)?;
    let mut report = String::from(
        "| attack by 8 addresses | p50 (ms) | p99 (ms) | p99 / quiet p99 | target |\n|---|---|---|---|---|\n",
    );
    let quiet = median_of(options.rounds, || measure(&berth, &requests))?;
    row(&mut report, "none", &quiet, None);
    for attack in &ATTACKS {
        let latencies = median_of(options.rounds, || {
            let _attackers = Attackers::start(attack.name, berth.address, &forged)?;
            measure(&berth, &requests)
        })?;
        row(&mut report, attack.name, &latencies, Some(&quiet));
    }
    report.push_str(&format!("\nPeak memory {:.0} MiB.\n", berth.peak_mib()));
    Ok(report)
}

/// A pull of a manifest by tag, and a signed call.
fn honest_requests(berth: &Peer, root: &Key) -> Result<Vec<Vec<u8>>> {
    let password = berth.authorization.as_deref().ok_or("no password")?;
    let pull = format!(
        "GET /v2/bench/manifests/v1 HTTP/1.1\r\nHost: {}\r\nAccept: {MANIFEST_TYPE}\r\nAuthorization: {password}\r\n\r\n",
        berth.address
    );
    let body = berth::form("2011-06-15", &[("Action", "GetCallerIdentity")]);
    let call = berth::signed_form(berth, root, "sts", &body)?;
    Ok(vec![pull.into_bytes(), call])
}

fn measure(berth: &Peer, requests: &[Vec<u8>]) -> Result<Latencies> {
    repeat(berth.address, requests, 1, MEASURED)
}

/// The run whose p99 is the median of `rounds` runs.
fn median_of(rounds: usize, mut run: impl FnMut() -> Result<Latencies>) -> Result<Latencies> {
    let mut all = (0..rounds).map(|_| run()).collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| a.percentile_ms(99.0).total_cmp(&b.percentile_ms(99.0)));
    Ok(all.swap_remove(all.len() / 2))
}

fn row(report: &mut String, name: &str, latencies: &Latencies, quiet: Option<&Latencies>) {
    use std::fmt::Write as _;
    let p99 = latencies.percentile_ms(99.0);
    let (ratio, target) = match quiet {
        None => ("–".to_owned(), "–".to_owned()),
        Some(quiet) => {
            let ratio = p99 / quiet.percentile_ms(99.0);
            let met = if ratio <= RATIO_MAX { "met" } else { "missed" };
            (format!("{ratio:.1}×"), format!("≤ {RATIO_MAX}× {met}"))
        }
    };
    let p50 = latencies.percentile_ms(50.0);
    let _ = writeln!(
        report,
        "| {name} | {p50:.2} | {p99:.2} | {ratio} | {target} |"
    );
}

/// The root user's key id, which is known, and a signature of another body.
fn forged_request(berth: &Peer, root: &Key) -> Result<Vec<u8>> {
    let body = berth::form("2010-05-08", &[("Action", "ListUsers")]);
    let mut request = berth::signed_form(berth, root, "iam", &body)?;
    // The last letter of the body is another one now.
    if let Some(last) = request.last_mut() {
        *last = b'S';
    }
    Ok(request)
}

/// The process of the attackers. Stopped when dropped.
struct Attackers(Child);

impl Attackers {
    fn start(name: &str, server: SocketAddr, forged: &std::path::Path) -> Result<Attackers> {
        let mut child = Command::new("nice")
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .args(["--attack", name, "--server", &server.to_string()])
            .env(FORGED, forged)
            .stdout(Stdio::piped())
            .spawn()?;
        // One byte says that every connection that the server takes is open.
        let mut ready = [0];
        child
            .stdout
            .as_mut()
            .ok_or("no output")?
            .read_exact(&mut ready)?;
        Ok(Attackers(child))
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        // What the server still does for them is over before the next run.
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The attackers' process: one attack from every address, until it is killed.
pub fn attack(name: &str, server: SocketAddr) -> Result<()> {
    more_files()?;
    let attack = ATTACKS.iter().find(|attack| attack.name == name);
    let attack = attack.ok_or_else(|| format!("there is no attack `{name}`"))?;
    let mut streams = Vec::new();
    for _ in 0..attack.connections {
        for number in ATTACKERS {
            // The server may refuse more than its share.
            if let Ok(stream) = connect_from(Ipv4Addr::new(127, 0, 0, number), server) {
                streams.push(stream);
            }
        }
    }
    let until = Instant::now() + ATTACK_MAX;
    match attack.kind {
        Kind::Hold(first) => {
            let bytes = first();
            for stream in &mut streams {
                let _ = stream.write_all(&bytes);
            }
            ready()?;
            std::thread::sleep(ATTACK_MAX);
        }
        Kind::Again(requests) => {
            ready()?;
            let requests = requests();
            std::thread::scope(|scope| {
                for (at, stream) in streams.into_iter().enumerate() {
                    let request = &requests[at % requests.len()];
                    std::thread::Builder::new()
                        .stack_size(64 << 10)
                        .spawn_scoped(scope, move || again(stream, server, request, until))?;
                }
                std::io::Result::Ok(())
            })?;
        }
        Kind::SlowBody => {
            let forged = forged();
            let end = forged.windows(4).position(|w| w == b"\r\n\r\n");
            let head = String::from_utf8_lossy(&forged[..end.unwrap_or(0)]).into_owned();
            let head = head
                .lines()
                .filter(|line| !line.starts_with("Content-Length"));
            let head = head.collect::<Vec<_>>().join("\r\n");
            let start = format!(
                "{head}\r\nContent-Length: 1000000\r\n\r\n{}",
                "x".repeat(60_000)
            );
            for stream in &mut streams {
                let _ = stream.write_all(start.as_bytes());
            }
            ready()?;
            while Instant::now() < until {
                for stream in &mut streams {
                    let _ = stream.write_all(&[b'x'; 20_000]);
                }
                std::thread::sleep(Duration::from_millis(300));
            }
        }
    }
    Ok(())
}

fn again(mut stream: TcpStream, server: SocketAddr, request: &[u8], until: Instant) {
    let mut buffer = [0; 8192];
    while Instant::now() < until {
        let answered = stream.write_all(request).is_ok()
            && matches!(stream.read(&mut buffer), Ok(read) if read > 0);
        if !answered {
            let from = stream.local_addr().map(|address| address.ip());
            let Ok(std::net::IpAddr::V4(from)) = from else {
                return;
            };
            std::thread::sleep(Duration::from_millis(10));
            match connect_from(from, server) {
                Ok(again) => stream = again,
                Err(_) => continue,
            }
        }
    }
}

fn ready() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(b"!")?;
    out.flush()
}

fn forged() -> Vec<u8> {
    let path = std::env::var_os(FORGED).unwrap_or_default();
    std::fs::read(path).unwrap_or_default()
}

/// A connection from one of the loopback addresses.
fn connect_from(from: Ipv4Addr, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(from, 0))?;
    connect(&socket, &server)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    Ok(stream)
}

/// Thousands of sockets, here and in the processes that are started from here.
fn more_files() -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}
