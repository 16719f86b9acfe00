//! awsQuery requests: form parameters such as `Tags.member.1.Key=team`.

use crate::limits::{MEMBERS_MAX, PARAMETER_PARTS_MAX, PARAMETERS_MAX};
use crate::shape::{Kind, Shape};
use crate::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The parameters of a Query request, decoded; from a body
/// (`application/x-www-form-urlencoded`) or from a URL's query.
///
/// ```
/// # use aws_api::Form;
/// let form = Form::parse(b"Action=GetUser&Version=2010-05-08&UserName=al%20b")?;
/// assert_eq!(form.action(), Some("GetUser"));
/// assert_eq!(form.get("UserName"), Some("al b"));
/// # Ok::<(), String>(())
/// ```
///
/// Debug prints names only: values hold passwords and tokens.
#[derive(Clone, Default)]
pub struct Form {
    parameters: BTreeMap<String, String>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.parameters.keys()).finish()
    }
}

impl Form {
    /// Parses parameters. A repeated name is an error: otherwise one part of a
    /// program could check the first value and another act on the second.
    ///
    /// # Errors
    /// The message for the client.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut form = Self::default();
        form.extend(text)?;
        Ok(form)
    }

    /// Parses further parameters, such as those in the URL of a POST.
    ///
    /// # Errors
    /// The message for the client.
    pub fn extend(&mut self, text: &[u8]) -> Result<(), String> {
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            if self.parameters.len() == PARAMETERS_MAX {
                return Err("The request has too many parameters.".to_owned());
            }
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = unescape(halves.next().unwrap_or_default())?;
            let value = unescape(halves.next().unwrap_or_default())?;
            if self.parameters.contains_key(&name) {
                return Err(format!("The parameter {name} is given more than once."));
            }
            self.parameters.insert(name, value);
        }
        Ok(())
    }

    /// A parameter by its full name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The requested operation.
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    /// The requested version of the API.
    pub fn version(&self) -> Option<&str> {
        self.get("Version")
    }

    /// The parameters as a value of `shape`.
    pub(crate) fn decode(&self, shape: &'static Shape) -> Result<Value<'_>, String> {
        let mut root = Node::default();
        for (name, value) in &self.parameters {
            root.add(name, value)?;
        }
        root.value = None;
        let value = root.decode(shape, "")?;
        Ok(value.unwrap_or_else(|| Value::Structure(vec![None; shape.members().len()])))
    }
}

pub(crate) fn unescape(text: &[u8]) -> Result<String, String> {
    let wrong = || "The request's parameters are not valid URL-encoded UTF-8.".to_owned();
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |at: usize| tail.get(at).and_then(|b| char::from(*b).to_digit(16));
                let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                    return Err(wrong());
                };
                out.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
                rest = &tail[2..];
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out).map_err(|_| wrong())
}

/// Parameters as a tree, one level for each dot.
#[derive(Default)]
struct Node<'a> {
    value: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn add(&mut self, name: &'a str, value: &'a str) -> Result<(), String> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == PARAMETER_PARTS_MAX {
                return Err("A parameter's name has too many parts.".to_owned());
            }
            node = node.children.entry(part).or_default();
        }
        node.value = Some(value);
        Ok(())
    }

    fn decode(&self, shape: &'static Shape, path: &str) -> Result<Option<Value<'a>>, String> {
        Ok(Some(match shape.kind {
            Kind::Structure(members) => {
                self.no_text(path)?;
                let mut slots = Vec::with_capacity(members.len());
                for member in members {
                    slots.push(match self.children.get(member.name) {
                        Some(node) => node.decode(member.shape, &join(path, member.name))?,
                        None => None,
                    });
                }
                Value::Structure(slots)
            }
            Kind::List(member) => {
                let nodes = self.numbered("member", path)?;
                let decoded = nodes
                    .into_iter()
                    .map(|(at, node)| node.decode(member, &join(path, &format!("member.{at}"))));
                Value::List(
                    decoded
                        .filter_map(Result::transpose)
                        .collect::<Result<_, _>>()?,
                )
            }
            Kind::Map(key_shape, value_shape) => {
                let mut entries = Vec::new();
                for (at, node) in self.numbered("entry", path)? {
                    let path = join(path, &format!("entry.{at}"));
                    let part = |name: &str, shape| match node.children.get(name) {
                        Some(node) => node.decode(shape, &join(&path, name)),
                        None => Err(format!("The parameter {path}.{name} is missing.")),
                    };
                    let key = part("key", key_shape)?;
                    let value = part("value", value_shape)?;
                    if let (Some(Value::String(key)), Some(value)) = (key, value) {
                        entries.push((key, value));
                    }
                }
                Value::Map(entries)
            }
            kind => {
                let (Some(text), true) = (self.value, self.children.is_empty()) else {
                    return Err(format!("The parameter {path} must be a single value."));
                };
                scalar(kind, text).ok_or_else(|| {
                    format!("The parameter {path} is not a valid {}.", shape_word(kind))
                })?
            }
        }))
    }

    /// The children of a list or map, in the order of their numbers. An empty list
    /// is encoded as `Name=`.
    fn numbered(&self, word: &str, path: &str) -> Result<Vec<(u32, &Node<'a>)>, String> {
        self.no_text(path)?;
        let Some(list) = self.children.get(word) else {
            return match self.children.is_empty() {
                true => Ok(Vec::new()),
                false => Err(format!(
                    "The parameter {path} must be numbered: {path}.{word}.1"
                )),
            };
        };
        if list.children.len() > MEMBERS_MAX {
            return Err(format!("The parameter {path} has too many members."));
        }
        let mut nodes = Vec::with_capacity(list.children.len());
        for (text, node) in &list.children {
            nodes.push((index(text)?, node));
        }
        nodes.sort_by_key(|(at, _)| *at);
        let mut before = 1;
        for (at, _) in &nodes {
            let skipped = at.saturating_sub(before);
            if skipped > SKIPPED_MEMBERS_MAX {
                return Err(format!(
                    "Excessively sparse input would skip {skipped} list elements"
                ));
            }
            before = *at;
        }
        Ok(nodes)
    }

    fn no_text(&self, path: &str) -> Result<(), String> {
        match self.value {
            None | Some("") => Ok(()),
            Some(_) => Err(format!("The parameter {path} must not be a single value.")),
        }
    }
}

