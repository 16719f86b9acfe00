//! The commit at which each suite last passed, kept under `target/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

/// Notes the current commit for the suites that passed.
pub fn record(root: &Path, target: &Path, passed: &[&str]) -> Result<(), String> {
    let mut commits = read(target)?;
    let commit = commit(root)?;
    for suite in passed {
        commits.insert((*suite).to_owned(), commit.clone());
    }
    let text: String = commits
        .iter()
        .map(|(suite, commit)| format!("{suite}\t{commit}\n"))
        .collect();
    let path = path(target);
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Prints the table.
pub fn print(target: &Path) -> Result<(), String> {
    println!("\n=== last passed");
    for (suite, commit) in read(target)? {
        println!("{suite:16} {commit}");
    }
    Ok(())
}

/// The short hash, marked where the working tree differs from it.
fn commit(root: &Path) -> Result<String, String> {
    let output = process::output(
        Command::new("git")
            .args([
                "describe",
                "--always",
                "--dirty=-modified",
                "--abbrev=12",
                "--exclude=*",
            ])
            .current_dir(root),
    )?;
    Ok(output.trim().to_owned())
}

fn read(target: &Path) -> Result<BTreeMap<String, String>, String> {
    let path = path(target);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(suite, commit)| (suite.to_owned(), commit.to_owned()))
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn path(target: &Path) -> PathBuf {
    target.join("tests-last-passed.tsv")
}
