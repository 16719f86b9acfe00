//! Counters for Prometheus (text exposition format 0.0.4), by hand: a few atomics cost less than a
//! library, and there are no labels that a client could multiply.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Which part of the server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKind {
    Aws,
    Oci,
    Download,
    Console,
    Other,
}

const FACES: [(ApiKind, &str); 5] = [
    (ApiKind::Aws, "aws"),
    (ApiKind::Oci, "oci"),
    (ApiKind::Download, "download"),
    (ApiKind::Console, "console"),
    (ApiKind::Other, "other"),
];

/// Upper bounds of the histogram's buckets, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];

/// Status classes 1xx to 5xx.
const CLASSES: usize = 5;

#[derive(Default)]
pub(crate) struct Metrics {
    requests: [[AtomicU64; CLASSES]; FACES.len()],
    buckets: [[AtomicU64; BUCKETS.len()]; FACES.len()],
    count: [AtomicU64; FACES.len()],
    micros: [AtomicU64; FACES.len()],
    pub(crate) running: AtomicU64,
    pub(crate) denied: AtomicU64,
    pub(crate) panics: AtomicU64,
}

impl Metrics {
    /// Notes an answer, and the time to its headers.
    pub(crate) fn answered(&self, kind: ApiKind, status: u16, took: Duration) {
        let kind = kind as usize;
        let class = usize::from(status / 100).clamp(1, CLASSES) - 1;
        self.requests[kind][class].fetch_add(1, Relaxed);
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            self.buckets[kind][bucket].fetch_add(1, Relaxed);
        }
        self.count[kind].fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros[kind].fetch_add(micros, Relaxed);
    }

    /// The page.
    pub(crate) fn text(&self, connections: usize) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{text}");
        };
        line(format_args!("# TYPE berth_requests_total counter"));
        for (kind, name) in FACES {
            for (class, count) in self.requests[kind as usize].iter().enumerate() {
                let (class, count) = (class + 1, count.load(Relaxed));
                line(format_args!(
                    "berth_requests_total{{api=\"{name}\",status=\"{class}xx\"}} {count}"
                ));
            }
        }
        line(format_args!("# TYPE berth_request_seconds histogram"));
        for (kind, name) in FACES {
            let kind = kind as usize;
            let mut below = 0;
            for (bound, count) in BUCKETS.iter().zip(&self.buckets[kind]) {
                below += count.load(Relaxed);
                line(format_args!(
                    "berth_request_seconds_bucket{{api=\"{name}\",le=\"{bound}\"}} {below}"
                ));
            }
            let count = self.count[kind].load(Relaxed);
            let sum = Duration::from_micros(self.micros[kind].load(Relaxed)).as_secs_f64();
            line(format_args!(
                "berth_request_seconds_bucket{{api=\"{name}\",le=\"+Inf\"}} {count}"
            ));
            line(format_args!(
                "berth_request_seconds_sum{{api=\"{name}\"}} {sum}"
            ));
            line(format_args!(
                "berth_request_seconds_count{{api=\"{name}\"}} {count}"
            ));
        }
        line(format_args!("# TYPE berth_requests_running gauge"));
        line(format_args!(
            "berth_requests_running {}",
            self.running.load(Relaxed)
        ));
        line(format_args!("# TYPE berth_connections_open gauge"));
        line(format_args!("berth_connections_open {connections}"));
        line(format_args!("# TYPE berth_denied_total counter"));
        line(format_args!(
            "berth_denied_total {}",
            self.denied.load(Relaxed)
        ));
        line(format_args!("# TYPE berth_panics_total counter"));
        line(format_args!(
            "berth_panics_total {}",
            self.panics.load(Relaxed)
        ));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_add_up() {
        let metrics = Metrics::default();
        metrics.answered(ApiKind::Oci, 200, Duration::from_millis(3));
        metrics.answered(ApiKind::Oci, 404, Duration::from_secs(3));
        metrics.answered(ApiKind::Oci, 999, Duration::from_secs(300));
        let text = metrics.text(0);
        for line in [
            "berth_requests_total{api=\"oci\",status=\"2xx\"} 1",
            "berth_requests_total{api=\"oci\",status=\"5xx\"} 1",
            "berth_request_seconds_bucket{api=\"oci\",le=\"0.005\"} 1",
            "berth_request_seconds_bucket{api=\"oci\",le=\"10\"} 2",
            "berth_request_seconds_bucket{api=\"oci\",le=\"+Inf\"} 3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
