//! Delegation requests: a partner asks an account for temporary access, and somebody there agrees.
//!
//! Berth keeps the requests and their states as AWS does. It has no notification channel, so the token of
//! a finalized request reaches nobody. AWS's page on the life of a request gives no times for every state;
//! where the model is silent, a request lives for a week.

use aws_api::CommonError;
use aws_api::iam::{
    AcceptDelegationRequestRequest, AssociateDelegationRequestRequest,
    CreateDelegationRequestRequest, CreateDelegationRequestResponse, DelegationPermission,
    DelegationRequest, ErrorCode, GetDelegationRequestRequest, GetDelegationRequestResponse,
    GetHumanReadableSummaryRequest, GetHumanReadableSummaryResponse, ListDelegationRequestsRequest,
    ListDelegationRequestsResponse, PermissionCheckResultType, PermissionCheckStatusType,
    PolicyParameter, PolicyParameterTypeEnum, RejectDelegationRequestRequest,
    SendDelegationTokenRequest, StateType, SummaryStateType, UpdateDelegationRequestRequest,
};
use serde::{Deserialize, Serialize};
use store::iam::delegation_request::{self, DelegationRequest as Row};
use store::{Conn, Scope};

use super::{commit, time};
use crate::paging::Page;
use crate::{Authorized, CallerKind, Error, Identity, ids, messages};

/// How long a request lives in a state ("Rejected requests expire after 7 days", the model).
const LIFETIME_MS: i64 = 7 * 24 * 3600 * 1000;
/// How long a request is kept after its end.
const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;
/// Requests that an account may have made.
const REQUESTS_MAX: i64 = 1000;
/// The longest session that a root user gives (UG, "Temporary delegation").
const ROOT_SECONDS_MAX: i32 = 4 * 3600;
/// The only language of summaries.
const LOCALE: &str = "en";

/// What the requestor said.
#[derive(Serialize, Deserialize)]
struct Details {
    description: String,
    template: Option<String>,
    parameters: Vec<Parameter>,
    message: Option<String>,
    redirect_url: Option<String>,
    notification_channel: String,
    seconds: i32,
    only_send_by_owner: bool,
}

#[derive(Serialize, Deserialize)]
struct Parameter {
    name: Option<String>,
    values: Vec<String>,
    list: Option<bool>,
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The delegation request with id {id} cannot be found."),
    )
}

/// A change that the request's state does not allow.
fn wrong_state(row: &Row, what: &str) -> Error {
    Error::new(
        ErrorCode::ConcurrentModification,
        format!(
            "A delegation request in state {} cannot be {what}.",
            row.state
        ),
    )
}

fn details(row: &Row) -> Result<Details, Error> {
    serde_json::from_str(&row.details).map_err(Error::internal)
}

/// The state at a time: a request that nobody has finished expires.
fn state(row: &Row, now: i64) -> Result<StateType, Error> {
    let stored: StateType = row
        .state
        .parse()
        .map_err(|_| Error::internal("a stored delegation request has an unknown state"))?;
    Ok(match stored {
        StateType::Finalized => StateType::Finalized,
        _ if row.expires_at <= now => StateType::Expired,
        stored => stored,
    })
}

/// Whether the caller's account may see it: any account while nobody is asked by name, then the account
/// that is asked (the model, GetDelegationRequest).
fn is_visible(row: &Row, cx: &Authorized) -> bool {
    row.owner_account
        .as_ref()
        .is_none_or(|owner| owner == cx.account.as_str())
}

