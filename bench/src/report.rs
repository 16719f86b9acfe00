//! Medians, ratios and targets, as Markdown.

use std::fmt::Write as _;

use crate::Options;
use crate::berth::ON_POSTGRES;
use crate::cell::{Figures, Medians};
use crate::images::small_push_case;
use crate::layers::{LIMIT, pull_case, push_case};
use crate::{requests, tls};

const PEERS: [&str; 3] = ["distribution", "zot", "docker-registry"];
const LIMITS: [&str; 2] = ["nginx", LIMIT];
const IDLE_MIB_MAX: f64 = 30.0;
const PEAK_MIB_MAX: f64 = 100.0;
const UNDER: &str = "p99 of small requests under a full-rate pull";
const SMALL: usize = 10 << 10;

pub fn render(options: &Options, figures: &Figures) -> String {
    let mut out = String::new();
    if !figures.samples.is_empty() {
        table(figures, &mut out);
    }
    if !figures.idle.is_empty() {
        out.push_str(
            "\n| idle | after the start (MiB) | without the program's file | after first requests (MiB) | without the program's file | \
             first answer (ms) |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for idle in &figures.idle {
            let ([all, own], [used, used_own]) = (idle.mib, idle.used_mib);
            let (name, ready_ms) = (idle.server, idle.ready_ms);
            let _ = writeln!(
                out,
                "| {name} | {all:.0} | {own:.0} | {used:.0} | {used_own:.0} | {ready_ms:.0} |"
            );
        }
    }
    let targets: Vec<Target> = targets(options, figures);
    if !targets.is_empty() {
        out.push_str("\n| target | asked | measured | |\n|---|--:|--:|---|\n");
        for target in targets {
            let (sign, met) = match target.at_least {
                true => ("≥", target.measured >= target.asked),
                false => ("≤", target.measured <= target.asked),
            };
            let _ = writeln!(
                out,
                "| {} | {sign} {} | {} | {} |",
                target.what,
                target.asked,
                number(target.measured),
                if met { "met" } else { "**missed**" }
            );
        }
    }
    if !figures.notes.is_empty() {
        out.push('\n');
    }
    for note in &figures.notes {
        let _ = writeln!(out, "- {note}");
    }
    out
}

/// A row a case and a column a server: the rate, then CPU seconds and the p99 in brackets.
fn table(figures: &Figures, out: &mut String) {
    let mut cases: Vec<(&str, crate::cell::Unit)> = Vec::new();
    for sample in &figures.samples {
        if !cases.iter().any(|(case, _)| *case == sample.case) {
            cases.push((&sample.case, sample.unit));
        }
    }
    let of_berth = ["berth", "before", ON_POSTGRES].into_iter();
    let names: Vec<&str> = of_berth
        .chain(PEERS)
        .filter(|name| figures.samples.iter().any(|s| s.server == *name))
        .collect();
    let _ = write!(out, "| rate (CPU s for as much, p99 in ms) |");
    for name in &names {
        let _ = write!(out, " {name} |");
    }
    out.push_str(" limit | ÷ best peer | ÷ limit | berth's peak MiB |\n|---|");
    out.push_str(&"--:|".repeat(names.len() + 4));
    out.push('\n');
    for (case, unit) in cases {
        let (rate_unit, cost_unit) = unit.names();
        let _ = write!(out, "| {case} ({rate_unit}, {cost_unit}) |");
        for name in &names {
            let _ = write!(out, " {} |", cell(figures.of(case, name).as_ref()));
        }
        let limit = limit(figures, case);
        let berth = figures.of(case, "berth");
        let ratio = |other: Option<f64>| match (&berth, other) {
            (Some(berth), Some(other)) => format!("{}×", number(berth.rate / other)),
            _ => "–".to_owned(),
        };
        let _ = writeln!(
            out,
            " {} | {} | {} | {} |",
            cell(limit.as_ref()),
            ratio(best_peer(figures, case)),
            ratio(limit.as_ref().map(|limit| limit.rate)),
            berth
                .as_ref()
                .map_or("–".to_owned(), |b| format!("{:.0}", b.peak_mib)),
        );
    }
}

fn cell(medians: Option<&Medians>) -> String {
    match medians {
        None => "–".to_owned(),
        Some(Medians {
            rate,
            cpu,
            p99_ms: Some(p99),
            ..
        }) => {
            format!("{} ({}, {p99:.2})", number(*rate), number(*cpu))
        }
        Some(medians) => format!("{} ({})", number(medians.rate), number(medians.cpu)),
    }
}

