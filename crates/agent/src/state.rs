//! What the agent keeps on the host: a directory with the host's key and what the server said at join.

use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::key::HostKey;
use crate::{Error, Result};

/// The file with [`Host`].
const HOST_FILE: &str = "host.json";
/// The file with the private key.
const KEY_FILE: &str = "host.key";

/// What a host knows of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The server's URL.
    pub endpoint: String,
    /// Certificate authorities beside those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<PathBuf>,
    /// `i-…`
    pub host_id: String,
    /// Which server requests are signed for.
    pub server_id: String,
    /// The host's account.
    pub account_id: String,
    /// The host's region.
    pub region: String,
    /// The name that the host gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// The local users who may have the host's credentials, by number.
    pub users: Vec<u32>,
}

/// The directory.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// A directory that is there or is to be.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> StateDir {
        StateDir(path.into())
    }

    /// Where it is unless told otherwise: root's in `/var/lib`, a user's in the directory for state that
    /// outlives a session (XDG Base Directory Specification).
    #[must_use]
    pub fn default_path(is_root: bool, state_home: Option<&Path>, home: Option<&Path>) -> PathBuf {
        if is_root {
            return PathBuf::from("/var/lib/berth-agent");
        }
        let state_home = state_home.filter(|path| path.is_absolute());
        let state_home = state_home.map(Path::to_owned);
        let state_home = state_home.or_else(|| home.map(|home| home.join(".local/state")));
        state_home.unwrap_or_default().join("berth-agent")
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a host joined from here.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.0.join(HOST_FILE).exists()
    }

    /// Makes the directory and a key in it. A key that an earlier, failed attempt to join left is used.
    ///
    /// # Errors
    /// A host joined from here, or the directory cannot be written.
    pub fn prepare(&self) -> Result<HostKey> {
        if self.is_joined() {
            return Err(Error::Invalid(format!(
                "a host joined from {} before; revoke it and remove the directory to join again",
                self.0.display()
            )));
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let made = builder.create(&self.0);
        made.map_err(Error::file("cannot make", &self.0))?;
        let path = self.0.join(KEY_FILE);
        match path.exists() {
            true => HostKey::load(&path),
            false => HostKey::create(&path),
        }
    }

    /// Notes what the server said.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn save(&self, host: &Host) -> Result<()> {
        let text = serde_json::to_string_pretty(host).map_err(Error::internal)?;
        let path = self.0.join(HOST_FILE);
        let draft = self.0.join("host.json.new");
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&draft)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            std::fs::File::open(&self.0)?.sync_all()
        };
        write().map_err(Error::file("cannot write", &path))
    }

    /// What was noted at join.
    ///
    /// # Errors
    /// No host joined from here, or the file cannot be read.
    pub fn host(&self) -> Result<Host> {
        let path = self.0.join(HOST_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Invalid(format!(
                    "no host joined from {}: run berth agent join",
                    self.0.display()
                )));
            }
            Err(error) => return Err(Error::file("cannot read", &path)(error)),
        };
        serde_json::from_str(&text)
            .map_err(|error| Error::Invalid(format!("{}: {error}", path.display())))
    }

    /// The host's key.
    ///
    /// # Errors
    /// See [`HostKey::load`].
    pub fn key(&self) -> Result<HostKey> {
        HostKey::load(&self.0.join(KEY_FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn host() -> Host {
        Host {
            endpoint: "https://berth.example.com".into(),
            ca_bundle: None,
            host_id: "i-0123456789abcdef0".into(),
            server_id: "5e11".into(),
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            host_name: None,
            users: vec![0, 1000],
        }
    }

    #[test]
    fn a_host_joins_once_from_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("agent"));
        assert!(
            state
                .host()
                .unwrap_err()
                .to_string()
                .contains("berth agent join")
        );
        let key = state.prepare().unwrap().public_key().unwrap();
        // An attempt that the server refused is repeated with the same key.
        assert_eq!(state.prepare().unwrap().public_key().unwrap(), key);
        state.save(&host()).unwrap();
        assert_eq!(state.host().unwrap(), host());
        assert_eq!(state.key().unwrap().public_key().unwrap(), key);
        assert!(
            state
                .prepare()
                .unwrap_err()
                .to_string()
                .contains("joined from")
        );
        for (name, mode) in [("", 0o700), ("host.key", 0o600), ("host.json", 0o600)] {
            let metadata = std::fs::metadata(state.path().join(name)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
        }
    }

    #[test]
    fn the_directory_is_roots_or_the_users_own() {
        let path = |root, state: Option<&str>, home: Option<&str>| {
            let path = StateDir::default_path(root, state.map(Path::new), home.map(Path::new));
            path.display().to_string()
        };
        assert_eq!(
            path(true, Some("/s"), Some("/root")),
            "/var/lib/berth-agent"
        );
        assert_eq!(path(false, Some("/s"), Some("/home/a")), "/s/berth-agent");
        assert_eq!(
            path(false, Some("s"), Some("/home/a")),
            "/home/a/.local/state/berth-agent"
        );
    }
}
