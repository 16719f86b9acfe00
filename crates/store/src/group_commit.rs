//! The one writer of SQLite: transactions run one after another, and those that wait for each other share a COMMIT.
//!
//! A COMMIT waits for the disk, and nobody else can write meanwhile. Where others wait for their turn, a transaction
//! that ends is therefore not committed at once: it leaves its changes in the open SQLite transaction, and the next
//! one runs on top of it, in a savepoint. The last one commits for all, and only then does any of them return. Where
//! nobody waits, a transaction commits by itself, as it would without groups.
//!
//! ```text
//! BEGIN IMMEDIATE           first begins
//!   …                       its statements
//!   SAVEPOINT turn          first ends; second was waiting
//!     …                     its statements
//!   RELEASE turn            second ends; nobody waits
//! COMMIT                    one sync of the disk; first and second return
//! ```
//!
//! # What holds
//! - [`Turn::commit`] returns after the COMMIT that holds its changes.
//! - One that is given up takes its own changes back (`ROLLBACK TO turn`) and nobody else's.
//! - When the COMMIT fails, or SQLite undid the transaction because of a full disk, all of the group fail.
//! - A transaction sees what those before it in its group did. What it tells its caller is durable once it has
//!   committed, also when it changed nothing itself. After one that was given up, its group ends, and reads that begin
//!   then wait for it ([`GroupWriter::settled`]): who is refused because of a row finds the row.
//! - A group with members always ends, whoever goes away: COMMIT runs in a task of its own, and one who waits and
//!   gives up makes sure that somebody commits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::changes::Changes;
use crate::pool::{ACQUIRE_TIMEOUT, Lease, Pool};
use crate::sqlite::SqliteConnection;
use crate::{Error, Result};

/// Transactions that share a COMMIT at most.
const MEMBERS_MAX: usize = 64;
/// The age from which on a group takes no more: its first member waits for it.
const AGE_MAX: Duration = Duration::from_millis(20);
/// Where a COMMIT takes long, a group may take more: it grows for this part of the last COMMIT's time at most, and for
/// this part of [`COMMIT_MAX`]. Its members wait that much longer, and the others for fewer COMMITs.
const AGE_OF_COMMIT: u32 = 4;
const COMMIT_MAX: Duration = Duration::from_secs(4);

/// A topic that a transaction changed, its generation, and whether the caller drops its own entries.
pub(crate) type Changed = (String, i64, bool);

/// The writer of one database.
pub(crate) struct GroupWriter {
    pool: Arc<Pool<SqliteConnection>>,
    changes: Arc<Changes>,
    /// Whose turn it is; served in order.
    turn: Arc<Semaphore>,
    state: Mutex<State>,
    age_max: Duration,
    /// One was given up after it had seen what is not committed yet: readers wait for that COMMIT.
    is_settling: AtomicBool,
    settled: Notify,
}

#[derive(Default)]
struct State {
    /// How many wait for the turn.
    waiting: usize,
    /// Between two turns: the transaction that the next one goes on with.
    open: Option<Group>,
    /// How long the last COMMIT took.
    commit_took: Duration,
}

/// An open SQLite transaction, and the members that wait for its COMMIT.
struct Group {
    lease: Lease<SqliteConnection>,
    members: Vec<Member>,
    began: Instant,
}

struct Member {
    changed: Vec<Changed>,
    done: oneshot::Sender<Result<()>>,
}

/// One transaction, while it runs.
pub(crate) struct Turn {
    writer: Arc<GroupWriter>,
    /// Present until the drop.
    group: Option<Group>,
    /// Present until the drop.
    permit: Option<OwnedSemaphorePermit>,
    /// Whether it runs in a savepoint, on top of others.
    is_inner: bool,
}

/// Counts one who waits for the turn.
struct Waiting {
    writer: Arc<GroupWriter>,
    is_served: bool,
}

impl Waiting {
    fn new(writer: &Arc<GroupWriter>) -> Waiting {
        writer.state().waiting += 1;
        Waiting {
            writer: Arc::clone(writer),
            is_served: false,
        }
    }

