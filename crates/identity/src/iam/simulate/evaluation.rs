//! The decisions of a simulation and the members of its answer.
//!
//! An answer has one result for each action. Where `ResourceArns` names resources, the result says
//! what holds for all of them, and `ResourceSpecificResults` what holds for each (IAM API Reference,
//! `EvaluationResult` and the examples of `SimulatePrincipalPolicy`; AWS's recorded answers).

use aws_api::iam::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_api::authorization;
use aws_api::iam::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType, PolicySourceType, ResourceSpecificResult, SimulatePolicyResponse,
    Statement,
};
use policy::{
    ApplicablePolicies, Context, Document, DocumentKind, Effect, Explanation, PolicyRef, PolicySet,
    Principal, Reason, Request, StatementEffect, explain,
};

use authz::AccountControls;

use super::positions::{Span, statement_spans};
use crate::Error;
use crate::iam::context_keys::spelled_keys;
use crate::paging::Page;
use crate::policy_cache::Named;
use crate::proposals::Place;

/// Decisions of one simulation: actions times resources. Each is traced, so they cost.
const DECISIONS_MAX: usize = 10_000;
/// Decisions of one page.
const PAGE_DECISIONS_MAX: usize = 1_000;
/// Bytes of policies times decisions of one page, far less than a second's work. A page of heavy
/// policies is shorter than `MaxItems`, which the API allows ("IAM might return fewer").
const PAGE_WORK_MAX: usize = 32 << 20;
/// Time for one page, for what bytes do not tell: wildcards, long conditions. A page has a decision
/// at least.
const PAGE_TIME_MAX: Duration = Duration::from_millis(200);

/// What both operations ask.
pub(super) struct Simulation {
    pub(super) identity: Vec<Named>,
    pub(super) boundary: Option<Vec<Named>>,
    pub(super) resource_policy: Option<ResourcePolicy>,
    pub(super) principal: Principal,
    pub(super) context: Context,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) resource_account: Option<String>,
    /// What the account's organization imposes on its principals; not asked with custom policies.
    pub(super) controls: Option<Arc<AccountControls>>,
    /// Where the policies are that the request does not contain; a trace shows them to those who may read
    /// them there.
    pub(super) places: Vec<(PolicyRef, Place)>,
}

/// The request's resource policy.
pub(super) struct ResourcePolicy {
    /// The text of the request. Pinning changes the text that decides, so positions are those of
    /// this one.
    pub(super) given: String,
    pub(super) pinned: Named,
}

/// A policy as the answer names it.
struct Source {
    id: String,
    kind: PolicySourceType,
    spans: Vec<Span>,
}

/// The policies of a simulation, read once for all decisions.
struct Policies {
    sources: Vec<Source>,
    identity: Arc<PolicySet>,
    boundary: Option<Arc<PolicySet>>,
    resource: Option<Arc<PolicySet>>,
}

/// A statement: the number of its policy and its own number in it.
type Match = (usize, usize);

/// What is decided for one resource, or for several together.
#[derive(Clone)]
struct Outcome {
    decision: PolicyEvaluationDecisionType,
    matched: BTreeSet<Match>,
    allowed_by_boundary: Option<bool>,
    /// Where the account is in an organization.
    allowed_by_organizations: Option<bool>,
    /// The decision of each policy type, where two accounts take part.
    details: Option<BTreeMap<String, PolicyEvaluationDecisionType>>,
}

