//! The console's session, as a browser and an attacker meet it. Tests of a trap name it.

mod attacks;
mod browser;
mod federation;
mod roles;
mod sessions;
mod sign_in;
