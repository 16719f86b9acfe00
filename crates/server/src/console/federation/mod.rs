//! Sign-in through an account's identity provider.
//!
//! The page asks to begin ([`begin()`]) and is told where to go; what must be known when the browser is back is sealed
//! in a cookie. The provider sends the browser back to a small page ([`page()`]), which hands the answer to
//! [`finish()`]: from a page of this host, so that the cookie comes with it and a link of somebody else's does not
//! sign anybody in. The answer is verified and the role assumed by the same code as in STS; a person who may take
//! several roles chooses one first ([`choose()`]).

mod begin;
mod choose;
mod finish;
mod oidc;
mod page;
mod saml;
mod session;

pub(super) use begin::{begin, providers};
pub(super) use choose::{choose, roles};
pub(super) use finish::finish;
pub(crate) use page::{hand_on, page};
