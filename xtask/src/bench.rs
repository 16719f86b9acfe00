//! Builds Berth and the benchmark in release, then runs them, beside a PostgreSQL where one is installed.

use std::path::Path;
use std::process::Command;

use crate::test::postgres::{Commits, INSTALLED_UNDER, Postgres};

pub fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    cargo(
        root,
        &[
            "build",
            "--release",
            "--package",
            "berth",
            "--package",
            "bench",
        ],
    )?;
    let mut all = vec!["run", "--quiet", "--release", "--package", "bench", "--"];
    all.extend(args);
    // One that is named is used.
    if args.contains(&"--postgres") || !Path::new(INSTALLED_UNDER).exists() {
        return cargo(root, &all);
    }
    let postgres = Postgres::start(Commits::Synced)?;
    let (url, pid) = (postgres.url(), postgres.pid().to_string());
    all.extend(["--postgres", &url, "--postgres-pid", &pid]);
    cargo(root, &all)
}

fn cargo(root: &Path, args: &[&str]) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo {} failed: {status}", args.join(" ")))
    }
}
