//! A compiled union of documents.

use std::sync::Arc;

use crate::document::{Document, DocumentKind};

/// Whose statement it is, for explanations and audit records.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicyRef {
    /// What the document is.
    pub kind: DocumentKind,
    /// The managed policy's ARN, the inline policy's name, the resource's ARN.
    #[serde(serialize_with = "crate::set::serialize_text")]
    pub name: Arc<str>,
}

impl PolicyRef {
    /// A reference by kind and name or ARN.
    pub fn new(kind: DocumentKind, name: impl Into<Arc<str>>) -> PolicyRef {
        PolicyRef {
            kind,
            name: name.into(),
        }
    }
}

/// A union of documents, compiled once and asked often. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    statements: Vec<()>,
}

impl PolicySet {
    /// Compiles the union of `docs`.
    pub fn compile<'a>(docs: impl IntoIterator<Item = (PolicyRef, &'a Document)>) -> PolicySet {
        let _ = docs.into_iter().count();
        PolicySet::default()
    }

    /// Whether it holds no statement: it allows nothing.
    pub fn is_empty(&self) -> bool {
        self.inner.statements.is_empty()
    }
}

/// `Arc<str>` as a JSON string, without serde's `rc` feature for the whole tree.
pub(crate) fn serialize_text<S: serde::Serializer>(
    text: &Arc<str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
