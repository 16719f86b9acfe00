//! AWS's services, actions, resource types and condition keys, as the linter asks for them.

use std::collections::HashMap;
use std::sync::LazyLock;

use aws_api::authorization::{self as tables, ResourceType as Row};
use policy::lint::{ActionFacts, Catalogue, KeyFacts, KeyType, ResourceType};

/// The tables of the `aws-api` crate.
pub struct AwsCatalogue;

/// Resource types by the service in their ARNs, of all services: an ARN's service may be the
/// prefix of none (`catalog`) or of several.
static BY_ARN_SERVICE: LazyLock<HashMap<&str, Vec<&Row>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<&Row>> = HashMap::new();
    for service in tables::prefixes().filter_map(tables::service) {
        for row in service.resource_types() {
            for pattern in &row.arn_patterns {
                let Some(arn_service) = pattern.split(':').nth(2) else {
                    continue;
                };
                let rows = found.entry(arn_service).or_default();
                if !rows.iter().any(|known| std::ptr::eq(*known, row)) {
                    rows.push(row);
                }
            }
        }
    }
    found
});

fn resource_type(row: &'static Row) -> ResourceType<'static> {
    ResourceType {
        name: row.name,
        arn_patterns: row.arn_patterns.to_vec(),
    }
}

/// The forms in which the reference writes the tag keys of a few services, where the others
/// have a placeholder: `secretsmanager:ResourceTag/tag-key`, `sagemaker:ResourceTag/`.
fn as_written(name: &str) -> impl Iterator<Item = String> {
    let head = name.split_once('/').map(|(head, _)| head);
    let heads = head.into_iter();
    heads.flat_map(|head| [format!("{head}/tag-key"), format!("{head}/")])
}

impl Catalogue for AwsCatalogue {
    fn services(&self) -> Vec<&str> {
        tables::prefixes().collect()
    }

    fn has_service(&self, prefix: &str) -> bool {
        tables::service(prefix).is_some()
    }

    fn similar_service(&self, prefix: &str) -> Option<&str> {
        tables::similar_prefix(prefix)
    }

    fn actions(&self, service: &str) -> Vec<&str> {
        tables::service(service).map_or_else(Vec::new, |service| {
            service.actions().map(|action| action.name()).collect()
        })
    }

    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>> {
        let action = tables::service(service)?.action(name)?;
        let rows = action.resource_types().map(|needed| needed.resource_type);
        Some(ActionFacts {
            name: action.name(),
            resource_types: rows.map(resource_type).collect(),
        })
    }

    fn similar_action(&self, service: &str, name: &str) -> Option<&str> {
        let similar = tables::service(service)?.similar_action(name)?;
        Some(similar.name())
    }

    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>> {
        let rows = BY_ARN_SERVICE.get(arn_service);
        rows.map_or_else(Vec::new, |rows| {
            rows.iter().map(|row| resource_type(row)).collect()
        })
    }

    fn condition_key(&self, name: &str) -> Option<KeyFacts> {
        let key = tables::condition_key(name)
            .or_else(|| as_written(name).find_map(|name| tables::condition_key(&name)))?;
        Some(KeyFacts {
            key_type: match key.key_type {
                tables::KeyType::String => KeyType::String,
                tables::KeyType::Arn => KeyType::Arn,
                tables::KeyType::Bool => KeyType::Bool,
                tables::KeyType::Numeric => KeyType::Numeric,
                tables::KeyType::Date => KeyType::Date,
                tables::KeyType::IpAddress => KeyType::IpAddress,
            },
            multivalued: key.multivalued,
        })
    }

    fn similar_condition_key(&self, name: &str) -> Option<&str> {
        tables::similar_condition_key(name)
    }

    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool {
        let action = tables::service(service).and_then(|service| service.action(action));
        action.is_none_or(|action| {
            action.is_valid_condition_key(key)
                || as_written(key).any(|key| action.is_valid_condition_key(&key))
        })
    }
}
