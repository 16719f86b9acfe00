//! The accounts of an organization.

use aws_api::Secret;
use aws_api::organizations::{
    Account, AccountState, AccountStatus, CloseAccountRequest, DescribeAccountRequest,
    DescribeAccountResponse, ListAccountsForParentRequest, ListAccountsForParentResponse,
    ListAccountsRequest, ListAccountsResponse, MoveAccountRequest,
    RemoveAccountFromOrganizationRequest,
};
use jiff::SignedDuration;
use store::iam::account;
use store::organizations::delegation;
use store::organizations::member::{self, Member};
use store::organizations::organization::Organization;
use store::{Conn, Topic};

use super::paging::Page;
use super::{Organizations, arn, decided, leave, messages, of_caller, time, tree};
use crate::{Authorized, Error};

/// How long a closed account counts against the quota (Organizations User Guide, "Quotas for AWS
/// Organizations": a tenth of the members within 30 days, at least 10 and at most 1,000).
const CLOSED_COUNT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
const CLOSED_MIN: i64 = 10;
const CLOSED_MAX: i64 = 1_000;

impl Organizations {
    /// `ListAccounts`.
    ///
    /// # Errors
    /// `InvalidInputException` for a token.
    pub async fn list_accounts(
        &self,
        cx: &Authorized,
        input: ListAccountsRequest,
    ) -> Result<ListAccountsResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let (accounts, next_token) = listed(&mut conn, &organization, None, &page).await?;
        Ok(ListAccountsResponse {
            accounts: Some(accounts),
            next_token,
        })
    }

    /// `ListAccountsForParent`: those directly under a root or a unit.
    ///
    /// # Errors
    /// `ParentNotFoundException`.
    pub async fn list_accounts_for_parent(
        &self,
        cx: &Authorized,
        input: ListAccountsForParentRequest,
    ) -> Result<ListAccountsForParentResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref())?;
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let parent = tree::parent(&mut conn, &organization, &input.parent_id).await?;
        let parent = parent.ok_or_else(messages::no_parent)?.id;
        let (accounts, next_token) = listed(&mut conn, &organization, Some(&parent), &page).await?;
        Ok(ListAccountsForParentResponse {
            accounts: Some(accounts),
            next_token,
        })
    }

    /// `DescribeAccount`.
    ///
    /// # Errors
    /// `AccountNotFoundException`.
    pub async fn describe_account(
        &self,
        cx: &Authorized,
        input: DescribeAccountRequest,
    ) -> Result<DescribeAccountResponse, Error> {
        let mut read = self.0.0.store.snapshot().await?;
        let mut conn = read.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.account_id).await?;
        Ok(DescribeAccountResponse {
            account: Some(view(&mut conn, &organization, &found).await?),
        })
    }

    /// `MoveAccount`: from one root or unit to another.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `SourceParentNotFoundException`, `DestinationParentNotFoundException`,
    /// `DuplicateAccountException` when it is there already.
    pub async fn move_account(
        &self,
        cx: &Authorized,
        input: MoveAccountRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.account_id).await?;
        let source = tree::parent(&mut conn, &organization, &input.source_parent_id).await?;
        let source = source.ok_or_else(messages::no_source_parent)?.id;
        let to = &input.destination_parent_id;
        let destination = tree::parent(&mut conn, &organization, to).await?;
        let destination = destination.ok_or_else(messages::no_destination_parent)?.id;
        if found.parent == destination {
            return Err(messages::already_there());
        }
        if found.parent != source {
            // The model has no error of its own for an account that is elsewhere.
            return Err(messages::no_account());
        }
        member::set_parent(&mut conn, &found.account, &destination).await?;
        tx.touch(Topic::Account(&found.account));
        tx.touch(Topic::Organization(&organization.id));
        Ok(tx.commit().await?)
    }

    /// `CloseAccount`: nobody of the account is let in from now on. It stays in the organization as
    /// `SUSPENDED`.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `AccountAlreadyClosedException`; `ConstraintViolationException` for the
    /// management account and for too many within 30 days.
    pub async fn close_account(
        &self,
        cx: &Authorized,
        input: CloseAccountRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.account_id).await?;
        if found.account == organization.management_account {
            return Err(messages::constraint(
                "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
                "You can't close the management account.",
            ));
        }
        if found.closed_at.is_some() {
            return Err(messages::already_closed());
        }
        let since = cx
            .now
            .saturating_sub(CLOSED_COUNT_FOR)
            .map_err(Error::internal)?;
        let (accounts, closed) =
            member::count(&mut conn, &organization.id, since.as_millisecond()).await?;
        if closed >= (accounts / 10).clamp(CLOSED_MIN, CLOSED_MAX) {
            return Err(messages::constraint(
                "CLOSE_ACCOUNT_QUOTA_EXCEEDED",
                "You have exceeded close account quota for the past 30 days.",
            ));
        }
        account::close(&mut conn, &found.account, cx.now_ms()).await?;
        tx.touch(Topic::Account(&found.account));
        Ok(tx.commit().await?)
    }

    /// `RemoveAccountFromOrganization`: it stands alone afterwards.
    ///
    /// # Errors
    /// `AccountNotFoundException`, `MasterCannotLeaveOrganizationException`;
    /// `ConstraintViolationException` for a delegated administrator.
    pub async fn remove_account_from_organization(
        &self,
        cx: &Authorized,
        input: RemoveAccountFromOrganizationRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = decided(&mut conn, cx).await?;
        let found = existing(&mut conn, &organization, &input.account_id).await?;
        may_leave(&mut conn, &organization, &found.account).await?;
        leave(&mut tx, &organization, &found.account).await?;
        Ok(tx.commit().await?)
    }

    /// `LeaveOrganization`: the caller's account leaves.
    ///
    /// # Errors
    /// `MasterCannotLeaveOrganizationException`; `ConstraintViolationException` for a delegated
    /// administrator.
    pub async fn leave_organization(&self, cx: &Authorized, (): ()) -> Result<(), Error> {
        let account = cx.account.as_str();
        let mut tx = self.change().await?;
        let mut conn = tx.conn();
        let organization = of_caller(&mut conn, cx).await?;
        may_leave(&mut conn, &organization, account).await?;
        leave(&mut tx, &organization, account).await?;
        Ok(tx.commit().await?)
    }
}

