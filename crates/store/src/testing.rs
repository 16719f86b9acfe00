//! One suite, both engines: what tests of this crate and of those above need.
//!
//! ```text
//! #[on_every_engine]
//! async fn a_name_is_taken_once(t: TestStore) { … }
//! ```
//! makes two tests, `a_name_is_taken_once::sqlite` and `…::postgres`. The second
//! needs a server: `cargo xtask test` starts one and says where in
//! `BERTH_TEST_POSTGRES_URL`. Without it the test fails, it never passes unseen.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Store;

pub use crate::query_count::count_queries;
pub use test_macros::on_every_engine;

/// A store on a fresh database, and what must live as long as it.
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Its URL, to open it a second time as another node would.
    pub url: String,
    _dir: Option<tempfile::TempDir>,
}

/// A fresh SQLite database in a directory of its own.
pub async fn sqlite() -> TestStore {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite:{}", dir.path().join("berth.db").display());
    let store = Store::open(&url)
        .await
        .expect("a fresh SQLite database opens");
    TestStore {
        store,
        url,
        _dir: Some(dir),
    }
}

/// A fresh PostgreSQL schema on the server that the test command started.
pub async fn postgres() -> TestStore {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let base = std::env::var("BERTH_TEST_POSTGRES_URL").expect(
        "BERTH_TEST_POSTGRES_URL names a PostgreSQL server for tests; `cargo xtask test` starts one and sets it",
    );
    let schema = format!(
        "t_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let admin = sqlx::PgPool::connect(&base)
        .await
        .expect("the test server answers");
    let create = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(&admin)
        .await
        .expect("a fresh schema");
    admin.close().await;
    let separator = if base.contains('?') { '&' } else { '?' };
    let url = format!("{base}{separator}options=-csearch_path%3D{schema}");
    let store = Store::open(&url)
        .await
        .expect("a fresh PostgreSQL schema opens");
    TestStore {
        store,
        url,
        _dir: None,
    }
}