/// Members that a list's numbers may skip, as IAM counts them (radkawar/stackd,
/// `testdata/aws/iam/query_collections.json`, recorded from AWS; so are the messages).
const SKIPPED_MEMBERS_MAX: u32 = 10;

/// The number of a list's member, from 1.
fn index(text: &str) -> Result<u32, String> {
    if text.starts_with('-') {
        return Err(format!("Key {text} may not have a leading '-'"));
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse().ok().filter(|_| digits) {
        None => Err("Start of list found where not expected".to_owned()),
        Some(0) => Err("0 is not a valid index".to_owned()),
        Some(at) => Ok(at),
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// Parses a value of a scalar kind; also used for XML responses.
pub(crate) fn scalar<'a>(kind: Kind, text: &'a str) -> Option<Value<'a>> {
    Some(match kind {
        Kind::String => Value::String(Cow::Borrowed(text)),
        Kind::Blob => Value::Blob(STANDARD.decode(text).ok()?.into()),
        Kind::Boolean => Value::Boolean(match text {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return None,
        }),
        Kind::Integer => Value::Integer(i64::from(text.parse::<i32>().ok()?)),
        Kind::Long => Value::Integer(text.parse().ok()?),
        Kind::Double => Value::Double(text.parse().ok()?),
        Kind::Timestamp => Value::Timestamp(text.parse().ok()?),
        Kind::List(_) | Kind::Map(..) | Kind::Structure(_) => return None,
    })
}

fn shape_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Blob => "base64 value",
        Kind::Boolean => "boolean",
        Kind::Integer | Kind::Long => "integer",
        Kind::Double => "number",
        Kind::Timestamp => "timestamp",
        _ => "value",
    }
}

/// Encodes a value as parameters, each preceded by `&`.
pub(crate) fn encode(shape: &Shape, value: &Value<'_>, path: &str, out: &mut String) {
    let mut pair = |text: &str| {
        out.push('&');
        escape(path, out);
        out.push('=');
        escape(text, out);
    };
    match value {
        Value::String(text) => pair(text),
        Value::Blob(bytes) => pair(&STANDARD.encode(bytes)),
        Value::Boolean(flag) => pair(if *flag { "true" } else { "false" }),
        Value::Integer(number) => pair(&number.to_string()),
        Value::Double(number) => pair(&number.to_string()),
        Value::Timestamp(at) => pair(&iso8601(*at)),
        Value::List(members) => {
            let Kind::List(member) = shape.kind else {
                return;
            };
            if members.is_empty() {
                pair("");
            }
            for (i, value) in members.iter().enumerate() {
                encode(
                    member,
                    value,
                    &join(path, &format!("member.{}", i + 1)),
                    out,
                );
            }
        }
        Value::Map(entries) => {
            let Kind::Map(key_shape, value_shape) = shape.kind else {
                return;
            };
            for (i, (key, value)) in entries.iter().enumerate() {
                let path = join(path, &format!("entry.{}", i + 1));
                let key = Value::String(Cow::Borrowed(key));
                encode(key_shape, &key, &join(&path, "key"), out);
                encode(value_shape, value, &join(&path, "value"), out);
            }
        }
        Value::Structure(slots) => {
            for (member, slot) in shape.members().iter().zip(slots) {
                if let Some(value) = slot {
                    encode(member.shape, value, &join(path, member.name), out);
                }
            }
        }
    }
}

/// Escapes all but RFC 3986's unreserved characters.
pub(crate) fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// `2026-11-22T11:30:00Z`: AWS's timestamps in XML have whole seconds.
pub(crate) fn iso8601(at: jiff::Timestamp) -> String {
    let whole = jiff::Timestamp::from_second(at.as_millisecond().div_euclid(1000));
    whole.unwrap_or(at).to_string()
}
