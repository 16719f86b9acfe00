//! Which images of a list a rule wants stored.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::pull_through_options::Platform;

/// The annotation by which BuildKit says which image of the list an attestation is about.
const ATTESTS: &str = "vnd.docker.reference.digest";

/// The digests of a list's images that are of none of the platforms. What has no platform is no image that a client
/// would choose by it, and is wanted; an attestation is wanted with its image.
pub(super) fn unwanted(list: &[u8], platforms: &[Platform]) -> HashSet<String> {
    if platforms.is_empty() {
        return HashSet::new();
    }
    let list: Value = serde_json::from_slice(list).unwrap_or_default();
    let entries = list["manifests"].as_array().into_iter().flatten();
    let entries: Vec<_> = entries
        .filter_map(|entry| Some((entry["digest"].as_str()?, entry)))
        .collect();
    let mut wanted: HashMap<&str, bool> = HashMap::new();
    for (digest, entry) in &entries {
        let platform = &entry["platform"];
        let is = match (platform["os"].as_str(), platform["architecture"].as_str()) {
            (Some(os), Some(architecture)) => {
                let variant = platform["variant"].as_str();
                let mut all = platforms.iter();
                all.any(|one| one.is(os, architecture, variant))
            }
            _ => true,
        };
        *wanted.entry(digest).or_default() |= is;
    }
    for (digest, entry) in &entries {
        let about = entry["annotations"][ATTESTS].as_str();
        if about.is_some_and(|image| wanted.get(image) == Some(&true)) {
            wanted.insert(digest, true);
        }
    }
    let unwanted = wanted.into_iter().filter(|(_, is)| !is);
    unwanted.map(|(digest, _)| digest.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_keeps_its_platforms_and_what_attests_them() {
        let entry = |digest: &str, os: &str, architecture: &str| json!({"digest": digest, "platform": {"os": os, "architecture": architecture}});
        let about = |digest: &str, image: &str| {
            let mut made = entry(digest, "unknown", "unknown");
            made["annotations"] = json!({ATTESTS: image});
            made
        };
        let list = json!({"manifests": [
            entry("amd", "linux", "amd64"),
            entry("arm", "linux", "arm64"),
            entry("win", "windows", "amd64"),
            about("amd-provenance", "amd"),
            about("arm-provenance", "arm"),
            {"digest": "nested"},
        ]});
        let found = |platforms: &[&str]| {
            let platforms = platforms.iter().map(|text| (*text).to_owned());
            let platforms: Vec<Platform> = platforms.map(|one| one.try_into().unwrap()).collect();
            let mut found: Vec<_> = unwanted(list.to_string().as_bytes(), &platforms)
                .into_iter()
                .collect();
            found.sort();
            found
        };
        assert_eq!(found(&[]), [""; 0]);
        assert_eq!(found(&["linux/amd64"]), ["arm", "arm-provenance", "win"]);
        assert_eq!(found(&["linux/amd64", "linux/arm64"]), ["win"]);
    }
}
