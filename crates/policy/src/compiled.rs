//! Compiled statements, and how their elements match a request.

use std::sync::Arc;

use crate::condition::Condition;
use crate::context::Context;
use crate::document::{
    Document, Element, PrincipalElement, PrincipalEntry, Statement, StatementEffect, Version,
};
use crate::document_kind::DocumentKind;
use crate::heap;
use crate::pattern::Pattern;
use crate::principal::{Principal, PrincipalKind};
use crate::principal_syntax::NamedPrincipal;
use crate::resource;

/// What the statements of policies are compared with.
#[derive(Clone, Copy)]
pub(crate) struct MatchContext<'a> {
    pub principal: &'a Principal,
    /// In lower evaluation.
    pub action: &'a str,
    pub resource: &'a str,
    pub context: &'a Context,
    /// A Deny with `NotPrincipal` applies to every principal that has one, whatever it lists (docs/semantics.md#53;
    /// UG reference_policies_elements_notprincipal).
    pub has_boundary: bool,
}

/// How closely a resource policy names the principal. It decides which implicit denials
/// of other policies still count (UG reference_policies_evaluation-logic: the table of
/// resource-based policies and implicit denies).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Grant {
    /// The account is named: its own policies must allow as well (docs/semantics.md#7).
    Account,
    /// The role of the session, the user behind the federated user: boundary and session
    /// policies still limit (docs/semantics.md#1).
    Issuer,
    /// The user, the session, or everyone: nothing else need allow (docs/semantics.md, rules 2 to 4).
    Direct,
}

/// A document, compiled once, for all sets that it is a part of. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct CompiledDocument(Arc<DocumentParts>);

#[derive(Debug)]
struct DocumentParts {
    kind: DocumentKind,
    source: Arc<str>,
    statements: Box<[Compiled]>,
    heap_bytes: usize,
    /// For explanations; otherwise the source is read again.
    parsed: Option<Document>,
}

impl CompiledDocument {
    /// Compiles a document.
    pub fn new(document: &Document) -> CompiledDocument {
        CompiledDocument::with(document, None)
    }

    /// Compiles a document and keeps it for explanations, which then do not read its text again. It is
    /// not counted in [`CompiledDocument::heap_bytes`]: for sets that are not cached.
    pub(crate) fn retaining(document: &Document) -> CompiledDocument {
        CompiledDocument::with(document, Some(document.clone()))
    }

    fn with(document: &Document, parsed: Option<Document>) -> CompiledDocument {
        let statements = document.statements().iter().enumerate();
        let statements: Box<[Compiled]> = statements
            .map(|(index, source)| Compiled::new(document, index, source))
            .collect();
        let own = statements.iter().map(Compiled::heap_bytes).sum::<usize>();
        let mut parts = DocumentParts {
            kind: document.kind(),
            source: document.shared_source(),
            heap_bytes: own + heap::slice(&statements) + heap::shared_str(document.source()),
            statements,
            parsed,
        };
        parts.heap_bytes += heap::shared(&parts);
        CompiledDocument(Arc::new(parts))
    }

    /// The kind that the document was parsed as.
    pub fn kind(&self) -> DocumentKind {
        self.0.kind
    }

    /// The document's text, byte for byte.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The bytes that the document keeps on the heap: its text and all that was compiled of it. Each
    /// clone counts them in full.
    pub fn heap_bytes(&self) -> usize {
        self.0.heap_bytes
    }

    pub(crate) fn statements(&self) -> &[Compiled] {
        &self.0.statements
    }

    pub(crate) fn parsed(&self) -> Option<&Document> {
        self.0.parsed.as_ref()
    }
}

#[derive(Debug)]
pub(crate) struct Compiled {
    /// Its place in the document.
    pub index: usize,
    pub sid: Option<Arc<str>>,
    pub effect: StatementEffect,
    pub action: Patterns,
    pub resource: Option<Patterns>,
    principal: Option<Principals>,
    pub conditions: Box<[Condition]>,
}

/// `Action` or `Resource`, or its `Not` form.
#[derive(Debug)]
pub(crate) struct Patterns {
    pub not: bool,
    pub patterns: Box<[Pattern]>,
}

impl Patterns {
    fn new<P: IntoIterator<Item = Pattern>>(
        element: &Element,
        patterns: impl Fn(&str) -> P,
    ) -> Patterns {
        let texts = element.values.iter().map(|text| &*text.value);
        Patterns {
            not: element.not,
            patterns: texts.flat_map(patterns).collect(),
        }
    }

    fn heap_bytes(&self) -> usize {
        let own = self.patterns.iter().map(Pattern::heap_bytes);
        heap::slice(&self.patterns) + own.sum::<usize>()
    }

    pub fn matches(&self, text: &str, context: &Context) -> bool {
        let listed = self
            .patterns
            .iter()
            .any(|pattern| pattern.matches(text, context));
        listed != self.not
    }
}

