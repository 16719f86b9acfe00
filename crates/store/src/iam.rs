//! Accounts and IAM: rows and their statements, one file a resource.
//!
//! Functions take a [`crate::Conn`], so that they serve readers and writers alike, and
//! know no rule: names are given as they are stored, quotas are counted by the caller.
//! Users, groups, roles, managed policies and instance profiles share
//! [`entity::Entity`]; what only one kind has stands in its own file.

pub mod access_key;
pub mod account;
pub mod account_property;
pub mod attachment;
pub mod credential_report;
pub mod delegation_request;
pub mod entity;
pub mod group;
pub mod inline_policy;
pub mod instance_profile;
pub mod login_profile;
pub mod managed_policy;
pub mod mfa_device;
pub mod oidc_provider;
pub mod outbound_identity;
pub mod password_policy;
pub mod provider_settings;
pub mod quota;
pub mod review;
pub mod role;
pub mod role_deletion;
pub mod saml_provider;
pub mod sealing_key;
pub mod server_certificate;
pub mod service_credential;
pub mod service_use;
pub mod signing_certificate;
pub mod ssh_public_key;
pub mod tag;
