//! Berth beside its peers, in one run on one machine: `cargo xtask bench`.
//!
//! Each case runs against Berth with IAM deciding, and against Debian's
//! `docker-registry`, which checks nothing; pulls of a large layer also against
//! nginx with sendfile, the ceiling. The peers take turns (A B A B …), so that a
//! machine that drifts drifts for both, and the report gives medians and ratios.
//!
//! - `http`: a blocking HTTP/1.1 client, thin enough that the server is measured.
//! - `peers`: starting and stopping the servers, and what they cost (CPU, memory).
//! - `cases`: what is measured.
//! - `report`: medians, ratios, targets.

mod cases;
mod http;
mod peers;
mod report;

use std::path::PathBuf;

/// What the command line asks for.
pub struct Options {
    /// The `berth` binary, built in release.
    pub berth: PathBuf,
    /// Runs of each case for each peer.
    pub rounds: usize,
    /// Bytes of the large layer.
    pub layer_bytes: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options {
        berth: PathBuf::from("target/release/berth"),
        rounds: 3,
        layer_bytes: 1 << 30,
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("`{flag}` needs a value"))?;
        match flag.as_str() {
            "--berth" => options.berth = value.into(),
            "--rounds" => options.rounds = value.parse::<usize>()?.clamp(1, 9),
            "--layer-mib" => options.layer_bytes = value.parse::<usize>()?.clamp(1, 4096) << 20,
            _ => {
                return Err(format!(
                    "unknown option `{flag}`: --berth FILE, --rounds N, --layer-mib N"
                )
                .into());
            }
        }
    }
    let results = cases::run(&options)?;
    print!("{}", report::render(&results));
    Ok(())
}
