//! The document tree that signatures are checked on, and canonical XML of its parts. This module alone
//! knows the libraries: `uppsala` parses, `bergshamra-c14n` canonicalizes.
//!
//! Neither has to be right for a forged response to be refused: only the canonical bytes that were
//! digested are read further (see [`crate::signature`]). A mistake there refuses good responses.

use std::collections::HashMap;

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;
use uppsala::{Document, NodeId, Parser};

use crate::xml::{DEPTH_MAX, XmlError, check};

/// A document.
pub(crate) struct Tree<'t> {
    document: Document<'t>,
    root: NodeId,
    /// Every element, in the order of the document.
    elements: Vec<NodeId>,
}

/// An element of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(NodeId);

/// A canonicalization that a signature names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Canonicalization(C14nMode);

impl Canonicalization {
    /// What applies where a reference names none (XML Signature, section 4.4.3.2).
    pub(crate) const DEFAULT: Canonicalization = Canonicalization(C14nMode::Inclusive);

    pub(crate) fn from_uri(uri: &str) -> Option<Canonicalization> {
        C14nMode::from_uri(uri).map(Canonicalization)
    }
}

impl<'t> Tree<'t> {
    pub(crate) fn parse(text: &'t str) -> Result<Tree<'t>, XmlError> {
        // The bounds of the other reader hold here as well, and a document type is refused twice.
        check(text)?;
        let document = Parser::new()
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .with_max_depth(u32::try_from(DEPTH_MAX).unwrap_or(u32::MAX))
            .parse(text)
            .map_err(|_| XmlError("the XML is not well-formed"))?;
        let root = document
            .document_element()
            .ok_or(XmlError("the XML has no root"))?;
        let mut elements = vec![root];
        elements.extend(document.descendants(root));
        elements.retain(|id| document.element(*id).is_some());
        Ok(Tree {
            document,
            root,
            elements,
        })
    }

    pub(crate) fn root(&self) -> Node {
        Node(self.root)
    }

    pub(crate) fn is(&self, node: Node, namespace: &str, local: &str) -> bool {
        let element = self.document.element(node.0);
        element.is_some_and(|element| element.matches_name_ns(namespace, local))
    }

    /// Every element of this name, at any depth.
    pub(crate) fn all(&self, namespace: &str, local: &str) -> Vec<Node> {
        let nodes = self.elements.iter().map(|id| Node(*id));
        nodes
            .filter(|node| self.is(*node, namespace, local))
            .collect()
    }

    pub(crate) fn parent(&self, node: Node) -> Option<Node> {
        self.document.parent(node.0).map(Node)
    }

    /// The child elements.
    pub(crate) fn children(&self, node: Node) -> Vec<Node> {
        let children = self.document.children_iter(node.0);
        children
            .filter(|id| self.document.element(*id).is_some())
            .map(Node)
            .collect()
    }

    /// The value of an attribute without a namespace.
    pub(crate) fn attribute(&self, node: Node, local: &str) -> Option<&str> {
        let element = self.document.element(node.0)?;
        let found = element.attributes.iter().find(|attribute| {
            attribute.name.namespace_uri.is_none() && attribute.name.local_name == local
        })?;
        Some(&found.value)
    }

    /// The text of an element, across comments.
    pub(crate) fn text(&self, node: Node) -> String {
        self.document.text_content_deep(node.0)
    }

    /// How many elements have each identifier, whatever the case of the attribute's name and its
    /// namespace: what another reader could take for an identifier counts too.
    pub(crate) fn identifiers(&self) -> HashMap<&str, usize> {
        let mut counts = HashMap::new();
        for element in self
            .elements
            .iter()
            .filter_map(|id| self.document.element(*id))
        {
            for attribute in &element.attributes {
                let name = &attribute.name.local_name;
                if name.eq_ignore_ascii_case("id") || name.eq_ignore_ascii_case("assertionid") {
                    *counts.entry(&*attribute.value).or_insert(0) += 1;
                }
            }
        }
        counts
    }

    /// The canonical bytes of an element without `without`, an element inside it.
    pub(crate) fn canonical(
        &self,
        node: Node,
        without: Option<Node>,
        canonicalization: Canonicalization,
        prefixes: &[String],
    ) -> Result<Vec<u8>, XmlError> {
        let mode = canonicalization.0;
        // A same-document reference by `#ID` selects no comments (XML Signature, section 4.4.3.3).
        let mut nodes = NodeSet::tree_without_comments(node.0, &self.document);
        if let Some(without) = without {
            nodes.remove_id(without.0);
            for descendant in self.document.descendants(without.0) {
                nodes.remove_id(descendant);
            }
        }
        canonicalize_doc(&self.document, mode, Some(&nodes), prefixes)
            .map_err(|_| XmlError("the XML cannot be canonicalized"))
    }
}
