//! One identity of the demo, which calls the AWS APIs as the AWS CLI does.

use std::net::SocketAddr;

use aws_api::Op;
use aws_types::Region;
use client::{AwsClient, Credentials};
use jiff::Timestamp;

use super::network::Network;

/// What a client shows when it did not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(pub String);

impl CommandError {
    /// The error with its causes, on one line.
    pub fn new(error: &dyn std::error::Error) -> CommandError {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        CommandError(text)
    }
}

/// One identity and its credentials.
#[derive(Clone)]
pub struct Person {
    pub name: &'static str,
    pub address: SocketAddr,
    pub region: Region,
    pub credentials: Credentials,
    pub network: Network,
}

impl Person {
    /// Calls an operation.
    pub fn call<O: Op>(&self, input: &O::Input) -> Result<O::Output, CommandError> {
        let aws = AwsClient {
            http: self.network.http(),
            endpoint: &format!("http://{}", self.address),
            region: self.region.as_str(),
            credentials: &self.credentials,
        };
        self.network
            .block_on(aws.call::<O>(input, Timestamp::now()))
            .map_err(|error| CommandError::new(&error))
    }
}
