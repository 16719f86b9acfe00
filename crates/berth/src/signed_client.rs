//! A client of a running server: it signs with the credentials that the AWS CLI would use, and IAM decides
//! what it may do.

use std::sync::{Mutex, PoisonError};

use aws_api::{Op, Service};
use aws_types::Cidr;
use client::{AwsClient, CallError, Credentials, Http, Profile, Settings};
use jiff::Timestamp;

use crate::error::{Error, Result};

/// A server and the credentials to call it with.
pub struct SignedClient {
    http: Http,
    profile: Profile,
    credentials: Mutex<Credentials>,
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
        SignedClient::with(profile).await
    }

    /// A client with a named profile of the AWS CLI's files, whatever the environment says about endpoints and
    /// credentials. Without an endpoint in the profile it calls AWS.
    pub async fn of_profile(name: &str, region: Option<String>) -> Result<SignedClient> {
        let files = ["HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
        let environment = |variable: &str| match variable {
            "AWS_PROFILE" => Some(name.to_owned()),
            "AWS_REGION" => region.clone(),
            _ if files.contains(&variable) => std::env::var(variable).ok(),
            _ => None,
        };
        let profile = Profile::load(environment).map_err(|e| failed(&e))?;
        if profile.endpoint(Service::Ecr).is_some() {
            return SignedClient::with(profile).await;
        }
        let of = profile.region().to_owned();
        let domain = match of.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        // Amazon ECR endpoints and quotas, AWS STS endpoints and quotas (AWS General Reference).
        let at_aws = |variable: &str| match variable {
            "AWS_ENDPOINT_URL_ECR" => Some(format!("https://api.ecr.{of}.{domain}")),
            "AWS_ENDPOINT_URL_STS" => Some(format!("https://sts.{of}.{domain}")),
            _ => environment(variable),
        };
        SignedClient::with(Profile::load(at_aws).map_err(|e| failed(&e))?).await
    }

    async fn with(profile: Profile) -> Result<SignedClient> {
        let settings = Settings {
            allow: any_address()?,
            ..Settings::default()
        };
        let http = Http::new(settings).map_err(|e| failed(&e))?;
        let credentials = profile.credentials(&http, Timestamp::now()).await;
        Ok(SignedClient {
            credentials: Mutex::new(credentials.map_err(|e| failed(&e))?),
            http,
            profile,
        })
    }

    /// The transport.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Calls an operation. Temporary credentials that have ended meanwhile are got anew, once.
    pub async fn call<O: Op>(&self, input: &O::Input) -> std::result::Result<O::Output, CallError> {
        let called = self.call_once::<O>(input).await;
        let over = ["ExpiredToken", "ExpiredTokenException"];
        match &called {
            Err(CallError::Service { error, .. }) if over.contains(&error.code.as_str()) => {}
            _ => return called,
        }
        let renewed = self.profile.credentials(&self.http, Timestamp::now()).await;
        let Ok(renewed) = renewed else {
            return called;
        };
        *self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = renewed;
        self.call_once::<O>(input).await
    }

    async fn call_once<O: Op>(
        &self,
        input: &O::Input,
    ) -> std::result::Result<O::Output, CallError> {
        let credentials = self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let aws = AwsClient {
            http: &self.http,
            // `open` checked that there is one.
            endpoint: self
                .profile
                .endpoint(O::OPERATION.service())
                .unwrap_or_default(),
            region: self.profile.region(),
            credentials: &credentials,
        };
        aws.call::<O>(input, Timestamp::now()).await
    }
}

/// Every address: the operator chose the server's.
pub fn any_address() -> Result<Vec<Cidr>> {
    let all = ["0.0.0.0/0", "::/0"].map(str::parse::<Cidr>);
    let all = all.into_iter().collect::<std::result::Result<_, _>>();
    all.map_err(Error::failed("cannot start"))
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
