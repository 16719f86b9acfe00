//! A compiled union of documents.

use std::sync::Arc;

use crate::compiled::{Compiled, Grant, MatchContext, Patterns};
use crate::document::{Document, StatementEffect};
use crate::document_kind::DocumentKind;
use crate::pattern::Pattern;
use crate::trie::Trie;

/// Whose statement it is, for explanations and audit records.
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

/// A union of documents, compiled once and asked often. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    policies: Vec<PolicyRef>,
    statements: Vec<Compiled>,
    deny: Index,
    allow: Index,
}

/// Statements by their actions' literal prefix, then by their resources' literal prefix
/// or suffix, whichever is longer: `arn:aws:ecr:*:111122223333:repository/app` is told
/// apart by its end.
#[derive(Debug, Default)]
struct Index {
    by_action: Trie<ByResource>,
}

#[derive(Debug, Default)]
struct ByResource {
    prefixes: Trie<Vec<u32>>,
    /// Filed backwards.
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
    /// Compiles the union of `docs`.
    pub fn compile<'a>(docs: impl IntoIterator<Item = (PolicyRef, &'a Document)>) -> PolicySet {
        let mut inner = Inner::default();
        for (number, (policy, document)) in docs.into_iter().enumerate() {
            inner.policies.push(policy);
            for (index, source) in document.statements().iter().enumerate() {
                let statement = Compiled::new(document, number, index, source);
                let filed_in = match source.effect {
                    StatementEffect::Allow => &mut inner.allow,
                    StatementEffect::Deny => &mut inner.deny,
                };
                filed_in.file(inner.statements.len() as u32, &statement);
                inner.statements.push(statement);
            }
        }
        PolicySet {
            inner: Arc::new(inner),
        }
    }

    /// Whether it holds no statement: it allows nothing.
    pub fn is_empty(&self) -> bool {
        self.inner.statements.is_empty()
    }

    /// The policies it was compiled from.
    pub fn policies(&self) -> &[PolicyRef] {
        &self.inner.policies
    }

    pub(crate) fn statements(&self) -> &[Compiled] {
        &self.inner.statements
    }

    pub(crate) fn policy(&self, statement: &Compiled) -> &PolicyRef {
        &self.inner.policies[statement.policy]
    }

    /// The first Deny that applies.
    pub(crate) fn denies(&self, cx: &MatchContext<'_>) -> Option<&Compiled> {
        let mut first: Option<u32> = None;
        self.inner.deny.candidates(cx, |number| {
            let earlier = first.is_none_or(|first| number < first);
            if earlier && self.inner.statements[number as usize].applies(cx).is_some() {
                first = Some(number);
            }
        });
        first.map(|number| &self.inner.statements[number as usize])
    }

    /// The Allows that apply.
    pub(crate) fn allows(&self, cx: &MatchContext<'_>) -> Allows {
        let mut allows = Allows::default();
        self.inner.allow.candidates(cx, |number| {
            if let Some(grant) = self.inner.statements[number as usize].applies(cx) {
                let first = &mut allows.first[grant as usize];
                *first = Some(first.map_or(number, |first| first.min(number)));
            }
        });
        allows
    }

    pub(crate) fn statement(&self, number: u32) -> &Compiled {
        &self.inner.statements[number as usize]
    }
}

impl Index {
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
        // An action's end says little: `*Image` is filed under its prefix, the empty one.
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

    fn candidates(&self, cx: &MatchContext<'_>, mut visit: impl FnMut(u32)) {
        self.by_action.visit_prefixes(cx.action, |by_resource| {
            let mut all = |numbers: &Vec<u32>| numbers.iter().for_each(|&number| visit(number));
            by_resource.prefixes.visit_prefixes(cx.resource, &mut all);
            by_resource.suffixes.visit_suffixes(cx.resource, &mut all);
        });
    }
}

impl ByResource {
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
