//! Checks of a running server, and the scrub.

use std::collections::BTreeMap;
use std::fs;

use crate::damage::{file_of, flip};
use crate::integrity::{SERVICE, Seed, Victim, counts, expected, remove, rows};
use crate::world::*;
use aws_api::berth::{GetIntegrityCheckRequest, GetIntegrityCheckResponse, IntegrityCheckStatus};
use blobs::Digest;
use jiff::{SignedDuration, Timestamp};
use registry::integrity::Check;
use registry::integrity::FindingKind::WrongBytes;
use serde_json::json;
use store::testing::{TestStore, on_every_engine};

/// The check of a running server, to its end.
async fn job(victim: &Victim<'_>, now: Timestamp) {
    let registry = &victim.w.registry;
    while registry
        .check_integrity(SERVICE, 0, now)
        .await
        .unwrap()
        .is_some()
    {}
}

async fn start(victim: &Victim<'_>, repair: bool) -> String {
    let begun = victim
        .w
        .registry
        .start_integrity_check(&victim.w.cx, repair);
    begun.await.unwrap().unwrap().integrity_check_id
}

async fn told(victim: &Victim<'_>, id: &str) -> GetIntegrityCheckResponse {
    let input = GetIntegrityCheckRequest {
        integrity_check_id: id.to_owned(),
        ..GetIntegrityCheckRequest::default()
    };
    let found = victim.w.registry.integrity_check(&victim.w.cx, input);
    found.await.unwrap().unwrap()
}

#[on_every_engine]
async fn a_running_server_checks_itself_one_check_at_a_time(store: TestStore) {
    let victim = Victim::new(&store).await;
    victim.damage(&Seed::File("one", remove)).await;
    victim
        .damage(&Seed::Sql(
            "UPDATE repositories SET image_count = 9 WHERE name = 'app'",
        ))
        .await;
    let now = victim.w.cx.now;
    let id = start(&victim, false).await;
    let second = victim.w.registry.start_integrity_check(&victim.w.cx, true);
    assert_eq!(second.await.unwrap(), None);
    job(&victim, now).await;
    let answer = told(&victim, &id).await;
    let check = &answer.integrity_check;
    assert_eq!(check.status, IntegrityCheckStatus::Complete);
    let counted = (
        check.examined_count,
        check.found_count,
        check.repaired_count,
    );
    assert_eq!(counted, (Some(4), Some(2), Some(0)));
    let kinds: Vec<_> = answer
        .findings
        .iter()
        .map(|one| one.kind.as_str())
        .collect();
    assert_eq!(kinds, ["LOST_FILE", "IMAGE_COUNT"]);
    let ended = victim.w.events(&store, "EndIntegrityCheck").await;
    assert_eq!(
        ended[0]["findingCounts"],
        json!({"IMAGE_COUNT": 1, "LOST_FILE": 1})
    );

    let repair = start(&victim, true).await;
    job(&victim, now).await;
    let check = told(&victim, &repair).await.integrity_check;
    assert_eq!(
        (check.found_count, check.repaired_count),
        (Some(2), Some(2))
    );
    let clean = start(&victim, false).await;
    job(&victim, now).await;
    let check = told(&victim, &clean).await.integrity_check;
    assert_eq!((check.found_count, check.known_count), (Some(0), Some(1)));
    let listed = victim
        .w
        .registry
        .list_integrity_checks(&victim.w.cx, Default::default());
    let listed = listed.await.unwrap().integrity_checks;
    let ids: Vec<_> = listed
        .into_iter()
        .map(|one| one.integrity_check_id)
        .collect();
    assert_eq!(ids, [clean, repair, id]);
}

#[on_every_engine]
async fn a_check_is_stopped(store: TestStore) {
    let victim = Victim::new(&store).await;
    victim.damage(&Seed::File("one", remove)).await;
    let id = start(&victim, true).await;
    let stopped = victim.w.registry.stop_integrity_check(&victim.w.cx, &id);
    let stopped = stopped.await.unwrap().unwrap();
    assert_eq!(stopped.status, IntegrityCheckStatus::Stopped);
    job(&victim, victim.w.cx.now).await;
    assert_eq!(told(&victim, &id).await.findings, []);
    let unknown = victim
        .w
        .registry
        .stop_integrity_check(&victim.w.cx, "chk-0");
    assert_eq!(unknown.await.unwrap(), None);
}

/// A check that cannot be done ends, and says so.
#[on_every_engine]
async fn a_check_that_always_fails_has_failed(store: TestStore) {
    let victim = Victim::new(&store).await;
    let id = start(&victim, false).await;
    let (here, away) = (
        victim.w.folder.path(),
        victim.w.folder.path().with_extension("away"),
    );
    fs::rename(here, &away).unwrap();
    let now = victim.w.cx.now;
    assert!(
        victim
            .w
            .registry
            .check_integrity(SERVICE, 4, now)
            .await
            .is_err()
    );
    let ended = victim.w.registry.check_integrity(SERVICE, 5, now).await;
    assert_eq!(ended.unwrap(), None);
    fs::rename(&away, here).unwrap();
    let check = told(&victim, &id).await.integrity_check;
    assert_eq!(check.status, IntegrityCheckStatus::Failed);
    assert!(check.failure_reason.is_some());
}

