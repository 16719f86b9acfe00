//! Every library's licence is one that `deny.toml` allows, and the libraries
//! that must exist once do. (`cargo xtask test lint` also runs cargo-deny.)

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Two of these in one process would be a bug, not only a waste.
const ONCE: &[&str] = &["libsqlite3-sys", "rustls", "tokio", "hyper", "aws-lc-sys"];

pub fn check(root: &Path, metadata: &Value) -> Result<Vec<String>, String> {
    let allowed = allowed(root)?;
    let mut findings = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata["packages"]
        .as_array()
        .ok_or("cargo metadata has no packages")?
    {
        let name = package["name"].as_str().unwrap_or_default();
        let version = package["version"].as_str().unwrap_or_default();
        versions.entry(name).or_default().push(version);
        match package["license"].as_str() {
            Some(expression) if permits(expression, &allowed) => {}
            Some(expression) => findings.push(format!(
                "`{name}` {version}: licence `{expression}` is not in deny.toml"
            )),
            None => findings.push(format!("`{name}` {version} states no licence")),
        }
    }
    for name in ONCE {
        if let Some(found) = versions.get(name).filter(|found| found.len() > 1) {
            findings.push(format!(
                "`{name}` is there {} times ({}): keep one",
                found.len(),
                found.join(", ")
            ));
        }
    }
    Ok(findings)
}

/// The `allow` list of deny.toml's `[licenses]`.
fn allowed(root: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(root.join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let list = text
        .split_once("\nallow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .ok_or("deny.toml has no `allow = [`")?
        .0;
    Ok(list
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect())
}

/// Whether an SPDX expression can be met: any side of an OR, all sides of an AND.
fn permits(expression: &str, allowed: &[String]) -> bool {
    // The old form `MIT/Apache-2.0` means OR.
    let expression = expression.replace('/', " OR ");
    split_outside(&expression, " OR ").iter().any(|choice| {
        split_outside(choice, " AND ").iter().all(|part| {
            let part = part.trim();
            match part.strip_prefix('(').and_then(|p| p.strip_suffix(')')) {
                Some(inner) => permits(inner, allowed),
                None => allowed.iter().any(|name| name == part),
            }
        })
    })
}

/// Splits at a separator that stands outside parentheses.
fn split_outside<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start, mut at) = (Vec::new(), 0_usize, 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if depth == 0 && rest.starts_with(separator) {
            parts.push(&text[start..at]);
            at += separator.len();
            start = at;
            continue;
        }
        match rest.as_bytes()[0] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned(), "ISC".to_owned()];
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("ISC AND (Apache-2.0 OR GPL-3.0)", true),
            ("(MIT OR GPL-3.0) AND GPL-3.0", false),
            ("GPL-3.0 AND MIT OR ISC", true),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression}");
        }
    }
}
