//! The union of several documents, indexed by action and resource.

use std::sync::Arc;

use crate::compiled::{Compiled, CompiledDocument, Grant, MatchContext, Patterns};
use crate::document::{Document, StatementEffect};
use crate::document_kind::DocumentKind;
use crate::heap;
use crate::pattern::Pattern;
use crate::trie::{Forest, ForestBuilder, Root, Trie};

/// Names a policy, in explanations and audit records.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicyRef {
    /// What the document is.
    pub kind: DocumentKind,
    /// The managed policy's ARN, the inline policy's name, the resource's ARN.
    #[serde(serialize_with = "crate::policy_set::serialize_text")]
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

/// A union of documents, indexed for decisions. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    policies: Box<[PolicyRef]>,
    documents: Box<[CompiledDocument]>,
    /// All statements: the number of the document, and the place there.
    statements: Box<[(u32, u32)]>,
    deny: Index,
    allow: Index,
    heap_bytes: usize,
}

/// Statements by their actions' literal prefix, then by their resources' literal prefix
/// or suffix, whichever is longer: `arn:aws:ecr:*:111122223333:repository/app` is told
/// apart by its end.
#[derive(Debug, Default)]
struct Index {
    forest: Forest,
    by_action: Root,
    by_resource: Box<[ByResource]>,
    /// Lists of statements: how many there are, then their numbers.
    numbers: Box<[u32]>,
}

/// The trees of the resources of one action. Their values are places in `Index::numbers`.
#[derive(Clone, Copy, Debug)]
struct ByResource {
    prefixes: Root,
    /// Filed backwards.
    suffixes: Root,
}

/// An index while it grows.
#[derive(Default)]
struct IndexBuilder {
    by_action: Trie<Resources>,
}

#[derive(Default)]
struct Resources {
    prefixes: Trie<Vec<u32>>,
    suffixes: Trie<Vec<u32>>,
}

/// A statement with many actions and many resources is filed under one of the two only,
/// so that the index grows with the document, not with its square.
const FILED_MAX: usize = 64;

/// The statements of a set that allow a request: the first for each way of naming the
/// principal, by [`Grant`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allows {
    first: [Option<u32>; 3],
}

impl Allows {
    /// The closest grant.
    pub fn best(&self) -> Option<(Grant, u32)> {
        [Grant::Direct, Grant::Issuer, Grant::Account]
            .into_iter()
            .find_map(|grant| Some((grant, self.first[grant as usize]?)))
    }
}

impl PolicySet {
    /// Compiles the union of `docs`, for decisions and explanations. For a set that is cached, use
    /// [`PolicySet::union`], which keeps less.
    pub fn compile<'a>(docs: impl IntoIterator<Item = (PolicyRef, &'a Document)>) -> PolicySet {
        let docs = docs.into_iter();
        PolicySet::union(
            docs.map(|(policy, document)| (policy, CompiledDocument::retaining(document))),
        )
    }

    /// The union of documents that are compiled already; they are shared, not copied.
    pub fn union(docs: impl IntoIterator<Item = (PolicyRef, CompiledDocument)>) -> PolicySet {
        let (policies, documents): (Vec<_>, Vec<_>) = docs.into_iter().unzip();
        let mut statements = Vec::new();
        let (mut deny, mut allow) = (IndexBuilder::default(), IndexBuilder::default());
        for (number, document) in documents.iter().enumerate() {
            for (index, statement) in document.statements().iter().enumerate() {
                let filed_in = match statement.effect {
                    StatementEffect::Allow => &mut allow,
                    StatementEffect::Deny => &mut deny,
                };
                filed_in.file(statements.len() as u32, statement);
                statements.push((number as u32, index as u32));
            }
        }
        let mut inner = Inner {
            policies: policies.into(),
            documents: documents.into(),
            statements: statements.into(),
            deny: deny.build(),
            allow: allow.build(),
            heap_bytes: 0,
        };
        inner.heap_bytes = inner.count_heap_bytes();
        PolicySet {
            inner: Arc::new(inner),
        }
    }

    /// The bytes that the set keeps on the heap, its documents included. Documents and names that it
    /// shares with others are counted in full, so caches that add up their sets never hold more than
    /// they count.
    pub fn heap_bytes(&self) -> usize {
        self.inner.heap_bytes
    }

    /// Whether it holds no statement: it allows nothing.
    pub fn is_empty(&self) -> bool {
        self.inner.statements.is_empty()
    }

    /// The policies it was compiled from.
    pub fn policies(&self) -> &[PolicyRef] {
        &self.inner.policies
    }

    /// The policies with their documents.
    pub fn documents(&self) -> impl Iterator<Item = (&PolicyRef, &CompiledDocument)> {
        self.inner.policies.iter().zip(&self.inner.documents)
    }

    /// The first Deny that applies.
    pub(crate) fn denies(&self, cx: &MatchContext<'_>) -> Option<u32> {
        let mut first: Option<u32> = None;
        self.inner.deny.candidates(cx, |number| {
            let earlier = first.is_none_or(|first| number < first);
            if earlier && self.statement(number).applies(cx).is_some() {
                first = Some(number);
            }
        });
        first
    }

    /// The Allows that apply.
    pub(crate) fn allows(&self, cx: &MatchContext<'_>) -> Allows {
        let mut allows = Allows::default();
        self.inner.allow.candidates(cx, |number| {
            if let Some(grant) = self.statement(number).applies(cx) {
                let first = &mut allows.first[grant as usize];
                *first = Some(first.map_or(number, |first| first.min(number)));
            }
        });
        allows
    }

    pub(crate) fn statement(&self, number: u32) -> &Compiled {
        let (document, index) = self.inner.statements[number as usize];
        &self.inner.documents[document as usize].statements()[index as usize]
    }

    /// The policy that a statement stands in.
    pub(crate) fn policy(&self, number: u32) -> &PolicyRef {
        &self.inner.policies[self.inner.statements[number as usize].0 as usize]
    }
}

