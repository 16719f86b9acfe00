//! Small requests and small pushes: where a fleet of CI jobs lives.
//!
//! Each server has the same image, with one layer of 10 KB. Requests are sent by `wrk`; images are pushed by clients
//! of our own, each over its connection, to twenty repositories in turn. nginx serves the layer as a file.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::Options;
use crate::cases::{self, MANIFEST_TYPE, digest_of, push_layer, random_bytes};
use crate::http::Client;
use crate::peers::{self, Peer, REPOSITORIES};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const LAYER_BYTES: usize = 10 << 10;
const SECONDS: u64 = 4;
/// Clients that push side by side.
const PUSHERS: [usize; 2] = [1, 16];
const PUSH_TIME: Duration = Duration::from_secs(4);

/// One figure of one server in one round.
struct Sample {
    case: String,
    peer: &'static str,
    /// A second. More is better.
    rate: f64,
    cpu_us: f64,
    p99_ms: f64,
}

/// What `wrk` asks for.
struct Request {
    name: &'static str,
    path: String,
    connections: u32,
}

pub fn run(options: &Options) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| -> Result<std::path::PathBuf> {
        let path = dir.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    };
    let (files, nginx_dir) = (at("files")?, at("nginx")?);
    let mut servers = vec![peers::berth("berth", &options.berth, &at("berth")?)?];
    if let Some(before) = &options.before {
        servers.push(peers::berth("before", before, &at("before")?)?);
    }
    servers.push(peers::docker_registry(&at("registry")?)?);
    let layer = random_bytes(LAYER_BYTES, 7);
    let digest = digest_of(&layer);
    std::fs::write(files.join("layer"), &layer)?;
    let mut manifest = String::new();
    for peer in &servers {
        let mut client = peer.client()?;
        manifest = push_image(&mut client, "bench", "v1", &layer)?;
        for tag in 0..20 {
            push_image(&mut client, "bench", &format!("t{tag}"), &layer)?;
        }
    }
    let nginx = peers::nginx(&nginx_dir, &files)?;
    let request = |name, path: &str, connections| Request {
        name,
        path: path.to_owned(),
        connections,
    };
    let blob = cases::blob_path(&digest);
    let requests = [
        request("GET /v2/", "/v2/", 16),
        request("manifest by tag", "/v2/bench/manifests/v1", 16),
        request(
            "manifest by digest",
            &format!("/v2/bench/manifests/{manifest}"),
            16,
        ),
        request("tags/list", "/v2/bench/tags/list", 16),
        request("layer of 10 KB, 8 connections", &blob, 8),
        request("layer of 10 KB, 64 connections", &blob, 64),
    ];
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for request in &requests {
            for peer in &servers {
                samples.push(ask(peer, request)?);
            }
            if request.path == blob {
                let file = Request {
                    path: "/layer".to_owned(),
                    ..*request
                };
                samples.push(ask(&nginx, &file)?);
            }
        }
        for pushers in PUSHERS {
            for peer in &servers {
                cases::settle();
                samples.push(push(peer, pushers, round)?);
            }
        }
    }
    let mut names: Vec<&'static str> = servers.iter().map(|peer| peer.name).collect();
    names.push(nginx.name);
    let mut report = table(&samples, &names);
    for peer in &servers {
        let _ = writeln!(
            report,
            "\nPeak memory of {}: {:.0} MiB.",
            peer.name,
            peer.peak_mib()
        );
    }
    Ok(report)
}

fn ask(peer: &Peer, request: &Request) -> Result<Sample> {
    let cpu = peer.cpu_seconds();
    let mut command = Command::new("wrk");
    let (connections, seconds) = (request.connections.to_string(), SECONDS.to_string());
    command.args(["-t1", "--latency", "-c", &connections, "-d", &seconds]);
    command.arg("-H").arg(format!("Accept: {MANIFEST_TYPE}"));
    if let Some(value) = &peer.authorization {
        command.arg("-H").arg(format!("Authorization: {value}"));
    }
    let output = command
        .arg(format!("http://{}{}", peer.address, request.path))
        .output()
        .map_err(|error| format!("wrk does not start ({error}): apt-get install wrk"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("{} of {} failed:\n{text}", request.name, peer.name).into());
    }
    let line = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        line.and_then(|line| line.split_whitespace().last())
    };
    let unreadable = || format!("wrk said:\n{text}");
    let rate: f64 = line("Requests/sec:").ok_or_else(unreadable)?.parse()?;
    let p99_ms = line("99%").and_then(milliseconds).ok_or_else(unreadable)?;
    let requests = rate * SECONDS as f64;
    eprintln!("{:35} {:16} {rate:>10.0}", request.name, peer.name);
    Ok(Sample {
        case: format!("{} (requests/s)", request.name),
        peer: peer.name,
        rate,
        cpu_us: (peer.cpu_seconds() - cpu) / requests * 1e6,
        p99_ms,
    })
}

