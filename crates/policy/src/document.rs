//! A policy document: parsed, validated, and still able to show where everything stood.

use std::sync::Arc;

use crate::error::PolicyError;
use crate::json::Position;
use crate::validate::{self, Rules};

/// What a document is attached to. The kind decides which elements it may hold,
/// how large it may be, and with which words it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum DocumentKind {
    /// A customer managed policy (IAM `CreatePolicy`).
    Managed,
    /// An inline policy of a user (IAM `PutUserPolicy`).
    InlineUser,
    /// An inline policy of a group (IAM `PutGroupPolicy`).
    InlineGroup,
    /// An inline policy of a role (IAM `PutRolePolicy`).
    InlineRole,
    /// A role's trust policy (IAM `CreateRole`, `UpdateAssumeRolePolicy`).
    Trust,
    /// An inline session policy (STS `AssumeRole`, `GetFederationToken`).
    Session,
    /// A managed policy in its use as a permissions boundary.
    PermissionsBoundary,
    /// A service control policy (Organizations).
    ServiceControl,
    /// A resource control policy (Organizations).
    ResourceControl,
    /// An ECR repository policy (`SetRepositoryPolicy`).
    EcrRepository,
    /// An ECR registry policy (`PutRegistryPolicy`).
    EcrRegistry,
    /// Any other resource policy.
    Resource,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [DocumentKind; 12] = [
        DocumentKind::Managed,
        DocumentKind::InlineUser,
        DocumentKind::InlineGroup,
        DocumentKind::InlineRole,
        DocumentKind::Trust,
        DocumentKind::Session,
        DocumentKind::PermissionsBoundary,
        DocumentKind::ServiceControl,
        DocumentKind::ResourceControl,
        DocumentKind::EcrRepository,
        DocumentKind::EcrRegistry,
        DocumentKind::Resource,
    ];

    /// The name that the command line uses.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// What it is, in some words.
    pub fn about(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            DocumentKind::Managed => ("managed", "A customer managed policy"),
            DocumentKind::InlineUser => ("inline-user", "An inline policy of a user"),
            DocumentKind::InlineGroup => ("inline-group", "An inline policy of a group"),
            DocumentKind::InlineRole => ("inline-role", "An inline policy of a role"),
            DocumentKind::Trust => ("trust", "A role's trust policy"),
            DocumentKind::Session => ("session", "A session policy"),
            DocumentKind::PermissionsBoundary => ("permissions-boundary", "A permissions boundary"),
            DocumentKind::ServiceControl => ("service-control", "A service control policy (SCP)"),
            DocumentKind::ResourceControl => {
                ("resource-control", "A resource control policy (RCP)")
            }
            DocumentKind::EcrRepository => ("ecr-repository", "An ECR repository policy"),
            DocumentKind::EcrRegistry => ("ecr-registry", "An ECR registry policy"),
            DocumentKind::Resource => ("resource", "Any other resource policy"),
        }
    }

    /// The kind that a document most likely is, by its elements: with a principal and
    /// `sts:AssumeRole…` a trust policy, with a principal a resource policy (ECR's when all
    /// of its actions are), else a managed policy. A guess, for tools that are given a file
    /// and nothing else.
    pub fn detect(json: &str) -> DocumentKind {
        // As a resource policy nearly every document with a principal can be read.
        let Ok(document) = Document::parse_language(json, DocumentKind::Resource) else {
            return DocumentKind::Managed;
        };
        let actions = || {
            let statements = document.statements.iter();
            statements.flat_map(|statement| &statement.action.values)
        };
        let all_of = |prefix: &str| {
            actions().all(|action| action.value.to_ascii_lowercase().starts_with(prefix))
        };
        let names_resources = document.statements.iter().any(|s| s.resource.is_some());
        match (all_of("sts:"), all_of("ecr:"), names_resources) {
            (true, _, false) => DocumentKind::Trust,
            (_, true, false) => DocumentKind::EcrRepository,
            (_, true, true) => DocumentKind::EcrRegistry,
            _ => DocumentKind::Resource,
        }
    }
}

impl std::str::FromStr for DocumentKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<DocumentKind, UnknownKind> {
        let mut all = DocumentKind::ALL.into_iter();
        all.find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}

/// The name of no [`DocumentKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such kind of policy; the kinds are managed, inline-user, inline-group, inline-role, \
         trust, session, permissions-boundary, service-control, resource-control, ecr-repository, \
         ecr-registry and resource"
)]
pub struct UnknownKind;

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

/// A valid policy document.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) kind: DocumentKind,
    pub(crate) version: Version,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) source: Arc<str>,
}

impl Document {
    /// The longest text that is read at all, in bytes. Customers' documents end far below (10,240
    /// characters without white space, and IAM's APIs refuse parameters over 131,072); AWS's own
    /// service role policies, which people evaluate, are up to 150 KB.
    pub const BYTES_MAX: usize = 1 << 20;

    /// Parses and validates `json` as the service would when it is stored as `kind`.
    ///
    /// The limits by kind are those of one document (row 44); inline policies share theirs
    /// among all of one user, group or role, which only the caller can add up
    /// ([`size_without_white_space`]).
    pub fn parse(json: &str, kind: DocumentKind) -> Result<Document, PolicyError> {
        validate::document(json, kind, Rules::Stored)
    }

    /// Parses `json` as the language allows, without the rules for storing it: no limit
    /// but the absolute one, any version, any `Sid`. For scenarios and tools that ask what
    /// a policy would decide.
    pub fn parse_language(json: &str, kind: DocumentKind) -> Result<Document, PolicyError> {
        validate::document(json, kind, Rules::Language)
    }

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

    /// The `AWS` principals named in `Principal` and `NotPrincipal`, in the text's order,
    /// as written; `*` is left out. These are what row 16 pins to unique IDs.
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

/// The characters of a document that count against its quota: all but white space
/// (UG reference_iam-quotas).
pub fn size_without_white_space(json: &str) -> usize {
    json.chars()
        .filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'))
        .count()
}
