//! Passwords, the credential report, credentials of other services, service-linked roles, account properties.

#![allow(clippy::unwrap_used)]

mod account;
#[path = "../common/mod.rs"]
mod common;
mod of_services;
mod passwords;
mod reports;

use aws_api::{Secret, iam};
use common::*;
use identity::PasswordState;
use store::testing::{TestStore, on_every_engine};

fn create(user: &str, password: &str) -> iam::CreateLoginProfileRequest {
    iam::CreateLoginProfileRequest {
        user_name: Some(user.to_owned()),
        password: Some(password.into()),
        ..Default::default()
    }
}

fn update(user: &str, password: &str) -> iam::UpdateLoginProfileRequest {
    iam::UpdateLoginProfileRequest {
        user_name: user.to_owned(),
        password: Some(password.into()),
        ..Default::default()
    }
}

fn change(old: &str, new: &str) -> iam::ChangePasswordRequest {
    iam::ChangePasswordRequest {
        old_password: old.into(),
        new_password: new.into(),
    }
}

async fn check(w: &World, user: &str, password: &str) -> Option<PasswordState> {
    let account = ACCOUNT.parse().unwrap();
    let password = Secret::new(password.to_owned());
    w.identity
        .check_password(account, user, &password, w.now)
        .await
        .unwrap()
}
