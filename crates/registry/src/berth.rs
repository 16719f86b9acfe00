//! The operations of the service `berth` on repositories and images: one function an operation, from the
//! generated request to the generated response.

mod activity;
mod history;
mod lifecycle_options;
mod pull_through;
mod read_only;
mod replication_peers;
mod replication_tags;
mod search;
mod usage;

pub use replication_peers::{NewReplicationPeer, PeerDeletion, peer_arn};
pub(crate) use usage::{ACCOUNT, repository_subject};
pub use usage::{Download, principal_of};

pub use search::{Candidate, Place, Search, Step};
