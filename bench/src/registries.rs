//! The peers: other registries, each as fast as its configuration makes it, and nginx, the limit of a pull.
//!
//! None of them checks who asks, except zot, whose access control lets everybody do everything. Logs are off.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::certificate::Certificate;
use crate::peers::{self, Peer};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The version of `distribution` that is measured, and where its program is kept (from the project's folder).
const DISTRIBUTION: &str = "v3.1.2";
const DISTRIBUTION_PROGRAM: &str = "target/peers/distribution-v3.1.2/registry";

/// Debian's `docker-registry` (distribution 2) on a directory.
pub fn docker_registry(dir: &Path) -> Result<Peer> {
    distribution_of("docker-registry", Path::new("docker-registry"), dir)
        .map_err(|error| format!("{error} (apt-get install docker-registry)").into())
}

/// `distribution` 3 on a directory: the program given, or the one that `go install` makes once.
pub fn distribution(given: Option<&Path>, dir: &Path) -> Result<Peer> {
    let program = match given {
        Some(program) => program.to_owned(),
        None => installed_distribution()?,
    };
    distribution_of("distribution", &program, dir)
}

fn installed_distribution() -> Result<PathBuf> {
    let program = std::env::current_dir()?.join(DISTRIBUTION_PROGRAM);
    if !program.exists() {
        let package =
            format!("github.com/distribution/distribution/v3/cmd/registry@{DISTRIBUTION}");
        eprintln!("go install {package}");
        let status = Command::new("go")
            .args(["install", &package])
            .env("GOBIN", program.parent().ok_or("no folder")?)
            .env("GOFLAGS", "-mod=mod")
            .status()
            .map_err(|error| format!("needs Go to be built ({error})"))?;
        if !status.success() {
            return Err(format!("`go install {package}` failed: {status}").into());
        }
    }
    Ok(program)
}

fn distribution_of(name: &'static str, program: &Path, dir: &Path) -> Result<Peer> {
    let address = peers::free_address()?;
    let config = dir.join("config.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  cache:\n    \
             blobdescriptor: inmemory\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            dir.join("data").display()
        ),
    )?;
    let mut command = Command::new(program);
    // Version 3 would send traces to a collector that is not there.
    command
        .env("OTEL_TRACES_EXPORTER", "none")
        .arg("serve")
        .arg(config);
    peers::start(name, &mut command, address, "/v2/")
}

/// zot on a directory, with access control and synced writes (`commit`), as Berth has them.
pub fn zot(program: Option<&Path>, dir: &Path) -> Result<Peer> {
    let program = program.ok_or("needs a program (`--zot FILE`)")?;
    let address = peers::free_address()?;
    let config = dir.join("config.json");
    let everybody = serde_json::json!({"**": {"anonymousPolicy": ["read", "create", "update"]}});
    std::fs::write(
        &config,
        serde_json::json!({
            "distSpecVersion": "1.1.1",
            "storage": {"rootDirectory": dir.join("data"), "commit": true},
            "http": {
                "address": address.ip().to_string(), "port": address.port().to_string(),
                "accessControl": {"repositories": everybody},
            },
            "log": {"level": "error"},
        })
        .to_string(),
    )?;
    let mut command = Command::new(program);
    peers::start("zot", command.arg("serve").arg(config), address, "/v2/")
}

/// nginx that sends the files of a folder with sendfile, over TLS where a certificate is given.
pub fn nginx(dir: &Path, files: &Path, tls: Option<&Certificate>) -> Result<Peer> {
    let address = peers::free_address()?;
    let config = dir.join("nginx.conf");
    let (dir, files) = (dir.display(), files.display());
    let (ssl, certificate) = match tls {
        None => ("", String::new()),
        Some(tls) => (
            " ssl",
            format!(
                "ssl_certificate {}; ssl_certificate_key {}; ssl_conf_command Options KTLS;",
                tls.chain.display(),
                tls.key.display()
            ),
        ),
    };
    std::fs::write(
        &config,
        format!(
            "daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; user root;\n\
             events {{ worker_connections 512; }}\n\
             http {{ sendfile on; tcp_nopush on; keepalive_requests 100000000; access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
             fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
             server {{ listen {address}{ssl}; {certificate} location / {{ root {files}; }} }} }}\n"
        ),
    )?;
    let mut command = Command::new("/usr/sbin/nginx");
    // Over TLS a plain request is answered too, with a 400.
    peers::start("nginx", command.arg("-c").arg(config), address, "/")
        .map_err(|error| format!("{error} (apt-get install nginx-light)").into())
}
