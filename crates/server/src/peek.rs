//! Looks at a connection's first bytes without taking them.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// Whether the stream begins with `expected`, which is at most 24 bytes. Returns as soon as a byte
/// differs; the caller bounds the wait for the rest.
///
/// # Errors
/// The stream's.
pub(crate) async fn begins_with(stream: &TcpStream, expected: &[u8]) -> io::Result<bool> {
    let mut first = [0; 24];
    let first = &mut first[..expected.len()];
    let mut pause = Duration::from_millis(1);
    loop {
        let seen = stream.peek(first).await?;
        if seen == expected.len() || seen == 0 || first[..seen] != expected[..seen] {
            return Ok(first[..seen] == *expected);
        }
        // The rest is on its way, and `peek` does not wait for more than the first byte. A client that
        // never sends it is looked at ever more rarely.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
