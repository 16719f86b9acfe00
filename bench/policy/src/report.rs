//! Markdown, and the targets.

use std::fmt;

use crate::clock::Figure;
use crate::worlds::{Place, Shape};

#[derive(Default)]
pub struct Report {
    pub rows: Vec<Row>,
    pub adversarial: Vec<Adversarial>,
}

/// A request among so many statements.
pub struct Row {
    pub shape: Shape,
    pub statements: usize,
    pub place: Place,
    pub berth: Figure,
    pub cedar: Figure,
}

/// An adversarial pattern on 2,048 bytes; the peer cannot write each.
pub struct Adversarial {
    pub name: &'static str,
    pub pattern_bytes: usize,
    pub berth: Figure,
    pub cedar: Option<Figure>,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.cedar.median_ns / self.berth.median_ns
    }
}

/// A target and how far the worst row of its kind is from it.
struct Target {
    name: &'static str,
    measured: String,
    met: bool,
}

impl Report {
    fn targets(&self) -> Vec<Target> {
        let of = |statements| {
            self.rows
                .iter()
                .filter(move |row| row.statements == statements)
        };
        let slowest = |rows: &mut dyn Iterator<Item = Figure>| {
            rows.map(|figure| figure.median_ns).fold(0.0, f64::max)
        };
        let least = |statements| of(statements).map(Row::ratio).fold(f64::INFINITY, f64::min);
        let three_ns = slowest(&mut of(3).map(|row| row.berth));
        let adversarial_ns = slowest(&mut self.adversarial.iter().map(|case| case.berth));
        let growth = of(100).zip(of(10_000)).fold(0.0, |growth, (few, many)| {
            f64::max(growth, many.berth.median_ns / few.berth.median_ns)
        });
        let (at_three, at_thousand) = (least(3), least(1_000));
        let target = |name, measured, met| Target {
            name,
            measured,
            met,
        };
        vec![
            target(
                "a decision at 3 policies under 1 µs",
                time(three_ns),
                three_ns < 1e3,
            ),
            target(
                "at least 10× cedar-policy at 3",
                times(at_three),
                at_three >= 10.0,
            ),
            target(
                "at least 100× at 1,000",
                times(at_thousand),
                at_thousand >= 100.0,
            ),
            target(
                "growth from 100 to 10,000 under 2×",
                times(growth),
                growth < 2.0,
            ),
            target(
                "an adversarial pattern on 2,048 bytes under 50 µs",
                time(adversarial_ns),
                adversarial_ns < 50e3,
            ),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| statements | match | Berth | range | cedar-policy | range | ratio |"
        )?;
        writeln!(f, "|---|---|--:|--:|--:|--:|--:|")?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} {} | {} | {} | {} | {} | {} | {} |",
                row.statements,
                row.shape.name(),
                row.place.name(),
                time(row.berth.median_ns),
                range(row.berth),
                time(row.cedar.median_ns),
                range(row.cedar),
                times(row.ratio()),
            )?;
        }
        writeln!(
            f,
            "\n| adversarial pattern | bytes | Berth | range | cedar-policy |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|")?;
        for case in &self.adversarial {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} |",
                case.name,
                case.pattern_bytes,
                time(case.berth.median_ns),
                range(case.berth),
                case.cedar
                    .map_or("–".into(), |figure| time(figure.median_ns)),
            )?;
        }
        writeln!(f, "\n| target | worst measured | |")?;
        writeln!(f, "|---|--:|---|")?;
        for target in self.targets() {
            let met = if target.met { "met" } else { "**missed**" };
            writeln!(f, "| {} | {} | {met} |", target.name, target.measured)?;
        }
        Ok(())
    }
}

fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

fn range(figure: Figure) -> String {
    format!("{} – {}", time(figure.min_ns), time(figure.max_ns))
}

fn times(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 10.0 => format!("{ratio:.1}×"),
        ratio => format!("{ratio:.0}×"),
    }
}
