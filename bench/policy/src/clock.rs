//! Two engines taking turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A batch lasts about so long; what is slower is asked once.
const BATCH: Duration = Duration::from_millis(5);

/// The time of one decision.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub median_ns: f64,
    /// The quickest and the slowest batch.
    pub min_ns: f64,
    pub max_ns: f64,
}

/// Both, batch by batch, so that what the machine does beside hits either.
pub fn alternate(
    rounds: usize,
    mut a: impl FnMut() -> bool,
    mut b: impl FnMut() -> bool,
) -> (Figure, Figure) {
    let (count_a, count_b) = (calibrate(&mut a), calibrate(&mut b));
    let mut batches = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        batches.0.push(batch(count_a, &mut a));
        batches.1.push(batch(count_b, &mut b));
    }
    (figure(batches.0), figure(batches.1))
}

/// One that has no peer.
pub fn alone(rounds: usize, mut decide: impl FnMut() -> bool) -> Figure {
    let count = calibrate(&mut decide);
    figure((0..rounds).map(|_| batch(count, &mut decide)).collect())
}

/// How many decisions a batch holds; warms up on the way.
fn calibrate(decide: &mut impl FnMut() -> bool) -> u32 {
    let mut count = 1;
    loop {
        let started = Instant::now();
        batch(count, decide);
        if started.elapsed() >= BATCH {
            return count;
        }
        count *= 2;
    }
}

/// Nanoseconds of one decision.
fn batch(count: u32, decide: &mut impl FnMut() -> bool) -> f64 {
    let started = Instant::now();
    for _ in 0..count {
        black_box(decide());
    }
    started.elapsed().as_nanos() as f64 / f64::from(count)
}

fn figure(mut batches: Vec<f64>) -> Figure {
    batches.sort_by(f64::total_cmp);
    Figure {
        median_ns: batches[batches.len() / 2],
        min_ns: batches[0],
        max_ns: batches[batches.len() - 1],
    }
}
