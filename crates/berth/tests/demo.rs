//! `berth demo`: it goes as it must, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Running, berth, done};

#[test]
fn both_walk_throughs_are_played() {
    let temporary = tempfile::tempdir().unwrap();
    let played = done(berth(&["demo"]).env("TMPDIR", temporary.path()));
    let said = played.ok();
    for words in [
        "$ aws iam create-user --user-name alice",
        "Login Succeeded",
        "v1: digest: sha256:",
        "the same 6294197 bytes that were pushed",
        "denied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: ecr:InitiateLayerUpload \
         on resource: arn:aws:ecr:us-east-1:123456789012:repository/payments because no identity-based policy \
         allows the ecr:InitiateLayerUpload action",
        "ecr:BatchGetImage",
        "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation",
        "arn:aws:sts::123456789012:assumed-role/containerise/build-42",
        "All 24 steps went as they must.",
        "berth serve",
    ] {
        assert!(said.contains(words), "{said}\nlacks {words:?}");
    }
    assert!(!said.contains('\x1b'), "colours are for terminals");
    assert_eq!(played.err, "", "nothing went wrong");
    let left = std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "the server's data is removed");
}

#[test]
fn keep_leaves_the_server_up_until_a_signal() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = berth(&["demo", "--keep"]);
    let demo = Running::start(
        command.env("TMPDIR", temporary.path()),
        "aws ecr get-login-password | docker login",
    );
    let credentials = demo
        .lines
        .iter()
        .find_map(|line| line.strip_prefix("export AWS_SHARED_CREDENTIALS_FILE="));
    assert!(std::path::Path::new(credentials.unwrap()).is_file());
    demo.stop();
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
