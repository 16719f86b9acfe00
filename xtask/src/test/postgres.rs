//! A PostgreSQL for one run: an empty cluster in a temporary directory, reachable at the loopback address, gone at the end.
//! The tests use it, and the benchmark.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{packages, process};

/// What the tests read.
pub const URL_VARIABLE: &str = "BERTH_TEST_POSTGRES_URL";

/// Where Debian installs it, a directory for each major version.
pub const INSTALLED_UNDER: &str = "/usr/lib/postgresql";

/// The user that Debian's package makes: PostgreSQL refuses to run as root.
const SYSTEM_USER: &str = "postgres";
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

pub struct Postgres {
    process: Child,
    home: PathBuf,
    port: u16,
}

/// Whether what it commits is on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    Synced,
    /// For tests: its own durability is not what they test, and it has a short life.
    Unsynced,
}

impl Postgres {
    pub fn start(commits: Commits) -> Result<Self, String> {
        let bin = newest()?;
        let as_root = packages::is_root()?;
        let home = std::env::temp_dir().join(format!("berth-postgres-{}", std::process::id()));
        fs::create_dir(&home).map_err(|e| format!("{}: {e}", home.display()))?;
        if as_root {
            process::run(Command::new("chown").arg(SYSTEM_USER).arg(&home))?;
        }
        let data = home.join("data");
        process::output(
            tool(&bin, "initdb", as_root)
                .arg("--pgdata")
                .arg(&data)
                .args([
                    "--username=berth",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                ])
                .current_dir(&home),
        )?;
        let port = free_port()?;
        let log = home.join("log");
        let log_file = fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = log_file
            .try_clone()
            .map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = tool(&bin, "postgres", as_root);
        command.arg("-D").arg(&data).current_dir(&home);
        for setting in [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", home.display()),
            match commits {
                Commits::Synced => "fsync=on".to_owned(),
                Commits::Unsynced => "fsync=off".to_owned(),
            },
            "max_connections=300".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(log_file)
            .stderr(errors)
            .spawn()
            .map_err(|e| format!("cannot start PostgreSQL: {e}"))?;
        let mut started = Self {
            process,
            home,
            port,
        };
        started.wait_until_ready(&bin, &log)?;
        Ok(started)
    }

    pub fn url(&self) -> String {
        format!("postgres://berth@127.0.0.1:{}/postgres", self.port)
    }

    /// Its first process, the parent of the others.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    fn wait_until_ready(&mut self, bin: &Path, log: &Path) -> Result<(), String> {
        let start = Instant::now();
        let port = self.port.to_string();
        loop {
            let ready = Command::new(bin.join("pg_isready"))
                .args(["--quiet", "--host=127.0.0.1", "--port", &port])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return Ok(());
            }
            let gone = !matches!(self.process.try_wait(), Ok(None));
            if gone || start.elapsed() > START_MAX {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("PostgreSQL did not come up:\n{said}"));
            }
            sleep(POLL);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is its "fast" shutdown; SIGKILL would leave its children and shared memory behind.
        let pid = self.process.id().to_string();
        let stopped = Command::new("kill").args(["-INT", &pid]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("xtask: cannot stop PostgreSQL (process {pid})");
            return;
        }
        if let Err(error) = self.process.wait() {
            eprintln!("xtask: waiting for PostgreSQL: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.home) {
            eprintln!("xtask: {}: {error}", self.home.display());
        }
    }
}

fn tool(bin: &Path, name: &str, as_root: bool) -> Command {
    let path = bin.join(name);
    if !as_root {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", SYSTEM_USER, "--regid", SYSTEM_USER])
        .args(["--clear-groups", "--"])
        .arg(path);
    command
}

/// The programs of the newest version that is installed.
fn newest() -> Result<PathBuf, String> {
    let entries = fs::read_dir(INSTALLED_UNDER).map_err(|e| format!("{INSTALLED_UNDER}: {e}"))?;
    entries
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .max()
        .map(|(_, bin)| bin)
        .ok_or_else(|| format!("no PostgreSQL server under {INSTALLED_UNDER}"))
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("no free port: {e}"))
}