/// A time as `wrk` prints it.
fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..at].parse().ok()?;
    match &text[at..] {
        "us" => Some(number / 1e3),
        "ms" => Some(number),
        "s" => Some(number * 1e3),
        _ => None,
    }
}

/// Images that no one has seen, by so many clients at once.
fn push(peer: &Peer, pushers: usize, round: usize) -> Result<Sample> {
    let cpu = peer.cpu_seconds();
    let started = Instant::now();
    let times = Mutex::new(Vec::new());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for pusher in 0..pushers {
            let (times, failures) = (&times, &failures);
            scope.spawn(move || {
                let work = || -> Result<Vec<f64>> {
                    let mut client = peer.client()?;
                    let mut own = Vec::new();
                    for number in 0.. {
                        let begun = Instant::now();
                        if started.elapsed() >= PUSH_TIME {
                            break;
                        }
                        let seed = ((round * 64 + pushers) * 64 + pusher) << 20 | number;
                        let layer = random_bytes(LAYER_BYTES, seed as u64 + 1_000_000);
                        let repository = format!("bench-{}", (pusher + number) % REPOSITORIES);
                        let tag = format!("p{round}-{pushers}-{pusher}-{number}");
                        push_image(&mut client, &repository, &tag, &layer)?;
                        own.push(begun.elapsed().as_secs_f64() * 1e3);
                    }
                    Ok(own)
                };
                match work() {
                    Ok(mut own) => lock(times).append(&mut own),
                    Err(error) => lock(failures).push(error.to_string()),
                }
            });
        }
    });
    if let Some(failure) = lock(&failures).pop() {
        return Err(format!("a push to {}: {failure}", peer.name).into());
    }
    let elapsed = started.elapsed().as_secs_f64();
    let mut times = std::mem::take(&mut *lock(&times));
    times.sort_by(f64::total_cmp);
    let p99_ms = times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN);
    let count = times.len() as f64;
    let case = match pushers {
        1 => "pushes by 1 client (images/s)".to_owned(),
        _ => format!("pushes by {pushers} clients (images/s)"),
    };
    eprintln!("{case:35} {:16} {:>10.0}", peer.name, count / elapsed);
    Ok(Sample {
        case,
        peer: peer.name,
        rate: count / elapsed,
        cpu_us: (peer.cpu_seconds() - cpu) / count * 1e6,
        p99_ms,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Config, layer and manifest, as a client does that knows that nothing of it is there. Answers the
/// image's digest.
fn push_image(client: &mut Client, repository: &str, tag: &str, layer: &[u8]) -> Result<String> {
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","created_by":"{tag}","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        digest_of(layer)
    );
    for blob in [config.as_bytes(), layer] {
        push_layer(client, repository, blob, &digest_of(blob))?;
    }
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config.as_bytes()), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(layer), "size": layer.len()}],
    })
    .to_string();
    let headers = [("Content-Type", MANIFEST_TYPE)];
    let path = format!("/v2/{repository}/manifests/{tag}");
    client
        .send("PUT", &path, &headers, manifest.as_bytes())?
        .expect(201)?;
    Ok(digest_of(manifest.as_bytes()))
}

/// Medians, a row a case and a column a server: rate, CPU microseconds and p99.
fn table(samples: &[Sample], names: &[&'static str]) -> String {
    let mut cases: Vec<&str> = Vec::new();
    for sample in samples {
        if !cases.contains(&sample.case.as_str()) {
            cases.push(&sample.case);
        }
    }
    let mut out = String::from("| a second (CPU µs each, p99 ms) |");
    for name in names {
        let _ = write!(out, " {name} |");
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(names.len()));
    out.push('\n');
    for case in cases {
        let _ = write!(out, "| {case} |");
        for name in names {
            let of = |value: fn(&Sample) -> f64| {
                let found = samples.iter().filter(|s| s.case == case && s.peer == *name);
                median(found.map(value).collect())
            };
            match (of(|s| s.rate), of(|s| s.cpu_us), of(|s| s.p99_ms)) {
                (Some(rate), Some(cpu), Some(p99)) => {
                    let _ = write!(out, " {rate:.0} ({cpu:.0}, {p99:.2}) |");
                }
                _ => out.push_str(" – |"),
            }
        }
        out.push('\n');
    }
    out
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