#[derive(Debug)]
struct Principals {
    not: bool,
    /// An Allow of a trust policy: its `*` does not include the identities of OIDC and SAML
    /// providers, which must be named by their provider.
    excludes_providers: bool,
    entries: Box<[PrincipalPattern]>,
}

/// A listed principal, as requests are compared with it.
#[derive(Debug)]
enum PrincipalPattern {
    Everyone,
    Account(Arc<str>),
    /// A user, a role, a session.
    Arn(Arc<str>),
    /// `AIDA...` or `AROA...` (docs/semantics.md#16).
    UniqueId(Arc<str>),
    AnyService,
    Service(Arc<str>),
    Federated(Arc<str>),
    /// A principal that no request here comes from.
    Nobody,
}

impl PrincipalPattern {
    fn new(entry: &PrincipalEntry) -> PrincipalPattern {
        let text = || Arc::clone(&entry.text.value);
        match NamedPrincipal::parse(entry.kind, &entry.text.value) {
            Some(NamedPrincipal::Everyone) => PrincipalPattern::Everyone,
            Some(NamedPrincipal::Account(account)) => PrincipalPattern::Account(account.into()),
            Some(
                NamedPrincipal::User { .. }
                | NamedPrincipal::Role { .. }
                | NamedPrincipal::RoleSession { .. }
                | NamedPrincipal::FederatedUser { .. },
            ) => PrincipalPattern::Arn(text()),
            Some(NamedPrincipal::UniqueId(_)) => PrincipalPattern::UniqueId(text()),
            Some(NamedPrincipal::AnyService) => PrincipalPattern::AnyService,
            Some(NamedPrincipal::Service(_)) => PrincipalPattern::Service(text()),
            Some(NamedPrincipal::OidcProvider(_) | NamedPrincipal::SamlProvider(_)) => {
                PrincipalPattern::Federated(text())
            }
            Some(NamedPrincipal::OriginAccessIdentity | NamedPrincipal::CanonicalUser(_))
            | None => PrincipalPattern::Nobody,
        }
    }
}

impl Compiled {
    fn new(document: &Document, index: usize, source: &Statement) -> Compiled {
        let version = document.version();
        let resource = |text: &str| resource_patterns(text, document.kind(), version);
        let excludes_providers =
            document.kind() == DocumentKind::Trust && source.effect == StatementEffect::Allow;
        Compiled {
            index,
            sid: source.sid.as_ref().map(|sid| Arc::clone(&sid.value)),
            effect: source.effect,
            action: Patterns::new(&source.action, |text| [Pattern::action(text)]),
            resource: source
                .resource
                .as_ref()
                .map(|element| Patterns::new(element, resource)),
            principal: source
                .principal
                .as_ref()
                .map(|element| Principals::new(element, excludes_providers)),
            conditions: conditions(source, version),
        }
    }

    fn heap_bytes(&self) -> usize {
        let conditions = self.conditions.iter().map(Condition::heap_bytes);
        let resource = self.resource.as_ref().map_or(0, Patterns::heap_bytes);
        let principal = self.principal.as_ref().map_or(0, Principals::heap_bytes);
        self.action.heap_bytes()
            + resource
            + principal
            + self.sid.as_deref().map_or(0, heap::shared_str)
            + heap::slice(&self.conditions)
            + conditions.sum::<usize>()
    }

    pub fn matches_action(&self, cx: &MatchContext<'_>) -> bool {
        self.action.matches(cx.action, cx.context)
    }

    pub fn matches_resource(&self, cx: &MatchContext<'_>) -> bool {
        self.resource
            .as_ref()
            .is_none_or(|resource| resource.matches(cx.resource, cx.context))
    }

    /// How the statement names the principal; `None`: it does not. Statements without the
    /// element are those of identity policies, which apply to the principal that they are attached to.
    pub fn matches_principal(&self, cx: &MatchContext<'_>) -> Option<Grant> {
        match &self.principal {
            None => Some(Grant::Direct),
            Some(principals) => principals.matches(cx),
        }
    }

    /// Whether the whole statement applies, and how it names the principal.
    pub fn applies(&self, cx: &MatchContext<'_>) -> Option<Grant> {
        if !self.matches_action(cx) || !self.matches_resource(cx) {
            return None;
        }
        let grant = self.matches_principal(cx)?;
        let conditions = &self.conditions;
        conditions
            .iter()
            .all(|condition| condition.holds(cx.context))
            .then_some(grant)
    }
}

