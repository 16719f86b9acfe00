//! The web console under `/console/`: static files that hold no data. What the page shows comes from the public
//! APIs, with the credentials of the person who is signed in.

mod archive;
mod assets;

pub(crate) use assets::serve;
