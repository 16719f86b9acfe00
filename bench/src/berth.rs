//! Berth as a peer, and the calls of AWS that make its users and repositories.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::http::Client;
use crate::peers::{self, Peer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The name of Berth on PostgreSQL.
pub const ON_POSTGRES: &str = "berth on PostgreSQL";

/// Berth on SQLite and a directory, with a user who may use the benchmark's repositories only.
pub fn start(name: &'static str, binary: &Path, dir: &Path) -> Result<Peer> {
    let mut peer = start_alone(name, binary, dir, &[])?;
    give_user(&mut peer)?;
    Ok(peer)
}

/// Makes the benchmark's repositories, and a user of them whose requests the peer's clients send.
pub fn give_user(peer: &mut Peer) -> Result<()> {
    let data = peer.data.as_deref().ok_or("it is no Berth")?;
    let bench = restricted_user(peer, &root_key(data)?)?;
    peer.authorization = Some(registry_login(peer, &bench)?);
    Ok(())
}

/// Berth on a database of its own in a PostgreSQL, as it is there.
pub fn start_on_postgres(binary: &Path, dir: &Path, server: &str) -> Result<Peer> {
    // Servers start one after the other: the number of those before it makes the name unique.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let database = format!("bench_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--dbname", server, "--command"])
        .arg(format!("CREATE DATABASE {database}"))
        .status()
        .map_err(|error| format!("psql does not start: {error}"))?;
    if !made.success() {
        return Err(format!("psql failed: {made}").into());
    }
    let (base, _) = server.rsplit_once('/').ok_or("no database in the URL")?;
    let options = ["--database", &format!("{base}/{database}")];
    start_alone(ON_POSTGRES, binary, dir, &options)
}

/// The header that registry requests of this key's owner carry.
pub fn registry_login(peer: &Peer, key: &Key) -> Result<String> {
    let token = ecr(peer, key, "GetAuthorizationToken", "{}")?;
    let token: serde_json::Value = serde_json::from_slice(&token)?;
    let token = token["authorizationData"][0]["authorizationToken"]
        .as_str()
        .ok_or("no token")?;
    Ok(format!("Basic {token}"))
}

/// The root user's key, from the file that the first start writes.
pub fn root_key(dir: &Path) -> Result<Key> {
    let credentials = std::fs::read_to_string(dir.join("credentials"))?;
    let value = |name: &str| {
        let line = credentials.lines().find(|line| line.starts_with(name))?;
        line.split_once('=').map(|(_, v)| v.trim().to_owned())
    };
    Ok(Key {
        id: value("aws_access_key_id").ok_or("no access key in the credentials file")?,
        secret: value("aws_secret_access_key").ok_or("no secret in the credentials file")?,
    })
}

/// Berth on SQLite and a directory, as it is there, with further options.
pub fn start_alone(
    name: &'static str,
    binary: &Path,
    dir: &Path,
    options: &[&str],
) -> Result<Peer> {
    let started = Instant::now();
    let mut child = Command::new(binary)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{} does not start: {error}", binary.display()))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let address: SocketAddr = loop {
        let line = lines.next().ok_or("berth ended before it listened")??;
        if let Some((_, address)) = line
            .strip_prefix("berth listening on ")
            .and_then(|url| url.trim().split_once("://"))
        {
            break address.parse()?;
        }
    };
    // Keep the pipe open and empty for as long as the server writes to it.
    std::thread::spawn(move || lines.for_each(drop));
    // With TLS, who listens is ready: the first request of a measurement shakes hands.
    if !options.contains(&"--tls-cert") {
        peers::wait_for(address, "/healthz")?;
    }
    let ready_after = started.elapsed();

    Ok(Peer {
        name,
        address,
        data: Some(dir.to_owned()),
        authorization: None,
        ready_after,
        child: Some(child),
        database: None,
    })
}

/// An access key.
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// Repositories `bench-0` to `bench-19`, for pushes that do not all go to one.
pub const REPOSITORIES: usize = 20;

