//! Reads the elements of a document from JSON. `validate` checks what they contain.
//!
//! Source: UG reference_policies_grammar.

use std::sync::Arc;

use crate::document::{
    ConditionEntry, Document, Element, PrincipalElement, PrincipalEntry, PrincipalType, Statement,
    StatementEffect, Text, Version,
};
use crate::document_kind::DocumentKind;
use crate::error::{SYNTAX, Violation, violation};
use crate::json::{self, Member, Node, Position, Value};

/// An `Effect` that differs from `Allow` or `Deny` in case only passes IAM's syntax check and
/// fails a later one, which has another message.
pub(crate) struct Shape {
    pub document: Document,
    pub effect_case: Option<Position>,
}

pub(crate) fn shape(source: &str, kind: DocumentKind) -> Result<Shape, Violation> {
    if source.len() > Document::BYTES_MAX {
        return Err(Violation {
            message: SYNTAX.into(),
            detail: format!("the document is longer than {} bytes", Document::BYTES_MAX),
            position: None,
        });
    }
    let trust = kind == DocumentKind::Trust;
    let root = json::parse(source).map_err(|error| {
        let message = if trust {
            "This policy contains invalid Json"
        } else {
            SYNTAX
        };
        violation(message, error.what, error.position)
    })?;
    let mut shaper = Shaper {
        kind,
        effect_case: None,
    };
    let mut document = shaper.document(root)?;
    document.source = source.into();
    Ok(Shape {
        document,
        effect_case: shaper.effect_case,
    })
}

struct Shaper {
    kind: DocumentKind,
    effect_case: Option<Position>,
}

impl Shaper {
    fn unknown(&self, member: &Member, place: &str) -> Violation {
        let message = match self.kind {
            DocumentKind::Trust => format!("Unknown field {}", member.name),
            _ => SYNTAX.into(),
        };
        let detail = format!("unknown element `{}` in a {place}", member.name);
        violation(message, detail, member.position)
    }

    fn document(&mut self, root: Node) -> Result<Document, Violation> {
        let start = root.start;
        let Value::Object(members) = root.value else {
            return Err(violation(SYNTAX, "a policy is a JSON object", start));
        };
        let mut version = Version::V2008;
        let mut id = None;
        let mut statements = None;
        for member in members {
            match &*member.name {
                "Version" => version = self.version(member.node)?,
                "Id" => id = Some(string(member.node, "Id")?.value),
                "Statement" => statements = Some(self.statements(member.node)?),
                _ => return Err(self.unknown(&member, "policy")),
            }
        }
        let Some(statements) = statements else {
            let detail = "a policy needs the element `Statement`";
            return Err(violation(SYNTAX, detail, start));
        };
        Ok(Document {
            kind: self.kind,
            version,
            id,
            statements: statements.into(),
            source: Arc::from(""),
        })
    }

    fn version(&self, node: Node) -> Result<Version, Violation> {
        match &node.value {
            Value::String(text) if &**text == "2012-10-17" => Ok(Version::V2012),
            Value::String(text) if &**text == "2008-10-17" => Ok(Version::V2008),
            _ => Err(violation(
                SYNTAX,
                "`Version` is `2012-10-17` or `2008-10-17`",
                node.start,
            )),
        }
    }

    fn statements(&mut self, node: Node) -> Result<Vec<Statement>, Violation> {
        let start = node.start;
        let nodes = match node.value {
            Value::Array(nodes) => nodes,
            Value::Object(_) => vec![node],
            _ => {
                let detail = "`Statement` is an object or a list of objects";
                return Err(violation(SYNTAX, detail, start));
            }
        };
        nodes.into_iter().map(|node| self.statement(node)).collect()
    }

    fn statement(&mut self, node: Node) -> Result<Statement, Violation> {
        let position = node.start;
        let Value::Object(members) = node.value else {
            return Err(violation(SYNTAX, "a statement is an object", position));
        };
        let mut sid = None;
        let mut effect = None;
        let mut principal = None;
        let mut action = None;
        let mut resource = None;
        let mut conditions = Vec::new();
        for member in members {
            let name = Arc::clone(&member.name);
            let at = member.position;
            let not = name.starts_with("Not");
            match &*name {
                "Sid" => sid = Some(string(member.node, "Sid")?),
                "Effect" => effect = Some(self.effect(member.node)?),
                "Principal" | "NotPrincipal" => {
                    let element = principal_element(not, at, member.node)?;
                    once(&mut principal, element, "Principal", at)?;
                }
                "Action" | "NotAction" => {
                    once(&mut action, element(member, not)?, "Action", at)?;
                }
                "Resource" | "NotResource" => {
                    once(&mut resource, element(member, not)?, "Resource", at)?;
                }
                "Condition" => conditions = condition(member.node)?,
                _ => return Err(self.unknown(&member, "statement")),
            }
        }
        let Some(effect) = effect else {
            let message = match self.kind {
                DocumentKind::Trust => "Missing required field Effect",
                _ => SYNTAX,
            };
            let detail = "a statement needs the element `Effect`";
            return Err(violation(message, detail, position));
        };
        Ok(Statement {
            sid,
            effect,
            principal,
            // Validation reports missing actions, after other errors.
            action: action.unwrap_or(Element {
                not: false,
                values: Vec::new(),
                position,
            }),
            resource,
            conditions,
            position,
        })
    }