    /// Its turn has come: the open group, where there is one.
    fn served(mut self) -> Option<Group> {
        self.is_served = true;
        let mut state = self.writer.state();
        state.waiting -= 1;
        state.open.take()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.is_served {
            return;
        }
        let is_left_open = {
            let mut state = self.writer.state();
            state.waiting -= 1;
            state.waiting == 0 && state.open.is_some()
        };
        // A group was left open for this one.
        if is_left_open {
            self.writer.finish_later();
        }
    }
}

impl GroupWriter {
    pub(crate) fn new(pool: Arc<Pool<SqliteConnection>>, changes: Arc<Changes>) -> Arc<Self> {
        Arc::new(GroupWriter {
            pool,
            changes,
            turn: Arc::new(Semaphore::new(1)),
            state: Mutex::default(),
            age_max: AGE_MAX,
            is_settling: AtomicBool::new(false),
            settled: Notify::new(),
        })
    }

    /// Begins a transaction, once it is its turn.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<Turn> {
        let waiting = Waiting::new(self);
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.turn).acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("the database's writer was not free in time".into()))?
            .map_err(|_| Error::Unavailable("the database is closed".into()))?;
        if let Some(group) = waiting.served() {
            let mut turn = self.turn(group, permit);
            if let Some(group) = &mut turn.group {
                group.lease.run("SAVEPOINT turn").await?;
            }
            turn.is_inner = true;
            return Ok(turn);
        }
        let group = Group {
            lease: self.pool.acquire().await?,
            members: Vec::new(),
            began: Instant::now(),
        };
        let mut turn = self.turn(group, permit);
        if let Some(group) = &mut turn.group {
            group.lease.begin("BEGIN IMMEDIATE").await?;
        }
        Ok(turn)
    }

    /// Waits until what transactions saw that were given up before now is committed, or undone. Else a caller that was
    /// refused because of a row would not find it when it looks.
    pub(crate) async fn settled(&self) {
        if self.is_settling.load(Ordering::Acquire) {
            // Boxed: every read has room for this wait, and few wait.
            Box::pin(self.wait_settled()).await;
        }
    }

    async fn wait_settled(&self) {
        // Registered before the flag is read again, so that no notification is missed.
        let mut settled = std::pin::pin!(self.settled.notified());
        settled.as_mut().enable();
        if self.is_settling.load(Ordering::Acquire) {
            settled.await;
        }
    }

    /// Closes the connection in order.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    fn turn(self: &Arc<Self>, group: Group, permit: OwnedSemaphorePermit) -> Turn {
        Turn {
            writer: Arc::clone(self),
            group: Some(group),
            permit: Some(permit),
            is_inner: false,
        }
    }

    /// Leaves the group open for the next one, if one waits and the group may grow; else ends it.
    async fn pass_on(&self, group: Group, permit: OwnedSemaphorePermit) {
        let (members, age) = (group.members.len(), group.began.elapsed());
        let ending = {
            let mut state = self.state();
            let age_max = self.age_max(state.commit_took);
            match state.waiting > 0 && members < MEMBERS_MAX && age < age_max {
                true => {
                    state.open = Some(group);
                    None
                }
                false => Some(group),
            }
        };
        if let Some(group) = ending {
            self.end(group).await;
        }
        drop(permit);
    }

    fn age_max(&self, commit_took: Duration) -> Duration {
        let of_commit = commit_took.min(COMMIT_MAX) / AGE_OF_COMMIT;
        self.age_max.max(of_commit)
    }

    /// Commits for all members, and tells each.
    async fn end(&self, group: Group) {
        let Group { lease, members, .. } = group;
        if members.is_empty() {
            // Nothing to keep: the lease rolls back.
            return;
        }
        let began = Instant::now();
        let committed = lease.commit().await;
        self.state().commit_took = began.elapsed();
        for member in &members {
            for (topic, generation, is_handled) in &member.changed {
                match committed {
                    Ok(()) => self.changes.committed(topic, *generation, *is_handled),
                    // A connection that broke may have committed.
                    Err(_) => self.changes.uncertain(topic),
                }
            }
        }
        let mut failed = committed.err();
        let reason = failed.as_ref().map(ToString::to_string);
        for member in members {
            let outcome = match (failed.take(), &reason) {
                (Some(error), _) => Err(error),
                (None, Some(reason)) => Err(Error::Unavailable(reason.clone())),
                (None, None) => Ok(()),
            };
            // Nobody may wait any more.
            let _ = member.done.send(outcome);
        }
    }

    /// Ends a group that nobody came for.
    fn finish_later(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let writer = Arc::clone(self);
        runtime.spawn(async move {
            let Ok(permit) = Arc::clone(&writer.turn).acquire_owned().await else {
                return;
            };
            let open = writer.state().open.take();
            if let Some(group) = open {
                writer.end(group).await;
            }
            drop(permit);
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Sound at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the wait of readers when it is dropped. One at a time: it is made and dropped by who has the turn.
struct Settling(Arc<GroupWriter>);

impl Settling {
    fn begin(writer: &Arc<GroupWriter>) -> Settling {
        writer.is_settling.store(true, Ordering::Release);
        Settling(Arc::clone(writer))
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.0.is_settling.store(false, Ordering::Release);
        self.0.settled.notify_waiters();
    }
}

impl Turn {
    /// The connection; `None` after the end.
    pub(crate) fn lease(&mut self) -> Option<&mut Lease<SqliteConnection>> {
        self.group.as_mut().map(|group| &mut group.lease)
    }

    /// Ends the transaction. Returns once its changes are durable, or known not to be.
    pub(crate) async fn commit(self, changed: Vec<Changed>) -> Result<()> {
        // In a task: others wait for it, whatever becomes of this caller.
        let committed = tokio::spawn(self.commit_now(changed));
        committed.await.unwrap_or_else(|stopped| {
            Err(Error::Unavailable(format!("the commit stopped: {stopped}")))
        })
    }

    async fn commit_now(mut self, changed: Vec<Changed>) -> Result<()> {
        if let Some(lease) = self.lease() {
            lease.check()?;
        }
        let (done, outcome) = oneshot::channel();
        let writer = Arc::clone(&self.writer);
        if self.is_inner
            && let Some(group) = &mut self.group
        {
            group.lease.run("RELEASE turn").await?;
        }
        let (Some(mut group), Some(permit)) = (self.group.take(), self.permit.take()) else {
            return Err(Error::Unavailable("the transaction has ended".into()));
        };
        group.members.push(Member { changed, done });
        writer.pass_on(group, permit).await;
        outcome.await.unwrap_or_else(|_| {
            let why = "the transaction was undone together with another one that failed";
            Err(Error::Unavailable(why.into()))
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (Some(mut group), Some(permit)) = (self.group.take(), self.permit.take()) else {
            return;
        };
        if group.members.is_empty() {
            // The lease rolls back; until it has, its pool lends no connection.
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let writer = Arc::clone(&self.writer);
        if !self.is_inner {
            // Before its savepoint it has changed and seen nothing.
            runtime.spawn(async move { writer.pass_on(group, permit).await });
            return;
        }
        let settling = Settling::begin(&writer);
        runtime.spawn(async move {
            match group.lease.undo_turn().await {
                Ok(()) => writer.end(group).await,
                Err(error) => {
                    tracing::warn!(%error, "transactions that waited for one COMMIT were undone");
                    // The lease closes its connection, and the members learn that they failed.
                    drop(group);
                }
            }
            drop(settling);
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;
    use crate::conn::{Conn, Lent};
    use crate::sqlite::SqliteOptions;

    struct Test {
        writer: Arc<GroupWriter>,
        readers: Arc<Pool<SqliteConnection>>,
        _folder: tempfile::TempDir,
    }

    async fn test() -> Test {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("db").to_str().unwrap());
        let pool = Pool::new(options.clone(), 1);
        let mut writer = GroupWriter::new(pool, Arc::default());
        // No test depends on time.
        Arc::get_mut(&mut writer).unwrap().age_max = Duration::MAX;
        let mut first = writer.begin().await.unwrap();
        run(&mut first, "CREATE TABLE t (n INTEGER)").await.unwrap();
        first.commit(Vec::new()).await.unwrap();
        Test {
            writer,
            readers: Pool::new(options.readers(), 2),
            _folder: folder,
        }
    }

    async fn run(turn: &mut Turn, sql: &'static str) -> Result<()> {
        turn.lease().unwrap().run(sql).await
    }

    impl Test {
        /// The committed rows.
        async fn rows(&self) -> Vec<i64> {
            let mut lent = Lent::Sqlite(self.readers.acquire().await.unwrap());
            let mut conn = Conn(&mut lent);
            let rows = conn.fetch_all("SELECT n FROM t ORDER BY n", vec![]).await;
            rows.unwrap()
                .iter()
                .map(|row| row.int(0).unwrap())
                .collect()
        }

        /// A transaction that inserted 1 and commits, and the one that was waiting for it.
        async fn two(&self) -> (tokio::task::JoinHandle<Result<()>>, Turn) {
            let mut first = self.writer.begin().await.unwrap();
            run(&mut first, "INSERT INTO t VALUES (1)").await.unwrap();
            let writer = Arc::clone(&self.writer);
            let second = tokio::spawn(async move { writer.begin().await });
            while self.writer.state().waiting == 0 {
                tokio::task::yield_now().await;
            }
            let committed = tokio::spawn(first.commit(Vec::new()));
            (committed, second.await.unwrap().unwrap())
        }
    }

    #[tokio::test]
    async fn those_that_wait_share_a_commit() {
        let t = test().await;
        let (first, mut second) = t.two().await;
        assert!(second.is_inner && !first.is_finished());
        assert!(t.rows().await.is_empty());
        run(&mut second, "INSERT INTO t SELECT n + 1 FROM t")
            .await
            .unwrap();
        second.commit(Vec::new()).await.unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(t.rows().await, [1, 2]);
    }

    #[tokio::test]
    async fn a_group_grows_for_a_part_of_the_time_that_a_commit_takes() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("db").to_str().unwrap());
        let writer = GroupWriter::new(Pool::new(options, 1), Arc::default());
        let ages = [0, 80, 3_000, 60_000].map(|took| writer.age_max(Duration::from_millis(took)));
        assert_eq!(ages, [20, 20, 750, 1_000].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn one_that_is_given_up_takes_back_its_own_changes_alone() {
        let t = test().await;
        let (first, mut second) = t.two().await;
        run(&mut second, "INSERT INTO t VALUES (2)").await.unwrap();
        // SQLite refuses this, and goes on.
        assert!(
            run(&mut second, "INSERT INTO missing VALUES (1)")
                .await
                .is_err()
        );
        drop(second);
        // Who was refused because of what it saw there finds it.
        t.writer.settled().await;
        assert_eq!(t.rows().await, [1]);
        first.await.unwrap().unwrap();
        let (first, second) = t.two().await;
        drop(second);
        first.await.unwrap().unwrap();
        assert_eq!(t.rows().await, [1, 1]);
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_undid_fails_for_all() {
        let t = test().await;
        let (first, mut second) = t.two().await;
        // As after a full disk.
        run(&mut second, "ROLLBACK").await.unwrap();
        assert!(second.commit(Vec::new()).await.is_err());
        assert!(first.await.unwrap().is_err());
        assert!(t.rows().await.is_empty());
        let (first, second) = t.two().await;
        drop(second);
        first.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_group_whose_next_one_went_away_is_committed() {
        let t = test().await;
        let mut first = t.writer.begin().await.unwrap();
        run(&mut first, "INSERT INTO t VALUES (1)").await.unwrap();
        let mut waiting = Box::pin(t.writer.begin());
        let polled = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready()));
        assert!(!polled.await);
        let committed = tokio::spawn(first.commit(Vec::new()));
        while t.writer.state().open.is_none() {
            tokio::task::yield_now().await;
        }
        drop(waiting);
        committed.await.unwrap().unwrap();
        assert_eq!(t.rows().await, [1]);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_holds_nobody_up() {
        let t = test().await;
        let (first, second) = t.two().await;
        first.abort();
        second.commit(Vec::new()).await.unwrap();
        assert_eq!(t.rows().await, [1]);
    }
}
