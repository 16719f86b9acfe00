//! Denied requests, kept so that `ExplainRequest` and `ListDenials` of the service `berth` can say why.
//!
//! A denial is noted in memory ([`DenialNotes`](crate::denial_notes::DenialNotes)) and written in batches:
//! no request waits for it. Denials of an account are kept for [`KEPT_DAYS`] days, the newest
//! [`KEPT_MAX`] at most; older ones go when the account gets a new one, and by a job.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use authz::{CallerKind, DecisionRecord, ServiceName};
use aws_api::berth::{
    DecidingStatement, Decision, Denial, DenialGroup, ErrorCode, ExplainRequestRequest,
    ExplainRequestResponse, ListDenialGroupsRequest, ListDenialGroupsResponse, ListDenialsRequest,
    ListDenialsResponse,
};
use aws_lc_rs::digest;
use aws_types::AccountId;
use jiff::Timestamp;
use policy::{Context, ContextValue, Effect};
use store::denials::{self, Filter, SCOPE};

use crate::denial_notes::{Document, Key, Note, Statement, policy_type};
use crate::paging::Page;
use crate::proposals::DeniedRequest;
use crate::{Authorized, Caller, Error, Identity};

/// Denials of an account that are kept.
const KEPT_MAX: i64 = 10_000;
/// Days for which they are kept.
const KEPT_DAYS: i64 = 7;
const DAY_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;
/// Longer texts are cut: with eight of them and the condition keys, a note takes 20 KiB at most, and all notes
/// 40 MiB.
const TEXT_BYTES_MAX: usize = 2_048;
/// Condition keys are kept as long as their names and values together are no longer.
const KEYS_BYTES_MAX: usize = 4_096;
/// Denials that one step of the job removes.
const PRUNED_MAX: i64 = 1_000;

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
            let document = &note.document;
            let issuer = document.role_arn.as_ref();
            let denial = denials::Denial {
                account: note.account.to_string(),
                request_id: note.request_id.to_string(),
                at,
                principal_arn: document.principal_arn.clone(),
                issuer_arn: issuer.unwrap_or(&document.principal_arn).clone(),
                action: document.action.clone(),
                resource: document.resource.clone(),
                cause: cause(document),
                document: serde_json::to_string(document).map_err(Error::internal)?,
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

    /// Removes denials of all accounts that are too old, some at a time; returns whether there may be more.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune_denials(&self, _by: ServiceName, now: Timestamp) -> Result<bool, Error> {
        let oldest = now.as_millisecond() - KEPT_DAYS * DAY_MILLISECONDS;
        let mut tx = self.0.store.write(SCOPE).await?;
        let pruned = denials::prune_older(&mut tx.conn(), oldest, PRUNED_MAX).await?;
        tx.commit().await?;
        Ok(i64::try_from(pruned).is_ok_and(|pruned| pruned == PRUNED_MAX))
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
        let (at, document) = self.denial(cx.account, &input.request_id).await?;
        Ok(view(input.request_id, at, document))
    }

    /// A denied request of the caller's account, for another evaluation.
    ///
    /// # Errors
    /// As [`Identity::explain_request`].
    pub async fn denied_request(
        &self,
        cx: &Authorized,
        request_id: &str,
    ) -> Result<DeniedRequest, Error> {
        let (_, document) = self.denial(cx.account, request_id).await?;
        let mut context = Context::new();
        for (name, value) in document.keys {
            let value = match value {
                Key::One(value) => ContextValue::One(value.into()),
                Key::Many(values) => {
                    ContextValue::Many(values.into_iter().map(Arc::from).collect())
                }
            };
            context.insert(&name, value);
        }
        Ok(DeniedRequest {
            request_id: request_id.to_owned(),
            principal_arn: document.principal_arn,
            role_arn: document.role_arn,
            has_session_policy: document.has_session_policy,
            action: document.action,
            resource: document.resource,
            context,
        })
    }

    async fn denial(
        &self,
        account: AccountId,
        request_id: &str,
    ) -> Result<(Timestamp, Document), Error> {
        if let Some(found) = self.0.denials.find(account, request_id) {
            return Ok(found);
        }
        let mut read = self.0.store.snapshot().await?;
        let found = denials::find(&mut read.conn(), account.as_str(), request_id).await?;
        let Some(found) = found else {
            return Err(Error::new(
                ErrorCode::RequestNotFound,
                format!("No recent denial in this account has the request id '{request_id}'."),
            ));
        };
        stored(&found)
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
        let page = page(input.max_results, input.next_token.as_deref())?;
        let after = after(&page)?;
        let filter = Filter {
            principal_arn: input.principal_arn,
            action: input.action,
            resource: input.resource_arn,
            from: input.start_time.map(Timestamp::as_millisecond),
            before: input.end_time.map(Timestamp::as_millisecond),
        };
        // What is still in memory is listed as well. While the database takes no writes, it stays there
        // and the list goes without it; the server's log says that it is not written.
        let _ = self.flush_denials().await;
        let mut read = self.0.store.snapshot().await?;
        let account = cx.account.as_str();
        let mut conn = read.conn();
        let rows = denials::list(&mut conn, account, &filter, after, page.rows()).await?;
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

    /// `ListDenialGroups`: the causes of recent denials, the one with the newest first.
    ///
    /// # Errors
    /// `InvalidParameterException` for a token.
    pub async fn list_denial_groups(
        &self,
        cx: &Authorized,
        input: ListDenialGroupsRequest,
    ) -> Result<ListDenialGroupsResponse, Error> {
        let page = page(input.max_results, input.next_token.as_deref())?;
        let after = after(&page)?;
        let filter = Filter {
            principal_arn: input.principal_arn,
            action: input.action,
            resource: input.resource_arn,
            from: input.start_time.map(Timestamp::as_millisecond),
            before: input.end_time.map(Timestamp::as_millisecond),
        };
        // As for the list.
        let _ = self.flush_denials().await;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let account = cx.account.as_str();
        let rows = denials::groups(&mut conn, account, &filter, after, page.rows()).await?;
        let cut = page.cut(rows, |group| {
            format!("{} {}", group.newest.at, group.newest.cause)
        });
        let groups = cut.items.into_iter().map(|group| {
            let (last_time, document) = stored(&group.newest)?;
            Ok(DenialGroup {
                count: group.count,
                first_time: Timestamp::from_millisecond(group.first).map_err(Error::internal)?,
                last_time,
                request_id: group.newest.request_id,
                decision: decision(&document),
                principal_arn: document.principal_arn,
                action: document.action,
                resource_arn: document.resource,
                reason: document.reason,
            })
        });
        Ok(ListDenialGroupsResponse {
            groups: groups.collect::<Result<_, Error>>()?,
            next_token: cut.marker,
        })
    }
}

