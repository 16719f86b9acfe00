//! One figure: a workload on one server in one round. Servers take turns within a workload (A B A B …), so that a
//! machine that drifts drifts for all of them.

use crate::latency::percentile_ms;
use crate::peers::Peer;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What a rate counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Megabytes,
    Requests,
    Layers,
    Images,
}

impl Unit {
    /// The rate's unit, and what the CPU seconds are given for.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Unit::Megabytes => ("MB/s", "GB"),
            Unit::Requests => ("requests/s", "million"),
            Unit::Layers => ("layers/s", "1000"),
            Unit::Images => ("images/s", "1000"),
        }
    }

    fn cost_scale(self) -> f64 {
        match self {
            Unit::Megabytes | Unit::Layers | Unit::Images => 1e-3,
            Unit::Requests => 1e-6,
        }
    }
}

/// What a workload did in its time.
pub struct Done {
    /// In the workload's unit; bytes are megabytes.
    pub amount: f64,
    pub seconds: f64,
    /// Of each request or push.
    pub p99_ms: Option<f64>,
}

/// What is done to one server in one round.
pub type Work<'a> = Box<dyn Fn(&Peer) -> Result<Done> + 'a>;

/// Something that servers are asked to do, and how it is done to one of them in a round.
pub struct Workload<'a> {
    pub case: String,
    pub unit: Unit,
    pub on: Vec<&'a Peer>,
    pub work: Work<'a>,
}

/// One workload on one server in one round.
pub struct Sample {
    pub case: String,
    pub unit: Unit,
    pub server: &'static str,
    /// More is better.
    pub rate: f64,
    /// CPU seconds of the server, for as much as the unit says.
    pub cpu: f64,
    pub p99_ms: Option<f64>,
    pub peak_mib: f64,
}

/// All that was measured, and what is missing and why.
#[derive(Default)]
pub struct Figures {
    pub samples: Vec<Sample>,
    pub notes: Vec<String>,
    pub idle: Vec<Idle>,
    /// Only cases whose names have this in them are run.
    pub only: Option<String>,
}

/// A server that nobody uses.
pub struct Idle {
    pub server: &'static str,
    /// Resident after its start, and of it what is not the program's own file.
    pub mib: [f64; 2],
    /// The same after it was made ready, and one image was pushed and pulled.
    pub used_mib: [f64; 2],
    pub ready_ms: f64,
}

impl Figures {
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub fn wants(&self, case: &str) -> bool {
        self.only.as_deref().is_none_or(|only| case.contains(only))
    }

    /// Runs each workload on its servers in turn. Who fails is named in the report and left out of the rounds to come.
    pub fn run(&mut self, workloads: &[Workload<'_>], rounds: usize) {
        for workload in workloads {
            if !self.wants(&workload.case) {
                continue;
            }
            let mut failed = Vec::new();
            for _ in 0..rounds {
                for peer in &workload.on {
                    if failed.contains(&peer.name) {
                        continue;
                    }
                    match sample(workload, peer) {
                        Ok(sample) => self.samples.push(sample),
                        Err(error) => {
                            failed.push(peer.name);
                            self.note(format!(
                                "{} failed at {}: {error}",
                                peer.name, workload.case
                            ));
                        }
                    }
                }
            }
        }
    }

    /// Medians of what one server did in a case.
    pub fn of(&self, case: &str, server: &str) -> Option<Medians> {
        let found: Vec<&Sample> = self
            .samples
            .iter()
            .filter(|sample| sample.case == case && sample.server == server)
            .collect();
        Some(Medians {
            rate: median(found.iter().map(|s| s.rate))?,
            cpu: median(found.iter().map(|s| s.cpu))?,
            p99_ms: median(found.iter().filter_map(|s| s.p99_ms)),
            peak_mib: found.iter().map(|s| s.peak_mib).fold(0.0, f64::max),
        })
    }
}

/// Medians of the rounds; of the memory the largest.
pub struct Medians {
    pub rate: f64,
    pub cpu: f64,
    pub p99_ms: Option<f64>,
    pub peak_mib: f64,
}

fn sample(workload: &Workload<'_>, peer: &Peer) -> Result<Sample> {
    peer.forget_peak()?;
    let cpu = peer.cpu_seconds();
    let done = (workload.work)(peer)?;
    let cpu = peer.cpu_seconds() - cpu;
    let rate = done.amount / done.seconds;
    eprintln!("{:44} {:16} {rate:>10.1}", workload.case, peer.name);
    Ok(Sample {
        case: workload.case.clone(),
        unit: workload.unit,
        server: peer.name,
        rate,
        cpu: cpu / (done.amount * workload.unit.cost_scale()),
        p99_ms: done.p99_ms,
        peak_mib: peer.peak_mib(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some(f64::midpoint(*values.get(low)?, *values.get(high)?))
}

/// The time that 99 of 100 took at most, of times in seconds; in milliseconds.
pub fn p99_ms(mut seconds: Vec<f64>) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    percentile_ms(&seconds, 99.0)
}
