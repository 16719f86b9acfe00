//! The collection and a client, in every order of their transactions that few changes of turn can make.
//!
//! A push finds a layer, or is told that it is there, while the collection removes it: whether that is safe is
//! decided by what comes between which transactions. Each task here runs alone until it is about to begin a
//! transaction, or has just committed one (`crash_points`), and then the schedule says who goes on. All
//! schedules with at most two changes of turn are tried; most faults of this kind need no more (Musuvathi and
//! Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007). What runs
//! is the real code on a real database, so that no model of it can be wrong.

use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::Duration;

use crate::world::*;
use aws_api::ecr;
use blobs::Digest;
use bytes::Bytes;
use crash_points::Point;
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use registry::{Authorized, Registry, RepositoryFacts};
use serde_json::{Value, json};
use store::testing::TestStore;

const SERVICE: ServiceName = ServiceName::Maintenance;
const END_OF_RUN: SignedDuration = SignedDuration::from_secs(1);
/// Short, so that the clock of all schedules stays far behind the real one: by that, no file is old.
const COLLECT_AFTER: Duration = Duration::from_secs(20 * 60);
/// From its push on until a layer without an image is noted as such, and from then on until its time is over, in minutes.
const NOTED_MIN: i64 = 11;
const OVER_MIN: i64 = 21;
const TASKS: usize = 2;
/// Changes of turn while the task that loses it could go on, where the variable does not say more.
const PREEMPTIONS_MAX: usize = 1;
/// `cargo xtask test slow` sets it.
const PREEMPTIONS_VARIABLE: &str = "BERTH_TEST_PREEMPTIONS";

tokio::task_local! {
    /// The schedule that this task obeys, and its number.
    static TURNS: (Arc<Turns>, usize);
}

#[derive(Default)]
struct Places {
    waits: [bool; TASKS],
    has_ended: [bool; TASKS],
    turn: Option<usize>,
}

/// Whose turn it is. Tasks wait for theirs at each point.
#[derive(Default)]
struct Turns {
    places: Mutex<Places>,
    changed: Condvar,
}

impl Turns {
    fn wait_for_turn(&self, task: usize) {
        let mut places = self.places.lock().unwrap();
        places.waits[task] = true;
        self.changed.notify_all();
        while places.turn != Some(task) {
            places = self.changed.wait(places).unwrap();
        }
        places.turn = None;
        places.waits[task] = false;
    }

    fn end(&self, task: usize) {
        self.places.lock().unwrap().has_ended[task] = true;
        self.changed.notify_all();
    }

    /// Those that can go on, once each task waits or has ended.
    fn ready(&self) -> Vec<usize> {
        let mut places = self.places.lock().unwrap();
        while places.turn.is_some()
            || (0..TASKS).any(|task| !places.waits[task] && !places.has_ended[task])
        {
            places = self.changed.wait(places).unwrap();
        }
        (0..TASKS).filter(|task| places.waits[*task]).collect()
    }

    fn give(&self, task: usize) {
        self.places.lock().unwrap().turn = Some(task);
        self.changed.notify_all();
    }
}

/// A choice that a schedule made: whom it took, and whom it could have taken instead.
struct Choice {
    taken: usize,
    others: Vec<usize>,
}

/// The schedules, one after another.
struct Schedule {
    choices: Vec<Choice>,
    place: usize,
    preemptions_max: usize,
}

impl Schedule {
    fn new() -> Schedule {
        let asked = std::env::var(PREEMPTIONS_VARIABLE);
        Schedule {
            choices: Vec::new(),
            place: 0,
            preemptions_max: asked.map_or(PREEMPTIONS_MAX, |number| number.parse().unwrap()),
        }
    }

    /// Who goes on. `last` is who went before.
    fn choose(&mut self, ready: &[usize], last: Option<usize>) -> usize {
        if self.place == self.choices.len() {
            let stays = last.filter(|last| ready.contains(last));
            let taken = stays.unwrap_or(ready[0]);
            let may_change = stays.is_none() || self.preemptions() < self.preemptions_max;
            let others = ready.iter().copied().filter(|task| *task != taken);
            let others = others.filter(|_| may_change).collect();
            self.choices.push(Choice { taken, others });
        }
        let taken = self.choices[self.place].taken;
        assert!(
            ready.contains(&taken),
            "the same choices lead to the same place"
        );
        self.place += 1;
        taken
    }

    fn preemptions(&self) -> usize {
        // Each change but the first choice and those after a task's end took the turn from somebody.
        let changes = self.choices.windows(2);
        changes
            .filter(|pair| pair[0].taken != pair[1].taken)
            .count()
    }

