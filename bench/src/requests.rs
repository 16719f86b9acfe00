//! Small requests: manifests, tags, `/v2/`; and how long they take while a layer is pulled at full rate.

use std::time::Duration;

use crate::Options;
use crate::cell::{Figures, Result, Unit, Workload};
use crate::content::{push_image, random_bytes};
use crate::fleet::Fleet;
use crate::layers::{place, place_file};
use crate::load::{self, Request, Until};
use crate::peers::Peer;

pub const BASE: &str = "GET /v2/";
pub const BY_TAG: &str = "GET of a manifest by tag";
pub const BY_DIGEST: &str = "GET of a manifest by digest";
pub const TAGS: &str = "tags/list of 21 tags";
pub const QUIET: &str = "small requests, quiet";
pub const UNDER_PULL: &str = "small requests under a full-rate pull";

const CONNECTIONS: usize = 16;
/// A pull runs for so long before requests are measured.
const AHEAD: Duration = Duration::from_millis(300);

pub fn run(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?
        .and_postgres(options, figures)?
        .ready()?;
    let digest = image_everywhere(&fleet)?;
    let by_digest = format!("/v2/bench/manifests/{digest}");
    let by_tag = "/v2/bench/manifests/v1";
    let cases = [
        (BASE, "GET", "/v2/"),
        (BY_TAG, "GET", by_tag),
        (BY_DIGEST, "GET", &by_digest),
        ("HEAD of a manifest by tag", "HEAD", by_tag),
        ("HEAD of a manifest by digest", "HEAD", &by_digest),
        (TAGS, "GET", "/v2/bench/tags/list"),
    ];
    let workloads = cases.map(|(case, method, path)| Workload {
        case: case.to_owned(),
        unit: Unit::Requests,
        on: fleet.registries(),
        work: Box::new(move |peer: &Peer| {
            let requests = [Request::new(peer, method, path)];
            let until = Until::Passed(options.time);
            let answers = load::send(peer.address, None, &requests, CONNECTIONS, until)?;
            Ok(answers.done(Unit::Requests))
        }),
    });
    figures.run(&workloads, options.rounds);
    Ok(())
}

/// The image `v1` with 20 further tags of its own images on every registry. Answers its digest.
fn image_everywhere(fleet: &Fleet) -> Result<String> {
    let layer = random_bytes(10 << 10, 7);
    let mut digest = String::new();
    for peer in &fleet.registries {
        let mut client = peer.client()?;
        digest = push_image(&mut client, "bench", "v1", &layer)?;
        for tag in 0..20 {
            push_image(&mut client, "bench", &format!("t{tag}"), &layer)?;
        }
    }
    Ok(digest)
}

/// One client's small requests, with nothing beside them and beside a pull; nginx shows what the machine itself adds.
pub fn under_pull(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?
        .and_postgres(options, figures)?
        .ready()?;
    let digest = image_everywhere(&fleet)?;
    let large = place(&fleet, options.layer_bytes)?;
    let small = place(&fleet, 10 << 10)?;
    let by_digest = format!("/v2/bench/manifests/{digest}");
    for path in ["/v2/bench/manifests/v1", &by_digest] {
        place_file(&fleet.files, path, &[&random_bytes(600, 1)])?;
    }
    let workloads = [(QUIET, false), (UNDER_PULL, true)].map(|(case, pull)| {
        let (large, small, by_digest) = (&large, &small, &by_digest);
        Workload {
            case: case.to_owned(),
            unit: Unit::Requests,
            on: fleet.with_nginx(),
            work: Box::new(move |peer: &Peer| {
                let requests = [
                    Request::new(peer, "HEAD", "/v2/bench/manifests/v1"),
                    Request::new(peer, "GET", by_digest),
                    Request::new(peer, "GET", small),
                ];
                let ask = || {
                    load::send(
                        peer.address,
                        None,
                        &requests,
                        1,
                        Until::Passed(options.time),
                    )
                };
                if !pull {
                    return Ok(ask()?.done(Unit::Requests));
                }
                let beside = [Request::new(peer, "GET", large)];
                let until = Until::Passed(options.time + 2 * AHEAD);
                std::thread::scope(|scope| {
                    let pulling = scope
                        .spawn(|| pull_beside(peer, &beside, until).map_err(|e| e.to_string()));
                    std::thread::sleep(AHEAD);
                    let answers = ask()?;
                    pulling.join().map_err(|_| "the pull panicked")??;
                    Ok(answers.done(Unit::Requests))
                })
            }),
        }
    });
    figures.run(&workloads, options.rounds);
    Ok(())
}

/// The one who pulls is on another machine in reality, so its work must not be in the way of the server's: its thread has
/// a low priority.
fn pull_beside(peer: &Peer, requests: &[Request], until: Until) -> Result<()> {
    rustix::process::nice(10)?;
    let answers = load::send(peer.address, None, requests, 1, until)?;
    let rate = answers.bytes as f64 / 1e6 / answers.elapsed;
    eprintln!("  the pull beside them, of {}: {rate:.0} MB/s", peer.name);
    Ok(())
}