    fn effect(&mut self, node: Node) -> Result<StatementEffect, Violation> {
        let at = node.start;
        let text = string(node, "Effect")?.value;
        let effect = if text.eq_ignore_ascii_case("Allow") {
            StatementEffect::Allow
        } else if text.eq_ignore_ascii_case("Deny") {
            StatementEffect::Deny
        } else {
            return Err(violation(SYNTAX, "`Effect` is `Allow` or `Deny`", at));
        };
        if !matches!(&*text, "Allow" | "Deny") {
            self.effect_case.get_or_insert(at);
        }
        Ok(effect)
    }
}

fn once<T>(slot: &mut Option<T>, value: T, name: &str, at: Position) -> Result<(), Violation> {
    if slot.replace(value).is_some() {
        let detail = format!("`{name}` and `Not{name}` exclude each other in one statement");
        return Err(violation(SYNTAX, detail, at));
    }
    Ok(())
}

fn string(node: Node, name: &str) -> Result<Text, Violation> {
    match node.value {
        Value::String(value) => Ok(Text {
            value,
            position: node.start,
        }),
        _ => Err(violation(
            SYNTAX,
            format!("`{name}` is a string"),
            node.start,
        )),
    }
}

fn strings(node: Node, name: &str) -> Result<Vec<Text>, Violation> {
    match node.value {
        Value::Array(nodes) => nodes.into_iter().map(|node| string(node, name)).collect(),
        _ => Ok(vec![string(node, name)?]),
    }
}

fn element(member: Member, not: bool) -> Result<Element, Violation> {
    Ok(Element {
        not,
        values: strings(member.node, &member.name)?,
        position: member.position,
    })
}

fn principal_element(not: bool, at: Position, node: Node) -> Result<PrincipalElement, Violation> {
    let mut entries = Vec::new();
    let start = node.start;
    match node.value {
        Value::String(value) if &*value == "*" => entries.push(PrincipalEntry {
            kind: PrincipalType::Everyone,
            text: Text {
                value,
                position: start,
            },
            span: (start.offset, node.end),
        }),
        Value::Object(members) => {
            for member in members {
                principal_entries(member, &mut entries)?;
            }
        }
        _ => {
            let detail = "`Principal` is `\"*\"` or an object such as `{\"AWS\": \"...\"}`";
            return Err(violation(SYNTAX, detail, start));
        }
    }
    Ok(PrincipalElement {
        not,
        entries,
        position: at,
    })
}

fn principal_entries(member: Member, entries: &mut Vec<PrincipalEntry>) -> Result<(), Violation> {
    let kind = match &*member.name {
        "AWS" => PrincipalType::Aws,
        "Service" => PrincipalType::Service,
        "Federated" => PrincipalType::Federated,
        "CanonicalUser" => PrincipalType::CanonicalUser,
        other => {
            let detail = format!(
                "unknown principal type `{other}`; use `AWS`, `Service`, `Federated` or `CanonicalUser`"
            );
            return Err(violation(SYNTAX, detail, member.position));
        }
    };
    let nodes = match member.node.value {
        Value::Array(nodes) => nodes,
        _ => vec![member.node],
    };
    for node in nodes {
        let span = (node.start.offset, node.end);
        let text = string(node, &member.name)?;
        entries.push(PrincipalEntry { kind, text, span });
    }
    Ok(())
}

fn condition(node: Node) -> Result<Vec<ConditionEntry>, Violation> {
    let start = node.start;
    let Value::Object(operators) = node.value else {
        return Err(violation(SYNTAX, "`Condition` is an object", start));
    };
    let mut entries = Vec::new();
    for operator in operators {
        let start = operator.node.start;
        let Value::Object(keys) = operator.node.value else {
            let detail = format!("`{}` is an object of condition keys", operator.name);
            return Err(violation(SYNTAX, detail, start));
        };
        for key in keys {
            let nodes = match key.node.value {
                Value::Array(nodes) => nodes,
                _ => vec![key.node],
            };
            entries.push(ConditionEntry {
                operator: Text {
                    value: Arc::clone(&operator.name),
                    position: operator.position,
                },
                values: nodes
                    .into_iter()
                    .map(condition_value)
                    .collect::<Result<_, _>>()?,
                key: Text {
                    value: key.name,
                    position: key.position,
                },
            });
        }
    }
    Ok(entries)
}

/// Grammar: `<condition_value> = ("string" | "number" | "Boolean")`.
fn condition_value(node: Node) -> Result<Text, Violation> {
    let value = match node.value {
        Value::String(text) | Value::Number(text) => text,
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let detail = "a condition's value is a string, a number or a boolean";
            return Err(violation(SYNTAX, detail, node.start));
        }
    };
    Ok(Text {
        value,
        position: node.start,
    })
}
