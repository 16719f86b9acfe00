//! `CreateAccount` and the requests that it leaves behind.

use aws_api::Secret;
use aws_api::organizations::{
    CreateAccountFailureReason, CreateAccountRequest, CreateAccountResponse, CreateAccountState,
    CreateAccountStatus, DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
    ListCreateAccountStatusRequest, ListCreateAccountStatusResponse,
};
use aws_types::draw;
use store::iam::entity::{self, Kind, NewEntity};
use store::iam::role::{self, Role};
use store::iam::{account, attachment};
use store::organizations::organization::Organization;
use store::organizations::request::{self, Request};
use store::{Conn, organizations::member};

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

impl Organizations {
    /// `CreateAccount`: the account is there when the request is answered, although the answer says, as
    /// AWS's does, that the request was taken; `DescribeCreateAccountStatus` tells the rest. Nobody has a
    /// key of the new account's root user.
    ///
    /// # Errors
    /// `ConstraintViolationException` for too many accounts. An e-mail address that another account has is
    /// told by the status.
    pub async fn create_account(
        &self,
        cx: &Authorized,
        input: CreateAccountRequest,
    ) -> Result<CreateAccountResponse, Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let (accounts, _) = member::count(&mut conn, &organization.id, cx.now_ms()).await?;
        if accounts >= self.0.0.settings.organization_accounts_max {
            return Err(messages::too_many_accounts());
        }
        let (name, email) = (input.account_name.expose(), input.email.expose());
        let mut request = Request {
            id: self.fresh_id::<20>("car-")?,
            organization: organization.id.clone(),
            account_name: name.clone(),
            state: CreateAccountState::Succeeded.as_str().to_owned(),
            requested_at: cx.now_ms(),
            account: None,
            failure: None,
        };
        if account::find_by_email(&mut conn, email).await?.is_some() {
            let failure = CreateAccountFailureReason::EmailAlreadyExists;
            request.state = CreateAccountState::Failed.as_str().to_owned();
            request.failure = Some(failure.as_str().to_owned());
        } else {
            let id = self.fresh_account(&mut conn).await?;
            account::insert(&mut conn, &id, name, cx.now_ms()).await?;
            account::set_email(&mut conn, &id, email).await?;
            let role = input.role_name.as_deref().unwrap_or(ROLE_DEFAULT);
            self.access_role(&mut conn, &organization, &id, role, cx.now_ms())
                .await?;
            tags::put(&mut conn, &organization.id, &id, input.tags).await?;
            join(&mut tx, &organization, &id, "CREATED", cx.now_ms()).await?;
            request.account = Some(id);
        }
        request::insert(&mut tx.conn(), &request).await?;
        tx.commit().await?;
        // What the request is when it is taken.
        let taken = CreateAccountStatus {
            state: Some(CreateAccountState::InProgress),
            completed_timestamp: None,
            account_id: None,
            failure_reason: None,
            ..view(request)
        };
        Ok(CreateAccountResponse {
            create_account_status: Some(taken),
        })
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

fn view(request: Request) -> CreateAccountStatus {
    CreateAccountStatus {
        id: Some(request.id),
        account_name: Some(Secret::new(request.account_name)),
        state: request.state.parse().ok(),
        requested_timestamp: time(request.requested_at),
        completed_timestamp: time(request.requested_at),
        account_id: request.account,
        gov_cloud_account_id: None,
        failure_reason: request.failure.and_then(|reason| reason.parse().ok()),
    }
}
