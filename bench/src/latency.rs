//! How long requests take: the same request again and again, over connections that stay open.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::http::Client;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The times of requests that were answered as expected.
pub struct Latencies {
    /// In seconds, in ascending order.
    seconds: Vec<f64>,
    /// From the first request to the last answer, in seconds.
    elapsed: f64,
}

impl Latencies {
    /// The time that `percent` of the requests took at most, in milliseconds.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        percentile_ms(&self.seconds, percent).unwrap_or(f64::NAN)
    }

    /// Answered requests a second.
    pub fn rate(&self) -> f64 {
        self.seconds.len() as f64 / self.elapsed
    }
}

/// The time, in milliseconds, that `percent` of these took at most: seconds in ascending order. None of none.
pub fn percentile_ms(seconds: &[f64], percent: f64) -> Option<f64> {
    let last = seconds.len().checked_sub(1)?;
    let at = (last as f64 * percent / 100.0).round() as usize;
    seconds.get(at).map(|seconds| seconds * 1e3)
}

/// Sends the requests in turn for `time`, on each of `connections` connections at once. Every answer
/// must be a 200.
pub fn repeat(
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    time: Duration,
) -> Result<Latencies> {
    let (all, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| match one(address, requests, started + time) {
                Ok(mut seconds) => lock(&all).append(&mut seconds),
                Err(error) => *lock(&failure) = Some(error),
            });
        }
    });
    if let Some(error) = lock(&failure).take() {
        return Err(error.into());
    }
    let mut seconds = std::mem::take(&mut *lock(&all));
    seconds.sort_by(f64::total_cmp);
    Ok(Latencies {
        seconds,
        elapsed: started.elapsed().as_secs_f64(),
    })
}

fn one(address: SocketAddr, requests: &[Vec<u8>], until: Instant) -> std::io::Result<Vec<f64>> {
    let mut client = Client::connect(address)?;
    let mut seconds = Vec::new();
    for request in requests.iter().cycle() {
        let started = Instant::now();
        if started >= until {
            break;
        }
        client.send_as_is(request)?.expect(200)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