impl Simulation {
    /// Decides each action on each resource, as many as a page holds.
    ///
    /// A marker counts decisions. A page that ends within an action has a result for the resources
    /// that it decided, and the next page begins with a result of the same action for the others.
    pub(super) fn run(mut self, page: &Page) -> Result<SimulatePolicyResponse, Error> {
        if self.resources.is_empty() {
            self.resources.push("*".to_owned());
        }
        let resources = self.resources.len();
        let pairs = self.actions.len().saturating_mul(resources);
        if pairs > DECISIONS_MAX {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("Actions times resources must be at most {DECISIONS_MAX}."),
            ));
        }
        let documents = self.identity.iter().chain(self.boundary.iter().flatten());
        let resource_policy = self.resource_policy.iter().map(|policy| &policy.pinned);
        let documents: Vec<Named> = documents.chain(resource_policy).cloned().collect();
        let bytes: usize = documents.iter().map(|named| named.1.source().len()).sum();
        let decisions_max = (PAGE_WORK_MAX / bytes.max(1)).clamp(1, PAGE_DECISIONS_MAX);
        let start = Instant::now();
        let missing = spelled_keys(&documents).into_iter();
        let missing = missing.filter(|key| self.context.get(key).is_none());
        let missing: Vec<String> = missing.collect();
        let policies = self.policies()?;
        let first = usize::try_from(page.after_number()?).unwrap_or(usize::MAX);
        let mut next = first;
        let mut results = Vec::new();
        let mut full = false;
        while !full && next < pairs && results.len() < page.limit() {
            let Some(action) = self.actions.get(next / resources) else {
                break;
            };
            let mut outcomes = Vec::new();
            for resource in self.resources.iter().skip(next % resources) {
                outcomes.push((resource.as_str(), self.decide(&policies, action, resource)));
                next += 1;
                full = next - first >= decisions_max || start.elapsed() > PAGE_TIME_MAX;
                if full {
                    break;
                }
            }
            results.push(self.result(&policies, action, &outcomes, &missing));
        }
        let more = next < pairs;
        Ok(SimulatePolicyResponse {
            evaluation_results: Some(results),
            is_truncated: Some(more),
            marker: more.then(|| Page::marker(&next.to_string())),
        })
    }

    fn policies(&self) -> Result<Policies, Error> {
        let mut sources = Vec::new();
        let identity = compile(&self.identity, &mut sources)?;
        let boundary = match &self.boundary {
            Some(documents) => Some(compile(documents, &mut sources)?),
            None => None,
        };
        let resource = match &self.resource_policy {
            Some(policy) => {
                let at = sources.len();
                let set = compile(std::slice::from_ref(&policy.pinned), &mut sources)?;
                if let Some(source) = sources.get_mut(at) {
                    source.spans = spans(&policy.given)?;
                }
                Some(set)
            }
            None => None,
        };
        Ok(Policies {
            sources,
            identity,
            boundary,
            resource,
        })
    }

    /// One decision, traced.
    fn decide(&self, policies: &Policies, action: &str, resource: &str) -> Outcome {
        if !acts_on(action, resource) {
            return Outcome {
                decision: PolicyEvaluationDecisionType::ImplicitDeny,
                matched: BTreeSet::new(),
                allowed_by_boundary: policies.boundary.as_ref().map(|_| false),
                allowed_by_organizations: self.controls.as_ref().map(|_| false),
                details: None,
            };
        }
        let account = self.resource_account.as_deref();
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: account.map(|owner| owner.split(':').nth(4).unwrap_or(owner)),
            context: &self.context,
        };
        let applicable = ApplicablePolicies {
            identity: Some(&policies.identity),
            boundary: policies.boundary.as_deref(),
            resource: policies.resource.as_deref(),
            ..self.organization()
        };
        let explanation = explain(&request, &applicable);
        let decision = decision(explanation.effect);
        let allowed = decision == PolicyEvaluationDecisionType::Allowed;
        let matched = explanation
            .deciding()
            // A boundary grants nothing: AWS lists its statements where they deny.
            .filter(|(policy, _)| !(allowed && policy.party == Reason::PermissionsBoundary))
            .filter_map(|(policy, statement)| {
                Some((policy.policy.name.parse().ok()?, statement.index))
            });
        let matched = matched.collect();
        let two_accounts = explanation.request.cross_account && policies.resource.is_some();
        Outcome {
            decision,
            matched,
            // A boundary bounds users and roles; root is not bound.
            allowed_by_boundary: policies.boundary.as_ref().map(|_| {
                alone(&explanation, PolicySourceType::PermissionsBoundaryPolicy)
                    .is_none_or(|alone| alone == PolicyEvaluationDecisionType::Allowed)
            }),
            allowed_by_organizations: self.controls.as_ref().map(|_| {
                let alone = policy::decide(&request, &self.organization());
                alone.reason != Reason::ServiceControl
            }),
            details: two_accounts.then(|| {
                let kinds = [
                    PolicySourceType::IamPolicy,
                    PolicySourceType::ResourcePolicy,
                    PolicySourceType::PermissionsBoundaryPolicy,
                ];
                let details = kinds.into_iter().filter_map(|kind| {
                    Some((kind.as_str().to_owned(), alone(&explanation, kind)?))
                });
                details.collect()
            }),
        }
    }

    /// The policies that the account's organization imposes.
    pub(super) fn organization(&self) -> ApplicablePolicies<'_> {
        match &self.controls {
            Some(controls) => ApplicablePolicies {
                service_control: &controls.service_control,
                management_account: controls.is_management,
                ..ApplicablePolicies::default()
            },
            None => ApplicablePolicies::default(),
        }
    }

    /// An action's result for resources that were decided.
    fn result(
        &self,
        policies: &Policies,
        action: &str,
        outcomes: &[(&str, Outcome)],
        missing: &[String],
    ) -> EvaluationResult {
        let mut all = Outcome::together(outcomes.iter().map(|(_, outcome)| outcome));
        let named = !matches!(self.resources.as_slice(), [one] if one == "*");
        if named {
            // AWS shows the member for resources that are named, and leaves it empty in one account.
            all.details.get_or_insert_default();
        }
        let missing = |denied: bool| match denied {
            true => missing.to_vec(),
            false => Vec::new(),
        };
        let is_silent =
            |outcome: &Outcome| outcome.decision == PolicyEvaluationDecisionType::ImplicitDeny;
        let specific = outcomes.iter().map(|(resource, outcome)| {
            let outcome = outcome.clone();
            ResourceSpecificResult {
                eval_resource_name: (*resource).to_owned(),
                eval_resource_decision: outcome.decision,
                matched_statements: Some(policies.statements(&outcome.matched)),
                missing_context_values: Some(missing(is_silent(&outcome))),
                permissions_boundary_decision_detail: boundary_detail(&outcome),
                eval_decision_details: outcome.details,
            }
        });
        let any_silent = outcomes.iter().any(|(_, outcome)| is_silent(outcome));
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: Some(match self.resources.as_slice() {
                [one] => one.clone(),
                several => resource_pattern(action, several),
            }),
            eval_decision: all.decision,
            matched_statements: Some(policies.statements(&all.matched)),
            missing_context_values: Some(missing(any_silent)),
            organizations_decision_detail: all.allowed_by_organizations.map(|allowed| {
                OrganizationsDecisionDetail {
                    allowed_by_organizations: Some(allowed),
                }
            }),
            permissions_boundary_decision_detail: boundary_detail(&all),
            eval_decision_details: all.details,
            resource_specific_results: named.then(|| specific.collect()),
        }
    }
}

