//! The schema, and how a database gets to it.
//!
//! Each step is a file of `schema/`, run once, in order, each in a transaction of
//! its own with the row that says it ran. Steps are only ever added.

use crate::{Engine, Error, Result, Scope, Store, values};

/// The steps in order. A released step never changes.
const STEPS: &[(&str, &str)] = &[
    ("0001_settings", include_str!("../schema/0001_settings.sql")),
    ("0002_iam", include_str!("../schema/0002_iam.sql")),
    ("0003_ecr", include_str!("../schema/0003_ecr.sql")),
];

/// The statement in the engine's words. `schema/README.md` says which words a
/// schema file may use.
fn dialect(engine: Engine, sql: &str) -> String {
    match engine {
        Engine::Sqlite => sql
            .replace(" BYTES", " BLOB")
            .replace(
                " BIGSERIAL PRIMARY KEY",
                " INTEGER PRIMARY KEY AUTOINCREMENT",
            )
            .replace(" BIGINT", " INTEGER")
            .replace("\n);", "\n) STRICT;"),
        Engine::Postgres => sql
            .replace(" BYTES", " BYTEA")
            // Bytewise order, so that both engines sort alike and as AWS does.
            .replace(" TEXT", " TEXT COLLATE \"C\""),
    }
}

pub(crate) async fn run(store: &Store) -> Result<()> {
    let engine = store.engine();
    let mut tx = store.write(Scope::Identity).await?;
    tx.conn()
        .execute_script(dialect(
            engine,
            "CREATE TABLE IF NOT EXISTS schema_steps (\n  name TEXT NOT NULL PRIMARY KEY\n);",
        ))
        .await?;
    tx.commit().await?;

    for (name, sql) in STEPS {
        // Begun anew for each step, so that of two nodes that start together one waits.
        let mut tx = store.write(Scope::Identity).await?;
        let done = tx
            .fetch_optional(
                "SELECT name FROM schema_steps WHERE name = $1",
                values![*name],
            )
            .await?;
        if done.is_none() {
            tx.conn().execute_script(dialect(engine, sql)).await?;
            tx.execute(
                "INSERT INTO schema_steps (name) VALUES ($1)",
                values![*name],
            )
            .await?;
            tx.commit().await?;
        }
    }

    let rows = store
        .read()
        .await?
        .fetch_all("SELECT name FROM schema_steps", vec![])
        .await?;
    for row in rows {
        let name = row.text(0)?;
        if !STEPS.iter().any(|(known, _)| *known == name) {
            return Err(Error::Schema(format!(
                "the database holds schema step `{name}`, which this version does not know: \
                 start the newer version that wrote it"
            )));
        }
    }
    Ok(())
}