/// What an entry of `Resource` matches: itself, and if it is an incomplete ARN, the completed one.
/// Both, because a `*` at the end of a field may match colons: `arn:aws:ec2:*:instance/*` has five
/// fields and is complete.
fn resource_patterns(
    text: &str,
    kind: DocumentKind,
    version: Version,
) -> impl Iterator<Item = Pattern> + use<> {
    let full = match kind {
        DocumentKind::Resource => resource::in_full(text),
        _ => text.into(),
    };
    let written = Pattern::resource(&full, version);
    let completed = resource::completes_arns(kind)
        .then(|| Pattern::completed(text, version))
        .flatten();
    std::iter::once(written).chain(completed)
}

fn conditions(source: &Statement, version: Version) -> Box<[Condition]> {
    let entries = source.conditions.iter();
    entries
        .filter_map(|entry| Condition::new(entry, source.effect, version))
        .collect()
}

impl Principals {
    fn new(element: &PrincipalElement, excludes_providers: bool) -> Principals {
        Principals {
            not: element.not,
            excludes_providers,
            entries: element.entries.iter().map(PrincipalPattern::new).collect(),
        }
    }

    fn heap_bytes(&self) -> usize {
        let own = self.entries.iter().map(|entry| match entry {
            PrincipalPattern::Account(text)
            | PrincipalPattern::Arn(text)
            | PrincipalPattern::UniqueId(text)
            | PrincipalPattern::Service(text)
            | PrincipalPattern::Federated(text) => heap::shared_str(text),
            PrincipalPattern::Everyone
            | PrincipalPattern::AnyService
            | PrincipalPattern::Nobody => 0,
        });
        heap::slice(&self.entries) + own.sum::<usize>()
    }

    fn matches(&self, cx: &MatchContext<'_>) -> Option<Grant> {
        if self.not {
            return (!self.exempts(cx)).then_some(Grant::Direct);
        }
        self.entries
            .iter()
            .filter_map(|named| self.names(named, cx.principal))
            .max()
    }

    fn names(&self, named: &PrincipalPattern, principal: &Principal) -> Option<Grant> {
        let aws = principal.kind.is_aws();
        let is = |yes: bool, grant| yes.then_some(grant);
        match named {
            PrincipalPattern::Everyone => is(
                !self.excludes_providers || !principal.kind.is_federated(),
                Grant::Direct,
            ),
            PrincipalPattern::Account(account) => {
                let grant = match principal.kind {
                    PrincipalKind::Root => Grant::Direct,
                    _ => Grant::Account,
                };
                is(aws && *account == principal.account, grant)
            }
            PrincipalPattern::Arn(arn) if aws && *arn == principal.arn => Some(Grant::Direct),
            PrincipalPattern::Arn(arn) => is(
                aws && principal.issuer_arn.as_ref() == Some(arn),
                Grant::Issuer,
            ),
            PrincipalPattern::UniqueId(id) => {
                let grant = match principal.kind {
                    PrincipalKind::User => Grant::Direct,
                    _ => Grant::Issuer,
                };
                is(aws && principal.unique_id.as_ref() == Some(id), grant)
            }
            PrincipalPattern::AnyService => {
                is(principal.kind == PrincipalKind::Service, Grant::Direct)
            }
            PrincipalPattern::Service(name) => is(
                principal.kind == PrincipalKind::Service && *name == principal.arn,
                Grant::Direct,
            ),
            PrincipalPattern::Federated(provider) => is(
                principal.kind.is_federated() && *provider == principal.arn,
                Grant::Direct,
            ),
            PrincipalPattern::Nobody => None,
        }
    }

    /// Whether `NotPrincipal` exempts the principal: its account, its role and its session must all be
    /// listed (docs/semantics.md#18).
    fn exempts(&self, cx: &MatchContext<'_>) -> bool {
        let principal = cx.principal;
        let lists = |wanted: &dyn Fn(&PrincipalPattern) -> bool| self.entries.iter().any(wanted);
        if principal.kind.is_aws() && cx.has_boundary {
            return false;
        }
        if lists(&|named| matches!(named, PrincipalPattern::Everyone)) {
            return true;
        }
        if !principal.kind.is_aws() {
            return lists(&|named| self.names(named, principal).is_some());
        }
        let account = lists(
            &|named| matches!(named, PrincipalPattern::Account(a) if *a == principal.account),
        );
        let itself = principal.kind == PrincipalKind::Root
            || lists(&|named| match named {
                PrincipalPattern::Arn(arn) => *arn == principal.arn,
                PrincipalPattern::UniqueId(id) => {
                    principal.kind == PrincipalKind::User
                        && principal.unique_id.as_ref() == Some(id)
                }
                _ => false,
            });
        let role = principal.kind != PrincipalKind::RoleSession
            || lists(&|named| match named {
                PrincipalPattern::Arn(arn) => principal.issuer_arn.as_ref() == Some(arn),
                PrincipalPattern::UniqueId(id) => principal.unique_id.as_ref() == Some(id),
                _ => false,
            });
        account && itself && role
    }
}