    /// Goes to the next schedule; false after the last one.
    fn next(&mut self) -> bool {
        self.place = 0;
        while let Some(mut last) = self.choices.pop() {
            if let Some(other) = last.others.pop() {
                last.taken = other;
                self.choices.push(last);
                return true;
            }
        }
        false
    }
}

/// What a client does that wants an image of a layer which is about to be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// Asks for the layers, uploads those that are not there.
    Asks,
    /// Uploads them again.
    Uploads,
    /// Mounts them from the other repository, or uploads them.
    Mounts,
}

async fn upload(registry: &Registry, cx: &Authorized, repo: &RepositoryFacts, content: &str) {
    let digest = Digest::sha256_of(content.as_bytes()).to_string();
    let put = registry.put_blob(cx, repo, &digest, body(content)).await;
    put.unwrap();
}

impl Client {
    async fn provide(
        self,
        registry: &Registry,
        cx: &Authorized,
        (repo, other): (&RepositoryFacts, &RepositoryFacts),
        content: &str,
    ) {
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        let is_there = match self {
            Client::Asks => registry.stat_blob(cx, repo, &digest).await.is_ok(),
            Client::Uploads => false,
            Client::Mounts => {
                let mounted = registry.mount_blob(cx, repo, other, &digest).await;
                mounted.unwrap().is_some()
            }
        };
        if !is_there {
            upload(registry, cx, repo, content).await;
        }
    }

    /// Pushes the image: whatever the collection does meanwhile, no step may be refused.
    async fn push(
        self,
        registry: &Registry,
        cx: &Authorized,
        repos: (&RepositoryFacts, &RepositoryFacts),
        content: &str,
    ) {
        self.provide(registry, cx, repos, &config_of(content)).await;
        self.provide(registry, cx, repos, content).await;
        let (tag, manifest) = (tag_of(content), manifest(content).to_string());
        let put = registry.put_manifest(cx, repos.0, &tag, None, Bytes::from(manifest));
        put.await.unwrap();
    }
}

fn config_of(content: &str) -> String {
    format!("config of {content}")
}

fn manifest(content: &str) -> Value {
    let descriptor = |media_type: &str, content: &str| {
        let digest = Digest::sha256_of(content.as_bytes()).to_string();
        json!({"mediaType": media_type, "digest": digest, "size": content.len()})
    };
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, &config_of(content)),
        "layers": [descriptor(OCI_LAYER, content)],
    })
}

fn tag_of(content: &str) -> String {
    content.replace(' ', "-")
}

/// The image can be pulled.
async fn is_whole(w: &World, cx: &Authorized, repo: &RepositoryFacts, content: &str) {
    let found = w.registry.get_manifest(cx, repo, &tag_of(content)).await;
    assert_eq!(found.unwrap().bytes, manifest(content).to_string());
    for part in [config_of(content), content.to_owned()] {
        let digest = Digest::sha256_of(part.as_bytes()).to_string();
        let (layer, source) = w.registry.open_blob(cx, repo, &digest).await.unwrap();
        let read = source.read_range(0..layer.size);
        let read: Vec<Bytes> = read.try_collect().await.unwrap();
        assert_eq!(read.concat(), part.as_bytes());
    }
}

async fn collect(registry: &Registry, now: Timestamp) {
    while registry.collect(SERVICE, now).await.unwrap() < END_OF_RUN {}
}

async fn delete(w: &World, cx: &Authorized, repo: &RepositoryFacts, tag: &str) {
    let input = ecr::BatchDeleteImageRequest {
        repository_name: repo.name.to_string(),
        image_ids: vec![ecr::ImageIdentifier {
            image_tag: Some(tag.into()),
            ..ecr::ImageIdentifier::default()
        }],
        ..ecr::BatchDeleteImageRequest::default()
    };
    let answer = w.registry.batch_delete_image(cx, input).await.unwrap();
    assert_eq!(answer.failures.unwrap(), []);
}

/// Makes every task that obeys a schedule wait at its points; others pass.
fn observe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        crash_points::observe(|point| {
            // Inside a transaction the other one would wait for its lock: the database orders these.
            let is_between = matches!(
                point,
                Point::TransactionBegins | Point::TransactionCommitted
            );
            if is_between {
                // The runtime's other work goes on meanwhile, a rollback among it.
                let _ = TURNS.try_with(|(turns, task)| {
                    tokio::task::block_in_place(|| turns.wait_for_turn(*task));
                });
            }
        });
    });
}

