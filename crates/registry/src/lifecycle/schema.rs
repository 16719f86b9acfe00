//! The form of a policy: what AWS checks against a JSON schema, in the words of its validator.
//!
//! The texts are those of recorded answers (badmintoncryer/cdk-preflight, `rules/ecr/pf-ecr-lifecycle-*`;
//! getmoto/moto, `ecr/policy_validation.py`; cloudposse/terraform-aws-ecr#132 and #159). Where one was never
//! recorded, it is built as the others are.

use serde_json::{Map, Value};

use super::policy::RULES_MAX;

const RULE: Object = Object {
    required: &["action", "rulePriority", "selection"],
    optional: &["description"],
};
const SELECTION: Object = Object {
    required: &["countNumber", "countType", "tagStatus"],
    optional: &[
        "countUnit",
        "storageClass",
        "tagPatternList",
        "tagPrefixList",
    ],
};
const ACTION: Object = Object {
    required: &["type"],
    optional: &["targetStorageClass"],
};
const POLICY: Object = Object {
    required: &["rules"],
    optional: &[],
};

/// Some use of `countType` that none of its four kinds allows.
const NO_KIND: &str = "instance failed to match exactly one schema (matched 0 out of 4)";

type Checked<T = ()> = Result<T, String>;

struct Object {
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Object {
    fn check<'a>(&self, value: &'a Value) -> Checked<&'a Map<String, Value>> {
        let Value::Object(members) = value else {
            return Err(wrong_type(value, "object"));
        };
        let missing: Vec<&str> = self
            .required
            .iter()
            .copied()
            .filter(|name| !members.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "object has missing required properties ({})",
                list(&missing)
            ));
        }
        let known = |name: &&str| self.required.contains(name) || self.optional.contains(name);
        let mut unknown: Vec<&str> = members
            .keys()
            .map(String::as_str)
            .filter(|name| !known(name))
            .collect();
        if unknown.is_empty() {
            return Ok(members);
        }
        unknown.sort_unstable();
        unknown.truncate(NAMES_MAX);
        for name in &mut unknown {
            *name = shown(name);
        }
        let unknown = list(&unknown);
        Err(format!(
            "object instance has properties which are not allowed by the schema: ({unknown})"
        ))
    }
}

/// Names that a message repeats, and what it repeats of each in bytes.
const NAMES_MAX: usize = 10;
const NAME_BYTES_MAX: usize = 100;

fn shown(text: &str) -> &str {
    match text
        .char_indices()
        .find(|(at, c)| at + c.len_utf8() > NAME_BYTES_MAX)
    {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn list(names: &[&str]) -> String {
    // Text always serializes.
    serde_json::to_string(names).unwrap_or_default()
}

/// Checks the whole document's form.
pub(super) fn check(value: &Value) -> Checked {
    let Value::Object(_) = value else {
        return Err(wrong_type(value, "object"));
    };
    let rules = &POLICY.check(value)?["rules"];
    let Value::Array(rules) = rules else {
        return Err(wrong_type(rules, "array"));
    };
    let count = rules.len();
    if count > RULES_MAX {
        return Err(format!(
            "array is too long: must have at most {RULES_MAX} elements but instance has {count} elements"
        ));
    }
    if count == 0 {
        return Err(
            "array is too short: must have at least 1 elements but instance has 0 elements"
                .to_owned(),
        );
    }
    rules.iter().try_for_each(rule)
}

fn rule(value: &Value) -> Checked {
    let members = RULE.check(value)?;
    positive(&members["rulePriority"])?;
    if let Some(description) = members.get("description") {
        text(description)?;
    }
    selection(&members["selection"])?;
    action(&members["action"])
}

fn selection(value: &Value) -> Checked {
    let members = SELECTION.check(value)?;
    one_of(&members["tagStatus"], &["any", "tagged", "untagged"])?;
    for name in ["tagPrefixList", "tagPatternList"] {
        match members.get(name) {
            None => {}
            Some(Value::Array(entries)) => entries.iter().try_for_each(entry)?,
            Some(other) => return Err(wrong_type(other, "array")),
        }
    }
    if let Some(class) = members.get("storageClass") {
        one_of(class, &["archive", "standard"])?;
    }
    let unit = members.get("countUnit");
    let fits = match text(&members["countType"])? {
        "imageCountMoreThan" => unit.is_none(),
        "sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned" => {
            unit.and_then(Value::as_str) == Some("days")
        }
        _ => false,
    };
    if !fits {
        return Err(NO_KIND.to_owned());
    }
    positive(&members["countNumber"])
}

fn action(value: &Value) -> Checked {
    let members = ACTION.check(value)?;
    one_of(&members["type"], &["expire", "transition"])?;
    match members.get("targetStorageClass") {
        Some(class) => one_of(class, &["archive"]),
        None => Ok(()),
    }
}

/// An empty entry would select every image with a tag, which has a pattern of its own.
fn entry(value: &Value) -> Checked {
    match text(value)? {
        "" => Err("string \"\" is too short (length: 0, required minimum: 1)".to_owned()),
        _ => Ok(()),
    }
}

fn text(value: &Value) -> Checked<&str> {
    value.as_str().ok_or_else(|| wrong_type(value, "string"))
}

fn positive(value: &Value) -> Checked {
    let Value::Number(number) = value else {
        return Err(wrong_type(value, "integer"));
    };
    match (number.as_i64(), number.as_u64()) {
        (Some(found), _) if found < 1 => Err(format!(
            "numeric instance is lower than the required minimum (minimum: 1, found: {found})"
        )),
        // What is too large is left to the mapping.
        (Some(_), _) | (None, Some(_)) => Ok(()),
        (None, None) => Err(wrong_type(value, "integer")),
    }
}

fn one_of(value: &Value, allowed: &[&str]) -> Checked {
    let found = text(value)?;
    if allowed.contains(&found) {
        return Ok(());
    }
    let found = Value::from(shown(found));
    Err(format!(
        "instance value ({found}) not found in enum (possible values: {})",
        list(allowed)
    ))
}

fn wrong_type(value: &Value, allowed: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!(
        "instance type ({found}) does not match any allowed primitive type (allowed: [\"{allowed}\"])"
    )
}
