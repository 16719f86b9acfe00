//! What signs webhooks: Standard Webhooks 1.0, "Signature scheme", symmetric.

use aws_types::{EntropyError, SystemEntropy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::ApiError;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// "between 24 bytes (192 bits) and 64 bytes (512 bits)".
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What is sealed under the key ring.
const PURPOSE: &str = "event-target-secret";

/// A secret in its text form. It has no `Debug`, and is never logged.
pub(crate) struct WebhookSecret(Zeroizing<String>, Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A new one, of 32 bytes.
    pub(crate) fn generate() -> Result<WebhookSecret, EntropyError> {
        let bytes: [u8; 32] = aws_types::draw(&SystemEntropy)?;
        let text = format!("{PREFIX}{}", STANDARD.encode(bytes));
        Ok(WebhookSecret(text.into(), bytes.to_vec().into()))
    }

    /// One that somebody gave.
    pub(crate) fn parse(text: &str) -> Option<WebhookSecret> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        BYTES
            .contains(&bytes.len())
            .then(|| WebhookSecret(text.to_owned().into(), bytes.into()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// `v1,<base64>` over `<id>.<timestamp>.<body>`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.1).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Which target a sealed secret belongs to, so that no row's secret serves another.
pub(crate) fn owner(account: &str, region: &str, name: &str) -> String {
    format!("{account} {region} {name}\n")
}

pub(crate) fn seal(app: &App, owner: &str, secret: &WebhookSecret) -> Result<Vec<u8>, ApiError> {
    let text = Zeroizing::new(format!("{owner}{}", secret.text()));
    Ok(app.identity.sealer().seal_bytes(PURPOSE, text.as_bytes())?)
}

/// Opens what [`seal`] made for the same target.
pub(super) async fn open(app: &App, owner: &str, sealed: &[u8]) -> Option<WebhookSecret> {
    let opened = app
        .identity
        .sealer()
        .open_bytes(PURPOSE, sealed)
        .await
        .ok()?;
    let text = std::str::from_utf8(&opened).ok()?;
    WebhookSecret::parse(text.strip_prefix(owner)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn signs_as_the_reference_libraries_do() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_have_a_length() {
        let of = |n: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; n]));
        for (text, is_one) in [
            (of(23), false),
            (of(24), true),
            (of(64), true),
            (of(65), false),
            (of(32)[PREFIX.len()..].to_owned(), false),
            (format!("{PREFIX}!"), false),
        ] {
            assert_eq!(WebhookSecret::parse(&text).is_some(), is_one, "{text}");
        }
        assert!(WebhookSecret::parse(WebhookSecret::generate().unwrap().text()).is_some());
    }
}
