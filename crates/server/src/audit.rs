//! Every call leaves an event: a JSON line in CloudTrail's shape (CloudTrail User Guide, "CloudTrail
//! record contents"), one file a day in `<data-dir>/audit/`.
//!
//! Requests hand their events to one writer over a bounded queue. When the disk is slow the queue fills
//! and requests wait: an event is never dropped while the process lives. Lines are written in batches,
//! each with one `write`; a killed process loses at most the events of its last moments, an orderly stop
//! writes and syncs them all.
//!
//! What is absent: secrets (members that the model marks as sensitive), bytes of layers, and long
//! documents; the event says so in their place.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity::{Caller, CallerKind};
use jiff::Timestamp;
use serde_json::{Map, json};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::limits::{AUDIT_PARAMETERS_BYTES_MAX, AUDIT_QUEUE_MAX, AUDIT_TEXT_CHARS_MAX};

/// The statement that decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decided {
    /// `ExplicitlyDenied` or `ImplicitlyDenied`.
    pub(crate) effect: &'static str,
    /// The policy type that decided or was silent.
    pub(crate) reason: String,
    /// The action and resource that were refused.
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Policy, Sid and index of the deciding statement; none for a silent denial.
    pub(crate) statement: Option<(Arc<str>, Option<String>, usize)>,
}

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
    pub(crate) error: Option<(String, String)>,
    pub(crate) decided: Option<Decided>,
    pub(crate) recipient: String,
    pub(crate) read_only: bool,
    /// A push or pull, as CloudTrail's data events.
    pub(crate) data: bool,
}

/// The way into the log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit {
    queue: mpsc::Sender<Event>,
}

impl Audit {
    /// Starts the writer. It ends when every clone is dropped, and then everything is on disk.
    pub(crate) fn start(directory: PathBuf) -> (Audit, JoinHandle<()>) {
        let (queue, events) = mpsc::channel(AUDIT_QUEUE_MAX);
        (Audit { queue }, tokio::spawn(write(directory, events)))
    }

    /// Takes an event, waiting while the queue is full.
    pub(crate) async fn record(&self, event: Event) {
        if self.queue.send(event).await.is_err() {
            tracing::error!("the audit writer has ended: an event is lost");
        }
    }
}

/// Events written with one system call.
const BATCH_MAX: usize = 256;

async fn write(directory: PathBuf, mut events: mpsc::Receiver<Event>) {
    let mut open: Option<(String, File)> = None;
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while events.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut lines = Vec::with_capacity(batch.len() * 1024);
        let mut day = String::new();
        for event in batch.drain(..) {
            let its_day = day_of(event.time);
            if its_day != day && !lines.is_empty() {
                append(&directory, &mut open, &day, &lines).await;
                lines.clear();
            }
            day = its_day;
            // A `Value` serialises without fail.
            lines.extend_from_slice(event.json().to_string().as_bytes());
            lines.push(b'\n');
        }
        append(&directory, &mut open, &day, &lines).await;
    }
    if let Some((_, file)) = open
        && let Err(error) = file.sync_all().await
    {
        tracing::error!(%error, "the audit log may not be on disk");
    }
}

fn day_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

async fn append(directory: &Path, open: &mut Option<(String, File)>, day: &str, lines: &[u8]) {
    let result: io::Result<()> = async {
        if open.as_ref().is_none_or(|(of, _)| of != day) {
            tokio::fs::create_dir_all(directory).await?;
            let path = directory.join(format!("{day}.jsonl"));
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            // Who did what from where is nobody else's business on this machine.
            #[cfg(unix)]
            options.mode(0o600);
            *open = Some((day.to_owned(), options.open(path).await?));
        }
        if let Some((_, file)) = open {
            file.write_all(lines).await?;
            file.flush().await?;
        }
        Ok(())
    }
    .await;
    if let Err(error) = result {
        // Opened anew with the next batch: the disk may have room again.
        *open = None;
        tracing::error!(%error, directory = %directory.display(), "cannot write the audit log");
    }
}

impl Event {
    fn json(self) -> serde_json::Value {
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": user_identity(self.caller.as_deref(), self.access_key_id),
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": self.address.to_string(),
            "userAgent": &*self.user_agent,
            "requestParameters": bounded(self.parameters),
            "responseElements": null,
            "requestID": &*self.request_id,
            // One event a request: its id serves as the event's.
            "eventID": &*self.request_id,
            "readOnly": self.read_only,
            "eventType": "AwsApiCall",
            "managementEvent": !self.data,
            "recipientAccountId": self.recipient,
            "eventCategory": if self.data { "Data" } else { "Management" },
        });
        if let (Some((code, message)), Some(event)) = (self.error, event.as_object_mut()) {
            event.insert("errorCode".into(), code.into());
            event.insert("errorMessage".into(), shorten(&message).into());
        }
        if let (Some(decided), Some(event)) = (self.decided, event.as_object_mut()) {
            let statement = decided.statement.map(
                |(policy, sid, index)| json!({"policy": &*policy, "sid": sid, "index": index}),
            );
            let decision = json!({
                "decision": decided.effect,
                "reason": decided.reason,
                "action": decided.action,
                "resource": decided.resource,
                "statement": statement,
            });
            event.insert(
                "additionalEventData".into(),
                json!({"authorization": decision}),
            );
        }
        event
    }
}

/// CloudTrail User Guide, "CloudTrail userIdentity element".
fn user_identity(caller: Option<&Caller>, access_key_id: Option<String>) -> serde_json::Value {
    let Some(caller) = caller else {
        return match access_key_id {
            Some(id) => json!({"type": "Unknown", "accessKeyId": shorten(&id)}),
            None => json!({"type": "Unknown"}),
        };
    };
    let mut identity = Map::new();
    let mut put = |name: &str, value: serde_json::Value| identity.insert(name.to_owned(), value);
    let account = caller.account.as_str();
    let kind = match &caller.kind {
        CallerKind::Root => "Root",
        CallerKind::User { name, .. } => {
            put("userName", json!(&**name));
            "IAMUser"
        }
        CallerKind::RoleSession {
            role_arn,
            role_name,
            ..
        } => {
            let issuer = json!({
                "type": "Role",
                "principalId": caller.user_id.split(':').next(),
                "arn": &**role_arn,
                "accountId": account,
                "userName": &**role_name,
            });
            put("sessionContext", json!({"sessionIssuer": issuer}));
            "AssumedRole"
        }
        CallerKind::FederatedUser { .. } => "FederatedUser",
    };
    put("type", json!(kind));
    put("principalId", json!(&*caller.user_id));
    put("arn", json!(&*caller.arn));
    put("accountId", json!(account));
    put("accessKeyId", json!(&*caller.access_key_id));
    identity.into()
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(AUDIT_TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn bounded(parameters: serde_json::Value) -> serde_json::Value {
    let length = parameters.to_string().len();
    match length > AUDIT_PARAMETERS_BYTES_MAX {
        true => json!({"omitted": format!("{length} bytes")}),
        false => parameters,
    }
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
