//! Berth and its peers, started for one part of the benchmark with empty directories, and stopped with it.

use std::path::PathBuf;

use crate::Options;
use crate::berth;
use crate::cell::{Figures, Result};
use crate::peers::Peer;
use crate::registries;

/// The servers of a part.
pub struct Fleet {
    /// Berth first.
    pub registries: Vec<Peer>,
    pub nginx: Option<Peer>,
    /// What nginx serves.
    pub files: PathBuf,
    // Dropped last, when the servers are stopped.
    dir: tempfile::TempDir,
}

impl Fleet {
    /// Starts them all. Nobody has used them. Peers that are not there are named in the report.
    pub fn start(options: &Options, figures: &mut Figures) -> Result<Fleet> {
        let dir = tempfile::tempdir()?;
        let mut fleet = Fleet {
            registries: Vec::new(),
            nginx: None,
            files: dir.path().join("files"),
            dir,
        };
        std::fs::create_dir(&fleet.files)?;
        let at = fleet.folder("berth")?;
        let started = berth::start_alone("berth", &options.berth, &at, &[])?;
        fleet.registries.push(started);
        if let Some(before) = &options.before {
            let at = fleet.folder("before")?;
            let started = berth::start_alone("before", before, &at, &[])?;
            fleet.registries.push(started);
        }
        for (name, started) in [
            (
                "distribution",
                registries::distribution(
                    options.distribution.as_deref(),
                    &fleet.folder("distribution")?,
                ),
            ),
            (
                "zot",
                registries::zot(options.zot.as_deref(), &fleet.folder("zot")?),
            ),
            (
                "docker-registry",
                registries::docker_registry(&fleet.folder("docker-registry")?),
            ),
        ] {
            match started {
                Ok(peer) => fleet.registries.push(peer),
                Err(error) => figures.note(format!("absent: {name}: {error}")),
            }
        }
        match registries::nginx(&fleet.folder("nginx")?, &fleet.files, None) {
            Ok(peer) => fleet.nginx = Some(peer),
            Err(error) => figures.note(format!("absent: nginx: {error}")),
        }
        figures.note("absent: Angos: this benchmark does not start it".to_owned());
        Ok(fleet)
    }

    /// Adds Berth on PostgreSQL, for workloads that use the database.
    pub fn and_postgres(mut self, options: &Options, figures: &mut Figures) -> Result<Fleet> {
        match &options.postgres {
            None => figures.note(format!(
                "absent: {}: needs a server (`--postgres URL`)",
                berth::ON_POSTGRES
            )),
            Some(server) => {
                let dir = self.folder("berth-postgres")?;
                let mut peer = berth::start_on_postgres(&options.berth, &dir, server)?;
                peer.database = options.postgres_pid;
                self.registries.push(peer);
            }
        }
        Ok(self)
    }

    /// Makes what the workloads need on a Berth.
    pub fn ready(mut self) -> Result<Fleet> {
        let berths = self
            .registries
            .iter_mut()
            .filter(|peer| peer.data.is_some());
        for peer in berths {
            berth::give_user(peer)?;
        }
        Ok(self)
    }

    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    pub fn registries(&self) -> Vec<&Peer> {
        self.registries.iter().collect()
    }

    /// The registries, and nginx, which has the layers as files.
    pub fn with_nginx(&self) -> Vec<&Peer> {
        self.registries.iter().chain(&self.nginx).collect()
    }
}
