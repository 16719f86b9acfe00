//! Each resource's life: made, shown, listed, changed, refused, deleted.

#![allow(clippy::unwrap_used)]

mod absent;
mod account;
mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod groups;
mod oidc_providers;
mod policies;
mod quotas;
mod recorded;
mod roles;
mod rules;
mod saml_providers;
mod users;

use aws_api::iam;
use common::*;

fn iam_tag(key: &str, value: &str) -> iam::Tag {
    iam::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn create_user(name: &str) -> iam::CreateUserRequest {
    iam::CreateUserRequest {
        user_name: name.to_owned(),
        ..Default::default()
    }
}

fn create_policy(name: &str) -> iam::CreatePolicyRequest {
    iam::CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: allow("ecr:*"),
        ..Default::default()
    }
}

fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

fn attach(user: &str, arn: &str) -> iam::AttachUserPolicyRequest {
    iam::AttachUserPolicyRequest {
        user_name: user.to_owned(),
        policy_arn: arn.to_owned(),
    }
}

fn words(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}
