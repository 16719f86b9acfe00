//! One call to a target, and what its answer means.

use client::{Http, Request};
use http::{HeaderName, Method, StatusCode, header};
use registry::webhooks::Failure;

use crate::limits::{WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_TIMEOUT};
use crate::outbound::OutboundSettings;

/// The longest `Retry-After` that is heard, in seconds.
const RETRY_AFTER_SECONDS_MAX: i64 = 3_600;

pub(crate) struct Calls {
    http: Http,
}

/// What came of a call.
pub(crate) struct Answer {
    pub(crate) status: Option<StatusCode>,
    /// The beginning of the body, as text.
    pub(crate) text: String,
    retry_after: Option<i64>,
    error: Option<String>,
}

impl Calls {
    pub(crate) fn new(settings: &OutboundSettings) -> Result<Calls, client::Error> {
        Ok(Calls {
            http: Http::new(client::Settings {
                allow: settings.allow.clone(),
                extra_roots: settings.extra_roots.clone(),
                timeout: WEBHOOK_TIMEOUT,
                body_bytes_max: WEBHOOK_ANSWER_BYTES_MAX,
            })?,
        })
    }

    pub(crate) fn check(&self, url: &str) -> Result<(), client::Error> {
        self.http.check_url(url)
    }

    pub(crate) async fn post(
        &self,
        url: &str,
        id: &str,
        seconds: i64,
        signature: &str,
        body: &str,
    ) -> Answer {
        let named = HeaderName::from_static;
        let request = Request::new(Method::POST, url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("berth/", env!("CARGO_PKG_VERSION")),
            )
            .header(named("webhook-id"), id)
            .header(named("webhook-timestamp"), &seconds.to_string())
            .header(named("webhook-signature"), signature)
            .body(body.to_owned());
        let mut answer = match self.http.stream(request).await {
            Ok(answer) => answer,
            Err(error) => return Answer::failed(describe(&error)),
        };
        let retry_after = answer
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        let status = answer.status;
        // The status is the answer. Of the body only the beginning is read, for whoever tests the target.
        let mut text = Vec::new();
        let reading = async {
            while let Ok(Some(chunk)) = answer.chunk().await {
                let room = WEBHOOK_ANSWER_BYTES_MAX - text.len();
                text.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if text.len() >= WEBHOOK_ANSWER_BYTES_MAX {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(WEBHOOK_TIMEOUT, reading).await;
        Answer {
            status: Some(status),
            text: String::from_utf8_lossy(&text).into_owned(),
            retry_after,
            error: None,
        }
    }
}

/// An error with its causes.
fn describe(error: &client::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl Answer {
    fn failed(error: String) -> Answer {
        Answer {
            status: None,
            text: String::new(),
            retry_after: None,
            error: Some(error),
        }
    }

    /// The secret cannot be opened: nothing is sent that the target could not verify.
    pub(crate) fn unsigned() -> Answer {
        Answer::failed("the target's secret cannot be opened; put a new one".to_owned())
    }

    /// "410 Gone: the endpoint is no longer interested" (Standard Webhooks 1.0, "Operational
    /// considerations").
    pub(crate) fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE)
    }

    /// Why the event was not delivered; `None` when it was.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let reason = match (self.status, &self.error) {
            (Some(status), _) if status.is_success() => return None,
            (Some(status), _) if status.is_redirection() => {
                format!("the target answered {status}; redirects are not followed")
            }
            (Some(status), _) => format!("the target answered {status}"),
            (None, error) => error.clone().unwrap_or_default(),
        };
        let pauses_target = self.status.is_none_or(|status| {
            status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
        });
        let retry_after = self
            .retry_after
            .map(|seconds| seconds.clamp(0, RETRY_AFTER_SECONDS_MAX) * 1_000);
        Some(Failure {
            reason,
            retry_after_ms: retry_after.filter(|_| pauses_target),
            pauses_target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, retry_after: Option<i64>) -> Answer {
        Answer {
            status: Some(StatusCode::from_u16(status).unwrap()),
            text: String::new(),
            retry_after,
            error: None,
        }
    }

    #[test]
    fn answers_mean_what_the_specification_says() {
        // Status, whether it was delivered, whether the target as a whole is left alone, and for how long.
        let cases = [
            (200, None, true, false, None),
            (204, None, true, false, None),
            (301, None, false, false, None),
            (307, Some(9), false, false, None),
            (400, None, false, false, None),
            (408, None, false, true, None),
            (410, None, false, false, None),
            (429, Some(120), false, true, Some(120_000)),
            (429, Some(999_999), false, true, Some(3_600_000)),
            (503, Some(-5), false, true, Some(0)),
            (500, None, false, true, None),
        ];
        for (status, after, delivered, pauses, ms) in cases {
            let answer = of(status, after);
            let failure = answer.failure();
            assert_eq!(failure.is_none(), delivered, "{status}");
            if let Some(failure) = failure {
                assert_eq!(failure.pauses_target, pauses, "{status}");
                assert_eq!(failure.retry_after_ms, ms, "{status}");
            }
            assert_eq!(answer.is_gone(), status == 410);
        }
        let failure = Answer::failed("no answer".to_owned()).failure().unwrap();
        assert!(failure.pauses_target);
    }
}
