//! What is measured: a large layer in and out, many small layers in and out,
//! and manifests by the thousand.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::Options;
use crate::http::Client;
use crate::peers::{self, Peer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Layers of the small case, and their size: a typical image has a handful, a
/// build cache has hundreds.
const SMALL_LAYERS: usize = 200;
const SMALL_LAYER_BYTES: usize = 16 << 10;
/// Connections and seconds of the manifest case.
const MANIFEST_CONNECTIONS: &str = "16";
const MANIFEST_SECONDS: &str = "5";

/// One run of one case on one peer.
pub struct Sample {
    pub case: &'static str,
    pub peer: &'static str,
    /// In the case's unit: MB/s, layers/s or requests/s. More is better.
    pub rate: f64,
    /// CPU seconds of the server for each unit of [`Sample::cost_unit`].
    pub cpu_cost: f64,
    pub cost_unit: &'static str,
}

/// All that was measured.
pub struct Results {
    pub samples: Vec<Sample>,
    /// Peer, start to first answer in milliseconds, peak memory in MiB.
    pub servers: Vec<(&'static str, f64, f64)>,
}

pub fn run(options: &Options) -> Result<Results> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| -> Result<std::path::PathBuf> {
        let path = dir.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    };
    let (berth_dir, registry_dir, nginx_dir, files) =
        (at("berth")?, at("registry")?, at("nginx")?, at("files")?);
    let berth = peers::berth("berth", &options.berth, &berth_dir)?;
    let before = match &options.before {
        Some(binary) => Some(peers::berth("before", binary, &at("before")?)?),
        None => None,
    };
    let registry = peers::docker_registry(&registry_dir)?;
    let nginx = peers::nginx(&nginx_dir, &files)?;
    let mut samples = Vec::new();
    let servers: Vec<&Peer> = [Some(&berth), before.as_ref(), Some(&registry)]
        .into_iter()
        .flatten()
        .collect();

    let mut layer = random_bytes(options.layer_bytes, 1);
    for round in 0..options.rounds {
        for (at, peer) in servers.iter().enumerate() {
            // Each push is of a layer that nobody has seen.
            layer[..8].copy_from_slice(&((round * servers.len() + at) as u64).to_le_bytes());
            let digest = digest_of(&layer);
            settle();
            samples.push(measure(
                "push of a large layer (MB/s)",
                peer,
                megabytes(&layer),
                "GB",
                1e-3,
                || push_layer(&mut peer.client()?, "bench", &layer, &digest),
            )?);
            if round == 0 {
                std::fs::write(files.join(format!("{}.bin", peer.name)), &layer)?;
            }
        }
    }
    let mut pulled = Vec::new();
    for peer in &servers {
        pulled.push((*peer, blob_path(&digest_in(&files, peer.name)?)));
    }
    pulled.push((&nginx, "/berth.bin".to_owned()));
    for _ in 0..options.rounds {
        for (peer, path) in &pulled {
            samples.push(measure(
                "pull of a large layer (MB/s)",
                peer,
                megabytes(&layer),
                "GB",
                1e-3,
                || {
                    let answer = peer.client()?.send("GET", path, &[], &[])?.expect(200)?;
                    if answer.body_bytes == layer.len() as u64 {
                        Ok(())
                    } else {
                        Err("a short layer".into())
                    }
                },
            )?);
        }
    }

    for round in 0..options.rounds {
        for peer in &servers {
            let layers: Vec<Vec<u8>> = (0..SMALL_LAYERS)
                .map(|n| random_bytes(SMALL_LAYER_BYTES, (round * SMALL_LAYERS + n) as u64 + 1000))
                .collect();
            let digests: Vec<String> = layers.iter().map(|layer| digest_of(layer)).collect();
            settle();
            let mut client = peer.client()?;
            samples.push(measure(
                "push of small layers (layers/s)",
                peer,
                SMALL_LAYERS as f64,
                "1000 layers",
                1e-3,
                || {
                    layers.iter().zip(&digests).try_for_each(|(layer, digest)| {
                        push_layer(&mut client, "bench", layer, digest)
                    })
                },
            )?);
            samples.push(measure(
                "pull of small layers (layers/s)",
                peer,
                SMALL_LAYERS as f64,
                "1000 layers",
                1e-3,
                || {
                    for digest in &digests {
                        client
                            .send("GET", &blob_path(digest), &[], &[])?
                            .expect(200)?;
                    }
                    Ok(())
                },
            )?);
        }
    }

    for peer in &servers {
        push_image(&mut peer.client()?)?;
    }
    for _ in 0..options.rounds {
        for peer in &servers {
            samples.push(manifests(peer)?);
        }
    }
    let servers = servers
        .into_iter()
        .chain([&nginx])
        .map(|peer| {
            let ready_ms = peer.ready_after.as_secs_f64() * 1e3;
            (peer.name, ready_ms, peer.peak_mib())
        })
        .collect();
    Ok(Results { samples, servers })
}

/// Runs `work`, which is `amount` of the case's unit; `cost_scale` turns that
/// amount into what CPU is counted by.
fn measure(
    case: &'static str,
    peer: &Peer,
    amount: f64,
    cost_unit: &'static str,
    cost_scale: f64,
    work: impl FnOnce() -> Result<()>,
) -> Result<Sample> {
    let (cpu, started) = (peer.cpu_seconds(), Instant::now());
    work().map_err(|error| format!("{case}, {}: {error}", peer.name))?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu_cost = (peer.cpu_seconds() - cpu) / (amount * cost_scale);
    eprintln!("{case:35} {:16} {:>10.1}", peer.name, amount / seconds);
    Ok(Sample {
        case,
        peer: peer.name,
        rate: amount / seconds,
        cpu_cost,
        cost_unit,
    })
}

/// POST, PATCH, PUT: as docker pushes a layer.
pub fn push_layer(client: &mut Client, repository: &str, layer: &[u8], digest: &str) -> Result<()> {
    let answer = client
        .send(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            &[],
            &[],
        )?
        .expect(202)?;
    let location = answer.header("location").ok_or("no Location")?.to_owned();
    let octets = [("Content-Type", "application/octet-stream")];
    let answer = client
        .send("PATCH", &location, &octets, layer)?
        .expect(202)?;
    let location = answer.header("location").ok_or("no Location")?.to_owned();
    let separator = if location.contains('?') { '&' } else { '?' };
    client
        .send(
            "PUT",
            &format!("{location}{separator}digest={digest}"),
            &[],
            &[],
        )?
        .expect(201)?;
    Ok(())
}

pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// A small image tagged `v1`.
pub fn push_image(client: &mut Client) -> Result<()> {
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let layer = random_bytes(SMALL_LAYER_BYTES, 7);
    for blob in [config.as_slice(), layer.as_slice()] {
        push_layer(client, "bench", blob, &digest_of(blob))?;
    }
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(&layer), "size": layer.len()}],
    });
    let headers = [("Content-Type", MANIFEST_TYPE)];
    client
        .send(
            "PUT",
            "/v2/bench/manifests/v1",
            &headers,
            manifest.to_string().as_bytes(),
        )?
        .expect(201)?;
    Ok(())
}

