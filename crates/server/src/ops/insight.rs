//! The operations of `berth` that evaluate requests which nobody makes: they read policies of several kinds and
//! resources of both domains, and show only what the caller may read where it is.

use authz::{EntityKind, Facts as _, RequestContext, Requirements, ResourceSelector, require};
use aws_api::berth::{
    ChangeType, ComparedElement, ComparedStatement, Decision, ListAllowedPrincipalsRequest,
    ListAllowedPrincipalsResponse, PolicyOutcome, PolicyStep, ProposeChangeRequest,
    ProposeChangeResponse, ProposedChange,
};
use aws_api::{Operation, iam};
use aws_types::{AccountId, Arn};
use identity::proposals::{self, ChangeKind, Outcome, Place, ResourceSide, StatementView};
use policy::{Context, ContextValue, Effect};

use crate::app::App;
use crate::authorize::{self, Authorized};
use crate::error::ApiError;

/// `ProposeChange`: a denied request evaluated again, and what would allow it.
pub(super) async fn propose_change(
    app: &App,
    ok: Authorized<ProposeChangeRequest>,
) -> Result<ProposeChangeResponse, ApiError> {
    let context = ok.context().clone();
    let (proof, input) = ok.into_parts();
    let identity = &app.identity;
    let request = identity.denied_request(&proof, &input.request_id).await?;
    let (side, _) = resource_side(app, &context, &request.action, &request.resource).await?;
    let proposal = identity.propose_change(&proof, request, side).await?;
    let mut steps = Vec::new();
    for step in proposal.steps {
        let statement = match step.statement {
            Some(statement) if lacks(app, &context, &statement.place).await?.is_none() => {
                Some(compared(statement))
            }
            _ => None,
        };
        steps.push(PolicyStep {
            policy_type: step.policy_type.to_owned(),
            outcome: match step.outcome {
                Outcome::Allows => PolicyOutcome::Allows,
                Outcome::Denies => PolicyOutcome::Denies,
                Outcome::Silent => PolicyOutcome::Silent,
            },
            is_decisive: step.is_decisive,
            statement,
        });
    }
    let mut changes = Vec::new();
    for change in proposal.changes {
        let lacks = lacks(app, &context, &change.place).await?;
        changes.push(changed(change, lacks));
    }
    Ok(ProposeChangeResponse {
        request_id: proposal.request_id,
        decision: proposal.effect.map(|effect| match effect {
            Effect::Allowed => Decision::Allowed,
            Effect::ExplicitlyDenied => Decision::ExplicitlyDenied,
            Effect::ImplicitlyDenied => Decision::ImplicitlyDenied,
        }),
        steps,
        changes,
        note: proposal.note,
    })
}

/// `ListAllowedPrincipals`: who may perform an action on a resource.
pub(super) async fn list_allowed_principals(
    app: &App,
    ok: Authorized<ListAllowedPrincipalsRequest>,
) -> Result<ListAllowedPrincipalsResponse, ApiError> {
    let context = ok.context().clone();
    let (proof, input) = ok.into_parts();
    let (side, keys) = resource_side(app, &context, &input.action, &input.resource_arn).await?;
    let listed = app
        .identity
        .list_allowed_principals(&proof, input, side, keys);
    Ok(listed.await?)
}

/// What is known of a resource by its ARN. One of another account is not looked up.
async fn resource_side(
    app: &App,
    context: &RequestContext,
    action: &str,
    resource: &str,
) -> Result<(ResourceSide, Context), ApiError> {
    let arn = resource.parse::<Arn>().ok();
    let owner: Option<AccountId> = arn.as_ref().and_then(|arn| arn.account().parse().ok());
    let is_own = owner.is_none_or(|owner| owner == context.account);
    let is_trust = action.to_ascii_lowercase().starts_with("sts:assumerole");
    let selector = match arn.as_ref().map(Arn::service) {
        Some("ecr") if is_own => Some(ResourceSelector::RepositoryArn(resource.to_owned())),
        Some("iam") if is_own && is_trust => {
            Some(ResourceSelector::TrustingRole(resource.to_owned()))
        }
        _ => None,
    };
    let mut keys = Context::new();
    if let Some(region) = arn
        .as_ref()
        .map(Arn::region)
        .filter(|region| !region.is_empty())
    {
        keys = keys.set("aws:RequestedRegion", region);
    }
    let Some(selector) = selector else {
        let side = ResourceSide {
            account: owner,
            policy: None,
        };
        return Ok((side, keys));
    };
    let found = app.resource(context, &selector).await?;
    for (name, value) in found.keys {
        keys.insert(&name, ContextValue::One(value));
    }
    let side = ResourceSide {
        account: found.account.or(owner),
        policy: found.policy,
    };
    Ok((side, keys))
}

/// The action that the caller lacks to read a document where it is; `None` where it may.
pub(super) async fn lacks(
    app: &App,
    context: &RequestContext,
    place: &Place,
) -> Result<Option<&'static str>, ApiError> {
    let Some((operation, requirements)) = reading(place) else {
        return Ok(None);
    };
    let Some(row) = super::row(operation) else {
        return Ok(Some("berth:-"));
    };
    let rule = &row.columns.rule;
    match authorize::check(app, context, rule, &requirements).await {
        Ok(_) => Ok(None),
        Err(ApiError::Denied(_) | ApiError::Session(_)) => Ok(Some(rule.action)),
        Err(error) => Err(error),
    }
}

