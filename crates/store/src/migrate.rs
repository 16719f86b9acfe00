//! The schema, and how a database is brought up to date.
//!
//! Each step is a file of `schema/`, run once, in order, each in a transaction of
//! its own with the row that says it ran. Steps are only ever added.

use crate::service_events::{self, NewEvent};
use crate::topic::PRUNED;
use crate::{Engine, Error, Result, Scope, Store, Write, settings, values};

/// The setting that holds the database's id.
pub(crate) const STORE_ID: &str = "store_id";

/// A step of the schema.
struct Step {
    name: &'static str,
    sql: &'static str,
    /// The oldest version of Berth that may run on a database with this step: the one that made it,
    /// unless earlier ones ignore what it adds.
    oldest_version: &'static str,
}

/// The version of this build. The workspace's crates share it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

macro_rules! steps {
    ($($name:literal from $oldest:literal),* $(,)?) => {
        &[$(Step {
            name: $name,
            sql: include_str!(concat!("../schema/", $name, ".sql")),
            oldest_version: $oldest,
        }),*]
    };
}

/// The steps in order. A released step never changes.
const STEPS: &[Step] = steps![
    "0001_settings" from "0.1.0",
    "0002_iam" from "0.1.0",
    "0003_ecr" from "0.1.0",
    "0004_changes_by_topic" from "0.2.0",
    "0005_blob_keys" from "0.2.0",
    "0006_jobs" from "0.2.0",
    // Older versions would give sessions that do not say that no MFA device was used, which a `Deny` on
    // `aws:MultiFactorAuthPresent` does not match.
    "0007_mfa_devices" from "0.3.0",
    "0008_hosts" from "0.3.0",
    // Older versions would ignore what it adds, and take no token.
    "0009_oidc_providers" from "0.2.0",
    "0010_upload_state" from "0.2.0",
    // Older versions would let the policies of service-linked roles be changed.
    "0011_credentials" from "0.3.0",
    "0012_saml_providers" from "0.2.0",
    "0013_organizations" from "0.3.0",
    "0014_outbound_identity" from "0.2.0",
    // Older versions would ignore what it adds.
    "0015_certificates" from "0.2.0",
    // Older versions would accept sessions of a root user that were ended.
    "0016_service_events" from "0.3.0",
    // Older versions ignore what it adds.
    "0017_denials" from "0.2.0",
    // Older versions would add more than a lowered quota allows.
    "0018_iam_quotas" from "0.3.0",
    "0019_account_requests" from "0.3.0",
    // Older versions ignore what it adds.
    "0020_denial_causes" from "0.3.0",
    // Older versions refuse credentials of a console session, since they do not know its field.
    "0021_console_sessions" from "0.3.0",
    // Older versions would not find the devices that have a path.
    "0022_mfa_device_paths" from "0.3.0",
    // Older versions ignore what it adds.
    "0023_root_login_profiles" from "0.2.0",
    // Older versions would move tags without a row of it.
    "0024_tag_moves" from "0.3.0",
    // Older versions would serve archived images.
    "0025_lifecycle" from "0.3.0",
    // Older versions would go on with console sessions whose identity provider is gone.
    "0026_console_federation" from "0.3.0",
    // Older versions would store and delete without a word to the counters.
    "0027_usage" from "0.3.0",
    "0028_search" from "0.3.0",
    // Older versions would apply the registry policy to more actions than its scope says.
    "0029_registry_settings" from "0.3.0",
    // Older versions ignore what it adds.
    "0030_repository_templates" from "0.3.0",
    // Older versions would not count the bytes of layers.
    "0031_registry_quotas" from "0.3.0",
    // Older versions would write to repositories that are read-only.
    "0032_read_only_repositories" from "0.3.0",
    // Older versions ignore what it adds.
    "0033_usage_by_subject" from "0.3.0",
    // Older versions ignore what it adds.
    "0034_service_event_resources" from "0.3.0",
    // Older versions would push and delete without a word to the destinations.
    "0035_replication" from "0.3.0",
    // Older versions ignore what it adds.
    "0037_secrets" from "0.3.0",
    // Older versions would serve what they have, and cache nothing.
    "0038_pull_through" from "0.3.0",
    // Older versions would change repositories without an event of it.
    "0039_events" from "0.3.0",
    "0040_event_deliveries" from "0.3.0",
    // Older versions would store the layers of these repositories in clear.
    "0041_encrypted_layers" from "0.3.0",
    "0042_kms" from "0.3.0",
    // Older versions would do the tasks and leave their backfills without results.
    "0043_replication_backfills" from "0.3.0",
    // Older versions would replicate inside the server what is for a peer.
    "0044_replication_peers" from "0.3.0",
    "0045_pull_through_options" from "0.3.0",
    "0047_failed_events_expire" from "0.3.0",
    // Older versions collect nothing.
    "0048_collection" from "0.3.0",
    // Older versions would serve what is known to be damaged.
    "0049_damage" from "0.3.0",
    "0050_backups" from "0.3.0",
    // Older versions ignore what it adds.
    "0051_integrity_checks" from "0.3.0",
    "0052_healing" from "0.3.0",
];

