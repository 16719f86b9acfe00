//! The console's own routes, which are called by POST.

/// A route below `/console/` that is called by POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsoleCall {
    /// Signs in.
    SignIn,
    /// Answers credentials.
    Credentials,
    /// Switches to a role.
    SwitchRole,
    /// Switches back.
    LeaveRole,
    /// Sets another password, where that is demanded at the sign-in.
    ChangePassword,
    /// Signs out.
    End,
    /// Lists the identity providers that people sign in through.
    Providers,
    /// Begins a sign-in through one.
    BeginFederation,
    /// Ends it, with what the provider answered.
    FinishFederation,
    /// Lists the roles to choose from.
    Roles,
    /// Chooses a role.
    ChooseRole,
}

/// A page or a document below `/console/federation/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FederationPage {
    /// Where an OIDC provider sends browsers back to: the page hands on what is in the address.
    Return {
        /// The provider's key.
        provider: String,
    },
    /// The script of that page.
    Script,
    /// What SAML providers are told of this server.
    Metadata,
}

/// Where SAML providers send browsers back to, by a form that is posted.
pub(crate) const SAML_PATH: &str = "/console/federation/saml";

impl FederationPage {
    /// The page of a path.
    pub(crate) fn of_path(path: &str) -> Option<FederationPage> {
        let rest = path.strip_prefix("/console/federation/")?;
        Some(match rest {
            "return.js" => FederationPage::Script,
            "saml/metadata" => FederationPage::Metadata,
            _ => {
                let provider = rest.strip_prefix("oidc/")?;
                let is_key = provider.len() == 32
                    && provider
                        .bytes()
                        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                is_key.then(|| FederationPage::Return {
                    provider: provider.to_owned(),
                })?
            }
        })
    }
}

impl ConsoleCall {
    /// The route of a path.
    pub(crate) fn of_path(path: &str) -> Option<ConsoleCall> {
        Some(match path {
            "/console/session" => ConsoleCall::SignIn,
            "/console/session/credentials" => ConsoleCall::Credentials,
            "/console/session/role" => ConsoleCall::SwitchRole,
            "/console/session/role/back" => ConsoleCall::LeaveRole,
            "/console/session/password" => ConsoleCall::ChangePassword,
            "/console/session/end" => ConsoleCall::End,
            "/console/providers" => ConsoleCall::Providers,
            "/console/federation/begin" => ConsoleCall::BeginFederation,
            "/console/federation/finish" => ConsoleCall::FinishFederation,
            "/console/federation/roles" => ConsoleCall::Roles,
            "/console/federation/role" => ConsoleCall::ChooseRole,
            _ => return None,
        })
    }
}
