//! Where a finding is: as a path through the document and as a span of its text.

use std::fmt::Write;

use policy::Position;
use policy::language::json::{self, Node, Value};

/// A step from a JSON value to one inside it (Access Analyzer API Reference, *PathElement*).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PathElement {
    /// The place in a list, counted from 0.
    Index(usize),
    /// The name of a member.
    Value(String),
}

/// A path and a span (Access Analyzer API Reference, *Location*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// From the document to the value; empty for the document itself.
    pub path: Vec<PathElement>,
    /// The value's first character.
    pub start: Position,
    /// After the value's last character.
    pub end: Position,
}

impl Location {
    /// The path in one string, such as `Statement[0].Action[1]`.
    pub fn path_string(&self) -> String {
        let mut text = String::new();
        for element in &self.path {
            // Writing to a string cannot fail.
            let _ = match element {
                PathElement::Index(index) => write!(text, "[{index}]"),
                PathElement::Value(name) if text.is_empty() => write!(text, "{name}"),
                PathElement::Value(name) => write!(text, ".{name}"),
            };
        }
        text
    }
}

/// Finds the locations of many findings in one text, which is read once.
#[derive(Debug)]
pub struct Locations<'a> {
    text: &'a str,
    root: Option<Node>,
}

impl<'a> Locations<'a> {
    /// Reads a text. If it is not JSON, every location is the whole text.
    pub fn new(text: &'a str) -> Locations<'a> {
        Locations {
            text,
            root: json::parse(text).ok(),
        }
    }

    /// The JSON value, or the member, that begins at a finding's position; the whole document if
    /// none begins there.
    pub fn find(&self, position: Position) -> Location {
        let mut path = Vec::new();
        let root = self.root.as_ref();
        match root.and_then(|root| end_of(root, position.offset, &mut path)) {
            Some(end) => Location {
                path,
                start: position,
                end: Position::at(self.text, end as usize),
            },
            None => Location {
                path: Vec::new(),
                start: Position::START,
                end: Position::at(self.text, self.text.len()),
            },
        }
    }
}

/// Where the value that begins at `offset` ends; its path is left in `path`.
fn end_of(node: &Node, offset: u32, path: &mut Vec<PathElement>) -> Option<u32> {
    if node.start.offset == offset {
        return Some(node.end);
    }
    if offset < node.start.offset || offset >= node.end {
        return None;
    }
    let step = |path: &mut Vec<PathElement>, element, node: &Node| {
        path.push(element);
        let end = end_of(node, offset, path);
        if end.is_none() {
            path.pop();
        }
        end
    };
    match &node.value {
        Value::Array(nodes) => nodes
            .iter()
            .enumerate()
            .find_map(|(index, node)| step(path, PathElement::Index(index), node)),
        Value::Object(members) => members.iter().find_map(|member| {
            let element = PathElement::Value(member.name.to_string());
            if member.position.offset == offset {
                path.push(element);
                return Some(member.node.end);
            }
            step(path, element, &member.node)
        }),
        _ => None,
    }
}