/// The step from which on there is a table for events of what was done without a request.
const EVENTS_STEP: &str = "0016_service_events";

/// Who changes the schema, and what the event is called (docs/reference/audit-log.md).
const SERVICE: &str = "schema.berth";
const EVENT: &str = "MigrateSchema";

/// The table of steps, which is there before the first one. Version 0.1 made it with the name alone.
const STEP_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_steps (\n  name TEXT NOT NULL PRIMARY KEY\n);";

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

/// The scope of everything here: of nodes that start together, one migrates and the others wait.
const SCHEMA: Scope<'static> = Scope::System("schema");

/// Whether this version knows the step.
pub(crate) fn knows(step: &str) -> bool {
    STEPS.iter().any(|known| known.name == step)
}

/// The first step of an empty database, with a setting that is there from its first moment on.
pub(crate) async fn begin(store: &Store, setting: &str, value: &str) -> Result<()> {
    let engine = store.engine();
    let Some(first) = STEPS.first() else {
        return Ok(());
    };
    let mut tx = store.write(SCHEMA).await?;
    make_step_table(&mut tx, engine).await?;
    apply(&mut tx, engine, first).await?;
    settings::put(&mut tx.conn(), setting, value).await?;
    tx.commit().await
}

/// Runs those of the steps that are missing, in their order, and tells nobody: the database is being made.
pub(crate) async fn run_steps(store: &Store, is_wanted: impl Fn(&str) -> bool) -> Result<()> {
    for step in STEPS.iter().filter(|step| is_wanted(step.name)) {
        let mut tx = store.write(SCHEMA).await?;
        if !is_done(&mut tx, step).await? {
            apply(&mut tx, store.engine(), step).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

async fn make_step_table(tx: &mut Write, engine: Engine) -> Result<()> {
    tx.conn()
        .execute_script(dialect(engine, STEP_TABLE))
        .await?;
    if !has_column(tx, engine).await? {
        let add = "ALTER TABLE schema_steps ADD COLUMN oldest_version TEXT NOT NULL DEFAULT '';";
        tx.conn().execute_script(dialect(engine, add)).await?;
    }
    Ok(())
}

async fn is_done(tx: &mut Write, step: &Step) -> Result<bool> {
    let sql = "SELECT name FROM schema_steps WHERE name = $1";
    let done = tx.fetch_optional(sql, values![step.name]).await?;
    Ok(done.is_some())
}

/// Runs a step and writes down that it ran.
async fn apply(tx: &mut Write, engine: Engine, step: &Step) -> Result<()> {
    if engine == Engine::Postgres {
        // It may rewrite a large table.
        tx.execute("SET LOCAL statement_timeout = 0", vec![])
            .await?;
    }
    tx.conn().execute_script(dialect(engine, step.sql)).await?;
    tx.execute(
        "INSERT INTO schema_steps (name, oldest_version) VALUES ($1, $2)",
        values![step.name, step.oldest_version],
    )
    .await
    .map(drop)
}

/// Runs the steps that are missing, and refuses a database that needs a newer version.
pub(crate) async fn run(store: &Store) -> Result<()> {
    let engine = store.engine();
    let mut tx = store.write(SCHEMA).await?;
    make_step_table(&mut tx, engine).await?;
    tx.commit().await?;

    refuse_if_too_old(store, VERSION).await?;
    let sql = "SELECT 1 FROM schema_steps LIMIT 1";
    let is_upgrade = store
        .read()
        .await?
        .fetch_optional(sql, vec![])
        .await?
        .is_some();
    let mut untold = Vec::new();
    let mut has_events = false;
    for step in STEPS {
        has_events |= step.name == EVENTS_STEP;
        // A transaction for each step, so that an interrupted start goes on where it was.
        let mut tx = store.write(SCHEMA).await?;
        if !is_done(&mut tx, step).await? {
            apply(&mut tx, engine, step).await?;
            untold.push(step.name);
            // A new database has no change to tell of.
            if is_upgrade && has_events {
                tell(&mut tx, engine, &untold).await?;
                untold.clear();
            }
            tx.commit().await?;
        }
    }
    settle(store).await
}

/// Writes the event of steps, in the transaction of the last of them. Nothing above the store is there yet, so
/// the time is the database's.
async fn tell(tx: &mut Write, engine: Engine, steps: &[&str]) -> Result<()> {
    let now = match engine {
        Engine::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Engine::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)",
    };
    let now = tx.fetch_one(now, vec![]).await?.int(0)?;
    let steps = steps.join("\",\"");
    let event = NewEvent {
        occurred_at: now,
        service: SERVICE,
        source: "berth",
        name: EVENT,
        account: None,
        resource: None,
        details: &format!(r#"{{"steps":["{steps}"],"version":"{VERSION}"}}"#),
    };
    service_events::insert(&mut tx.conn(), &event).await
}

async fn has_column(tx: &mut Write, engine: Engine) -> Result<bool> {
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT 1 FROM pragma_table_info('schema_steps') WHERE name = 'oldest_version'"
        }
        Engine::Postgres => {
            "SELECT 1 FROM pg_attribute WHERE attrelid = 'schema_steps'::regclass \
             AND attname = 'oldest_version' AND NOT attisdropped"
        }
    };
    Ok(tx.fetch_optional(sql, vec![]).await?.is_some())
}

/// What each start makes sure of.
async fn settle(store: &Store) -> Result<()> {
    let engine = store.engine();
    let mut tx = store.write(SCHEMA).await?;
    let draw = match engine {
        Engine::Sqlite => {
            "INSERT INTO settings (name, value) VALUES ($1, lower(hex(randomblob(16)))) \
             ON CONFLICT (name) DO NOTHING"
        }
        Engine::Postgres => {
            "INSERT INTO settings (name, value) \
             VALUES ($1, replace(gen_random_uuid()::text, '-', '')) ON CONFLICT (name) DO NOTHING"
        }
    };
    tx.execute(draw, values![STORE_ID]).await?;
    if engine == Engine::Postgres {
        // Transaction numbers begin anew in a cluster that a dump was restored into: stamps of the old one
        // would be read again at each poll.
        tx.execute(
            "UPDATE changes SET stamp = 0 WHERE stamp > pg_current_xact_id()::text::bigint",
            vec![],
        )
        .await?;
        tx.execute(
            "DELETE FROM changes WHERE topic = $1 \
             AND generation > pg_current_xact_id()::text::bigint",
            values![PRUNED],
        )
        .await?;
    }
    tx.commit().await
}

/// Refuses a database with a step that this version does not know and is too old for.
async fn refuse_if_too_old(store: &Store, version: &str) -> Result<()> {
    let rows = store
        .read()
        .await?
        .fetch_all("SELECT name, oldest_version FROM schema_steps", vec![])
        .await?;
    for row in rows {
        let (name, oldest) = (row.text(0)?, row.text(1)?);
        let is_known = STEPS.iter().any(|step| step.name == name);
        if !is_known && numbers(version) < numbers(&oldest) {
            let needed = match oldest.as_str() {
                "" => "the version that wrote it".to_owned(),
                oldest => format!("version {oldest} or a newer one"),
            };
            return Err(Error::Schema(format!(
                "the database was changed by a newer version (schema step `{name}`), and this is \
                 version {version}: start {needed}"
            )));
        }
    }
    Ok(())
}

/// The numbers of `1.20.3`, to compare. What follows a `-` or `+` is left out; a text that is no version,
/// such as none at all, is newer than all.
fn numbers(version: &str) -> [u64; 3] {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = release.split('.').map(str::parse::<u64>);
    let mut next = || {
        parts
            .next()
            .and_then(std::result::Result::ok)
            .unwrap_or(u64::MAX)
    };
    [next(), next(), next()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestStore, on_every_engine};

    #[test]
    fn versions_are_compared_by_number() {
        for (older, newer) in [
            ("0.1.0", "0.2.0"),
            ("0.9.3", "0.10.0"),
            ("1.2.3", "1.2.4-rc.1"),
            ("9.9.9", "x"),
        ] {
            assert!(numbers(older) < numbers(newer), "{older} {newer}");
        }
        assert_eq!(numbers("1.2.3-rc.1+x"), numbers("1.2.3"));
    }

    /// Every event that waits: name, service and details.
    async fn events(store: &Store) -> Vec<(String, String, String)> {
        let sql = "SELECT name, service, details FROM service_events ORDER BY id";
        let rows = store.read().await.unwrap().fetch_all(sql, vec![]).await;
        let text = |row: &crate::Row, at| row.text(at).unwrap();
        rows.unwrap()
            .iter()
            .map(|row| (text(row, 0), text(row, 1), text(row, 2)))
            .collect()
    }

    /// ADR 0013: no change without its event. What makes a new database is none.
    #[on_every_engine]
    async fn an_upgrade_is_told_in_the_transaction_of_its_step(store: TestStore) {
        let store = store.store;
        assert_eq!(events(&store).await, []);
        let mut tx = store.write(SCHEMA).await.unwrap();
        tx.execute(
            "DELETE FROM schema_steps WHERE name = $1",
            values!["0022_mfa_device_paths"],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        run(&store).await.unwrap();
        run(&store).await.unwrap();
        let details = format!(r#"{{"steps":["0022_mfa_device_paths"],"version":"{VERSION}"}}"#);
        let told = ("MigrateSchema".to_owned(), SERVICE.to_owned(), details);
        assert_eq!(events(&store).await, [told]);
    }

    #[on_every_engine]
    async fn a_database_of_a_newer_version_is_refused_by_the_version_that_it_names(
        store: TestStore,
    ) {
        let store = store.store;
        let mut tx = store.write(SCHEMA).await.unwrap();
        tx.execute(
            "INSERT INTO schema_steps (name, oldest_version) VALUES ($1, $2)",
            values!["9999_from_the_future", "7.1.0"],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        for (version, is_refused) in [("7.0.9", true), ("7.1.0", false), ("8.0.0", false)] {
            let found = refuse_if_too_old(&store, version).await;
            assert_eq!(found.is_err(), is_refused, "{version}: {found:?}");
        }
        let refused = refuse_if_too_old(&store, "7.0.9")
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("start version 7.1.0"), "{refused}");
    }
}
