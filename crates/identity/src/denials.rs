//! Denied requests, kept so that `ExplainRequest` and `ListDenials` of the service `berth` can say why.
//!
//! A denial is noted in memory ([`DenialNotes`](crate::denial_notes::DenialNotes)) and written in batches:
//! no request waits for it. Denials of an account are kept for [`KEPT_DAYS`] days, the newest
//! [`KEPT_MAX`] at most; older ones go when the account gets a new one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use authz::DecisionRecord;
use aws_api::berth::{
    DecidingStatement, Decision, Denial, ErrorCode, ExplainRequestRequest, ExplainRequestResponse,
    ListDenialsRequest, ListDenialsResponse,
};
use aws_types::AccountId;
use jiff::Timestamp;
use policy::{Effect, Reason};
use store::denials::{self, SCOPE};

use crate::denial_notes::{Document, Note, Statement};
use crate::paging::Page;
use crate::{Authorized, Caller, Error, Identity};

/// Denials of an account that are kept.
const KEPT_MAX: i64 = 10_000;
/// Days for which they are kept.
const KEPT_DAYS: i64 = 7;
const DAY_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;
/// Longer texts are cut: with seven of them, a note takes 14 KiB at most, and all notes 28 MiB.
const TEXT_BYTES_MAX: usize = 2_048;

impl Identity {
    /// Notes that a request of `caller` was denied; `message` is what the client was told. Cheap; it is
    /// [`Identity::flush_denials`] that writes.
    pub fn note_denial(
        &self,
        caller: &Caller,
        request_id: &Arc<str>,
        decision: &DecisionRecord,
        message: &str,
        now: Timestamp,
    ) {
        self.0.denials.add(Note {
            account: caller.account,
            principal: Arc::clone(&caller.user_id),
            request_id: Arc::clone(request_id),
            at: now,
            document: document(caller, decision, message),
        });
    }

    /// Writes what [`Identity::note_denial`] noted, and forgets what is too old. A server calls this every
    /// minute and before it stops.
    ///
    /// # Errors
    /// The database's; the notes are kept for the next time.
    pub async fn flush_denials(&self) -> Result<(), Error> {
        let notes = self.0.denials.take();
        if notes.is_empty() {
            return Ok(());
        }
        let written = self.write_denials(&notes).await;
        if written.is_err() {
            self.0.denials.put_back(notes);
        }
        written
    }

