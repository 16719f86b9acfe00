//! The usual decision allocates nothing, however many statements there are.
//!
//! The only test of its binary that counts, and on its own thread's counter, so that no
//! other test's allocations are seen.

// A global allocator can only be written with `unsafe`: this one counts and hands over to
// the system's, argument for argument.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use policy::{
    ApplicablePolicies, Context, Document, DocumentKind, Effect, PolicyRef, PolicySet, Principal,
    Request, decide,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nothing to count.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every method passes its arguments to `System` unchanged and returns its answer;
// counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn compile(kind: DocumentKind, text: &str) -> PolicySet {
    let document = Document::parse_language(text, kind).expect("a valid document");
    PolicySet::compile([(PolicyRef::new(kind, "policy"), &document)])
}

#[test]
fn usual_decisions_do_not_allocate() {
    let user = "arn:aws:iam::111122223333:user/ana";
    let principal = Principal::user(user, Some("AIDAEXAMPLEEXAMPLE12"));
    let base = std::sync::Arc::new(principal.context());
    let own = Context::new()
        .set("aws:SourceIp", "10.0.0.7")
        .set("aws:CurrentTime", "2026-01-01T00:00:00Z")
        .set_list("aws:TagKeys", ["team", "env"]);
    let context = Context::layered(&base, own);

    let mut statements: Vec<String> = (0..1_000)
        .map(|number| {
            format!(
                r#"{{"Effect":"Allow","Action":["ecr:Put*","ecr:BatchGetImage"],
                    "Resource":"arn:aws:ecr:us-east-1:111122223333:repository/app-{number}-*"}}"#
            )
        })
        .collect();
    statements.push(
        r#"{"Effect":"Allow","Action":"ecr:PutImage",
            "Resource":"arn:aws:ecr:*:111122223333:repository/${aws:username}/*",
            "Condition":{"IpAddress":{"aws:sourceip":"10.0.0.0/8"},
                         "StringLike":{"aws:username":["b*","a?a"]},
                         "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"},
                         "DateGreaterThan":{"aws:CurrentTime":"2025-01-01"},
                         "ForAllValues:StringEquals":{"aws:TagKeys":["team","env","x"]},
                         "StringNotEqualsIgnoreCaseIfExists":{"aws:PrincipalTag/a":"b"},
                         "Bool":{"aws:PrincipalIsAWSService":"false"}}}"#
            .into(),
    );
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    // Longer than a stored document may be: several are joined into one here.
    let identity = PolicySet::compile(
        text_chunks(&text)
            .iter()
            .map(|document| (PolicyRef::new(DocumentKind::Managed, "policy"), document)),
    );
    let boundary = compile(
        DocumentKind::PermissionsBoundary,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}"#,
    );
    let control = [compile(
        DocumentKind::ServiceControl,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    )];
    let resource_policy = compile(
        DocumentKind::EcrRepository,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"ecr:*",
            "Condition":{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}}}"#,
    );
    let applicable = ApplicablePolicies {
        identity: Some(&identity),
        boundary: Some(&boundary),
        resource: Some(&resource_policy),
        service_control: &control,
        ..ApplicablePolicies::default()
    };
    for (action, resource, effect) in [
        ("ecr:PutImage", "repository/ana/app", Effect::Allowed),
        ("ECR:PutImage", "repository/app-999-x", Effect::Allowed),
        (
            "ecr:DeleteRepository",
            "repository/app-999-x",
            Effect::ImplicitlyDenied,
        ),
        (
            "ecr:PutImage",
            "repository/ben/app",
            Effect::ImplicitlyDenied,
        ),
    ] {
        let resource = format!("arn:aws:ecr:us-east-1:111122223333:{resource}");
        let request = Request {
            principal: &principal,
            action,
            resource: &resource,
            resource_account: Some("111122223333"),
            context: &context,
        };
        let before = ALLOCATIONS.get();
        let decision = decide(&request, &applicable);
        let after = ALLOCATIONS.get();
        assert_eq!(decision.effect, effect, "{action} on {resource}");
        assert_eq!(after - before, 0, "{action} on {resource}");
    }
    // The counter does count.
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![1u8]));
    assert!(ALLOCATIONS.get() > before);
}

/// Cuts a long list of statements into documents of 200 statements.
fn text_chunks(text: &str) -> Vec<Document> {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let statements = value["Statement"].as_array().expect("a list");
    statements
        .chunks(200)
        .map(|chunk| {
            let text = serde_json::json!({"Version": "2012-10-17", "Statement": chunk}).to_string();
            Document::parse_language(&text, DocumentKind::Managed).expect("a valid document")
        })
        .collect()
}