fn limit(figures: &Figures, case: &str) -> Option<Medians> {
    LIMITS.iter().find_map(|name| figures.of(case, name))
}

fn best_peer(figures: &Figures, case: &str) -> Option<f64> {
    let rates = PEERS.iter().filter_map(|name| figures.of(case, name));
    rates.map(|medians| medians.rate).reduce(f64::max)
}

struct Target {
    what: String,
    asked: f64,
    at_least: bool,
    measured: f64,
}

/// Those whose figures are there.
fn targets(options: &Options, figures: &Figures) -> Vec<Target> {
    let (pull, push) = (
        pull_case(options.layer_bytes, 1),
        push_case(options.layer_bytes, 1),
    );
    let berth = |case: &str| figures.of(case, "berth").map(|m| m.rate);
    let of_limit = |case: &str| Some(berth(case)? / limit(figures, case)?.rate);
    let of_peers = |case: &str| Some(berth(case)? / best_peer(figures, case)?);
    let cpu_of_limit =
        |case: &str| Some(figures.of(case, "berth")?.cpu / limit(figures, case)?.cpu);
    let p99_ratio = |server: &str| {
        let quiet = figures.of(requests::QUIET, server)?.p99_ms?;
        Some(figures.of(requests::UNDER_PULL, server)?.p99_ms? / quiet)
    };
    let small = |clients| pull_case(SMALL, clients);
    let tls = tls::large_case(options.layer_bytes);
    let (one, many) = (small_push_case(1), small_push_case(16));
    let idle = figures.idle.iter().find(|idle| idle.server == "berth");
    let of_berth = figures.samples.iter().filter(|s| s.server == "berth");
    let peak = of_berth.map(|s| s.peak_mib).reduce(f64::max);
    let at_least = [
        (format!("{pull}, of nginx"), 0.95, of_limit(&pull)),
        (format!("{tls}, of nginx"), 0.9, of_limit(&tls)),
        (format!("{push}, of {LIMIT}"), 0.85, of_limit(&push)),
        (format!("{push}, of the best peer"), 2.0, of_peers(&push)),
        (
            format!("{}, of `{}`", requests::BY_TAG, requests::BASE),
            0.8,
            berth(requests::BY_TAG)
                .zip(berth(requests::BASE))
                .map(|(a, b)| a / b),
        ),
        (
            format!("{}, of the best peer", requests::BY_TAG),
            2.5,
            of_peers(requests::BY_TAG),
        ),
        (
            format!("{many}, of 1 client's"),
            4.0,
            berth(&many).zip(berth(&one)).map(|(a, b)| a / b),
        ),
        (format!("{many}, of the best peer"), 2.0, of_peers(&many)),
        (format!("{}, of nginx", small(8)), 0.6, of_limit(&small(8))),
        (
            format!("{}, of nginx", small(64)),
            0.6,
            of_limit(&small(64)),
        ),
        (
            format!("{}, of Berth's {}", requests::TAGS, small(8)),
            0.5,
            berth(requests::TAGS)
                .zip(berth(&small(8)))
                .map(|(a, b)| a / b),
        ),
    ];
    let at_most = [
        (format!("{pull}, CPU of nginx's"), 1.3, cpu_of_limit(&pull)),
        (
            match p99_ratio("nginx") {
                Some(nginx) => format!("{UNDER}, of the quiet one (nginx's: {nginx:.1})"),
                None => format!("{UNDER}, of the quiet one"),
            },
            3.0,
            p99_ratio("berth"),
        ),
        (
            "memory after the start (MiB)".to_owned(),
            IDLE_MIB_MAX,
            idle.map(|idle| idle.mib[0]),
        ),
        (
            "peak memory in these workloads (MiB)".to_owned(),
            PEAK_MIB_MAX,
            peak,
        ),
    ];
    let target = |at_least| {
        move |(what, asked, measured): (String, f64, Option<f64>)| {
            Some(Target {
                what,
                asked,
                at_least,
                measured: measured?,
            })
        }
    };
    at_least
        .into_iter()
        .filter_map(target(true))
        .chain(at_most.into_iter().filter_map(target(false)))
        .collect()
}

/// Three significant figures are more than the noise allows.
fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
