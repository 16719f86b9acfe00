//! Roles and their sessions: who may assume, for how long, with which policies and tags.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod federated;
mod roles;
mod users;

use authz::SessionScope;
use authz::testing::authorized_on;
use aws_api::{iam, sts};
use common::*;
use identity::{CallerKind, PinnedPrincipal, RoleFacts};
use policy::Context;
use store::testing::{TestStore, on_every_engine};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn tag(key: &str, value: &str) -> sts::Tag {
    sts::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}
