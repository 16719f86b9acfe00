//! Crates import only from lower layers (ARCHITECTURE.md, "Layers").

use serde_json::Value;

/// Every crate and its layer. A crate that is not listed has no layer yet: add it here and to
/// ARCHITECTURE.md.
const LAYERS: &[(&str, u8)] = &[
    ("berth", 5),
    ("agent", 4),
    ("server", 4),
    ("identity", 3),
    ("registry", 3),
    ("secrets", 3),
    ("transfer", 3),
    ("authz", 2),
    ("backup", 2),
    ("client", 2),
    ("jobs", 2),
    ("policy-lint", 2),
    ("aws-api", 1),
    ("blobs", 1),
    ("certificates", 1),
    ("policy", 1),
    ("saml", 1),
    ("sigv4", 1),
    ("store", 1),
    ("aws-types", 0),
    ("crash-points", 0),
    ("test-macros", 0),
    // Outside the product.
    ("xtask", 9),
    ("bench", 9),
    ("fuzz-checks", 9),
];

/// Drivers of databases: `store` alone imports them.
const SQL_DRIVERS: &[&str] = &["sqlx", "rusqlite"];

/// Libraries that a crate must not import, with the invariant that forbids it.
const ABSENT: &[(&str, &[&str], &str)] = &[
    (
        "aws-types",
        &["tokio", "hyper", "http"],
        "aws-types performs no I/O except reading the random source",
    ),
    (
        "policy",
        &["tokio", "hyper", "http", "getrandom"],
        "policy is pure: no I/O, no clock",
    ),
    (
        "policy-lint",
        &["tokio", "hyper", "http", "jiff", "getrandom"],
        "policy-lint is pure: no I/O, no clock",
    ),
    (
        "certificates",
        &["tokio", "hyper", "http", "jiff", "getrandom"],
        "certificates is pure: no I/O, no clock",
    ),
    (
        "saml",
        &["tokio", "hyper", "http", "getrandom"],
        "saml is pure: no I/O, no clock",
    ),
    (
        "sigv4",
        &["tokio", "hyper", "http", "getrandom"],
        "sigv4 is pure: no I/O, no clock",
    ),
    (
        "aws-api",
        &["tokio", "hyper", "http", "getrandom"],
        "aws-api is types and codecs, no behaviour",
    ),
    (
        "identity",
        &["hyper", "http"],
        "identity knows neither HTTP nor SQL",
    ),
    (
        "secrets",
        &["hyper", "http"],
        "secrets knows neither HTTP nor SQL",
    ),
    (
        "registry",
        &["hyper", "http"],
        "registry knows neither HTTP nor SQL",
    ),
    ("berth", &["hyper"], "the binary holds no logic"),
];

/// Imports between crates of this workspace that do not lead to a lower layer.
pub fn check(metadata: &Value) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, dependencies) in workspace_crates(metadata)? {
        let Some(layer) = layer(&name) else {
            findings.push(format!(
                "crate `{name}` has no layer: add it to xtask/src/tidy/layers.rs"
            ));
            continue;
        };
        for dependency in dependencies {
            // A crate may switch features of itself on for its own tests.
            if dependency == name {
                continue;
            }
            if let Some(below) = self::layer(&dependency).filter(|below| *below >= layer) {
                findings.push(format!(
                    "`{name}` (layer {layer}) imports `{dependency}` (layer {below}): a crate imports only from lower layers"
                ));
            }
        }
    }
    Ok(findings)
}

/// Imports of libraries that a crate's documentation rules out.
pub fn check_purity(metadata: &Value) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, dependencies) in workspace_crates(metadata)? {
        for dependency in dependencies.iter().filter(|_| name != "store") {
            if SQL_DRIVERS.contains(&dependency.as_str()) {
                findings.push(format!(
                    "`{name}` imports `{dependency}`: all SQL is in `store`"
                ));
            }
        }
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

fn layer(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, layer)| *layer)
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