fn shown(row: &Row, now: i64) -> Result<DelegationRequest, Error> {
    let details = details(row)?;
    let parameters = details
        .parameters
        .into_iter()
        .map(|parameter| PolicyParameter {
            name: parameter.name,
            values: Some(parameter.values),
            r#type: parameter.list.map(|list| match list {
                true => PolicyParameterTypeEnum::StringList,
                false => PolicyParameterTypeEnum::String,
            }),
        });
    Ok(DelegationRequest {
        delegation_request_id: Some(row.id.clone()),
        owner_account_id: row.owner_account.clone(),
        description: Some(details.description),
        request_message: details.message,
        permissions: Some(DelegationPermission {
            policy_template_arn: details.template,
            parameters: Some(parameters.collect()),
        }),
        owner_id: row.owner_id.clone(),
        approver_id: row.approver_id.clone(),
        state: Some(state(row, now)?),
        expiration_time: Some(time(row.expires_at)),
        requestor_id: Some(row.requestor.clone()),
        create_date: Some(time(row.created_at)),
        session_duration: Some(details.seconds),
        redirect_url: details.redirect_url,
        notes: row.notes.clone(),
        rejection_reason: row.rejection_reason.clone(),
        only_send_by_owner: Some(details.only_send_by_owner),
        updated_time: Some(time(row.updated_at)),
        ..DelegationRequest::default()
    })
}

impl Identity {
    /// `CreateDelegationRequest`.
    ///
    /// # Errors
    /// `EntityAlreadyExists` for a workflow that has a request, `LimitExceeded`, `InvalidInput`.
    pub async fn create_delegation_request(
        &self,
        cx: &Authorized,
        input: CreateDelegationRequestRequest,
    ) -> Result<CreateDelegationRequestResponse, Error> {
        let requestor = cx.account.as_str();
        let parameters = input.permissions.parameters.unwrap_or_default();
        let details = Details {
            description: input.description,
            template: input.permissions.policy_template_arn,
            parameters: parameters
                .into_iter()
                .map(|parameter| Parameter {
                    name: parameter.name,
                    values: parameter.values.unwrap_or_default(),
                    list: parameter
                        .r#type
                        .map(|kind| kind == PolicyParameterTypeEnum::StringList),
                })
                .collect(),
            message: input.request_message,
            redirect_url: input.redirect_url,
            notification_channel: input.notification_channel,
            seconds: input.session_duration,
            only_send_by_owner: input.only_send_by_owner.unwrap_or(false),
        };
        let now = cx.now_ms();
        let row = Row {
            id: ids::uuid(&*self.0.entropy)?,
            requestor: requestor.to_owned(),
            workflow_id: input.requestor_workflow_id,
            details: serde_json::to_string(&details).map_err(Error::internal)?,
            owner_account: input.owner_account_id,
            owner_id: None,
            approver_id: None,
            state: StateType::Unassigned.as_str().to_owned(),
            notes: None,
            rejection_reason: None,
            created_at: now,
            updated_at: now,
            expires_at: now + LIFETIME_MS,
        };
        let mut tx = self
            .0
            .store
            .write(Scope::System("delegation-requests"))
            .await?;
        let mut conn = tx.conn();
        delegation_request::prune(&mut conn, requestor, now - KEPT_MS).await?;
        let taken = delegation_request::find_workflow(&mut conn, requestor, &row.workflow_id);
        if taken.await?.is_some() {
            return Err(Error::new(
                ErrorCode::EntityAlreadyExists,
                format!(
                    "A delegation request with the workflow id {} already exists.",
                    row.workflow_id
                ),
            ));
        }
        if delegation_request::count(&mut conn, requestor).await? >= REQUESTS_MAX {
            return Err(messages::quota(
                "DelegationRequestsPerAccount",
                REQUESTS_MAX,
            ));
        }
        delegation_request::insert(&mut conn, &row).await?;
        commit(tx).await?;
        Ok(CreateDelegationRequestResponse {
            console_deep_link: None,
            delegation_request_id: Some(row.id),
        })
    }

