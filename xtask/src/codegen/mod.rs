//! `cargo xtask codegen`: generates the AWS surface from its service models.
//!
//! AWS's models are those of the `botocore` package from PyPI (Apache-2.0), at the version in
//! `xtask/botocore-version.txt`. Names, types and limits are taken over; documentation text is not.
//! To take a newer version: `cargo xtask codegen --diff` says what it would change; then change
//! that file, run `cargo xtask codegen`, read the diff. [`services`] lists the services, one of
//! them with a model of this repository; [`overrides`] holds what AWS's answers contradict in its
//! model. The tables of actions, resource types and condition keys come from another package, see
//! [`authorization`], and the AWS managed policies from a third, see [`managed_policies`].

mod authorization;
mod coverage;
mod diff;
mod emit;
mod fetch;
mod managed_policies;
mod model;
mod names;
mod options;
mod overrides;
mod rest;
mod services;

use options::Options;
use services::SERVICES;
use std::fs;

/// Runs the command with its arguments.
pub fn run(args: &[&str]) -> Result<(), String> {
    let Options {
        check,
        diff,
        models,
        iam_data,
        moto,
    } = Options::parse(args)?;
    let pinned = fetch::pinned_version()?;
    let data = fetch::models(models, &pinned)?;
    if let Some(version) = diff {
        let (version, other) = fetch::other_models(&version)?;
        return diff::print(&data, &other, [&pinned, &version]);
    }

    let mut files = Vec::new();
    let mut operations = Vec::new();
    for service in SERVICES {
        let model = model::Model::read(&data, service)?;
        operations.push((
            service,
            model.operations.keys().cloned().collect::<Vec<_>>(),
        ));
        for (name, text) in emit::service(service, &model, &pinned)? {
            let path = format!("crates/aws-api/src/{}/{name}", service.module);
            files.push((path, rustfmt(&text)?.into_bytes()));
        }
    }
    files.push((
        "docs/api-coverage.md".to_owned(),
        coverage::page(&operations, &pinned)?.into_bytes(),
    ));
    let tables = authorization::files(&authorization::folder(iam_data)?)?;
    files.extend(
        tables
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes())),
    );
    files.extend(managed_policies::files(&managed_policies::folder(moto)?)?);

    let mut stale = Vec::new();
    for (path, content) in files {
        let full = crate::root().join(&path);
        if fs::read(&full).is_ok_and(|old| old == content) {
            continue;
        }
        if check {
            stale.push(path);
            continue;
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder)
                .map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
        }
        fs::write(&full, content).map_err(|e| format!("cannot write {path}: {e}"))?;
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

/// The text as rustfmt formats it, so that generated files need no exception in the format check.
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
