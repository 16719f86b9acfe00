//! Layers in and out: four sizes, 1, 8 and 64 clients at once.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;

use crate::Options;
use crate::cell::{Done, Figures, Result, Unit, Workload, p99_ms};
use crate::content::{Layers, blob_path, push_layer, settle};
use crate::fleet::Fleet;
use crate::load::{self, Request, Until};
use crate::peers::Peer;

const CLIENTS: [usize; 3] = [1, 8, 64];
pub const MIB: usize = 1 << 20;
/// A cell of pushes begins no further push after so many bytes, and one that needs more with its first pushes is not
/// run: five servers keep what three rounds push.
const PUSHED_BYTES_MAX: usize = 1 << 30;
/// The name under which the report knows `sha256` and a synced write by the benchmark itself.
pub const LIMIT: &str = "sha256 + synced write";

/// The layers' sizes: the large one is an option.
fn sizes(options: &Options) -> [usize; 4] {
    [options.layer_bytes, 100 * MIB, MIB, 10 << 10]
}

pub fn push_case(bytes: usize, clients: usize) -> String {
    format!("push of {}, {}", size_name(bytes), clients_name(clients))
}

pub fn pull_case(bytes: usize, clients: usize) -> String {
    format!("pull of {}, {}", size_name(bytes), clients_name(clients))
}

pub fn clients_name(clients: usize) -> String {
    match clients {
        1 => "1 client".to_owned(),
        _ => format!("{clients} clients"),
    }
}

pub fn size_name(bytes: usize) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 30) => format!("{} GiB", bytes >> 30),
        _ if bytes >= MIB => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}

/// Large layers are counted by their bytes, small ones by the piece.
fn unit_of(bytes: usize) -> Unit {
    match bytes >= MIB {
        true => Unit::Megabytes,
        false => Unit::Layers,
    }
}

/// The pull of a small layer is a request like others.
fn pulled_unit(bytes: usize) -> Unit {
    match unit_of(bytes) {
        Unit::Layers => Unit::Requests,
        unit => unit,
    }
}

pub fn pulls(options: &Options, figures: &mut Figures) -> Result<()> {
    let fleet = Fleet::start(options, figures)?.ready()?;
    let mut workloads = Vec::new();
    for bytes in sizes(options) {
        let path = place(&fleet, bytes)?;
        for clients in CLIENTS {
            let path = path.clone();
            workloads.push(Workload {
                case: pull_case(bytes, clients),
                unit: pulled_unit(bytes),
                on: fleet.with_nginx(),
                work: Box::new(move |peer| {
                    let requests = [Request::new(peer, "GET", &path)];
                    let until = Until::Passed(options.time);
                    let answers = load::send(peer.address, None, &requests, clients, until)?;
                    Ok(answers.done(pulled_unit(bytes)))
                }),
            });
        }
    }
    figures.run(&workloads, options.rounds);
    Ok(())
}

/// Puts the same new layer on every server of the fleet. Answers its path, which is one of nginx too.
pub fn place(fleet: &Fleet, bytes: usize) -> Result<String> {
    let layers = Layers::of(bytes);
    let end = Layers::new_end();
    let layer = layers.with_end(&end);
    for peer in &fleet.registries {
        push_layer(&mut peer.client()?, "bench", &layer)
            .map_err(|error| format!("a push to {}: {error}", peer.name))?;
    }
    let path = blob_path(&layer.digest);
    place_file(&fleet.files, &path, &layer.parts)?;
    // Memory and network are measured, not the disk: a server may keep what is pushed out of the page cache.
    for peer in fleet.with_nginx() {
        let request = [Request::new(peer, "GET", &path)];
        load::send(peer.address, None, &request, 1, Until::AllOnce)?;
    }
    Ok(path)
}

/// Writes a file for nginx.
pub fn place_file(files: &Path, path: &str, parts: &[&[u8]]) -> Result<()> {
    let file = files.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(file.parent().ok_or("no folder")?)?;
    let mut file = File::create(file)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(())
}

