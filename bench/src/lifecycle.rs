//! A run of a lifecycle policy over 100,000 images, and what other requests notice of it.
//!
//! The images are written into the database of the stopped server. The policy expires the oldest tenth of them.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Options;
use crate::berth::{self, Key};
use crate::peers::Peer;
use crate::seed;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const IMAGES: i64 = 100_000;
/// Images that the policy keeps.
const KEPT: i64 = 90_000;
/// The run's time at most, and the other requests' p99 over the quiet one.
const SECONDS_MAX: f64 = 10.0;
const RATIO_MAX: f64 = 2.0;
/// How long the quiet server is measured, and how long a run is waited for.
const QUIET: Duration = Duration::from_secs(5);
const RUN_MAX: Duration = Duration::from_secs(300);
const REPOSITORY: &str = "lifecycle";

/// Runs the policy in each round on a server of its own, and prints a table.
pub fn run(options: &Options) -> Result<String> {
    let mut report = String::from(
        "| lifecycle run over 100,000 images, 10,000 expire | seconds | target | pull p99 quiet (ms) | p99 while it runs (ms) | ratio | target |\n|---|---|---|---|---|---|---|\n",
    );
    for round in 1..=options.rounds {
        let dir = tempfile::tempdir()?;
        let (seconds, quiet, during) = round_of(&options.berth, dir.path())?;
        let ratio = during / quiet;
        let met = |holds: bool| if holds { "met" } else { "missed" };
        report.push_str(&format!(
            "| round {round} | {seconds:.1} | ≤ {SECONDS_MAX} {} | {quiet:.2} | {during:.2} | {ratio:.2}× | ≤ {RATIO_MAX}× {} |\n",
            met(seconds <= SECONDS_MAX),
            met(ratio <= RATIO_MAX),
        ));
    }
    Ok(report)
}

fn round_of(berth: &Path, dir: &Path) -> Result<(f64, f64, f64)> {
    let peer = berth::start_alone("berth", berth, dir, &[])?;
    let key = berth::root_key(dir)?;
    let name = format!(r#"{{"repositoryName":"{REPOSITORY}"}}"#);
    berth::ecr(&peer, &key, "CreateRepository", &name)?;
    drop(peer);
    seed::add_images(dir, REPOSITORY, IMAGES)?;
    let peer = berth::start_alone("berth", berth, dir, &[])?;
    let quiet_until = Instant::now() + QUIET;
    let quiet = pulls(&peer, &key, || Ok(Instant::now() < quiet_until))?;
    let policy = format!(
        r#"{{"rules":[{{"rulePriority":1,"description":"Keep the newest","selection":{{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":{KEPT}}},"action":{{"type":"expire"}}}}]}}"#
    );
    let put = serde_json::json!({"repositoryName": REPOSITORY, "lifecyclePolicyText": policy});
    berth::ecr(&peer, &key, "PutLifecyclePolicy", &put.to_string())?;
    let started = Instant::now();
    let during = pulls(&peer, &key, || {
        if started.elapsed() > RUN_MAX {
            return Err("the policy was not run".into());
        }
        let answer = berth::ecr(&peer, &key, "GetLifecyclePolicy", &name)?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        Ok(answer["lastEvaluatedAt"].as_f64().unwrap_or_default() == 0.0)
    })?;
    Ok((started.elapsed().as_secs_f64(), quiet, during))
}

/// Pulls the newest image while it holds; the p99 in milliseconds.
fn pulls(peer: &Peer, key: &Key, go_on: impl Fn() -> Result<bool>) -> Result<f64> {
    let newest = format!(
        r#"{{"repositoryName":"{REPOSITORY}","imageIds":[{{"imageTag":"v{}"}}]}}"#,
        IMAGES - 1
    );
    let mut times = Vec::new();
    while go_on()? {
        let started = Instant::now();
        berth::ecr(peer, key, "BatchGetImage", &newest)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = (times.len().saturating_sub(1) as f64 * 0.99).round() as usize;
    times
        .get(at)
        .copied()
        .ok_or_else(|| "nothing was pulled".into())
}
