//! Reads XML into what SAML needs of it, without a document type, entities or unbounded depth.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

/// Elements within elements, at most. A SAML response nests about ten.
pub(crate) const DEPTH_MAX: usize = 64;

/// Attributes of one element, at most: each is compared with the others.
const ATTRIBUTES_MAX: usize = 64;
/// Namespaces that are declared on an element and those around it, at most: each name is looked up
/// among them.
const NAMESPACES_MAX: usize = 128;

/// The document is not one that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct XmlError(pub(crate) &'static str);

/// A name with its namespace, empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) local: String,
}

impl Name {
    pub(crate) fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

/// An attribute that declares no namespace.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Name,
    pub(crate) value: String,
}

/// Takes a document's parts in their order.
pub(crate) trait Sink {
    fn start(&mut self, name: Name, attributes: Vec<Attribute>) -> Result<(), XmlError>;
    /// Text; comments, references and CDATA sections divide it into several calls.
    fn text(&mut self, text: &str) -> Result<(), XmlError>;
    fn end(&mut self) -> Result<(), XmlError>;
}

/// Reads a whole document.
pub(crate) fn read(text: &str, sink: &mut impl Sink) -> Result<(), XmlError> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut roots) = (0_usize, 0_usize);
    // How many namespaces each open element declares.
    let mut declared: Vec<usize> = Vec::new();
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|_| XmlError("the XML is not well-formed"))?;
        match event {
            Event::Start(start) => {
                let namespace = bound(&namespace)?.to_owned();
                let local = start.local_name().into_inner().to_owned();
                if depth == 0 {
                    roots += 1;
                }
                depth += 1;
                if depth > DEPTH_MAX || roots > 1 {
                    return Err(XmlError("the XML has too many levels or several roots"));
                }
                let (attributes, namespaces) = attributes(&reader, &start)?;
                declared.push(namespaces);
                if declared.iter().sum::<usize>() > NAMESPACES_MAX {
                    return Err(XmlError("the XML declares too many namespaces"));
                }
                sink.start(Name { namespace, local }, attributes)?;
            }
            Event::End(_) => {
                depth = depth
                    .checked_sub(1)
                    .ok_or(XmlError("an element ends that has not begun"))?;
                declared.pop();
                sink.end()?;
            }
            Event::Text(text) => within(depth, &text.xml10_content(), sink)?,
            Event::CData(text) if depth > 0 => within(depth, &text.xml10_content(), sink)?,
            Event::GeneralRef(reference) if depth > 0 => {
                let character = match &*reference {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => reference
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .filter(|c| is_char(*c))
                        .ok_or(XmlError("the XML refers to an entity"))?,
                };
                sink.text(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => {
                let version = declaration.version();
                let encoding = declaration.encoding();
                let is_utf8 = encoding.is_none_or(|encoding| {
                    encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8"))
                });
                if !version.is_ok_and(|version| version == "1.0") || !is_utf8 {
                    return Err(XmlError("the document is not XML 1.0 in UTF-8"));
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(XmlError("the XML has a document type")),
            Event::CData(_) | Event::GeneralRef(_) => {
                return Err(XmlError("the XML has text outside of its root"));
            }
            Event::Empty(_) => return Err(XmlError("an empty element was not expanded")),
            Event::Eof => break,
        }
    }
    match (depth, roots) {
        (0, 1) => Ok(()),
        _ => Err(XmlError("the XML is not complete")),
    }
}

/// Text inside the root, and white space outside.
fn within(depth: usize, text: &str, sink: &mut impl Sink) -> Result<(), XmlError> {
    if !text.chars().all(is_char) {
        return Err(XmlError("the XML has a character that XML does not allow"));
    }
    match depth {
        0 if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => Ok(()),
        0 => Err(XmlError("the XML has text outside of its root")),
        _ => sink.text(text),
    }
}

/// XML 1.0, production 2, `Char`.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn bound<'n>(namespace: &ResolveResult<'n>) -> Result<&'n str, XmlError> {
    match namespace {
        ResolveResult::Unbound => Ok(""),
        ResolveResult::Bound(namespace) => Ok(namespace.0),
        ResolveResult::Unknown(_) => Err(XmlError("a namespace prefix is not declared")),
    }
}

/// The attributes, and how many of them declare a namespace.
fn attributes(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
) -> Result<(Vec<Attribute>, usize), XmlError> {
    let (mut attributes, mut namespaces): (Vec<Attribute>, usize) = (Vec::new(), 0);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| XmlError("an attribute is not well-formed"))?;
        if attributes.len() + namespaces == ATTRIBUTES_MAX {
            return Err(XmlError("an element has too many attributes"));
        }
        if attribute.key.as_namespace_binding().is_some() {
            namespaces += 1;
            continue;
        }
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        let name = Name {
            namespace: bound(&namespace)?.to_owned(),
            local: local.into_inner().to_owned(),
        };
        // Two prefixes of one namespace (XML Namespaces, "Uniqueness of Attributes").
        if attributes.iter().any(|other| other.name == name) {
            return Err(XmlError("an attribute is there twice"));
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| XmlError("an attribute's value is not well-formed"))?
            .into_owned();
        attributes.push(Attribute { name, value });
    }
    Ok((attributes, namespaces))
}

