use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use super::*;
use crate::values;

/// A query of some million steps.
const LONG_QUERY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
    SELECT COUNT(*) FROM n";
/// The same for a statement that writes.
const LONG_WRITE: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
    INSERT INTO t SELECT i FROM n WHERE i % 100000 = 0";

struct Test {
    options: SqliteOptions,
    connection: SqliteConnection,
    _folder: tempfile::TempDir,
}

async fn test() -> Test {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("db").to_str().unwrap());
    let mut connection = SqliteConnection::open(&options).await.unwrap();
    connection.run("CREATE TABLE t (n INTEGER)").await.unwrap();
    Test {
        options,
        connection,
        _folder: folder,
    }
}

fn ask(sql: &'static str, params: Vec<Value>) -> Ask {
    Ask {
        sql: sql.into(),
        params,
        take: Take::All,
    }
}

impl Test {
    async fn ask(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Answer> {
        let ask = ask(sql, params);
        match self.connection.ask_here(&ask) {
            Some(answer) => answer,
            None => self.connection.ask_in_thread(ask).await,
        }
    }

    async fn numbers(&mut self, sql: &'static str, params: Vec<Value>) -> Vec<i64> {
        numbers(self.ask(sql, params).await.unwrap())
    }

    /// Whether the statement ran on this thread.
    fn runs_here(&self, sql: &'static str) -> bool {
        self.connection.ask_here(&ask(sql, vec![])).is_some()
    }
}

/// Whether the future is ready when it is polled once.
async fn is_ready<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

/// All columns of all rows.
fn numbers(answer: Answer) -> Vec<i64> {
    let columns = answer.rows.iter().flat_map(|row| &row.0);
    let number = |column: &Column| match column {
        Column::Integer(number) => *number,
        other => panic!("a number is expected, not {other:?}"),
    };
    columns.map(number).collect()
}

#[tokio::test]
async fn a_query_runs_on_its_callers_thread_unless_it_is_long() {
    let mut t = test().await;
    assert!(t.runs_here("SELECT COUNT(*) FROM t"));
    assert!(!t.runs_here(LONG_QUERY));
    assert_eq!(t.numbers(LONG_QUERY, vec![]).await, [300_000]);
    // What it counted does not hold back the next one.
    assert!(t.runs_here("SELECT COUNT(*) FROM t"));
}

#[tokio::test]
async fn a_long_query_leaves_its_transaction_as_it_is() {
    let mut t = test().await;
    t.connection.run("BEGIN IMMEDIATE").await.unwrap();
    t.connection.run("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(!t.runs_here(LONG_QUERY));
    assert_eq!(t.numbers(LONG_QUERY, vec![]).await, [300_000]);
    t.connection.commit().await.unwrap();
    assert_eq!(t.numbers("SELECT n FROM t", vec![]).await, [1]);
}

#[tokio::test]
async fn a_long_statement_that_writes_is_not_ended_and_runs_on_a_thread_from_then_on() {
    let mut t = test().await;
    t.connection.run("BEGIN IMMEDIATE").await.unwrap();
    t.connection.run("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(t.runs_here(LONG_WRITE));
    assert!(!t.runs_here(LONG_WRITE));
    t.connection.run(LONG_WRITE).await.unwrap();
    assert!(t.runs_here("INSERT INTO t VALUES (2)"));
    t.connection.commit().await.unwrap();
    let all = [1, 2, 100_000, 100_000, 200_000, 200_000, 300_000, 300_000];
    assert_eq!(t.numbers("SELECT n FROM t ORDER BY n", vec![]).await, all);
}

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for_on_a_thread() {
    let mut t = test().await;
    let mut other = SqliteConnection::open(&t.options).await.unwrap();
    other.run("BEGIN IMMEDIATE").await.unwrap();
    assert!(!t.runs_here("BEGIN IMMEDIATE"));
    {
        let mut begins = pin!(t.connection.run("BEGIN IMMEDIATE"));
        assert!(!is_ready(begins.as_mut()).await);
        other.run("INSERT INTO t VALUES (1)").await.unwrap();
        other.commit().await.unwrap();
        begins.await.unwrap();
    }
    assert_eq!(t.numbers("SELECT n FROM t", vec![]).await, [1]);
}

#[tokio::test]
async fn a_rollback_comes_after_the_statement_that_was_given_up() {
    let mut t = test().await;
    t.connection.run("BEGIN IMMEDIATE").await.unwrap();
    let (go, wait) = mpsc::channel::<()>();
    {
        // A statement that takes as long as this test likes.
        let mut given_up = pin!(t.connection.in_thread(move |database| {
            wait.recv().unwrap();
            database.ask(&ask("INSERT INTO t VALUES (1)", vec![]), Place::Thread)
        }));
        assert!(!is_ready(given_up.as_mut()).await);
    }
    {
        let mut undoes = pin!(t.connection.run("ROLLBACK"));
        assert!(!is_ready(undoes.as_mut()).await);
        go.send(()).unwrap();
        undoes.await.unwrap();
    }
    t.connection.test().await.unwrap();
    assert_eq!(t.numbers("SELECT n FROM t", vec![]).await, [0_i64; 0]);
}

#[tokio::test]
async fn a_connection_that_is_dropped_ends_what_nobody_waits_for() {
    let t = test().await;
    let (began, begins) = mpsc::channel();
    let (ended, ends) = mpsc::channel();
    {
        let mut given_up = pin!(t.connection.in_thread(move |database| {
            began.send(Arc::clone(&database.counts_left)).unwrap();
            // Without an end.
            let forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
            let answer = database.ask(&ask(forever, vec![]), Place::Thread);
            ended.send(answer.is_err()).unwrap();
            Ok(())
        }));
        assert!(!is_ready(given_up.as_mut()).await);
    }
    // What is interrupted before it runs is not ended by it.
    let counts_left = begins.recv().unwrap();
    while counts_left.load(Ordering::Relaxed) > i64::MAX - 10 {
        std::thread::yield_now();
    }
    drop(t.connection);
    assert!(ends.recv().unwrap());
}

#[tokio::test]
async fn while_the_disk_is_slow_statements_run_on_threads() {
    let mut t = test().await;
    assert!(t.runs_here("SELECT 1"));
    t.connection.shared.disks.was_slow();
    assert!(!t.runs_here("SELECT 1"));
    assert_eq!(t.numbers("SELECT 1", vec![]).await, [1]);
    // Also those of the database's other connections.
    let reader = SqliteConnection::open(&t.options.readers()).await.unwrap();
    assert!(reader.ask_here(&ask("SELECT 1", vec![])).is_none());
}

#[tokio::test]
async fn parameters_have_numbers() {
    let mut t = test().await;
    let found = t.numbers(
        "SELECT $2, $1, $2, $10",
        values![1, 2, 0, 0, 0, 0, 0, 0, 0, 10],
    );
    assert_eq!(found.await, [2, 1, 2, 10]);
    for sql in ["SELECT $1, $2", "SELECT $0", "SELECT ?", "SELECT $name"] {
        let error = t.ask(sql, values![1]).await;
        assert!(matches!(error, Err(Error::Engine(_))), "{sql}");
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let t = test().await;
    let mut reader = SqliteConnection::open(&t.options.readers()).await.unwrap();
    assert!(reader.run("INSERT INTO t VALUES (1)").await.is_err());
}
