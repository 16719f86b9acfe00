//! awsQuery responses: encoded as XML, and decoded for tests and clients.

use crate::limits::XML_DEPTH_MAX;
use crate::query::{iso8601, scalar};
use crate::shape::{Kind, Shape};
use crate::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;

/// Encodes a value's content, without its element's tags.
pub(crate) fn encode(shape: &Shape, value: &Value<'_>, out: &mut String) {
    match value {
        Value::String(text) => escape(text, out),
        Value::Blob(bytes) => STANDARD.encode_string(bytes, out),
        Value::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Double(number) => out.push_str(&number.to_string()),
        Value::Timestamp(at) => out.push_str(&iso8601(*at)),
        Value::List(members) => {
            if let Kind::List(member) = shape.kind {
                for value in members {
                    element("member", out, |out| encode(member, value, out));
                }
            }
        }
        Value::Map(entries) => {
            if let Kind::Map(_, shape) = shape.kind {
                for (key, value) in entries {
                    element("entry", out, |out| {
                        element("key", out, |out| escape(key, out));
                        element("value", out, |out| encode(shape, value, out));
                    });
                }
            }
        }
        Value::Structure(slots) => {
            for (member, slot) in shape.members().iter().zip(slots) {
                if let Some(value) = slot {
                    element(member.name, out, |out| encode(member.shape, value, out));
                }
            }
        }
    }
}

/// Writes an element. Names are from the models and need no escaping.
pub(crate) fn element(name: &str, out: &mut String, content: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Escapes text. A carriage return would be decoded as a line feed, so it is
/// written as a reference; characters that XML 1.0 does not allow (section 2.2)
/// become U+FFFD.
pub(crate) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{FFFD}'),
        }
    }
}

/// An element of a response.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Parses a document; `None` if it is not one.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => {
                    if open.len() > XML_DEPTH_MAX {
                        return None;
                    }
                    let name = tag.local_name();
                    open.push(Self {
                        name: AsRef::<str>::as_ref(&name).to_owned(),
                        ..Self::default()
                    });
                }
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(part) => open.last_mut()?.text.push_str(&part),
                Event::CData(part) => open.last_mut()?.text.push_str(&part),
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().ok()? {
                        Some(c) => c,
                        None => match &*reference {
                            "amp" => '&',
                            "lt" => '<',
                            "gt" => '>',
                            "quot" => '"',
                            "apos" => '\'',
                            _ => return None,
                        },
                    };
                    open.last_mut()?.text.push(c);
                }
                // A document type could define entities; AWS's responses have none.
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        let mut top = open.pop().filter(|_| open.is_empty())?;
        top.children.pop().filter(|_| top.children.is_empty())
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Decodes the element as a value of `shape`; `None` if it is not one.
    pub(crate) fn decode(&self, shape: &'static Shape) -> Option<Value<'_>> {
        Some(match shape.kind {
            Kind::Structure(members) => {
                let slot = |name, shape| match self.child(name) {
                    Some(child) => child.decode(shape).map(Some),
                    None => Some(None),
                };
                let slots = members.iter().map(|m| slot(m.name, m.shape));
                Value::Structure(slots.collect::<Option<_>>()?)
            }
            Kind::List(shape) => {
                let members = self.children.iter().filter(|child| child.name == "member");
                Value::List(
                    members
                        .map(|child| child.decode(shape))
                        .collect::<Option<_>>()?,
                )
            }
            Kind::Map(_, shape) => {
                let entries = self.children.iter().filter(|child| child.name == "entry");
                let mut out = Vec::new();
                for entry in entries {
                    let key = Cow::Borrowed(entry.child("key")?.text.as_str());
                    out.push((key, entry.child("value")?.decode(shape)?));
                }
                Value::Map(out)
            }
            kind => scalar(kind, &self.text)?,
        })
    }
}
