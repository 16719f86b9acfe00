//! `berth events`: targets of events and what they did not get, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{
    DeleteEventTargetRequest, EventTarget, EventTargetState, FailedEventDelivery,
    ListEventTargetsRequest, ListFailedEventDeliveriesRequest, PutEventTargetRequest,
    RetryFailedEventDeliveriesRequest, TestEventTargetRequest, ops,
};
use policy::Printable;
use serde_json::json;

use crate::cli::{
    EventTargetCommand, EventTargetListOptions, EventTargetOptions, EventTargetPutOptions,
    EventsCommand, EventsFailedOptions, EventsRetryOptions, Output,
};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// The most that one page holds.
const PAGE_MAX: u32 = 1_000;
/// Deliveries that one call names.
const IDS_MAX: usize = 100;

/// Runs the command.
pub fn run(command: EventsCommand) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        match command {
            EventsCommand::Target(command) => match command {
                EventTargetCommand::Put(options) => put(&server, options).await,
                EventTargetCommand::List(options) => list(&server, options).await,
                EventTargetCommand::Delete(options) => delete(&server, options).await,
                EventTargetCommand::Test(options) => test(&server, options).await,
            },
            EventsCommand::Failed(options) => list_failed(&server, options).await,
            EventsCommand::Retry(options) => retry(&server, options).await,
        }
    })
}

async fn put(server: &SignedClient, options: EventTargetPutOptions) -> Result<()> {
    let input = PutEventTargetRequest {
        target_name: options.name,
        url: options.url,
        event_pattern: options.pattern,
        rotate_secret: options.rotate_secret.then_some(true),
        state: options.disabled.then_some(EventTargetState::Disabled),
        ..PutEventTargetRequest::default()
    };
    let called = server.call::<ops::PutEventTarget>(&input).await;
    let put = called.map_err(|e| failed(&e))?;
    let secret = put.secret.as_ref().map(|secret| secret.expose().as_str());
    let mut answers = Answers::new();
    match options.output {
        Output::Json => {
            let mut shown = view(&put.event_target);
            shown["secret"] = secret.into();
            answers.json(&shown)?;
        }
        Output::Text => {
            answers.line(&line(&put.event_target))?;
            if let Some(secret) = secret {
                answers.line(&format!("secret (shown once): {secret}"))?;
            }
        }
    }
    answers.flush()
}

async fn list(server: &SignedClient, options: EventTargetListOptions) -> Result<()> {
    let input = ListEventTargetsRequest {};
    let called = server.call::<ops::ListEventTargets>(&input).await;
    let mut answers = Answers::new();
    for target in called.map_err(|e| failed(&e))?.event_targets {
        match options.output {
            Output::Json => answers.json(&view(&target))?,
            Output::Text => answers.line(&line(&target))?,
        }
    }
    answers.flush()
}

async fn delete(server: &SignedClient, options: EventTargetOptions) -> Result<()> {
    let input = DeleteEventTargetRequest {
        target_name: options.name.clone(),
    };
    let called = server.call::<ops::DeleteEventTarget>(&input).await;
    called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({"targetName": options.name}))?,
        Output::Text => answers.line(&format!("deleted {}", options.name))?,
    }
    answers.flush()
}

async fn test(server: &SignedClient, options: EventTargetOptions) -> Result<()> {
    let input = TestEventTargetRequest {
        target_name: options.name,
    };
    let called = server.call::<ops::TestEventTarget>(&input).await;
    let tested = called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({
            "delivered": tested.delivered,
            "statusCode": tested.status_code,
            "durationMilliseconds": tested.duration_milliseconds,
            "response": tested.response,
            "reason": tested.reason,
        }))?,
        Output::Text => {
            let status = tested
                .status_code
                .map_or("no answer".to_owned(), |n| n.to_string());
            answers.line(&format!(
                "{status} after {} ms",
                tested.duration_milliseconds
            ))?;
            if let Some(text) = &tested.response {
                answers.line(&Printable(text).to_string())?;
            }
        }
    }
    answers.flush()?;
    match tested.delivered {
        true => Ok(()),
        false => Err(Error::Failed(tested.reason.unwrap_or_default())),
    }
}

