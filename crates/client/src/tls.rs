//! Which servers are believed to be who they say they are.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// The SHA-1 digest of a certificate, as IAM names certificates of identity providers.
pub type Thumbprint = [u8; 20];

/// The digest of a certificate.
#[must_use]
pub fn thumbprint(certificate: &CertificateDer<'_>) -> Thumbprint {
    let mut found = [0; 20];
    let computed = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    found.copy_from_slice(computed.as_ref());
    found
}

/// What one peer needs beyond the rules for all calls.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// Certificate authorities beside the system's and those of all calls.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Certificates that the server may present in its chain and that are then trusted to have signed
    /// it. They count only where no authority is trusted.
    pub thumbprints: Vec<Thumbprint>,
    /// The certificate chain that is presented to the server, and its private key.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The settings of TLS for these roots and options.
pub(crate) fn config(
    roots: &Arc<RootCertStore>,
    options: TlsOptions,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = Arc::clone(roots);
    if !options.extra_roots.is_empty() {
        let mut more = RootCertStore::clone(&roots);
        for root in options.extra_roots {
            more.add(root)?;
        }
        roots = Arc::new(more);
    }
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match options.thumbprints.is_empty() {
        true => builder.with_root_certificates(roots),
        false => {
            let verifier = Pinned {
                trusted: verifier(roots, &provider),
                thumbprints: options.thumbprints,
                provider,
            };
            let verifier = Arc::new(verifier);
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
        }
    };
    let config = match options.identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
    };
    Ok(Arc::new(config))
}

/// Settings that accept every certificate, for looking at a chain. Nothing may be sent over such a
/// connection, and nothing that is received may be believed.
pub(crate) fn looking_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Looking(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// None where there is no root at all.
fn verifier(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<WebPkiServerVerifier>> {
    let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
    builder.build().ok()
}

/// Trusts authorities, and where none is the chain's, the certificates with these digests.
#[derive(Debug)]
struct Pinned {
    trusted: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<Thumbprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        if let Some(trusted) = &self.trusted {
            match verify(trusted) {
                Err(error) if error == unknown => {}
                verified => return verified,
            }
        }
        // The digest says which certificate is trusted; that it signed the chain, that the name is the
        // server's, and that nothing has expired is verified as with any authority.
        for anchor in intermediates.iter().chain([end_entity]) {
            if !self.thumbprints.contains(&thumbprint(anchor)) {
                continue;
            }
            let mut roots = RootCertStore::empty();
            if roots.add(anchor.clone().into_owned()).is_err() {
                continue;
            }
            if let Some(pinned) = verifier(Arc::new(roots), &self.provider) {
                return verify(&pinned);
            }
        }
        Err(unknown)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Accepts every certificate; see [`looking_config`].
#[derive(Debug)]
struct Looking(Arc<CryptoProvider>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