impl Inner {
    fn count_heap_bytes(&self) -> usize {
        let names = self
            .policies
            .iter()
            .map(|policy| heap::shared_str(&policy.name));
        let documents = self.documents.iter().map(CompiledDocument::heap_bytes);
        heap::shared(self)
            + heap::slice(&self.policies)
            + names.sum::<usize>()
            + heap::slice(&self.documents)
            + documents.sum::<usize>()
            + heap::slice(&self.statements)
            + self.deny.heap_bytes()
            + self.allow.heap_bytes()
    }
}

impl Index {
    fn candidates(&self, cx: &MatchContext<'_>, mut visit: impl FnMut(u32)) {
        self.forest.visit_prefixes(self.by_action, cx.action, |at| {
            let ByResource { prefixes, suffixes } = self.by_resource[at as usize];
            let mut all = |at: u32| {
                let numbers = &self.numbers[at as usize..];
                let Some((&count, numbers)) = numbers.split_first() else {
                    return;
                };
                numbers[..count as usize]
                    .iter()
                    .for_each(|&number| visit(number));
            };
            self.forest.visit_prefixes(prefixes, cx.resource, &mut all);
            self.forest.visit_suffixes(suffixes, cx.resource, &mut all);
        });
    }

    fn heap_bytes(&self) -> usize {
        self.forest.heap_bytes() + heap::slice(&self.by_resource) + heap::slice(&self.numbers)
    }
}

impl IndexBuilder {
    fn file(&mut self, number: u32, statement: &Compiled) {
        let mut actions = ends(Some(&statement.action));
        let mut resources = ends(statement.resource.as_ref());
        if actions.len() * resources.len() > FILED_MAX {
            if actions.len() > resources.len() {
                actions = vec![End::Prefix("")];
            } else {
                resources = vec![End::Prefix("")];
            }
        }
        // Actions are filed by their prefix alone: `*Image` is filed under the empty one.
        let mut actions: Vec<&str> = actions.iter().map(End::prefix).collect();
        actions.sort_unstable();
        actions.dedup_by(|longer, shorter| longer.starts_with(*shorter));
        for action in actions {
            let by_resource = self.by_action.entry(action.as_bytes());
            for resource in &resources {
                by_resource.file(*resource, number);
            }
        }
    }

    fn build(self) -> Index {
        let mut forest = ForestBuilder::default();
        let mut numbers = Vec::new();
        let mut by_resource = Vec::new();
        let mut resources = Vec::new();
        let by_action = forest.plant(self.by_action, |trees| {
            resources.push(trees);
            resources.len() as u32 - 1
        });
        let mut list = |statements: Vec<u32>| {
            let at = numbers.len() as u32;
            numbers.push(statements.len() as u32);
            numbers.extend(statements);
            at
        };
        for trees in resources {
            by_resource.push(ByResource {
                prefixes: forest.plant(trees.prefixes, &mut list),
                suffixes: forest.plant(trees.suffixes, &mut list),
            });
        }
        Index {
            forest: forest.build(),
            by_action,
            by_resource: by_resource.into(),
            numbers: numbers.into(),
        }
    }
}

impl Resources {
    fn file(&mut self, end: End<'_>, number: u32) {
        let numbers = match end {
            End::Prefix(text) => self.prefixes.entry(text.as_bytes()),
            End::Suffix(text) => {
                let backwards: Vec<u8> = text.bytes().rev().collect();
                self.suffixes.entry(&backwards)
            }
        };
        if numbers.last() != Some(&number) {
            numbers.push(number);
        }
    }
}

/// Literal text that every match starts or ends with.
#[derive(Clone, Copy)]
enum End<'a> {
    Prefix(&'a str),
    Suffix(&'a str),
}

impl<'a> End<'a> {
    fn prefix(&self) -> &'a str {
        match self {
            End::Prefix(text) => text,
            End::Suffix(_) => "",
        }
    }
}

/// The literal ends of which a matching text has at least one.
fn ends(patterns: Option<&Patterns>) -> Vec<End<'_>> {
    let Some(patterns) = patterns.filter(|patterns| !patterns.not) else {
        return vec![End::Prefix("")];
    };
    let fitting = patterns
        .patterns
        .iter()
        .filter(|pattern| !matches!(pattern, Pattern::Never));
    fitting
        .map(|pattern| {
            let (prefix, suffix) = (pattern.literal_prefix(), pattern.literal_suffix());
            if suffix.len() > prefix.len() {
                End::Suffix(suffix)
            } else {
                End::Prefix(prefix)
            }
        })
        .collect()
}

/// `Arc<str>` as a JSON string, without serde's `rc` feature for the whole tree.
pub(crate) fn serialize_text<S: serde::Serializer>(
    text: &Arc<str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::principal::Principal;

    #[test]
    fn an_empty_set_allows_nothing() {
        let set = PolicySet::default();
        let cx = MatchContext {
            principal: &Principal::root("111122223333"),
            action: "any:thing",
            resource: "*",
            context: &Context::new(),
            has_boundary: false,
        };
        assert!(set.is_empty() && set.allows(&cx).best().is_none());
        assert!(set.denies(&cx).is_none());
    }
}
