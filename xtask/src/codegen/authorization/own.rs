//! The actions of this repository's own services, from `authorization.json` beside each model.

use super::package::{Action, Key, Need, Resource, Service, level};
use crate::codegen::services::{Origin, SERVICES};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    name: String,
    /// ARN patterns by resource type.
    resources: BTreeMap<String, String>,
    /// The types of the condition keys that the actions and resource types below name.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    /// Condition keys by resource type.
    #[serde(default)]
    resource_keys: BTreeMap<String, Vec<String>>,
    actions: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    level: String,
    resource: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
}

/// The services whose models are in this repository.
pub fn services() -> Result<Vec<Service>, String> {
    let own = SERVICES.iter().filter(|s| s.origin == Origin::Repository);
    own.map(|service| {
        let path = service.folder().join("authorization.json");
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        parse(service.folder, &text).map_err(|e| format!("{}: {e}", path.display()))
    })
    .collect()
}

fn parse(prefix: &str, text: &str) -> Result<Service, String> {
    let mut file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let resources = file.resources.into_iter().map(|(name, arns)| Resource {
        keys: file.resource_keys.remove(&name).unwrap_or_default(),
        name,
        arns,
    });
    let resources = resources.collect();
    if let Some(name) = file.resource_keys.into_keys().next() {
        return Err(format!(
            "`{name}` has condition keys and is no resource type"
        ));
    }
    let actions = file.actions.into_iter().map(|(name, row)| {
        let level = level(&row.level).ok_or_else(|| format!("`{name}`: level `{}`", row.level))?;
        Ok(Action {
            name,
            level,
            resources: row.resource.into_iter().map(Need::required).collect(),
            keys: row.keys,
        })
    });
    let keys = file.keys.into_iter().map(|(name, kind)| Key { name, kind });
    let mut service = Service {
        prefix: prefix.to_owned(),
        name: file.name,
        keys: keys.collect(),
        resources,
        actions: actions.collect::<Result<_, String>>()?,
    };
    service.sort();
    Ok(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_actions_with_their_resources() -> Result<(), String> {
        let text = r#"{"name": "Tea", "resources": {"pot": "arn:p"},
            "actions": {"listPots": {"level": "List"}, "Brew": {"level": "Write", "resource": "pot"}}}"#;
        let service = parse("tea", text)?;
        let names: Vec<&str> = service.actions.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["Brew", "listPots"]);
        assert_eq!(service.actions[0].resources[0].name, "pot");
        assert!(parse("tea", &text.replace("Write", "Drink")).is_err());
        Ok(())
    }
}
