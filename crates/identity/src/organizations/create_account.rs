//! `CreateAccount` and the requests that it leaves behind.

use authz::ServiceName;
use aws_api::Secret;
use aws_api::organizations::{
    CreateAccountFailureReason, CreateAccountRequest, CreateAccountResponse, CreateAccountState,
    CreateAccountStatus, DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
    ListCreateAccountStatusRequest, ListCreateAccountStatusResponse, Tag,
};
use aws_types::draw;
use jiff::Timestamp;
use serde_json::json;
use store::iam::entity::{self, Kind, NewEntity};
use store::iam::role::{self, Role};
use store::iam::{account, attachment};
use store::organizations::member;
use store::organizations::organization::{self, Organization};
use store::organizations::request::{self, Request};
use store::service_events::{self, NewEvent};
use store::{Conn, jobs};

use super::paging::Page;
use super::{Organizations, decided, join, messages, tags, time};
use crate::{Authorized, Error, ids};

/// The role that lets the management account in (Organizations User Guide, "Accessing member accounts in
/// an organization").
const ROLE_DEFAULT: &str = "OrganizationAccountAccessRole";
const ROLE_POLICY: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ROLE_SESSION_SECONDS: i64 = 3600;
/// How often an account id is drawn anew when it is taken.
const DRAWS_MAX: usize = 8;

/// The kind of the jobs that make accounts; a job's subject is the request's id.
pub const CREATE_ACCOUNT_JOB: &str = "create-account";
/// Accounts of an organization that are made at once (Organizations User Guide, "Quotas"; G7).
const AT_ONCE_MAX: i64 = 5;

