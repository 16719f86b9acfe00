//! A small image: a layer that is a tar archive, a configuration, a manifest.

use serde_json::json;
use sha2::{Digest as _, Sha256};

pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// What the layer's larger file holds, in bytes: some pieces of an upload.
const DATA_BYTES: usize = 6 * 1024 * 1024;
/// A tar archive is made of such blocks (POSIX.1, "ustar Interchange Format").
const BLOCK_BYTES: usize = 512;

/// Bytes with their digest.
#[derive(Debug)]
pub struct Blob {
    pub digest: String,
    pub bytes: Vec<u8>,
}

impl Blob {
    fn of(bytes: Vec<u8>) -> Blob {
        Blob {
            digest: format!("sha256:{}", aws_types::hex::encode(Sha256::digest(&bytes))),
            bytes,
        }
    }
}

/// An image, ready to be pushed.
#[derive(Debug)]
pub struct Image {
    pub layer: Blob,
    pub config: Blob,
    pub manifest: Blob,
}

impl Image {
    /// Builds `FROM scratch` with a file that says `message`.
    pub fn build(message: &str) -> Image {
        let mut tar = Vec::with_capacity(DATA_BYTES + 8 * BLOCK_BYTES);
        file(&mut tar, "message", format!("{message}\n").as_bytes());
        file(&mut tar, "data", &data(message));
        // Two empty blocks end an archive.
        tar.resize(tar.len() + 2 * BLOCK_BYTES, 0);
        let layer = Blob::of(tar);
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/message"]},
            // An uncompressed layer: its digest is its diff id.
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        });
        let config = Blob::of(config.to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config.digest,
                "size": config.bytes.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": layer.digest,
                "size": layer.bytes.len(),
            }],
        });
        let manifest = Blob::of(manifest.to_string().into_bytes());
        Image {
            layer,
            config,
            manifest,
        }
    }
}

/// Bytes that differ from image to image and do not repeat soon: xorshift, seeded by the message.
fn data(message: &str) -> Vec<u8> {
    let mut state = message
        .bytes()
        .fold(0x9e37_79b9_7f4a_7c15_u64, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
        | 1;
    let mut bytes = Vec::with_capacity(DATA_BYTES);
    while bytes.len() < DATA_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

/// Appends a file in the ustar format.
fn file(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0_u8; BLOCK_BYTES];
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(BLOCK_BYTES), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_reads_the_layer() {
        let image = Image::build("hello");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("layer.tar");
        std::fs::write(&path, &image.layer.bytes).unwrap();
        let tar = |args: &[&str]| {
            let output = std::process::Command::new("tar")
                .args(args)
                .arg("-f")
                .arg(&path)
                .args(&["message"][..usize::from(args[0] == "-xO")])
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(tar(&["-t"]), "message\ndata\n");
        assert_eq!(tar(&["-xO"]), "hello\n");
    }

    #[test]
    fn the_same_message_is_the_same_image() {
        assert_eq!(
            Image::build("a").manifest.digest,
            Image::build("a").manifest.digest
        );
        assert_ne!(
            Image::build("a").layer.digest,
            Image::build("b").layer.digest
        );
    }
}