/// Reads a document for its form alone.
pub(crate) fn check(text: &str) -> Result<(), XmlError> {
    struct Nothing;
    impl Sink for Nothing {
        fn start(&mut self, _: Name, _: Vec<Attribute>) -> Result<(), XmlError> {
            Ok(())
        }
        fn text(&mut self, _: &str) -> Result<(), XmlError> {
            Ok(())
        }
        fn end(&mut self) -> Result<(), XmlError> {
            Ok(())
        }
    }
    read(text, &mut Nothing)
}

/// An element with all that is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: Name,
    attributes: Vec<Attribute>,
    pub(crate) children: Vec<Element>,
    /// The element's own text: all of it, across comments.
    pub(crate) text: String,
}

impl Element {
    /// The element that is the document's root.
    pub(crate) fn parse(text: &str) -> Result<Element, XmlError> {
        let mut builder = Builder::default();
        read(text, &mut builder)?;
        builder.root.ok_or(XmlError("the XML is not complete"))
    }

    /// The value of an attribute without a namespace.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.name.is("", local))?;
        Some(&found.value)
    }

    pub(crate) fn all<'a>(
        &'a self,
        namespace: &'a str,
        local: &'a str,
    ) -> impl Iterator<Item = &'a Element> {
        let children = self.children.iter();
        children.filter(move |child| child.name.is(namespace, local))
    }

    /// The only child of this name; an error where there are several.
    pub(crate) fn at_most_one<'a>(
        &'a self,
        namespace: &'a str,
        local: &'a str,
    ) -> Result<Option<&'a Element>, XmlError> {
        let mut found = self.all(namespace, local);
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            _ => Err(XmlError("an element is there several times")),
        }
    }

    /// The only child of this name, which must be there.
    pub(crate) fn one<'a>(
        &'a self,
        namespace: &'a str,
        local: &'a str,
    ) -> Result<&'a Element, XmlError> {
        self.at_most_one(namespace, local)?
            .ok_or(XmlError("an element is missing"))
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Sink for Builder {
    fn start(&mut self, name: Name, attributes: Vec<Attribute>) -> Result<(), XmlError> {
        self.open.push(Element {
            name,
            attributes,
            ..Element::default()
        });
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), XmlError> {
        let Some(element) = self.open.pop() else {
            return Err(XmlError("an element ends that has not begun"));
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_text_across_comments_references_and_sections() {
        let root = Element::parse("<a>adm<!-- x -->in&amp;&#x41;<![CDATA[<b>]]></a>").unwrap();
        assert_eq!(root.text, "admin&A<b>");
    }

    #[test]
    fn refuses_what_is_not_plain_xml() {
        for text in [
            "",
            "<a>",
            "<a/><b/>",
            "<a></b>",
            "x<a/>",
            "<a>&b;</a>",
            "<a>&#0;</a>",
            "<a>&#xFFFF;</a>",
            "<a b='1' b='2'/>",
            "<p:a/>",
            "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<?xml version='1.1'?><a/>",
            "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
            &"<a>".repeat(100),
            &format!(
                "<a{}/>",
                (0..65).map(|n| format!(" a{n}=''")).collect::<String>()
            ),
            &(0..13)
                .map(|n| {
                    format!(
                        "<a{}>",
                        (0..10)
                            .map(|m| format!(" xmlns:n{n}x{m}='u'"))
                            .collect::<String>()
                    )
                })
                .chain((0..13).map(|_| "</a>".to_owned()))
                .collect::<String>(),
        ] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a-c:'\"=!&;#x \\-\\[\\]?]{0,60}") {
            let _ = Element::parse(&text);
        }
    }
}
