//! Every answer of the APIs, whole: for each operation a file `answers/<service>/<operation>.snap` with its
//! success and its most important errors, as a client receives them.
//!
//! Each module tells one story through the server: on a fresh database, at a fixed time, it calls operations
//! and records what they answer. To accept a change that is meant, run the tests with `INSTA_UPDATE=always` and
//! read the difference. AWS's answers decide: where a public recording of one exists, the file follows it.
//!
//! What is random is shown by its kind and number (`AIDA#1`) or not at all (`…`), so that a file changes only
//! when an answer does.

mod access_keys;
mod accounts;
mod certificates;
mod findings;
mod groups;
mod images;
mod inline_policies;
mod instance_profiles;
mod layers;
mod lifecycle;
mod managed_policies;
mod registries;
mod repositories;
mod roles;
mod sessions;
mod shown;
mod simulations;
mod unconfigured;
mod users;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_api::{Operation, Service};
use serde_json::{Value, json};

use super::sample;
use super::world::{Person, Reply, World};

/// A trust policy that lets EC2 take the role.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// An identity policy.
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}]}"#;

/// A story's server, and what it has answered so far.
struct Golden {
    world: World,
    service: Service,
    caller: Person,
    files: BTreeMap<(&'static str, &'static str), String>,
    /// Values that differ in every run and stand in inputs and messages.
    hidden: Vec<String>,
}

impl Golden {
    async fn new(service: Service) -> Golden {
        let world = World::new().await;
        let caller = world.root.clone();
        Golden {
            world,
            service,
            caller,
            files: BTreeMap::new(),
            hidden: Vec::new(),
        }
    }

    /// Calls an operation that must succeed, and records nothing.
    async fn given(&self, operation: &str, input: Value) -> String {
        let (_, reply) = self.send(operation, &input).await;
        assert_eq!(reply.status, 200, "{operation} {input}: {}", reply.text());
        reply.text().to_owned()
    }

    /// Calls an operation and records its answer under a title.
    async fn call(&mut self, operation: &str, title: &str, input: Value) -> String {
        let (operation, reply) = self.send(operation, &input).await;
        let body = reply.text().to_owned();
        let mut shown = shown::exchange(title, &input, &reply, self.world.address);
        for secret in &self.hidden {
            shown = shown.replace(secret, "…");
        }
        let name = (operation.service().signing_name(), operation.name());
        let file = self.files.entry(name).or_default();
        if !file.is_empty() {
            file.push('\n');
        }
        file.push_str(&shown);
        body
    }

    /// Shows a value as `…` from here on.
    fn secret(&mut self, value: &str) {
        self.hidden.push(value.to_owned());
    }

    async fn send(&self, operation: &str, input: &Value) -> (Operation, Reply) {
        let named = self.service.operation(operation);
        let operation = named.unwrap_or_else(|| panic!("no operation {operation}"));
        let sent = sample::request(operation, input);
        let called = self.world.call_operation(&self.caller, self.service, &sent);
        let reply = called.await;
        (operation, reply)
    }

    /// Compares every recorded answer with its file.
    fn compare(self) {
        let mut different = Vec::new();
        for ((service, operation), text) in &self.files {
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(format!("answers/{service}"));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            let text = shown::numbered(text);
            let compare = || settings.bind(|| insta::assert_snapshot!(*operation, text));
            if catch_unwind(AssertUnwindSafe(compare)).is_err() {
                different.push(*operation);
            }
        }
        assert!(different.is_empty(), "other answers: {different:?}");
    }
}

/// The text of a member in an answer, XML or JSON.
fn member<'a>(answer: &'a str, name: &str) -> &'a str {
    let (open, close) = match answer.starts_with('{') {
        true => (format!("\"{name}\":\""), "\""),
        false => (format!("<{name}>"), "<"),
    };
    let rest = answer.split_once(&open).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("no {name} in {answer}"));
    rest.split_once(close).unwrap().0
}

/// Operations whose answers are not recorded yet, one a line. May only shrink.
const NOT_RECORDED: &str = include_str!("not_recorded.txt");

#[test]
fn every_operation_has_its_answers_recorded() {
    let answers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden/answers");
    let not_recorded: Vec<&str> = NOT_RECORDED.lines().collect();
    // The services that AWS's recordings are of.
    let services = [Service::Ecr, Service::Iam, Service::Sts];
    let table = crate::ops::table();
    let mut missing = String::new();
    for operation in services.iter().flat_map(|service| service.operations()) {
        let service = operation.service().signing_name();
        let name = format!("{service}/{}", operation.name());
        let is_recorded = answers.join(format!("{name}.snap")).exists();
        let is_listed = not_recorded.contains(&name.as_str());
        if is_recorded == is_listed && (is_recorded || table.contains_key(&operation)) {
            let _ = write!(missing, " {name}");
        }
    }
    assert_eq!(missing, "", "record their answers, or shorten the list");
}