/// Every damage to bytes, and no other, is found by the scrub when its time has come; what is whole again loses its mark.
#[on_every_engine]
async fn the_scrub_marks_what_is_damaged_and_unmarks_what_is_whole(store: TestStore) {
    let victim = Victim::new(&store).await;
    let scrub = async |days: i64| {
        let now = victim.w.at(days, 0).now;
        while victim.w.registry.scrub(SERVICE, now).await.unwrap() < SignedDuration::from_secs(1) {}
    };
    let known = async || {
        let mut check = Check::new(false, true);
        let mut found = Vec::new();
        while !check.is_done() {
            let now = victim.w.cx.now;
            found.extend(
                victim
                    .w
                    .registry
                    .check_step(SERVICE, &mut check, now)
                    .await
                    .unwrap(),
            );
        }
        (counts(&found), check.totals.known)
    };
    let secret = Digest::sha256_of(b"secret").to_string();
    let secret = file_of(&victim.w, &store, &secret).await;
    let whole = fs::read(&secret).unwrap();
    victim.damage(&Seed::File("one", remove)).await;
    flip(&secret);
    // They were written a moment ago.
    scrub(29).await;
    assert_eq!(known().await.1, 0);
    scrub(31).await;
    // The flipped file stays in its place, which a check tells.
    let (found, marked) = known().await;
    assert_eq!(found, expected(&[(WrongBytes, 1)]));
    assert_eq!(marked, 1);
    assert_eq!(victim.w.registry.scrub_totals().copies, 4);
    let told = victim.w.events(&store, "MarkDamagedLayer").await;
    let damage: Vec<_> = told
        .iter()
        .map(|event| event["damage"].as_str().unwrap())
        .collect();
    assert_eq!(damage.len(), 2);
    assert!(
        damage.contains(&"LOST") && damage.contains(&"WRONG_BYTES"),
        "{damage:?}"
    );
    let repo = victim.w.facts("private").await;
    let digest = Digest::sha256_of(b"secret").to_string();
    let stat = victim
        .w
        .registry
        .stat_blob(&victim.w.cx, &repo, &digest)
        .await;
    assert_eq!(refusal(stat), "LayerNotFound");

    // Its period is over again, and the disk has recovered.
    fs::write(&secret, whole).unwrap();
    scrub(62).await;
    assert_eq!(known().await, (BTreeMap::new(), 1));
    assert!(
        victim
            .w
            .registry
            .stat_blob(&victim.w.cx, &repo, &digest)
            .await
            .is_ok()
    );
    victim.push().await;
    assert_eq!(known().await, (BTreeMap::new(), 0));
}

#[on_every_engine]
async fn the_scrub_finds_a_changed_manifest(store: TestStore) {
    let victim = Victim::new(&store).await;
    for row in rows().iter().filter(|row| row.name == "a changed manifest") {
        victim.damage(&row.seed).await;
    }
    let now = victim.w.at(31, 0).now;
    while victim.w.registry.scrub(SERVICE, now).await.unwrap() < SignedDuration::from_secs(1) {}
    assert_eq!(victim.w.events(&store, "MarkDamagedImage").await.len(), 1);
    assert_eq!(victim.dry_run().await, []);
}

/// Nothing that clients and the collection do is damage, while checks and the scrub go on beside them.
#[on_every_engine]
async fn nothing_is_found_while_clients_push_and_layers_are_collected(store: TestStore) {
    const ROUNDS: i64 = 12;
    let victim = Victim::new(&store).await;
    let w = &victim.w;
    let repo = w.facts("app").await;
    let clients = (0..3).map(|client| {
        let repo = &repo;
        async move {
            for round in 0..ROUNDS {
                let (tag, content) = (format!("c{client}"), format!("layer {}", round % 4));
                for _ in 0..20 {
                    let manifest = w.manifest(repo, &content).await;
                    if w.put(repo, &tag, &manifest).await.is_ok() {
                        break;
                    }
                }
            }
        }
    });
    let collections = async {
        for round in 1..ROUNDS {
            let now = w.later(round * 48).now;
            while w.registry.collect(SERVICE, now).await.unwrap() < SignedDuration::from_secs(1) {}
        }
    };
    let checks = async {
        for round in 1..ROUNDS {
            let now = w.at(round * 31, 0).now;
            while w.registry.scrub(SERVICE, now).await.unwrap() < SignedDuration::from_secs(1) {}
            let found = victim.run(Check::new(true, false)).await.unwrap();
            assert_eq!(found, []);
        }
    };
    futures_util::future::join3(futures_util::future::join_all(clients), collections, checks).await;
    assert_eq!(victim.dry_run().await, []);
    assert_eq!(w.events(&store, "MarkDamagedLayer").await, [json!(null); 0]);
}
