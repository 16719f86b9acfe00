//! Layers that the kernel sends from their files: the bytes that a client gets are the layer's.

use std::path::PathBuf;

use blobs::Digest;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;

/// Longer than what one stand-in stands for, and no multiple of it.
const BYTES: usize = 3 * 1024 * 1024 + 4_321;

/// Text that differs everywhere.
fn content(seed: usize) -> String {
    let numbers = (0..).map(|number| format!("{:x}.", number * 7_919 + seed));
    let mut text = String::with_capacity(BYTES + 16);
    for number in numbers {
        if text.len() >= BYTES {
            break;
        }
        text.push_str(&number);
    }
    text.truncate(BYTES);
    text
}

impl World {
    /// Pushes a layer to `app`; answers the path of it.
    async fn layer(&self, login: &str, content: &str) -> String {
        let digest = Digest::sha256_of(content.as_bytes());
        let path = format!("/v2/app/blobs/uploads/?digest={digest}");
        let headers = [("authorization", login)];
        let reply = self.send(Method::POST, &path, &headers, content.to_owned());
        assert_eq!(reply.await.status, 201);
        format!("/v2/app/blobs/{digest}")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_layers_and_ranges_are_the_bytes_that_were_pushed() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = world.login(&world.root).await;
    let content = content(1);
    let path = world.layer(&login, &content).await;
    let get = async |range: &str| {
        let headers = [("authorization", login.as_str()), ("range", range)];
        let count = 1 + usize::from(!range.is_empty());
        world.send(Method::GET, &path, &headers[..count], "").await
    };
    assert!(get("").await.body == content.as_bytes());
    for (start, end) in [
        (0, BYTES),
        (1_048_575, 1_048_577),
        (5, 2_500_000),
        (BYTES - 1, BYTES),
    ] {
        let part = get(&format!("bytes={start}-{}", end - 1)).await;
        assert_eq!(part.status, 206);
        assert!(
            part.body == content.as_bytes()[start..end],
            "{start}..{end}"
        );
    }
    let several = get("bytes=10-19,2000000-2000009").await;
    assert_eq!(several.status, 206);
    for part in [&content[10..20], &content[2_000_000..2_000_010]] {
        assert!(several.text().contains(part));
    }
    let headers = [("authorization", login.as_str())];
    let head = world.send(Method::HEAD, &path, &headers, "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

/// Answers of files and of memory follow each other on one connection, also when the client has sent its requests
/// before it reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_on_one_connection_do_not_mix() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = world.login(&world.root).await;
    let contents = [content(1), "a small one".to_owned(), content(2), content(3)];
    let mut requests = String::new();
    for (at, content) in contents.iter().enumerate() {
        let path = world.layer(&login, content).await;
        let last = match at + 1 == contents.len() {
            true => "connection: close\r\n",
            false => "",
        };
        requests.push_str(&format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {login}\r\n{last}\r\n"
        ));
    }
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await.unwrap();
    let mut rest = answers.as_slice();
    for content in &contents {
        let end = rest
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert!(rest.starts_with(b"HTTP/1.1 200"));
        let (body, after) = rest[end..].split_at(content.len());
        assert!(body == content.as_bytes());
        rest = after;
    }
    assert!(rest.is_empty());
}

/// The file of the only layer of this length.
fn file_of(world: &World, length: usize) -> PathBuf {
    let mut folders = vec![world.directory.path().join("blobs")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            if meta.is_dir() {
                folders.push(entry.path());
            } else if meta.len() == length as u64 {
                found.push(entry.path());
            }
        }
    }
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// A file that the kernel has dropped from memory, as after a restart of the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_that_is_not_in_memory_is_loaded() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = world.login(&world.root).await;
    let content = content(1);
    let path = world.layer(&login, &content).await;
    let file = std::fs::File::open(file_of(&world, content.len())).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let headers = [("authorization", login.as_str())];
    let reply = world.send(Method::GET, &path, &headers, "").await;
    assert!(reply.body == content.as_bytes());
}

/// What a broken disk cut short is not filled up: the answer ends early, and the next one says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_while_it_is_sent_breaks_the_answer() {
    let world = World::new().await;
    world.repository(&world.root, "app").await;
    let login = world.login(&world.root).await;
    // More than the sockets of both sides take.
    let content = content(1).repeat(6);
    let path = world.layer(&login, &content).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {login}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1024];
    stream.read_exact(&mut first).await.unwrap();
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).open(file_of(&world, content.len()));
    let file = file.unwrap();
    file.set_len(content.len() as u64 - 4096).unwrap();
    let mut rest = Vec::new();
    // An end or a reset: not all of it in any case.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(first.len() + rest.len() < content.len());
    let headers = [("authorization", login.as_str())];
    let again = world.send(Method::GET, &path, &headers, "").await;
    assert_eq!(again.status, 410, "{}", again.text());
}