impl Outcome {
    /// What holds for all resources together: the strictest decision.
    fn together<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> Outcome {
        use PolicyEvaluationDecisionType::{Allowed, ExplicitDeny};
        let decisions = outcomes.clone().map(|outcome| outcome.decision);
        let decision = decisions.fold(Allowed, strictest);
        let mut all = Outcome {
            decision,
            matched: BTreeSet::new(),
            allowed_by_boundary: None,
            allowed_by_organizations: None,
            details: None,
        };
        for outcome in outcomes {
            // "The deny statement is the only entry included in the result."
            if decision != ExplicitDeny || outcome.decision == ExplicitDeny {
                all.matched.extend(&outcome.matched);
            }
            if let Some(allowed) = outcome.allowed_by_boundary {
                all.allowed_by_boundary = Some(all.allowed_by_boundary.unwrap_or(true) && allowed);
            }
            if let Some(allowed) = outcome.allowed_by_organizations {
                let so_far = all.allowed_by_organizations.unwrap_or(true);
                all.allowed_by_organizations = Some(so_far && allowed);
            }
            for (kind, decision) in outcome.details.iter().flatten() {
                let details = all.details.get_or_insert_default();
                let whole = details.entry(kind.clone()).or_insert(Allowed);
                *whole = strictest(*whole, *decision);
            }
        }
        all
    }
}

impl Policies {
    fn statements(&self, matched: &BTreeSet<Match>) -> Vec<Statement> {
        let statements = matched.iter().filter_map(|&(policy, statement)| {
            let source = self.sources.get(policy)?;
            let span = source.spans.get(statement);
            Some(Statement {
                source_policy_id: Some(source.id.clone()),
                source_policy_type: Some(source.kind),
                start_position: span.map(|span| span.start.clone()),
                end_position: span.map(|span| span.end.clone()),
            })
        });
        statements.collect()
    }
}

