//! The choice of a role by a person who may take several.

use std::sync::Arc;

use http::{Response, StatusCode};
use identity::{ProviderAnswer, RoleChoice};
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::{Proven, begin_session, no_sign_in, own_origin};
use crate::app::App;
use crate::console::answers::{ConsoleError, answer};
use crate::console::cookie;
use crate::console::events::{self, ProviderOf};
use crate::head::Head;
use crate::reply::ReplyBody;
use crate::writable::{self, Effect};

/// The parameters of a choice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::console) struct Chosen {
    /// The role's ARN.
    role: String,
}

async fn choice(app: &App, head: &Head) -> Result<(RoleChoice, ProviderAnswer), ConsoleError> {
    let sealed = cookie::sign_in(head).ok_or_else(no_sign_in)?;
    let found = app.identity.role_choice(sealed, head.now).await?;
    found.ok_or_else(no_sign_in)
}

/// `POST /console/federation/roles`
pub(in crate::console) async fn roles(
    app: &Arc<App>,
    head: &Head,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let (choice, held) = choice(app, head).await?;
    let alias = app.identity.account_alias(choice.account).await?;
    let roles = held.roles.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        json!({"arn": arn, "name": name})
    });
    let roles: Vec<Value> = roles.collect();
    let mut shown = json!({"account": choice.account.as_str(), "roles": roles});
    if let Some(alias) = alias {
        shown["accountAlias"] = alias.into();
    }
    Ok(answer(StatusCode::OK, Some(&shown)))
}

/// `POST /console/federation/role`. What the provider said is verified again: it holds as long as at STS. A role that
/// is denied leaves the others to choose from.
pub(in crate::console) async fn choose(
    app: &Arc<App>,
    head: &Head,
    chosen: Chosen,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let base = own_origin(app, head)?;
    let (choice, held) = choice(app, head).await?;
    if !held.roles.contains(&chosen.role) {
        return Err(ConsoleError::invalid(
            "The role is none of those to choose from.",
        ));
    }
    writable::check(app, Effect::Writes).await?;
    let provider = ProviderOf {
        account: choice.account,
        kind: held.kind,
        arn: &held.provider_arn,
    };
    let begun = async {
        let proven = Proven::verify(app, head, &provider, &held.proof).await?;
        let assumed = proven.assume(app, head, &chosen.role).await?;
        // Of two choices at a time, one begins a session.
        if !app.identity.end_role_choice(&choice).await? {
            return Err(no_sign_in());
        }
        begin_session(app, head, assumed, &provider, &held.next).await
    };
    match begun.await {
        Ok(response) => Ok(response),
        Err(error) => {
            let message = Some(error.message());
            events::provider_login(app, head, &base, Some(&provider), None, message).await;
            Err(error)
        }
    }
}