/// Manifests by tag, many connections at once, by `wrk`.
fn manifests(peer: &Peer) -> Result<Sample> {
    const CASE: &str = "manifest by tag (requests/s)";
    let cpu = peer.cpu_seconds();
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c", MANIFEST_CONNECTIONS, "-d", MANIFEST_SECONDS]);
    command.arg("-H").arg(format!("Accept: {MANIFEST_TYPE}"));
    if let Some(value) = &peer.authorization {
        command.arg("-H").arg(format!("Authorization: {value}"));
    }
    let output = command
        .arg(format!("http://{}/v2/bench/manifests/v1", peer.address))
        .output()
        .map_err(|error| format!("wrk does not start ({error}): apt-get install wrk"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") {
        return Err(format!("manifests of {} were refused:\n{text}", peer.name).into());
    }
    let number = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name))?;
        line.split_whitespace().last()?.parse::<f64>().ok()
    };
    let rate = number("Requests/sec:").ok_or_else(|| format!("wrk said:\n{text}"))?;
    let total = text.lines().find_map(|line| {
        line.trim()
            .split_once(" requests in ")?
            .0
            .parse::<f64>()
            .ok()
    });
    let total = total.unwrap_or(rate * MANIFEST_SECONDS.parse::<f64>()?);
    eprintln!("{CASE:35} {:16} {rate:>10.1}", peer.name);
    let cpu_cost = (peer.cpu_seconds() - cpu) / (total / 1e6);
    Ok(Sample {
        case: CASE,
        peer: peer.name,
        rate,
        cpu_cost,
        cost_unit: "million requests",
    })
}

pub fn blob_path(digest: &str) -> String {
    format!("/v2/bench/blobs/{digest}")
}

fn digest_in(files: &Path, peer: &str) -> Result<String> {
    Ok(digest_of(&std::fs::read(
        files.join(format!("{peer}.bin")),
    )?))
}

pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", aws_types::hex::encode(Sha256::digest(bytes)))
}

fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}

/// Bytes that do not compress, the same for the same seed (xorshift).
pub fn random_bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Lets the disk finish what the run before left, so that it is nobody's cost.
pub fn settle() {
    let _ = Command::new("sync").status();
}
