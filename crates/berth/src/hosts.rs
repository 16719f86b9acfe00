//! `berth host`: the hosts of an account, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{
    CreateHostInvitationRequest, Host, ListHostsRequest, RevokeHostRequest, Tag, ops,
};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{HostCommand, HostInviteOptions, Output};
use crate::error::Result;
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// Runs the command.
pub fn run(command: HostCommand) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        match command {
            HostCommand::Invite(options) => invite(&server, options).await,
            HostCommand::List(options) => list(&server, options.output).await,
            HostCommand::Revoke(options) => {
                let input = RevokeHostRequest {
                    host_id: options.id,
                };
                let revoked = server
                    .call::<ops::RevokeHost>(&input)
                    .await
                    .map_err(|e| failed(&e))?;
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

async fn invite(server: &SignedClient, options: HostInviteOptions) -> Result<()> {
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
    let invited = server
        .call::<ops::CreateHostInvitation>(&input)
        .await
        .map_err(|e| failed(&e))?;
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

async fn list(server: &SignedClient, output: Output) -> Result<()> {
    let mut answers = Answers::new();
    let mut input = ListHostsRequest::default();
    loop {
        let page = server
            .call::<ops::ListHosts>(&input)
            .await
            .map_err(|e| failed(&e))?;
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