    async fn write_denials(&self, notes: &VecDeque<Note>) -> Result<(), Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        let mut conn = tx.conn();
        let mut newest: HashMap<AccountId, i64> = HashMap::new();
        for note in notes {
            let at = note.at.as_millisecond();
            let last = newest.entry(note.account).or_insert(at);
            *last = at.max(*last);
            let denial = denials::Denial {
                account: note.account.to_string(),
                request_id: note.request_id.to_string(),
                at,
                document: serde_json::to_string(&note.document).map_err(Error::internal)?,
            };
            denials::insert(&mut conn, &denial).await?;
        }
        for (account, newest) in newest {
            let oldest = newest - KEPT_DAYS * DAY_MILLISECONDS;
            denials::prune(&mut conn, account.as_str(), oldest, KEPT_MAX).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// `ExplainRequest`: why a request of the caller's account was denied.
    ///
    /// # Errors
    /// `RequestNotFoundException` for a request that was not denied, is not kept any more, was another
    /// account's, or was denied by another node a moment ago.
    pub async fn explain_request(
        &self,
        cx: &Authorized,
        input: ExplainRequestRequest,
    ) -> Result<ExplainRequestResponse, Error> {
        let request_id = input.request_id;
        if let Some((at, document)) = self.0.denials.find(cx.account, &request_id) {
            return Ok(view(request_id, at, document));
        }
        let mut read = self.0.store.snapshot().await?;
        let found = denials::find(&mut read.conn(), cx.account.as_str(), &request_id).await?;
        let Some(found) = found else {
            return Err(Error::new(
                ErrorCode::RequestNotFound,
                format!("No recent denial in this account has the request id '{request_id}'."),
            ));
        };
        let (at, document) = stored(&found)?;
        Ok(view(request_id, at, document))
    }

    /// `ListDenials`: recent denied requests of the caller's account, newest first.
    ///
    /// # Errors
    /// `InvalidParameterException` for a token.
    pub async fn list_denials(
        &self,
        cx: &Authorized,
        input: ListDenialsRequest,
    ) -> Result<ListDenialsResponse, Error> {
        let invalid = || {
            let message = "The nextToken is not valid.".to_owned();
            Error::new(ErrorCode::InvalidParameter, message)
        };
        let page = Page::new(input.max_results, input.next_token.as_deref());
        let page = page.map_err(|_| invalid())?;
        let after = match page.after.split_once(' ') {
            Some((at, id)) => Some((at.parse().map_err(|_| invalid())?, id)),
            None if page.after.is_empty() => None,
            None => return Err(invalid()),
        };
        // What is still in memory is listed as well. While the database takes no writes, it stays there
        // and the list goes without it; the server's log says that it is not written.
        let _ = self.flush_denials().await;
        let mut read = self.0.store.snapshot().await?;
        let account = cx.account.as_str();
        let rows = denials::list(&mut read.conn(), account, after, page.rows()).await?;
        let cut = page.cut(rows, |row| format!("{} {}", row.at, row.request_id));
        let listed = cut.items.into_iter().map(|row| {
            let (at, document) = stored(&row)?;
            Ok(Denial {
                request_id: row.request_id,
                request_time: at,
                decision: decision(&document),
                principal_arn: document.principal_arn,
                action: document.action,
                resource_arn: document.resource,
                reason: document.reason,
            })
        });
        Ok(ListDenialsResponse {
            denials: listed.collect::<Result<_, Error>>()?,
            next_token: cut.marker,
        })
    }
}

fn stored(row: &denials::Denial) -> Result<(Timestamp, Document), Error> {
    let at = Timestamp::from_millisecond(row.at).map_err(Error::internal)?;
    let document = serde_json::from_str(&row.document).map_err(Error::internal)?;
    Ok((at, document))
}

fn decision(document: &Document) -> Decision {
    match document.is_explicit {
        true => Decision::ExplicitlyDenied,
        false => Decision::ImplicitlyDenied,
    }
}

fn document(caller: &Caller, decision: &DecisionRecord, message: &str) -> Document {
    let statement = decision.statement.as_ref().map(|statement| Statement {
        policy_type: policy_type(decision.reason).to_owned(),
        policy: cut(&statement.policy),
        sid: statement.sid.as_deref().map(cut),
        index: statement.index,
    });
    Document {
        principal_arn: cut(&caller.arn),
        action: cut(&decision.action),
        resource: cut(&decision.resource),
        is_explicit: decision.effect == Effect::ExplicitlyDenied,
        reason: cut(message),
        statement,
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

/// The kind of policy in the words of the IAM User Guide ("Policies and permissions in IAM").
fn policy_type(reason: Reason) -> &'static str {
    match reason {
        Reason::Identity | Reason::NoPermissionNeeded | Reason::RootUser => "identity-based policy",
        Reason::Resource => "resource-based policy",
        Reason::Trust => "role trust policy",
        Reason::PermissionsBoundary => "permissions boundary",
        Reason::Session => "session policy",
        Reason::ServiceControl => "service control policy",
        Reason::ResourceControl => "resource control policy",
    }
}

fn view(request_id: String, at: Timestamp, document: Document) -> ExplainRequestResponse {
    let decision = decision(&document);
    let statement = document.statement.map(|statement| {
        let (policy_arn, policy_name) = match statement.policy.starts_with("arn:") {
            true => (Some(statement.policy), None),
            false => (None, Some(statement.policy)),
        };
        DecidingStatement {
            policy_type: statement.policy_type,
            policy_arn,
            policy_name,
            statement_id: statement.sid,
            statement_index: i64::try_from(statement.index).ok(),
            effect: "Deny".to_owned(),
        }
    });
    ExplainRequestResponse {
        request_id,
        request_time: Some(at),
        decision,
        principal_arn: Some(document.principal_arn),
        action: Some(document.action),
        resource_arn: Some(document.resource),
        reason: document.reason,
        statements: Some(statement.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_in_bytes_between_characters() {
        assert_eq!(cut("arn"), "arn");
        assert_eq!(cut(&"x".repeat(5_000)).len(), TEXT_BYTES_MAX);
        // Three bytes each: the last one that fits ends before the bound.
        assert_eq!(cut(&"€".repeat(5_000)).len(), TEXT_BYTES_MAX / 3 * 3);
    }
}
