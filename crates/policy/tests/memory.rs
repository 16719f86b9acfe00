//! The bytes that a policy set says it keeps are those that the allocator gave.
//!
//! The only test of its binary that counts, and on its own thread's counter, so that no
//! other test's allocations are seen.

// A global allocator can only be written with `unsafe`: this one counts and hands over to
// the system's, argument for argument.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use policy::{CompiledDocument, Document, DocumentKind, PolicyRef, PolicySet};

struct Counting;

thread_local! {
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// What glibc's allocator takes for a request of this size.
fn block(size: usize) -> isize {
    (size + 8).next_multiple_of(16).max(32) as isize
}

/// The bytes that this thread has taken since it had `before`.
fn taken_since(before: isize) -> usize {
    usize::try_from(LIVE_BYTES.get() - before).expect("nothing was freed that was not taken")
}

/// Blocks may be freed by another thread than the one that made them, so the count can be negative.
fn count(change: isize) {
    // A thread that is ending has no counter any more, and nothing to count.
    let _ = LIVE_BYTES.try_with(|live| live.set(live.get() + change));
}

// SAFETY: every method passes its arguments to `System` unchanged and returns its answer;
// counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(block(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-block(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(block(size) - block(layout.size()));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const DOCUMENTS: usize = 10;

/// Documents of about 6,000 characters, as large as managed policies may be, each with one thing
/// many times.
fn documents() -> Vec<(&'static str, String)> {
    let list = |make: &dyn Fn(usize) -> String| {
        let mut list = String::new();
        for number in 0.. {
            let next = make(number);
            if list.len() + next.len() > 6_000 {
                break;
            }
            list.push_str(if number > 0 { "," } else { "" });
            list.push_str(&next);
        }
        list
    };
    let document =
        |statements: String| format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let one = |action: String, resource: String, condition: String| {
        document(format!(
            r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource} {condition}}}"#
        ))
    };
    let any = || r#""*""#.to_owned();
    let actions = list(&|n| format!(r#""svc{n}:Describe*""#));
    let resources = list(&|n| format!(r#""arn:aws:s3:::bucket{n}/*/x""#));
    let stars = list(&|n| format!(r#""arn:aws:s3:::b/*abcde{n}*fghij*""#));
    let questions = list(&|n| format!(r#""arn:aws:s3:::b/*?{n}*?b*""#));
    let long = format!(r#""arn:aws:s3:::b/*{}b*""#, "a?".repeat(1_500));
    let variables = list(&|n| format!(r#""arn:aws:s3:::b/${{aws:username}}/{n}/${{a:b, 'c'}}""#));
    let condition = |operator: &str, values: &str| {
        format!(r#", "Condition": {{"{operator}": {{"aws:username": [{values}]}}}}"#)
    };
    let with = |operator, values: String| one(any(), any(), condition(operator, &values));
    vec![
        (
            "statements",
            document(list(&|n| {
                format!(
                    r#"{{"Sid": "S{n}", "Effect": "Allow", "Action": "ecr:Get*",
                         "Resource": "arn:aws:ecr:*:111122223333:repository/app-{n}-*"}}"#
                )
            })),
        ),
        ("actions", one(format!("[{actions}]"), any(), String::new())),
        (
            "resources",
            one(any(), format!("[{resources}]"), String::new()),
        ),
        ("stars", one(any(), format!("[{stars}]"), String::new())),
        (
            "question marks",
            one(any(), format!("[{questions}]"), String::new()),
        ),
        ("one long pattern", one(any(), long, String::new())),
        (
            "variables",
            one(any(), format!("[{variables}]"), String::new()),
        ),
        (
            "strings",
            with("StringLike", list(&|n| format!(r#""a{n}*""#))),
        ),
        (
            "ARNs",
            with(
                "ArnLike",
                list(&|n| format!(r#""arn:aws:iam::{n}:role/*""#)),
            ),
        ),
        (
            "networks",
            with(
                "IpAddress",
                list(&|n| format!(r#""10.0.{}.0/24""#, n % 256)),
            ),
        ),
        ("numbers", with("NumericEquals", list(&|n| n.to_string()))),
    ]
}

fn read(text: &str, kind: DocumentKind) -> CompiledDocument {
    let document = Document::parse_language(text, kind);
    CompiledDocument::new(&document.expect("a valid document"))
}

fn union(documents: impl IntoIterator<Item = CompiledDocument>) -> PolicySet {
    PolicySet::union(documents.into_iter().map(|document| {
        let name = "arn:aws:iam::111122223333:policy/name";
        (PolicyRef::new(DocumentKind::Managed, name), document)
    }))
}

fn assert_fits(what: &str, said: usize, measured: usize) {
    assert!(said >= measured, "{what}: says {said}, measured {measured}");
    assert!(
        said <= measured + measured / 20,
        "{what}: says {said}, measured {measured}"
    );
}

#[test]
fn a_set_keeps_the_bytes_that_it_says() {
    // Once, so that whatever is made only once is there.
    for (_, text) in documents() {
        drop(read(&text, DocumentKind::Managed));
    }
    for (what, text) in documents() {
        let before = LIVE_BYTES.get();
        let document = read(&text, DocumentKind::Managed);
        assert_fits(what, document.heap_bytes(), taken_since(before));
        drop(document);
        assert_eq!(LIVE_BYTES.get(), before);

        let set = union((0..DOCUMENTS).map(|_| read(&text, DocumentKind::Managed)));
        let measured = taken_since(before);
        assert_fits(what, set.heap_bytes(), measured);
        // What is compiled is a small multiple of the text, whatever stands in it.
        let per_byte = measured / (DOCUMENTS * text.len());
        assert!(
            per_byte <= 20,
            "{what}: {per_byte} bytes for each byte of the text"
        );
    }
    let principals = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"AWS": ["111122223333", "AIDAEXAMPLEEXAMPLE12",
                              "arn:aws:iam::111122223333:role/ci"],
                      "Service": "ec2.amazonaws.com"}}}"#;
    let before = LIVE_BYTES.get();
    let document = read(principals, DocumentKind::EcrRepository);
    assert_fits("principals", document.heap_bytes(), taken_since(before));
}

#[test]
fn sets_share_their_documents() {
    for (what, text) in documents() {
        let documents: Vec<_> = (0..DOCUMENTS)
            .map(|_| read(&text, DocumentKind::Managed))
            .collect();
        let compiled: usize = documents.iter().map(CompiledDocument::heap_bytes).sum();
        let before = LIVE_BYTES.get();
        let set = union(documents.iter().cloned());
        let own = taken_since(before);
        assert!(
            own < compiled / 2,
            "{what}: {own} beside {compiled} for the documents"
        );
        assert!(set.heap_bytes() >= own + compiled, "{what}");
    }
}