    /// `GetDelegationRequest`. Whether the caller has what the request asks for is not worked out: the
    /// check is complete and unsure.
    ///
    /// # Errors
    /// `NoSuchEntity`, also for a request to another account.
    pub async fn get_delegation_request(
        &self,
        cx: &Authorized,
        input: GetDelegationRequestRequest,
    ) -> Result<GetDelegationRequestResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let row = visible(&mut read.conn(), cx, &input.delegation_request_id).await?;
        let check = input.delegation_permission_check.unwrap_or(false);
        Ok(GetDelegationRequestResponse {
            delegation_request: Some(shown(&row, cx.now_ms())?),
            permission_check_status: check.then_some(PermissionCheckStatusType::Complete),
            permission_check_result: check.then_some(PermissionCheckResultType::Unsure),
        })
    }

    /// `ListDelegationRequests`: those that an identity of the account has taken.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_delegation_requests(
        &self,
        cx: &Authorized,
        input: ListDelegationRequestsRequest,
    ) -> Result<ListDelegationRequestsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let owner = input.owner_id.unwrap_or_default();
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let account = cx.account.as_str();
        let rows = delegation_request::list(&mut conn, account, &owner, &page.after, page.rows());
        let cut = page.cut(rows.await?, |row| row.id.clone());
        let requests = cut.items.iter().map(|row| shown(row, cx.now_ms()));
        Ok(ListDelegationRequestsResponse {
            delegation_requests: Some(requests.collect::<Result<_, _>>()?),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `AssociateDelegationRequest`: the caller takes the request.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ConcurrentModification` for a request that somebody has.
    pub async fn associate_delegation_request(
        &self,
        cx: &Authorized,
        input: AssociateDelegationRequestRequest,
    ) -> Result<(), Error> {
        self.move_request(cx, &input.delegation_request_id, |row, state| {
            if state != StateType::Unassigned {
                return Err(wrong_state(row, "associated"));
            }
            row.owner_account = Some(cx.account.to_string());
            row.owner_id = Some(cx.caller.arn.to_string());
            Ok(StateType::Assigned)
        })
        .await
    }

    /// `UpdateDelegationRequest`: notes, and the request waits for an approval.
    ///
    /// # Errors
    /// `NoSuchEntity`, `ConcurrentModification`.
    pub async fn update_delegation_request(
        &self,
        cx: &Authorized,
        input: UpdateDelegationRequestRequest,
    ) -> Result<(), Error> {
        self.move_request(cx, &input.delegation_request_id, |row, state| {
            if !matches!(state, StateType::Assigned | StateType::PendingApproval) {
                return Err(wrong_state(row, "updated"));
            }
            row.notes = input.notes.clone().or(row.notes.take());
            Ok(StateType::PendingApproval)
        })
        .await
    }

    /// `AcceptDelegationRequest`: the caller's identity is what is delegated.
    ///
    /// # Errors
    /// `NoSuchEntity`, `ConcurrentModification`; `AccessDenied` for root where the session is longer than
    /// four hours.
    pub async fn accept_delegation_request(
        &self,
        cx: &Authorized,
        input: AcceptDelegationRequestRequest,
    ) -> Result<(), Error> {
        self.move_request(cx, &input.delegation_request_id, |row, state| {
            if !matches!(state, StateType::Assigned | StateType::PendingApproval) {
                return Err(wrong_state(row, "accepted"));
            }
            if cx.caller.kind == CallerKind::Root && details(row)?.seconds > ROOT_SECONDS_MAX {
                return Err(Error::new(
                    CommonError::AccessDenied,
                    "A root user cannot accept a delegation request for more than four hours.",
                ));
            }
            row.approver_id = Some(cx.caller.arn.to_string());
            Ok(StateType::Accepted)
        })
        .await
    }

    /// `RejectDelegationRequest`, until the token is sent.
    ///
    /// # Errors
    /// `NoSuchEntity`, `ConcurrentModification`.
    pub async fn reject_delegation_request(
        &self,
        cx: &Authorized,
        input: RejectDelegationRequestRequest,
    ) -> Result<(), Error> {
        self.move_request(cx, &input.delegation_request_id, |row, state| {
            use StateType::{Accepted, Assigned, PendingApproval};
            if !matches!(state, Assigned | PendingApproval | Accepted) {
                return Err(wrong_state(row, "rejected"));
            }
            row.approver_id = Some(cx.caller.arn.to_string());
            row.rejection_reason = input.notes.clone();
            Ok(StateType::Rejected)
        })
        .await
    }

    /// `SendDelegationToken`: the request is final. See the module's page on what becomes of the token.
    ///
    /// # Errors
    /// `NoSuchEntity`, `ConcurrentModification`; `AccessDenied` for who is not the owner, where only the
    /// owner may.
    pub async fn send_delegation_token(
        &self,
        cx: &Authorized,
        input: SendDelegationTokenRequest,
    ) -> Result<(), Error> {
        self.move_request(cx, &input.delegation_request_id, |row, state| {
            if state != StateType::Accepted {
                return Err(wrong_state(row, "finalized"));
            }
            let by_owner = row.owner_id.as_deref() == Some(&*cx.caller.arn);
            if details(row)?.only_send_by_owner && !by_owner {
                return Err(Error::new(
                    CommonError::AccessDenied,
                    "Only the owner of this delegation request can send its token.",
                ));
            }
            Ok(StateType::Finalized)
        })
        .await
    }

    /// `GetHumanReadableSummary`: what a delegation request asks for, in a sentence.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for an ARN of something else.
    pub async fn get_human_readable_summary(
        &self,
        cx: &Authorized,
        input: GetHumanReadableSummaryRequest,
    ) -> Result<GetHumanReadableSummaryResponse, Error> {
        let id = input.entity_arn.split_once(":delegation-request/");
        let (_, id) = id.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidInput,
                format!(
                    "{} is not the ARN of a delegation request.",
                    input.entity_arn
                ),
            )
        })?;
        let locale = input.locale.unwrap_or_else(|| LOCALE.to_owned());
        let mut read = self.0.store.snapshot().await?;
        let row = visible(&mut read.conn(), cx, id).await?;
        if locale != LOCALE && !locale.starts_with("en-") {
            return Ok(GetHumanReadableSummaryResponse {
                summary_content: None,
                locale: Some(locale),
                summary_state: Some(SummaryStateType::NotSupported),
            });
        }
        let details = details(&row)?;
        let template = details.template.as_deref().unwrap_or("no policy template");
        let summary = format!(
            "Account {} asks for access under {template} for {} seconds: {}",
            row.requestor, details.seconds, details.description
        );
        Ok(GetHumanReadableSummaryResponse {
            summary_content: Some(summary),
            locale: Some(locale),
            summary_state: Some(SummaryStateType::Available),
        })
    }

    /// Moves a request to the state that `step` answers.
    async fn move_request(
        &self,
        cx: &Authorized,
        id: &str,
        step: impl FnOnce(&mut Row, StateType) -> Result<StateType, Error>,
    ) -> Result<(), Error> {
        let mut tx = self
            .0
            .store
            .write(Scope::System("delegation-requests"))
            .await?;
        let mut conn = tx.conn();
        let mut row = visible(&mut conn, cx, id).await?;
        let now = cx.now_ms();
        let before = state(&row, now)?;
        before.as_str().clone_into(&mut row.state);
        let after = step(&mut row, before)?;
        after.as_str().clone_into(&mut row.state);
        row.updated_at = now;
        row.expires_at = now + LIFETIME_MS;
        delegation_request::update(&mut conn, &row).await?;
        commit(tx).await
    }
}

/// The request of this id, where the caller's account may see it.
async fn visible(conn: &mut Conn<'_>, cx: &Authorized, id: &str) -> Result<Row, Error> {
    let row = delegation_request::find(conn, id).await?;
    row.filter(|row| is_visible(row, cx))
        .ok_or_else(|| not_found(id))
}