/// A repository `bench`, more of them ([`REPOSITORIES`]), and a user whose policy names these and nothing else.
fn restricted_user(peer: &Peer, root: &Key) -> Result<Key> {
    ecr(
        peer,
        root,
        "CreateRepository",
        r#"{"repositoryName":"bench"}"#,
    )?;
    for number in 0..REPOSITORIES {
        let body = format!(r#"{{"repositoryName":"bench-{number}"}}"#);
        ecr(peer, root, "CreateRepository", &body)?;
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
        {"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability",
         "ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage","ecr:ListImages"],
         "Resource":["arn:aws:ecr:*:*:repository/bench","arn:aws:ecr:*:*:repository/bench-*"]}]}"#;
    iam(
        peer,
        root,
        &[("Action", "CreateUser"), ("UserName", "bench")],
    )?;
    iam(
        peer,
        root,
        &[
            ("Action", "PutUserPolicy"),
            ("UserName", "bench"),
            ("PolicyName", "one-repository"),
            ("PolicyDocument", policy),
        ],
    )?;
    let answer = iam(
        peer,
        root,
        &[("Action", "CreateAccessKey"), ("UserName", "bench")],
    )?;
    key_in(&String::from_utf8(answer)?)
}

/// The access key in an answer of `CreateAccessKey`.
pub fn key_in(answer: &str) -> Result<Key> {
    let element = |name: &str| {
        let rest = answer.split(&format!("<{name}>")).nth(1)?;
        rest.split('<').next().map(str::to_owned)
    };
    Ok(Key {
        id: element("AccessKeyId").ok_or("no access key in the answer")?,
        secret: element("SecretAccessKey").ok_or("no secret in the answer")?,
    })
}

/// Calls ECR.
pub fn ecr(peer: &Peer, key: &Key, operation: &str, body: &str) -> Result<Vec<u8>> {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target.as_str()),
    ];
    signed(peer, key, "ecr", &headers, body.as_bytes())
}

/// Calls IAM.
pub fn iam(peer: &Peer, key: &Key, parameters: &[(&str, &str)]) -> Result<Vec<u8>> {
    let body = form("2010-05-08", parameters);
    let headers = [("content-type", FORM)];
    signed(peer, key, "iam", &headers, body.as_bytes())
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The body of a call of the Query protocol.
pub fn form(version: &str, parameters: &[(&str, &str)]) -> String {
    let mut body = format!("Version={version}");
    for (name, value) in parameters {
        body.push_str(&format!("&{name}="));
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    body.push(byte.into())
                }
                _ => body.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    body
}

/// A whole signed request of the Query protocol, to be sent as often as its signature is accepted.
pub fn signed_form(peer: &Peer, key: &Key, service: &str, body: &str) -> Result<Vec<u8>> {
    let headers = [("content-type", FORM)];
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let signed = sign_request(peer, key, service, &headers, body.as_bytes(), now)?;
    Ok(whole_form(peer, &signed, body))
}

/// A whole request of the Query protocol that takes no signature.
pub fn unsigned_form(peer: &Peer, body: &str) -> Vec<u8> {
    whole_form(peer, &[], body)
}

fn whole_form(peer: &Peer, headers: &[(String, String)], body: &str) -> Vec<u8> {
    let mut request = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n",
        peer.address,
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    request.into_bytes()
}

fn signed(
    peer: &Peer,
    key: &Key,
    service: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let extra = sign_request(peer, key, service, headers, body, now)?;
    let all: Vec<(&str, &str)> = headers
        .iter()
        .copied()
        .chain(extra.iter().map(|(n, v)| (n.as_str(), v.as_str())))
        .collect();
    Ok(Client::connect(peer.address)?
        .send("POST", "/", &all, body)?
        .expect(200)?
        .body)
}

/// The headers that sign a request to `/` with this key.
fn sign_request(
    peer: &Peer,
    key: &Key,
    service: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    now: u64,
) -> Result<Vec<(String, String)>> {
    let signed = client::sign(
        &client::Credentials::new(&key.id, key.secret.as_str(), None),
        service,
        "us-east-1",
        &peer.address.to_string(),
        headers,
        body,
        jiff::Timestamp::from_second(i64::try_from(now)?)?,
    )?;
    Ok(signed
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect())
}
