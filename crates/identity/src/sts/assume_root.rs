//! `AssumeRoot`: a short root session of a member account, for one task.

use aws_api::CommonError;
use aws_api::sts::{AssumeRootRequest, AssumeRootResponse};
use aws_types::{AccountId, Arn};
use store::organizations::{member, organization};

use crate::organizations::is_root_administrator;
use crate::session::{SessionKey, Who};
use crate::{Authorized, CallerKind, Error, Identity};

/// The longest and the usual session (STS API Reference, AssumeRoot, `DurationSeconds`).
const SECONDS_MAX: i32 = 900;

/// The managed policies that a root session may have, and nothing else (STS API Reference, AssumeRoot,
/// `TaskPolicyArn`).
const TASKS: [&str; 5] = [
    "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",
    "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword",
    "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials",
    "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",
    "arn:aws:iam::aws:policy/root-task/SQSUnlockQueuePolicy",
];

impl Identity {
    /// `AssumeRoot`: for users and roles of the management account, or of IAM's delegated administrator.
    /// The session may do what the task's policy does not deny, and its key `aws:AssumedRoot` is true.
    ///
    /// # Errors
    /// `AccessDenied` for the root user, for other accounts, and where root sessions are not enabled;
    /// `ValidationError` for what is no task policy and no principal.
    pub async fn assume_root(
        &self,
        cx: &Authorized,
        input: AssumeRootRequest,
    ) -> Result<AssumeRootResponse, Error> {
        if !matches!(
            cx.caller.kind,
            CallerKind::User { .. } | CallerKind::RoleSession { .. }
        ) {
            return Err(denied(cx));
        }
        let task = input.task_policy_arn.arn.unwrap_or_default();
        if !TASKS.contains(&task.as_str()) {
            return Err(Error::new(
                CommonError::Validation,
                format!("The task policy {task} is not supported."),
            ));
        }
        let target = account_of(&input.target_principal).ok_or_else(|| {
            let message = format!("{} is invalid", input.target_principal);
            Error::new(CommonError::Validation, message)
        })?;
        let seconds = input.duration_seconds.unwrap_or(SECONDS_MAX);
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = organization::of_account(&mut conn, cx.account.as_str()).await?;
        let organization = found.ok_or_else(|| denied(cx))?;
        let may = organization.root_sessions
            && is_root_administrator(&mut conn, &organization, cx).await?
            && target.as_str() != organization.management_account;
        let member = member::find(&mut conn, &organization.id, target.as_str()).await?;
        if !may || member.is_none() {
            return Err(denied(cx));
        }
        let mut session = self.new_session(cx, target, Who::Root, i64::from(seconds))?;
        session.policy_arns = vec![task];
        session.keys = vec![SessionKey::One(
            "aws:AssumedRoot".to_owned(),
            "true".to_owned(),
        )];
        let info = cx.caller.session_info.as_ref();
        session.source_identity = info.and_then(|info| info.source_identity.clone());
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        Ok(AssumeRootResponse {
            credentials: Some(issued.credentials),
            source_identity: session.source_identity.clone(),
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
        })
    }
}

/// The account that a target names: by its id, or as the root user's ARN.
pub(crate) fn account_of(target: &str) -> Option<AccountId> {
    if let Ok(account) = target.parse() {
        return Some(account);
    }
    let arn: Arn = target.parse().ok()?;
    let is_root = arn.service() == "iam" && arn.resource() == "root";
    is_root.then(|| arn.account().parse().ok()).flatten()
}

/// One answer for all that is missing, so that it does not tell which accounts an organization has.
fn denied(cx: &Authorized) -> Error {
    Error::new(
        CommonError::AccessDenied,
        format!(
            "User: {} is not authorized to perform: sts:AssumeRoot on resource: {}",
            cx.caller.arn,
            cx.resource().arn
        ),
    )
}