async fn may_leave(
    conn: &mut Conn<'_>,
    organization: &Organization,
    account: &str,
) -> Result<(), Error> {
    if account == organization.management_account {
        return Err(messages::master_cannot_leave());
    }
    let services = delegation::administered(conn, &organization.id, account, "", 1).await?;
    match services.is_empty() {
        true => Ok(()),
        false => Err(messages::constraint(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You can't remove an account that is registered as a delegated administrator for a service \
             integrated with your organization. To complete this operation, you must first deregister \
             this account as a delegated administrator.",
        )),
    }
}

pub(super) async fn existing(
    conn: &mut Conn<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Member, Error> {
    let found = member::find(conn, &organization.id, id).await?;
    found.ok_or_else(messages::no_account)
}

async fn listed(
    conn: &mut Conn<'_>,
    organization: &Organization,
    parent: Option<&str>,
    page: &Page,
) -> Result<(Vec<Account>, Option<String>), Error> {
    let (own, after, rows) = (&organization.id, &page.after, page.rows());
    let found = member::list(conn, own, parent, after, rows).await?;
    let (found, next_token) = page.cut(found, |member| &member.account);
    let mut accounts = Vec::with_capacity(found.len());
    for member in &found {
        accounts.push(view(conn, organization, member).await?);
    }
    Ok((accounts, next_token))
}

/// The owner's address. AWS's accounts always have one, and tools rely on it; an account that was made at
/// the command line has none, and gets one that no mail can reach (RFC 2606, `.invalid`).
pub(super) fn email_of(email: Option<String>, account: &str) -> String {
    email.unwrap_or_else(|| format!("{account}@accounts.invalid"))
}

/// `State`, and `Status`, which it replaces.
pub(super) fn state(member: &Member) -> (AccountState, AccountStatus) {
    match member.closed_at {
        None => (AccountState::Active, AccountStatus::Active),
        Some(_) => (AccountState::Suspended, AccountStatus::Suspended),
    }
}

async fn view(
    conn: &mut Conn<'_>,
    organization: &Organization,
    member: &Member,
) -> Result<Account, Error> {
    let (state, status) = state(member);
    let path = tree::path(conn, organization, &member.parent).await?;
    Ok(Account {
        id: Some(member.account.clone()),
        arn: Some(arn(organization, "account", &member.account)),
        email: Some(Secret::new(email_of(member.email.clone(), &member.account))),
        name: Some(Secret::new(member.name.clone())),
        status: Some(status),
        state: Some(state),
        paths: Some(vec![format!("{path}{}/", member.account)]),
        joined_method: member.joined_method.parse().ok(),
        joined_timestamp: time(member.joined_at),
    })
}
