//! Registries that answer as they are told to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::Streamed;
use crate::http::Settings;

/// What was asked, head and body, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers one connection after the other. `{host}` in an answer is the server's own address.
async fn registry(answers: Vec<String>) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let asked = Asked::default();
    let (own, heard) = (host.clone(), Arc::clone(&asked));
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            // Until the head is there with the body that it announces, or the client gives up.
            loop {
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request).to_lowercase();
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head
                        .split_once("content-length: ")
                        .map_or("0", |(_, rest)| rest);
                    let length = length.lines().next().unwrap_or("0").parse::<usize>();
                    body.len() >= length.unwrap()
                });
                if whole || read == 0 {
                    break;
                }
            }
            heard
                .lock()
                .unwrap()
                .push(String::from_utf8_lossy(&request).into_owned());
            let answer = answer.replace("{host}", &own);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (format!("http://{host}"), asked)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn client(base: &str) -> OciClient {
    let http = Http::new(Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    });
    OciClient::new(
        http.unwrap(),
        base,
        Arc::new(StaticLogin::new("ci", "secret")),
    )
    .unwrap()
}

async fn all(mut answer: Streamed) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

#[tokio::test]
async fn a_token_is_got_once_for_a_scope() {
    let challenge = "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"reg\"\r\n";
    let (base, asked) = registry(vec![
        answer("401 Unauthorized", challenge, ""),
        answer("200 OK", "", r#"{"token":"t0"}"#),
        answer("200 OK", "", r#"{"tags":["v1"]}"#),
        answer("200 OK", "", r#"{"tags":["v2"]}"#),
    ])
    .await;
    let client = client(&base);
    assert_eq!(client.tags("team/app").await.unwrap(), ["v1"]);
    assert_eq!(client.tags("team/app").await.unwrap(), ["v2"]);
    let asked = asked.lock().unwrap();
    assert!(!asked[0].contains("authorization"), "{}", asked[0]);
    assert!(
        asked[1].contains("scope=repository%3Ateam%2Fapp%3Apull"),
        "{}",
        asked[1]
    );
    assert!(
        asked[1].contains("authorization: Basic Y2k6c2VjcmV0"),
        "{}",
        asked[1]
    );
    assert!(asked[2].contains("authorization: Bearer t0") && asked[3].contains("Bearer t0"));
}

/// How many tokens are asked for by three listings, each half a minute after the one before, where the token service
/// says this of its token.
async fn tokens_asked_for(says: &str) -> usize {
    let challenge = "WWW-Authenticate: Bearer realm=\"http://{host}/token\"\r\n";
    let asks_again = [
        answer("401 Unauthorized", challenge, ""),
        answer("200 OK", "", &format!(r#"{{"token":"t"{says}}}"#)),
        answer("200 OK", "", r#"{"tags":["v1"]}"#),
    ];
    let goes_on = [answer("200 OK", "", r#"{"tags":["v1"]}"#)];
    // What the registry will be asked, for a token that lasts that long: it answers in order.
    let lasts_seconds = says.rsplit(':').next().and_then(|text| text.parse().ok());
    let renewed_after = lasts_seconds.map_or(48.0, |seconds: f64| seconds.max(60.0) * 0.8);
    let mut answers = asks_again.to_vec();
    let mut asked_at = 0.0;
    for now in [30.0, 60.0] {
        match now - asked_at < renewed_after {
            true => answers.extend(goes_on.clone()),
            false => {
                answers.extend(asks_again.clone());
                asked_at = now;
            }
        }
    }
    let (base, asked) = registry(answers).await;
    let client = client(&base);
    for _ in 0..3 {
        assert_eq!(client.tags("team/app").await.unwrap(), ["v1"]);
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_secs(30)).await;
        tokio::time::resume();
    }
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .filter(|one| one.starts_with("GET /token"))
        .count()
}

#[tokio::test]
async fn a_token_is_used_as_long_as_its_service_says() {
    assert_eq!(tokens_asked_for(r#","expires_in":300"#).await, 1);
    assert_eq!(tokens_asked_for("").await, 2);
    // None lasts less than a minute.
    assert_eq!(tokens_asked_for(r#","expires_in":1"#).await, 2);
}

#[tokio::test]
async fn a_refusal_says_when_to_try_again() {
    let (base, _) = registry(vec![
        answer("429 Too Many Requests", "Retry-After: 17\r\n", ""),
        answer(
            "503 Service Unavailable",
            "Retry-After: 3\r\n",
            r#"{"errors":[{"code":"UNAVAILABLE"}]}"#,
        ),
    ])
    .await;
    let client = client(&base);
    for seconds in [17, 3] {
        let error = client.tags("team/app").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(seconds), "{error}");
    }
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let (elsewhere, heard) = registry(vec![answer("200 OK", "", "layer")]).await;
    let location = format!("Location: {elsewhere}/bytes?signature=x\r\n");
    let (base, asked) = registry(vec![
        answer(
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"r\"\r\n",
            "",
        ),
        answer("307 Temporary Redirect", &location, ""),
    ])
    .await;
    let blob = client(&base)
        .blob("app", "sha256:00")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(all(blob).await, b"layer");
    assert!(asked.lock().unwrap()[1].contains("authorization: Basic"));
    let heard = heard.lock().unwrap();
    assert!(
        heard[0].starts_with("GET /bytes?signature=x"),
        "{}",
        heard[0]
    );
    assert!(!heard[0].contains("authorization"), "{}", heard[0]);
}

#[tokio::test]
async fn pages_and_uploads_stay_on_the_registry() {
    let link = "Link: <https://evil.example/v2/_catalog?last=a>; rel=\"next\"\r\n";
    let (base, _) = registry(vec![answer("200 OK", link, r#"{"repositories":["a"]}"#)]).await;
    let error = client(&base).repositories().await.unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");

    for location in [
        "https://evil.example/upload",
        "//evil.example/upload",
        "{host}.evil.example/",
    ] {
        let location = format!("Location: {location}\r\n");
        let (base, asked) = registry(vec![answer("202 Accepted", &location, "")]).await;
        let body = stream::iter([Ok(Bytes::from("layer"))]).boxed();
        let error = client(&base)
            .put_blob("app", "sha256:00", 5, body)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("without a place"), "{error}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn follows_the_pages_of_a_listing() {
    let link = "Link: </v2/app/tags/list?last=v1&n=1000>; rel=\"next\"\r\n";
    let (base, asked) = registry(vec![
        answer("200 OK", link, r#"{"tags":["v1"]}"#),
        answer("200 OK", "", r#"{"tags":["v2"]}"#),
    ])
    .await;
    assert_eq!(client(&base).tags("app").await.unwrap(), ["v1", "v2"]);
    assert!(asked.lock().unwrap()[1].starts_with("GET /v2/app/tags/list?last=v1&n=1000 "));
}

#[tokio::test]
async fn a_blob_is_sent_as_it_comes() {
    let (base, asked) = registry(vec![
        answer(
            "202 Accepted",
            "Location: /v2/app/blobs/uploads/1?state=x\r\n",
            "",
        ),
        answer("201 Created", "", ""),
    ])
    .await;
    let body = stream::iter(["lay", "er"].map(|part| Ok(Bytes::from(part)))).boxed();
    client(&base)
        .put_blob("app", "sha256:00", 5, body)
        .await
        .unwrap();
    let asked = asked.lock().unwrap();
    assert!(
        asked[1].starts_with("PUT /v2/app/blobs/uploads/1?state=x&digest=sha256:00 "),
        "{}",
        asked[1]
    );
    assert!(
        asked[1].contains("content-length: 5\r\n") && asked[1].ends_with("layer"),
        "{}",
        asked[1]
    );
}

#[tokio::test]
async fn an_error_among_the_chunks_ends_the_upload_without_a_blob() {
    let (base, asked) = registry(vec![
        answer("202 Accepted", "Location: /v2/app/blobs/uploads/1\r\n", ""),
        answer("201 Created", "", ""),
        answer("204 No Content", "", ""),
    ])
    .await;
    let body = stream::iter([Ok(Bytes::from("lay")), Err("wrong".into())]).boxed();
    let error = client(&base)
        .put_blob("app", "sha256:00", 5, body)
        .await
        .unwrap_err();
    assert!(matches!(error, OciError::Http(_)), "{error}");
    let asked = asked.lock().unwrap();
    // How much of it left before the connection broke is the system's affair.
    let (_, body) = asked[1].split_once("\r\n\r\n").unwrap_or_default();
    assert!(body.len() < 5, "{}", asked[1]);
    let last = asked.last().unwrap();
    assert!(
        last.starts_with("DELETE /v2/app/blobs/uploads/1 "),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_registry_without_referrers_has_a_tag_for_them() {
    let index = r#"{"manifests":[{"digest":"sha256:11"}]}"#;
    let (base, asked) = registry(vec![
        answer("404 Not Found", "", ""),
        answer("200 OK", "", index),
    ])
    .await;
    assert_eq!(
        client(&base).referrers("app", "sha256:00").await.unwrap(),
        ["sha256:11"]
    );
    assert!(asked.lock().unwrap()[1].starts_with("GET /v2/app/manifests/sha256-00 "));
}

#[tokio::test]
async fn only_failures_that_may_pass_are_transient() {
    for (status, transient) in [
        ("429 Too Many Requests", true),
        ("503 Service Unavailable", true),
        ("403 Forbidden", false),
        ("400 Bad Request", false),
    ] {
        let (base, _) = registry(vec![answer(status, "", "")]).await;
        let error = client(&base).tags("app").await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{status}");
    }
}
