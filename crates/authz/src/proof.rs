//! What the domains are called with: the proof that a request was allowed, or the name of the
//! server's own work.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use aws_types::{AccountId, Region};
use jiff::Timestamp;

use crate::Caller;

/// Where a request comes from, and with what.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client's address (`aws:SourceIp`).
    pub address: IpAddr,
    /// Whether it is connected over TLS (`aws:SecureTransport`).
    pub secure: bool,
    /// `User-Agent`; empty where absent.
    pub user_agent: Arc<str>,
    /// `Referer`.
    pub referer: Option<Arc<str>>,
}

/// Who asks, when, and from where. Anyone can build one: it says nothing about what is allowed.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The caller's account: the one that is meant where an input names none.
    pub account: AccountId,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The region that the request is for.
    pub region: Region,
    /// The time of the request.
    pub now: Timestamp,
    /// The request's id, for the log.
    pub request_id: Arc<str>,
    /// The client.
    pub client: Client,
}

impl RequestContext {
    /// The time in milliseconds since the epoch, as the store keeps it.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}

/// The proof that the authorization step allowed an operation, with its input `I` and the record
/// `R` of the resource that was decided on.
///
/// Only [`authorize`](crate::authorize) makes one. The domains take the bare proof
/// (`&Authorized`), so no code path reaches them without a decision.
pub struct Authorized<I = (), R = ()> {
    context: RequestContext,
    action: &'static str,
    resource: Decided,
    input: I,
    record: Option<R>,
}

/// The resource of the first check, as it was when it was decided on.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its ARN, or `*`.
    pub arn: Arc<str>,
    /// Its unique id, where it has one: a role that is deleted and created again under the same
    /// name is not the one that was decided on.
    pub unique_id: Option<Arc<str>>,
    /// A proof for tests, which holds for every resource.
    #[cfg(feature = "testing")]
    pub(crate) any: bool,
}

impl Decided {
    pub(crate) fn new(arn: Arc<str>, unique_id: Option<Arc<str>>) -> Decided {
        Decided {
            arn,
            unique_id,
            #[cfg(feature = "testing")]
            any: false,
        }
    }

    /// Whether the decision was about the resource with this unique id.
    #[must_use]
    pub fn is(&self, unique_id: &str) -> bool {
        #[cfg(feature = "testing")]
        if self.any {
            return true;
        }
        self.unique_id.as_deref() == Some(unique_id)
    }
}

impl<I, R> Authorized<I, R> {
    pub(crate) fn new(
        context: RequestContext,
        action: &'static str,
        resource: Decided,
        input: I,
        record: Option<R>,
    ) -> Authorized<I, R> {
        Authorized {
            context,
            action,
            resource,
            input,
            record,
        }
    }

    /// The operation's action.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// The resource that was decided on.
    #[must_use]
    pub fn resource(&self) -> &Decided {
        &self.resource
    }

    /// The operation's input.
    #[must_use]
    pub fn input(&self) -> &I {
        &self.input
    }

    /// The record of the resource, where it exists and has one.
    #[must_use]
    pub fn record(&self) -> Option<&R> {
        self.record.as_ref()
    }

    /// Who asks, when, and from where.
    #[must_use]
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The bare proof and the input, for the domain.
    #[must_use]
    pub fn into_parts(self) -> (Authorized, I) {
        let Authorized {
            context,
            action,
            resource,
            input,
            record: _,
        } = self;
        let proof = Authorized {
            context,
            action,
            resource,
            input: (),
            record: None,
        };
        (proof, input)
    }
}

impl<R> Authorized<(), R> {
    /// The same proof, with the input from which the requirements were made. A caller that serves many
    /// operations decides without their types, in code that is compiled once, and adds the input here.
    #[must_use]
    pub fn with_input<I>(self, input: I) -> Authorized<I, R> {
        let Authorized {
            context,
            action,
            resource,
            input: (),
            record,
        } = self;
        Authorized::new(context, action, resource, input, record)
    }
}

impl<I, R> Deref for Authorized<I, R> {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.context
    }
}

impl<I, R> fmt::Debug for Authorized<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized")
            .field("caller", &self.context.caller.arn)
            .field("action", &self.action)
            .field("resource", &self.resource.arn)
            .finish_non_exhaustive()
    }
}

/// The server's own work: everything that changes data without a caller. A closed list, so that
/// a reader can find each place that needs no decision. What it changes is audited as an
/// `AwsServiceEvent`, written to the table `service_events` in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceName {
    /// The first start of a server creates the account and its root access key.
    FirstStart,
    /// `berth account …`, run by who can read the master key.
    AccountCommand,
    /// `berth restore`, run by who can read the master key and a backup.
    RestoreCommand,
    /// A backup that a caller asked for, or an operator.
    Backup,
    /// The periodic work of a server: expired uploads, the key ring, times of last use.
    Maintenance,
    /// A layer is read by a sealed URL, which was made for a caller who may read it.
    DownloadUrl,
    /// `CreateAccount` of AWS Organizations, whose requests a caller made.
    Organizations,
    /// Lifecycle policies of repositories, their previews, and images that are restored.
    Lifecycle,
    /// Images of an upstream registry that pulls bring into the cache.
    PullThrough,
    /// Images are replicated to other registries, for their accounts.
    Replication,
    /// The audit log tells of itself: what it counted and what it could not record.
    AuditLog,
    /// A newer version brings the database up to date.
    Schema,
}

impl ServiceName {
    /// All of them.
    pub const ALL: [ServiceName; 12] = [
        ServiceName::FirstStart,
        ServiceName::AccountCommand,
        ServiceName::RestoreCommand,
        ServiceName::Backup,
        ServiceName::Maintenance,
        ServiceName::DownloadUrl,
        ServiceName::Organizations,
        ServiceName::Lifecycle,
        ServiceName::PullThrough,
        ServiceName::Replication,
        ServiceName::AuditLog,
        ServiceName::Schema,
    ];

    /// The `eventSource` of audit events of this work.
    pub const EVENT_SOURCE: &'static str = "berth";

    /// The name in audit events (`invokedBy`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ServiceName::FirstStart => "first-start.berth",
            ServiceName::AccountCommand => "account-command.berth",
            ServiceName::RestoreCommand => "restore-command.berth",
            ServiceName::Backup => "backup.berth",
            ServiceName::Maintenance => "maintenance.berth",
            ServiceName::DownloadUrl => "download-url.berth",
            ServiceName::Organizations => "organizations.berth",
            ServiceName::Lifecycle => "lifecycle.berth",
            ServiceName::PullThrough => "pull-through.berth",
            ServiceName::Replication => "replication.berth",
            ServiceName::AuditLog => "audit-log.berth",
            ServiceName::Schema => "schema.berth",
        }
    }
}

/// On whose authority the domain acts.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// A caller's request, which was allowed.
    Caller(&'a Authorized),
    /// The server's own work.
    Service(ServiceName),
}
