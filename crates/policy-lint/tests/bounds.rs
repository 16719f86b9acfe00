//! The cost of linting, counted and not timed: look-ups in the catalogue, and steps. Both grow with the
//! document or stop at a named limit, and a finding says when a limit was reached.
#![allow(clippy::unwrap_used)]

mod excerpt;

use std::cell::Cell;

use excerpt::Excerpt;
use policy::{Document, DocumentKind};
use policy_lint::{
    ActionFacts, Catalogue, Code, FINDINGS_MAX, Finding, KeyFacts, ResourceType, SIMILAR_MAX,
    STEPS_MAX, lint, lint_counted,
};
use serde_json::{Value, json};

/// A catalogue that counts its look-ups.
struct Counting {
    excerpt: Excerpt,
    looked_up: Cell<usize>,
    similar: Cell<usize>,
}

impl Counting {
    fn new() -> Counting {
        Counting {
            excerpt: Excerpt::read(),
            looked_up: Cell::new(0),
            similar: Cell::new(0),
        }
    }

    fn count(&self) -> &Excerpt {
        self.looked_up.set(self.looked_up.get() + 1);
        &self.excerpt
    }

    fn search(&self) -> &Excerpt {
        self.similar.set(self.similar.get() + 1);
        &self.excerpt
    }
}

impl Catalogue for Counting {
    fn services(&self) -> Vec<&str> {
        self.count().services()
    }

    fn has_service(&self, prefix: &str) -> bool {
        self.count().has_service(prefix)
    }

    fn similar_service(&self, prefix: &str) -> Option<&str> {
        self.search().similar_service(prefix)
    }

    fn actions(&self, service: &str) -> Vec<&str> {
        self.count().actions(service)
    }

    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>> {
        self.count().action(service, name)
    }

    fn similar_action(&self, service: &str, name: &str) -> Option<&str> {
        self.search().similar_action(service, name)
    }

    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>> {
        self.count().resource_types(arn_service)
    }

    fn condition_key(&self, name: &str) -> Option<KeyFacts> {
        self.count().condition_key(name)
    }

    fn similar_condition_key(&self, name: &str) -> Option<&str> {
        self.search().similar_condition_key(name)
    }

    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool {
        self.count().action_knows_key(service, action, key)
    }

    fn service_knows_key(&self, service: &str, key: &str) -> bool {
        self.count().service_knows_key(service, key)
    }
}

/// The findings, the look-ups and the steps.
struct Cost {
    findings: Vec<Finding>,
    looked_up: usize,
    similar: usize,
    steps: u64,
}

fn read(statements: &Value) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse_language(&text, DocumentKind::Resource).unwrap()
}

fn cost(statements: &Value) -> Cost {
    let catalogue = Counting::new();
    let (findings, steps) = lint_counted(&read(statements), &catalogue);
    Cost {
        findings,
        looked_up: catalogue.looked_up.get(),
        similar: catalogue.similar.get(),
        steps,
    }
}

fn statement(actions: &Value, resources: &Value, condition: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": actions, "Resource": resources});
    if *condition != json!({}) {
        statement["Condition"] = condition.clone();
    }
    json!([statement])
}

fn many(count: usize, text: impl Fn(usize) -> String) -> Value {
    (0..count).map(text).collect::<Vec<_>>().into()
}

