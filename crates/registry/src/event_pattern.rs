//! Which events a target gets: a subset of EventBridge's event patterns (EventBridge User Guide, "Creating
//! Amazon EventBridge event patterns").
//!
//! A pattern is an object of arrays. An event matches when each member that the pattern names has one of the
//! values of its array. A value is a text, or `{"prefix": "…"}`, or `{"anything-but": "…"}`.

use serde_json::Value;

use crate::Error;

/// `detail-type` of the event of pulls.
pub(crate) const PULL: &str = "Berth Image Pull";
/// The longest pattern in characters (EventBridge API, `PutRule`, allows 4096).
const CHARS_MAX: usize = 4_096;
/// Values of one member.
const VALUES_MAX: usize = 50;
/// Members of an event beside `detail`.
const MEMBERS: [&str; 2] = ["detail-type", "source"];
/// Members of `detail`.
const DETAIL_MEMBERS: [&str; 6] = [
    "action-type",
    "image-tag",
    "principal-arn",
    "repository-name",
    "result",
    "sync-status",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Is(String),
    Prefix(String),
    AnythingBut(Vec<String>),
}

impl Matcher {
    fn matches(&self, text: &str) -> bool {
        match self {
            Matcher::Is(wanted) => text == wanted,
            Matcher::Prefix(prefix) => text.starts_with(prefix),
            Matcher::AnythingBut(unwanted) => unwanted.iter().all(|one| one != text),
        }
    }
}

type Member = (&'static str, Vec<Matcher>);

/// A pattern. The default is that of all events but those of pulls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    members: Vec<Member>,
    detail: Vec<Member>,
}

fn wrong(problem: impl std::fmt::Display) -> Error {
    Error::parameter("eventPattern", problem.to_string())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) if !values.is_empty() && values.len() <= VALUES_MAX => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect()
        }
        _ => None,
    }
}

fn matcher(name: &str, value: &Value) -> Result<Matcher, Error> {
    let found = match value {
        Value::String(text) => Some(Matcher::Is(text.clone())),
        Value::Object(object) if object.len() == 1 => {
            object
                .iter()
                .next()
                .and_then(|(kind, value)| match &**kind {
                    "prefix" => value.as_str().map(|text| Matcher::Prefix(text.to_owned())),
                    "anything-but" => texts(value).map(Matcher::AnythingBut),
                    _ => None,
                })
        }
        _ => None,
    };
    found.ok_or_else(|| {
        wrong(format!(
            "must have texts, prefixes ({{\"prefix\": \"team/\"}}) or exclusions ({{\"anything-but\": \"x\"}}) \
             in the array of '{name}'"
        ))
    })
}

