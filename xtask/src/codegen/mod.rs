//! `cargo xtask codegen`: the AWS surface from its service models.
//!
//! The models are those of the `botocore` package from PyPI (Apache-2.0), at the
//! version in `xtask/botocore-version.txt`. To take a newer one: change that
//! file, run `cargo xtask codegen`, read the diff. Names, types and limits are
//! taken over; documentation text is not. The tables of actions, resource types
//! and condition keys come from another package, see [`authorization`].

mod authorization;
mod coverage;
mod emit;
mod fetch;
mod model;
mod names;

use std::fs;
use std::path::PathBuf;

/// A service to generate: its folder in botocore, the model's version, the
/// module of `aws-api`, and the variant of `aws_api::Service`.
pub struct Service {
    pub folder: &'static str,
    pub version: &'static str,
    pub variant: &'static str,
}

const SERVICES: &[Service] = &[
    Service {
        folder: "ecr",
        version: "2015-09-21",
        variant: "Ecr",
    },
    Service {
        folder: "iam",
        version: "2010-05-08",
        variant: "Iam",
    },
    Service {
        folder: "sts",
        version: "2011-06-15",
        variant: "Sts",
    },
];

/// Runs the command with its arguments.
pub fn run(args: &[&str]) -> Result<(), String> {
    let mut check = false;
    let mut models = None;
    let mut iam_data = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--check" => check = true,
            "--models" => {
                let dir = args
                    .next()
                    .ok_or("--models needs a folder (botocore's `data`)")?;
                models = Some(PathBuf::from(dir));
            }
            "--iam-data" => {
                let dir = args
                    .next()
                    .ok_or("--iam-data needs a folder (the unpacked package)")?;
                iam_data = Some(PathBuf::from(dir));
            }
            other => {
                return Err(format!(
                    "unknown option `{other}` (--check, --models DIR, --iam-data DIR)"
                ));
            }
        }
    }
    let pinned = fetch::pinned_version()?;
    let data = fetch::models(models, &pinned)?;

    let mut files = Vec::new();
    let mut operations = Vec::new();
    for service in SERVICES {
        let model = model::Model::read(&data, service)?;
        operations.push((
            service,
            model.operations.keys().cloned().collect::<Vec<_>>(),
        ));
        for (name, text) in emit::service(service, &model, &pinned)? {
            let path = format!("crates/aws-api/src/{}/{name}", service.folder);
            files.push((path, rustfmt(&text)?));
        }
    }
    files.push((
        "docs/api-coverage.md".to_owned(),
        coverage::page(&operations, &pinned)?,
    ));
    files.extend(authorization::files(&authorization::folder(iam_data)?)?);

    let mut stale = Vec::new();
    for (path, text) in files {
        let full = crate::root().join(&path);
        if fs::read_to_string(&full).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            stale.push(path);
            continue;
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder)
                .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        }
        fs::write(&full, text).map_err(|e| format!("cannot write {path}: {e}"))?;
        println!("wrote {path}");
    }
    match stale.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "stale generated files (run `cargo xtask codegen`): {}",
            stale.join(", ")
        )),
    }
}

/// The text as rustfmt leaves it, so that generated files need no exception.
fn rustfmt(text: &str) -> Result<String, String> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start rustfmt: {e}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no standard input")?;
    let owned = text.to_owned();
    // Written from a thread: rustfmt may answer before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(owned.as_bytes()));
    let output = child
        .wait_with_output()
        .map_err(|e| format!("rustfmt: {e}"))?;
    writer
        .join()
        .map_err(|_| "rustfmt's writer panicked".to_owned())?
        .map_err(|e| format!("rustfmt: {e}"))?;
    if !output.status.success() {
        return Err("rustfmt refused the generated code".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|e| format!("rustfmt: {e}"))
}
