//! Outbound calls: one HTTP client with one set of rules, and on top of it the AWS APIs and registries.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use client::{AwsClient, Credentials, Http, Settings};
//!
//! let http = Http::new(Settings::default())?;
//! let aws = AwsClient {
//!     http: &http,
//!     endpoint: "https://berth.example.com",
//!     region: "us-east-1",
//!     credentials: &Credentials::new("AKIAEXAMPLE", "secret", None),
//! };
//! let caller = aws
//!     .call::<aws_api::sts::ops::GetCallerIdentity>(&Default::default(), jiff::Timestamp::now())
//!     .await?;
//! println!("{:?}", caller.arn);
//! # Ok(()) }
//! ```
//!
//! # Invariants
//! - **The address that was checked is the address that is connected to.** A name is resolved once. Every
//!   address outside the public internet is refused unless [`Settings::allow`] contains it, so that a URL
//!   from a user's configuration cannot reach internal services (server-side request forgery).
//! - `http://` is accepted only for addresses inside [`Settings::allow`].
//! - Redirects are answers. [`OciClient`] alone follows those of a blob, without credentials and never from
//!   `https://` to `http://`.
//! - Every call is bounded in time ([`Settings::timeout`]) and its answer in bytes
//!   ([`Settings::body_bytes_max`]). Of a streamed body every wait is bounded, and nothing is collected.
//!
//! # What is absent
//! No proxy, no cookies, no decompression, no connection pool. No clock except for time-outs.

mod address;
mod aws;
mod http;
mod oci;
mod profile;
mod registry;
mod stream;
mod tls;

pub use address::is_public;
pub use aws::{AwsClient, CallError, Credentials, call_unsigned, sign};
pub use http::{Error, Http, Request, Response, Settings};
pub use oci::{Basic, FetchedManifest, Login, LoginFuture, OciClient, OciError, StaticLogin};
pub use profile::{Profile, ProfileError};
pub use registry::{RegistryClient, RegistryError};
pub use stream::{BodyStream, Streamed};
pub use tls::{Thumbprint, TlsOptions, thumbprint};
