//! A client of a running server: it signs with the credentials that the AWS CLI would use, and IAM decides
//! what it may do.

use aws_api::{Op, Service};
use aws_types::Cidr;
use client::{AwsClient, CallError, Credentials, Http, Profile, Settings};
use jiff::Timestamp;

use crate::error::{Error, Result};

/// A server and the credentials to call it with.
pub struct SignedClient {
    http: Http,
    profile: Profile,
    credentials: Credentials,
}

impl SignedClient {
    /// Finds the endpoint and the credentials as the AWS CLI does. Each of `services` must have an
    /// endpoint: without one, a call would go to AWS itself.
    pub async fn open(services: &[Service]) -> Result<SignedClient> {
        let profile = Profile::load(|name| std::env::var(name).ok()).map_err(|e| failed(&e))?;
        if services.iter().any(|of| profile.endpoint(*of).is_none()) {
            return Err(Error::Usage(
                "no endpoint is set: set AWS_ENDPOINT_URL to the server's URL".to_owned(),
            ));
        }
        // The operator chose the server's address.
        let allow = ["0.0.0.0/0", "::/0"].map(str::parse::<Cidr>);
        let allow = allow.into_iter().collect::<std::result::Result<_, _>>();
        let settings = Settings {
            allow: allow.map_err(Error::failed("cannot start"))?,
            ..Settings::default()
        };
        let http = Http::new(settings).map_err(|e| failed(&e))?;
        let credentials = profile.credentials(&http, Timestamp::now()).await;
        Ok(SignedClient {
            credentials: credentials.map_err(|e| failed(&e))?,
            http,
            profile,
        })
    }

    /// Calls an operation.
    pub async fn call<O: Op>(&self, input: &O::Input) -> std::result::Result<O::Output, CallError> {
        let aws = AwsClient {
            http: &self.http,
            // `open` checked that there is one.
            endpoint: self
                .profile
                .endpoint(O::OPERATION.service())
                .unwrap_or_default(),
            region: self.profile.region(),
            credentials: &self.credentials,
        };
        aws.call::<O>(input, Timestamp::now()).await
    }
}

/// Runs a command that waits for the network.
pub fn block_on(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(command)
}

/// The error with its causes.
pub fn failed(error: &dyn std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Error::Failed(text)
}
