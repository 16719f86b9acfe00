//! `cargo xtask test`: runs every check of the project.
//!
//! ```text
//! lint   formatting, clippy, generated code, tidy, dependencies
//! unit   the crates' own tests, on SQLite and on a PostgreSQL that this command starts, and the
//!        fuzz targets' checks on their seeds
//! console
//!        the web console's types, lint and unit tests, and its files built again and compared
//! e2e    real clients against the real binary (e2e/README.md)
//! slow   long crash rounds and races, security auditors, large clients, the fuzz targets' programs, the dist build
//!        twice, and the stories of `e2e` on it; only with `all` or by name
//! ```
//!
//! Without a name, all parts but `slow` run. `all` runs every part and prints, for each, the commit at
//! which it last passed on this machine.
//!
//! Missing packages are installed where that is allowed and reported where it is not. Nothing is
//! skipped: what cannot run has failed. A part that fails does not keep the others from running.

mod last_passed;
mod packages;
pub mod postgres;
pub mod process;
mod programs;
mod tally;
mod terraform;
pub mod toolchains;
mod venv;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use packages::Need;
use postgres::{Commits, Postgres};
pub use process::output;
pub use tally::Tally;

const USAGE: &str =
    "usage: cargo xtask test [all|lint|unit|console|e2e|slow]... [-- PYTEST ARGUMENTS]";

/// Of the slow part. More of them: `cargo xtask crash-test`.
const CRASH_ROUNDS: [&[&str]; 3] = [
    &["--rounds", "100"],
    &["--rounds", "100", "--power"],
    &["--rounds", "33", "--faults"],
];

const PARTS: [&str; 6] = ["all", "lint", "unit", "console", "e2e", "slow"];

type Outcome<T> = Result<T, String>;

/// Runs the parts that are named, or all.
pub fn run(root: &Path, args: &[&str]) -> Outcome<()> {
    let (parts, pytest) = match args.iter().position(|arg| *arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[][..]),
    };
    if let Some(unknown) = parts.iter().find(|p| !PARTS.contains(p)) {
        return Err(format!("unknown part `{unknown}`\n{USAGE}"));
    }
    let wanted = |part: &str| match parts {
        [] => part != "slow",
        _ => parts.contains(&part) || parts.contains(&"all"),
    };

    packages::install(&needs(&wanted))?;
    let mut report = Report::default();
    if wanted("lint") {
        for check in LINT {
            report.add(check.name, || lint(root, check));
        }
        report.add("dependencies", || dependencies(root));
        report.add("console's files", || crate::console::check_sources(root));
    }
    if wanted("console") {
        report.add("console", || crate::console::test(root));
    }
    let target = target_directory(root)?;
    if wanted("unit") || wanted("e2e") || wanted("slow") {
        // One server for all; each test makes a database of its own in it.
        let postgres = Postgres::start(Commits::Unsynced)?;
        if wanted("unit") {
            report.add("unit", || unit(root, &target, &postgres));
        }
        let workers = e2e_workers().to_string();
        // A file stays with one worker, which shares its server among the file's stories. The files
        // start in their order: those of the browser, which take longest, come first.
        let parallel = [
            "-n",
            &workers,
            "--dist",
            "loadfile",
            "--no-loadscope-reorder",
        ];
        let quick = [&["-m", "not slow"], &parallel[..], pytest].concat();
        // The program that the unit tests have built already. To build the package alone would
        // compile a quarter of the workspace once more, for the features that only tests'
        // dependencies switch on; `tidy` compares these, and the slow part runs the dist build.
        let built = target.join("debug/berth");
        if wanted("e2e") {
            report.add("e2e", || {
                build_with_crash_points(root)?;
                e2e(root, &target, &postgres, &built, &quick, Vec::new())
            });
        }
        if wanted("slow") {
            let slow = [&["-m", "slow"], pytest].concat();
            report.add("slow e2e", || {
                let more = programs::slow(root, &target)?;
                build_with_crash_points(root)?;
                e2e(root, &target, &postgres, &built, &slow, more)
            });
            report.add("interleavings", || {
                tally::of_cargo_test(
                    cargo(root)
                        .args(["test", "--workspace", "--locked", "--test", "it"])
                        .args(["--", "interleavings"])
                        .env("BERTH_TEST_PREEMPTIONS", "2")
                        .env(postgres::URL_VARIABLE, postgres.url()),
                )
            });
            for options in CRASH_ROUNDS {
                report.add("crashes", || {
                    crash_rounds(root, &target, options)?;
                    Ok(Tally {
                        passed: 1,
                        failed: 0,
                    })
                });
            }
            report.add("fuzz targets", || fuzz(root));
            report.add("dist", || crate::dist::reproducible(root, &target));
            // What is handed out, as people run it.
            let handed_out = crate::dist::reproduced(&target);
            report.add("e2e of the dist build", || {
                e2e(root, &target, &postgres, &handed_out, &quick, Vec::new())
            });
        }
    }
    let passed = report.passed();
    last_passed::record(root, &target, &passed)?;
    if parts.contains(&"all") {
        last_passed::print(&target)?;
    }
    report.close()
}