fn boundary_detail(outcome: &Outcome) -> Option<PermissionsBoundaryDecisionDetail> {
    outcome
        .allowed_by_boundary
        .map(|allowed| PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary: Some(allowed),
        })
}

fn decision(effect: Effect) -> PolicyEvaluationDecisionType {
    match effect {
        Effect::Allowed => PolicyEvaluationDecisionType::Allowed,
        Effect::ExplicitlyDenied => PolicyEvaluationDecisionType::ExplicitDeny,
        Effect::ImplicitlyDenied => PolicyEvaluationDecisionType::ImplicitDeny,
    }
}

fn strictest(
    one: PolicyEvaluationDecisionType,
    other: PolicyEvaluationDecisionType,
) -> PolicyEvaluationDecisionType {
    use PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};
    match (one, other) {
        (ExplicitDeny, _) | (_, ExplicitDeny) => ExplicitDeny,
        (ImplicitDeny, _) | (_, ImplicitDeny) => ImplicitDeny,
        (Allowed, Allowed) => Allowed,
    }
}

/// What a policy type says by itself. `None` when no policy of the type took part.
fn alone(
    explanation: &Explanation,
    kind: PolicySourceType,
) -> Option<PolicyEvaluationDecisionType> {
    let of_kind = |policy: &&policy::PolicyTrace| source_type(policy.policy.kind) == kind;
    let policies = explanation.policies.iter().filter(of_kind);
    policies.clone().next()?;
    let mut applying = policies
        .flat_map(|policy| &policy.statements)
        .filter(|statement| statement.applies);
    let allows = applying.clone().next().is_some();
    let denies = applying.any(|statement| statement.effect == StatementEffect::Deny);
    Some(match (denies, allows) {
        (true, _) => PolicyEvaluationDecisionType::ExplicitDeny,
        (false, true) => PolicyEvaluationDecisionType::Allowed,
        (false, false) => PolicyEvaluationDecisionType::ImplicitDeny,
    })
}

fn source_type(kind: DocumentKind) -> PolicySourceType {
    match kind {
        DocumentKind::PermissionsBoundary => PolicySourceType::PermissionsBoundaryPolicy,
        DocumentKind::Resource => PolicySourceType::ResourcePolicy,
        _ => PolicySourceType::IamPolicy,
    }
}

/// A managed policy's name; another policy is named already.
fn source_id(policy: &PolicyRef) -> String {
    let managed = matches!(
        policy.kind,
        DocumentKind::Managed | DocumentKind::PermissionsBoundary
    );
    match policy.name.rsplit_once('/') {
        Some((_, name)) if managed && policy.name.starts_with("arn:") => name.to_owned(),
        _ => policy.name.to_string(),
    }
}

fn spans(text: &str) -> Result<Vec<Span>, Error> {
    // The text was read as a policy before.
    statement_spans(text).map_err(|error| Error::internal(error.what))
}

/// Compiles documents for explanations, which are many: each document is read once. A policy's name
/// in the set is its number in `sources`.
fn compile(documents: &[Named], sources: &mut Vec<Source>) -> Result<Arc<PolicySet>, Error> {
    let mut read = Vec::new();
    for (name, document) in documents {
        let text = document.source();
        let parsed = Document::parse_language(text, document.kind()).map_err(Error::internal)?;
        read.push((PolicyRef::new(name.kind, sources.len().to_string()), parsed));
        sources.push(Source {
            id: source_id(name),
            kind: source_type(name.kind),
            spans: spans(text)?,
        });
    }
    let documents = read.iter().map(|(name, document)| (name.clone(), document));
    Ok(Arc::new(PolicySet::compile(documents)))
}

