//! A PostgreSQL that stops answering: every wait ends, and the store goes on when it answers again.
//!
//! A proxy stands between the store and the server and stops passing bytes on. The clock is the test's: once
//! it is paused, it moves to the next time-out as soon as nothing else is left to do.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{Error, Scope, Store, values};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SCOPE: Scope<'static> = Scope::Repository(1);

/// Passes bytes between clients and `server` until `frozen` says to stop; answers its own address.
async fn proxy(server: String, frozen: Arc<AtomicBool>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&server).await else {
                continue;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(pass(from_client, to_server, Arc::clone(&frozen)));
            tokio::spawn(pass(from_server, to_client, Arc::clone(&frozen)));
        }
    });
    address
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    frozen: Arc<AtomicBool>,
) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if frozen.load(Ordering::Acquire) {
            // Both sides stay open, and nothing arrives.
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

struct Frozen {
    store: Store,
    flag: Arc<AtomicBool>,
    _database: store::testing::TestStore,
}

impl Frozen {
    async fn start() -> Frozen {
        let database = store::testing::postgres().await;
        let (before, rest) = database.url.split_once('@').unwrap();
        let (server, after) = rest.split_once('/').unwrap();
        let flag = Arc::new(AtomicBool::new(false));
        let address = proxy(server.to_owned(), Arc::clone(&flag)).await;
        let store = Store::open(&format!("{before}@{address}/{after}"))
            .await
            .unwrap();
        Frozen {
            store,
            flag,
            _database: database,
        }
    }

    fn freeze(&self) {
        self.flag.store(true, Ordering::Release);
        tokio::time::pause();
    }

    fn thaw(&self) {
        tokio::time::resume();
        self.flag.store(false, Ordering::Release);
    }
}

#[tokio::test]
async fn statements_transactions_and_new_connections_end() {
    let t = Frozen::start().await;
    let mut read = t.store.read().await.unwrap();
    let mut write = t.store.write(SCOPE).await.unwrap();
    let mut uncommitted = t.store.write(Scope::Repository(2)).await.unwrap();
    uncommitted
        .execute(
            "INSERT INTO settings (name, value) VALUES ('x', '1')",
            vec![],
        )
        .await
        .unwrap();
    t.freeze();
    let failed = [
        read.fetch_optional("SELECT 1", vec![]).await.err(),
        write.execute("SELECT 1", vec![]).await.err(),
        uncommitted.commit().await.err(),
        t.store.read().await.map(drop).err(),
        t.store.write(Scope::Repository(3)).await.map(drop).err(),
        t.store.poll_changes().await.err(),
    ];
    for (at, error) in failed.iter().enumerate() {
        assert!(
            matches!(error, Some(Error::Unavailable(_))),
            "{at}: {error:?}"
        );
    }
    drop((read, write));

    t.thaw();
    // Another scope: behind the proxy the server still waits for the frozen writers.
    let mut tx = t.store.write(Scope::Repository(4)).await.unwrap();
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)",
        values!["y", "1"],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    t.store.poll_changes().await.unwrap();
}

#[tokio::test]
async fn closing_ends_with_statements_running() {
    let t = Frozen::start().await;
    let mut write = t.store.write(SCOPE).await.unwrap();
    t.freeze();
    let store = t.store.clone();
    let running = tokio::spawn(async move { write.execute("SELECT 1", vec![]).await });
    store.close().await;
    let after = store.read().await.map(drop);
    assert!(matches!(after, Err(Error::Unavailable(_))), "{after:?}");
    assert!(running.await.unwrap().is_err());
}

#[tokio::test]
async fn sessions_have_settings_of_their_own() {
    let t = store::testing::postgres().await;
    let mut read = t.store.read().await.unwrap();
    let mut show =
        async |sql: &'static str| read.fetch_one(sql, vec![]).await.unwrap().text(0).unwrap();
    assert_eq!(show("SHOW synchronous_commit").await, "on");
    for sql in [
        "SHOW statement_timeout",
        "SHOW lock_timeout",
        "SHOW idle_in_transaction_session_timeout",
        "SHOW tcp_user_timeout",
        "SHOW tcp_keepalives_idle",
    ] {
        assert_ne!(show(sql).await, "0", "{sql}");
    }
}
