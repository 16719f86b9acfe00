//! Every call leaves an event: a JSON line in CloudTrail's shape (CloudTrail User Guide, "CloudTrail
//! record contents"), one file a day in `<data-dir>/audit/`.
//!
//! Requests hand their events to one writer over a bounded queue ([`queue`]); it appends them in batches
//! and syncs at a bounded interval ([`writer`]). No request waits for a disk: while the log cannot be
//! written, writes and new credentials are refused, reads go on and are counted, and what only takes
//! access away is recorded in a file that was allocated before ([`reserve`]). Requests of strangers are
//! counted beyond a small burst ([`strangers`]). [`record`] is the text of a line. Work that no request
//! asked for is a service event ([`service_event`]).
//!
//! What is absent: secrets (members that the model marks as sensitive), bytes of layers, and long
//! documents; the event says so in their place.

mod log_files;
mod queue;
mod record;
pub(crate) mod reserve;
mod service_event;
mod strangers;
mod unrecorded;
mod writer;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use authz::{Caller, DecisionRecord, RequestContext};
use jiff::Timestamp;
use serde_json::{Map, json};

pub(crate) use self::queue::Audit;
pub(crate) use self::service_event::ServiceEvent;
use self::writer::Line;
use crate::head::Head;
use crate::limits::{
    AUDIT_NAME_CHARS_MAX, AUDIT_PARAMETERS_BYTES_MAX, AUDIT_RESOURCE_CHARS_MAX,
    AUDIT_TEXT_CHARS_MAX,
};
use crate::network::AddressGroup;

/// One call.
pub(crate) struct Event {
    pub(crate) time: Timestamp,
    pub(crate) source: &'static str,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Arc<str>,
    pub(crate) caller: Option<Arc<Caller>>,
    /// The key id of a caller who could not be authenticated.
    pub(crate) access_key_id: Option<String>,
    pub(crate) request_id: Arc<str>,
    pub(crate) parameters: serde_json::Value,
    /// What was answered, for operations that hand out credentials; null for others.
    pub(crate) elements: serde_json::Value,
    pub(crate) error: Option<(String, String)>,
    /// AWS's name of the error, where `error` has the OCI code: one search finds both APIs' refusals.
    pub(crate) exception: Option<&'static str>,
    /// The ARN of the resource that was decided on.
    pub(crate) resource: Option<Arc<str>>,
    pub(crate) decided: Option<DecisionRecord>,
    pub(crate) recipient: String,
    pub(crate) read_only: bool,
    /// A push or pull, as CloudTrail's data events.
    pub(crate) data: bool,
    /// Of a sign-in to the console: what its event has besides.
    pub(crate) sign_in: Option<ConsoleSignIn>,
}

/// What an event of a sign-in has in place of a call's fields (CloudTrail User Guide, "AWS Management
/// Console sign-in events").
pub(crate) struct ConsoleSignIn {
    /// `userIdentity`.
    pub(crate) identity: serde_json::Value,
    /// `additionalEventData`.
    pub(crate) additional: Map<String, serde_json::Value>,
}

impl Audit {
    /// Records an event: at once in the queue, and from there in the log. Events of requests that nobody
    /// is known for are counted beyond a small burst. The wait for room in the queue is bounded.
    pub(crate) async fn record(&self, event: Event) {
        // Before it waits: strangers' names may be as long as a request.
        let event = event.cut();
        if event.caller.is_none()
            && let Some((code, _)) = &event.error
        {
            let group = AddressGroup::of(event.address);
            let mut strangers = self.strangers();
            if !strangers.allows(group, event.time) {
                strangers.count(group, event.source, &event.name, Some(code), event.time);
                return;
            }
        }
        self.send(event.into_line()).await;
    }

    /// Records a challenge: the first request of every client has no credentials, which is no failure.
    pub(crate) fn record_challenge(&self, address: IpAddr, name: &str, time: Timestamp) {
        let group = AddressGroup::of(address);
        self.strangers()
            .count(group, "ecr.amazonaws.com", name, None, time);
    }
}

impl Event {
    /// The event of a request, with what its head says. Whatever else is known is set on it; the
    /// defaults are those of a call of nobody that succeeded and changed something.
    pub(crate) fn begin(
        head: &Head,
        source: &'static str,
        name: impl Into<String>,
        region: impl ToString,
        recipient: impl ToString,
    ) -> Event {
        Event {
            time: head.now,
            source,
            name: name.into(),
            region: region.to_string(),
            address: head.client.address,
            user_agent: Arc::clone(&head.client.user_agent),
            caller: None,
            access_key_id: None,
            request_id: Arc::clone(&head.request_id),
            parameters: serde_json::Value::Null,
            elements: serde_json::Value::Null,
            error: None,
            exception: None,
            resource: None,
            decided: None,
            recipient: recipient.to_string(),
            read_only: false,
            data: false,
            sign_in: None,
        }
    }

