//! The metrics of webhooks: sums over all targets.

use std::fmt::Write as _;

use registry::webhooks::EventCounts;

/// Their lines of the metrics page.
pub(crate) fn text(counts: EventCounts, (waiting, failed): (i64, i64)) -> String {
    let mut out = String::new();
    let (waiting, failed) = (waiting.unsigned_abs(), failed.unsigned_abs());
    for (name, kind, value) in [
        ("berth_events_delivered_total", "counter", counts.delivered),
        (
            "berth_event_attempts_failed_total",
            "counter",
            counts.failed,
        ),
        ("berth_events_given_up_total", "counter", counts.given_up),
        (
            "berth_event_pulls_forgotten_total",
            "counter",
            counts.forgotten_pulls,
        ),
        ("berth_events_waiting", "gauge", waiting),
        ("berth_events_failed", "gauge", failed),
    ] {
        // Writing to a string does not fail.
        let _ = writeln!(out, "# TYPE {name} {kind}");
        let _ = writeln!(out, "{name} {value}");
    }
    out
}
