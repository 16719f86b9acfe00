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
            _ => return None,
        })
    }
}