/// The operation that reads a document, and what it requires.
fn reading(place: &Place) -> Option<(Operation, Requirements)> {
    let entity = |kind, name: &String| require(ResourceSelector::Entity(kind, name.clone()));
    let of_iam = |operation| Operation::Iam(operation);
    Some(match place {
        Place::User(name, _) => (
            of_iam(iam::Operation::GetUserPolicy),
            entity(EntityKind::User, name),
        ),
        Place::Group(name, _) => (
            of_iam(iam::Operation::GetGroupPolicy),
            entity(EntityKind::Group, name),
        ),
        Place::Role(name, _) => (
            of_iam(iam::Operation::GetRolePolicy),
            entity(EntityKind::Role, name),
        ),
        Place::Managed(arn) => (
            of_iam(iam::Operation::GetPolicyVersion),
            require(ResourceSelector::Policy(arn.clone())),
        ),
        // Everybody may read them.
        Place::Aws(_) => return None,
        Place::Trust(arn) => {
            let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
            (
                of_iam(iam::Operation::GetRole),
                entity(EntityKind::Role, &name),
            )
        }
        Place::Repository(arn) => (
            Operation::Ecr(aws_api::ecr::Operation::GetRepositoryPolicy),
            require(ResourceSelector::RepositoryArn(arn.clone())),
        ),
        Place::Registry(_) => (
            Operation::Ecr(aws_api::ecr::Operation::GetRegistryPolicy),
            require(ResourceSelector::Any),
        ),
        Place::Organization(arn) => (
            Operation::Organizations(aws_api::organizations::Operation::DescribePolicy),
            require(ResourceSelector::Text(arn.clone())),
        ),
    })
}

/// The ARN and the name of the policy at a place, as answers have them.
pub(super) fn named(place: &Place) -> (Option<String>, Option<String>) {
    match place {
        Place::User(_, name) | Place::Group(_, name) | Place::Role(_, name) => {
            (None, Some(name.clone()))
        }
        Place::Managed(arn)
        | Place::Aws(arn)
        | Place::Trust(arn)
        | Place::Repository(arn)
        | Place::Registry(arn)
        | Place::Organization(arn) => (Some(arn.clone()), None),
    }
}

/// An element of a statement beside the values of the request.
pub(super) fn compared_element(element: policy::ElementTrace) -> ComparedElement {
    let saw = element.saw.as_ref();
    ComparedElement {
        element: element.element,
        is_match: element.matched,
        wanted: element.wanted,
        saw: saw.map(|values| values.iter().map(ToString::to_string).collect()),
        notes: (!element.notes.is_empty()).then_some(element.notes),
    }
}

fn compared(statement: StatementView) -> ComparedStatement {
    let (policy_arn, policy_name) = named(&statement.place);
    let elements = statement.elements.into_iter().map(compared_element);
    ComparedStatement {
        policy_arn,
        policy_name,
        statement_id: statement.sid.filter(|sid| !sid.is_empty()),
        statement_index: i64::try_from(statement.index).unwrap_or(i64::MAX),
        effect: if statement.is_allow { "Allow" } else { "Deny" }.to_owned(),
        elements: elements.collect(),
    }
}

/// A change, without its documents where the caller lacks the action to read them.
fn changed(change: proposals::ProposedChange, lacks: Option<&'static str>) -> ProposedChange {
    let (policy_arn, policy_name) = named(&change.place);
    let (operation, holder_name) = match &change.place {
        Place::User(name, _) => ("iam:PutUserPolicy", Some(name.clone())),
        Place::Group(name, _) => ("iam:PutGroupPolicy", Some(name.clone())),
        Place::Role(name, _) => ("iam:PutRolePolicy", Some(name.clone())),
        Place::Trust(arn) => (
            "iam:UpdateAssumeRolePolicy",
            arn.rsplit('/').next().map(str::to_owned),
        ),
        Place::Repository(_) | Place::Registry(_) => ("ecr:SetRepositoryPolicy", None),
        Place::Managed(_) | Place::Aws(_) => ("iam:CreatePolicyVersion", None),
        Place::Organization(_) => ("organizations:UpdatePolicy", None),
    };
    let is_of_resource = matches!(
        change.place,
        Place::Trust(_) | Place::Repository(_) | Place::Registry(_)
    );
    let may_read = lacks.is_none();
    ProposedChange {
        change_type: match change.kind {
            ChangeKind::AddStatement => ChangeType::AddStatement,
            ChangeKind::CreatePolicy => ChangeType::CreatePolicy,
            ChangeKind::ExtendStatement => ChangeType::ExtendStatement,
            ChangeKind::NarrowDeny => ChangeType::NarrowDeny,
        },
        policy_type: change.policy_type.to_owned(),
        operation: operation.to_owned(),
        holder_name,
        policy_name,
        policy_arn: policy_arn.clone().filter(|_| !is_of_resource),
        resource_arn: policy_arn.filter(|_| is_of_resource),
        description: may_read.then_some(change.description),
        old_document: change.old_document.filter(|_| may_read),
        new_document: may_read.then_some(change.new_document),
        required_action: lacks.map(str::to_owned),
    }
}
