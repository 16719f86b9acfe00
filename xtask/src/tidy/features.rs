//! Libraries have the same features in the product as in its tests.
//!
//! Cargo joins the features that a build's packages ask for. A library of the tests may so
//! switch on what the product lacks, and the tests pass on code that nobody runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::test::output;

/// Features of the tests alone: the library, its features, and why the product is the same
/// without them.
const TESTS_ALONE: &[(&str, &[&str], &str)] = &[
    ("form_urlencoded", &["default"], "names `std`, which is on"),
    (
        "linux-raw-sys",
        &["if_ether", "net", "netlink", "xdp"],
        "definitions alone",
    ),
    (
        "regex-syntax",
        &[
            "default",
            "unicode",
            "unicode-age",
            "unicode-bool",
            "unicode-case",
            "unicode-perl",
            "unicode-script",
            "unicode-segment",
        ],
        "a test of `aws-api` looks for patterns that need these tables",
    ),
    ("rustix", &["event", "net"], "functions alone"),
    (
        "tokio",
        &["test-util"],
        "a clock that stands still for those who ask for it",
    ),
];

pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let product = features(root, &["--package", "berth", "--edges", "normal,build"])?;
    let tests = features(root, &["--workspace", "--edges", "normal,build,dev"])?;
    Ok(compare(&product, &tests, TESTS_ALONE))
}

type Features = BTreeMap<String, BTreeSet<String>>;

/// The features of each library, by its name and version, as `cargo tree` resolves them.
fn features(root: &Path, of: &[&str]) -> Result<Features, String> {
    let text = output(
        Command::new(env!("CARGO"))
            .args([
                "tree", "--quiet", "--locked", "--prefix", "none", "--format", "{p}|{f}",
            ])
            // The same answer on each machine.
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .args(of)
            .current_dir(root),
    )?;
    Ok(parse(&text))
}

/// Lines such as `tokio v1.54.1|fs,net (*)`. Crates of this workspace, whose path stands behind
/// the version, are left out: they have features for their tests.
fn parse(text: &str) -> Features {
    let mut found = Features::new();
    for line in text.lines() {
        let line = line.trim_end_matches(" (*)");
        let Some((package, features)) = line.split_once('|') else {
            continue;
        };
        if package.contains(" (/") {
            continue;
        }
        let package = package.trim_end_matches(" (proc-macro)").to_owned();
        let features = features.split(',').filter(|name| !name.is_empty());
        found
            .entry(package)
            .or_default()
            .extend(features.map(str::to_owned));
    }
    found
}

fn compare(product: &Features, tests: &Features, allowed: &[(&str, &[&str], &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    for (package, own) in product {
        let Some(more) = tests.get(package) else {
            continue;
        };
        let name = package.split(' ').next().unwrap_or_default();
        for feature in more.difference(own) {
            let known = allowed
                .iter()
                .any(|(library, features, _)| *library == name && features.contains(&&**feature));
            if known {
                used.insert((name, &**feature));
            } else {
                findings.push(format!(
                    "`{package}` has the feature `{feature}` in tests and not in the product: ask for it in \
                     Cargo.toml, or write in xtask/src/tidy/features.rs why the product is the same without it"
                ));
            }
        }
    }
    for (library, features, _) in allowed {
        for feature in *features {
            if !used.contains(&(*library, *feature)) {
                findings.push(format!(
                    "xtask/src/tidy/features.rs: the product has `{feature}` of `{library}`, or the tests have it no more"
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = "berth v0.3.0 (/x/crates/berth)|\nregex v1.0.0|std\nderive v2.0.0 (proc-macro)|\nregex v1.0.0|std (*)\n";

    #[test]
    fn a_feature_of_the_tests_alone_is_found() {
        let product = parse(PRODUCT);
        assert_eq!(product.len(), 2);
        assert_eq!(compare(&product, &product, &[]), Vec::<String>::new());
        let tests = parse(
            "berth v0.3.0 (/x/crates/berth)|testing\nregex v1.0.0|std,unicode (*)\nother v1.0.0|a\n",
        );
        assert_eq!(compare(&product, &tests, &[]).len(), 1);
        assert!(compare(&product, &tests, &[("regex", &["unicode"], "why")]).is_empty());
    }

    #[test]
    fn an_entry_without_use_is_found() {
        let product = parse(PRODUCT);
        assert_eq!(
            compare(&product, &product, &[("regex", &["unicode"], "why")]).len(),
            1
        );
    }
}
