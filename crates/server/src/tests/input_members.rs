//! No member of an input is silently ignored.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use aws_api::{Kind, Operation, Service, Shape};

use super::world::{World, refused, statement};

use crate::ops::input_members::{NOT_READ, NOTHING_THERE, UNSUPPORTED};

/// Where the handlers are.
const HANDLERS: [&str; 9] = [
    "../identity/src",
    "../registry/src",
    "../secrets/src",
    "src/ops/backups.rs",
    "src/ops/collection.rs",
    "src/ops/composite.rs",
    "src/ops/events.rs",
    "src/ops/integrity.rs",
    "src/ops/peers.rs",
];

/// Each member of each operation that is built is read, refused, or listed with a reason. The test
/// knows that a member is read from the sources: a handler's body has `.member`, or, where the input
/// is passed on as a whole, some other function has.
#[test]
fn every_member_is_read_or_refused_or_listed() {
    let sources = Sources::read();
    let mut listed = Listed::new();
    let mut ignored = String::new();
    let mut nothing_there = NOTHING_THERE.to_vec();
    for operation in crate::ops::table().keys() {
        let service = operation.service().signing_name();
        let name = format!("{service}:{}", operation.name());
        if let Some(at) = nothing_there.iter().position(|known| *known == name) {
            nothing_there.swap_remove(at);
            continue;
        }
        for path in paths(operation.input(), "") {
            if listed.take(&name, &path) {
                continue;
            }
            if !sources.read_by_handler(*operation, &path) {
                let _ = writeln!(ignored, "{name} {path}");
            }
        }
    }
    assert!(
        ignored.is_empty(),
        "members that nothing reads: implement them, or add them to UNSUPPORTED or NOT_READ in \
         ops/input_members.rs:\n{ignored}"
    );
    assert!(
        nothing_there.is_empty(),
        "listed operations that are not built: {nothing_there:?}"
    );
    assert!(
        listed.left().is_empty(),
        "listed members that no operation has: {:?}",
        listed.left()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_an_unsupported_member_is_refused() {
    let world = World::new().await;
    let simulate = "Action=SimulatePrincipalPolicy&Version=2010-05-08&ActionNames.member.1=ecr:PutImage\
                    &PolicySourceArn=arn:aws:iam::123456789012:user/nobody";
    let excluded = "&PolicyExclusionList.member.1.PolicyType=aws-managed";
    world.user(&world.root, "nobody", "").await;
    let call = async |body: String| {
        let kind = "application/x-www-form-urlencoded";
        world
            .call(
                &world.root,
                Service::Iam,
                None,
                kind,
                body.into_bytes().into(),
            )
            .await
    };
    assert_eq!(call(simulate.to_owned()).await.status, 200);
    let error = refused(Service::Iam, &call(format!("{simulate}{excluded}")).await);
    assert_eq!((error.status, error.code.as_str()), (501, "NotImplemented"));
    assert!(error.message.contains("PolicyExclusionList"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_without_permission_is_denied_before_members_are_refused() {
    let world = World::new().await;
    let nobody = world.user(&world.root, "nobody", "").await;
    let may = statement("Allow", &["ecr:*"], "*");
    world
        .role(&world.root, "job", "arn:aws:iam::123456789012:root", &may)
        .await;
    let cases = [
        (
            Service::Iam,
            "Action=SimulatePrincipalPolicy&Version=2010-05-08&ActionNames.member.1=ecr:PutImage\
             &PolicySourceArn=arn:aws:iam::123456789012:user/nobody\
             &PolicyExclusionList.member.1.PolicyType=aws-managed",
        ),
        (
            Service::Iam,
            "Action=UpdateRole&Version=2010-05-08&RoleName=job&MaxSigninSessionDuration=3600",
        ),
        (
            Service::Sts,
            "Action=AssumeRole&Version=2011-06-15&RoleSessionName=one\
             &RoleArn=arn:aws:iam::123456789012:role/job\
             &ProvidedContexts.member.1.ProviderArn=arn:aws:iam::aws:contextProvider/IdentityCenter",
        ),
    ];
    let kind = "application/x-www-form-urlencoded";
    for (service, body) in cases {
        let reply = world.call(&nobody, service, None, kind, body.into()).await;
        let error = refused(service, &reply);
        assert_eq!(
            (error.status, error.code.as_str()),
            (403, "AccessDenied"),
            "{body}"
        );
    }
}

#[test]
fn an_unsupported_member_is_read_by_nobody() {
    let sources = Sources::read();
    for row in UNSUPPORTED {
        assert!(
            !sources.read_by_handler(row.operation, row.member),
            "{:?} {} is refused and read: remove it from UNSUPPORTED",
            row.operation,
            row.member
        );
    }
}

#[test]
fn the_docs_list_the_unsupported_members_and_no_others() {
    let page = include_str!("../../../../docs/reference/not-built-yet.md");
    let table = page.split("\n## Parameters\n").nth(1).unwrap();
    let mut listed = BTreeSet::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        // Values stand in parentheses behind a member.
        let members = cells[1]
            .split(", ")
            .filter_map(|cell| cell.split('`').nth(1));
        for member in members {
            for operation in cells[2].split(", ") {
                listed.insert((operation, member));
            }
        }
    }
    let refused = UNSUPPORTED.iter();
    let refused: BTreeSet<_> = refused
        .map(|row| (row.operation.name(), row.member))
        .collect();
    assert_eq!(listed, refused);
}

/// The paths of a structure's members: `Tags`, `Tags.Key`, `Tags.Value`.
fn paths(shape: &Shape, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    match shape.kind {
        Kind::Structure(members) => {
            for member in members {
                let path = format!("{prefix}{}", member.name);
                found.extend(paths(member.shape, &format!("{path}.")));
                found.push(path);
            }
        }
        Kind::List(element) | Kind::Map(_, element) => found.extend(paths(element, prefix)),
        _ => {}
    }
    found
}

/// The rows of the two lists that have not been met.
struct Listed(Vec<(String, &'static str, bool)>);

impl Listed {
    fn new() -> Self {
        let unsupported = UNSUPPORTED.iter().map(|row| {
            let service = row.operation.service().signing_name();
            (format!("{service}:{}", row.operation.name()), row.member)
        });
        let harmless = NOT_READ
            .iter()
            .map(|(operation, member, _)| ((*operation).to_owned(), *member));
        let rows = unsupported.chain(harmless);
        Self(rows.map(|(name, member)| (name, member, false)).collect())
    }

    /// Whether the member, or one that it is a part of, is listed.
    fn take(&mut self, operation: &str, path: &str) -> bool {
        let covers = |member: &str| {
            path.strip_prefix(member)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let row = self
            .0
            .iter_mut()
            .find(|(name, member, _)| name == operation && covers(member));
        row.map(|row| row.2 = true).is_some()
    }

    fn left(&self) -> Vec<(&str, &str)> {
        let left = self.0.iter().filter(|row| !row.2);
        left.map(|(name, member, _)| (name.as_str(), *member))
            .collect()
    }
}

/// The text of the handlers.
struct Sources(String);

impl Sources {
    fn read() -> Self {
        let mut text = String::new();
        for path in HANDLERS {
            append(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &mut text);
        }
        Self(text)
    }

    fn read_by_handler(&self, operation: Operation, path: &str) -> bool {
        let mut names = path.split('.').map(snake);
        let top = names.next().unwrap_or_default();
        let handlers: Vec<&str> = self.bodies(&snake(operation.name())).collect();
        // Handlers that differ only in the kind of entity come from a macro.
        let passed_on = handlers.is_empty()
            || handlers
                .iter()
                .any(|body| body.contains("input,") || body.contains("input)"));
        let read = match passed_on {
            true => accesses(&self.0, &top),
            false => handlers.iter().any(|body| accesses(body, &top)),
        };
        // Members of members are read by functions that several operations share.
        read && names.all(|name| accesses(&self.0, &name))
    }

    /// The bodies of the functions of this name.
    fn bodies<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let start = format!("fn {name}(");
        let found = self.0.match_indices(&start).map(|(at, _)| at);
        let starts: Vec<usize> = found.collect();
        starts.into_iter().filter_map(|at| block(&self.0[at..]))
    }
}

fn append(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            append(&entry.unwrap().path(), text);
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        text.push_str(&std::fs::read_to_string(path).unwrap());
    }
}

/// The text up to the brace that closes the first one.
fn block(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(&text[..at]),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Whether the text has `.member` as a whole word.
fn accesses(text: &str, member: &str) -> bool {
    // A member that is called like a keyword is a raw identifier: `.r#type`.
    [format!(".{member}"), format!(".r#{member}")]
        .iter()
        .any(|needle| {
            text.match_indices(needle).any(|(at, _)| {
                let next = text[at + needle.len()..].chars().next();
                !next.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '(')
            })
        })
}

/// `MFADeviceName` → `mfa_device_name`, as the generator names fields.
fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let next = chars.get(at + 1);
        let ends_lower = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let ends_upper = before.is_some_and(|b| b.is_ascii_uppercase())
            && next.is_some_and(|n| n.is_ascii_lowercase());
        if c.is_ascii_uppercase() && (ends_lower || ends_upper) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
