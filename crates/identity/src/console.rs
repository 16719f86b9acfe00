//! Sessions of the web console.
//!
//! A sign-in proves a principal ([`sign_in`]) and begins a session ([`sessions`]), which is a row of the
//! database and a secret in the browser's cookie. The secret gives credentials for a quarter of an hour and
//! nothing else. The credentials are those of the user, the root user or a role, and carry the session's id:
//! they are refused once the session is gone, its password was changed, its access key deactivated or its identity
//! provider deleted. [`federated`] has what a sign-in through an identity provider needs before.

pub(crate) mod federated;
pub(crate) mod links;
pub(crate) mod sessions;
pub(crate) mod sign_in;
