//! The certificates of an upstream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::{Http, TlsOptions};
use registry::UpstreamTls;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrets::{Seal, SealFailed};
use zeroize::Zeroizing;

use crate::outbound::OutboundSettings;

/// Which upstream a sealed key belongs to, so that no other one's serves it.
pub(super) fn owner(rule: &str, url: &str) -> String {
    format!("{rule} {url}\n")
}

pub(super) fn seal(seal: &dyn Seal, owner: &str, key: &str) -> Result<String, SealFailed> {
    let text = Zeroizing::new(format!("{owner}{key}"));
    Ok(STANDARD.encode(seal.seal(text.as_bytes())?))
}

/// The client for an upstream with these certificates. The errors say nothing of a key.
pub(super) async fn http(
    http: &Http,
    seal: &dyn Seal,
    owner: &str,
    tls: &UpstreamTls,
) -> Result<Http, String> {
    if *tls == UpstreamTls::default() {
        return Ok(http.clone());
    }
    let extra_roots = match &tls.certificate_authority {
        None => Vec::new(),
        Some(pem) => OutboundSettings::certificates(pem.as_bytes())
            .map_err(|error| format!("the certificate authority cannot be read: {error}"))?,
    };
    let identity = match (&tls.client_certificate, &tls.sealed_client_key) {
        (Some(chain), Some(sealed)) => {
            let chain = OutboundSettings::certificates(chain.as_bytes())
                .map_err(|error| format!("the client certificate cannot be read: {error}"))?;
            let unreadable = || "the client key cannot be read".to_owned();
            let sealed = STANDARD.decode(sealed).map_err(|_| unreadable())?;
            let opened = seal.open(&sealed).await.map_err(|_| unreadable())?;
            let key = opened
                .strip_prefix(owner.as_bytes())
                .ok_or_else(unreadable)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| unreadable())?;
            Some((chain, key))
        }
        _ => None,
    };
    let options = TlsOptions {
        extra_roots,
        thumbprints: Vec::new(),
        identity,
    };
    http.with_tls(options)
        .map_err(|error| format!("the certificates cannot be used: {error}"))
}
