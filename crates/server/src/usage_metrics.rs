//! The metrics of usage: sums over all accounts, so that their number does not grow with accounts,
//! repositories or principals.

use std::fmt::Write as _;

use registry::UsageTotals;
use registry::integrity::ScrubTotals;

/// Their lines of the metrics page.
pub(crate) fn text(totals: UsageTotals) -> String {
    let mut out = String::new();
    let lines = [
        (
            "berth_transfer_bytes_total",
            "counter",
            "{direction=\"in\"}",
            totals.received,
        ),
        (
            "berth_transfer_bytes_total",
            "",
            "{direction=\"out\"}",
            totals.sent,
        ),
        ("berth_manifest_pulls_total", "counter", "", totals.pulls),
        ("berth_manifest_pushes_total", "counter", "", totals.pushes),
        (
            "berth_usage_forgotten_total",
            "counter",
            "",
            totals.forgotten,
        ),
        ("berth_stored_bytes", "gauge", "", totals.stored),
    ];
    for (name, kind, label, value) in lines {
        // Writing to a string does not fail.
        if !kind.is_empty() {
            let _ = writeln!(out, "# TYPE {name} {kind}");
        }
        let _ = writeln!(out, "{name}{label} {value}");
    }
    out
}

/// What the scrub read, and what is damaged.
pub(crate) fn scrub(totals: ScrubTotals) -> String {
    let mut out = String::new();
    for (name, kind, value) in [
        ("berth_scrubbed_layers_total", "counter", totals.copies),
        ("berth_scrubbed_bytes_total", "counter", totals.bytes),
        ("berth_damage_found_total", "counter", totals.marked),
        ("berth_damaged_layers", "gauge", totals.known),
    ] {
        let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_its_type_once() {
        let text = text(UsageTotals {
            sent: 7,
            ..UsageTotals::default()
        });
        let types = text.lines().filter(|line| line.starts_with("# TYPE"));
        assert_eq!(types.count(), 5);
        assert!(text.contains("berth_transfer_bytes_total{direction=\"out\"} 7\n"));
    }
}
