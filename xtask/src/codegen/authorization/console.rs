//! `console/src/lib/policy/tables.json`: the actions, resource types and condition keys that the console's policy
//! editor completes, of the services that the server serves.

use super::package::{Package, Service};
use crate::codegen::services::SERVICES;
use serde_json::{Map, Value, json};

/// Where it is written.
pub const PATH: &str = "console/src/lib/policy/tables.json";

/// The file's text: one line a service, so that a difference can be read.
pub fn table(package: &Package) -> Result<String, String> {
    let mut lines = Vec::new();
    for served in SERVICES {
        let found = package.services.iter().find(|s| s.prefix == served.prefix);
        let service = found.ok_or_else(|| format!("no actions of {}", served.prefix))?;
        lines.push(format!("  {}: {}", json!(service.prefix), entry(service)));
    }
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

fn entry(service: &Service) -> Value {
    let actions = service.actions.iter().map(|action| {
        let mut row = vec![json!(action.level.to_string())];
        row.extend(action.resources.iter().map(|need| json!(need.name)));
        (action.name.clone(), Value::Array(row))
    });
    let resources = service.resources.iter().map(|resource| {
        let arns = resource.arns.split(", ").map(Value::from);
        (resource.name.clone(), arns.collect::<Value>())
    });
    let keys = service
        .keys
        .iter()
        .map(|key| (key.name.clone(), json!(key.kind)));
    json!({
        "name": service.name,
        "actions": actions.collect::<Map<_, _>>(),
        "resources": resources.collect::<Map<_, _>>(),
        "keys": keys.collect::<Map<_, _>>(),
    })
}
