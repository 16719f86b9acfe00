//! The policy simulator: what would be decided, without doing it (UG
//! access_policies_testing-policies).

mod evaluation;
mod input;
mod positions;
mod traced;

use aws_api::iam::ErrorCode;
use std::sync::Arc;

use aws_api::iam::{
    ContextEntry, ContextKeyTypeEnum, SimulateCustomPolicyRequest, SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest,
};
use policy::{
    CompiledDocument, Context, ContextValue, Document, DocumentKind, PolicyError, PolicyRef,
    Principal,
};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::group;

use self::evaluation::{ResourcePolicy, Simulation};
use self::input::Input;
use crate::paging::Page;
use crate::pinning::pin;
use crate::policy_cache::{Named, account_of, entity_by_arn};
use crate::proposals::Place;
use crate::{Authorized, Error, Identity, messages};

pub use self::traced::{SimulationTrace, TracedPolicy, TracedStatement};

impl Identity {
    /// `SimulatePrincipalPolicy`: the policies of a user (with its groups'), group or role,
    /// those of the request beside them, and the service control policies on the account (IAM API
    /// Reference, `OrganizationsDecisionDetail`).
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub async fn simulate_principal_policy(
        &self,
        cx: &Authorized,
        input: SimulatePrincipalPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let simulation = self.principal_simulation(cx, input).await?;
        self.simulate(simulation, page).await
    }

    async fn principal_simulation(
        &self,
        cx: &Authorized,
        input: SimulatePrincipalPolicyRequest,
    ) -> Result<Simulation, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let source = policy_source(conn, cx, &input.policy_source_arn).await?;
        input::check(&Input {
            actions: &input.action_names,
            resources: input.resource_arns.as_deref().unwrap_or_default(),
            boundaries: input.permissions_boundary_policy_input_list.as_deref(),
            entries: input.context_entries.as_deref(),
            resource_policy: input.resource_policy.as_deref(),
            has_caller: input.caller_arn.is_some() || source.kind == Kind::User,
            resource_owner: input.resource_owner.as_deref(),
        })?;
        let mut identity = Vec::new();
        let mut places = Vec::new();
        for (place, named) in self.source_documents(conn, &source).await? {
            places.push((named.0.clone(), place));
            identity.push(named);
        }
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
                    let place = |(name, _): &Named| (name.clone(), Place::managed(arn.clone()));
                    places.extend(found.iter().map(place));
                    Some(found.into_iter().collect())
                }
                None => None,
            },
        };
        let caller = match (&input.caller_arn, source.kind) {
            (Some(arn), _) => principal(conn, cx, arn).await?,
            // A role or a group calls nothing itself; its policies are asked alone.
            (None, _) => Principal::user(source.arn(), Some(&source.unique_id)),
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
            controls: None,
            places,
        };
        drop(read);
        Ok(Simulation {
            controls: self.account_controls(cx.account).await?,
            ..simulation
        })
    }

    /// `SimulateCustomPolicy`: the request's policies alone.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub async fn simulate_custom_policy(
        &self,
        cx: &Authorized,
        input: SimulateCustomPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let simulation = self.custom_simulation(cx, input).await?;
        self.simulate(simulation, page).await
    }

    async fn custom_simulation(
        &self,
        cx: &Authorized,
        input: SimulateCustomPolicyRequest,
    ) -> Result<Simulation, Error> {
        input::check(&Input {
            actions: &input.action_names,
            resources: input.resource_arns.as_deref().unwrap_or_default(),
            boundaries: input.permissions_boundary_policy_input_list.as_deref(),
            entries: input.context_entries.as_deref(),
            resource_policy: input.resource_policy.as_deref(),
            has_caller: input.caller_arn.is_some(),
            resource_owner: input.resource_owner.as_deref(),
        })?;
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
        Ok(Simulation {
            identity,
            boundary,
            resource_policy: resource_policy(&mut conn, input.resource_policy).await?,
            principal,
            context: context(base, input.context_entries),
            actions: input.action_names,
            resources: input.resource_arns.unwrap_or_default(),
            resource_account: input.resource_owner,
            controls: None,
            places: Vec::new(),
        })
    }

    /// Decides on a thread of its own, one simulation after the other, so that a large one
    /// holds up nobody but other simulations. The caller holds no connection meanwhile.
    async fn simulate(
        &self,
        simulation: Simulation,
        page: Page,
    ) -> Result<SimulatePolicyResponse, Error> {
        self.compute(move || simulation.run(&page)).await?
    }

    pub(super) async fn source_documents(
        &self,
        conn: &mut Conn<'_>,
        source: &Entity,
    ) -> Result<Vec<(Place, Named)>, Error> {
        let mut documents = Vec::new();
        self.documents_of(conn, source, &mut documents).await?;
        if source.kind == Kind::User {
            for group in group::of_user(conn, source.id).await? {
                self.documents_of(conn, &group, &mut documents).await?;
            }
        }
        Ok(documents)
    }

    /// The policies of one entity, the inline ones named as in AWS's answers:
    /// `user_alice_ReadOnly` (IAM API Reference, SimulatePrincipalPolicy, *Same-Account Simulation*).
    /// A managed policy that is attached twice counts once.
    async fn documents_of(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
        into: &mut Vec<(Place, Named)>,
    ) -> Result<(), Error> {
        let mut documents = Vec::new();
        let policies = &self.0.policies;
        policies.of_entity(conn, entity, &mut documents).await?;
        for (name, document) in documents {
            let place = Place::of_holder(entity, &name);
            if name.kind != DocumentKind::Managed {
                let holder = format!("{}_{}", entity.kind.as_str(), entity.name);
                let name = PolicyRef::new(name.kind, format!("{holder}_{}", name.name));
                into.push((place, (name, document)));
            } else if !into.iter().any(|(_, (other, _))| *other == name) {
                into.push((place, (name, document)));
            }
        }
        Ok(())
    }
}

