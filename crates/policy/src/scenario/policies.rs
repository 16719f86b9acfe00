//! The policies of a scenario.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::document::Document;
use crate::document_kind::DocumentKind;
use crate::json::Position;
use crate::policy_set::{PolicyRef, PolicySet};

use super::split::{offset, unreadable};
use super::{ScenarioError, invalid};

/// The fields of a scenario that are not yet read, and the whole text. Duplicate fields are refused.
pub(super) struct Fields<'a> {
    text: &'a str,
    rest: Rest<'a>,
}

#[derive(Default)]
struct Rest<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Rest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rest<'a>, D::Error> {
        deserializer.deserialize_map(RestVisitor(PhantomData))
    }
}

struct RestVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for RestVisitor<'a> {
    type Value = Rest<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scenario, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rest<'a>, A::Error> {
        let mut rest = Rest::default();
        while let Some((name, value)) = map.next_entry::<String, _>()? {
            if rest.0.contains_key(&name) {
                let what = format!("duplicate field `{name}`");
                return Err(serde::de::Error::custom(what));
            }
            rest.0.insert(name, value);
        }
        Ok(rest)
    }
}

impl<'a> Fields<'a> {
    pub fn read(text: &'a str) -> Result<Fields<'a>, ScenarioError> {
        match serde_json::from_str(text) {
            Ok(rest) => Ok(Fields { text, rest }),
            Err(error) => Err(unreadable(&error, text, Position::START)),
        }
    }

    /// Reads a field and removes it.
    pub fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, ScenarioError> {
        let Some(raw) = self.rest.0.remove(name) else {
            return Ok(None);
        };
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(unreadable(&error, raw.get(), self.start(raw))),
        }
    }

    /// The field as a text: a string's own, else its JSON.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let json = self.rest.0.remove(name)?.get();
        Some(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()))
    }

    pub fn one(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<&RawValue>>(name)?.flatten() {
            None => Ok(None),
            Some(raw) => Ok(Some(self.compile(&[raw], |_| name.to_owned(), kind)?)),
        }
    }

    pub fn list(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Option<PolicySet>, ScenarioError> {
        match self.take::<Option<Vec<&RawValue>>>(name)?.flatten() {
            None => Ok(None),
            Some(raws) => {
                let name = |at| format!("{name}[{at}]");
                Ok(Some(self.compile(&raws, name, kind)?))
            }
        }
    }

    pub fn levels(
        &mut self,
        name: &str,
        kind: DocumentKind,
    ) -> Result<Vec<PolicySet>, ScenarioError> {
        let levels = self.take::<Option<Vec<Vec<&RawValue>>>>(name)?.flatten();
        let levels = levels.unwrap_or_default();
        let compile_level = |(level, raws): (usize, &Vec<&RawValue>)| {
            self.compile(raws, |at| format!("{name}[{level}][{at}]"), kind)
        };
        levels.iter().enumerate().map(compile_level).collect()
    }

    /// Whether the field's JSON begins so.
    pub fn starts_with(&self, name: &str, begin: char) -> bool {
        let raw = self.rest.0.get(name);
        raw.is_some_and(|raw| raw.get().starts_with(begin))
    }

    /// A field that is left and whose name holds `name`, in whatever case.
    pub fn like(&self, name: &str) -> Option<&str> {
        let mut names = self.rest.0.keys();
        let found = names.find(|field| field.to_ascii_lowercase().contains(name));
        found.map(String::as_str)
    }

    /// A misspelt policy type must not be ignored silently.
    pub fn refuse_rest(&self) -> Result<(), ScenarioError> {
        match self.like("polic").or_else(|| self.like("boundar")) {
            None => Ok(()),
            Some(name) => Err(invalid(format!(
                "unknown field `{name}`; the fields for policies are `identityPolicies`, \
                 `permissionsBoundary`, `sessionPolicies`, `resourcePolicy`, \
                 `serviceControlPolicies` and `resourceControlPolicies`"
            ))),
        }
    }

    fn compile(
        &self,
        raws: &[&RawValue],
        name: impl Fn(usize) -> String,
        kind: DocumentKind,
    ) -> Result<PolicySet, ScenarioError> {
        let mut documents = Vec::with_capacity(raws.len());
        for (at, raw) in raws.iter().enumerate() {
            let policy = name(at);
            match Document::parse_language(raw.get(), kind) {
                Ok(document) => documents.push((PolicyRef::new(kind, policy), document)),
                Err(mut error) => {
                    let place = error.position.unwrap_or(Position::START);
                    error.position = Some(place.within(self.start(raw)));
                    return Err(ScenarioError::Policy { policy, error });
                }
            }
        }
        let documents = documents.iter();
        Ok(PolicySet::compile(
            documents.map(|(policy, document)| (policy.clone(), document)),
        ))
    }

    /// Where a part of the text begins.
    fn start(&self, part: &RawValue) -> Position {
        Position::at(self.text, offset(self.text, part))
    }
}
