//! Medians, ratios and targets, as a Markdown table.

use std::fmt::Write as _;

use crate::cases::{Results, Sample};

/// The first targets: case, and Berth's rate over docker-registry's at least.
const TARGETS: &[(&str, f64)] = &[
    ("push of a large layer (MB/s)", 3.0),
    ("pull of a large layer (MB/s)", 1.5),
    ("push of small layers (layers/s)", 3.0),
    ("pull of small layers (layers/s)", 1.5),
    ("manifest by tag (requests/s)", 5.0),
];
const PEAK_MIB_MAX: f64 = 100.0;
const READY_MS_MAX: f64 = 100.0;

pub fn render(results: &Results) -> String {
    let mut out = String::from(
        "| case | berth | before | docker-registry | ratio | target | nginx | CPU s: berth | before | docker-registry | nginx | per |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (case, target) in TARGETS {
        let of = |peer: &str| -> Vec<&Sample> {
            results
                .samples
                .iter()
                .filter(|s| s.case == *case && s.peer == peer)
                .collect()
        };
        let rate = |peer: &str| median(of(peer).iter().map(|s| s.rate).collect());
        let cost = |peer: &str| median(of(peer).iter().map(|s| s.cpu_cost).collect());
        let ratio = rate("berth")
            .zip(rate("docker-registry"))
            .map(|(ours, theirs)| ours / theirs);
        let unit = of("berth").first().map_or("", |s| s.cost_unit);
        let met = if ratio.is_some_and(|r| r >= *target) {
            "met"
        } else {
            "missed"
        };
        let _ = writeln!(
            out,
            "| {case} | {} | {} | {} | {}× | ≥ {target}× {met} | {} | {} | {} | {} | {} | {unit} |",
            number(rate("berth")),
            number(rate("before")),
            number(rate("docker-registry")),
            number(ratio),
            number(rate("nginx")),
            number(cost("berth")),
            number(cost("before")),
            number(cost("docker-registry")),
            number(cost("nginx")),
        );
    }
    out.push_str("\n| server | start to first answer (ms) | peak memory (MiB) |\n|---|---|---|\n");
    for (name, ready_ms, peak_mib) in &results.servers {
        let _ = writeln!(out, "| {name} | {ready_ms:.0} | {peak_mib:.0} |");
    }
    let _ = writeln!(
        out,
        "\nTargets for berth: ready under {READY_MS_MAX:.0} ms, peak memory under {PEAK_MIB_MAX:.0} MiB."
    );
    out
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Three significant figures are more than the noise allows.
fn number(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(v) if v >= 100.0 => format!("{v:.0}"),
        Some(v) => format!("{v:.2}"),
    }
}
