//! HTTP: the AWS APIs, the registry, and what guards them, on one port.
//!
//! ```text
//! let server = Server::bind(settings, store, blobs, identity).await?;   // sockets open, registry swept
//! println!("listening on {:?}", server.addresses());
//! server.run(ctrl_c()).await;   // until the signal; running requests are finished, and notes in memory are written
//! ```
//! The program opens store, blobs and identity; the server opens the registry over them, since image
//! names hold the address that it listens on.
//!
//! # The steps of one request
//! Each step is one module. A request goes through them in this order, and never back.
//!
//! | step | module | what happens |
//! |---|---|---|
//! | | `listener`, `dispatch` | a connection, a request, its id, its counters; panics are caught here |
//! | route | `route`, `oci_route` | a pure function of method, path and headers |
//! | authenticate | `authenticate` | a signature or a docker login becomes a `Caller`, or AWS's exact error |
//! | authorize | `ops`, `authorize` | the operation's row says what it needs; the authorization step decides it |
//! | operate | `ops`, `aws`, `oci` | the domain's function, called with what only the authorization step can make |
//! | answer | `error` | one conversion of errors, in the protocol's form |
//! | audit | `finish`, `audit` | an event for each call, denials with the statement that decided |
//!
//! # Invariants
//! - A handler takes [`Authorized`](authorize::Authorized), which only the authorization step builds: an operation without a
//!   row in `ops` cannot be called, and a request to `/v2/` without one does not compile.
//! - Whatever a client sends, what it costs is bounded: every bound is a constant in [`limits`].
//! - Nothing internal reaches a client: it is told the request's id, under which the log has the cause.
//!
//! # What is absent
//! No SQL and no policy rules. No bypass: there is no key, header or address that skips a step.

mod admission;
mod app;
mod audit;
mod authenticate;
mod authorize;
mod aws;
mod body;
mod boxed;
mod clock;
mod connection_io;
mod connections;
mod console;
mod console_route;
mod creation;
mod dispatch;
mod download;
mod download_url;
mod error;
mod event_sender;
mod failure_delay;
mod fair_pool;
mod file_sends;
mod finish;
mod form;
mod forwarded;
mod head;
mod health;
mod issuer_endpoints;
mod job_kinds;
mod keys;
pub mod limits;
mod listener;
mod memory_budget;
mod metrics;
mod names;
mod network;
mod oci;
pub mod oci_route;
mod offline;
mod ops;
mod outbound;
mod peek;
mod peer_secret;
mod peer_turns;
mod principals;
mod probe;
mod proxy_protocol;
mod pull_through;
mod rate_buckets;
mod rates;
mod read_only;
mod registry_host;
mod replication;
mod reply;
mod route;
mod saml;
mod secret_seal;
mod serve;
mod server_mode;
mod service_events;
mod sign_in_guesses;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod upstream_pulls;
mod usage_metrics;
mod web_identity;
mod webhook_calls;
mod webhooks;
mod writable;
mod write_timeout;

pub use aws_types::Cidr;
pub use clock::Clock;
pub use offline::registry_for_check;
pub use outbound::OutboundSettings;
pub use probe::DiskSettings;
pub use registry::{HistoryLimits, integrity};
pub use serve::{Server, Settings, StartError};
pub use tls::{Tls, TlsError};
pub use transport::TransportSettings;
