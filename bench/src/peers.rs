//! The servers side by side, and what each costs while it works.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Client;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A running server. Stopped when dropped.
pub struct Peer {
    pub name: &'static str,
    pub address: SocketAddr,
    /// Where Berth keeps its data.
    pub data: Option<PathBuf>,
    /// The header every registry request carries, for Berth.
    pub authorization: Option<String>,
    /// From starting the process to its first answer.
    pub ready_after: Duration,
    /// The process; none for work that the benchmark does itself.
    pub child: Option<Child>,
    /// The first process of its database server, whose CPU counts as well.
    pub database: Option<u32>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        // SIGTERM first: nginx's master stops its worker.
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        std::thread::sleep(Duration::from_millis(300));
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Peer {
    /// The benchmark's own process as a peer: what it does, it does without a server.
    pub fn own(name: &'static str) -> Peer {
        Peer {
            name,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            authorization: None,
            ready_after: Duration::ZERO,
            child: None,
            database: None,
        }
    }

    pub fn client(&self) -> std::io::Result<Client> {
        let mut client = Client::connect(self.address)?;
        if let Some(value) = &self.authorization {
            client.common.push(("Authorization".into(), value.clone()));
        }
        Ok(client)
    }

    /// CPU seconds that the server and its workers have used so far.
    pub fn cpu_seconds(&self) -> f64 {
        let database = self.database.map(with_children).unwrap_or_default();
        let pids = self.pids().into_iter().chain(database);
        pids.map(cpu_seconds).sum()
    }

    /// Peak resident memory in MiB since the last [`Peer::forget_peak`], of the largest process.
    pub fn peak_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    /// Resident memory in MiB now, of the largest process; and what of it is not the program's own file.
    pub fn resident_mib(&self) -> [f64; 2] {
        ["VmRSS:", "RssAnon:"].map(|field| self.memory_mib(field))
    }

    /// Peaks count from here on.
    pub fn forget_peak(&self) -> std::io::Result<()> {
        self.pids()
            .iter()
            .try_for_each(|pid| std::fs::write(format!("/proc/{pid}/clear_refs"), "5"))
    }

    fn memory_mib(&self, field: &str) -> f64 {
        self.pids()
            .iter()
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok())
            .filter_map(|status| {
                let line = status.lines().find(|line| line.starts_with(field))?;
                line.split_whitespace().nth(1)?.parse::<f64>().ok()
            })
            .fold(0.0, f64::max)
            / 1024.0
    }

    fn pids(&self) -> Vec<u32> {
        match &self.child {
            Some(child) => with_children(child.id()),
            None => vec![std::process::id()],
        }
    }
}

fn with_children(parent: u32) -> Vec<u32> {
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

/// Starts a server and waits for its first answer.
pub fn start(
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
        .map_err(|error| format!("does not start: {error}"))?;
    // From here on whatever fails stops it.
    let mut peer = Peer {
        name,
        address,
        data: None,
        authorization: None,
        ready_after: Duration::ZERO,
        child: Some(child),
        database: None,
    };
    wait_for(address, path)?;
    peer.ready_after = started.elapsed();
    Ok(peer)
}

pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Asks until there is an answer, whatever its status.
pub fn wait_for(address: SocketAddr, path: &str) -> Result<()> {
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
