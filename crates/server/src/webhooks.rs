//! Webhooks: events are sent to the targets of registries, signed, by the rule of all outbound calls.
//!
//! Each node looks for work every second. A target's queue is leased by one node and served in order, a turn at a
//! time: a few events, or some seconds. The turns that run at once are bounded, a target that fails is left alone
//! for a while, a turn ends behind those that wait, and an account has a few turns at once, so a slow target holds
//! up no other. What a node that died had leased is taken over after a minute; an event may come twice then, under
//! the same id.

pub(crate) mod metrics;
pub(crate) mod secret;

use std::sync::Arc;
use std::time::{Duration, Instant};

use authz::ServiceName;
use aws_api::berth::TestEventTargetResponse;
use jiff::Timestamp;
use registry::events::Event;
use registry::webhooks::{StoredEvent, Target, Turn, envelope};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::error::ApiError;
use crate::webhook_calls::Answer;

/// Looks between two writings of the events of pulls.
const LOOKS_PER_PULLS: u64 = 5;
/// Looks between two counts for the metrics.
const LOOKS_PER_COUNT: u64 = 30;
/// How long a target's turn lasts; what runs then is finished.
const TURN_TIME: Duration = Duration::from_secs(15);
/// The text of an answer that a test shows.
const SHOWN_CHARS_MAX: usize = 500;

/// On whose behalf events are sent.
const SERVICE: ServiceName = ServiceName::Maintenance;

/// One look: what was written goes into queues, and free turns are begun.
pub(crate) async fn look_once(
    app: &Arc<App>,
    look: u64,
    running: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) -> Result<(), registry::Error> {
    let registry = &app.registry;
    if look.is_multiple_of(LOOKS_PER_PULLS) {
        registry.write_pull_events(SERVICE).await?;
    }
    while registry.route_events(SERVICE, app.now()).await? {}
    if look.is_multiple_of(LOOKS_PER_COUNT) {
        let (waiting, failed) = registry.event_queue_totals(SERVICE).await?;
        app.webhooks.counted(waiting, failed);
        if failed > 0 {
            while registry.forget_failed_events(SERVICE, app.now()).await? {}
        }
    }
    while let Some(ended) = running.try_join_next() {
        if ended.is_err() {
            tracing::error!("a turn of webhooks panicked");
        }
    }
    let free = app.webhooks.turns.available_permits();
    if free == 0 {
        return Ok(());
    }
    for id in registry.due_event_targets(SERVICE, app.now(), free).await? {
        let Ok(permit) = Arc::clone(&app.webhooks.turns).try_acquire_owned() else {
            break;
        };
        let holder = format!("{}/{look}", app.webhooks.holder);
        let Some(turn) = registry.begin_turn(SERVICE, id, &holder, app.now()).await? else {
            continue;
        };
        let (app, stop) = (Arc::clone(app), stop.clone());
        running.spawn(async move {
            let _permit = permit;
            serve(&app, turn, &stop).await;
        });
    }
    Ok(())
}

/// A target's turn.
async fn serve(app: &App, mut turn: Turn, stop: &watch::Receiver<bool>) {
    let name = turn.target.name.clone();
    if let Err(error) = send_all(app, &mut turn, stop).await {
        let error = crate::error::chain(&error);
        tracing::warn!(target_name = name, error, "the queue of a target was left");
    }
    if let Err(error) = app.registry.end_turn(SERVICE, turn).await {
        let error = crate::error::chain(&error);
        tracing::warn!(
            target_name = name,
            error,
            "a target is free within a minute"
        );
    }
}

async fn send_all(
    app: &App,
    turn: &mut Turn,
    stop: &watch::Receiver<bool>,
) -> Result<(), registry::Error> {
    let began = Instant::now();
    for delivery in std::mem::take(&mut turn.due) {
        if *stop.borrow() || began.elapsed() > TURN_TIME {
            return Ok(());
        }
        let now = app.now();
        let (id, body) = (&delivery.event_id, &delivery.body);
        let answer = send(app, &turn.target, id, body, now).await;
        match answer.failure() {
            None => app.registry.delivered(SERVICE, turn, &delivery).await?,
            Some(failure) if answer.is_gone() => {
                let reason = &failure.reason;
                let registry = &app.registry;
                return registry
                    .disable_event_target(SERVICE, turn, reason, app.now())
                    .await;
            }
            Some(failure) => {
                app.registry
                    .attempt_failed(SERVICE, turn, &delivery, &failure, app.now())
                    .await?;
                if failure.pauses_target {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Signs and sends one event.
async fn send(app: &App, target: &Target, id: &str, body: &str, now: Timestamp) -> Answer {
    let owner = secret::owner(&target.account, &target.region, &target.name);
    let Some(newest) = secret::open(app, &owner, &target.secret).await else {
        return Answer::unsigned();
    };
    let mut secrets = vec![newest];
    let previous = target.previous_secret.as_deref();
    let is_valid = target
        .previous_until
        .is_some_and(|until| until > now.as_millisecond());
    if let Some(sealed) = previous.filter(|_| is_valid) {
        secrets.extend(secret::open(app, &owner, sealed).await);
    }
    let seconds = now.as_second();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| secret.sign(id, seconds, body))
        .collect();
    let signature = signatures.join(" ");
    let calls = &app.webhooks.calls;
    calls.post(&target.url, id, seconds, &signature, body).await
}

/// Sends a test event now.
pub(crate) async fn test(
    app: &App,
    target: &Target,
    now: Timestamp,
) -> Result<TestEventTargetResponse, ApiError> {
    let event = Event::Test {
        target: &target.name,
    };
    let stored = StoredEvent {
        id: 0,
        account: target.account.clone(),
        region: target.region.clone(),
        repository: String::new(),
        source: event.source().to_owned(),
        detail_type: event.detail_type().to_owned(),
        resource: None,
        detail: event.detail("").to_string(),
        occurred_at: now.as_millisecond(),
    };
    let id = app.registry.event_id()?;
    let body = envelope(&stored, &id)?;
    let began = Instant::now();
    let answer = send(app, target, &id, &body, now).await;
    let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let failure = answer.failure();
    let text: String = answer.text.chars().take(SHOWN_CHARS_MAX).collect();
    Ok(TestEventTargetResponse {
        delivered: failure.is_none(),
        status_code: answer.status.map(|status| i32::from(status.as_u16())),
        duration_milliseconds: took,
        response: Some(text).filter(|text| !text.is_empty()),
        reason: failure.map(|failure| failure.reason),
    })
}
