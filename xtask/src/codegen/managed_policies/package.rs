//! Fetches and reads the data package.

use crate::codegen::fetch;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PIN: &str = "xtask/moto-version.txt";

pub struct Package {
    pub version: String,
    pub licence: String,
    /// Ordered by name in lower case, which look-ups rely on.
    pub policies: Vec<Policy>,
}

/// The policies' version in force is the only one that the package has.
pub struct Policy {
    pub name: String,
    pub path: String,
    pub version: u32,
    /// Seconds since the epoch.
    pub created: i64,
    pub updated: i64,
    pub document: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
#[allow(dead_code)] // Some fields are only declared so that they are accepted.
struct Row {
    path: String,
    default_version_id: String,
    create_date: String,
    update_date: String,
    document: Value,
    permissions_boundary_usage_count: Value,
}

/// The folder that holds the package: the given one, or that of a virtual environment under
/// `target/`, which is created at the first use. pip compares the package with the pinned hash.
pub fn folder(given: Option<PathBuf>) -> Result<PathBuf, String> {
    let (version, hash) = pin()?;
    match given {
        Some(folder) => Ok(folder),
        None => fetch::hashed_package("moto", &version, &hash),
    }
}

fn pin() -> Result<(String, String), String> {
    let path = crate::root().join(PIN);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let (version, hash) = text
        .trim()
        .split_once(' ')
        .ok_or_else(|| format!("{PIN} must hold a version, a space and `sha256:` with the hash"))?;
    Ok((version.to_owned(), hash.to_owned()))
}

impl Package {
    /// Reads the package from the `site-packages` folder that it is installed in.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let (version, _) = pin()?;
        let read = |path: PathBuf| {
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        let licence = read(folder.join(format!("moto-{version}.dist-info/licenses/LICENSE")))?;
        if !licence.trim_start().starts_with("Apache License") {
            return Err("moto no longer has the Apache License".to_owned());
        }
        let module = read(folder.join("moto/iam/aws_managed_policies.py"))?;
        Ok(Self {
            version,
            licence: licence.trim_matches('\n').to_owned() + "\n",
            policies: policies(json(&module)?)?,
        })
    }
}

/// The JSON text in the Python module's string literal.
fn json(module: &str) -> Result<&str, String> {
    let parts: Vec<&str> = module.split("\"\"\"").collect();
    match parts[..] {
        // An escape sequence would have to be decoded as Python does.
        [_, text, _] if !text.contains('\\') => Ok(text),
        _ => Err("moto's module is not one plain string literal".to_owned()),
    }
}

fn policies(text: &str) -> Result<Vec<Policy>, String> {
    let rows: BTreeMap<String, Row> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let policies = rows.into_iter().map(|(name, row)| {
        let version = row.default_version_id.strip_prefix('v');
        let version = version.and_then(|number| number.parse().ok());
        Ok(Policy {
            version: version
                .ok_or_else(|| format!("{name}: version `{}`", row.default_version_id))?,
            path: row.path,
            created: seconds(&row.create_date).ok_or_else(|| format!("{name}: date"))?,
            updated: seconds(&row.update_date).ok_or_else(|| format!("{name}: date"))?,
            document: row.document,
            name,
        })
    });
    let mut policies = policies.collect::<Result<Vec<_>, String>>()?;
    policies.sort_by_key(|policy| policy.name.to_ascii_lowercase());
    let twice = |pair: &[Policy]| pair[0].name.eq_ignore_ascii_case(&pair[1].name);
    match policies.windows(2).find(|pair| twice(pair)) {
        Some(pair) => Err(format!("two policies `{}`", pair[0].name)),
        None => Ok(policies),
    }
}

/// `2015-02-06T18:39:46+00:00` as seconds since the epoch.
fn seconds(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"Path": "/", "DefaultVersionId": "v3", "CreateDate": "1970-01-01T00:00:01+00:00",
        "UpdateDate": "1970-01-01T00:01:00+00:00", "PermissionsBoundaryUsageCount": 0, "Document": {}}"#;

    #[test]
    fn policies_are_ordered_by_name_without_case() -> Result<(), String> {
        let text = format!(r#"{{"B": {ROW}, "a": {ROW}, "C": {ROW}}}"#);
        let policies = policies(&text)?;
        let names: Vec<&str> = policies.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a", "B", "C"]);
        let first = &policies[0];
        assert_eq!((first.version, first.created, first.updated), (3, 1, 60));
        Ok(())
    }

    #[test]
    fn rejects_data_that_it_does_not_understand() {
        assert!(policies(&format!(r#"{{"a": {ROW}, "A": {ROW}}}"#)).is_err());
        assert!(policies(&format!(r#"{{"a": {}}}"#, ROW.replace("v3", "3"))).is_err());
        assert!(policies(&format!(r#"{{"a": {}}}"#, ROW.replace("Path", "Paths"))).is_err());
        assert!(json("x = \"\"\"{}\"\"\"\n").is_ok());
        assert!(json("x = \"\"\"\\n\"\"\"\n").is_err());
        assert!(json("x = {}").is_err());
    }
}