/// A name, and a document by the number of its repeated parts.
type Shape = (&'static str, fn(usize) -> Value);

/// Documents that would be costly without limits.
const SHAPES: [Shape; 14] = [
    ("equal actions and resources", |n| {
        let actions = ["iam:*", "ec2:*", "s3:*", "ecr:*", "ec2:Describe*"];
        let actions = many(n, |at| actions[at % actions.len()].to_owned());
        statement(
            &actions,
            &many(n, |_| "arn:aws:s3:::b/*".into()),
            &json!({}),
        )
    }),
    ("actions that match nothing", |n| {
        statement(&many(n, |at| format!("s3:*{at}*")), &json!("*"), &json!({}))
    }),
    ("actions of many wildcards", |n| {
        let stars = "*e".repeat(30);
        statement(
            &many(n, |at| format!("s3:{stars}{at}")),
            &json!("*"),
            &json!({}),
        )
    }),
    ("services that do not exist", |n| {
        statement(&many(n, |at| format!("s{at}:*")), &json!("*"), &json!({}))
    }),
    ("wildcards in the service", |n| {
        let actions = many(n, |at| format!("*{}:*", at % 7));
        statement(
            &actions,
            &many(n, |at| format!("arn:aws:s3:::b/{at}")),
            &json!({}),
        )
    }),
    ("resources with wildcards", |n| {
        let resources = many(n, |at| format!("arn:aws:s3:::*{at}*"));
        statement(&json!("s3:*"), &resources, &json!({}))
    }),
    ("misspelt keys", |n| {
        let keys: serde_json::Map<String, Value> = (0..n)
            .map(|at| (format!("aws:Reqest{at}"), json!("v")))
            .collect();
        statement(&json!("ec2:*"), &json!("*"), &json!({"StringEquals": keys}))
    }),
    ("values with wildcards", |n| {
        let values = many(n, |at| format!("v*{at}*"));
        statement(
            &json!("s3:GetObject"),
            &json!("*"),
            &json!({"StringLike": {"aws:username": values}}),
        )
    }),
    ("tags of resources", |n| {
        let keys: serde_json::Map<String, Value> = (0..n)
            .map(|at| (format!("aws:ResourceTag/{at}"), json!("v")))
            .collect();
        let actions = many(n, |at| {
            ["ec2:DescribeInstances", "s3:GetObject"][at % 2].to_owned()
        });
        statement(&actions, &json!("*"), &json!({"StringEquals": keys}))
    }),
    ("tags of requests", |n| {
        let keys: serde_json::Map<String, Value> = (0..n)
            .map(|at| (format!("aws:RequestTag/{at}"), json!("v")))
            .collect();
        let actions = many(n, |_| "sts:AssumeRole".to_owned());
        statement(&actions, &json!("*"), &json!({"StringEquals": keys}))
    }),
    ("networks", |n| {
        let values = many(n, |at| format!("20.{}.{}.0/24", at / 250, at % 250));
        statement(
            &json!("s3:GetObject"),
            &json!("*"),
            &json!({"IpAddress": {"aws:SourceIp": values}}),
        )
    }),
    ("one long pattern next to another", |n| {
        let long = "*a".repeat(n);
        let resources = [
            format!("arn:aws:s3:::b/{long}b"),
            format!("arn:aws:s3:::b/{long}cb"),
        ];
        statement(&json!("s3:GetObject"), &json!(resources), &json!({}))
    }),
    ("statements", |n| {
        let each = |at: usize| {
            json!({
            "Effect": if at.is_multiple_of(2) { "Allow" } else { "Deny" }, "Principal": "*",
            "Action": ["ec2:*", "iam:*"], "Resource": format!("arn:aws:ec2:*:*:*{at}*")})
        };
        (0..n).map(each).collect::<Vec<_>>().into()
    }),
    ("variables", |n| {
        let resource = format!("arn:aws:s3:::b/{}", "${aws:username}${}${".repeat(n));
        statement(&json!("s3:GetObject"), &json!(resource), &json!({}))
    }),
];

/// The kinds of work that have a budget of steps.
const KINDS_OF_WORK: u64 = 7;

#[test]
fn cost_is_linear_or_limited() {
    for (name, shape) in SHAPES {
        let [small, large] = [shape(200), shape(800)].map(|statements| cost(&statements));
        // A document four times as large needs at most four times the look-ups.
        assert!(
            large.looked_up <= 5 * small.looked_up + 100,
            "{name}: {} and {} look-ups",
            small.looked_up,
            large.looked_up
        );
        assert!(large.similar <= SIMILAR_MAX, "{name}: {}", large.similar);
        assert!(large.findings.len() <= FINDINGS_MAX, "{name}");
        // Comparisons of pairs are limited.
        let hostile = cost(&shape(4_000));
        assert!(hostile.steps <= KINDS_OF_WORK * STEPS_MAX, "{name}");
        assert!(hostile.looked_up <= 25 * small.looked_up + 100, "{name}");
    }
}

#[test]
fn repeated_entries_cost_as_much_as_one() {
    let actions = ["iam:*", "ec2:*", "s3:*", "ecr:*", "ec2:Describe*"];
    let shape = |n: usize| {
        let actions = many(n, |at| actions[at % 5].to_owned());
        let resources = many(n, |_| "arn:aws:s3:::b/*".to_owned());
        statement(
            &actions,
            &resources,
            &json!({"StringEquals": {"s3:prefix": "a"}}),
        )
    };
    let [few, often] = [shape(5), shape(900)].map(|statements| cost(&statements));
    assert_eq!(few.looked_up, often.looked_up);
    assert!(
        often.steps < few.steps + 10 * 900,
        "{} and {}",
        few.steps,
        often.steps
    );
    // No finding is lost.
    let mismatches = |cost: &Cost| {
        let codes = [
            Code::ActionResourceMismatch,
            Code::ActionResourceNotDocumented,
        ];
        let found = cost.findings.iter().filter(|f| codes.contains(&f.code));
        found.count()
    };
    assert_eq!(mismatches(&few), 4);
    assert_eq!(mismatches(&often), 4 * 900 / 5);
}

#[test]
fn ordinary_document_is_far_from_every_limit() {
    let actions = [
        "s3:Get*",
        "s3:PutObject",
        "ecr:*",
        "ec2:Describe*",
        "iam:PassRole",
        "sqs:*",
    ];
    let each = |at: usize| {
        let resources = many(20, |n| format!("arn:aws:s3:::bucket-{at}-{n}/*"));
        let teams = many(20, |n| format!("team-{at}-{n}*"));
        let condition = json!({"StringLike": {"aws:PrincipalTag/team": teams}});
        statement(&json!(actions), &resources, &condition)[0].clone()
    };
    let cost = cost(&(0..12).map(each).collect::<Vec<_>>().into());
    assert!(cost.steps < STEPS_MAX / 4, "{}", cost.steps);
    let mut findings = cost.findings.iter();
    assert!(findings.all(|f| f.code != Code::ChecksIncomplete));
}

fn last(findings: &[Finding]) -> (Code, &str) {
    let last = findings.last().unwrap();
    (last.code, &last.message)
}

#[test]
fn reports_last_what_is_not_shown_or_not_checked() {
    let catalogue = Excerpt::read();
    let linted = |statements: &Value| lint(&read(statements), &catalogue);
    let unknown = |n| statement(&many(n, |at| format!("x:{at}")), &json!("*"), &json!({}));

    let all = linted(&unknown(FINDINGS_MAX - 1));
    assert_eq!(all.len(), FINDINGS_MAX - 1);
    assert!(
        all.iter()
            .all(|finding| finding.code == Code::InvalidServiceInAction)
    );

    let more = linted(&unknown(FINDINGS_MAX));
    assert_eq!(more.len(), FINDINGS_MAX);
    let (code, message) = last(&more);
    assert_eq!(code, Code::ChecksIncomplete);
    assert!(message.contains("more findings"), "{message}");

    let values = many(2_500, |at| format!("v*{at:05}x*"));
    let condition = json!({"StringLike": {"aws:username": values}});
    let (code, message) = {
        let found = linted(&statement(&json!("s3:GetObject"), &json!("*"), &condition));
        (
            found.last().unwrap().code,
            found.last().unwrap().message.clone(),
        )
    };
    assert_eq!(code, Code::ChecksIncomplete);
    assert!(message.ends_with("condition values"), "{message}");

    // It is at the document's last character, after all others.
    let position = more.last().unwrap().position;
    let length = read(&unknown(FINDINGS_MAX)).source().len();
    assert_eq!(position.offset as usize, length - 1);
    assert!(more.is_sorted_by_key(|finding| finding.position));
}

#[test]
fn shortens_texts_in_repeated_messages() {
    let long = "a".repeat(20_000);
    let sid = |effect: &str, sid: &str| {
        json!({"Sid": sid, "Effect": effect, "Principal": "*",
        "Action": "s3:GetObject", "Resource": "*"})
    };
    let mut statements = vec![sid("Deny", &long)];
    statements.extend((0..50).map(|at| sid("Allow", &format!("s{at}"))));
    let found = cost(&statements.into()).findings;
    let shadowed: Vec<_> = found
        .iter()
        .filter(|f| f.code == Code::ShadowedByDeny)
        .collect();
    assert_eq!(shadowed.len(), 50);
    assert!(shadowed.iter().all(|finding| finding.message.len() < 1_000));
}
