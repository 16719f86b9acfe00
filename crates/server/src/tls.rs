//! TLS with rustls: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. The certificate is read again when its
//! files change, and when the operator asks for it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

use crate::limits::TLS_RELOAD_INTERVAL;

/// A certificate and its key, ready to serve. Clones share the certificate.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
}

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is not PEM, or cannot be read.
    #[error("cannot read `{path}`: {why}")]
    File {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
    /// Certificate and key do not belong together.
    #[error("the certificate and its key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// What changes when a file is replaced or written.
type Stamp = (u64, u64, i64, i64);

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// [`TlsError`] says which file and why.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        Ok(Tls(Arc::new(Shared {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: RwLock::new(Arc::new(load(certificate, key)?)),
        })))
    }

    /// The acceptor for a new connection. Connections that are open keep their certificate.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self
            .0
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Reads the files again. The certificate in use stays when they cannot be used.
    ///
    /// # Errors
    /// As [`Tls::from_files`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = Arc::new(load(&self.0.certificate, &self.0.key)?);
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Links are followed: a mounted secret is replaced by changing a link.
    fn stamps(&self) -> io::Result<[Stamp; 2]> {
        let stamp = |path: &Path| -> io::Result<Stamp> {
            let file = fs::metadata(path)?;
            Ok((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
        };
        Ok([stamp(&self.0.certificate)?, stamp(&self.0.key)?])
    }

    /// Reloads when the files change or `asked` is notified, until `stop` turns true.
    pub(crate) async fn watch(self, asked: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        let mut seen = self.stamps().ok();
        let mut ticks = tokio::time::interval(TLS_RELOAD_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let forced = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = asked.notified() => true,
                _ = ticks.tick() => false,
            };
            let now = self.stamps().ok();
            if !forced && (now.is_none() || now == seen) {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    tracing::info!(certificate = %self.0.certificate.display(), "certificate reloaded")
                }
                // Half of a replacement, perhaps: the other file's change brings the next try.
                Err(error) => {
                    tracing::error!(%error, "the certificate was not reloaded: the earlier one is still served")
                }
            }
            seen = now;
        }
    }
}

fn load(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |why: rustls::pki_types::pem::Error| TlsError::File {
            path,
            why: why.to_string(),
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renew(directory: &Path) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (name, text) in [
            ("cert.pem", made.cert.pem()),
            ("key.pem", made.signing_key.serialize_pem()),
        ] {
            let new = directory.join("new");
            fs::write(&new, text).unwrap();
            fs::rename(&new, directory.join(name)).unwrap();
        }
    }

    /// Nobody needs to ask.
    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_read_within_the_interval() {
        let directory = tempfile::tempdir().unwrap();
        renew(directory.path());
        let (certificate, key) = (
            directory.path().join("cert.pem"),
            directory.path().join("key.pem"),
        );
        let tls = Tls::from_files(&certificate, &key).unwrap();
        let current = || Arc::clone(&tls.0.current.read().unwrap());
        let first = current();
        let (stop, stopped) = watch::channel(false);
        let watching = tokio::spawn(tls.clone().watch(Arc::default(), stopped));
        tokio::time::sleep(TLS_RELOAD_INTERVAL * 3).await;
        assert!(Arc::ptr_eq(&first, &current()), "nothing has changed");
        renew(directory.path());
        tokio::time::sleep(TLS_RELOAD_INTERVAL * 2).await;
        let second = current();
        assert!(!Arc::ptr_eq(&first, &second));
        // What cannot be used leaves the certificate in use.
        fs::write(&key, "no key").unwrap();
        tokio::time::sleep(TLS_RELOAD_INTERVAL * 2).await;
        assert!(Arc::ptr_eq(&second, &current()));
        fs::remove_file(&certificate).unwrap();
        tokio::time::sleep(TLS_RELOAD_INTERVAL * 2).await;
        assert!(Arc::ptr_eq(&second, &current()));
        stop.send(true).unwrap();
        watching.await.unwrap();
    }
}
