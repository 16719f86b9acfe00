//! Work that no request asked for, in the audit log.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{ACCOUNT, World};
use crate::job_kinds;

fn find<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["eventName"] == name)
        .collect()
}

/// CloudTrail User Guide, "AWS service events".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_without_a_caller_is_an_aws_service_event() {
    let world = World::new().await;
    let root = world.root.clone();
    let events = world.stop().await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(find(&events, "CreateKey").len(), 1);
    let mut created = find(&events, "CreateAccount")[0].clone();
    let id = created["eventID"].take();
    assert_eq!(id.as_str().unwrap().len(), 36);
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": "first-start.berth", "accountId": ACCOUNT},
        "eventTime": "2026-11-22T12:00:00Z",
        "eventSource": "berth",
        "eventName": "CreateAccount",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "first-start.berth",
        "userAgent": "first-start.berth",
        "requestParameters": null,
        "responseElements": null,
        "eventID": null,
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "serviceEventDetails": {"accountId": ACCOUNT, "accessKeyId": root.id},
    });
    assert_eq!(created, expected);
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains(root.secret.as_str()));
}

/// Runs the jobs that are due.
async fn run_jobs(world: &World) {
    let runner = job_kinds::runner(&world.app);
    let integrity = job_kinds::integrity_runner(&world.app);
    job_kinds::ensure(&runner, &integrity, &[]).await.unwrap();
    runner.run_due().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_of_the_key_ring_is_told_once() {
    let world = World::new().await;
    run_jobs(&world).await;
    world.pass(31 * 24 * 3600);
    let sealer = world.app.identity.sealer().clone();
    let service = authz::ServiceName::Maintenance;
    // As the job does it; the job itself finds nothing to do any more.
    sealer.rotate_when_due(service, world.now()).await.unwrap();
    run_jobs(&world).await;
    let events = world.stop().await;
    let rotated = find(&events, "RotateKey");
    assert_eq!(rotated.len(), 1);
    let event = rotated[0];
    assert_eq!(event["userIdentity"]["invokedBy"], "maintenance.berth");
    assert_eq!(event["userIdentity"].get("accountId"), None);
    assert_eq!(event["serviceEventDetails"], json!({"keyId": 2}));
}

/// What was done while the log could not be written stands in the database until it can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_in_the_database_for_a_log_that_can_be_written() {
    let world = World::with(|settings| {
        // Neither a log nor a reserve can be made below a file.
        let blocked = settings.audit_dir.join("blocked");
        std::fs::create_dir_all(&settings.audit_dir).unwrap();
        std::fs::write(&blocked, "").unwrap();
        settings.audit_dir = blocked.join("audit");
    })
    .await;
    let blocked = world.directory.path().join("audit/blocked");
    let is_waiting = async |at: Timestamp| {
        let mut read = world.app.store.read().await.unwrap();
        let now = at.as_millisecond();
        store::service_events::is_waiting(&mut read.conn(), now)
            .await
            .unwrap()
    };
    // Whoever claimed them has not written them.
    world.pass(61);
    assert!(is_waiting(world.now()).await);

    std::fs::remove_file(&blocked).unwrap();
    std::fs::create_dir(&blocked).unwrap();
    let mut tries = 0..10_000_000;
    while is_waiting(world.now()).await {
        assert!(tries.next().is_some(), "the events were never written");
        world.app.record_service_events().await.unwrap();
        tokio::task::yield_now().await;
    }
    world.app.record_service_events().await.unwrap();
    let file = blocked.join("audit/2026-11-22.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    for name in ["CreateKey", "CreateAccount"] {
        let told = text.matches(&format!(r#""eventName":"{name}""#)).count();
        assert_eq!(told, 1, "{name}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_of_things_is_cut_to_the_bound_of_an_event() {
    let world = World::new().await;
    let details = json!({ "keys": vec!["x".repeat(100); 1_000] }).to_string();
    let mut tx = world
        .app
        .store
        .write(store::service_events::SCOPE)
        .await
        .unwrap();
    let event = store::service_events::NewEvent {
        occurred_at: 0,
        service: "maintenance.berth",
        source: "berth",
        name: "Long",
        account: None,
        resource: None,
        details: &details,
    };
    store::service_events::insert(&mut tx.conn(), &event)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let events = world.stop().await;
    let long = find(&events, "Long")[0];
    let length = format!("{} bytes", details.len());
    assert_eq!(long["serviceEventDetails"], json!({ "omitted": length }));
}

/// ECR User Guide, "Logging Amazon ECR actions with AWS CloudTrail", "Example: Amazon ECR image lifecycle policy".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_about_a_repository_is_of_its_region() {
    let world = World::new().await;
    let arn = format!("arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/app");
    let mut tx = world
        .app
        .store
        .write(store::service_events::SCOPE)
        .await
        .unwrap();
    let event = store::service_events::NewEvent {
        occurred_at: 0,
        service: "lifecycle.berth",
        source: "ecr.amazonaws.com",
        name: "PolicyExecutionEvent",
        account: Some(ACCOUNT),
        resource: Some(&arn),
        details: r#"{"repositoryName":"app"}"#,
    };
    store::service_events::insert(&mut tx.conn(), &event)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.app.record_service_events().await.unwrap();
    let events = world.stop().await;
    let run = find(&events, "PolicyExecutionEvent")[0];
    assert_eq!(run["awsRegion"], "eu-west-1");
    assert_eq!(
        run["resources"],
        json!([{"ARN": arn, "accountId": ACCOUNT, "type": "AWS::ECR::Repository"}])
    );
    let created = find(&events, "CreateAccount")[0];
    assert_eq!(created["awsRegion"], "us-east-1");
    assert_eq!(created.get("resources"), None);
}
