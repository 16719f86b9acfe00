//! Images as CI makes and pulls them: small pushes, many clients that pull the same image, and a mixed day.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Options;
use crate::berth::REPOSITORIES;
use crate::cell::{Figures, Result, Unit, Workload};
use crate::content::{blob_path, digest_of, push_image, push_image_of, random_bytes};
use crate::fleet::Fleet;
use crate::http::Client;
use crate::layers::{Turn, at_once, clients_name};
use crate::load::{self, Request, Until};
use crate::peers::Peer;

/// Clients that push side by side.
const PUSHERS: [usize; 2] = [1, 16];
const LAYER_BYTES: usize = 10 << 10;
/// The image that a whole fleet pulls at once.
const FLEET_LAYERS: usize = 40;
const FLEET_LAYER_BYTES: usize = 512 << 10;
const FLEET_CLIENTS: usize = 50;
/// Clients of the mixed day.
const DAY_CLIENTS: usize = 16;

/// No two images of a run are the same.
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub fn small_push_case(clients: usize) -> String {
    format!("small images pushed by {}", clients_name(clients))
}

pub fn run(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?
        .and_postgres(options, figures)?
        .ready()?;
    let layers: Vec<Vec<u8>> = (0..FLEET_LAYERS)
        .map(|number| random_bytes(FLEET_LAYER_BYTES, number as u64 + 100))
        .collect();
    let parts: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let day = Day::new();
    for peer in &fleet.registries {
        let mut client = peer.client()?;
        push_image_of(&mut client, "bench", "large", &parts)?;
        day.prepare(&mut client)?;
    }
    let mut workloads: Vec<Workload<'_>> = PUSHERS
        .iter()
        .map(|&clients| Workload {
            case: small_push_case(clients),
            unit: Unit::Images,
            on: fleet.registries(),
            work: Box::new(move |peer| {
                let pushes = at_once(clients, options.time, usize::MAX, || {
                    let mut client = peer.client()?;
                    Ok(Box::new(move |_| push_new(&mut client)))
                })?;
                Ok(pushes.done(1.0))
            }),
        })
        .collect();
    workloads.push(Workload {
        case: format!("image of {FLEET_LAYERS} layers pulled by {FLEET_CLIENTS} clients at once"),
        unit: Unit::Images,
        on: fleet.registries(),
        work: Box::new(|peer| {
            let paths = layers.iter().map(|layer| blob_path(&digest_of(layer)));
            let requests: Vec<Request> = ["/v2/bench/manifests/large".to_owned()]
                .into_iter()
                .chain(paths)
                .map(|path| Request::new(peer, "GET", &path))
                .collect();
            let answers = load::send(peer.address, None, &requests, FLEET_CLIENTS, Until::AllOnce)?;
            let mut done = answers.done(Unit::Requests);
            done.amount = FLEET_CLIENTS as f64;
            Ok(done)
        }),
    });
    workloads.push(Workload {
        case: format!("mixed day of {DAY_CLIENTS} CI clients"),
        unit: Unit::Requests,
        on: fleet.registries(),
        work: Box::new(|peer| {
            let turns = at_once(DAY_CLIENTS, options.time, usize::MAX, || day.client(peer))?;
            Ok(turns.done(1.0))
        }),
    });
    figures.run(&workloads, options.rounds);
    Ok(())
}

/// An image that no one has seen, to the repositories in turn.
fn push_new(client: &mut Client) -> Result<()> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let layer = random_bytes(LAYER_BYTES, number as u64 + 1_000_000);
    let repository = format!("bench-{}", number % REPOSITORIES);
    push_image(client, &repository, &format!("p{number}"), &layer).map(drop)
}

/// What a fleet of CI jobs does all day: of 100 turns 45 ask whether a tag moved, 25 pull a manifest by tag, 20 pull a
/// layer of 10 KiB and 3 one of 1 MiB, 5 list tags, and 2 push an image.
struct Day {
    small: Vec<u8>,
    large: Vec<u8>,
}

const DAY_IMAGES: usize = 20;

impl Day {
    fn new() -> Day {
        Day {
            small: random_bytes(LAYER_BYTES, 11),
            large: random_bytes(1 << 20, 12),
        }
    }

    fn prepare(&self, client: &mut Client) -> Result<()> {
        for number in 0..DAY_IMAGES {
            let tag = format!("day-{number}");
            push_image_of(client, "bench", &tag, &[&self.small, &self.large])?;
        }
        Ok(())
    }

    fn client<'a>(&'a self, peer: &Peer) -> Result<Turn<'a>> {
        let mut client = peer.client()?;
        let small = blob_path(&digest_of(&self.small));
        let large = blob_path(&digest_of(&self.large));
        let accept = [("Accept", crate::content::MANIFEST_TYPE)];
        Ok(Box::new(move |number| {
            let tag = format!("/v2/bench/manifests/day-{}", number % DAY_IMAGES);
            // A step that has no factor in common with 100 mixes them.
            let answer = match number * 37 % 100 {
                0..45 => client.send("HEAD", &tag, &accept, &[]),
                45..70 => client.send("GET", &tag, &accept, &[]),
                70..90 => client.send("GET", &small, &[], &[]),
                90..93 => client.send("GET", &large, &[], &[]),
                93..98 => client.send("GET", "/v2/bench/tags/list", &[], &[]),
                _ => return push_new(&mut client),
            };
            answer?.expect(200)?;
            Ok(())
        }))
    }
}
