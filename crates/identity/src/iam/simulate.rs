//! The policy simulator: what would be decided, without doing it (UG
//! access_policies_testing-policies).

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_api::iam::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType, PolicySourceType, Position, SimulateCustomPolicyRequest,
    SimulatePolicyResponse, SimulatePrincipalPolicyRequest, Statement,
};
use policy::{
    ApplicablePolicies, CompiledDocument, Context, ContextValue, Document, DocumentKind, Effect,
    PolicyRef, PolicySet, Principal, Request, explain,
};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::group;

use super::context_keys::context_keys;
use crate::paging::Page;
use crate::pinning::pin;
use crate::policy_cache::{Named, account_of, entity_by_arn};
use crate::{Call, Error, Identity, messages};

/// Decisions of one simulation: actions times resources. Each is traced, so they cost.
const DECISIONS_MAX: usize = 10_000;
/// Bytes of policies times decisions of one page, far less than a second's work. A page of heavy
/// policies is shorter than `MaxItems`, which the API allows ("IAM might return fewer").
const PAGE_WORK_MAX: usize = 32 << 20;
/// Time for one page, for what bytes do not tell: wildcards, long conditions. A page has a result
/// at least.
const PAGE_TIME_MAX: Duration = Duration::from_millis(200);

/// What both operations ask.
struct Simulation {
    identity: Vec<Named>,
    boundary: Option<Vec<Named>>,
    resource_policy: Option<Named>,
    principal: Principal,
    context: Context,
    actions: Vec<String>,
    resources: Vec<String>,
    resource_account: Option<String>,
}

impl Identity {
    /// `SimulatePrincipalPolicy`: the policies of a user (with its groups'), group or role,
    /// and those of the request beside them.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`; `MalformedPolicyDocument` for a given policy.
    pub async fn simulate_principal_policy(
        &self,
        cx: &Call,
        input: SimulatePrincipalPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let source = policy_source(conn, cx, &input.policy_source_arn).await?;
        let mut identity = self.source_documents(conn, &source).await?;
        given(
            input.policy_input_list,
            DocumentKind::InlineRole,
            &mut identity,
        )?;
        let boundary = match input.permissions_boundary_policy_input_list {
            Some(texts) => Some(given_boundary(texts)?),
            None => match &source.boundary_arn {
                Some(arn) => {
                    let kind = DocumentKind::PermissionsBoundary;
                    let found = self.0.policies.managed(conn, arn, kind).await?;
                    Some(found.into_iter().collect())
                }
                None => None,
            },
        };
        let caller = match (&input.caller_arn, source.kind) {
            (Some(arn), _) => principal(conn, cx, arn).await?,
            (None, Kind::User) => Principal::user(source.arn(), Some(&source.unique_id)),
            // A role or a group calls nothing itself; its policies are asked alone.
            (None, _) if input.resource_policy.is_none() => {
                Principal::user(source.arn(), Some(&source.unique_id))
            }
            (None, _) => {
                return Err(Error::InvalidInput(
                    "CallerArn must be specified with a ResourcePolicy when PolicySourceArn is \
                     not a user."
                        .to_owned(),
                ));
            }
        };
        let known = input.caller_arn.is_some() || source.kind == Kind::User;
        let base = if known {
            caller.context()
        } else {
            Context::new()
        };
        let simulation = Simulation {
            identity,
            boundary,
            resource_policy: resource_policy(conn, input.resource_policy).await?,
            principal: caller,
            context: context(base, input.context_entries),
            actions: input.action_names,
            resources: input.resource_arns.unwrap_or_default(),
            resource_account: input.resource_owner,
        };
        drop(read);
        self.simulate(simulation, page).await
    }

    /// `SimulateCustomPolicy`: the request's policies alone.
    ///
    /// # Errors
    /// `InvalidInput`; `MalformedPolicyDocument`.
    pub async fn simulate_custom_policy(
        &self,
        cx: &Call,
        input: SimulateCustomPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let mut identity = Vec::new();
        let texts = Some(input.policy_input_list);
        given(texts, DocumentKind::InlineRole, &mut identity)?;
        let boundary = input
            .permissions_boundary_policy_input_list
            .map(given_boundary)
            .transpose()?;
        let (principal, base) = match &input.caller_arn {
            Some(arn) => {
                let principal = principal(&mut conn, cx, arn).await?;
                let context = principal.context();
                (principal, context)
            }
            None => {
                // Somebody of the account, of whom nothing is known.
                let arn = format!("arn:aws:iam::{}:user/simulated", cx.account);
                (Principal::user(arn, None), Context::new())
            }
        };
        let simulation = Simulation {
            identity,
            boundary,
            resource_policy: resource_policy(&mut conn, input.resource_policy).await?,
            principal,
            context: context(base, input.context_entries),
            actions: input.action_names,
            resources: input.resource_arns.unwrap_or_default(),
            resource_account: input.resource_owner,
        };
        drop(read);
        self.simulate(simulation, page).await
    }