impl Organizations {
    /// `CreateAccount`: takes the request, and a job makes the account ([`Organizations::finish_account`]).
    /// `DescribeCreateAccountStatus` tells how it ends. Nobody has a key of the new account's root user.
    ///
    /// # Errors
    /// `ConstraintViolationException` for too many accounts, `TooManyRequestsException` for too many at once.
    /// An e-mail address that another account has is told by the status.
    pub async fn create_account(
        &self,
        cx: &Authorized,
        input: CreateAccountRequest,
    ) -> Result<CreateAccountResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        tags::check(input.tags.as_deref().unwrap_or_default())?;
        let waiting = request::count_waiting(&mut conn, &organization.id).await?;
        let (accounts, _) = member::count(&mut conn, &organization.id, cx.now_ms()).await?;
        if accounts + waiting >= self.0.0.settings.organization_accounts_max {
            return Err(messages::too_many_accounts());
        }
        if waiting >= AT_ONCE_MAX {
            return Err(messages::too_many_at_once());
        }
        let tags: Vec<(&str, &str)> = input
            .tags
            .iter()
            .flatten()
            .map(|tag| (&*tag.key, &*tag.value))
            .collect();
        let request = Request {
            id: self.fresh_id::<20>("car-")?,
            organization: organization.id.clone(),
            account_name: input.account_name.expose().clone(),
            state: CreateAccountState::InProgress.as_str().to_owned(),
            requested_at: cx.now_ms(),
            email: Some(input.email.expose().clone()),
            role_name: input.role_name,
            tags: Some(serde_json::to_string(&tags).map_err(Error::internal)?),
            completed_at: None,
            account: None,
            failure: None,
        };
        request::insert(&mut conn, &request).await?;
        jobs::put(&mut conn, CREATE_ACCOUNT_JOB, &request.id, "", cx.now_ms()).await?;
        tx.commit().await?;
        Ok(CreateAccountResponse {
            create_account_status: Some(view(request)),
        })
    }

    /// Makes the account that a request asked for, or notes why there is none: an audit event of `service`,
    /// CloudTrail's `CreateAccountResult`. A request that has ended, or whose organization is gone, changes
    /// nothing.
    ///
    /// # Errors
    /// The database's and the random source's.
    pub async fn finish_account(
        &self,
        service: ServiceName,
        request_id: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let at = now.as_millisecond();
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let Some(mut request) = request::waiting(&mut conn, request_id).await? else {
            return Ok(());
        };
        let found = organization::find(&mut conn, &request.organization).await?;
        let organization =
            found.ok_or_else(|| Error::internal("a request without organization"))?;
        let email = request.email.clone().unwrap_or_default();
        request.completed_at = Some(at);
        if account::find_by_email(&mut conn, &email).await?.is_some() {
            let failure = CreateAccountFailureReason::EmailAlreadyExists;
            request.state = CreateAccountState::Failed.as_str().to_owned();
            request.failure = Some(failure.as_str().to_owned());
        } else {
            let id = self.fresh_account(&mut conn).await?;
            account::insert(&mut conn, &id, &request.account_name, at).await?;
            account::set_email(&mut conn, &id, &email).await?;
            let role = request.role_name.as_deref().unwrap_or(ROLE_DEFAULT);
            self.access_role(&mut conn, &organization, &id, role, at)
                .await?;
            let tags = request.tags.as_deref().unwrap_or("[]");
            let tags: Vec<(String, String)> =
                serde_json::from_str(tags).map_err(Error::internal)?;
            let tags = tags.into_iter().map(|(key, value)| Tag { key, value });
            tags::put(&mut conn, &organization.id, &id, Some(tags.collect())).await?;
            join(&mut tx, &organization, &id, "CREATED", at).await?;
            request.state = CreateAccountState::Succeeded.as_str().to_owned();
            request.account = Some(id);
        }
        let mut conn = tx.conn();
        request::finish(&mut conn, &request).await?;
        record(&mut conn, service, &organization, &request).await?;
        Ok(tx.commit().await?)
    }

    /// `DescribeCreateAccountStatus`.
    ///
    /// # Errors
    /// `CreateAccountStatusNotFoundException`.
    pub async fn describe_create_account_status(
        &self,
        cx: &Authorized,
        input: DescribeCreateAccountStatusRequest,
    ) -> Result<DescribeCreateAccountStatusResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let id = &input.create_account_request_id;
        let found = request::find(&mut conn, &organization.id, id).await?;
        Ok(DescribeCreateAccountStatusResponse {
            create_account_status: Some(view(found.ok_or_else(messages::no_request)?)),
        })
    }

    /// `ListCreateAccountStatus`. States are filtered within a page, so a page may be empty and not the
    /// last.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_create_account_status(
        &self,
        cx: &Authorized,
        input: ListCreateAccountStatusRequest,
    ) -> Result<ListCreateAccountStatusResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (own, after) = (&organization.id, &page.after);
        let found = request::list(&mut conn, own, after, page.rows()).await?;
        let (found, next_token) = page.cut(found, |request| &request.id);
        let wanted = |status: &CreateAccountStatus| match &input.states {
            Some(states) if !states.is_empty() => {
                status.state.is_some_and(|state| states.contains(&state))
            }
            _ => true,
        };
        let statuses = found.into_iter().map(view).filter(wanted);
        Ok(ListCreateAccountStatusResponse {
            create_account_statuses: Some(statuses.collect()),
            next_token,
        })
    }

    /// An account id that nobody has.
    async fn fresh_account(&self, conn: &mut Conn<'_>) -> Result<String, Error> {
        for _ in 0..DRAWS_MAX {
            let random = u64::from_be_bytes(draw(&*self.0.0.entropy)?);
            // Twelve digits, the first not 0: some tools read account ids as numbers.
            let id = (100_000_000_000 + random % 900_000_000_000).to_string();
            if account::find(conn, &id).await?.is_none() {
                return Ok(id);
            }
        }
        Err(Error::internal("no account id is free"))
    }

    /// The role that trusts the management account and may do everything.
    async fn access_role(
        &self,
        conn: &mut Conn<'_>,
        organization: &Organization,
        account: &str,
        name: &str,
        now: i64,
    ) -> Result<(), Error> {
        let management = &organization.management_account;
        let trust_policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{management}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let new = NewEntity {
            account,
            kind: Kind::Role,
            name,
            path: "/",
            unique_id: &ids::unique_id(Kind::Role, &*self.0.0.entropy)?,
            boundary_arn: None,
            now,
        };
        let created = entity::insert(conn, new).await?;
        let row = Role {
            trust_policy,
            description: None,
            max_session_seconds: ROLE_SESSION_SECONDS,
            last_used: None,
        };
        role::insert(conn, created.id, &row).await?;
        attachment::insert(conn, created.id, ROLE_POLICY).await?;
        Ok(())
    }
}

/// The event that CloudTrail has of it (Organizations User Guide, "Logging and monitoring").
async fn record(
    conn: &mut Conn<'_>,
    service: ServiceName,
    organization: &Organization,
    request: &Request,
) -> Result<(), Error> {
    let details = json!({"createAccountStatus": {
        "id": request.id,
        "state": request.state,
        "accountName": "****",
        "accountId": request.account,
        "failureReason": request.failure,
    }});
    let event = NewEvent {
        occurred_at: request.completed_at.unwrap_or(request.requested_at),
        service: service.as_str(),
        source: "organizations.amazonaws.com",
        name: "CreateAccountResult",
        account: Some(&organization.management_account),
        resource: None,
        details: &details.to_string(),
    };
    Ok(service_events::insert(conn, &event).await?)
}

fn view(request: Request) -> CreateAccountStatus {
    // Requests of earlier versions ended when they were taken.
    let is_waiting = request.state == CreateAccountState::InProgress.as_str();
    let completed_at = request
        .completed_at
        .or((!is_waiting).then_some(request.requested_at));
    CreateAccountStatus {
        id: Some(request.id),
        account_name: Some(Secret::new(request.account_name)),
        state: request.state.parse().ok(),
        requested_timestamp: time(request.requested_at),
        completed_timestamp: completed_at.and_then(time),
        account_id: request.account,
        gov_cloud_account_id: None,
        failure_reason: request.failure.and_then(|reason| reason.parse().ok()),
    }
}
