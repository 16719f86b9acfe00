//! Virtual MFA devices: seeds, codes, and what a code proves.
//!
//! A code is accepted once: the step of the last one stands in the database, and only a later one
//! counts, on whatever node it comes. Wrong codes cost time, so that six digits cannot be guessed by
//! who has the user's key; the wait is short enough that nobody is locked out by it.

pub(crate) mod qr;
pub(crate) mod totp;

use authz::RequestContext;
use aws_api::CommonError;
use aws_types::AccountId;
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
        if let Some(step) = self.step_of_code(&device, code, cx.now).await?
            && mfa_device::accept(conn, found.id, step, step - totp::step_of(cx.now)).await?
        {
            return Ok(Verdict::Step(step));
        }
        note_wrong_code(conn, found.id, &device, cx.now).await?;
        Ok(Verdict::Wrong)
    }

    /// The step of a code, where the device may be asked now and the code is one of its own.
    async fn step_of_code(
        &self,
        device: &mfa_device::MfaDevice,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        if now.as_millisecond() < device.wait_until {
            return Ok(None);
        }
        let seed = self.seed(&device.sealed_seed).await?;
        let step = totp::step_of(now) + device.drift;
        Ok(totp::find(&seed, step, WINDOW, code))
    }

    /// The serial number of the device of the user, or without one of the account's root user, that the
    /// code is of; the code is spent. At a sign-in nobody names a device, so all are tried.
    pub(crate) async fn device_of_code(
        &self,
        account: AccountId,
        user_id: Option<i64>,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let account = account.as_str();
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        let mut conn = tx.conn();
        let devices = mfa_device::list_of(&mut conn, account, user_id).await?;
        let mut serial_number = None;
        for (entity, device) in &devices {
            let step = self.step_of_code(device, code, now).await?;
            let Some(step) = step.filter(|_| serial_number.is_none()) else {
                continue;
            };
            let drift = step - totp::step_of(now);
            if mfa_device::accept(&mut conn, entity.id, step, drift).await? {
                serial_number = Some(entity.arn());
            }
        }
        if serial_number.is_none() {
            for (entity, device) in &devices {
                note_wrong_code(&mut conn, entity.id, device, now).await?;
            }
        }
        // A wrong code is noted too. Nothing that callers are made of changes, so no topic is touched.
        tx.commit().await?;
        Ok(serial_number)
    }

    /// Whether the user, or without one the account's root user, has an MFA device.
    pub(crate) async fn has_device(
        &self,
        account: AccountId,
        user_id: Option<i64>,
    ) -> Result<bool, Error> {
        let mut read = self.0.store.snapshot().await?;
        let devices = mfa_device::list_of(&mut read.conn(), account.as_str(), user_id).await?;
        Ok(!devices.is_empty())
    }
}

/// Makes the next code wait, unless this one came while codes wait already.
async fn note_wrong_code(
    conn: &mut Conn<'_>,
    entity: i64,
    device: &mfa_device::MfaDevice,
    now: Timestamp,
) -> Result<(), Error> {
    let now = now.as_millisecond();
    if now >= device.wait_until {
        let wait = wait_seconds(device.failures + 1) * 1000;
        mfa_device::fail(conn, entity, now + wait).await?;
    }
    Ok(())
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
