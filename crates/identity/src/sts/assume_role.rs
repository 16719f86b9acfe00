//! `AssumeRole`, and what its relatives share: session policies and tags.

use aws_api::CommonError;
use aws_api::sts::{
    AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, PolicyDescriptorType, Tag,
};
use policy::{Document, DocumentKind};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::role;

use super::{CHAINED_SECONDS_MAX, SESSION_SECONDS_MIN};
use crate::authenticate::session_arn;
use crate::policy_cache::entity_by_arn;
use crate::session::{Session, SessionTag, Who, minify};
use crate::{Authorized, CallerKind, Error, Identity};

/// `DurationSeconds` where a request names none.
const SECONDS_DEFAULT: i64 = 3600;
/// Managed session policies of a session.
const POLICY_ARNS_MAX: usize = 10;
/// Characters of inline and managed session policies together.
const POLICY_CHARS_MAX: usize = 2048;
/// Session tags of a session.
const SESSION_TAGS_MAX: usize = 50;

impl Identity {
    /// `AssumeRole`. Whether the caller may was decided before, by trust policy and
    /// identity; `ExternalId` is a condition key there, and a code of an MFA device was verified before.
    ///
    /// # Errors
    /// `AccessDenied` for a root user, for a source identity that would change, and for a role that is not the one
    /// that was decided on; `ValidationError` for durations and tags;
    /// `MalformedPolicyDocument`, `PackedPolicyTooLarge`.
    pub async fn assume_role(
        &self,
        cx: &Authorized,
        input: AssumeRoleRequest,
    ) -> Result<AssumeRoleResponse, Error> {
        if cx.caller.kind == CallerKind::Root {
            return Err(Error::new(
                CommonError::AccessDenied,
                "Roles may not be assumed by root accounts.",
            ));
        }
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let entity = decided_role(&mut conn, cx, &input.role_arn)
            .await?
            // As for one who may not assume it: existence is not told.
            .ok_or_else(|| not_authorized(cx, &input.role_arn))?;
        let chained = matches!(cx.caller.kind, CallerKind::RoleSession { .. });
        let max = role::get(&mut conn, entity.id).await?.max_session_seconds;
        let seconds = duration(input.duration_seconds, max, chained)?;
        let name = input.role_session_name;
        let account = entity.account.parse().map_err(Error::internal)?;
        let who = Who::Role(entity.unique_id.clone(), name.clone());
        let mut session = self.new_session(cx, account, who, seconds)?;
        session.source_identity = source_identity(cx, input.source_identity)?;
        session.tags = session_tags(cx, input.tags, input.transitive_tag_keys)?;
        let (policy, arns) = (input.policy, input.policy_arns);
        self.add_policies(&mut conn, &mut session, policy, arns)
            .await?;
        let issued = self.issue(&mut session, input.minimum_session_token_size)?;
        Ok(AssumeRoleResponse {
            credentials: Some(issued.credentials),
            assumed_role_user: Some(AssumedRoleUser {
                assumed_role_id: format!("{}:{name}", entity.unique_id),
                arn: session_arn(&entity, &name),
            }),
            packed_policy_size: issued.packed_policy_size,
            source_identity: session.source_identity.clone(),
            session_token_size: Some(issued.token_size),
            session_token_utilization: Some(issued.token_utilization),
        })
    }

    /// Gives a session its policies: one inline, up to ten managed ones of its account.
    pub(super) async fn add_policies(
        &self,
        conn: &mut Conn<'_>,
        session: &mut Session,
        policy: Option<String>,
        policy_arns: Option<Vec<PolicyDescriptorType>>,
    ) -> Result<(), Error> {
        if let Some(text) = policy {
            Document::parse(&text, DocumentKind::Session)?;
            session.policy = Some(minify(&text));
        }
        let arns: Vec<String> = policy_arns
            .unwrap_or_default()
            .into_iter()
            .filter_map(|descriptor| descriptor.arn)
            .collect();
        if arns.len() > POLICY_ARNS_MAX {
            return Err(Error::new(
                CommonError::Validation,
                format!("A session can have up to {POLICY_ARNS_MAX} managed session policies."),
            ));
        }
        // "The plaintext that you use for both inline and managed session policies can't exceed 2,048
        // characters" (the model, AssumeRole).
        let inline = session
            .policy
            .as_ref()
            .map_or(0, |text| text.chars().count());
        let managed: usize = arns.iter().map(|arn| arn.chars().count()).sum();
        if inline + managed > POLICY_CHARS_MAX {
            return Err(Error::new(
                CommonError::Validation,
                format!(
                    "The inline and managed session policies have {} characters together and cannot \
                     exceed {POLICY_CHARS_MAX}.",
                    inline + managed
                ),
            ));
        }
        let account = session.account()?;
        for arn in &arns {
            self.0
                .policies
                .attachable(conn, account.as_str(), arn)
                .await?;
        }
        session.policy_arns = arns;
        Ok(())
    }
}

