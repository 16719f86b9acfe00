//! Memory of servers that nobody uses, and how long they take to answer after they were started.

use std::time::Duration;

use crate::Options;
use crate::cell::{Figures, Idle, Result};
use crate::fleet::Fleet;

/// Start-up work is over after this.
const REST: Duration = Duration::from_secs(3);

pub fn run(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?.and_postgres(options, figures)?;
    std::thread::sleep(REST);
    for peer in &fleet.registries {
        figures.idle.push(Idle {
            server: peer.name,
            mib: peer.resident_mib(),
            ready_ms: peer.ready_after.as_secs_f64() * 1e3,
        });
    }
    Ok(())
}
