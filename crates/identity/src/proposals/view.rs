//! What `ProposeChange` answers, with the place of each document that it shows, so that the server leaves out
//! what the asking principal may not read.

use policy::{Effect, Explanation, Reason, StatementEffect};

use super::Case;
use super::draft::{ChangeKind, Place};
use crate::denial_notes::policy_type;

/// The answer.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The request.
    pub request_id: String,
    /// What is decided now; `None` where the principal is gone.
    pub effect: Option<Effect>,
    /// The policy types in the order of evaluation.
    pub steps: Vec<Step>,
    /// The changes, which allow the request together; empty where none would.
    pub changes: Vec<ProposedChange>,
    /// What a reader must know.
    pub note: Option<String>,
}

/// One policy type.
#[derive(Clone, Debug)]
pub struct Step {
    /// In the words of the IAM User Guide.
    pub policy_type: &'static str,
    /// Whether its policies allow the request, deny it, or say nothing.
    pub outcome: Outcome,
    /// Whether this is the type that stopped the request.
    pub is_decisive: bool,
    /// The statement that decided, or that came nearest.
    pub statement: Option<StatementView>,
}

/// What a policy type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allows,
    Denies,
    Silent,
}

/// A statement, and how each of its elements compares with the request.
#[derive(Clone, Debug)]
pub struct StatementView {
    /// Where it is.
    pub place: Place,
    /// Its position in its policy.
    pub index: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// Whether it allows.
    pub is_allow: bool,
    /// Its elements.
    pub elements: Vec<policy::ElementTrace>,
}

/// One changed document.
#[derive(Clone, Debug)]
pub struct ProposedChange {
    /// Where it is.
    pub place: Place,
    /// The policy type.
    pub policy_type: &'static str,
    /// What the change does.
    pub kind: ChangeKind,
    /// The same in words.
    pub description: String,
    /// The document as it is; absent where there is none.
    pub old_document: Option<String>,
    /// The document that allows the request.
    pub new_document: String,
}

impl Proposal {
    pub(super) fn without_change(request_id: String, note: String) -> Proposal {
        Proposal {
            request_id,
            effect: None,
            steps: Vec::new(),
            changes: Vec::new(),
            note: Some(note),
        }
    }
}

impl Case {
    pub(super) fn proposal(
        self,
        first: &Explanation,
        is_allowed: bool,
        note: Option<String>,
    ) -> Proposal {
        let changes = self.drafts.all().filter_map(|(party, draft)| {
            let (kind, description) = draft.change.clone()?;
            Some(ProposedChange {
                place: draft.place.clone(),
                policy_type: policy_type(party),
                kind,
                description,
                old_document: (!draft.original.is_empty()).then(|| draft.original.clone()),
                new_document: draft.current.clone(),
            })
        });
        let changes = match is_allowed {
            true => changes.collect(),
            false => Vec::new(),
        };
        let mut notes: Vec<String> = note.into_iter().collect();
        if first.effect == Effect::Allowed {
            notes.push("The policies allow the request now.".to_owned());
        }
        if self.request.has_session_policy {
            notes.push(
                "The request was made with session policies, which are not kept: they must allow it as well."
                    .to_owned(),
            );
        }
        Proposal {
            steps: self.steps(first),
            request_id: self.request.request_id,
            effect: Some(first.effect),
            changes,
            note: (!notes.is_empty()).then(|| notes.join(" ")),
        }
    }

    /// The policy types that take part, in the order of evaluation.
    fn steps(&self, explanation: &Explanation) -> Vec<Step> {
        let order = [
            Reason::ResourceControl,
            Reason::ServiceControl,
            Reason::Trust,
            Reason::Resource,
            Reason::Identity,
            Reason::PermissionsBoundary,
        ];
        let steps = order.into_iter().filter_map(|party| {
            let policies = || {
                explanation
                    .policies
                    .iter()
                    .filter(|policy| policy.party == party)
            };
            let missing = explanation
                .missing
                .iter()
                .find(|missing| missing.party == party);
            let is_asked = match party {
                Reason::Identity => self.drafts.owner.is_some(),
                _ => false,
            };
            if policies().next().is_none() && missing.is_none() && !is_asked {
                return None;
            }
            let applying = |effect| {
                policies().find_map(|policy| {
                    let mut statements = policy.statements.iter();
                    let found = statements
                        .find(|statement| statement.applies && statement.effect == effect);
                    found.map(|statement| (policy, statement))
                })
            };
            let nearest = || {
                let place = &missing?.nearest.as_ref()?.statement;
                let policy = policies().find(|policy| policy.policy == place.policy)?;
                Some((policy, policy.statements.get(place.index)?))
            };
            let (outcome, found) = match (
                applying(StatementEffect::Deny),
                applying(StatementEffect::Allow),
            ) {
                (Some(denies), _) => (Outcome::Denies, Some(denies)),
                (None, Some(allows)) if missing.is_none() => (Outcome::Allows, Some(allows)),
                // RCPs always allow.
                (None, None) if party == Reason::ResourceControl => (Outcome::Allows, None),
                _ => (Outcome::Silent, nearest()),
            };
            let statement = found.map(|(policy, statement)| {
                let place = match self.drafts.find(&policy.policy) {
                    Some(draft) => draft.place.clone(),
                    None => Place::Organization(policy.policy.name.to_string()),
                };
                StatementView {
                    place,
                    index: statement.index,
                    sid: statement.sid.clone(),
                    is_allow: statement.effect == StatementEffect::Allow,
                    elements: statement.elements.clone(),
                }
            });
            Some(Step {
                policy_type: policy_type(party),
                outcome,
                is_decisive: explanation.effect != Effect::Allowed && explanation.reason == party,
                statement,
            })
        });
        steps.collect()
    }
}
