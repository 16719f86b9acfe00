//! What an upload's id contains.
//!
//! The id is a UUID whose bits hold the repository's row id, the second of the start,
//! and 50 random bits. So an upload belongs to its repository without a row in the
//! database: with another repository in it, an id names another file, which is not
//! there. And maintenance knows its age.
//!
//! | bytes | what |
//! |---|---|
//! | 0-4 | the repository's row id |
//! | 5-8 | random, but for the six bits of version and variant |
//! | 9-12 | seconds since the epoch |
//! | 13-15 | random |

use std::time::Duration;

use blobs::UploadId;

use aws_types::{Entropy, draw};

use crate::Error;

/// From this length in bytes on, an upload is worth keeping over a restart.
pub(crate) const KEEP_BYTES_MIN: u64 = 16 << 20;
/// How far the clock of a node that starts an upload may be ahead of one that clears up.
const CLOCKS_APART_MAX_SECONDS: i64 = 3_600;

/// A new id.
pub(crate) fn make(
    repository_id: i64,
    now_ms: i64,
    entropy: &dyn Entropy,
) -> Result<UploadId, Error> {
    let repository = repository_id.to_be_bytes();
    let seconds = u32::try_from(now_ms / 1000);
    let (true, Ok(seconds)) = (repository[..3] == [0; 3], seconds) else {
        return Err(Error::internal(
            "a repository's id or the time is out of range",
        ));
    };
    let mut bytes = draw::<16>(entropy)?;
    bytes[..5].copy_from_slice(&repository[3..]);
    bytes[9..13].copy_from_slice(&seconds.to_be_bytes());
    Ok(UploadId::from_random(bytes))
}

/// The repository's row id.
pub(crate) fn repository(id: &UploadId) -> i64 {
    let bytes = id.as_bytes();
    let mut whole = [0; 8];
    whole[3..].copy_from_slice(&bytes[..5]);
    i64::from_be_bytes(whole)
}

/// When the upload began, in seconds since the epoch.
pub(crate) fn started_second(id: &UploadId) -> i64 {
    let bytes = id.as_bytes();
    i64::from(u32::from_be_bytes([
        bytes[9], bytes[10], bytes[11], bytes[12],
    ]))
}

/// Whether the upload began more than `lifetime` ago; or so far in the future that no
/// node can have begun it, and it would stay for as long.
pub(crate) fn expired(id: &UploadId, now_ms: i64, lifetime: Duration) -> bool {
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let age = (now_ms / 1000).saturating_sub(started_second(id));
    age > lifetime || age < -CLOCKS_APART_MAX_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::EntropyError;
    use proptest::prelude::*;

    struct Fixed([u8; 16]);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn an_id_says_its_repository_and_age(
            repository_id in 0..1_i64 << 40,
            seconds: u32,
            random: [u8; 16],
            life in 0..1_000_000_u64,
        ) {
            let start = i64::from(seconds) * 1000;
            let id = make(repository_id, start, &Fixed(random)).unwrap();
            prop_assert_eq!(repository(&id), repository_id);
            let life_ms = i64::try_from(life).unwrap() * 1000;
            prop_assert!(!expired(&id, start + life_ms, Duration::from_secs(life)));
            prop_assert!(expired(&id, start + life_ms + 1000, Duration::from_secs(life)));
            // A clock that is somewhat behind does no harm; nobody waits for years.
            prop_assert!(!expired(&id, start - 3_600_000, Duration::from_secs(life)));
            prop_assert!(expired(&id, start - 3_601_000, Duration::from_secs(life)));
            let again: UploadId = id.to_string().parse().unwrap();
            prop_assert_eq!(again, id);
        }
    }
}
