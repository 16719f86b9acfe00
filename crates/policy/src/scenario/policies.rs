//! The policies of a scenario.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::document::{Document, DocumentKind};
use crate::set::{PolicyRef, PolicySet};

use super::{ScenarioError, invalid};

/// The fields of a scenario that are still to be read. Of two with one name neither is taken
/// for the other.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scenario, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some((name, value)) = map.next_entry::<String, _>()? {
            if fields.0.contains_key(&name) {
                let what = format!("the field `{name}` stands twice");
                return Err(serde::de::Error::custom(what));
            }
            fields.0.insert(name, value);
        }
        Ok(fields)
    }
}

impl Fields {
    /// The field, which is then read.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ScenarioError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(raw) => Ok(serde_json::from_str(raw.get())?),
        }
    }

    pub fn one(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<Box<RawValue>>>(name)?.flatten() {
            None => Ok(None),
            Some(raw) => Ok(Some(compile(&[raw], |_| name.to_owned(), kind)?)),
        }
    }

    pub fn list(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<Vec<Box<RawValue>>>>(name)?.flatten() {
            None => Ok(None),
            Some(raws) => Ok(Some(compile(&raws, |at| format!("{name}[{at}]"), kind)?)),
        }
    }

    pub fn levels(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Vec<PolicySet>, ScenarioError> {
        let levels = self
            .take::<Option<Vec<Vec<Box<RawValue>>>>>(name)?
            .flatten();
        let levels = levels.unwrap_or_default();
        let compile_level = |(level, raws): (usize, &Vec<Box<RawValue>>)| {
            compile(raws, |at| format!("{name}[{level}][{at}]"), kind)
        };
        levels.iter().enumerate().map(compile_level).collect()
    }

    /// A misspelt policy type must not silently take no part.
    pub fn refuse_rest(&self) -> Result<(), ScenarioError> {
        for name in self.0.keys() {
            let lower = name.to_ascii_lowercase();
            if lower.contains("polic") || lower.contains("boundar") {
                return Err(invalid(format!(
                    "`{name}` is no field of a scenario; policies stand in `identityPolicies`, \
                     `permissionsBoundary`, `sessionPolicies`, `resourcePolicy`, \
                     `serviceControlPolicies` and `resourceControlPolicies`"
                )));
            }
        }
        Ok(())
    }
}

fn compile(
    raws: &[Box<RawValue>],
    name: impl Fn(usize) -> String,
    kind: DocumentKind,
) -> Result<PolicySet, ScenarioError> {
    let mut documents = Vec::with_capacity(raws.len());
    for (at, raw) in raws.iter().enumerate() {
        let policy = name(at);
        let document = Document::parse_language(raw.get(), kind);
        let document = document.map_err(|error| ScenarioError::Policy {
            policy: policy.clone(),
            error,
        })?;
        documents.push((PolicyRef::new(kind, policy), document));
    }
    let documents = documents.iter();
    Ok(PolicySet::compile(
        documents.map(|(policy, document)| (policy.clone(), document)),
    ))
}
