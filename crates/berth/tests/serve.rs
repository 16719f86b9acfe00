//! `berth serve` and `berth account` as a process: what they print, write, refuse, and how they end.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use support::{Running, berth, done, serve};

const ACCOUNT: &str = "123456789012";

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    (dir, data)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn get(url: &str, path: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_first_start_makes_what_it_needs_and_says_how_to_use_it() {
    let (_dir, data) = place();
    let server = Running::serve(&data, &[]);
    let url = server.url().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert_eq!(mode(&data), 0o700);
    for file in ["credentials", "master.key", "berth.db"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let credentials = fs::read_to_string(data.join("credentials")).unwrap();
    let lines: Vec<&str> = credentials.lines().collect();
    assert_eq!(lines[0], "[default]");
    assert!(
        lines[1].starts_with("aws_access_key_id = AKIA"),
        "{}",
        lines[1]
    );
    let secret = lines[2].strip_prefix("aws_secret_access_key = ").unwrap();
    assert_eq!((lines.len(), secret.len()), (3, 40));

    let said = server.lines.join("\n");
    let file = fs::canonicalize(data.join("credentials")).unwrap();
    for line in [
        format!("export AWS_SHARED_CREDENTIALS_FILE={}", file.display()),
        format!("export AWS_ENDPOINT_URL={url}"),
        "export AWS_DEFAULT_REGION=us-east-1".to_owned(),
        format!(
            "aws ecr get-login-password | docker login --username AWS --password-stdin {}",
            url.strip_prefix("http://").unwrap()
        ),
    ] {
        assert!(server.lines.contains(&line), "{said} lacks {line}");
    }
    assert!(said.contains(ACCOUNT));
    assert!(!said.contains(secret), "the secret is for the file alone");
    assert!(get(&url, "/healthz").starts_with("HTTP/1.1 200 "));
    assert!(get(&url, "/readyz").starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn a_second_start_finds_everything_and_keeps_it() {
    let (_dir, data) = place();
    Running::serve(&data, &[]).stop();
    let files = || ["credentials", "master.key"].map(|name| fs::read(data.join(name)).unwrap());
    let first = files();
    Running::serve(&data, &[]).stop();
    assert_eq!(files(), first);

    // Put away by the operator: it does not come back.
    fs::remove_file(data.join("credentials")).unwrap();
    let server = Running::serve(&data, &[]);
    assert!(
        !server
            .lines
            .join("\n")
            .contains("AWS_SHARED_CREDENTIALS_FILE")
    );
    server.stop();
    assert!(!data.join("credentials").exists());
}

#[test]
fn a_first_start_that_was_cut_is_finished_by_the_next() {
    let (_dir, data) = place();
    Running::serve(&data, &[]).stop();
    let written = fs::read(data.join("credentials")).unwrap();
    // As it is when the power goes between the account's commit and the file.
    fs::remove_file(data.join("credentials")).unwrap();
    fs::write(data.join("first-start"), ACCOUNT).unwrap();
    fs::write(data.join("credentials.new"), "[defa").unwrap();
    Running::serve(&data, &[]).stop();
    assert_eq!(fs::read(data.join("credentials")).unwrap(), written);
    assert!(!data.join("first-start").exists() && !data.join("credentials.new").exists());
}

#[test]
fn another_accounts_key_is_never_overwritten() {
    let (_dir, data) = place();
    Running::serve(&data, &[]).stop();
    let written = fs::read(data.join("credentials")).unwrap();
    let other = ["--account-id", "444455556666"];
    done(&mut serve(&data, &other)).failed(1, &["444455556666", "berth account create"]);
    assert_eq!(fs::read(data.join("credentials")).unwrap(), written);
    let mut create = berth(&["account", "create", "--data-dir"]);
    done(create.arg(&data).args(other)).ok();
    Running::serve(&data, &other).stop();
    assert_eq!(fs::read(data.join("credentials")).unwrap(), written);
}

#[test]
fn one_server_a_directory() {
    let (_dir, data) = place();
    let server = Running::serve(&data, &[]);
    done(&mut serve(&data, &[])).failed(1, &["another server", "--data-dir"]);
    server.stop();
    Running::serve(&data, &[]).stop();
}

#[test]
fn both_signals_end_it_well() {
    let (_dir, data) = place();
    for signal in [Signal::TERM, Signal::INT] {
        assert_eq!(Running::serve(&data, &[]).end(signal), Some(0));
    }
}

#[test]
fn a_kill_leaves_a_directory_that_starts_again() {
    let (_dir, data) = place();
    assert_eq!(Running::serve(&data, &[]).end(Signal::KILL), None);
    Running::serve(&data, &[]).stop();
}

#[test]
fn keys_from_the_environment() {
    let (_dir, data) = place();
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let mut command = serve(&data, &["--account-id", "111122223333"]);
    command
        .env("BERTH_MASTER_KEY", key)
        .env("BERTH_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env(
            "BERTH_ROOT_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        );
    Running::start(&mut command, "berth listening on ").stop();
    assert!(!data.join("master.key").exists());
    assert_eq!(
        fs::read_to_string(data.join("credentials")).unwrap(),
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n"
    );
    // Without it: a new key would not open the old ring, and none is left behind.
    done(&mut serve(&data, &[])).failed(1, &["master key"]);
    assert!(!data.join("master.key").exists());
    let half = &mut serve(&data, &[]);
    done(
        half.env("BERTH_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("BERTH_MASTER_KEY", key),
    )
    .failed(2, &["BERTH_ROOT_SECRET_ACCESS_KEY"]);
}

#[test]
fn a_taken_port_is_named() {
    let (_dir, data) = place();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = berth(&["serve", "--listen", &address, "--data-dir"]);
    done(command.arg(&data)).failed(1, &[&address, "--listen"]);
}

#[test]
fn several_addresses_and_a_file() {
    let (dir, data) = place();
    let config = dir.path().join("berth.toml");
    fs::write(&config, format!("data-dir = {data:?}\nregion = \"eu-central-1\"\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\n")).unwrap();
    let mut command = berth(&["serve"]);
    command.env("BERTH_CONFIG", &config);
    let server = Running::start(&mut command, "berth listening on http://[::1]:");
    let listening = server
        .lines
        .iter()
        .filter(|line| line.starts_with("berth listening on "))
        .count();
    assert_eq!(listening, 2);
    assert!(
        server
            .lines
            .contains(&"export AWS_DEFAULT_REGION=eu-central-1".to_owned())
    );
    server.stop();
}

#[test]
fn tls_is_https() {
    let (_dir, data) = place();
    let file = |name: &str| format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let server = Running::serve(
        &data,
        &[
            "--tls-cert",
            &file("tls-cert.pem"),
            "--tls-key",
            &file("tls-key.pem"),
        ],
    );
    assert!(
        server.url().starts_with("https://127.0.0.1:"),
        "{}",
        server.url()
    );
    server.stop();
    done(&mut serve(
        &data,
        &[
            "--tls-cert",
            &file("tls-key.pem"),
            "--tls-key",
            &file("tls-key.pem"),
        ],
    ))
    .failed(1, &["TLS"]);
    done(&mut serve(&data, &["--tls-cert", &file("tls-cert.pem")])).failed(2, &["--tls-key"]);
}

#[test]
fn what_cannot_be_used_is_refused_with_usage() {
    let (dir, data) = place();
    done(&mut serve(&data, &["--region", "Mars!"])).failed(2, &["--region", "Mars!"]);
    done(serve(&data, &[]).env("BERTH_ACCOUNT_ID", "12"))
        .failed(2, &["--account-id", "12", "environment"]);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    done(&mut serve(&file.join("data"), &[])).failed(1, &["data directory"]);
    done(&mut serve(
        &data,
        &["--database", "sqlite:/nowhere/at/all/berth.db"],
    ))
    .failed(1, &["database"]);
}

#[test]
fn accounts_are_made_beside_a_running_server_and_before_the_first() {
    let create = |data: &Path, more: &[&str]| {
        let mut command = berth(&["account", "create", "--data-dir"]);
        command
            .arg(data)
            .args(["--account-id", "444455556666"])
            .args(more);
        done(&mut command)
    };
    let (_dir, data) = place();
    let made = create(&data, &[]);
    let lines: Vec<&str> = made.ok().lines().collect();
    assert_eq!(lines[0], "[444455556666]");
    assert!(lines[1].starts_with("aws_access_key_id = AKIA"));
    assert!(lines[2].starts_with("aws_secret_access_key = ") && lines.len() == 3);
    assert!(
        !data.join("credentials").exists(),
        "the first start of the server is still to come"
    );

    let server = Running::serve(&data, &[]);
    assert!(data.join("credentials").exists());
    create(&data, &[]).failed(1, &["444455556666", "exists already"]);
    let mut command = berth(&[
        "account",
        "create",
        "--account-id",
        "777788889999",
        "--output",
        "json",
        "--data-dir",
    ]);
    let made = done(command.arg(&data));
    let json: serde_json::Value = serde_json::from_str(made.ok()).unwrap();
    assert_eq!(json["accountId"], "777788889999");
    assert!(json["accessKeyId"].as_str().unwrap().starts_with("AKIA"));
    server.stop();
}
