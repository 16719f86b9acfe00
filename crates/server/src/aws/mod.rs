//! The AWS APIs. A request is signed, so it is read whole before it is believed; what it may cost before
//! that is bounded in `limits`. [`json`], [`query`] and [`rest`] read the three protocols; a
//! [`call`](self::call) goes the same steps in each.

mod answers;
mod call;
mod explanation;
mod json;
mod other_path;
mod other_services;
mod query;
mod rest;

pub(crate) use answers::{internal, malformed, too_long, unavailable};
pub(crate) use json::json;
pub(crate) use other_path::other_path;
pub(crate) use query::query;
