//! The servers side by side, and what each costs while it works.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::Client;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A running server. Stopped when dropped.
pub struct Peer {
    pub name: &'static str,
    pub address: SocketAddr,
    /// The header every registry request carries, for Berth.
    pub authorization: Option<String>,
    /// From starting the process to its first answer.
    pub ready_after: Duration,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SIGTERM first: nginx's master stops its worker.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        std::thread::sleep(Duration::from_millis(300));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    pub fn client(&self) -> std::io::Result<Client> {
        let mut client = Client::connect(self.address)?;
        if let Some(value) = &self.authorization {
            client.common.push(("Authorization".into(), value.clone()));
        }
        Ok(client)
    }

    /// CPU seconds that the server and its workers have used so far.
    pub fn cpu_seconds(&self) -> f64 {
        self.pids().iter().map(|pid| cpu_seconds(*pid)).sum()
    }

    /// Peak resident memory in MiB, of the largest process.
    pub fn peak_mib(&self) -> f64 {
        self.pids()
            .iter()
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok())
            .filter_map(|status| {
                let line = status
                    .lines()
                    .find(|line| line.starts_with("VmHWM:"))?
                    .to_owned();
                line.split_whitespace().nth(1)?.parse::<f64>().ok()
            })
            .fold(0.0, f64::max)
            / 1024.0
    }

    fn pids(&self) -> Vec<u32> {
        let parent = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        let children = children.unwrap_or_default();
        std::iter::once(parent)
            .chain(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse().ok()),
            )
            .collect()
    }
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Fields are counted after the command's closing parenthesis, for it may hold spaces.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    // utime and stime; Linux counts 100 ticks a second for user space.
    (ticks(11) + ticks(12)) / 100.0
}

/// Berth on SQLite and a directory, with a user who may use one repository only.
pub fn berth(name: &'static str, binary: &Path, dir: &Path) -> Result<Peer> {
    let mut peer = berth_alone(name, binary, dir, &[])?;
    let bench = restricted_user(&peer, &root_key(dir)?)?;
    peer.authorization = Some(registry_login(&peer, &bench)?);
    Ok(peer)
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
pub fn berth_alone(
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
        if let Some(url) = line.strip_prefix("berth listening on http://") {
            break url.trim().parse()?;
        }
    };
    // Keep the pipe open and empty for as long as the server writes to it.
    std::thread::spawn(move || lines.for_each(drop));
    wait_for(address, "/healthz")?;
    let ready_after = started.elapsed();

    Ok(Peer {
        name,
        address,
        authorization: None,
        ready_after,
        child,
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

/// Debian's `docker-registry` on a directory, without access control.
pub fn docker_registry(dir: &Path) -> Result<Peer> {
    let address = free_address()?;
    let config = dir.join("config.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  cache:\n    \
             blobdescriptor: inmemory\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            dir.join("data").display()
        ),
    )?;
    start(
        "docker-registry",
        Command::new("docker-registry").arg("serve").arg(config),
        address,
        "/v2/",
    )
}

/// nginx that sends files of `files` with sendfile.
pub fn nginx(dir: &Path, files: &Path) -> Result<Peer> {
    let address = free_address()?;
    let config = dir.join("nginx.conf");
    let (dir, files) = (dir.display(), files.display());
    std::fs::write(
        &config,
        format!(
            "daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; user root;\n\
             events {{ worker_connections 256; }}\n\
             http {{ sendfile on; tcp_nopush on; keepalive_requests 100000000; access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
             fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
             server {{ listen {address}; location / {{ root {files}; }} }} }}\n"
        ),
    )?;
    start(
        "nginx",
        Command::new("/usr/sbin/nginx").arg("-c").arg(config),
        address,
        "/",
    )
}

fn start(
    name: &'static str,
    command: &mut Command,
    address: SocketAddr,
    path: &str,
) -> Result<Peer> {
    let started = Instant::now();
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name} does not start ({error}): apt-get install {name}"))?;
    let mut peer = Peer {
        name,
        address,
        authorization: None,
        ready_after: Duration::ZERO,
        child,
    };
    wait_for(address, path)?;
    peer.ready_after = started.elapsed();
    Ok(peer)
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Asks until there is an answer, whatever its status.
fn wait_for(address: SocketAddr, path: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if TcpStream::connect(address).is_ok()
            && Client::connect(address)?
                .send("GET", path, &[], &[])
                .is_ok()
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("no answer from {address} within 10 s").into())
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
