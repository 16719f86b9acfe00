//! A database that is made from the rows of another one.
//!
//! From its first statement to [`Restore::finish`] the database carries a mark: [`Store::open`] refuses it, so that no
//! server runs on half of the rows, and another restore begins again from nothing. A database with tables and
//! without the mark is somebody's, and refused.
//!
//! The schema is brought to the backup's steps, gets the rows, and then the steps that came later: they change the
//! rows as they would have changed the database that was backed up.

use crate::dump::{self, Table};
use crate::{Conn, Engine, Error, Result, Scope, Store, Value, Write, migrate, settings, values};

/// The setting that says that a database is not whole: the id that it will have.
pub(crate) const UNFINISHED: &str = "restore_unfinished";
/// The setting of a restored database whose background work rests: of which backup and when, as JSON.
pub const PENDING: &str = "restore_pending";
/// Settings of the database that was backed up which are not this one's.
const FOREIGN_SETTINGS: [&str; 4] = [migrate::STORE_ID, UNFINISHED, PENDING, crate::backups::HOLD];
/// Rows that one statement writes, and the bytes from which on fewer do.
const ROWS_AT_ONCE: usize = 50;
const BYTES_AT_ONCE: usize = 4 << 20;

const SCOPE: Scope<'static> = Scope::System("restore");

/// A database that is being restored.
#[derive(Debug)]
pub struct Restore {
    store: Store,
    tables: Vec<Table>,
}

/// What a database is for a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// It has no tables.
    Empty,
    /// An earlier restore did not finish: it can begin again.
    Unfinished,
    /// It is whole, and has this id.
    InUse(String),
}

/// The first of `steps` that this version does not know.
#[must_use]
pub fn unknown_step(steps: &[String]) -> Option<&str> {
    let is_unknown = |step: &&String| !migrate::knows(step);
    steps.iter().find(is_unknown).map(String::as_str)
}

/// What there is at the place of a restore.
///
/// # Errors
/// The engine's.
pub async fn look_at(url: &str) -> Result<Target> {
    if let Some(path) = url.strip_prefix("sqlite:")
        && !std::path::Path::new(path).exists()
    {
        // Connecting would make the file.
        return Ok(Target::Empty);
    }
    let store = Store::connect(url, false)?;
    let found = target(&store).await;
    store.close().await;
    found
}

async fn target(store: &Store) -> Result<Target> {
    let mut read = store.read().await?;
    let conn = &mut read.conn();
    if dump::all_tables(conn, store.engine()).await?.is_empty() {
        return Ok(Target::Empty);
    }
    if !has_settings(conn, store.engine()).await? {
        return Ok(Target::InUse(String::new()));
    }
    if settings::get(conn, UNFINISHED).await?.is_some() {
        return Ok(Target::Unfinished);
    }
    let id = settings::get(conn, migrate::STORE_ID).await?;
    Ok(Target::InUse(id.unwrap_or_default()))
}

async fn has_settings(conn: &mut Conn<'_>, engine: Engine) -> Result<bool> {
    let sql = match engine {
        Engine::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'settings'",
        Engine::Postgres => "SELECT 1 WHERE to_regclass('settings') IS NOT NULL",
    };
    Ok(conn.fetch_optional(sql, vec![]).await?.is_some())
}

/// Refuses a database whose restore did not finish.
pub(crate) async fn refuse_unfinished(store: &Store) -> Result<()> {
    let mut read = store.read().await?;
    let conn = &mut read.conn();
    if has_settings(conn, store.engine()).await? && settings::get(conn, UNFINISHED).await?.is_some()
    {
        return Err(Error::Unfinished);
    }
    Ok(())
}

impl Restore {
    /// Takes an empty database, or one whose restore did not finish, and makes the tables of these steps of the
    /// schema. `id` is the id that the database will have.
    ///
    /// # Errors
    /// [`Error::NotEmpty`], [`Error::Schema`] for a step that this version does not know, and the engine's.
    pub async fn begin(url: &str, steps: &[String], id: &str) -> Result<Restore> {
        if let Some(step) = unknown_step(steps) {
            return Err(Error::Schema(format!(
                "the schema step `{step}` is of a newer version"
            )));
        }
        let store = Store::connect(url, true)?;
        match target(&store).await? {
            Target::Empty => {}
            Target::Unfinished => clear(&store).await?,
            Target::InUse(_) => {
                store.close().await;
                return Err(Error::NotEmpty);
            }
        }
        migrate::begin(&store, UNFINISHED, id).await?;
        migrate::run_steps(&store, |step| steps.iter().any(|name| name == step)).await?;
        let tables = {
            let mut read = store.read().await?;
            dump::tables(&mut read.conn(), store.engine()).await?
        };
        Ok(Restore { store, tables })
    }

    /// The tables that wait for rows.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Writes rows of a table, whose columns are those of `table`, in its order.
    ///
    /// # Errors
    /// The engine's.
    pub async fn write(&self, table: &Table, rows: Vec<Vec<Value>>) -> Result<()> {
        let is_foreign = |row: &Vec<Value>| match row.first() {
            Some(Value::Text(name)) => FOREIGN_SETTINGS.contains(&name.as_str()),
            _ => false,
        };
        let is_settings = table.name == "settings";
        let mut tx = self.store.write(SCOPE).await?;
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        for row in rows {
            if is_settings && is_foreign(&row) {
                continue;
            }
            bytes += row.iter().map(Value::bytes).sum::<usize>();
            waiting.push(row);
            if waiting.len() == ROWS_AT_ONCE {
                insert(&mut tx, table, waiting.drain(..), ROWS_AT_ONCE).await?;
                bytes = 0;
            } else if bytes >= BYTES_AT_ONCE {
                insert(&mut tx, table, waiting.drain(..), 1).await?;
                bytes = 0;
            }
        }
        insert(&mut tx, table, waiting.drain(..), 1).await?;
        tx.commit().await
    }