fn member(names: &[&'static str], name: &str, value: &Value) -> Result<Member, Error> {
    let Some(known) = names.iter().find(|known| **known == name) else {
        return Err(wrong(format!(
            "must not name '{name}': patterns are made of source, detail-type, and in detail of {}",
            DETAIL_MEMBERS.join(", ")
        )));
    };
    let values = match value {
        Value::Array(values) if !values.is_empty() && values.len() <= VALUES_MAX => values,
        _ => {
            return Err(wrong(format!(
                "must have an array of 1 to {VALUES_MAX} values in '{name}'"
            )));
        }
    };
    let matchers = values.iter().map(|value| matcher(name, value));
    Ok((known, matchers.collect::<Result<_, _>>()?))
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] at `eventPattern`.
    pub fn parse(text: &str) -> Result<Pattern, Error> {
        if text.chars().count() > CHARS_MAX {
            return Err(wrong(format!("must have at most {CHARS_MAX} characters")));
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| wrong(format!("must be JSON ({error})")))?;
        let Value::Object(object) = value else {
            return Err(wrong("must be a JSON object"));
        };
        let mut pattern = Pattern::default();
        for (name, value) in &object {
            if name != "detail" {
                pattern.members.push(member(&MEMBERS, name, value)?);
                continue;
            }
            let Value::Object(detail) = value else {
                return Err(wrong("must have an object in 'detail'"));
            };
            for (name, value) in detail {
                pattern.detail.push(member(&DETAIL_MEMBERS, name, value)?);
            }
        }
        Ok(pattern)
    }

    /// Whether an event matches. Events of pulls are many: only a pattern that names a `detail-type` gets
    /// them.
    #[must_use]
    pub fn matches(&self, source: &str, detail_type: &str, detail: &Value) -> bool {
        let names_type = self.members.iter().any(|(name, _)| *name == "detail-type");
        if detail_type == PULL && !names_type {
            return false;
        }
        let has = |values: &[Matcher], text: &str| values.iter().any(|one| one.matches(text));
        let outside = self.members.iter().all(|(name, values)| match *name {
            "source" => has(values, source),
            _ => has(values, detail_type),
        });
        outside
            && self.detail.iter().all(|(name, values)| {
                let text = detail.get(*name).and_then(Value::as_str);
                text.is_some_and(|text| has(values, text))
            })
    }

    /// Whether pulls of the repository may match.
    pub(crate) fn asks_for_pulls(&self, repository: &str) -> bool {
        let detail = |member: &Member| match member.0 {
            "repository-name" => member.1.iter().any(|one| one.matches(repository)),
            _ => true,
        };
        let has_type = |member: &Member| {
            member.0 == "detail-type" && member.1.iter().any(|one| one.matches(PULL))
        };
        self.members.iter().any(has_type) && self.detail.iter().all(detail)
    }

    /// The bytes on the heap, for a cache that is bounded in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        const VALUE_BYTES: usize = 64;
        let of = |matcher: &Matcher| match matcher {
            Matcher::Is(text) | Matcher::Prefix(text) => text.len() + VALUE_BYTES,
            Matcher::AnythingBut(texts) => texts.iter().map(|text| text.len() + VALUE_BYTES).sum(),
        };
        let members = self.members.iter().chain(&self.detail);
        members
            .map(|(_, values)| values.iter().map(of).sum::<usize>())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_match_as_those_of_eventbridge() {
        let detail =
            json!({"repository-name": "team/app", "action-type": "PUSH", "result": "SUCCESS"});
        let cases = [
            (json!({}), true),
            (json!({"source": ["aws.ecr"]}), true),
            (json!({"source": ["berth.registry"]}), false),
            (json!({"source": [{"prefix": "aws."}]}), true),
            (json!({"detail-type": ["ECR Image Action", "x"]}), true),
            (json!({"detail-type": ["x"]}), false),
            (
                json!({"detail": {"repository-name": [{"prefix": "team/"}]}}),
                true,
            ),
            (
                json!({"detail": {"repository-name": [{"prefix": "app"}]}}),
                false,
            ),
            (
                json!({"detail": {"action-type": ["PUSH"], "result": ["FAILED"]}}),
                false,
            ),
            (
                json!({"detail": {"action-type": ["PUSH"], "result": ["SUCCESS"]}}),
                true,
            ),
            // A member that the event lacks.
            (json!({"detail": {"image-tag": ["latest"]}}), false),
            (
                json!({"detail": {"image-tag": [{"anything-but": "latest"}]}}),
                false,
            ),
            (
                json!({"detail": {"action-type": [{"anything-but": ["DELETE", "x"]}]}}),
                true,
            ),
            (
                json!({"detail": {"action-type": [{"anything-but": ["PUSH"]}]}}),
                false,
            ),
        ];
        for (pattern, expected) in cases {
            let parsed = Pattern::parse(&pattern.to_string()).unwrap();
            let found = parsed.matches("aws.ecr", "ECR Image Action", &detail);
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn pulls_come_only_to_those_who_ask_for_them() {
        let cases = [
            (json!({}), false),
            (json!({"source": ["berth.registry"]}), false),
            (json!({"detail-type": ["ECR Image Action"]}), false),
            (json!({"detail-type": [PULL]}), true),
            (
                json!({"detail-type": [{"prefix": "Berth "}], "detail": {"repository-name": ["app"]}}),
                true,
            ),
            (
                json!({"detail-type": [PULL], "detail": {"repository-name": ["other"]}}),
                false,
            ),
        ];
        let detail = json!({"repository-name": "app", "result": "SUCCESS"});
        for (pattern, expected) in cases {
            let parsed = Pattern::parse(&pattern.to_string()).unwrap();
            assert_eq!(parsed.asks_for_pulls("app"), expected, "{pattern}");
            assert_eq!(
                parsed.matches("berth.registry", PULL, &detail),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        let long = json!({"source": ["x".repeat(CHARS_MAX)]}).to_string();
        let many = json!({"source": vec!["x"; VALUES_MAX + 1]}).to_string();
        for text in [
            "",
            "[]",
            "{\"source\": \"aws.ecr\"}",
            "{\"source\": []}",
            "{\"source\": [1]}",
            "{\"source\": [{\"suffix\": \"x\"}]}",
            "{\"source\": [{\"prefix\": \"x\", \"anything-but\": \"y\"}]}",
            "{\"account\": [\"123456789012\"]}",
            "{\"detail\": []}",
            "{\"detail\": {\"image-digest\": [\"x\"]}}",
            &long,
            &many,
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