/// The resource forms of some services as AWS's simulator names them where several resources are given,
/// whatever the action (recorded answers: radkawar/stackd, `testdata/aws/iam/simulation_inputs.json`).
const SERVICE_FORMS: [(&str, &str); 7] = [
    (
        "ec2",
        "ec2:${Region}:${Account}:${ResourceType}/${ResourcePath}",
    ),
    ("iam", "iam::${Account}:${ResourceType}/${ResourceName}"),
    ("kms", "kms:${Region}:${Account}:${ResourceType}/${Id}"),
    (
        "lambda",
        "lambda:${Region}:${Account}:${ResourceType}:${ResourceId}",
    ),
    ("s3", "s3:::${BucketName}/${KeyName}"),
    ("sqs", "sqs:${Region}:${Account}:${QueueName}"),
    ("sts", "iam::${Account}:${RelativeId}"),
];

/// What stands for several resources: a form of ARN, with the partition of the first resource. For a
/// service without a recorded form it is that of the action's resource type (Service Authorization
/// Reference), or `*` for an action without one. An action with several types has the one that the first
/// resource is of.
fn resource_pattern(action: &str, resources: &[String]) -> String {
    let resource = resources.first().map_or("", String::as_str);
    let partition = resource.split(':').nth(1).unwrap_or("aws");
    let service = action.split(':').next().unwrap_or_default().to_lowercase();
    let form = SERVICE_FORMS.iter().find(|(name, _)| *name == service);
    if let Some((_, form)) = form.filter(|_| authorization::action(action).is_some()) {
        return format!("arn:{partition}:{form}");
    }
    let patterns: Vec<&str> = patterns(action).collect();
    let of_resource = patterns.iter().find(|pattern| has_form(resource, pattern));
    let pattern = of_resource.or(patterns.first());
    pattern.map_or_else(
        || "*".to_owned(),
        |pattern| pattern.replace("${Partition}", partition),
    )
}

/// The ARN patterns of the resource types that an action acts on.
fn patterns(action: &str) -> impl Iterator<Item = &'static str> {
    let types = authorization::action(action)
        .into_iter()
        .flat_map(|action| action.resource_types());
    types.flat_map(|of_action| of_action.resource_type.arn_patterns.iter().copied())
}

/// Whether an action acts on a resource that is named: one that does not is never allowed, as in AWS's
/// recorded answers (`iam:GetUser` on a queue, `iam:ListUsers` on anything). Of an action that AWS does not
/// know nothing can be said. To the simulator, buckets and objects are alike.
pub(super) fn acts_on(action: &str, resource: &str) -> bool {
    if resource == "*" || authorization::action(action).is_none() {
        return true;
    }
    let is_s3 = action.to_lowercase().starts_with("s3:") && resource.contains(":s3:");
    is_s3 || patterns(action).any(|pattern| has_form(resource, pattern))
}

/// Whether an ARN has the form of a pattern with `${...}` for what differs.
fn has_form(arn: &str, pattern: &str) -> bool {
    let mut literals = pattern
        .split("${")
        .map(|piece| match piece.split_once('}') {
            Some((_, literal)) => literal,
            None => piece,
        });
    let first = literals.next().unwrap_or_default();
    let Some(mut rest) = arn.strip_prefix(first) else {
        return false;
    };
    let mut last = first;
    for literal in literals {
        let Some((_, after)) = rest.split_once(literal) else {
            return false;
        };
        rest = after;
        last = literal;
    }
    // A pattern ends in a variable or in a literal.
    last.is_empty() || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_resources_are_named_by_the_pattern_of_their_type() {
        let bucket = "arn:aws:s3:::${BucketName}/${KeyName}";
        for (action, resource, pattern) in [
            ("s3:GetObject", "arn:aws:s3:::b/k", bucket.to_owned()),
            ("s3:ListBucket", "arn:aws:s3:::b", bucket.to_owned()),
            (
                "iam:GetUser",
                "arn:aws-cn:sqs:cn-north-1:123456789012:one",
                "arn:aws-cn:iam::${Account}:${ResourceType}/${ResourceName}".to_owned(),
            ),
            (
                "ECR:putimage",
                "arn:aws:s3:::b",
                "arn:aws:ecr:${Region}:${Account}:repository/${RepositoryName}".to_owned(),
            ),
            (
                "ecr:GetAuthorizationToken",
                "arn:aws:s3:::b",
                "*".to_owned(),
            ),
            ("none:Such", "arn:aws:s3:::b", "*".to_owned()),
        ] {
            assert_eq!(
                resource_pattern(action, &[resource.to_owned()]),
                pattern,
                "{action}"
            );
        }
    }
}
