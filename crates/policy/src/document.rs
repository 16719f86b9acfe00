//! A policy document: parsed and validated, with the position of each part.

use std::sync::Arc;

use crate::document_kind::DocumentKind;
use crate::json::Position;

/// The policy language's version: it decides whether `${...}` is a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Version {
    /// `2008-10-17`, also when `Version` is absent: `${...}` is literal text.
    V2008,
    /// `2012-10-17`: variables are expanded.
    V2012,
}

/// A string of the document with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The string, escapes resolved.
    pub value: Arc<str>,
    /// Where it starts.
    pub position: Position,
}

/// `Allow` or `Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum StatementEffect {
    /// The statement grants.
    Allow,
    /// The statement forbids.
    Deny,
}

/// `Action`/`NotAction` or `Resource`/`NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The `Not...` form.
    pub not: bool,
    /// The listed strings, in their order.
    pub values: Vec<Text>,
    /// Where the element's name stands.
    pub position: Position,
}

/// The key under which a principal is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum PrincipalType {
    /// `"Principal": "*"`: everyone, written without a type.
    Everyone,
    /// `AWS`: accounts, users, roles, sessions, or `*`.
    Aws,
    /// `Service`: a service principal such as `ec2.amazonaws.com`.
    Service,
    /// `Federated`: an OIDC or SAML provider's ARN.
    Federated,
    /// `CanonicalUser`: an S3 canonical user ID.
    CanonicalUser,
}

/// One listed principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// The key it stands under.
    pub kind: PrincipalType,
    /// The principal as written.
    pub text: Text,
    /// The string's place in the text, quotes included, in bytes.
    pub(crate) span: (u32, u32),
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalElement {
    /// `NotPrincipal`.
    pub not: bool,
    /// All listed principals.
    pub entries: Vec<PrincipalEntry>,
    /// Where the element's name stands.
    pub position: Position,
}

/// One line of a `Condition` block: operator, key and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionEntry {
    /// The operator as written, e.g. `ForAnyValue:StringLikeIfExists`.
    pub operator: Text,
    /// The condition key as written.
    pub key: Text,
    /// The values; JSON booleans and numbers are kept as their text.
    pub values: Vec<Text>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<Text>,
    /// `Effect`.
    pub effect: StatementEffect,
    /// `Principal` or `NotPrincipal`, in resource and trust policies.
    pub principal: Option<PrincipalElement>,
    /// `Action` or `NotAction`.
    pub action: Element,
    /// `Resource` or `NotResource`; absent in trust policies and where ECR implies it.
    pub resource: Option<Element>,
    /// The condition block, flattened.
    pub conditions: Vec<ConditionEntry>,
    /// Where the statement starts.
    pub position: Position,
}

/// A valid policy document. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) kind: DocumentKind,
    pub(crate) version: Version,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) statements: Arc<[Statement]>,
    pub(crate) source: Arc<str>,
}

impl Document {
    /// The longest text that is read at all, in bytes. Customers' documents end far below (10,240
    /// characters without white space, and IAM's APIs refuse parameters over 131,072); AWS's own
    /// service role policies, which people evaluate, are up to 150 KB.
    pub const BYTES_MAX: usize = 1 << 20;

    /// The kind it was parsed as.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The language version, `V2008` when the document names none.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The document's `Id`.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The statements in their order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The text it was parsed from, byte for byte.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn shared_source(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    /// The `AWS` principals named in `Principal` and `NotPrincipal`, in the text's order,
    /// as written; `*` is left out. These are what docs/semantics.md#16 pins to unique IDs.
    pub fn principals(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .filter_map(|s| s.principal.as_ref())
            .flat_map(|p| p.entries.iter())
            .filter(|e| e.kind == PrincipalType::Aws && &*e.text.value != "*")
            .map(|e| &*e.text.value)
    }

    /// The document's text with `AWS` principals replaced where `f` answers with another:
    /// ARNs by unique IDs before storing, and back before showing. Everything else stays
    /// byte for byte.
    pub fn map_principals(&self, mut f: impl FnMut(&str) -> Option<String>) -> String {
        let mut entries: Vec<&PrincipalEntry> = self
            .statements
            .iter()
            .filter_map(|statement| statement.principal.as_ref())
            .flat_map(|principal| principal.entries.iter())
            .filter(|entry| entry.kind == PrincipalType::Aws)
            .collect();
        entries.sort_by_key(|entry| entry.span);
        let mut text = String::with_capacity(self.source.len());
        let mut done = 0;
        for entry in entries {
            if let Some(other) = f(&entry.text.value) {
                let (start, end) = (entry.span.0 as usize, entry.span.1 as usize);
                text.push_str(&self.source[done..start]);
                text.push_str(&serde_json::Value::String(other).to_string());
                done = end;
            }
        }
        text.push_str(&self.source[done..]);
        text
    }
}

/// The characters of a document that count against a quota of IAM's: all but white space
/// (UG reference_iam-quotas). [`DocumentKind::size_of`] counts for every kind.
pub fn size_without_white_space(json: &str) -> usize {
    json.chars()
        .filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'))
        .count()
}
