use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;

use aws_types::Region;

use super::*;
use crate::clock::Clock;

const DAY: &str = "2026-11-22.jsonl";

fn clock() -> Clock {
    Arc::new(|| "2026-11-22T12:00:00Z".parse().unwrap())
}

fn region() -> Region {
    "us-east-1".parse().unwrap()
}

fn event(name: &str, read_only: bool) -> Event {
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
        exception: None,
        resource: None,
        decided: None,
        recipient: "123456789012".to_owned(),
        read_only,
        data: false,
        sign_in: None,
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(path: &Path) -> Vec<String> {
    let name = |line: &serde_json::Value| line["eventName"].as_str().unwrap().to_owned();
    lines(path).iter().map(name).collect()
}

/// Time for the writer to notice.
async fn pass() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[tokio::test(start_paused = true)]
async fn writes_what_must_be_kept_to_the_reserve_and_counts_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit").join(DAY);
    // No log can be opened there.
    std::fs::create_dir_all(&path).unwrap();
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    audit.record(event("BatchGetImage", true)).await;
    pass().await;
    assert!(!audit.is_available() && audit.can_record_removal());
    audit.record(event("DeleteAccessKey", false)).await;
    audit.record(event("BatchGetImage", true)).await;
    pass().await;
    let reserve = std::fs::read(directory.path().join("audit-reserve")).unwrap();
    assert!(
        reserve.starts_with(b"{") && String::from_utf8_lossy(&reserve).contains("DeleteAccessKey")
    );

    std::fs::remove_dir(&path).unwrap();
    pass().await;
    assert!(audit.is_available());
    assert_eq!(names(&path), ["DeleteAccessKey", "AuditEventsNotRecorded"]);
    let summary = &lines(&path)[1]["serviceEventDetails"];
    assert_eq!(summary["count"], 2);
    assert_eq!(summary["operations"][0]["eventName"], "BatchGetImage");
    audit.record(event("BatchGetImage", true)).await;
    drop(audit);
    writer.await.unwrap();
    assert_eq!(names(&path)[2..], ["BatchGetImage"]);
    let reserve = std::fs::read(directory.path().join("audit-reserve")).unwrap();
    assert!(reserve.iter().all(|byte| *byte == 0));
}

#[tokio::test(start_paused = true)]
async fn moves_the_reserve_of_an_earlier_process_into_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit").join(DAY);
    std::fs::create_dir_all(&path).unwrap();
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    audit.record(event("DeleteUser", false)).await;
    // A stop does not wait for a disk for ever.
    drop(audit);
    writer.await.unwrap();
    std::fs::remove_dir(&path).unwrap();
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    drop(audit);
    writer.await.unwrap();
    assert_eq!(names(&path), ["DeleteUser"]);
}

#[tokio::test(start_paused = true)]
async fn counts_the_refused_requests_of_strangers_beyond_a_burst() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit").join(DAY);
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    for _ in 0..10_000 {
        let mut refused = event("ListUsers", true);
        refused.error = Some(("InvalidClientTokenId".to_owned(), "no".to_owned()));
        audit.record(refused).await;
    }
    let now = event("", true).time;
    audit.record_challenge("127.0.0.1".parse().unwrap(), "GetAuthorizationToken", now);
    drop(audit);
    writer.await.unwrap();
    let lines = lines(&path);
    assert!(lines.len() < 20, "{}", lines.len());
    let summaries: Vec<_> = lines
        .iter()
        .filter(|line| line["eventName"] == "UnauthenticatedRequests")
        .map(|line| &line["serviceEventDetails"])
        .collect();
    assert_eq!(summaries.len(), 2);
    assert_eq!(summaries[0]["errorCode"], serde_json::Value::Null);
    assert_eq!(summaries[1]["count"], 10_000 - (lines.len() as u64 - 2));
}

#[tokio::test(start_paused = true)]
async fn syncs_at_once_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit").join(DAY);
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    audit.record(event("PutImage", false)).await;
    audit.sync_now();
    pass().await;
    assert_eq!(names(&path), ["PutImage"]);
    drop(audit);
    writer.await.unwrap();
}

/// The clock stands still while somebody has work, so that the writer's wait for more lines does not end by itself here.
#[tokio::test(start_paused = true)]
async fn a_change_does_not_wait_for_the_events_of_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit").join(DAY);
    let (audit, writer) = Audit::start(directory.path().join("audit"), &region(), clock());
    audit.record(event("BatchGetImage", true)).await;
    audit.record(event("PutImage", false)).await;
    let started = tokio::time::Instant::now();
    while names(&path).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    // Alone it is written when its time is up.
    audit.record(event("BatchGetImage", true)).await;
    pass().await;
    assert_eq!(names(&path), ["BatchGetImage", "PutImage", "BatchGetImage"]);
    drop(audit);
    writer.await.unwrap();
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
        "[\\x00-\\x1f\"]{0,40}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 30, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What is not measured is never longer than the bound.
    #[test]
    fn no_json_is_longer_than_what_it_is_taken_for(value in values()) {
        prop_assert!(value.to_string().len() <= json_length_at_most(&value), "{value}");
    }
}