    /// Decides on a thread of its own, one simulation after the other, so that a large one
    /// holds up nobody but other simulations. The caller holds no connection meanwhile.
    async fn simulate(
        &self,
        simulation: Simulation,
        page: Page,
    ) -> Result<SimulatePolicyResponse, Error> {
        let turn = Arc::clone(&self.0.simulating);
        let turn = turn.acquire_owned().await.map_err(Error::internal)?;
        let run = tokio::task::spawn_blocking(move || {
            let result = simulation.run(page);
            // Not before the work ends, also when the client has gone.
            drop(turn);
            result
        });
        run.await.map_err(Error::internal)?
    }

    pub(super) async fn source_documents(
        &self,
        conn: &mut Conn<'_>,
        source: &Entity,
    ) -> Result<Vec<Named>, Error> {
        let mut documents = Vec::new();
        self.0
            .policies
            .of_entity(conn, source, &mut documents)
            .await?;
        if source.kind == Kind::User {
            for group in group::of_user(conn, source.id).await? {
                self.0
                    .policies
                    .of_entity(conn, &group, &mut documents)
                    .await?;
            }
        }
        Ok(documents)
    }
}

/// The user, group or role of `PolicySourceArn`, in the caller's account.
pub(super) async fn policy_source(
    conn: &mut Conn<'_>,
    cx: &Call,
    arn: &str,
) -> Result<Entity, Error> {
    let found = entity_by_arn(conn, arn).await?;
    let holds = |kind| matches!(kind, Kind::User | Kind::Group | Kind::Role);
    found
        .filter(|found| found.account == cx.account.as_str() && holds(found.kind))
        .ok_or_else(messages::policy_source_not_found)
}

/// The principal of `CallerArn`: root, or a user or role of the caller's account. Another account's are
/// not looked up, so that the answer does not tell whether they exist.
async fn principal(conn: &mut Conn<'_>, cx: &Call, arn: &str) -> Result<Principal, Error> {
    if let Some(account) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.strip_suffix(":root"))
    {
        return Ok(Principal::root(account));
    }
    let found = match account_of(arn) == Some(cx.account.as_str()) {
        true => entity_by_arn(conn, arn).await?,
        false => None,
    };
    match found {
        Some(found) if found.kind == Kind::User => Ok(Principal::user(arn, Some(&found.unique_id))),
        Some(found) if found.kind == Kind::Role => {
            let session = crate::authenticate::session_arn(&found, "simulated");
            Ok(Principal::role_session(
                session,
                arn,
                Some(&found.unique_id),
            ))
        }
        _ => Err(Error::InvalidInput(format!(
            "CallerArn {arn} is not the ARN of a user or role that exists."
        ))),
    }
}

/// The policies of a request, numbered as AWS names them.
pub(super) fn given(
    texts: Option<Vec<String>>,
    kind: DocumentKind,
    into: &mut Vec<Named>,
) -> Result<(), Error> {
    for (number, text) in texts.unwrap_or_default().iter().enumerate() {
        let document = Document::parse_language(text, kind)?;
        let name = format!("PolicyInputList.{}", number + 1);
        into.push((PolicyRef::new(kind, name), CompiledDocument::new(&document)));
    }
    Ok(())
}

fn given_boundary(texts: Vec<String>) -> Result<Vec<Named>, Error> {
    let mut boundary = Vec::new();
    given(
        Some(texts),
        DocumentKind::PermissionsBoundary,
        &mut boundary,
    )?;
    Ok(boundary)
}

async fn resource_policy(
    conn: &mut Conn<'_>,
    text: Option<String>,
) -> Result<Option<Named>, Error> {
    let Some(text) = text else { return Ok(None) };
    let kind = DocumentKind::Resource;
    let document = Document::parse_language(&text, kind)?;
    let pinned = Document::parse_language(&pin(conn, &document).await?, kind)?;
    let name = PolicyRef::new(kind, "ResourcePolicy");
    Ok(Some((name, CompiledDocument::new(&pinned))))
}

fn context(mut context: Context, entries: Option<Vec<ContextEntry>>) -> Context {
    use ContextKeyTypeEnum as T;
    for entry in entries.unwrap_or_default() {
        let Some(name) = entry.context_key_name else {
            continue;
        };
        let values = entry.context_key_values.unwrap_or_default();
        let mut values = values.into_iter().map(Arc::from);
        let list = matches!(
            entry.context_key_type,
            Some(
                T::StringList
                    | T::NumericList
                    | T::BooleanList
                    | T::IpList
                    | T::BinaryList
                    | T::DateList
            )
        );
        if list {
            context.insert(&name, ContextValue::Many(values.collect()));
        } else if let Some(value) = values.next() {
            context.insert(&name, ContextValue::One(value));
        }
    }
    context
}

