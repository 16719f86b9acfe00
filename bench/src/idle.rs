//! Memory of servers that nobody uses, after the start and after first requests, and how long they take to answer
//! after they were started.

use std::time::Duration;

use crate::Options;
use crate::cell::{Figures, Idle, Result};
use crate::content::{MANIFEST_TYPE, blob_path, digest_of, push_image, random_bytes};
use crate::fleet::Fleet;
use crate::peers::Peer;

/// Start-up work is over after this.
const REST: Duration = Duration::from_secs(3);
const LAYER_BYTES: usize = 10 << 10;

pub fn run(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?.and_postgres(options, figures)?;
    std::thread::sleep(REST);
    let unused: Vec<[f64; 2]> = fleet.registries.iter().map(Peer::resident_mib).collect();
    let fleet = fleet.ready()?;
    let layer = random_bytes(LAYER_BYTES, 1);
    for peer in &fleet.registries {
        let mut client = peer.client()?;
        push_image(&mut client, "bench", "first", &layer)?;
        for path in ["/v2/bench/manifests/first", &blob_path(&digest_of(&layer))] {
            client
                .send("GET", path, &[("Accept", MANIFEST_TYPE)], &[])?
                .expect(200)?;
        }
    }
    std::thread::sleep(REST);
    for (peer, unused) in fleet.registries.iter().zip(unused) {
        figures.idle.push(Idle {
            server: peer.name,
            mib: unused,
            used_mib: peer.resident_mib(),
            ready_ms: peer.ready_after.as_secs_f64() * 1e3,
        });
    }
    Ok(())
}