/// The role that was decided on, while it is there. A role that was deleted and created again under the
/// same name has another trust policy, which nobody asked.
pub(super) async fn decided_role(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    role_arn: &str,
) -> Result<Option<Entity>, Error> {
    let found = entity_by_arn(conn, role_arn).await?;
    let role = found.filter(|found| found.kind == Kind::Role);
    Ok(role.filter(|found| cx.resource().is(&found.unique_id)))
}

/// AWS's answer to one who may not assume a role, whether it exists or not.
fn not_authorized(cx: &Authorized, role_arn: &str) -> Error {
    Error::new(
        CommonError::AccessDenied,
        format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            cx.caller.arn
        ),
    )
}

/// The session's seconds: from 15 minutes to the role's maximum, an hour when chained (STS
/// API, AssumeRole, `DurationSeconds`).
pub(super) fn duration(wanted: Option<i32>, role_max: i64, chained: bool) -> Result<i64, Error> {
    let seconds = wanted.map_or(SECONDS_DEFAULT, i64::from);
    if seconds < SESSION_SECONDS_MIN {
        return Err(Error::new(
            CommonError::Validation,
            format!(
                "The requested DurationSeconds is below the minimum of {SESSION_SECONDS_MIN} seconds."
            ),
        ));
    }
    if chained && seconds > CHAINED_SECONDS_MAX {
        return Err(Error::new(
            CommonError::Validation,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining."
                .to_owned(),
        ));
    }
    if seconds > role_max {
        return Err(Error::new(
            CommonError::Validation,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                .to_owned(),
        ));
    }
    Ok(seconds)
}

/// A source identity passes on through role chaining and cannot change on the way (UG
/// id_credentials_temp_control-access_monitor).
fn source_identity(cx: &Authorized, wanted: Option<String>) -> Result<Option<String>, Error> {
    let inherited = cx
        .caller
        .session_info
        .as_ref()
        .and_then(|info| info.source_identity.clone());
    match (inherited, wanted) {
        (Some(inherited), Some(wanted)) if inherited != wanted => Err(Error::new(
            CommonError::AccessDenied,
            "The source identity of a session cannot be changed by role chaining.".to_owned(),
        )),
        (inherited, wanted) => Ok(inherited.or(wanted)),
    }
}

/// The session's tags: those of the request, and the transitive ones of the calling
/// session, which win and cannot be set again (UG id_session-tags, "Chaining roles with
/// session tags").
pub(super) fn session_tags(
    cx: &Authorized,
    tags: Option<Vec<Tag>>,
    transitive_keys: Option<Vec<String>>,
) -> Result<Vec<SessionTag>, Error> {
    let info = cx.caller.session_info.as_ref();
    let inherited = info.map_or(&[][..], |info| &info.transitive_tags);
    let mut all: Vec<SessionTag> = inherited
        .iter()
        .map(|(key, value)| SessionTag(key.clone(), value.clone(), true))
        .collect();
    for tag in tags.unwrap_or_default() {
        let key = tag.key.to_lowercase();
        if key.starts_with("aws:") {
            return Err(Error::new(
                CommonError::InvalidParameterValue,
                format!(
                    "Tag key {} is not valid: keys that begin with aws: are reserved.",
                    tag.key
                ),
            ));
        }
        match all.iter().position(|known| known.0.to_lowercase() == key) {
            None => all.push(SessionTag(tag.key, tag.value, false)),
            Some(at) if at < inherited.len() => {
                return Err(Error::new(
                    CommonError::InvalidParameterValue,
                    "One of the specified transitive tag keys can't be set because it conflicts \
                     with a transitive tag key from the calling session."
                        .to_owned(),
                ));
            }
            Some(_) => {
                return Err(Error::new(
                    CommonError::InvalidParameterValue,
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive."
                        .to_owned(),
                ));
            }
        }
    }
    if all.len() > SESSION_TAGS_MAX {
        return Err(Error::new(
            CommonError::InvalidParameterValue,
            format!("A session can have up to {SESSION_TAGS_MAX} session tags."),
        ));
    }
    for key in transitive_keys.unwrap_or_default() {
        let folded = key.to_lowercase();
        let tag = all.iter_mut().find(|tag| tag.0.to_lowercase() == folded);
        let Some(tag) = tag else {
            return Err(Error::new(
                CommonError::InvalidParameterValue,
                "The specified transitive tag key must be included in the requested tags."
                    .to_owned(),
            ));
        };
        tag.2 = true;
    }
    Ok(all)
}
