//! Denials: kept once, found by account, pruned by age and number.
#![allow(clippy::unwrap_used)]

use store::Store;
use store::denials::{self, Denial, Filter, SCOPE};
use store::testing::{TestStore, on_every_engine};

fn denial(account: &str, request_id: &str, at: i64) -> Denial {
    Denial {
        account: account.to_owned(),
        request_id: request_id.to_owned(),
        at,
        principal_arn: format!("arn:aws:sts::{account}:assumed-role/ci/{request_id}"),
        issuer_arn: format!("arn:aws:iam::{account}:role/ci"),
        action: "ecr:PutImage".to_owned(),
        resource: format!("arn:aws:ecr:us-east-1:{account}:repository/payments"),
        cause: "silent".to_owned(),
        document: format!("{{\"at\":{at}}}"),
    }
}

async fn insert(store: &Store, all: &[Denial]) {
    let mut tx = store.write(SCOPE).await.unwrap();
    for denial in all {
        denials::insert(&mut tx.conn(), denial).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn prune(store: &Store, account: &str, oldest: i64, keep: i64) {
    let mut tx = store.write(SCOPE).await.unwrap();
    denials::prune(&mut tx.conn(), account, oldest, keep)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn find(store: &Store, account: &str, request_id: &str) -> Option<Denial> {
    let mut read = store.read().await.unwrap();
    denials::find(&mut read.conn(), account, request_id)
        .await
        .unwrap()
}

#[on_every_engine]
async fn a_denial_is_found_in_its_account_and_stays_as_it_was(test: TestStore) {
    let first = denial("111122223333", "r1", 5);
    insert(&test.store, std::slice::from_ref(&first)).await;
    insert(&test.store, &[denial("111122223333", "r1", 9)]).await;
    assert_eq!(find(&test.store, "111122223333", "r1").await, Some(first));
    assert_eq!(find(&test.store, "444455556666", "r1").await, None);
    assert_eq!(find(&test.store, "111122223333", "r2").await, None);
}

#[on_every_engine]
async fn denials_are_listed_newest_first_in_pages(test: TestStore) {
    let all: Vec<_> = [("r1", 1), ("r3", 2), ("r2", 2), ("r4", 3)]
        .map(|(id, at)| denial("111122223333", id, at))
        .into();
    insert(&test.store, &all).await;
    insert(&test.store, &[denial("444455556666", "other", 9)]).await;
    let mut read = test.store.read().await.unwrap();
    let mut conn = read.conn();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let place = after
            .as_ref()
            .map(|(at, id): &(i64, String)| (*at, id.as_str()));
        let page = denials::list(&mut conn, "111122223333", &Filter::default(), place, 3)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.at, last.request_id.clone()));
        listed.extend(page.into_iter().map(|denial| denial.request_id));
    }
    assert_eq!(listed, ["r4", "r2", "r3", "r1"]);
}

#[on_every_engine]
async fn old_denials_and_those_beyond_the_newest_are_removed(test: TestStore) {
    let mine: Vec<_> = (1..=6)
        .map(|n| denial("111122223333", &format!("r{n}"), n))
        .collect();
    insert(&test.store, &mine).await;
    insert(&test.store, &[denial("444455556666", "r1", 1)]).await;
    prune(&test.store, "111122223333", 3, 2).await;
    for n in 1..=6 {
        let found = find(&test.store, "111122223333", &format!("r{n}")).await;
        assert_eq!(found.is_some(), n >= 5, "r{n}");
    }
    prune(&test.store, "111122223333", 6, 100).await;
    assert_eq!(find(&test.store, "111122223333", "r5").await, None);
    assert!(find(&test.store, "111122223333", "r6").await.is_some());
    // Another account's are its own.
    assert!(find(&test.store, "444455556666", "r1").await.is_some());
}