    /// The event of something that is done for a request, or by the server itself as a caller, beside what the
    /// request asks for.
    pub(crate) fn of_context(
        context: &RequestContext,
        source: &'static str,
        name: impl Into<String>,
        region: impl ToString,
        recipient: impl ToString,
    ) -> Event {
        Event {
            time: context.now,
            source,
            name: name.into(),
            region: region.to_string(),
            address: context.client.address,
            user_agent: Arc::clone(&context.client.user_agent),
            caller: Some(Arc::clone(&context.caller)),
            access_key_id: None,
            request_id: Arc::clone(&context.request_id),
            parameters: serde_json::Value::Null,
            elements: serde_json::Value::Null,
            error: None,
            exception: None,
            resource: None,
            decided: None,
            recipient: recipient.to_string(),
            read_only: false,
            data: false,
            sign_in: None,
        }
    }

    /// The event with everything in it cut to its bound.
    fn cut(mut self) -> Event {
        shorten(&mut self.name, AUDIT_NAME_CHARS_MAX);
        shorten(&mut self.region, AUDIT_NAME_CHARS_MAX);
        shorten(&mut self.recipient, AUDIT_NAME_CHARS_MAX);
        if let Some(id) = &mut self.access_key_id {
            shorten(id, AUDIT_NAME_CHARS_MAX);
        }
        if let Some((code, message)) = &mut self.error {
            shorten(code, AUDIT_NAME_CHARS_MAX);
            shorten(message, AUDIT_TEXT_CHARS_MAX);
        }
        if let Some(decided) = &mut self.decided {
            shorten(&mut decided.resource, AUDIT_RESOURCE_CHARS_MAX);
        }
        self.parameters = bounded(self.parameters);
        self.elements = bounded(self.elements);
        self
    }

    fn into_line(self) -> Line {
        let failed = self.error.is_some();
        // What was refused has changed nothing.
        let essential = !failed && (!self.read_only || !self.elements.is_null());
        Line {
            text: record::line(&self),
            time: self.time,
            source: self.source.into(),
            failed,
            essential,
            room: None,
            on_disk: None,
            name: self.name,
        }
    }
}

/// Cuts a text to `max` characters and an ellipsis, and gives back the memory of the rest.
fn shorten(text: &mut String, max: usize) {
    if let Some((at, _)) = text.char_indices().nth(max) {
        text.truncate(at);
        text.push('…');
        text.shrink_to_fit();
    }
}

fn bounded(parameters: serde_json::Value) -> serde_json::Value {
    // Most are far below the bound, and written once.
    if json_length_at_most(&parameters) <= AUDIT_PARAMETERS_BYTES_MAX {
        return parameters;
    }
    match json_length(&parameters) {
        length if length > AUDIT_PARAMETERS_BYTES_MAX => {
            json!({"omitted": format!("{length} bytes")})
        }
        _ => parameters,
    }
}

/// What the JSON of a value cannot be longer than, in bytes.
fn json_length_at_most(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    // Each byte as an escape such as `\u001f`.
    let text = |text: &str| 6 * text.len() + 2;
    match value {
        Value::Null | Value::Bool(_) => 5,
        // The longest is a float such as -2.2250738585072014e-308.
        Value::Number(_) => 32,
        Value::String(value) => text(value),
        Value::Array(values) => {
            2 + values
                .iter()
                .map(|value| json_length_at_most(value) + 1)
                .sum::<usize>()
        }
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| text(name) + json_length_at_most(value) + 2;
            2 + members.iter().map(member).sum::<usize>()
        }
    }
}

/// The length of a value as JSON, in bytes.
fn json_length(value: &serde_json::Value) -> usize {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    // Neither a `Value` nor counting fails.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
}

/// Longer strings (policy documents, manifests) are left out, in bytes.
const PARAMETER_BYTES_MAX: usize = 2048;

/// Parameters without their long strings, so that a queue of events stays small.
pub(crate) fn trimmed(mut parameters: serde_json::Value) -> serde_json::Value {
    fn trim(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) if text.len() > PARAMETER_BYTES_MAX => {
                *text = format!("omitted: {} bytes", text.len());
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(trim),
            serde_json::Value::Object(members) => members.values_mut().for_each(trim),
            _ => {}
        }
    }
    trim(&mut parameters);
    parameters
}

#[cfg(test)]
mod tests;
