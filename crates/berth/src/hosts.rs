//! `berth host`: the hosts of an account, by signed calls of the service `berth`.

use aws_api::berth::{
    CreateHostInvitationRequest, Host, ListHostsRequest, RevokeHostRequest, Tag, ops,
};
use aws_api::{Op, Service};
use aws_types::Cidr;
use client::{AwsClient, CallError, Credentials, Http, Profile, Settings};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{HostCommand, HostInviteOptions, Output};
use crate::error::{Error, Result};
use crate::output::Answers;

/// Runs the command.
pub fn run(command: HostCommand) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(async {
        let server = Server::open().await?;
        match command {
            HostCommand::Invite(options) => invite(&server, options).await,
            HostCommand::List(options) => list(&server, options.output).await,
            HostCommand::Revoke(options) => {
                let input = RevokeHostRequest {
                    host_id: options.id,
                };
                let revoked = server.call::<ops::RevokeHost>(&input).await?;
                let mut answers = Answers::new();
                match options.output {
                    Output::Json => answers.json(&view(&revoked.host))?,
                    Output::Text => answers.line(&format!("revoked {}", revoked.host.host_id))?,
                }
                answers.flush()
            }
        }
    })
}

async fn invite(server: &Server, options: HostInviteOptions) -> Result<()> {
    let tags = options
        .tag
        .into_iter()
        .map(|(key, value)| Tag { key, value });
    let input = CreateHostInvitationRequest {
        instance_profile_name: options.instance_profile,
        host_name: options.host_name,
        duration_seconds: options.duration,
        tags: Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty()),
    };
    let invited = server.call::<ops::CreateHostInvitation>(&input).await?;
    let expires_at = invited.expires_at.to_string();
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({
            "invitationId": invited.invitation_id,
            "code": invited.code.expose(),
            "expiresAt": expires_at,
        }))?,
        // The code alone, so that it can be piped to the host.
        Output::Text => answers.line(invited.code.expose())?,
    }
    answers.flush()?;
    if options.output == Output::Text {
        eprintln!(
            "{}: one host can join with this code until {expires_at}: berth agent join",
            invited.invitation_id
        );
    }
    Ok(())
}

async fn list(server: &Server, output: Output) -> Result<()> {
    let mut answers = Answers::new();
    let mut input = ListHostsRequest::default();
    loop {
        let page = server.call::<ops::ListHosts>(&input).await?;
        for host in &page.hosts {
            match output {
                Output::Json => answers.json(&view(host))?,
                Output::Text => answers.line(&format!(
                    "{}  {:7}  {}  {}",
                    host.host_id,
                    host.status.as_str(),
                    host.host_name.as_deref().unwrap_or("-"),
                    host.instance_profile_arn.as_deref().unwrap_or("-"),
                ))?,
            }
        }
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return answers.flush();
        }
    }
}

fn view(host: &Host) -> serde_json::Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "hostId": host.host_id,
        "hostArn": host.host_arn,
        "hostName": host.host_name,
        "instanceProfileArn": host.instance_profile_arn,
        "status": host.status.as_str(),
        "joinedAt": time(host.joined_at),
        "lastSeenAt": time(host.last_seen_at),
        "revokedAt": time(host.revoked_at),
    })
}

/// A server and who calls it.
struct Server {
    http: Http,
    profile: Profile,
    credentials: Credentials,
}

impl Server {
    async fn open() -> Result<Server> {
        let profile = Profile::load(|name| std::env::var(name).ok()).map_err(|e| failed(&e))?;
        if profile.endpoint(Service::Berth).is_none() {
            return Err(Error::Usage(
                "no endpoint is set: set AWS_ENDPOINT_URL to the server's URL".to_owned(),
            ));
        }
        let allow = ["0.0.0.0/0", "::/0"].map(str::parse::<Cidr>);
        let allow = allow.into_iter().collect::<std::result::Result<_, _>>();
        let settings = Settings {
            allow: allow.map_err(Error::failed("cannot start"))?,
            ..Settings::default()
        };
        let http = Http::new(settings).map_err(|e| failed(&e))?;
        let credentials = profile.credentials(&http, Timestamp::now()).await;
        Ok(Server {
            credentials: credentials.map_err(|e| failed(&e))?,
            http,
            profile,
        })
    }

    async fn call<O: Op>(&self, input: &O::Input) -> Result<O::Output> {
        let aws = AwsClient {
            http: &self.http,
            // It was checked that there is one.
            endpoint: self.profile.endpoint(Service::Berth).unwrap_or_default(),
            region: self.profile.region(),
            credentials: &self.credentials,
        };
        let called: std::result::Result<_, CallError> =
            aws.call::<O>(input, Timestamp::now()).await;
        called.map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Error::Failed(text)
}
