//! Settings of sign-in to the console through a provider.

use aws_api::berth::{ConsoleSignIn as Wanted, ConsoleSignInSettings as Shown, ErrorCode};

use super::oidc::{ConsoleSignIn, ProviderSettings};
use crate::Error;

/// What is asked for besides `openid` where nothing was chosen: claims that name a session.
const SCOPES: [&str; 2] = ["email", "profile"];

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidParameter, message)
}

/// The settings of an OIDC provider with these audiences.
pub(super) fn of_oidc(wanted: Wanted, client_ids: &[String]) -> Result<ConsoleSignIn, Error> {
    let client_id = wanted
        .client_id
        .ok_or_else(|| invalid("consoleSignIn needs a clientId for an OIDC provider."))?;
    if !client_ids.contains(&client_id) {
        return Err(invalid(
            "The clientId of consoleSignIn must be one of the provider's audiences.",
        ));
    }
    let scopes = match wanted.scopes {
        Some(scopes) => scopes,
        None => SCOPES.map(str::to_owned).into(),
    };
    Ok(ConsoleSignIn {
        display_name: display_name(wanted.display_name)?,
        client_id,
        client_secret: wanted.client_secret.map(|secret| secret.expose().clone()),
        scopes: scopes
            .into_iter()
            .filter(|scope| scope != "openid")
            .collect(),
    })
}

/// The settings of a SAML provider, whose metadata has a place to sign in at or not.
pub(super) fn of_saml(wanted: Wanted, has_sign_on_url: bool) -> Result<ConsoleSignIn, Error> {
    if wanted.client_id.is_some() || wanted.client_secret.is_some() || wanted.scopes.is_some() {
        return Err(invalid(
            "consoleSignIn has no other member than displayName for a SAML provider.",
        ));
    }
    if !has_sign_on_url {
        return Err(invalid(
            "The provider's metadata has no SingleSignOnService with an https URL of the HTTP-Redirect binding that \
             takes requests without a signature.",
        ));
    }
    Ok(ConsoleSignIn {
        display_name: display_name(wanted.display_name)?,
        ..ConsoleSignIn::default()
    })
}

fn display_name(name: Option<String>) -> Result<Option<String>, Error> {
    match name {
        Some(name) if name.trim().is_empty() || name.chars().any(char::is_control) => Err(invalid(
            "The displayName of consoleSignIn must have a visible character and no control characters.",
        )),
        name => Ok(name),
    }
}

pub(super) fn shown(settings: &ConsoleSignIn) -> Shown {
    let is_oidc = !settings.client_id.is_empty();
    Shown {
        display_name: settings.display_name.clone(),
        client_id: is_oidc.then(|| settings.client_id.clone()),
        has_client_secret: is_oidc.then_some(settings.client_secret.is_some()),
        scopes: is_oidc.then(|| settings.scopes.clone()),
    }
}

/// A secret goes to no other place than before: who may change settings need not know the secrets in them.
fn changed() -> Error {
    invalid(
        "A secret is kept only where it goes to the same place: the client secret with the same clientId, the \
         client key with the same certificate, the bearer token with the same keysHost and certificateAuthority.",
    )
}

/// Keeps a client secret that is left out.
pub(super) fn keep_client_secret(
    wanted: &mut ProviderSettings,
    now: &ProviderSettings,
) -> Result<(), Error> {
    if let (Some(wanted), Some(now)) = (&mut wanted.console, &now.console)
        && wanted.client_secret.is_none()
        && now.client_secret.is_some()
    {
        if wanted.client_id != now.client_id {
            return Err(changed());
        }
        wanted.client_secret.clone_from(&now.client_secret);
    }
    Ok(())
}

/// Keeps the other secrets that are left out.
pub(super) fn keep_fetch_secrets(
    wanted: &mut ProviderSettings,
    now: &ProviderSettings,
) -> Result<(), Error> {
    let (wanted, now) = (&mut wanted.fetch, &now.fetch);
    if wanted.client_key.is_none() && now.client_key.is_some() {
        if wanted.client_certificate != now.client_certificate {
            return Err(changed());
        }
        wanted.client_key.clone_from(&now.client_key);
    }
    if wanted.bearer_token.is_none() && now.bearer_token.is_some() {
        if wanted.keys_host != now.keys_host
            || wanted.certificate_authority != now.certificate_authority
        {
            return Err(changed());
        }
        wanted.bearer_token.clone_from(&now.bearer_token);
    }
    Ok(())
}
