//! Uploads that outlive a process, or go on at another node.

use super::*;

#[on_every_engine]
async fn a_start_removes_uploads_that_cannot_be_resumed(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let small = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    w.registry
        .append(&w.cx, &repo, &small, None, body("small"))
        .await
        .unwrap();
    let large = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let content = "x".repeat(16 << 20);
    w.registry
        .append(&w.cx, &repo, &large, None, body(&content))
        .await
        .unwrap();
    let dropped = w.repository("dropped").await;
    let orphan = w
        .registry
        .start_upload(&w.cx, &dropped)
        .await
        .unwrap()
        .to_string();
    w.registry
        .append(&w.cx, &dropped, &orphan, None, body(&content))
        .await
        .unwrap();
    let delete = ecr::DeleteRepositoryRequest {
        repository_name: "dropped".into(),
        ..Default::default()
    };
    w.registry.delete_repository(&w.cx, delete).await.unwrap();

    // Another node that starts beside this one leaves the young alone.
    let (beside, ..) = w.another_node(true, w.cx.now).await;
    assert_eq!(beside.upload_status(&w.cx, &repo, &small).await.unwrap(), 5);

    // A restart keeps what is large enough to be worth it, and of a repository that is there.
    let (next, _, _) = w.another_node(false, w.cx.now).await;
    assert_eq!(
        refusal(next.upload_status(&w.cx, &repo, &small).await),
        "UploadNotFound"
    );
    assert_eq!(
        refusal(next.upload_status(&w.cx, &dropped, &orphan).await),
        "UploadNotFound"
    );
    assert_eq!(
        next.upload_status(&w.cx, &repo, &large).await.unwrap(),
        16 << 20
    );
    let digest = Digest::sha256_of(format!("{content}end").as_bytes()).to_string();
    next.complete_upload(&w.cx, &repo, &large, &digest, None, body("end"))
        .await
        .unwrap();
    assert_eq!(
        next.stat_blob(&w.cx, &repo, &digest).await.unwrap().size,
        (16 << 20) + 3
    );
    assert_eq!(w.temporary_files(), 0);
}

#[on_every_engine]
async fn another_node_goes_on_with_an_upload(store: TestStore) {
    let w = World::with(&store, |settings| settings.shared = true).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let content = "x".repeat(17 << 20);
    // The connection breaks: what came stays, and the client continues elsewhere.
    let broken = body(&content)
        .map(|chunk| chunk.map_err(|never| match never {}))
        .chain(stream::iter([Err(std::io::Error::from(
            std::io::ErrorKind::ConnectionReset,
        ))]));
    assert_eq!(
        refusal(w.registry.append(&w.cx, &repo, &id, None, broken).await),
        "BodyBroken"
    );

    let (other, its_store, _) = w.another_node(true, w.cx.now).await;
    let row = store::ecr::upload::get(&mut its_store.read().await.unwrap().conn(), &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.size, row.owner.as_deref()),
        (17 << 20, Some("arn:aws:iam::123456789012:user/pusher"))
    );
    assert!(row.hash_state.is_some());
    assert_eq!(
        other.upload_status(&w.cx, &repo, &id).await.unwrap(),
        17 << 20
    );
    // The other node needs neither the first node nor the state file beside the bytes.
    std::fs::remove_file(w.folder.path().join(format!("uploads/{id}.state"))).unwrap();
    assert_eq!(
        other
            .append(&w.cx, &repo, &id, None, body(" and "))
            .await
            .unwrap(),
        (17 << 20) + 5
    );
    // And back.
    assert_eq!(
        w.registry
            .append(&w.cx, &repo, &id, None, body("more"))
            .await
            .unwrap(),
        (17 << 20) + 9
    );
    let digest = Digest::sha256_of(format!("{content} and more").as_bytes()).to_string();
    let layer = other
        .complete_upload(&w.cx, &repo, &id, &digest, None, nothing())
        .await
        .unwrap();
    assert_eq!(layer.size, (17 << 20) + 9);
    assert_eq!(
        refusal(w.registry.upload_status(&w.cx, &repo, &id).await),
        "UploadNotFound"
    );
    assert!(
        store::ecr::upload::get(&mut its_store.read().await.unwrap().conn(), &id)
            .await
            .unwrap()
            .is_none()
    );
}

#[on_every_engine]
async fn an_upload_counts_for_its_owner_on_every_node(store: TestStore) {
    let w = World::with(&store, |settings| {
        settings.shared = true;
        settings.limits.uploads_per_principal_max = 2;
    })
    .await;
    let repo = w.repository("app").await;
    let content = "x".repeat(16 << 20);
    for _ in 0..2 {
        let id = w
            .registry
            .start_upload(&w.cx, &repo)
            .await
            .unwrap()
            .to_string();
        w.registry
            .append(&w.cx, &repo, &id, None, body(&content))
            .await
            .unwrap();
    }
    let (other, ..) = w
        .another_node_with(true, w.cx.now, |settings| {
            settings.limits.uploads_per_principal_max = 2;
        })
        .await;
    assert_eq!(
        refusal(other.start_upload(&w.cx, &repo).await),
        "LimitExceeded"
    );
}

#[on_every_engine]
async fn an_upload_expires(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let id = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let content = "x".repeat(16 << 20);
    w.registry
        .append(&w.cx, &repo, &id, None, body(&content))
        .await
        .unwrap();
    w.registry
        .sweep_uploads(ServiceName::Maintenance, w.later(23).now)
        .await
        .unwrap();
    w.registry
        .append(&w.later(23), &repo, &id, None, body("y"))
        .await
        .unwrap();
    let late = w.later(25);
    assert_eq!(
        refusal(w.registry.append(&late, &repo, &id, None, body("z")).await),
        "UploadNotFound"
    );
    w.registry
        .sweep_uploads(ServiceName::Maintenance, late.now)
        .await
        .unwrap();
    assert_eq!(w.temporary_files(), 0);
}

#[on_every_engine]
async fn temporary_files_of_a_killed_put_are_removed_beside_other_nodes(store: TestStore) {
    let w = World::with(&store, |settings| settings.shared = true).await;
    let repo = w.repository("app").await;
    let young = w
        .registry
        .start_upload(&w.cx, &repo)
        .await
        .unwrap()
        .to_string();
    let uploads = w.folder.path().join("uploads");
    for name in [
        "tmp-ffffffff-ffff-8fff-bfff-ffffffffffff",
        // An id whose start lies in a far future.
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ] {
        std::fs::write(uploads.join(name), "half of a lay").unwrap();
    }
    w.registry
        .sweep_uploads(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    assert_eq!(w.temporary_files(), 1);
    assert_eq!(
        w.registry
            .upload_status(&w.cx, &repo, &young)
            .await
            .unwrap(),
        0
    );
}
