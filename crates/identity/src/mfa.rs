//! Virtual MFA devices: seeds, codes, and what a code proves.
//!
//! A code is accepted once: the step of the last one stands in the database, and only a later one
//! counts, on whatever node it comes. Wrong codes cost time, so that six digits cannot be guessed by
//! who has the user's key; the wait is short enough that nobody is locked out by it.

pub(crate) mod qr;
pub(crate) mod totp;

use authz::RequestContext;
use aws_api::CommonError;
use jiff::Timestamp;
use store::iam::entity::Kind;
use store::iam::{entity, mfa_device};
use store::{Conn, Scope};
use zeroize::Zeroizing;

use crate::ids::BASE32;
use crate::policy_cache::entity_by_arn;
use crate::{CallerKind, Error, Identity};

/// Bytes of a seed: AWS's have 64 characters in base 32.
const SEED_BYTES: usize = 40;
/// What seeds are sealed for.
const SEED: &str = "mfa-seed";
/// Steps around the device's time whose codes are accepted: one for the time that typing takes, one
/// for clocks (RFC 6238, 5.2).
const WINDOW: i64 = 1;
/// Steps around the server's time where two consecutive codes are looked for when a device is enabled:
/// ten minutes. AWS does not tell its own.
const ENABLE_WINDOW: i64 = 20;
/// The same when a device is synchronized again: an hour.
const RESYNC_WINDOW: i64 = 120;
/// Wrong codes in a row that cost no time.
const FREE_FAILURES: i64 = 5;
/// The longest wait after a wrong code. At one try in five minutes the three codes that are valid at a
/// time are guessed after three years on average.
const WAIT_SECONDS_MAX: i64 = 300;

/// How a code was accepted, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The step of the code.
    Step(i64),
    Wrong,
}

/// The wait after so many wrong codes in a row, in seconds: 1, 2, 4, … behind the free ones.
pub(crate) fn wait_seconds(failures: i64) -> i64 {
    let over = u32::try_from(failures - FREE_FAILURES).unwrap_or(0);
    match failures > FREE_FAILURES {
        true => 1_i64
            .checked_shl(over.min(62) - 1)
            .map_or(WAIT_SECONDS_MAX, |seconds| seconds.min(WAIT_SECONDS_MAX)),
        false => 0,
    }
}

/// STS's answer to a code that does not count: wrong, used before, too early after wrong ones.
fn invalid_code() -> Error {
    Error::new(
        CommonError::AccessDenied,
        "MultiFactorAuthentication failed with invalid MFA one time pass code.",
    )
}

/// STS's answer to a device that is not the caller's.
fn unknown_device() -> Error {
    Error::new(
        CommonError::AccessDenied,
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
         serial number is valid and associated with this user.",
    )
}

/// A seed in base 32, and the URL that authenticator applications read (F1; the model's words for
/// `QRCodePNG`). No character of a name needs escaping there.
pub(crate) fn otpauth_url(
    device: &str,
    label: &str,
    seed: &[u8],
) -> (Zeroizing<String>, Zeroizing<String>) {
    let base32 = Zeroizing::new(base32(seed));
    let url = format!("otpauth://totp/{device}@{label}?secret={}", *base32);
    (base32, Zeroizing::new(url))
}

/// Base 32 of RFC 4648 without padding, which a seed of [`SEED_BYTES`] needs none of.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut buffer = [0_u8; 8];
        buffer[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(buffer);
        for digit in 0..(group.len() * 8).div_ceil(5) {
            let value = (bits >> (35 - 5 * digit)) & 31;
            text.push(char::from(BASE32[usize::try_from(value).unwrap_or(0)]));
        }
    }
    text
}

impl Identity {
    /// A fresh seed, and sealed.
    pub(crate) fn new_seed(&self) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), Error> {
        let seed = Zeroizing::new(aws_types::draw::<SEED_BYTES>(&*self.0.entropy)?.to_vec());
        let sealed = self.0.sealer.seal_bytes(SEED, &seed)?;
        Ok((seed, sealed))
    }

    async fn seed(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self.0.sealer.open_bytes(SEED, sealed).await;
        opened.map_err(Error::internal)
    }

    /// The step that proves a device by two consecutive codes, neither of which was used before.
    pub(crate) async fn proven_step(
        &self,
        device: &mfa_device::MfaDevice,
        codes: (&str, &str),
        resync: bool,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        let seed = self.seed(&device.sealed_seed).await?;
        let window = match resync {
            true => RESYNC_WINDOW,
            false => ENABLE_WINDOW,
        };
        let step = totp::find_pair(&seed, totp::step_of(now), window, codes);
        // The first of the two must be unused as well.
        Ok(step.filter(|step| step - 1 > device.last_step))
    }

    /// Verifies `SerialNumber` and `TokenCode` of a request: the device must be the calling user's own,
    /// and the code is spent.
    ///
    /// # Errors
    /// `AccessDenied` for a code that does not count, for a device of somebody else or of nobody, and
    /// where one of the two is missing.
    pub async fn verify_mfa(
        &self,
        cx: &RequestContext,
        serial_number: Option<&str>,
        token_code: Option<&str>,
    ) -> Result<(), Error> {
        let (Some(serial), Some(code)) = (serial_number, token_code) else {
            return Err(unknown_device());
        };
        let account = cx.account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let verdict = self.judge(&mut tx.conn(), cx, serial, code).await?;
        // A wrong code is noted too. Nothing that callers are made of changes, so no topic is touched.
        tx.commit().await?;
        match verdict {
            Verdict::Step(_) => Ok(()),
            Verdict::Wrong => Err(invalid_code()),
        }
    }

    async fn judge(
        &self,
        conn: &mut Conn<'_>,
        cx: &RequestContext,
        serial: &str,
        code: &str,
    ) -> Result<Verdict, Error> {
        let owner = match &cx.caller.kind {
            CallerKind::Root => None,
            CallerKind::User { .. } => {
                let user = entity::find_by_unique_id(conn, &cx.caller.user_id).await?;
                Some(user.ok_or_else(unknown_device)?.id)
            }
            _ => return Err(unknown_device()),
        };
        let found = entity_by_arn(conn, serial).await?;
        let found = found
            .filter(|found| found.kind == Kind::MfaDevice && found.account == cx.account.as_str())
            .ok_or_else(unknown_device)?;
        let device = mfa_device::get(conn, found.id).await?;
        if device.enabled_at.is_none() || device.user_id != owner {
            return Err(unknown_device());
        }
        let now = cx.now.as_millisecond();
        if now < device.wait_until {
            return Ok(Verdict::Wrong);
        }
        let seed = self.seed(&device.sealed_seed).await?;
        let step_now = totp::step_of(cx.now);
        let step = totp::find(&seed, step_now + device.drift, WINDOW, code);
        if let Some(step) = step
            && mfa_device::accept(conn, found.id, step, step - step_now).await?
        {
            return Ok(Verdict::Step(step));
        }
        let wait = wait_seconds(device.failures + 1) * 1000;
        mfa_device::fail(conn, found.id, now + wait).await?;
        Ok(Verdict::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (text, encoded) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn wrong_codes_cost_ever_more_time_up_to_a_bound() {
        let waits: Vec<i64> = (1..=15).map(wait_seconds).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
        );
        assert_eq!(wait_seconds(1_000_000), WAIT_SECONDS_MAX);
    }
}
