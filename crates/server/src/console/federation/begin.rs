//! The account's providers, and the way to one.

use std::sync::Arc;

use http::{Response, StatusCode, header};
use identity::ProviderKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::own_origin;
use super::{oidc, saml};
use crate::app::App;
use crate::console::answers::{ConsoleError, answer};
use crate::console::{assets, cookie};
use crate::head::Head;
use crate::limits::{SIGN_IN_ADDRESS_BYTES_MAX, SIGN_IN_NAME_BYTES_MAX};
use crate::reply::ReplyBody;

/// Where a sign-in leads to that names no other address.
const HOME: &str = "/console/";

/// The parameters of a look at an account's providers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::console) struct Wanted {
    /// Its id or its alias.
    account: String,
}

/// The parameters of a sign-in that begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::console) struct Begin {
    /// Its id or its alias.
    account: String,
    /// The provider's key.
    provider: String,
    /// The address below `/console/` that the sign-in leads to.
    next: Option<String>,
}

/// `POST /console/providers`. An account that does not exist is answered like one without providers.
pub(in crate::console) async fn providers(
    app: &Arc<App>,
    wanted: Wanted,
) -> Result<Response<ReplyBody>, ConsoleError> {
    if wanted.account.len() > SIGN_IN_NAME_BYTES_MAX {
        return Err(ConsoleError::invalid("A name is too long."));
    }
    let account = app.identity.account_by_name(&wanted.account).await?;
    let found = app.identity.sign_in_providers(account).await?;
    let shown = found.iter().map(|provider| {
        let kind = match provider.kind {
            ProviderKind::Oidc => "oidc",
            ProviderKind::Saml => "saml",
        };
        json!({"kind": kind, "name": provider.display_name, "key": provider.key})
    });
    let shown: Vec<Value> = shown.collect();
    Ok(answer(StatusCode::OK, Some(&json!({"providers": shown}))))
}

/// `POST /console/federation/begin`
pub(in crate::console) async fn begin(
    app: &Arc<App>,
    head: &Head,
    wanted: Begin,
) -> Result<Response<ReplyBody>, ConsoleError> {
    let base = own_origin(app, head)?;
    if wanted.account.len() > SIGN_IN_NAME_BYTES_MAX {
        return Err(ConsoleError::invalid("A name is too long."));
    }
    let next = wanted.next.unwrap_or_else(|| HOME.to_owned());
    if !is_own_address(&next) {
        return Err(ConsoleError::invalid("The address is none of the console."));
    }
    let account = app.identity.account_by_name(&wanted.account).await?;
    let listed = app.identity.sign_in_providers(account).await?;
    let found = listed
        .into_iter()
        .find(|provider| provider.key == wanted.provider);
    let (Some(account), Some(provider)) = (account, found) else {
        let message = "Nobody signs in through this identity provider any more. Reload the page.";
        return Err(ConsoleError::invalid(message));
    };
    let (pending, sealed) = app
        .identity
        .begin_provider_sign_in(account, &provider, next, head.now)?;
    let location = match provider.kind {
        ProviderKind::Oidc => {
            oidc::location(app, &base, account, &provider.name, &pending, head.now).await?
        }
        ProviderKind::Saml => saml::location(app, &base, &pending, head.now).await?,
    };
    let mut response = answer(StatusCode::OK, Some(&json!({"location": location})));
    let set = cookie::of_sign_in(&sealed)?;
    response.headers_mut().insert(header::SET_COOKIE, set);
    Ok(response)
}

/// Whether an address is a screen of the console: a path that begins with `/console/`, with a query and a fragment.
/// Nothing that a browser takes for another host or another place is one.
fn is_own_address(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    address.len() <= SIGN_IN_ADDRESS_BYTES_MAX
        && address
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\\\"<>".contains(&b))
        && path.strip_prefix(HOME).is_some_and(|rest| {
            !assets::leads_out(rest) && rest != "federation" && !rest.starts_with("federation/")
        })
}

#[cfg(test)]
mod tests {
    use super::is_own_address;

    #[test]
    fn open_redirects_only_screens_of_the_console_are_led_to() {
        for address in [
            "/console/",
            "/console/repositories?filter=a%2F%2Fb&sort=name",
            "/console/roles/ci#permissions",
            "/console/?next=https://evil.example",
        ] {
            assert!(is_own_address(address), "{address}");
        }
        for address in [
            "",
            "/",
            "/v2/",
            "/console",
            "//evil.example/console/",
            "///evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "/console/\\evil.example",
            "https://evil.example/console/",
            "https:/console/",
            "javascript:alert(1)//console/",
            "/console/../..//evil.example",
            "/console/%2e%2e/%2E%2e//evil.example",
            "/console/x\nLocation: //evil.example",
            "/console/\t/evil.example",
            "/consolé/",
            "/console/federation/roles",
            "/console/federation",
            "%2Fconsole/",
            " /console/",
        ] {
            assert!(!is_own_address(address), "{address}");
        }
        assert!(!is_own_address(&format!("/console/{}", "x".repeat(1024))));
    }
}
