//! The peer's side: the same policies in Cedar's language.
//!
//! Principal, action and (where it is literal) resource stand in the scope, where Cedar
//! looks first; a wildcard is `like` on the resource's `arn`, for a scope has none.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::worlds::{ACTION, ADDRESS, Case, Shape, TEAM, USER, World};

pub struct Policies {
    policies: PolicySet,
}

pub struct Ask<'a> {
    authorizer: Authorizer,
    policies: &'a PolicySet,
    request: Request,
    entities: Entities,
}

impl Policies {
    pub fn new(world: &World) -> Policies {
        let text: String = (0..world.statements)
            .map(|number| permit(world, number))
            .collect();
        Policies {
            policies: PolicySet::from_str(&text).expect("valid policies"),
        }
    }

    pub fn ask<'a>(&'a self, resource: &str) -> Ask<'a> {
        let address = RestrictedExpression::new_ip(ADDRESS);
        let context = Context::from_pairs([("sourceIp".to_owned(), address)]);
        let context = context.expect("a valid context");
        Ask::new(&self.policies, ACTION, resource, context)
    }
}

impl<'a> Ask<'a> {
    fn new(policies: &'a PolicySet, action: &str, resource: &str, context: Context) -> Ask<'a> {
        let user = uid("User", USER);
        let repository = uid("Repository", resource);
        let entities = [
            entity(&user, "team", TEAM),
            entity(&repository, "arn", resource),
        ];
        let entities = Entities::from_entities(entities, None).expect("valid entities");
        let request = Request::new(user, uid("Action", action), repository, context, None);
        Ask {
            authorizer: Authorizer::new(),
            policies,
            request: request.expect("a valid request"),
            entities,
        }
    }

    pub fn decide(&mut self) -> bool {
        let response = self
            .authorizer
            .is_authorized(&self.request, self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}

fn permit(world: &World, number: usize) -> String {
    let repository = world.repository(number);
    match world.shape {
        Shape::Literal => format!(
            r#"permit(principal == User::"{USER}", action == Action::"{ACTION}",
                      resource == Repository::"{repository}");
            "#
        ),
        Shape::Conditions => format!(
            r#"permit(principal == User::"{USER}",
                      action in [Action::"{ACTION}", Action::"ecr:BatchGetImage"], resource)
               when {{ resource.arn like "{repository}-*"
                       && context.sourceIp.isInRange(ip("10.0.0.0/8"))
                       && principal.team == "{TEAM}" }};
            "#
        ),
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{kind}::\"{id}\"")).expect("a valid name")
}

fn entity(uid: &EntityUid, name: &str, value: &str) -> Entity {
    let value = RestrictedExpression::new_string(value.to_owned());
    let attributes = HashMap::from([(name.to_owned(), value)]);
    Entity::new(uid.clone(), attributes, HashSet::new()).expect("a valid entity")
}

/// One policy with an adversarial pattern.
pub struct Pattern {
    policies: PolicySet,
    resource: String,
}

impl Pattern {
    /// `None`: the pattern has what Cedar's have not, `?` and variables.
    pub fn new(case: &Case) -> Option<Pattern> {
        if case.pattern.contains(['?', '$']) {
            return None;
        }
        let text = format!(
            r#"permit(principal, action == Action::"s3:GetObject", resource)
               when {{ resource.arn like "{}" }};"#,
            case.pattern
        );
        Some(Pattern {
            policies: PolicySet::from_str(&text).expect("a valid policy"),
            resource: case.text.clone(),
        })
    }

    pub fn ask(&self) -> Ask<'_> {
        Ask::new(
            &self.policies,
            "s3:GetObject",
            &self.resource,
            Context::empty(),
        )
    }
}
