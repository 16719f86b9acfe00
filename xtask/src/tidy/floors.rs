//! Crates import only from floors below (ARCHITECTURE.md, "The house").

use serde_json::Value;

/// The house. A crate that is not here has no place yet: give it one.
const FLOORS: &[(&str, u8)] = &[
    ("berth", 3),
    ("server", 2),
    ("identity", 1),
    ("registry", 1),
    ("policy-lint", 1),
    ("policy", 0),
    ("sigv4", 0),
    ("aws-api", 0),
    ("store", 0),
    ("blobs", 0),
    // Beside the house.
    ("xtask", 9),
    ("bench", 9),
];

/// Libraries that a crate must not import itself, and the invariant that says so.
const ABSENT: &[(&str, &[&str], &str)] = &[
    (
        "policy",
        &["tokio", "hyper", "http", "sqlx", "jiff", "getrandom"],
        "policy is pure: no I/O, no clock",
    ),
    (
        "policy-lint",
        &["tokio", "hyper", "http", "sqlx", "jiff", "getrandom"],
        "policy-lint is pure: no I/O, no clock",
    ),
    (
        "sigv4",
        &["tokio", "hyper", "http", "sqlx", "getrandom"],
        "sigv4 is pure: no I/O, no clock",
    ),
    (
        "aws-api",
        &["tokio", "hyper", "http", "sqlx", "getrandom"],
        "aws-api is types and codecs, no behaviour",
    ),
    (
        "identity",
        &["hyper", "http", "sqlx"],
        "identity knows neither HTTP nor SQL",
    ),
    (
        "registry",
        &["hyper", "http", "sqlx"],
        "registry knows neither HTTP nor SQL",
    ),
    ("server", &["sqlx"], "the server knows no SQL"),
    ("berth", &["sqlx", "hyper"], "the binary holds no logic"),
];

/// Edges between crates of this workspace that do not lead downward.
pub fn check(metadata: &Value) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, dependencies) in workspace_crates(metadata)? {
        let Some(floor) = floor(&name) else {
            findings.push(format!(
                "crate `{name}` stands on no floor: add it to xtask/src/tidy/floors.rs"
            ));
            continue;
        };
        for dependency in dependencies {
            // A crate may switch features of itself on for its own tests.
            if dependency == name {
                continue;
            }
            if let Some(below) = self::floor(&dependency).filter(|below| *below >= floor) {
                findings.push(format!(
                    "`{name}` (floor {floor}) imports `{dependency}` (floor {below}): imports lead downward only"
                ));
            }
        }
    }
    Ok(findings)
}

/// Libraries in a crate whose page promises that they are absent.
pub fn check_purity(metadata: &Value) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, dependencies) in workspace_crates(metadata)? {
        for (crate_name, banned, why) in ABSENT {
            if *crate_name == name {
                for dependency in dependencies.iter().filter(|d| banned.contains(&d.as_str())) {
                    findings.push(format!("`{name}` imports `{dependency}`: {why}"));
                }
            }
        }
    }
    Ok(findings)
}

fn floor(name: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, floor)| *floor)
}

/// Each crate of the workspace with the names it imports outside its tests.
fn workspace_crates(metadata: &Value) -> Result<Vec<(String, Vec<String>)>, String> {
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata has no packages")?;
    Ok(packages
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| {
            let name = package["name"].as_str().unwrap_or_default().to_owned();
            let dependencies = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                .collect();
            (name, dependencies)
        })
        .collect())
}
