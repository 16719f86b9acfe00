//! What a browser gets when it comes back from an identity provider: a small page that hands the answer on.
//!
//! A browser that comes from another site brings no `SameSite=Strict` cookie, and a page of this host that calls does
//! (RFC 6265bis, section 5.2). So nothing is decided here: the page posts what the provider said, as any other page
//! of the console posts.

use http::{HeaderValue, Response, StatusCode, header};
use identity::federation::consumer_url;

use crate::app::App;
use crate::body::Inbound;
use crate::console::answers::SECURITY_HEADERS;
use crate::console_route::FederationPage;
use crate::form;
use crate::head::Head;
use crate::limits::PROVIDER_ANSWER_BYTES_MAX;
use crate::reply::ReplyBody;

/// The page runs its own script, which calls this host; it shows text.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const SCRIPT: &str = include_str!("return.js");
/// The characters of `RelayState` (SAML 2.0 Bindings, section 3.5.3).
const RELAY_STATE_CHARS_MAX: usize = 80;

/// Answers `GET` of a page or a document.
pub(crate) fn page(app: &App, page: &FederationPage) -> Response<ReplyBody> {
    match page {
        FederationPage::Return { provider } => {
            of_answer(&format!("data-kind=\"oidc\" data-provider=\"{provider}\""))
        }
        FederationPage::Script => with_headers("text/javascript; charset=utf-8", SCRIPT.to_owned()),
        FederationPage::Metadata => {
            let consumer_url = consumer_url(&app.names.console_origin());
            let document = saml::service_provider_metadata(&consumer_url);
            with_headers("application/samlmetadata+xml", document)
        }
    }
}

/// Answers what a SAML provider has a browser post. The form is of another site: it is put into the page and not
/// looked at.
pub(crate) async fn hand_on(app: &App, head: &Head, body: Inbound) -> Response<ReplyBody> {
    let collected = body.collect(&app.bodies, &head.party, PROVIDER_ANSWER_BYTES_MAX);
    let fields = match collected.await {
        Ok(collected) => std::str::from_utf8(&collected.bytes).ok().and_then(fields),
        Err(_) => None,
    };
    match fields {
        Some((response, relay_state)) => of_answer(&format!(
            "data-kind=\"saml\" data-response=\"{response}\" data-relay-state=\"{relay_state}\""
        )),
        None => {
            let mut response = of_answer("data-kind=\"none\"");
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

/// `SAMLResponse` and `RelayState`, each once and of the characters that they may have: they stand in attributes.
fn fields(body: &str) -> Option<(String, String)> {
    let only = |name: &str| {
        let mut values = form::all(body, name);
        match values.len() {
            1 => values.pop(),
            _ => None,
        }
    };
    let response = only("SAMLResponse")?;
    let response: String = response.split_ascii_whitespace().collect();
    let relay_state = only("RelayState")?;
    let in_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    let in_state = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let is_plain = !response.is_empty()
        && response.bytes().all(in_base64)
        && relay_state.len() <= RELAY_STATE_CHARS_MAX
        && relay_state.bytes().all(in_state);
    is_plain.then_some((response, relay_state))
}

/// The page. `data` has no characters that end an attribute.
fn of_answer(data: &str) -> Response<ReplyBody> {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Signing in – Berth</title>\n\
         <main id=\"answer\" {data}>\n<h1>Signing in</h1>\n<p role=\"status\">One moment.</p>\n\
         <noscript><p>The console needs JavaScript.</p></noscript>\n</main>\n\
         <script src=\"/console/federation/return.js\"></script>\n</html>\n"
    );
    with_headers("text/html; charset=utf-8", page)
}

fn with_headers(media_type: &'static str, text: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(bytes::Bytes::from(text)));
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_fields_come_into_the_page() {
        let taken = fields("SAMLResponse=PHg%2BPC8%3D&RelayState=a-B_1");
        assert_eq!(taken, Some(("PHg+PC8=".to_owned(), "a-B_1".to_owned())));
        let lines = fields("SAMLResponse=PHg%0D%0AbC8%3D&RelayState=a");
        assert_eq!(lines.unwrap().0, "PHgbC8=");
        for body in [
            "",
            "SAMLResponse=PHg",
            "RelayState=a",
            "SAMLResponse=&RelayState=a",
            "SAMLResponse=%22%3E%3Cscript%3E&RelayState=a",
            "SAMLResponse=PHg&RelayState=%22onload%3D",
            "SAMLResponse=PHg&RelayState=https%3A%2F%2Fevil.example",
            "SAMLResponse=PHg&SAMLResponse=PHg&RelayState=a",
            "SAMLResponse=PHg&RelayState=a&RelayState=b",
            "SAMLResponse=%ff&RelayState=a",
        ] {
            assert_eq!(fields(body), None, "{body}");
        }
        let long = format!("SAMLResponse=PHg&RelayState={}", "a".repeat(81));
        assert_eq!(fields(&long), None);
    }
}
