//! A service model, as far as the generator understands it.
//!
//! Unknown keys are errors: a trait that the codecs do not know (a renamed
//! member, a flattened list) stops the generator, so that it cannot become a
//! wrong byte on the wire.

use super::overrides;
use super::services::Service;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
pub struct Model {
    pub metadata: Metadata,
    pub operations: BTreeMap<String, Operation>,
    pub shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub api_version: String,
    pub protocol: String,
    pub target_prefix: Option<String>,
    pub xml_namespace: Option<String>,
    #[serde(default)]
    pub service_full_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Some fields are only declared so that they are accepted.
pub struct Operation {
    pub name: String,
    pub http: Value,
    pub input: Option<Target>,
    pub output: Option<Target>,
    #[serde(default)]
    pub errors: Vec<Target>,
    documentation: Option<String>,
    auth: Option<Value>,
    authtype: Option<String>,
    readonly: Option<bool>,
    idempotent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
pub struct Target {
    pub shape: String,
    pub result_wrapper: Option<String>,
    /// Where the member is in an HTTP message of restJson1, if not in the body.
    pub location: Option<String>,
    /// The name there.
    pub location_name: Option<String>,
    /// Clients fill it in.
    idempotency_token: Option<bool>,
    documentation: Option<String>,
    deprecated: Option<bool>,
    deprecated_message: Option<String>,
    deprecated_since: Option<String>,
    #[serde(rename = "box")]
    boxed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Shape {
    #[serde(rename = "timestampFormat")]
    pub timestamp_format: Option<String>,
    retryable: Option<Value>,
    #[serde(rename = "type")]
    pub kind: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub pattern: Option<String>,
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    #[serde(default)]
    pub sensitive: bool,
    pub member: Option<Target>,
    pub key: Option<Target>,
    pub value: Option<Target>,
    #[serde(default)]
    pub required: BTreeSet<String>,
    #[serde(default)]
    pub members: Members,
    #[serde(default)]
    pub exception: bool,
    #[serde(default)]
    pub fault: bool,
    /// A structure of which exactly one member is set. The codecs treat it as any structure: no handler
    /// reads one, and a test in the server fails when one does without a check.
    #[serde(default)]
    pub union: bool,
    pub error: Option<ErrorTrait>,
    #[serde(rename = "box")]
    boxed: Option<bool>,
    deprecated: Option<bool>,
    #[serde(rename = "deprecatedMessage")]
    deprecated_message: Option<String>,
    documentation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ErrorTrait {
    /// The code, where it is not the shape's name.
    pub code: Option<String>,
    pub http_status_code: u16,
    #[serde(default)]
    pub sender_fault: bool,
}

/// How a call of restJson1 is an HTTP request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Http {
    pub method: String,
    pub request_uri: String,
    #[serde(default = "ok")]
    pub response_code: u16,
}

fn ok() -> u16 {
    200
}

/// Members in the model's order, which JSON objects do not promise and which
/// the order of XML elements and of validation messages follows.
#[derive(Default)]
pub struct Members(pub Vec<(String, Target)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a structure's members")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    members.push(entry);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(InOrder)
    }
}

impl Model {
    /// Reads a service's model, applies the overrides, and checks the generator's assumptions.
    pub fn read(botocore: &Path, service: &Service) -> Result<Self, String> {
        let mut model = Self::published(botocore, service)?;
        overrides::apply(service.folder, &mut model)?;
        Ok(model)
    }

    /// The model as it is published, without the overrides.
    pub fn published(botocore: &Path, service: &Service) -> Result<Self, String> {
        let text = service.text(botocore)?;
        let model: Self = serde_json::from_slice(&text)
            .map_err(|e| format!("the model of {} is not understood: {e}", service.folder))?;
        for (name, operation) in &model.operations {
            let wrapper = operation
                .output
                .as_ref()
                .and_then(|o| o.result_wrapper.as_ref());
            if wrapper.is_some_and(|w| *w != format!("{name}Result")) {
                return Err(format!("{name} has an unusual result wrapper"));
            }
        }
        super::rest::check(&model)?;
        Ok(model)
    }

    /// The shape of this name.
    pub fn shape(&self, name: &str) -> Result<&Shape, String> {
        self.shapes
            .get(name)
            .ok_or_else(|| format!("the model has no shape `{name}`"))
    }

    /// The shapes of the operations' inputs and outputs, errors left out, by name.
    pub fn reachable(&self) -> Result<BTreeSet<String>, String> {
        let mut found = BTreeSet::new();
        let roots = self
            .operations
            .values()
            .flat_map(|o| o.input.iter().chain(&o.output));
        for root in roots {
            self.visit(&root.shape, &mut found, &mut Vec::new())?;
        }
        Ok(found)
    }

    fn visit(
        &self,
        name: &str,
        found: &mut BTreeSet<String>,
        path: &mut Vec<String>,
    ) -> Result<(), String> {
        if let Some(at) = path.iter().position(|above| above == name) {
            // A list or a map between the two is the box.
            for between in &path[at..] {
                if self.shape(between)?.kind != "structure" {
                    return Ok(());
                }
            }
            return Err(format!(
                "`{name}` contains itself: the generated types would need a box"
            ));
        }
        if !found.insert(name.to_owned()) {
            return Ok(());
        }
        path.push(name.to_owned());
        let shape = self.shape(name)?;
        let inner = shape.member.iter().chain(&shape.key).chain(&shape.value);
        for target in inner.chain(shape.members.0.iter().map(|(_, target)| target)) {
            self.visit(&target.shape, found, path)?;
        }
        path.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(shapes: &str) -> Result<Model, String> {
        let text = format!(
            r#"{{"metadata": {{"apiVersion": "1", "protocol": "query"}}, "shapes": {shapes},
                "operations": {{"Do": {{"name": "Do", "http": {{}}, "input": {{"shape": "In"}}}}}}}}"#
        );
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    #[test]
    fn keeps_the_order_of_members() -> Result<(), String> {
        let model = model(
            r#"{"In": {"type": "structure", "members": {"z": {"shape": "S"}, "a": {"shape": "S"}}},
                "S": {"type": "string"}}"#,
        )?;
        let names: Vec<&str> = model
            .shape("In")?
            .members
            .0
            .iter()
            .map(|(n, _)| n.as_str())
            .collect();
        assert_eq!(names, ["z", "a"]);
        assert_eq!(model.reachable()?.len(), 2);
        Ok(())
    }

    #[test]
    fn rejects_traits_that_the_codecs_do_not_know() -> Result<(), String> {
        let renamed = r#"{"In": {"type": "structure", "members": {"a": {"shape": "S", "locationName": "b"}}}}"#;
        let renamed = model(renamed)?;
        assert!(super::super::rest::check(&renamed).is_err_and(|e| e.contains("`a`")));
        let flat = r#"{"In": {"type": "list", "member": {"shape": "S"}, "flattened": true}}"#;
        assert!(model(flat).is_err_and(|e| e.contains("flattened")));
        let within = r#"{"In": {"type": "structure", "members": {"a": {"shape": "In"}}}}"#;
        assert!(model(within).is_ok_and(|m| m.reachable().is_err()));
        // The list is the box.
        let boxed = r#"{"In": {"type": "structure", "members": {"a": {"shape": "L"}}}, "L": {"type": "list", "member": {"shape": "In"}}}"#;
        assert!(model(boxed).is_ok_and(|m| m.reachable().is_ok()));
        Ok(())
    }
}
