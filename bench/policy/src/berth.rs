//! Berth's side.

use policy::{
    ApplicablePolicies, Context, Document, DocumentKind, PolicyRef, PolicySet, Principal, Request,
    decide,
};

use crate::worlds::{ACTION, ADDRESS, Case, Shape, TEAM, USER, World};

pub struct Policies {
    identity: PolicySet,
    principal: Principal,
    context: Context,
}

pub struct Ask<'a> {
    policies: &'a Policies,
    resource: &'a str,
}

impl Policies {
    pub fn new(world: &World) -> Policies {
        let documents: Vec<Document> = (0..world.statements)
            .map(|number| document(&statement(world, number)))
            .collect();
        let principal = Principal::user(USER, Some("AIDAEXAMPLEEXAMPLE12"));
        let context = principal.context();
        Policies {
            identity: compile(&documents),
            context: context
                .set("aws:SourceIp", ADDRESS)
                .set("aws:PrincipalTag/team", TEAM),
            principal,
        }
    }

    pub fn ask<'a>(&'a self, resource: &'a str) -> Ask<'a> {
        Ask {
            policies: self,
            resource,
        }
    }
}

impl Ask<'_> {
    pub fn decide(&mut self) -> bool {
        let policies = self.policies;
        let request = Request {
            principal: &policies.principal,
            action: ACTION,
            resource: self.resource,
            resource_account: Some("111122223333"),
            context: &policies.context,
        };
        let applicable = ApplicablePolicies {
            identity: Some(&policies.identity),
            ..ApplicablePolicies::default()
        };
        decide(&request, &applicable).is_allowed()
    }
}

fn statement(world: &World, number: usize) -> String {
    let repository = world.repository(number);
    match world.shape {
        Shape::Literal => {
            format!(r#"{{"Effect": "Allow", "Action": "{ACTION}", "Resource": "{repository}"}}"#)
        }
        Shape::Conditions => format!(
            r#"{{"Effect": "Allow", "Action": ["{ACTION}", "ecr:BatchGetImage"],
                 "Resource": "{repository}-*",
                 "Condition": {{"IpAddress": {{"aws:SourceIp": "10.0.0.0/8"}},
                               "StringEquals": {{"aws:PrincipalTag/team": "{TEAM}"}}}}}}"#
        ),
    }
}

fn document(statement: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
    Document::parse_language(&text, DocumentKind::Managed).expect("a valid document")
}

fn compile(documents: &[Document]) -> PolicySet {
    let policy = |number| PolicyRef::new(DocumentKind::Managed, format!("policy{number}"));
    let documents = documents.iter().enumerate();
    PolicySet::compile(documents.map(|(number, document)| (policy(number), document)))
}

/// One statement with an adversarial resource.
pub struct Pattern {
    identity: PolicySet,
    principal: Principal,
    context: Context,
    text: String,
}

impl Pattern {
    pub fn new(case: &Case) -> Pattern {
        let statement = format!(
            r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{}"}}"#,
            case.pattern
        );
        let principal = Principal::user("arn:aws:iam::111122223333:user/a", None);
        Pattern {
            identity: compile(&[document(&statement)]),
            context: principal.context(),
            principal,
            text: case.text.clone(),
        }
    }

    pub fn decide(&mut self) -> bool {
        let request = Request {
            principal: &self.principal,
            action: "s3:GetObject",
            resource: &self.text,
            resource_account: Some("111122223333"),
            context: &self.context,
        };
        let applicable = ApplicablePolicies {
            identity: Some(&self.identity),
            ..ApplicablePolicies::default()
        };
        decide(&request, &applicable).is_allowed()
    }
}
