//! An excerpt of AWS's tables as a catalogue. Names are similar if they start with the same letters.

use std::collections::BTreeMap;

use policy_lint::{ActionFacts, Catalogue, KeyFacts, KeyType, ResourceType};
use serde::Deserialize;

/// One service of the excerpt.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Service {
    keys: BTreeMap<String, String>,
    resource_types: BTreeMap<String, Vec<String>>,
    actions: BTreeMap<String, Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    resources: Vec<String>,
    keys: Vec<String>,
}

/// The excerpt.
pub struct Excerpt(BTreeMap<String, Service>);

impl Excerpt {
    pub fn read() -> Excerpt {
        let text = include_str!("../catalogue.json");
        Excerpt(serde_json::from_str(text).expect("the excerpt"))
    }

    fn service(&self, prefix: &str) -> Option<&Service> {
        self.0.get(&prefix.to_ascii_lowercase())
    }

    fn find_action(&self, service: &str, name: &str) -> Option<(&str, &Action)> {
        let mut actions = self.service(service)?.actions.iter();
        actions
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(known, action)| (known.as_str(), action))
    }
}

fn alike<'a>(name: &str, mut among: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let head = |name: &str| {
        name.to_ascii_lowercase()
            .chars()
            .take(9)
            .collect::<String>()
    };
    among
        .find(|known| head(known) == head(name))
        .map(String::as_str)
}

fn fits(known: &str, name: &str) -> bool {
    match known.split_once("${") {
        Some((prefix, _)) => {
            name.len() > prefix.len()
                && name
                    .get(..prefix.len())
                    .is_some_and(|n| n.eq_ignore_ascii_case(prefix))
        }
        None => known.eq_ignore_ascii_case(name),
    }
}

fn types<'a>(
    service: &'a Service,
    names: impl Iterator<Item = &'a String>,
) -> Vec<ResourceType<'a>> {
    names
        .map(|name| ResourceType {
            name,
            arn_patterns: service.resource_types[name]
                .iter()
                .map(String::as_str)
                .collect(),
        })
        .collect()
}

impl Catalogue for Excerpt {
    fn services(&self) -> Vec<&str> {
        let services = self.0.iter().filter(|(_, s)| !s.actions.is_empty());
        services.map(|(prefix, _)| prefix.as_str()).collect()
    }

    fn has_service(&self, prefix: &str) -> bool {
        self.services()
            .contains(&prefix.to_ascii_lowercase().as_str())
    }

    fn similar_service(&self, prefix: &str) -> Option<&str> {
        let start: String = prefix.chars().take(2).collect();
        self.services()
            .into_iter()
            .find(|known| known.starts_with(&start))
    }

    fn actions(&self, service: &str) -> Vec<&str> {
        self.service(service)
            .map_or_else(Vec::new, |s| s.actions.keys().map(String::as_str).collect())
    }

    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>> {
        let (name, action) = self.find_action(service, name)?;
        Some(ActionFacts {
            name,
            resource_types: types(self.service(service)?, action.resources.iter()),
        })
    }

    fn similar_action(&self, service: &str, name: &str) -> Option<&str> {
        alike(name, self.service(service)?.actions.keys())
    }

    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>> {
        self.0.get(arn_service).map_or_else(Vec::new, |service| {
            types(service, service.resource_types.keys())
        })
    }

    fn condition_key(&self, name: &str) -> Option<KeyFacts> {
        let (_, kind) = self
            .0
            .values()
            .flat_map(|service| &service.keys)
            .find(|(known, _)| fits(known, name))?;
        let (kind, multivalued) = match kind.strip_prefix("ArrayOf") {
            Some(kind) => (kind, true),
            None => (kind.as_str(), false),
        };
        let key_type = match kind {
            "String" => KeyType::String,
            "Arn" => KeyType::Arn,
            "Bool" => KeyType::Bool,
            "Numeric" => KeyType::Numeric,
            "Date" => KeyType::Date,
            "IpAddress" => KeyType::IpAddress,
            other => panic!("no type {other}"),
        };
        Some(KeyFacts {
            key_type,
            multivalued,
        })
    }

    fn similar_condition_key(&self, name: &str) -> Option<&str> {
        alike(
            name,
            self.0.values().flat_map(|service| service.keys.keys()),
        )
    }

    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool {
        let global = self.0["aws"].keys.keys().any(|known| fits(known, key));
        global
            || key
                .split(':')
                .next()
                .is_some_and(|prefix| prefix.contains('.'))
            || self
                .find_action(service, action)
                .is_none_or(|(_, action)| action.keys.iter().any(|known| fits(known, key)))
    }
}