pub fn pushes(options: &Options, figures: &mut Figures) -> Result<()> {
    for bytes in sizes(options) {
        let layers = Layers::of(bytes);
        for clients in CLIENTS {
            let case = push_case(bytes, clients);
            if !figures.wants(&case) {
                continue;
            }
            if clients > 1 && bytes * clients > PUSHED_BYTES_MAX {
                figures.note(format!(
                    "not run: {case}: more than {} in one cell",
                    size_name(PUSHED_BYTES_MAX)
                ));
                continue;
            }
            // New directories for each case, so that disks need not hold them all.
            let fleet = Fleet::start(options, figures)?.ready()?;
            let (own, folder) = (Peer::own(LIMIT), fleet.folder("limit")?);
            let mut on = fleet.registries();
            if clients == 1 {
                on.push(&own);
            }
            let time = options.time;
            let workload = Workload {
                case,
                unit: unit_of(bytes),
                on,
                work: Box::new(|peer| {
                    let limit = peer.child.is_none();
                    let (layers, folder) = (&layers, &folder);
                    let pushes = at_once(clients, time, PUSHED_BYTES_MAX / bytes, || {
                        let mut client = match limit {
                            true => None,
                            false => Some(peer.client()?),
                        };
                        Ok(Box::new(move |_| {
                            let end = Layers::new_end();
                            match &mut client {
                                Some(client) => push_layer(client, "bench", &layers.with_end(&end)),
                                None => write_synced(folder, &layers.with_end(&end).parts),
                            }
                        }))
                    })?;
                    Ok(pushes.done(match unit_of(bytes) {
                        Unit::Megabytes => bytes as f64 / 1e6,
                        _ => 1.0,
                    }))
                }),
            };
            figures.run(&[workload], options.rounds);
        }
    }
    Ok(())
}

/// The least that a durable push costs: hash the bytes, write and sync them, give them their name, sync the folder.
fn write_synced(folder: &Path, parts: &[&[u8]]) -> Result<()> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let unnamed = folder.join("unnamed");
    let mut file = File::create(&unnamed)?;
    for chunk in parts.iter().flat_map(|part| part.chunks(MIB)) {
        hash.update(chunk);
        file.write_all(chunk)?;
    }
    file.sync_data()?;
    let name = aws_types::hex::encode(hash.finish());
    std::fs::rename(unnamed, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// What clients did that each began again until the time had passed.
pub struct Turns {
    seconds: Vec<f64>,
    elapsed: f64,
}

impl Turns {
    /// Each turn counts for so much.
    pub fn done(self, amount: f64) -> Done {
        Done {
            amount: self.seconds.len() as f64 * amount,
            seconds: self.elapsed,
            p99_ms: p99_ms(self.seconds),
        }
    }
}

/// What a client does in each of its turns, which are numbered.
pub type Turn<'a> = Box<dyn FnMut(usize) -> Result<()> + 'a>;

/// So many clients take turns of their own, side by side, until the time has passed or so many turns are begun; each
/// takes one at least, and finishes what it began. The disk has nothing to do when they begin. The maker is called once for each client, in its thread.
pub fn at_once<'a>(
    clients: usize,
    time: Duration,
    turns_max: usize,
    maker: impl Fn() -> Result<Turn<'a>> + Sync,
) -> Result<Turns> {
    settle();
    let (all, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
    let begun = AtomicUsize::new(0);
    let started = Instant::now();
    let one = || -> Result<Vec<f64>> {
        let mut turn = maker()?;
        let mut own = Vec::new();
        for number in 0.. {
            let at = begun.fetch_add(1, Ordering::Relaxed);
            if number > 0 && (at >= turns_max || started.elapsed() >= time) {
                break;
            }
            let asked = Instant::now();
            turn(number)?;
            own.push(asked.elapsed().as_secs_f64());
        }
        Ok(own)
    };
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| match one() {
                Ok(mut own) => lock(&all).append(&mut own),
                Err(error) => *lock(&failure) = Some(error.to_string()),
            });
        }
    });
    if let Some(error) = lock(&failure).take() {
        return Err(error.into());
    }
    let seconds = std::mem::take(&mut *lock(&all));
    Ok(Turns {
        seconds,
        elapsed: started.elapsed().as_secs_f64(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
