//! A process that is killed, and one whose disk is full: both are real processes, this program itself
//! started again (hence no test harness).
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use blobs::{AppendError, Blobs, Digest, Error, ObjectKey, Owner, PutError, UploadId, Verified};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

/// Of a directory that several servers share: the tests open it more than once.
const OWNER: Owner<'static> = Owner {
    database: "test",
    is_shared: true,
};

const ROLE: &str = "BLOBS_TEST_ROLE";
const ROUNDS: u64 = 12;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    match std::env::var(ROLE).as_deref() {
        Ok("pushes") => {
            runtime.block_on(push_until_killed(Path::new(&arguments[1]), &arguments[2]))
        }
        Ok("full") => runtime.block_on(push_to_a_full_disk(Path::new(&arguments[1]))),
        _ => {
            runtime.block_on(acknowledged_blobs_survive_a_kill());
            a_full_disk_leaves_nothing_half_written();
            println!("crash: ok");
        }
    }
}

fn content(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next)
        .take(len.div_ceil(8))
        .flatten()
        .collect();
    bytes.truncate(len);
    bytes.into()
}

fn chunks(mut bytes: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    stream::iter(std::iter::from_fn(move || {
        (!bytes.is_empty()).then(|| Ok(bytes.split_to(bytes.len().min(60_000))))
    }))
}

/// Pushes blobs on four lanes and tells each acknowledgement on a line: `blob <digest> <key>` or
/// `part <id> <offset> <seed>`.
async fn push_until_killed(root: &Path, round: &str) {
    let blobs = Blobs::open_directory(root, OWNER).await.unwrap();
    let round: u64 = round.parse().unwrap();
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..4_u64 {
        let blobs = blobs.clone();
        lanes.spawn(async move {
            for number in 0.. {
                let seed = round << 40 | lane << 32 | number;
                let bytes = content(seed, 1 + (seed as usize * 7919) % 7_000_000);
                let digest = Digest::sha256_of(&bytes);
                let stored = if number % 3 == 0 {
                    blobs.put(&digest, chunks(bytes)).await.unwrap()
                } else {
                    let mut name = [0; 16];
                    name[8..].copy_from_slice(&seed.to_be_bytes());
                    let id = UploadId::from_random(name);
                    blobs.start_upload(&id).await.unwrap();
                    let half = bytes.len() / 2;
                    let offset = blobs
                        .append(&id, 0, chunks(bytes.slice(..half)))
                        .await
                        .unwrap();
                    tell(&format!("part {id} {offset} {seed}"));
                    blobs
                        .append(&id, offset, chunks(bytes.slice(half..)))
                        .await
                        .unwrap();
                    let stored = blobs.finish(&id, &digest).await.unwrap();
                    tell(&format!("done {id}"));
                    stored
                };
                tell(&format!("blob {digest} {}", stored.key));
            }
        });
    }
    lanes.join_all().await;
}

