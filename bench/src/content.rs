//! What is pushed: layers and images, and how a client pushes them.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::http::Client;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Layers of one size that differ in their last bytes only: each is new to every server, and none costs the client
/// more than the hash of those bytes.
pub struct Layers {
    start: Vec<u8>,
    hashed: Sha256,
}

/// A layer in two parts, and its digest.
pub struct Layer<'a> {
    pub parts: [&'a [u8]; 2],
    pub digest: String,
}

/// The bytes in which layers differ.
pub type End = [u8; 16];

/// No two layers of a run are the same.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Layers {
    pub fn of(bytes: usize) -> Layers {
        let start = random_bytes(bytes - size_of::<End>(), bytes as u64);
        let hashed = Sha256::new_with_prefix(&start);
        Layers { start, hashed }
    }

    /// An end that no layer has had.
    pub fn new_end() -> End {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        u128::from(number).to_le_bytes()
    }

    pub fn with_end<'a>(&'a self, end: &'a End) -> Layer<'a> {
        let digest = self.hashed.clone().chain_update(end).finalize();
        Layer {
            parts: [&self.start, end],
            digest: format!("sha256:{}", aws_types::hex::encode(digest)),
        }
    }
}

/// POST, PATCH, PUT: as docker pushes a layer.
pub fn push_layer(client: &mut Client, repository: &str, layer: &Layer<'_>) -> Result<()> {
    let uploads = format!("/v2/{repository}/blobs/uploads/");
    let answer = client.send("POST", &uploads, &[], &[])?.expect(202)?;
    let location = answer.header("location").ok_or("no Location")?.to_owned();
    let octets = [("Content-Type", "application/octet-stream")];
    let answer = client
        .send_parts("PATCH", &location, &octets, &layer.parts)?
        .expect(202)?;
    let location = answer.header("location").ok_or("no Location")?.to_owned();
    let separator = if location.contains('?') { '&' } else { '?' };
    let target = format!("{location}{separator}digest={}", layer.digest);
    client.send("PUT", &target, &[], &[])?.expect(201)?;
    Ok(())
}

fn push_blob(client: &mut Client, repository: &str, bytes: &[u8]) -> Result<String> {
    let digest = digest_of(bytes);
    let layer = Layer {
        parts: [bytes, &[]],
        digest: digest.clone(),
    };
    push_layer(client, repository, &layer)?;
    Ok(digest)
}

/// An image of one layer. Answers its digest.
pub fn push_image(
    client: &mut Client,
    repository: &str,
    tag: &str,
    layer: &[u8],
) -> Result<String> {
    push_image_of(client, repository, tag, &[layer])
}

/// Config, layers and manifest, as a client does that knows that nothing of it is there. Answers the image's digest.
pub fn push_image_of(
    client: &mut Client,
    repository: &str,
    tag: &str,
    layers: &[&[u8]],
) -> Result<String> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| digest_of(layer)).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "created_by": tag,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string();
    let config_digest = push_blob(client, repository, config.as_bytes())?;
    let mut descriptors = Vec::new();
    for layer in layers {
        let digest = push_blob(client, repository, layer)?;
        descriptors.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": layer.len(),
        }));
    }
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config_digest, "size": config.len(),
        },
        "layers": descriptors,
    })
    .to_string();
    let headers = [("Content-Type", MANIFEST_TYPE)];
    let path = format!("/v2/{repository}/manifests/{tag}");
    client
        .send("PUT", &path, &headers, manifest.as_bytes())?
        .expect(201)?;
    Ok(digest_of(manifest.as_bytes()))
}

pub fn blob_path(digest: &str) -> String {
    format!("/v2/bench/blobs/{digest}")
}

pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", aws_types::hex::encode(Sha256::digest(bytes)))
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
