//! Replication: what is pushed to a repository is repeated at the destinations that its registry's rules name (ECR
//! user guide, "Private image replication in Amazon ECR").
//!
//! ```text
//! push, restore, deletion ──► outbox: a row a destination, in the same transaction, and a job
//! job ──► the server decides whether the source may replicate to the destination ──► copy, or delete
//! ```
//!
//! - `replication_rules`: what the configuration of a registry says, cached with its facts.
//! - `replication_outbox`: the rows that a change leaves.
//! - `peers`: what is to be done at a registry of another server, and what became of it.
//! - `run`: the tasks of a repository and a destination, their retries and their end.
//! - `backfill`: gives out tasks for what was there before.
//! - `copy`: makes an image of one repository an image of another one.
//!
//! # Invariants
//! - A task names what changed, not what is to be done: it makes the destination what the source is now. So tasks may
//!   run in any order, and twice.
//! - An image is visible at the destination with all that it needs: the images of a list before the list, each in one
//!   transaction.
//! - What replication writes leaves no row in the outbox: an image is never replicated onward.

pub(crate) mod backfill;
mod copy;
mod peers;
mod run;

pub use peers::{ReplicaPull, ReplicationChange};
pub use run::{ReplicationFailure, ReplicationTarget, ReplicationTask, ReplicationWork};
