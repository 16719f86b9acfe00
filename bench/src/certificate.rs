//! A certificate for 127.0.0.1, made at start, and the authority that signed it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// PEM files for servers, and what a client of our own needs.
pub struct Certificate {
    /// The authority.
    pub authority: PathBuf,
    /// The server's certificate and its key.
    pub chain: PathBuf,
    pub key: PathBuf,
    authority_der: CertificateDer<'static>,
    leaf_der: CertificateDer<'static>,
    key_der: PrivatePkcs8KeyDer<'static>,
}

impl Certificate {
    /// Makes one, and writes its files into `dir`.
    pub fn new(dir: &Path) -> Result<Certificate> {
        let mut params = rcgen::CertificateParams::new(Vec::new())?;
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_key = rcgen::KeyPair::generate()?;
        let ca = params.self_signed(&ca_key)?;
        let issuer = rcgen::Issuer::new(params, ca_key);
        let key = rcgen::KeyPair::generate()?;
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        let leaf = leaf.signed_by(&key, &issuer)?;
        let files = ["authority.pem", "certificate.pem", "key.pem"].map(|name| dir.join(name));
        for (file, text) in files
            .iter()
            .zip([ca.pem(), leaf.pem(), key.serialize_pem()])
        {
            std::fs::write(file, text)?;
        }
        let [authority, chain, key_file] = files;
        Ok(Certificate {
            authority,
            chain,
            key: key_file,
            authority_der: ca.der().clone(),
            leaf_der: leaf.der().clone(),
            key_der: PrivatePkcs8KeyDer::from(key.serialize_der()),
        })
    }

    /// A server's side of TLS.
    pub fn server(&self) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.leaf_der.clone()], self.key_der.clone_key().into())?;
        Ok(Arc::new(config))
    }

    /// A client's side, which trusts the authority and nobody else.
    pub fn client(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority_der.clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
