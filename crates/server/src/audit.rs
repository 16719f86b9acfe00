//! Every call leaves an event: a JSON line in CloudTrail's shape (CloudTrail User Guide, "CloudTrail
//! record contents"), one file a day in `<data-dir>/audit/`.
//!
//! Requests hand their events to one writer over a bounded queue. When the disk is slow or full the queue
//! fills and requests wait: an event is never dropped while the process serves. Lines are written in
//! batches, each with one `write`, and a batch whose write fails is cut off and written again; a killed
//! process loses at most the events of its last moments, an orderly stop writes and syncs them all.
//!
//! What is absent: secrets (members that the model marks as sensitive), bytes of layers, and long
//! documents; the event says so in their place.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use identity::{Caller, CallerKind};
use jiff::Timestamp;
use serde_json::{Map, json};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::limits::{
    AUDIT_NAME_CHARS_MAX, AUDIT_PARAMETERS_BYTES_MAX, AUDIT_QUEUE_MAX, AUDIT_RESOURCE_CHARS_MAX,
    AUDIT_TEXT_CHARS_MAX,
};

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
    /// What was answered, for operations that hand out credentials; null for others.
    pub(crate) elements: serde_json::Value,
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
        // Before it waits: the queue holds thousands, and strangers' names may be as long as a request.
        if self.queue.send(event.cut()).await.is_err() {
            tracing::error!("the audit writer has ended: an event is lost");
        }
    }
}

/// Events written with one system call.
const BATCH_MAX: usize = 256;
/// Between two tries to write.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Tries once the server stops: it waits for the log, not for a disk.
const LAST_TRIES: u32 = 3;

async fn write(directory: PathBuf, mut events: mpsc::Receiver<Event>) {
    let mut log = Log::new(directory);
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while events.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut lines = Vec::with_capacity(batch.len() * 1024);
        let mut day = String::new();
        for event in batch.drain(..) {
            let its_day = day_of(event.time);
            if its_day != day && !lines.is_empty() {
                keep(&mut log, &day, &lines, &events).await;
                lines.clear();
            }
            day = its_day;
            // A `Value` serialises without fail.
            lines.extend_from_slice(event.json().to_string().as_bytes());
            lines.push(b'\n');
        }
        keep(&mut log, &day, &lines, &events).await;
    }
    if let Some(open) = log.open
        && let Err(error) = open.file.sync_all().await
    {
        tracing::error!(%error, "the audit log may not be on disk");
    }
}

fn day_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Writes lines, again and again until they are written: meanwhile the queue fills, and requests wait.
async fn keep(log: &mut Log, day: &str, lines: &[u8], events: &mpsc::Receiver<Event>) {
    let mut last_tries = LAST_TRIES;
    let mut failed = false;
    while let Err(error) = log.append(day, lines).await {
        let directory = log.directory.display();
        if !failed {
            tracing::error!(%error, %directory, "cannot write the audit log; requests will wait for it");
        }
        failed = true;
        if events.is_closed() {
            last_tries -= 1;
            if last_tries == 0 {
                let lost = lines.iter().filter(|byte| **byte == b'\n').count();
                tracing::error!(%error, %directory, lost, "the audit log's last events are lost");
                return;
            }
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    if failed {
        tracing::info!("the audit log is written again");
    }
}

/// The files.
struct Log {
    directory: PathBuf,
    open: Option<OpenFile>,
    /// Where a day's whole lines end, after a write that failed in the middle.
    torn: Option<(String, u64)>,
}

struct OpenFile {
    day: String,
    file: File,
    /// In bytes, all of them whole lines.
    length: u64,
}

impl Log {
    fn new(directory: PathBuf) -> Log {
        Log {
            directory,
            open: None,
            torn: None,
        }
    }

    /// Appends whole lines, or nothing: what a failed write left is cut off before the next one.
    async fn append(&mut self, day: &str, lines: &[u8]) -> io::Result<()> {
        let mut open = match self.open.take().filter(|open| open.day == day) {
            Some(open) => open,
            None => self.file(day).await?,
        };
        let written = async {
            open.file.write_all(lines).await?;
            open.file.flush().await
        };
        match written.await {
            Ok(()) => {
                open.length += lines.len() as u64;
                self.open = Some(open);
                Ok(())
            }
            Err(error) => {
                // Opened anew for the next try: the directory may be another one by then.
                self.torn = Some((open.day, open.length));
                if open.file.set_len(open.length).await.is_ok() {
                    self.torn = None;
                }
                Err(error)
            }
        }
    }

    async fn file(&mut self, day: &str) -> io::Result<OpenFile> {
        tokio::fs::create_dir_all(&self.directory).await?;
        let path = self.directory.join(format!("{day}.jsonl"));
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        // Who did what from where is nobody else's business on this machine.
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).await?;
        let mut length = file.metadata().await?.len();
        if let Some((torn, whole)) = &self.torn
            && torn == day
        {
            // Shorter: somebody rotated the file.
            if *whole < length {
                file.set_len(*whole).await?;
                length = *whole;
            }
            self.torn = None;
        }
        Ok(OpenFile {
            day: day.to_owned(),
            file,
            length,
        })
    }
}

impl Event {
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
            "requestParameters": self.parameters,
            "responseElements": self.elements,
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
            event.insert("errorMessage".into(), message.into());
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
            Some(id) => json!({"type": "Unknown", "accessKeyId": id}),
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

/// Cuts a text to `max` characters and an ellipsis, and gives back the memory of the rest.
fn shorten(text: &mut String, max: usize) {
    if let Some((at, _)) = text.char_indices().nth(max) {
        text.truncate(at);
        text.push('…');
        text.shrink_to_fit();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Event {
        Event {
            time: "2026-11-22T12:00:00Z".parse().unwrap(),
            source: "ecr.amazonaws.com",
            name: name.to_owned(),
            region: "us-east-1".to_owned(),
            address: "127.0.0.1".parse().unwrap(),
            user_agent: "test".into(),
            caller: None,
            access_key_id: None,
            request_id: "id".into(),
            parameters: serde_json::Value::Null,
            elements: serde_json::Value::Null,
            error: None,
            decided: None,
            recipient: "123456789012".to_owned(),
            read_only: true,
            data: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_written_is_kept_until_it_can() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("audit");
        // No directory can be made there.
        std::fs::write(&directory, "in the way").unwrap();
        let (audit, writer) = Audit::start(directory.clone());
        for name in ["First", "Second"] {
            audit.record(event(name)).await;
        }
        tokio::time::sleep(100 * RETRY_PAUSE).await;
        std::fs::remove_file(&directory).unwrap();
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        drop(audit);
        writer.await.unwrap();
        let text = std::fs::read_to_string(directory.join("2026-11-22.jsonl")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("First") && lines[1].contains("Second"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_does_not_wait_for_a_disk_for_ever() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("audit");
        std::fs::write(&directory, "in the way").unwrap();
        let (audit, writer) = Audit::start(directory);
        audit.record(event("Lost")).await;
        drop(audit);
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn half_a_line_is_cut_off_before_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("2026-11-22.jsonl");
        let mut log = Log::new(directory.path().to_owned());
        log.append("2026-11-22", b"{\"a\":1}\n").await.unwrap();
        // As a disk that fills up in the middle of a write leaves it.
        let open = log.open.take().unwrap();
        log.torn = Some((open.day, open.length));
        std::fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
        log.append("2026-11-22", b"{\"b\":2}\n").await.unwrap();
        log.append("2026-11-22", b"{\"c\":3}\n").await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    }
}