fn invalid_token() -> Error {
    let message = "The nextToken is not valid.".to_owned();
    Error::new(ErrorCode::InvalidParameter, message)
}

fn page(max_results: Option<i32>, next_token: Option<&str>) -> Result<Page, Error> {
    Page::new(max_results, next_token).map_err(|_| invalid_token())
}

/// The time and the text that the page begins after.
fn after(page: &Page) -> Result<Option<(i64, &str)>, Error> {
    match page.after.split_once(' ') {
        Some((at, text)) => Ok(Some((at.parse().map_err(|_| invalid_token())?, text))),
        None if page.after.is_empty() => Ok(None),
        None => Err(invalid_token()),
    }
}

/// Equal for denials of one principal, a role with all its sessions, that the same statement denied or the same
/// policy type did not allow.
fn cause(document: &Document) -> String {
    let issuer = document.role_arn.as_ref();
    let mut hash = digest::Context::new(&digest::SHA256);
    let (policy, place) = match &document.statement {
        Some(statement) => (
            statement.policy.as_str(),
            format!(
                "{} {}",
                statement.index,
                statement.sid.as_deref().unwrap_or_default()
            ),
        ),
        None => ("", String::new()),
    };
    for text in [
        issuer.unwrap_or(&document.principal_arn),
        &document.action,
        &document.resource,
        &document.policy_type,
        policy,
        &place,
    ] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    aws_types::hex::encode(&hash.finish().as_ref()[..16])
}

/// The condition keys that fit, in the order of their names.
fn keys(found: &[(String, ContextValue)]) -> BTreeMap<String, Key> {
    let mut kept = BTreeMap::new();
    let mut left = KEYS_BYTES_MAX;
    for (name, value) in found {
        let texts = value.values().iter().map(|text| text.len() + 4);
        let bytes = name.len() + 8 + texts.sum::<usize>();
        let Some(rest) = left.checked_sub(bytes) else {
            continue;
        };
        left = rest;
        let value = match value {
            ContextValue::One(value) => Key::One(value.to_string()),
            ContextValue::Many(values) => {
                Key::Many(values.iter().map(ToString::to_string).collect())
            }
        };
        kept.insert(name.clone(), value);
    }
    kept
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
        policy_type: policy_type(decision.reason).to_owned(),
        role_arn: match &caller.kind {
            CallerKind::RoleSession { role_arn, .. } => Some(cut(role_arn)),
            _ => None,
        },
        has_session_policy: caller.session.is_some() || !caller.scope_downs.is_empty(),
        keys: keys(&decision.keys),
        statement,
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
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
    fn condition_keys_are_kept_as_far_as_they_fit() {
        let one = |text: &str| ContextValue::One(text.into());
        let long = "x".repeat(KEYS_BYTES_MAX);
        let found = [
            ("aws:sourceip".to_owned(), one("10.0.0.7")),
            ("aws:useragent".to_owned(), one(&long)),
            (
                "aws:tagkeys".to_owned(),
                ContextValue::Many(vec!["a".into(), "b".into()]),
            ),
        ];
        let kept = keys(&found);
        assert_eq!(
            kept.keys().collect::<Vec<_>>(),
            ["aws:sourceip", "aws:tagkeys"]
        );
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(
            serde_json::from_str::<BTreeMap<String, Key>>(&text).unwrap(),
            kept
        );
    }

    #[test]
    fn texts_are_cut_in_bytes_between_characters() {
        assert_eq!(cut("arn"), "arn");
        assert_eq!(cut(&"x".repeat(5_000)).len(), TEXT_BYTES_MAX);
        // Three bytes each: the last one that fits ends before the bound.
        assert_eq!(cut(&"€".repeat(5_000)).len(), TEXT_BYTES_MAX / 3 * 3);
    }
}