fn needs(wanted: &impl Fn(&str) -> bool) -> Vec<Need> {
    let mut needs = Vec::new();
    // Of these, `unit` needs Python alone, where Go comes from PyPI.
    if wanted("lint") || wanted("unit") || wanted("e2e") || wanted("slow") {
        needs.extend(packages::PYTHON);
    }
    if wanted("lint") || wanted("console") {
        needs.extend(packages::NPM);
    }
    if wanted("slow") {
        needs.extend(packages::FUZZ);
    }
    if wanted("unit") || wanted("e2e") || wanted("slow") {
        needs.extend(packages::POSTGRES);
    }
    if wanted("e2e") || wanted("slow") {
        needs.extend(packages::NPM);
        needs.extend(packages::CLIENTS);
        needs.extend(packages::FAULTS);
    }
    needs
}

/// The product's workspace and those that it must not know of, which must not rot unseen either.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "bench/policy/Cargo.toml", FUZZ];

/// The fuzz targets' programs: one line each around a check of `fuzz-checks`, which is linted and tested with
/// the product. Compiling them builds the product once more, so it is a slow part.
const FUZZ: &str = "fuzz/Cargo.toml";

/// A check of the sources: a cargo command that passes or does not.
struct Check {
    name: &'static str,
    args: &'static [&'static str],
    /// The workspaces that it is for.
    manifests: &'static [&'static str],
    /// What is handed on to what cargo runs.
    behind: &'static [&'static str],
}

const LINT: &[Check] = &[
    Check {
        name: "formatting",
        args: &["fmt", "--all"],
        manifests: &MANIFESTS,
        behind: &["--check"],
    },
    Check {
        name: "clippy",
        args: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
        ],
        manifests: &[MANIFESTS[0], MANIFESTS[1]],
        behind: &["--deny", "warnings"],
    },
    // The tests' dependencies switch on features that the product's own build has not.
    Check {
        name: "the product alone",
        args: &["clippy", "--package", "berth", "--locked", "--quiet"],
        manifests: &[MANIFESTS[0]],
        behind: &["--deny", "warnings"],
    },
    Check {
        name: "lock file of the fuzz targets",
        args: &["tree", "--quiet", "--locked", "--depth", "0"],
        manifests: &[FUZZ],
        behind: &[],
    },
    Check {
        name: "generated code",
        args: &["xtask", "codegen", "--check"],
        manifests: &[],
        behind: &[],
    },
    Check {
        name: "tidy",
        args: &["xtask", "tidy"],
        manifests: &[],
        behind: &[],
    },
];

fn lint(root: &Path, check: &Check) -> Outcome<Tally> {
    if check.manifests.is_empty() {
        process::run(cargo(root).args(check.args).args(check.behind))?;
    }
    for manifest in check.manifests {
        let mut command = cargo(root);
        command.args(check.args).args(["--manifest-path", manifest]);
        if !check.behind.is_empty() {
            command.arg("--").args(check.behind);
        }
        process::run(&mut command)?;
    }
    Ok(Tally {
        passed: 1,
        failed: 0,
    })
}

/// Licences, sources and duplicate libraries by `deny.toml`. No package registry ships the RustSec
/// advisory database, so advisories are checked only where `BERTH_ADVISORY_DB` names a copy of it.
fn dependencies(root: &Path) -> Outcome<Tally> {
    let deny = toolchains::cargo_deny(&target_directory(root)?)?;
    let mut command = Command::new(deny);
    command
        .args(["--offline", "--locked", "check", "--hide-inclusion-graph"])
        .args(["bans", "licenses", "sources"])
        .current_dir(root);
    match std::env::var_os("BERTH_ADVISORY_DB") {
        Some(database) => {
            command
                .arg("advisories")
                .env("CARGO_DENY_DB_PATH", database);
        }
        None => println!(
            "advisories are not checked: no package ships the RustSec database; \
             set BERTH_ADVISORY_DB to a copy of it"
        ),
    }
    process::run(&mut command)?;
    Ok(Tally {
        passed: 1,
        failed: 0,
    })
}

fn unit(root: &Path, target: &Path, postgres: &Postgres) -> Outcome<Tally> {
    tally::of_cargo_test(
        cargo(root)
            .args(["test", "--workspace", "--locked", "--no-fail-fast"])
            .env(postgres::URL_VARIABLE, postgres.url())
            .env("BERTH_TEST_WYCHEPROOF", programs::wycheproof(root, target)?),
    )
}

/// The programs of the fuzz targets compile, without a warning.
fn fuzz(root: &Path) -> Outcome<Tally> {
    process::run(
        cargo(root)
            .args(["clippy", "--all-targets", "--locked", "--quiet"])
            .args(["--manifest-path", FUZZ, "--", "--deny", "warnings"]),
    )?;
    Ok(Tally {
        passed: 1,
        failed: 0,
    })
}

