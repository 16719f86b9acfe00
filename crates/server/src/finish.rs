//! The end of a request: every API ends its requests here, so that no failure is left out of the logs.

use std::sync::atomic::Ordering::Relaxed;

use crash_points::{Point, reach};

use crate::app::App;
use crate::audit::Event;
use crate::error::Failure;
use crate::network::AddressGroup;

/// Logs the cause of a failure, counts a denial, and records the event. A failure of a caller who is not
/// known may wait here ([`FailureDelay`](crate::failure_delay::FailureDelay)).
///
/// An event may have a decision without a failure: some answers hide a denial (a mount from a
/// repository that the caller may not read starts an upload instead).
pub(crate) async fn finish(app: &App, mut event: Event, failure: Option<Failure>) {
    // The answer may rest on what a transaction saw that was given up.
    app.store.settled().await;
    if let Some(failure) = failure {
        if let Some(cause) = failure.cause {
            let (request_id, operation) = (&*event.request_id, &*event.name);
            tracing::error!(request_id, operation, cause, "request failed");
        }
        event.error = Some((failure.code, failure.message));
        event.exception = failure.exception;
        event.decided = failure.decided.or(event.decided);
    }
    if let Some(decision) = &event.decided {
        app.metrics.denied.fetch_add(1, Relaxed);
        if let Some(caller) = &event.caller {
            let message = match &event.error {
                Some((_, message)) => message.clone(),
                None => format!(
                    "{} on {} was denied; the answer does not show it.",
                    decision.action, decision.resource
                ),
            };
            let id = &event.request_id;
            app.identity
                .note_denial(caller, id, decision, &message, event.time);
        }
    }
    let stranger = match (&event.caller, &event.error) {
        (None, Some(_)) => Some(AddressGroup::of(event.address)),
        _ => None,
    };
    app.audit.record(event).await;
    reach(Point::Answer);
    if let Some(address) = stranger {
        app.failure_delay.wait(address).await;
    }
}