impl Simulation {
    /// Decides each action on each resource.
    fn run(mut self, page: Page) -> Result<SimulatePolicyResponse, Error> {
        if self.resources.is_empty() {
            self.resources.push("*".to_owned());
        }
        let pairs = self.actions.len().saturating_mul(self.resources.len());
        if pairs > DECISIONS_MAX {
            return Err(Error::InvalidInput(format!(
                "Actions times resources must be at most {DECISIONS_MAX}."
            )));
        }
        let documents = self.identity.iter().chain(self.boundary.iter().flatten());
        let documents: Vec<Named> = documents.chain(&self.resource_policy).cloned().collect();
        let bytes: usize = documents.iter().map(|named| named.1.source().len()).sum();
        let mut page = page.at_most(PAGE_WORK_MAX / bytes.max(1));
        let start = Instant::now();
        let missing = context_keys(&documents).into_iter();
        let missing = missing.filter(|key| self.context.get(key).is_none());
        let missing: Vec<String> = missing.collect();
        let identity = compile(&self.identity)?;
        let boundary = self.boundary.as_deref().map(compile).transpose()?;
        let resource = self.resource_policy.as_ref();
        let resource = resource.map(|named| compile(std::slice::from_ref(named)));
        let resource = resource.transpose()?;
        let account = self.resource_account.as_deref();
        let account = account.map(|owner| owner.split(':').nth(4).unwrap_or(owner).to_owned());
        let after = page.after_number()?;
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        let rows = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let mut results = Vec::new();
        let asked = self.actions.iter().flat_map(|action| {
            let resources = self.resources.iter();
            resources.map(move |resource| (action, resource))
        });
        for (number, (action, arn)) in asked.enumerate().skip(first).take(rows) {
            let request = Request {
                principal: &self.principal,
                action,
                resource: arn,
                resource_account: account.as_deref(),
                context: &self.context,
            };
            let applicable = ApplicablePolicies {
                identity: Some(&identity),
                boundary: boundary.as_deref(),
                resource: resource.as_deref(),
                ..ApplicablePolicies::default()
            };
            let result = result(&request, &applicable, boundary.as_deref(), &missing);
            results.push((number + 1, result));
            // The last one only shows that there are more: the next page has it.
            if results.len() > 1 && start.elapsed() > PAGE_TIME_MAX {
                page = page.at_most(results.len() - 1);
                break;
            }
        }
        let cut = page.cut(results, |result| result.0.to_string());
        Ok(SimulatePolicyResponse {
            evaluation_results: Some(cut.items.into_iter().map(|result| result.1).collect()),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }
}

/// Compiles documents for explanations, which are many: each document is read once.
fn compile(documents: &[Named]) -> Result<Arc<PolicySet>, Error> {
    let read = documents.iter().map(|(name, document)| {
        let read = Document::parse_language(document.source(), document.kind());
        Ok((name.clone(), read.map_err(Error::internal)?))
    });
    let read: Vec<(PolicyRef, Document)> = read.collect::<Result<_, Error>>()?;
    let documents = read.iter().map(|(name, document)| (name.clone(), document));
    Ok(Arc::new(PolicySet::compile(documents)))
}

/// One decision, traced.
fn result(
    request: &Request<'_>,
    applicable: &ApplicablePolicies<'_>,
    boundary: Option<&PolicySet>,
    missing: &[String],
) -> EvaluationResult {
    let explanation = explain(request, applicable);
    let matched = explanation.deciding().map(|(policy, statement)| Statement {
        source_policy_id: Some(policy.policy.name.to_string()),
        source_policy_type: Some(source_type(&policy.policy)),
        start_position: Some(Position {
            line: i32::try_from(statement.position.line).ok(),
            column: i32::try_from(statement.position.column).ok(),
        }),
        end_position: None,
    });
    let by_boundary = boundary.map(|boundary| {
        let alone = ApplicablePolicies {
            identity: Some(boundary),
            ..ApplicablePolicies::default()
        };
        PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary: Some(policy::decide(request, &alone).is_allowed()),
        }
    });
    EvaluationResult {
        eval_action_name: request.action.to_owned(),
        eval_resource_name: Some(request.resource.to_owned()),
        eval_decision: match explanation.effect {
            Effect::Allowed => PolicyEvaluationDecisionType::Allowed,
            Effect::ExplicitlyDenied => PolicyEvaluationDecisionType::ExplicitDeny,
            Effect::ImplicitlyDenied => PolicyEvaluationDecisionType::ImplicitDeny,
        },
        matched_statements: Some(matched.collect()),
        missing_context_values: Some(missing.to_vec()),
        organizations_decision_detail: None,
        permissions_boundary_decision_detail: by_boundary,
        eval_decision_details: None,
        resource_specific_results: None,
    }
}

fn source_type(policy: &PolicyRef) -> PolicySourceType {
    match policy.kind {
        DocumentKind::InlineUser => PolicySourceType::User,
        DocumentKind::InlineGroup => PolicySourceType::Group,
        DocumentKind::InlineRole if policy.name.starts_with("PolicyInputList.") => {
            PolicySourceType::None
        }
        DocumentKind::InlineRole => PolicySourceType::Role,
        DocumentKind::Resource => PolicySourceType::Resource,
        _ if policy.name.starts_with(crate::managed::ARN_PREFIX) => PolicySourceType::AwsManaged,
        _ => PolicySourceType::UserManaged,
    }
}
