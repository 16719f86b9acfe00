//! Switching roles: `AssumeRole` by who signed in, decided and recorded as any other call of it.

use std::sync::Arc;

use authz::CallerKind;
use aws_api::sts::{self, AssumeRoleRequest};
use http::Response;
use identity::RoleBadge;
use serde::Deserialize;

use super::answers::ConsoleError;
use super::perform::perform;
use super::session::{answer_new, answer_with, credentials_of, find_usable};
use super::{events, guard};
use crate::app::App;
use crate::error::ApiError;
use crate::head::Head;
use crate::limits::SIGN_IN_NAME_BYTES_MAX;
use crate::reply::ReplyBody;

/// Characters of a display name (IAM User Guide, "Switch from a user to an IAM role (console)").
const DISPLAY_NAME_CHARS_MAX: usize = 64;
/// The colour of a badge where none was chosen.
const DEFAULT_COLOR: &str = "0972d3";

/// The parameters of a switch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Switch {
    /// Its id or its alias.
    account: String,
    /// The role's name, with its path where it has one.
    role: String,
    display_name: Option<String>,
    /// Six hexadecimal digits.
    color: Option<String>,
}

impl Switch {
    fn badge(&self) -> Result<RoleBadge, ConsoleError> {
        let display_name = match self.display_name.as_deref().map(str::trim) {
            None | Some("") => format!("{} @ {}", self.role, self.account),
            Some(name) => name.to_owned(),
        };
        let display_name: String = display_name.chars().take(DISPLAY_NAME_CHARS_MAX).collect();
        if display_name.chars().any(char::is_control) {
            let message = "The display name has a control character.";
            return Err(ConsoleError::invalid(message));
        }
        let color = self.color.as_deref().unwrap_or(DEFAULT_COLOR);
        let color = color.trim_start_matches('#').to_ascii_lowercase();
        if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "The color must be six hexadecimal digits.";
            return Err(ConsoleError::invalid(message));
        }
        Ok(RoleBadge {
            display_name,
            color,
        })
    }
}

/// `POST /console/session/role`. A switch from a role that was switched to is one of who signed in, as on
/// AWS.
pub(super) async fn switch(
    app: &Arc<App>,
    head: &Head,
    wanted: Switch,
) -> Result<Response<ReplyBody>, ConsoleError> {
    if wanted.account.len() > SIGN_IN_NAME_BYTES_MAX
        || wanted.role.len() > 2 * SIGN_IN_NAME_BYTES_MAX
    {
        return Err(ConsoleError::invalid("A name is too long."));
    }
    let badge = wanted.badge()?;
    let session = find_usable(app, head).await?;
    let caller = app.identity.console_caller(&session, head.now).await?;
    let caller = caller.ok_or_else(ConsoleError::no_session)?;
    let account = app.identity.account_by_name(&wanted.account).await?;
    // An account that is none refuses like one whose role does not trust the caller.
    let account = account.map_or_else(|| wanted.account.clone(), |account| account.to_string());
    let role_arn = format!("arn:aws:iam::{account}:role/{}", wanted.role);
    let input = AssumeRoleRequest {
        duration_seconds: Some(
            app.identity
                .longest_role_session(&session, &role_arn, head.now)
                .await?,
        ),
        role_session_name: session_name(&caller.kind),
        role_arn,
        ..AssumeRoleRequest::default()
    };
    let origin = guard::origin(head)?;
    let assumed = perform::<sts::ops::AssumeRole>(app, head, &caller, &input).await;
    let assumed = match assumed {
        Ok(assumed) => assumed,
        Err(error) => {
            let failed = events::failed();
            events::role(
                app,
                head,
                origin,
                "SwitchRole",
                &caller,
                &caller.arn,
                failed,
            )
            .await;
            return Err(error);
        }
    };
    let token = assumed
        .credentials
        .map(|credentials| credentials.session_token);
    let token = token.ok_or_else(|| ApiError::internal("a role without credentials"))?;
    let switched = app
        .identity
        .switch_console_role(&session, &token, badge, head.now)
        .await?;
    let secret = switched.ok_or_else(ConsoleError::no_session)?;
    let found = app
        .identity
        .console_session(secret.expose(), head.now)
        .await?;
    let session = found.ok_or_else(ConsoleError::no_session)?;
    let given = credentials_of(app, head, &session).await?;
    let role = &given.caller;
    events::role(app, head, origin, "SwitchRole", role, &caller.arn, None).await;
    answer_with(app, &given, &secret).await
}

/// The session's name: the user's, as on AWS. A name of one letter is too short for a session.
fn session_name(kind: &CallerKind) -> String {
    let name = match kind {
        CallerKind::User { name, .. } => name.as_str(),
        CallerKind::RoleSession { session_name, .. } => session_name.as_str(),
        _ => "root",
    };
    match name.len() {
        0 | 1 => format!("{name}-console"),
        _ => name.to_owned(),
    }
}

/// `POST /console/session/role/back`
pub(super) async fn leave(
    app: &Arc<App>,
    head: &Head,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let session = find_usable(app, head).await?;
    let base = app.identity.console_caller(&session, head.now).await?;
    let base = base.ok_or_else(ConsoleError::no_session)?;
    let role = app.identity.console_role(&session, head.now).await?;
    let left = app.identity.leave_console_role(&session, head.now).await?;
    let secret = left.ok_or_else(ConsoleError::no_session)?;
    if let Some(role) = role {
        let origin = guard::origin(head)?;
        events::role(app, head, origin, "ExitRole", &role, &base.arn, None).await;
    }
    answer_new(app, head, &secret).await
}