/// Runs both tasks by a schedule.
async fn run<A, B>(schedule: &mut Schedule, one: A, two: B)
where
    A: Future<Output = ()> + Send + 'static,
    B: Future<Output = ()> + Send + 'static,
{
    /// A task that panics has ended too: the scheduler must not wait for it.
    struct Ends(Arc<Turns>, usize);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.end(self.1);
        }
    }
    let turns = Arc::new(Turns::default());
    let obey = |task: usize| (Arc::clone(&turns), task);
    let first = Ends(Arc::clone(&turns), 0);
    let one = tokio::spawn(TURNS.scope(obey(0), async move {
        let _ends = first;
        TURNS.with(|(turns, task)| tokio::task::block_in_place(|| turns.wait_for_turn(*task)));
        one.await;
    }));
    let second = Ends(Arc::clone(&turns), 1);
    let two = tokio::spawn(TURNS.scope(obey(1), async move {
        let _ends = second;
        TURNS.with(|(turns, task)| tokio::task::block_in_place(|| turns.wait_for_turn(*task)));
        two.await;
    }));
    let mut last = None;
    loop {
        let ready = tokio::task::block_in_place(|| turns.ready());
        if ready.is_empty() {
            break;
        }
        let chosen = schedule.choose(&ready, last);
        turns.give(chosen);
        last = Some(chosen);
    }
    one.await.unwrap();
    two.await.unwrap();
}

async fn no_order_loses_a_layer(store: TestStore, client: Client) -> usize {
    observe();
    let w = World::with(&store, |settings| settings.collect_after = COLLECT_AFTER).await;
    w.registry
        .link_foreign_layers(SERVICE, w.cx.now)
        .await
        .unwrap();
    let (repo, other) = (w.repository("app").await, w.repository("other").await);
    // Where the layers were.
    let before = match client {
        Client::Mounts => &other,
        Client::Asks | Client::Uploads => &repo,
    };
    let mut schedule = Schedule::new();
    let (mut tried, mut minutes, mut contents) = (0, 0, Vec::new());
    loop {
        let content = format!("{client:?} {tried}");
        let cx = w.at(0, minutes);
        for part in [config_of(&content), content.clone()] {
            upload(&w.registry, &cx, before, &part).await;
        }
        let bytes = Bytes::from(manifest(&content).to_string());
        let put = w.registry.put_manifest(&cx, before, "once", None, bytes);
        put.await.unwrap();
        delete(&w, &cx, before, "once").await;
        collect(&w.registry, w.at(0, minutes + NOTED_MIN).now).await;
        // Now its time is over, and the client comes.
        minutes += NOTED_MIN + OVER_MIN;
        let cx = w.at(0, minutes);
        let pushes = {
            let (registry, cx, content) = (w.registry.clone(), w.at(0, minutes), content.clone());
            let (repo, other) = (Arc::clone(&repo), Arc::clone(&other));
            async move { client.push(&registry, &cx, (&repo, &other), &content).await }
        };
        let collects = {
            let (registry, now) = (w.registry.clone(), cx.now);
            async move { collect(&registry, now).await }
        };
        run(&mut schedule, pushes, collects).await;
        is_whole(&w, &w.at(0, minutes), &repo, &content).await;
        contents.push(content);
        tried += 1;
        if !schedule.next() {
            break;
        }
    }
    // Whatever the collection does next: what was acknowledged stays.
    for later in [NOTED_MIN, OVER_MIN, OVER_MIN] {
        minutes += later;
        collect(&w.registry, w.at(0, minutes).now).await;
    }
    let cx = w.at(0, minutes);
    for content in &contents {
        is_whole(&w, &cx, &repo, content).await;
        delete(&w, &cx, &repo, &tag_of(content)).await;
    }
    // Nothing is left over.
    for later in [NOTED_MIN, OVER_MIN, OVER_MIN] {
        minutes += later;
        collect(&w.registry, w.at(0, minutes).now).await;
    }
    let files = w.blobs.list().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(files.len(), 0);
    tried
}

/// A runtime that a task may block.
fn try_all(make: impl AsyncFnOnce() -> TestStore, client: Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(TASKS + 2)
        .enable_all()
        .build()
        .unwrap();
    let test = runtime.block_on(async {
        let store = make().await;
        tokio::spawn(no_order_loses_a_layer(store, client)).await
    });
    let tried = test.unwrap();
    assert!(
        tried > 10,
        "only {tried} orders were tried: this has shown nothing"
    );
}

macro_rules! on_every_engine {
    ($($name:ident: $client:ident,)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                try_all(store::testing::sqlite, Client::$client);
            }

            #[test]
            fn postgres() {
                try_all(store::testing::postgres, Client::$client);
            }
        })*
    };
}

on_every_engine! {
    a_client_that_asks_for_a_layer: Asks,
    a_client_that_uploads_it_again: Uploads,
    a_client_that_mounts_it: Mounts,
}
