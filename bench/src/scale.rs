//! The same requests at 1,000 images and at 1,000,000, to two servers in turn.
//!
//! The large server has 902 repositories of 1,000 images, and one of 98,000, which is the one that is asked: both
//! the size of the store and the size of the repository count.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Options;
use crate::berth::{self, Key};
use crate::content;
use crate::http::Client;
use crate::peers::Peer;
use crate::seed;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Images of the small server, and of each of the large server's other repositories.
const IMAGES: i64 = 1_000;
const OTHER_REPOSITORIES: i64 = 902;
/// Images of the repository that is asked on the large server. A repository may have 100,000: pushes must find room.
const IMAGES_LARGE: i64 = 98_000;
/// Requests of each kind to each server in a round.
const REQUESTS: usize = 200;
/// What the large server may take over the small one.
const RATIO_MAX: f64 = 1.5;
const REPOSITORY: &str = "asked";
/// A server that uses no more CPU than this in the time of a look is idle; how long that is waited for.
const IDLE_LOOK: Duration = Duration::from_secs(5);
const IDLE_CPU_SECONDS: f64 = 0.1;
const IDLE_MAX: Duration = Duration::from_secs(1_800);

/// One of the two servers.
struct Side {
    peer: Peer,
    key: Key,
    client: Client,
}

/// A request, whose number makes it different from the others of its kind.
type Request = fn(&mut Side, usize) -> Result<()>;

const REQUESTS_BY_NAME: [(&str, Request); 5] = [
    ("DescribeImages, a page of 100", |side, _| {
        let body = format!(r#"{{"repositoryName":"{REPOSITORY}","maxResults":100}}"#);
        berth::ecr(&side.peer, &side.key, "DescribeImages", &body).map(drop)
    }),
    ("DescribeImages by tag", |side, number| {
        let body = format!(
            r#"{{"repositoryName":"{REPOSITORY}","imageIds":[{{"imageTag":"v{number}"}}]}}"#
        );
        berth::ecr(&side.peer, &side.key, "DescribeImages", &body).map(drop)
    }),
    ("ListImages, a page of 100", |side, _| {
        let body = format!(r#"{{"repositoryName":"{REPOSITORY}","maxResults":100}}"#);
        berth::ecr(&side.peer, &side.key, "ListImages", &body).map(drop)
    }),
    ("tags/list, a page of 100", |side, number| {
        let path = format!("/v2/{REPOSITORY}/tags/list?n=100&last=v{number}");
        side.client.send("GET", &path, &[], &[])?.expect(200)?;
        Ok(())
    }),
    ("push of a small image", |side, number| {
        push(&mut side.client, number)
    }),
];

/// Measures both servers in turn, and prints a table.
pub fn run(options: &Options) -> Result<String> {
    let (small, large) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut small = fill(&options.berth, small.path(), IMAGES, 0)?;
    let mut large = fill(
        &options.berth,
        large.path(),
        IMAGES_LARGE,
        OTHER_REPOSITORIES,
    )?;
    let mut report = String::from(
        "| request | median at 1,000 images (ms) | at 1,000,000 (ms) | ratio | target |\n|---|---|---|---|---|\n",
    );
    for (name, request) in REQUESTS_BY_NAME {
        // The server has closed what was idle while the other one was filled.
        for side in [&mut small, &mut large] {
            side.client = side.peer.client()?;
        }
        let (mut at_small, mut at_large) = (Vec::new(), Vec::new());
        for number in 0..options.rounds * REQUESTS {
            at_small.push(timed(&mut small, request, number)?);
            at_large.push(timed(&mut large, request, number)?);
        }
        let (at_small, at_large) = (median(at_small), median(at_large));
        let ratio = at_large / at_small;
        let met = match ratio <= RATIO_MAX {
            true => "met",
            false => "missed",
        };
        report.push_str(&format!(
            "| {name} | {at_small:.2} | {at_large:.2} | {ratio:.2}× | ≤ {RATIO_MAX}× {met} |\n"
        ));
    }
    Ok(report)
}

fn timed(side: &mut Side, request: Request, number: usize) -> Result<f64> {
    let started = Instant::now();
    request(side, number)?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A server on a directory that was filled while it was stopped.
fn fill(berth: &Path, dir: &Path, images: i64, others: i64) -> Result<Side> {
    let peer = berth::start_alone("berth", berth, dir, &[])?;
    let key = berth::root_key(dir)?;
    let others: Vec<String> = (0..others)
        .map(|number| format!("other-{number}"))
        .collect();
    for name in others.iter().map(String::as_str).chain([REPOSITORY]) {
        let body = format!(r#"{{"repositoryName":"{name}"}}"#);
        berth::ecr(&peer, &key, "CreateRepository", &body)?;
    }
    drop(peer);
    seed::add_images(dir, REPOSITORY, images)?;
    seed::add_to_each(dir, &others, IMAGES)?;
    let mut peer = berth::start_alone("berth", berth, dir, &[])?;
    peer.authorization = Some(berth::registry_login(&peer, &key)?);
    wait_until_idle(&peer)?;
    let client = peer.client()?;
    Ok(Side { peer, key, client })
}

/// Waits for the background work that follows what was filled in: images are indexed and their bytes counted.
fn wait_until_idle(peer: &Peer) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < IDLE_MAX {
        let before = peer.cpu_seconds();
        std::thread::sleep(IDLE_LOOK);
        if peer.cpu_seconds() - before <= IDLE_CPU_SECONDS {
            return Ok(());
        }
    }
    Err(format!(
        "the server still works {} s after its start",
        IDLE_MAX.as_secs()
    )
    .into())
}

/// Pushes an image of one config, which is its own.
fn push(client: &mut Client, number: usize) -> Result<()> {
    let config = format!(r#"{{"architecture":"amd64","os":"linux","number":{number}}}"#);
    let digest = content::digest_of(config.as_bytes());
    let uploads = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let begun = client.send("POST", &uploads, &[], &[])?.expect(202)?;
    let location = begun.header("location").ok_or("no location")?.to_owned();
    let joint = if location.contains('?') { '&' } else { '?' };
    let octets = [("Content-Type", "application/octet-stream")];
    client
        .send(
            "PUT",
            &format!("{location}{joint}digest={digest}"),
            &octets,
            config.as_bytes(),
        )?
        .expect(201)?;
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    let kind = [("Content-Type", "application/vnd.oci.image.manifest.v1+json")];
    let path = format!("/v2/{REPOSITORY}/manifests/pushed-{number}");
    client
        .send("PUT", &path, &kind, manifest.as_bytes())?
        .expect(201)?;
    Ok(())
}
