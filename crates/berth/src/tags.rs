//! `berth tag`: the history of tags, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{ListTagHistoryRequest, RestoreTagRequest, TagEvent, ops};
use policy::Printable;
use serde_json::json;

use crate::cli::{Output, TagCommand, TagHistoryOptions, TagRestoreOptions};
use crate::error::Result;
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// The most that one page holds.
const PAGE_MAX: u32 = 1_000;

/// Runs the command.
pub fn run(command: TagCommand) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        match command {
            TagCommand::History(options) => history(&server, options).await,
            TagCommand::Restore(options) => restore(&server, options).await,
        }
    })
}

async fn history(server: &SignedClient, options: TagHistoryOptions) -> Result<()> {
    let mut left = options.latest;
    let mut input = ListTagHistoryRequest {
        registry_id: options.registry_id,
        repository_name: options.target.repository,
        image_tag: options.target.tag,
        image_digest: options.digest,
        ..ListTagHistoryRequest::default()
    };
    let mut answers = Answers::new();
    while left > 0 {
        input.max_results = i32::try_from(left.min(PAGE_MAX)).ok();
        let called = server.call::<ops::ListTagHistory>(&input).await;
        let page = called.map_err(|e| failed(&e))?;
        for event in &page.events {
            match options.output {
                Output::Json => answers.json(&view(event))?,
                Output::Text => answers.line(&line(event))?,
            }
        }
        left = left.saturating_sub(u32::try_from(page.events.len()).unwrap_or(u32::MAX));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    answers.flush()
}

async fn restore(server: &SignedClient, options: TagRestoreOptions) -> Result<()> {
    let input = RestoreTagRequest {
        registry_id: options.registry_id,
        repository_name: options.target.repository.clone(),
        image_tag: options.target.tag.unwrap_or_default(),
        image_digest: options.digest,
    };
    let called = server.call::<ops::RestoreTag>(&input).await;
    let restored = called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({
            "repositoryName": options.target.repository,
            "imageTag": restored.image_tag,
            "imageDigest": restored.image_digest,
            "previousImageDigest": restored.previous_image_digest,
        }))?,
        Output::Text => answers.line(&format!(
            "{}:{} is {} (was {})",
            options.target.repository,
            restored.image_tag,
            restored.image_digest,
            restored
                .previous_image_digest
                .as_deref()
                .unwrap_or("deleted"),
        ))?,
    }
    answers.flush()
}

fn line(event: &TagEvent) -> String {
    let who = match (&event.principal_arn, &event.session_name) {
        (Some(arn), Some(session)) => format!("{arn} ({session})"),
        (Some(arn), None) => arn.clone(),
        (None, _) => event.service_name.clone().unwrap_or_else(|| "-".to_owned()),
    };
    let line = format!(
        "{}  {}  {:7}  {:11}  {} -> {}  {who}",
        event.event_time,
        event.image_tag,
        event.event_type.as_str(),
        event.method.as_str(),
        event.previous_image_digest.as_deref().unwrap_or("-"),
        event.image_digest.as_deref().unwrap_or("-"),
    );
    // Names of sessions are their makers' to choose.
    Printable(&line).to_string()
}

fn view(event: &TagEvent) -> serde_json::Value {
    json!({
        "imageTag": event.image_tag,
        "eventType": event.event_type.as_str(),
        "method": event.method.as_str(),
        "previousImageDigest": event.previous_image_digest,
        "imageDigest": event.image_digest,
        "imageExists": event.image_exists,
        "eventTime": event.event_time.to_string(),
        "principalArn": event.principal_arn,
        "sessionName": event.session_name,
        "serviceName": event.service_name,
        "requestId": event.request_id,
    })
}
