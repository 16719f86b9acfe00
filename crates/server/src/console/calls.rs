//! The console's own routes: JSON by POST, from its own pages alone.

use std::sync::Arc;

use http::Response;

use super::answers::ConsoleError;
use super::parameters::parsed;
use super::{federation, guard, roles, session, sign_in};
use crate::app::App;
use crate::body::Inbound;
use crate::console_route::ConsoleCall;
use crate::head::Head;
use crate::limits::{CONSOLE_BODY_BYTES_MAX, PROVIDER_ANSWER_BYTES_MAX};
use crate::reply::ReplyBody;

/// Answers a call.
pub(crate) async fn call(
    app: Arc<App>,
    head: Head,
    call: ConsoleCall,
    body: Inbound,
) -> Response<ReplyBody> {
    let answered = answer(&app, &head, call, body).await;
    answered.unwrap_or_else(|error| error.answer(&head))
}

async fn answer(
    app: &Arc<App>,
    head: &Head,
    call: ConsoleCall,
    body: Inbound,
) -> Result<Response<ReplyBody>, ConsoleError> {
    guard::check(head)?;
    let max = match call {
        ConsoleCall::FinishFederation => PROVIDER_ANSWER_BYTES_MAX,
        _ => CONSOLE_BODY_BYTES_MAX,
    };
    let collected = body.collect(&app.bodies, &head.party, max);
    let collected = collected.await?;
    match call {
        ConsoleCall::SignIn => sign_in::sign_in(app, head, &collected).await,
        ConsoleCall::Credentials => session::credentials(app, head).await,
        ConsoleCall::SwitchRole => roles::switch(app, head, parsed(&collected)?).await,
        ConsoleCall::LeaveRole => roles::leave(app, head).await,
        ConsoleCall::ChangePassword => {
            session::change_password(app, head, parsed(&collected)?).await
        }
        ConsoleCall::End => session::end(app, head).await,
        ConsoleCall::Providers => federation::providers(app, parsed(&collected)?).await,
        ConsoleCall::BeginFederation => federation::begin(app, head, parsed(&collected)?).await,
        ConsoleCall::FinishFederation => federation::finish(app, head, parsed(&collected)?).await,
        ConsoleCall::Roles => federation::roles(app, head).await,
        ConsoleCall::ChooseRole => federation::choose(app, head, parsed(&collected)?).await,
    }
}
