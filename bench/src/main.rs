//! Berth beside its peers, in one run on one machine: `cargo xtask bench`.
//!
//! Each case runs against Berth with IAM deciding, and against Debian's
//! `docker-registry`, which checks nothing; pulls of a large layer also against
//! nginx with sendfile, the ceiling. The peers take turns (A B A B …), so that a
//! machine that drifts drifts for both, and the report gives medians and ratios.
//!
//! - `strangers`: honest clients while strangers attack.
//! - `identity`: calls of STS in a small and in a large account.
//! - `lifecycle`: a run of a lifecycle policy in a large repository.
//! - `scale`: requests to a small and to a large store.
//! - `small`: small requests and small pushes, as a fleet of CI jobs makes them.
//! - `seed`: fills the database of a stopped server.
//! - `issuer`: an identity provider, for calls with its tokens.
//! - `http`: a blocking HTTP/1.1 client, thin enough that the server is measured.
//! - `peers`: starting and stopping the servers, and what they cost (CPU, memory).
//! - `cases`: what is measured.
//! - `latency`: percentiles of requests.
//! - `report`: medians, ratios, targets.

mod cases;
mod http;
mod identity;
mod issuer;
mod latency;
mod lifecycle;
mod peers;
mod report;
mod scale;
mod seed;
mod small;
mod strangers;

use std::path::PathBuf;

/// What the command line asks for.
pub struct Options {
    /// The `berth` binary, built in release.
    pub berth: PathBuf,
    /// Another `berth` binary, measured in the same run: what a change made faster or slower.
    pub before: Option<PathBuf>,
    /// Runs of each case for each peer.
    pub rounds: usize,
    /// Bytes of the large layer.
    pub layer_bytes: usize,
    /// The one part that is run; all of them where absent.
    part: Option<String>,
}

const PARTS: [&str; 6] = [
    "transfers",
    "small",
    "strangers",
    "identity",
    "lifecycle",
    "scale",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options {
        berth: PathBuf::from("target/release/berth"),
        before: None,
        rounds: 3,
        layer_bytes: 1 << 30,
        part: None,
    };
    let (mut attack, mut server) = (None, None);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("`{flag}` needs a value"))?;
        match flag.as_str() {
            "--berth" => options.berth = value.into(),
            "--before" => options.before = Some(value.into()),
            "--rounds" => options.rounds = value.parse::<usize>()?.clamp(1, 9),
            "--layer-mib" => options.layer_bytes = value.parse::<usize>()?.clamp(1, 4096) << 20,
            "--part" if PARTS.contains(&value.as_str()) => options.part = Some(value),
            // The attackers' process, which the strangers' part starts.
            "--attack" => attack = Some(value),
            "--server" => server = Some(value.parse()?),
            _ => {
                return Err(format!(
                    "unknown option `{flag} {value}`: --berth FILE, --before FILE, --rounds N, --layer-mib N, --part {}",
                    PARTS.join("|")
                )
                .into());
            }
        }
    }
    if let (Some(attack), Some(server)) = (&attack, server) {
        return strangers::attack(attack, server);
    }
    let wanted = |part: &str| options.part.as_deref().is_none_or(|only| only == part);
    if wanted("transfers") {
        println!("{}", report::render(&cases::run(&options)?));
    }
    if wanted("small") {
        println!("{}", small::run(&options)?);
    }
    if wanted("strangers") {
        println!("{}", strangers::run(&options)?);
    }
    if wanted("identity") {
        println!("{}", identity::run(&options)?);
    }
    if wanted("lifecycle") {
        println!("{}", lifecycle::run(&options)?);
    }
    if wanted("scale") {
        println!("{}", scale::run(&options)?);
    }
    Ok(())
}