async fn list_failed(server: &SignedClient, options: EventsFailedOptions) -> Result<()> {
    let mut left = options.limit;
    let mut input = ListFailedEventDeliveriesRequest {
        target_name: options.target,
        ..ListFailedEventDeliveriesRequest::default()
    };
    let mut answers = Answers::new();
    while left > 0 {
        input.max_results = i32::try_from(left.min(PAGE_MAX)).ok();
        let called = server.call::<ops::ListFailedEventDeliveries>(&input).await;
        let page = called.map_err(|e| failed(&e))?;
        for delivery in &page.deliveries {
            match options.output {
                Output::Json => answers.json(&failed_view(delivery))?,
                Output::Text => answers.line(&failed_line(delivery))?,
            }
        }
        left = left.saturating_sub(u32::try_from(page.deliveries.len()).unwrap_or(u32::MAX));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    answers.flush()
}

async fn retry(server: &SignedClient, options: EventsRetryOptions) -> Result<()> {
    let parts: Vec<Option<Vec<String>>> = match options.deliveries.is_empty() {
        true => vec![None],
        false => {
            let parts = options.deliveries.chunks(IDS_MAX);
            parts.map(|part| Some(part.to_vec())).collect()
        }
    };
    let mut count = 0;
    for part in parts {
        let input = RetryFailedEventDeliveriesRequest {
            target_name: options.target.clone(),
            delivery_ids: part,
        };
        let called = server.call::<ops::RetryFailedEventDeliveries>(&input).await;
        count += called.map_err(|e| failed(&e))?.retried_count;
    }
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({"retriedCount": count}))?,
        Output::Text => answers.line(&format!("{count} back in the queue"))?,
    }
    answers.flush()
}

fn line(target: &EventTarget) -> String {
    let reason = target.state_reason.as_deref().unwrap_or_default();
    let line = format!(
        "{}  {}  {}  waiting {}  failed {}  {}  {reason}",
        target.target_name,
        target.state.as_str(),
        target.url,
        target.waiting_count,
        target.failed_count,
        target.event_pattern,
    );
    Printable(line.trim_end()).to_string()
}

fn view(target: &EventTarget) -> serde_json::Value {
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    json!({
        "targetName": target.target_name,
        "targetArn": target.target_arn,
        "url": target.url,
        "eventPattern": target.event_pattern,
        "state": target.state.as_str(),
        "stateReason": target.state_reason,
        "createdAt": target.created_at.to_string(),
        "updatedAt": target.updated_at.to_string(),
        "previousSecretExpiresAt": time(target.previous_secret_expires_at),
        "waitingCount": target.waiting_count,
        "failedCount": target.failed_count,
        "failures": target.failures,
        "nextAttemptAt": time(target.next_attempt_at),
    })
}

fn failed_line(delivery: &FailedEventDelivery) -> String {
    let line = format!(
        "{}  {}  {}  {}  {}  attempts {}  {}",
        delivery.delivery_id,
        delivery.target_name,
        delivery.occurred_at,
        delivery.detail_type,
        delivery.repository_name.as_deref().unwrap_or("-"),
        delivery.attempts,
        delivery.reason,
    );
    Printable(&line).to_string()
}

fn failed_view(delivery: &FailedEventDelivery) -> serde_json::Value {
    json!({
        "deliveryId": delivery.delivery_id,
        "targetName": delivery.target_name,
        "eventId": delivery.event_id,
        "detailType": delivery.detail_type,
        "repositoryName": delivery.repository_name,
        "occurredAt": delivery.occurred_at.to_string(),
        "failedAt": delivery.failed_at.to_string(),
        "attempts": delivery.attempts,
        "reason": delivery.reason,
        "event": serde_json::from_str::<serde_json::Value>(&delivery.event).unwrap_or_default(),
    })
}
