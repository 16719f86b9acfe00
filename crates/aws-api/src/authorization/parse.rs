//! The parser of `data.txt`.
//!
//! Comment lines (`#`) are followed by the index, one line for each service: its
//! prefix and the length of its section in bytes. An empty line ends the index; the
//! sections follow in the same order. A section has these lines, in this order:
//!
//! ```text
//! @ecr Amazon Elastic Container Registry    prefix, name
//! k String ecr:ResourceTag/${TagKey}        condition key: type, pattern of names
//! s 0 2                                     set of condition keys, by position
//! r repository|1|arn:…, arn:…               resource type: name, set, ARN patterns
//! W PutImage - 0*:1                         action: level, name, set, resource types
//! ```
//!
//! A set is `-` for none. An action's resource type is a position, `*` when it is
//! required, and `:set` for the keys of that pair.
//!
//! The text is part of the binary, so an error here is a bug that a test finds.
//! Nevertheless the parser checks every line and never panics.

use super::key::{ConditionKey, KeyType};
use super::{AccessLevel, ResourceType, ServiceAuthorization};

/// An action's line.
#[derive(Debug)]
pub(super) struct Row {
    pub name: &'static str,
    pub level: AccessLevel,
    pub set: Option<u16>,
    pub resources: Box<[Need]>,
}

/// A resource type of an action: position, whether required, set of keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub at: u16,
    pub required: bool,
    pub set: Option<u16>,
}

/// Why a text is not a valid table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DataError {
    #[error("the index has the line `{0}`")]
    Index(&'static str),
    #[error("the section of `{0}` is not where the index says")]
    Place(&'static str),
    #[error("bytes are left behind the last section")]
    Rest,
    #[error("a section has the line `{0}`")]
    Line(&'static str),
}

/// The services' prefixes and sections.
pub(super) struct Index {
    pub sections: Vec<(&'static str, &'static str)>,
}

impl Index {
    /// Parses the index and splits the text into sections.
    pub fn read(text: &'static str) -> Result<Self, DataError> {
        let mut rest = text;
        while let Some((_, after)) = rest.strip_prefix('#').and_then(|r| r.split_once('\n')) {
            rest = after;
        }
        let (index, mut rest) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let mut sections = Vec::new();
        for line in index.lines() {
            let (prefix, length) = line.split_once(' ').ok_or(DataError::Index(line))?;
            let length: usize = length.parse().map_err(|_| DataError::Index(line))?;
            let (section, after) = rest
                .split_at_checked(length)
                .ok_or(DataError::Place(prefix))?;
            let named = section
                .strip_prefix('@')
                .and_then(|s| s.strip_prefix(prefix))
                .is_some_and(|s| s.starts_with(' '));
            if !named {
                return Err(DataError::Place(prefix));
            }
            sections.push((prefix, section));
            rest = after;
        }
        match rest.is_empty() {
            true => Ok(Self { sections }),
            false => Err(DataError::Rest),
        }
    }
}

/// Parses a service's section.
pub(super) fn section(text: &'static str) -> Result<ServiceAuthorization, DataError> {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let (prefix, name) = head
        .strip_prefix('@')
        .and_then(|head| head.split_once(' '))
        .ok_or(DataError::Line(head))?;
    let mut service = ServiceAuthorization {
        prefix,
        name,
        keys: Vec::new(),
        sets: Vec::new(),
        resources: Vec::new(),
        rows: Vec::new(),
    };
    for line in lines {
        add(&mut service, line).ok_or(DataError::Line(line))?;
    }
    Ok(service)
}

fn add(service: &mut ServiceAuthorization, line: &'static str) -> Option<()> {
    let (mark, rest) = line.split_once(' ')?;
    match mark {
        "k" => service.keys.push(condition_key(rest)?),
        "s" => {
            let within = |at: &u16| usize::from(*at) < service.keys.len();
            let set = rest
                .split(' ')
                .map(|at| at.parse().ok().filter(within))
                .collect::<Option<_>>()?;
            service.sets.push(set);
        }
        "r" => {
            let mut parts = rest.splitn(3, '|');
            let (name, keys, arns) = (parts.next()?, parts.next()?, parts.next()?);
            service.resources.push(ResourceType {
                name,
                arn_patterns: arns.split(", ").collect(),
                set: set(service, keys)?,
            });
        }
        level => {
            let mut parts = rest.split(' ');
            let (name, keys) = (parts.next()?, parts.next()?);
            service.rows.push(Row {
                name,
                level: access_level(level)?,
                set: set(service, keys)?,
                resources: parts
                    .map(|part| need(service, part))
                    .collect::<Option<_>>()?,
            });
        }
    }
    Some(())
}

fn condition_key(text: &'static str) -> Option<ConditionKey> {
    let (kind, name) = text.split_once(' ')?;
    let (key_type, multivalued) = match kind {
        "String" => (KeyType::String, false),
        "ArrayOfString" => (KeyType::String, true),
        "ARN" => (KeyType::Arn, false),
        "ArrayOfARN" => (KeyType::Arn, true),
        "Bool" => (KeyType::Bool, false),
        "ArrayOfBool" => (KeyType::Bool, true),
        "Numeric" => (KeyType::Numeric, false),
        "Date" => (KeyType::Date, false),
        "IPAddress" => (KeyType::IpAddress, false),
        _ => return None,
    };
    Some(ConditionKey {
        name,
        key_type,
        multivalued,
    })
}

fn access_level(letter: &str) -> Option<AccessLevel> {
    Some(match letter {
        "L" => AccessLevel::List,
        "R" => AccessLevel::Read,
        "W" => AccessLevel::Write,
        "T" => AccessLevel::Tagging,
        "P" => AccessLevel::PermissionsManagement,
        _ => return None,
    })
}

fn need(service: &ServiceAuthorization, text: &str) -> Option<Need> {
    let (at, keys) = text.split_once(':').unwrap_or((text, "-"));
    let (at, required) = match at.strip_suffix('*') {
        Some(at) => (at, true),
        None => (at, false),
    };
    let at: u16 = at.parse().ok()?;
    service.resources.get(usize::from(at))?;
    Some(Need {
        at,
        required,
        set: set(service, keys)?,
    })
}

/// The number of a set defined before; `Some(None)` for `-`.
fn set(service: &ServiceAuthorization, text: &str) -> Option<Option<u16>> {
    if text == "-" {
        return Some(None);
    }
    let number: u16 = text.parse().ok()?;
    service.sets.get(usize::from(number))?;
    Some(Some(number))
}