fn tell(line: &str) {
    // One write a line: a killed process leaves no half of one that could be mistaken.
    io::stdout()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

async fn acknowledged_blobs_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, "pushes")
            .arg(folder.path())
            .arg(round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut parts = HashMap::new();
        let mut heard = 0;
        // Killed at another moment of its life in each round; what it said till then counts.
        while let Some(line) = lines.next().transpose().unwrap() {
            heard += 1;
            if heard == 3 + 5 * round {
                child.kill().unwrap();
            }
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["blob", digest, key] => {
                    let digest: Digest = digest.parse().unwrap();
                    acknowledged.push((digest, key.parse::<ObjectKey>().unwrap()));
                }
                ["part", id, offset, seed] => {
                    let told: (u64, u64) = (offset.parse().unwrap(), seed.parse().unwrap());
                    parts.insert(id.parse::<UploadId>().unwrap(), told);
                }
                ["done", id] => {
                    parts.remove(&id.parse().unwrap());
                }
                _ => panic!("{line}"),
            }
        }
        child.wait().unwrap();

        // The next start: the half of the parts can be resumed, the other half nobody wants.
        let blobs = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
        let keep: HashMap<_, _> = parts
            .into_iter()
            .filter(|(id, _)| id.as_bytes()[15] & 1 == 0)
            .collect();
        let live: Vec<UploadId> = keep.keys().copied().collect();
        blobs
            .sweep_uploads(move |id| live.contains(id))
            .await
            .unwrap();
        for (id, (told, seed)) in keep {
            // Killed between the rename and the line that tells of it, it is stored, and nobody knows where.
            let bytes = content(seed, 1 + (seed as usize * 7919) % 7_000_000);
            let digest = Digest::sha256_of(&bytes);
            if let Some(offset) = blobs.upload_size(&id).await.unwrap() {
                assert!(
                    offset >= told,
                    "{offset} of {told} acknowledged bytes are left"
                );
                let rest = chunks(bytes.slice(usize::try_from(offset).unwrap()..));
                blobs.append(&id, offset, rest).await.unwrap();
                let stored = blobs.finish(&id, &digest).await.unwrap();
                acknowledged.push((digest, stored.key));
            }
        }
        let left = std::fs::read_dir(folder.path().join("uploads"))
            .unwrap()
            .count();
        assert_eq!(left, 0, "no temporary file outlives the next start");
    }
    let blobs = Blobs::open_directory(folder.path(), OWNER).await.unwrap();
    for (digest, key) in &acknowledged {
        let found = blobs.verify(key, digest).await.unwrap();
        assert!(
            matches!(found, Verified::Whole { .. }),
            "{digest}: {found:?}"
        );
    }
    // Each is there once: no key was used twice.
    let all: Vec<_> = blobs.list().try_collect().await.unwrap();
    assert!(all.len() >= acknowledged.len());
    let mut keys: Vec<_> = acknowledged.iter().map(|(_, key)| *key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), acknowledged.len());
}

/// A limit on the size of files stands in for the full disk: the write that passes it fails half-way.
fn a_full_disk_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        // In units of 512 bytes (POSIX ulimit): 1 MiB. The signal is ignored, so that writes err.
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .arg(folder.path())
        .env(ROLE, "full")
        .status()
        .unwrap();
    assert!(status.success());
}

async fn push_to_a_full_disk(root: &Path) {
    let blobs = Blobs::open_directory(root, OWNER).await.unwrap();
    let bytes = content(1, 1_500_000);
    let digest = Digest::sha256_of(&bytes);
    let uploads = || std::fs::read_dir(root.join("uploads")).unwrap().count();

    let refused = blobs.put(&digest, chunks(bytes.clone())).await;
    assert!(
        matches!(refused, Err(PutError::Storage(Error::Io { .. }))),
        "{refused:?}"
    );
    let refused = blobs.put_small(&bytes).await;
    assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    assert_eq!(uploads(), 0);

    let id = UploadId::from_random([1; 16]);
    blobs.start_upload(&id).await.unwrap();
    let acknowledged = blobs
        .append(&id, 0, chunks(bytes.slice(..400_000)))
        .await
        .unwrap();
    let refused = blobs
        .append(&id, acknowledged, chunks(bytes.slice(400_000..)))
        .await;
    assert!(
        matches!(refused, Err(AppendError::Storage(Error::Io { .. }))),
        "{refused:?}"
    );
    // What went before stands, to the byte, and the upload goes on where space allows.
    let size = blobs.upload_size(&id).await.unwrap().unwrap();
    assert!((acknowledged..1_048_576).contains(&size));
    assert_eq!(
        std::fs::metadata(root.join(format!("uploads/{id}")))
            .unwrap()
            .len(),
        size
    );
    let kept = bytes.slice(..usize::try_from(size).unwrap());
    let finished = blobs.finish(&id, &Digest::sha256_of(&kept)).await.unwrap();
    let file = blobs.open(&finished.key).await.unwrap().unwrap();
    let mut reading = file.read_range(0..size);
    let mut at = 0;
    while let Some(chunk) = reading.next().await.transpose().unwrap() {
        assert_eq!(chunk, kept.slice(at..at + chunk.len()));
        at += chunk.len();
    }
    assert_eq!(uploads(), 0);
}