/// The user, group or role of `PolicySourceArn`, in the caller's account.
pub(super) async fn policy_source(
    conn: &mut Conn<'_>,
    cx: &Authorized,
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
async fn principal(conn: &mut Conn<'_>, cx: &Authorized, arn: &str) -> Result<Principal, Error> {
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
        _ => Err(Error::new(
            ErrorCode::InvalidInput,
            format!("CallerArn {arn} is not the ARN of a user or role that exists."),
        )),
    }
}

/// The policies of a request, named after the parameter and numbered, as AWS does.
pub(super) fn given(
    texts: Option<Vec<String>>,
    kind: DocumentKind,
    into: &mut Vec<Named>,
) -> Result<(), Error> {
    let parameter = match kind {
        DocumentKind::PermissionsBoundary => "PermissionsBoundaryPolicyInputList",
        _ => "PolicyInputList",
    };
    for (number, text) in texts.unwrap_or_default().iter().enumerate() {
        let document = Document::parse_language(text, kind).map_err(unreadable)?;
        let name = format!("{parameter}.{}", number + 1);
        into.push((PolicyRef::new(kind, name), CompiledDocument::new(&document)));
    }
    Ok(())
}

/// A policy of the request that cannot be read. These operations have no `MalformedPolicyDocument` (IAM API
/// Reference, SimulateCustomPolicy and GetContextKeysForCustomPolicy, "Errors").
fn unreadable(refused: PolicyError) -> Error {
    Error::new(ErrorCode::InvalidInput, refused.message)
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
) -> Result<Option<ResourcePolicy>, Error> {
    let Some(given) = text else { return Ok(None) };
    let kind = DocumentKind::Resource;
    let document = Document::parse_language(&given, kind).map_err(unreadable)?;
    let pinned = Document::parse_language(&pin(conn, &document).await?, kind)?;
    let name = PolicyRef::new(kind, "ResourcePolicy");
    Ok(Some(ResourcePolicy {
        given,
        pinned: (name, CompiledDocument::new(&pinned)),
    }))
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
