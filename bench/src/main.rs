//! Berth beside its peers, in one run on one machine: `cargo xtask bench`.
//!
//! The servers take turns (A B A B …), so that a machine that drifts drifts for all of them, and the report gives
//! medians and ratios. IAM decides in Berth and the audit log is written; the peers check nothing.
//!
//! Beside peers, all of them a `cell` for each workload, server and round:
//! - `layers`: layers in and out, of four sizes, by 1, 8 and 64 clients.
//! - `requests`: manifests, tags, `/v2/`; small requests while a layer is pulled.
//! - `images`: pushes of small images, an image that a fleet pulls at once, a mixed day.
//! - `tls`: pulls over TLS.
//! - `idle`: memory and start.
//!
//! Of Berth alone:
//! - `strangers`: honest clients while strangers attack.
//! - `identity`: calls of STS in a small and in a large account.
//! - `lifecycle`: a run of a lifecycle policy in a large repository.
//! - `scale`: requests to a small and to a large store.
//!
//! What they use:
//! - `fleet`: the servers of a part; `peers`: a server's process, and what it costs (CPU, memory); `berth` and
//!   `registries`: how each is started.
//! - `http`: a blocking HTTP/1.1 client, thin enough that the server is measured; `load`: many connections of one thread.
//! - `content`: layers and images; `certificate`: one for TLS; `issuer`: an identity provider; `seed`: fills the
//!   database of a stopped server; `latency`: percentiles of requests.
//! - `report`: medians, ratios, targets.

mod berth;
mod cell;
mod certificate;
mod content;
mod fleet;
mod http;
mod identity;
mod idle;
mod images;
mod issuer;
mod latency;
mod layers;
mod lifecycle;
mod load;
mod peers;
mod registries;
mod report;
mod requests;
mod scale;
mod seed;
mod strangers;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use cell::Figures;

/// What the command line asks for.
pub struct Options {
    /// The `berth` binary, built in release.
    pub berth: PathBuf,
    /// Another `berth` binary, measured in the same run: what a change made faster or slower.
    pub before: Option<PathBuf>,
    /// The peers' programs; without its own, distribution is built by `go install`, and zot is absent.
    pub distribution: Option<PathBuf>,
    pub zot: Option<PathBuf>,
    /// A PostgreSQL in which databases may be made, and its first process: Berth is measured on it, too.
    pub postgres: Option<String>,
    pub postgres_pid: Option<u32>,
    /// Runs of each case for each peer.
    pub rounds: usize,
    /// How long a cell goes on, where it is not bounded by its bytes.
    pub time: Duration,
    /// Bytes of the large layer.
    pub layer_bytes: usize,
    /// Of the parts beside peers only cases whose names have this in them.
    case: Option<String>,
    /// The parts that are run; all of them where none is named.
    parts: Vec<String>,
}

type Part = fn(&Options, &mut Figures) -> cell::Result<()>;

/// Parts beside peers, which make one report together.
const BESIDE_PEERS: [(&str, Part); 7] = [
    ("idle", idle::run),
    ("pulls", layers::pulls),
    ("pushes", layers::pushes),
    ("requests", requests::run),
    ("images", images::run),
    ("under-pull", requests::under_pull),
    ("tls", tls::run),
];

type AlonePart = fn(&Options) -> cell::Result<String>;

const ALONE: [(&str, AlonePart); 4] = [
    ("strangers", strangers::run),
    ("identity", identity::run),
    ("lifecycle", lifecycle::run),
    ("scale", scale::run),
];

fn main() -> cell::Result<()> {
    let mut options = Options {
        berth: PathBuf::from("target/release/berth"),
        before: None,
        distribution: None,
        zot: None,
        postgres: None,
        postgres_pid: None,
        rounds: 3,
        time: Duration::from_secs(2),
        layer_bytes: 1 << 30,
        case: None,
        parts: Vec::new(),
    };
    let parts: Vec<&str> = BESIDE_PEERS
        .iter()
        .map(|(name, _)| *name)
        .chain(ALONE.iter().map(|(name, _)| *name))
        .collect();
    let (mut attack, mut server) = (None, None);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("`{flag}` needs a value"))?;
        match flag.as_str() {
            "--berth" => options.berth = value.into(),
            "--before" => options.before = Some(value.into()),
            "--distribution" => options.distribution = Some(value.into()),
            "--zot" => options.zot = Some(value.into()),
            "--postgres" => options.postgres = Some(value),
            "--postgres-pid" => options.postgres_pid = Some(value.parse()?),
            "--rounds" => options.rounds = value.parse::<usize>()?.clamp(1, 9),
            "--seconds" => options.time = Duration::from_secs(value.parse::<u64>()?.clamp(1, 60)),
            "--layer-mib" => options.layer_bytes = value.parse::<usize>()?.clamp(1, 4096) << 20,
            "--case" => options.case = Some(value),
            "--part" if parts.contains(&value.as_str()) => options.parts.push(value),
            // The attackers' process, which the strangers' part starts.
            "--attack" => attack = Some(value),
            "--server" => server = Some(value.parse()?),
            _ => {
                return Err(format!(
                    "unknown option `{flag} {value}`: --berth FILE, --before FILE, --distribution FILE, --zot FILE, \
                     --postgres URL, --postgres-pid PID, --rounds N, --seconds N, --layer-mib N, --case TEXT, --part {}",
                    parts.join("|")
                )
                .into());
            }
        }
    }
    if let (Some(attack), Some(server)) = (&attack, server) {
        return strangers::attack(attack, server);
    }
    let wanted =
        |part: &str| options.parts.is_empty() || options.parts.iter().any(|wanted| wanted == part);
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let mut figures = Figures {
        only: options.case.clone(),
        ..Figures::default()
    };
    for (_, run) in BESIDE_PEERS.iter().filter(|(name, _)| wanted(name)) {
        run(&options, &mut figures)?;
    }
    let report = report::render(&options, &figures);
    if !report.is_empty() {
        let load = load.split(' ').next().unwrap_or_default();
        println!(
            "{}, {} processors, load {load} before; medians of {}.\n\n{report}",
            jiff::Timestamp::now().strftime("%F %H:%M UTC"),
            std::thread::available_parallelism()?,
            options.rounds
        );
    }
    // They have no cases.
    let alone = ALONE.iter().filter(|_| options.case.is_none());
    for (_, run) in alone.filter(|(name, _)| wanted(name)) {
        println!("{}", run(&options)?);
    }
    Ok(())
}
