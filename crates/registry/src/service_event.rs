//! Audit events of what the server does with a repository by itself.

use authz::ServiceName;
use serde_json::Value;
use store::Conn;
use store::service_events::{self, NewEvent};

use crate::{Error, RepositoryFacts};

/// CloudTrail's `eventSource`.
const SOURCE: &str = "ecr.amazonaws.com";

/// Writes an event about a repository, in the transaction of what it tells of.
pub(crate) async fn insert(
    conn: &mut Conn<'_>,
    service: ServiceName,
    name: &str,
    repo: &RepositoryFacts,
    details: &Value,
    now: i64,
) -> Result<(), Error> {
    let event = NewEvent {
        occurred_at: now,
        service: service.as_str(),
        source: SOURCE,
        name,
        account: Some(repo.account.as_str()),
        resource: Some(&repo.arn),
        details: &details.to_string(),
    };
    Ok(service_events::insert(conn, &event).await?)
}
