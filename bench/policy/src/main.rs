//! One decision of Berth's policy engine beside one of `cedar-policy`, on equivalent policies.
//!
//! Everything is prepared outside of the measured part for both: policies parsed and
//! compiled, the request and its context built. What remains is what a server does for each
//! request. The engines take turns, batch by batch, in one process; a figure is the median of
//! its batches.

mod berth;
mod cedar;
mod clock;
mod report;
mod worlds;

use std::process::ExitCode;

use clock::{Figure, alone, alternate};
use report::{Adversarial, Report, Row};
use worlds::{Place, Shape, World};

/// Batches of each engine.
const ROUNDS: usize = 15;

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).map(|argument| argument.parse()) {
        None => ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("usage: bench-policy [ROUNDS], the number of batches of each engine");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::default();
    for shape in [Shape::Literal, Shape::Conditions] {
        for statements in [3, 100, 1_000, 10_000] {
            eprintln!("{}, {statements} statements", shape.name());
            report.rows.extend(measure(shape, statements, rounds));
        }
    }
    for case in worlds::adversarial() {
        eprintln!("adversarial: {}", case.name);
        let mut ours = berth::Pattern::new(&case);
        assert_eq!(ours.decide(), case.matches, "berth, {}", case.name);
        let (berth, cedar): (Figure, Option<Figure>) = match cedar::Pattern::new(&case) {
            Some(peer) => {
                let mut peer = peer.ask();
                assert_eq!(peer.decide(), case.matches, "cedar, {}", case.name);
                let (berth, cedar) = alternate(rounds, || ours.decide(), || peer.decide());
                (berth, Some(cedar))
            }
            None => (alone(rounds, || ours.decide()), None),
        };
        report.adversarial.push(Adversarial {
            name: case.name,
            pattern_bytes: case.pattern.len(),
            berth,
            cedar,
        });
    }
    print!("{report}");
    ExitCode::SUCCESS
}

fn measure(shape: Shape, statements: usize, rounds: usize) -> Vec<Row> {
    let world = World { shape, statements };
    let ours = berth::Policies::new(&world);
    let peer = cedar::Policies::new(&world);
    let places = [Place::First, Place::Last, Place::Never];
    let rows = places.into_iter().map(|place| {
        let resource = world.asked(place);
        let mut ours = ours.ask(&resource);
        let mut peer = peer.ask(&resource);
        // A comparison of different answers would say nothing.
        let expected = place != Place::Never;
        assert_eq!(ours.decide(), expected, "berth, {world:?}, {place:?}");
        assert_eq!(peer.decide(), expected, "cedar, {world:?}, {place:?}");
        let (berth, cedar) = alternate(rounds, || ours.decide(), || peer.decide());
        Row {
            shape,
            statements,
            place,
            berth,
            cedar,
        }
    });
    rows.collect()
}