/// How many stories run at once. They wait for clients and disks for more than half of their time; each worker
/// starts daemons of its own, so more than four would cost more memory than they save time.
fn e2e_workers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

/// The stories on the server `berth`; `more` names programs beside those that all of them find.
fn e2e(
    root: &Path,
    target: &Path,
    postgres: &Postgres,
    berth: &Path,
    arguments: &[&str],
    more: Vec<(&'static str, PathBuf)>,
) -> Outcome<Tally> {
    // The clients' daemons (dockerd, containerd, podman's mounts) are root's.
    packages::require_root("cargo xtask test e2e")?;
    let python = venv::python(root, target)?;
    let programs = programs::build(root, target)?;
    tally::of_pytest(
        Command::new(python)
            .args(["-m", "pytest"])
            .args(arguments)
            .current_dir(root.join("e2e"))
            .env("BERTH_BIN", berth)
            .envs(programs.variables)
            .envs(more)
            .env("PATH", toolchains::prepended(&programs.path)?)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env(postgres::URL_VARIABLE, postgres.url()),
    )
}

/// Rounds of crashes (`e2e/crash_test.py`), with its options.
pub fn crash_test(root: &Path, options: &[&str]) -> Outcome<()> {
    packages::install(&[&packages::PYTHON[..], &packages::FAULTS].concat())?;
    let target = target_directory(root)?;
    build_with_crash_points(root)?;
    crash_rounds(root, &target, options)
}

/// The program as the unit tests have it: its crash points are switched on.
fn build_with_crash_points(root: &Path) -> Outcome<()> {
    process::run(cargo(root).args([
        "test",
        "--workspace",
        "--locked",
        "--no-run",
        "--test",
        "commands",
    ]))
}

fn crash_rounds(root: &Path, target: &Path, options: &[&str]) -> Outcome<()> {
    process::run(
        Command::new(venv::python(root, target)?)
            .arg("crash_test.py")
            .args(options)
            .current_dir(root.join("e2e"))
            .env("BERTH_BIN", target.join("debug/berth"))
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}

/// The pictures in `docs/console`: all of them with their page, or those that are named.
pub fn screenshots(root: &Path, names: &[&str]) -> Outcome<()> {
    packages::install(&[&packages::PYTHON[..], &packages::PICTURES].concat())?;
    let target = target_directory(root)?;
    let python = venv::python(root, &target)?;
    process::run(cargo(root).args(["build", "--locked", "--package", "berth"]))?;
    process::run(
        Command::new(python)
            .arg("screenshots.py")
            .args(names)
            .current_dir(root.join("e2e"))
            .env("BERTH_BIN", target.join("debug/berth"))
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

/// Where cargo puts what it builds, whatever the configuration says.
pub fn target_directory(root: &Path) -> Outcome<PathBuf> {
    let text = process::output(cargo(root).args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

/// What has run so far.
#[derive(Default)]
struct Report {
    rows: Vec<Row>,
}

struct Row {
    suite: &'static str,
    tally: Tally,
    seconds: u64,
    why: Option<String>,
}

impl Report {
    fn add(&mut self, suite: &'static str, run: impl FnOnce() -> Outcome<Tally>) {
        println!("\n=== {suite}");
        let start = Instant::now();
        let (tally, why) = match run() {
            Ok(tally) => (tally, None),
            // What could not run at all counts as one failure.
            Err(why) => {
                eprintln!("xtask: {suite}: {why}");
                let tally = Tally {
                    passed: 0,
                    failed: 1,
                };
                (tally, Some(why))
            }
        };
        self.rows.push(Row {
            suite,
            tally,
            seconds: start.elapsed().as_secs(),
            why,
        });
    }

    /// The suites without a failure. One that ran several times passed each time.
    fn passed(&self) -> Vec<&'static str> {
        let failed = |suite: &&str| {
            let mut rows = self.rows.iter();
            rows.any(|row| row.suite == *suite && row.tally.failed > 0)
        };
        let suites = self.rows.iter().map(|row| row.suite);
        suites.filter(|suite| !failed(suite)).collect()
    }

    /// Prints the table and, last, the line that sums it up.
    fn close(self) -> Outcome<()> {
        println!("\n=== summary");
        let mut sum = Tally::default();
        for row in &self.rows {
            let Tally { passed, failed } = row.tally;
            println!(
                "{:16} {passed:5} passed {failed:5} failed {:6} s",
                row.suite, row.seconds
            );
            if let Some(why) = &row.why {
                println!("    {}", why.lines().next().unwrap_or_default());
            }
            sum.passed += passed;
            sum.failed += failed;
        }
        println!("{} passed, {} failed", sum.passed, sum.failed);
        match sum.failed {
            0 => Ok(()),
            n => Err(format!("{n} failed")),
        }
    }
}
