//! The web console under `/console/`: static files that hold no data, and its session. What the page shows
//! comes from the public APIs, with the credentials of the person who is signed in.
//!
//! A session begins with a sign-in and is kept by a cookie that opens the routes of [`calls`] alone. They
//! answer credentials for a quarter of an hour, which the page signs its calls with: what may be done is
//! decided there, as for any other client.

mod answers;
mod archive;
mod assets;
mod calls;
mod cookie;
mod events;
mod federation;
mod guard;
mod parameters;
mod perform;
mod roles;
mod session;
mod sign_in;

pub(crate) use answers::{internal, unavailable};
pub(crate) use assets::serve;
pub(crate) use calls::call;
pub(crate) use federation::{hand_on, page};