    /// After the last row: numbers go on where they were, what was between a client and the database that was
    /// backed up is forgotten, and the schema gets the steps that came later.
    ///
    /// # Errors
    /// The engine's.
    pub async fn settle(&self, last_numbers: &[(String, i64)], id: &str) -> Result<()> {
        let engine = self.store.engine();
        let mut tx = self.store.write(SCOPE).await?;
        for (name, last) in last_numbers {
            let Some(table) = self.tables.iter().find(|table| table.name == *name) else {
                return Err(Error::Schema(format!("there is no table `{name}`")));
            };
            number_on(&mut tx.conn(), engine, table, *last).await?;
        }
        forget(&mut tx.conn()).await?;
        settings::put(&mut tx.conn(), migrate::STORE_ID, id).await?;
        tx.commit().await?;
        migrate::run(&self.store).await?;
        self.store.learn_id().await
    }

    /// The database, for what has to be done before it is whole.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Takes the mark away: the database is whole. `pending` is what [`PENDING`] gets.
    ///
    /// # Errors
    /// The engine's.
    pub async fn finish(self, pending: &str) -> Result<()> {
        let mut tx = self.store.write(SCOPE).await?;
        settings::put(&mut tx.conn(), PENDING, pending).await?;
        settings::remove(&mut tx.conn(), UNFINISHED).await?;
        tx.commit().await?;
        self.store.close().await;
        Ok(())
    }
}

/// Writes rows, `at_once` with a statement.
async fn insert(
    tx: &mut Write,
    table: &Table,
    rows: impl Iterator<Item = Vec<Value>>,
    at_once: usize,
) -> Result<()> {
    let quoted = table.columns.iter().map(|c| format!("\"{}\"", c.name));
    let columns: Vec<String> = quoted.collect();
    let mut number = 0;
    let mut row_marks = || {
        let mut mark = || {
            number += 1;
            format!("${number}")
        };
        let marks: Vec<String> = columns.iter().map(|_| mark()).collect();
        format!("({})", marks.join(", "))
    };
    let marks: Vec<String> = (0..at_once).map(|_| row_marks()).collect();
    let (name, columns, marks) = (&table.name, columns.join(", "), marks.join(", "));
    let sql = format!("INSERT INTO \"{name}\" ({columns}) VALUES {marks}");
    let mut params = Vec::new();
    let mut waiting = 0;
    for row in rows {
        params.extend(row);
        waiting += 1;
        if waiting == at_once {
            let params = std::mem::take(&mut params);
            tx.conn().execute_composed(sql.clone(), params).await?;
            waiting = 0;
        }
    }
    debug_assert_eq!(waiting, 0, "a multiple of `at_once`");
    Ok(())
}

/// The next row of the table gets a number above `last`.
async fn number_on(conn: &mut Conn<'_>, engine: Engine, table: &Table, last: i64) -> Result<()> {
    let name = &table.name;
    match engine {
        Engine::Sqlite => {
            let update = "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1 AND seq < $2";
            conn.execute(update, values![name, last]).await?;
            let insert = "INSERT INTO sqlite_sequence (name, seq) SELECT $1, $2 \
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)";
            conn.execute(insert, values![name, last]).await?;
        }
        Engine::Postgres => {
            let Some(column) = table.key.first().map(|at| &table.columns[*at].name) else {
                return Ok(());
            };
            let sql = "SELECT setval(pg_get_serial_sequence($1, $2), $3)";
            conn.fetch_one(sql, values![name, column, last]).await?;
        }
    }
    Ok(())
}

/// Removes what is between one client and the database that was backed up: sessions of browsers, links and
/// invitations that may have been used since, unfinished uploads (a backup has no bytes of them), and which node was
/// doing what.
async fn forget(conn: &mut Conn<'_>) -> Result<()> {
    for sql in [
        "DELETE FROM console_sessions",
        "DELETE FROM console_links",
        "DELETE FROM console_sign_ins",
        "DELETE FROM host_invitations WHERE used_at IS NULL",
        "DELETE FROM uploads",
        "DELETE FROM backups WHERE status = 'RUNNING'",
        "UPDATE jobs SET lease_holder = NULL, lease_until = NULL WHERE lease_holder IS NOT NULL",
        "UPDATE event_targets SET lease_holder = NULL, lease_until = NULL WHERE lease_holder IS NOT NULL",
        "UPDATE service_events SET claimed_until = 0 WHERE claimed_until <> 0",
    ] {
        conn.execute(sql, vec![]).await?;
    }
    Ok(())
}

/// Removes all tables of a restore that did not finish.
async fn clear(store: &Store) -> Result<()> {
    let mut tx = store.write(SCOPE).await?;
    let engine = store.engine();
    let tables = dump::all_tables(&mut tx.conn(), engine).await?;
    // Those that refer come before what they refer to.
    for table in tables.iter().rev() {
        let sql = format!("DROP TABLE \"{}\"", table.name);
        tx.conn().execute_composed(sql, vec![]).await?;
    }
    tx.commit().await
}
