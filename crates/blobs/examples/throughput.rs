//! How fast bytes come in and go out, beside what the machine can do at all: sha256 alone, and a plain
//! write with a sync. Run it with `cargo run --release -p blobs --example throughput [FOLDER [MIB]]`.
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use blobs::{Blobs, Digest, Owner, UploadId};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// Of a directory that several servers share: the tests open it more than once.
const OWNER: Owner<'static> = Owner {
    database: "test",
    is_shared: true,
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = arguments
        .get(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let mib: usize = arguments.get(2).map_or(1024, |mib| mib.parse().unwrap());
    let folder = tempfile::tempdir_in(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(measure(folder.path().to_owned(), mib));
}

/// Chunks as a network gives them; the same 4 MiB again and again, without a copy.
fn body(mib: usize, chunk: usize) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    let pattern: Bytes = (0..4 << 20_u32)
        .map(|at| (at % 251) as u8)
        .collect::<Vec<_>>()
        .into();
    let total = mib << 20;
    let mut sent = 0;
    stream::iter(std::iter::from_fn(move || {
        let at = sent % pattern.len();
        let end = (at + chunk).min(pattern.len()).min(at + total - sent);
        (sent < total).then(|| {
            sent += end - at;
            Ok(pattern.slice(at..end))
        })
    }))
}

fn report(what: &str, mib: usize, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    println!("{what:<44} {:>8.0} MiB/s", mib as f64 / seconds);
}

async fn measure(folder: PathBuf, mib: usize) {
    let start = Instant::now();
    let digest = {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        let mut body = body(mib, 64 * 1024);
        while let Some(chunk) = body.next().await {
            hasher.update(chunk.unwrap());
        }
        Digest::from_bytes(blobs::Algorithm::Sha256, &hasher.finalize()).unwrap()
    };
    report("sha256 alone", mib, start);

    for round in 0..2 {
        let path = folder.join("plain");
        let start = Instant::now();
        let mut file = std::fs::File::create(&path).unwrap();
        let mut body = body(mib, 512 * 1024);
        while let Some(chunk) = body.next().await {
            file.write_all(&chunk.unwrap()).unwrap();
        }
        let written = Instant::now();
        file.sync_data().unwrap();
        report(&format!("plain write and one sync ({round})"), mib, start);
        println!(
            "{:<44} {:>8.0} ms",
            "  of which the sync",
            written.elapsed().as_millis()
        );
        std::fs::remove_file(path).unwrap();
    }

    let blobs = Blobs::open_directory(folder.join("store"), OWNER)
        .await
        .unwrap();
    let mut last = None;
    for chunk in [8 * 1024, 64 * 1024, 256 * 1024] {
        if let Some(key) = last {
            blobs.delete(&key).await.unwrap();
        }
        let id = UploadId::from_random([1; 16]);
        let start = Instant::now();
        blobs.start_upload(&id).await.unwrap();
        blobs.append(&id, 0, body(mib, chunk)).await.unwrap();
        last = Some(blobs.finish(&id, &digest).await.unwrap().key);
        report(
            &format!("start, append, finish; {} KiB chunks", chunk / 1024),
            mib,
            start,
        );
    }

    let file = blobs.open(&last.unwrap()).await.unwrap().unwrap();
    for round in 0..2 {
        let start = Instant::now();
        let mut reading = file.read_range(0..file.size());
        let mut read = 0;
        while let Some(chunk) = reading.next().await {
            read += chunk.unwrap().len();
        }
        assert_eq!(read, mib << 20);
        report(&format!("read ({round})"), mib, start);
    }

    let count = 200_u32;
    let contents: Vec<Bytes> = (0..count)
        .map(|n| vec![n as u8; 20_000 + n as usize].into())
        .collect();
    let start = Instant::now();
    for content in &contents {
        blobs.put_small(content).await.unwrap();
    }
    let each = start.elapsed() / count;
    println!(
        "{:<44} {:>8} us",
        "put_small of 20 KB, one after another, each",
        each.as_micros()
    );
    let path = folder.join("small");
    let start = Instant::now();
    for content in &contents {
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(content).unwrap();
        file.sync_data().unwrap();
    }
    let each = start.elapsed() / count;
    println!(
        "{:<44} {:>8} us",
        "plain write and sync of 20 KB, each",
        each.as_micros()
    );
}
