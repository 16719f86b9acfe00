//! Checks that the compiler does not make: layers, licences, features, links, file sizes, imports of tests.
//!
//! Each check returns its findings, one line each, that say where and what to do.

mod features;
mod layers;
mod licences;
mod modules;
mod stories;
mod text;

use std::path::Path;
use std::process::Command;

/// Runs all checks and prints what they find.
pub fn run(root: &Path) -> Result<(), String> {
    let metadata = metadata(root)?;
    let checks: [(&str, Vec<String>); 10] = [
        ("layers", layers::check(&metadata)?),
        ("purity", layers::check_purity(&metadata)?),
        ("licences", licences::check(root, &metadata)?),
        ("features of libraries", features::check(root)?),
        ("crate pages", text::check_crate_pages(root)?),
        ("file sizes and white space", text::check_sources(root)?),
        ("links", text::check_links(root)?),
        ("rule references", text::check_rules(root)?),
        ("module cycles", modules::check(root)?),
        ("imports of test modules", stories::check(root)?),
    ];
    let mut findings = 0;
    for (name, found) in &checks {
        println!(
            "tidy: {name}: {}",
            if found.is_empty() { "ok" } else { "FAILED" }
        );
        for line in found {
            println!("  {line}");
        }
        findings += found.len();
    }
    if findings == 0 {
        Ok(())
    } else {
        Err(format!("tidy found {findings} problems"))
    }
}

fn metadata(root: &Path) -> Result<serde_json::Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The files git tracks, relative to the root.
fn tracked(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git does not start: {error}"))?;
    let text = String::from_utf8(output.stdout).map_err(|_| "a file's name is not UTF-8")?;
    Ok(text
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}
