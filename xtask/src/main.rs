//! The project's own tasks: `cargo xtask <task>`. Each is a module of that name.

mod bench;
mod codegen;
mod console;
mod dist;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

  bench [--part NAME]... [--case TEXT] [--rounds N] [--before FILE] [--zot FILE] ...
                     Berth beside other registries and nginx, release build, as ratios
  codegen [--check] [--diff [VERSION]] [--models DIR] [--iam-data DIR]
          [--moto DIR]
                     write the AWS API's generated code and docs/api-coverage.md,
                     check that they are up to date, or print what another
                     botocore version (by default the newest) would change
  console            build the web console's files, which the server embeds
  crash-test [--rounds N] [--seed S] [--power | --faults]
                     clients work, the server is killed or loses its power, and what
                     was acknowledged must be there; or its disk fails, and the server
                     goes on; round after round
  dist               build the release binary reproducibly; print its checksum and
                     write its software bill of materials
  screenshots [NAME]...
                     the pictures of the console in docs/console, all or some
  test [all|lint|unit|console|e2e|slow]...
                     all checks: lint, unit tests on both databases, the console's
                     sources, real clients against the real server; `all` adds
                     the slow parts
  tidy               checks that no compiler makes: layers, licences, links, file sizes
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["bench", rest @ ..] => bench::run(&root(), rest),
        ["codegen", rest @ ..] => codegen::run(rest),
        ["console"] => console::run(&root()),
        ["crash-test", rest @ ..] => test::crash_test(&root(), rest),
        ["dist"] => dist::run(&root()),
        ["screenshots", names @ ..] => test::screenshots(&root(), names),
        ["test", rest @ ..] => test::run(&root(), rest),
        ["tidy"] => tidy::run(&root()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder. `cargo run` says at run time which one it is; a target directory that two
/// checkouts share may hold a binary that was built in the other.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
