//! A browser: it keeps the cookie and says where its requests come from.

use aws_api::iam;
use http::Method;
use serde_json::{Value, json};
use sigv4::{PathStyle, RequestParts, SecretKey, Signer};

use crate::tests::world::{Person, Reply, World};

pub(super) const PASSWORD: &str = "Correct-horse1";

pub(super) struct Browser<'w> {
    pub(super) world: &'w World,
    /// The session's, `name=value`
    pub(super) cookie: Option<String>,
    /// That of a sign-in which is on its way.
    pub(super) sign_in_cookie: Option<String>,
}

impl<'w> Browser<'w> {
    pub(super) fn new(world: &'w World) -> Browser<'w> {
        Browser {
            world,
            cookie: None,
            sign_in_cookie: None,
        }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.world.address)
    }

    /// Calls a route as a page of the console does.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.post_with(path, body, &[]).await
    }

    pub(super) async fn post_with(
        &mut self,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Reply {
        let origin = self.origin();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        let cookies: Vec<&str> = [&self.cookie, &self.sign_in_cookie]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let cookies = cookies.join("; ");
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        headers.extend(more);
        let path = format!("/console/{path}");
        let reply = self
            .world
            .send(Method::POST, &path, &headers, body.to_string())
            .await;
        for set in reply.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("; Path=/; Secure; HttpOnly; SameSite=Strict"));
            let pair = set.split(';').next().unwrap();
            let kept = (!pair.ends_with('=')).then(|| pair.to_owned());
            match pair.starts_with("__Host-berth-sign-in=") {
                true => self.sign_in_cookie = kept,
                false => self.cookie = kept,
            }
        }
        reply
    }

    pub(super) async fn sign_in(&mut self, user: &str, password: &str) -> Reply {
        let body = json!({
            "kind": "user", "account": "123456789012", "user": user, "password": password,
        });
        self.post("session", &body).await
    }

    /// Signs in by an access key: the request is signed.
    pub(super) async fn sign_in_by_key(&mut self, person: &Person) -> Reply {
        use sha2::Digest as _;
        let body = json!({"kind": "key"});
        let host = self.world.address.to_string();
        let parts = [
            ("host", host.as_bytes()),
            ("content-type", &b"application/json"[..]),
        ];
        let parts = RequestParts {
            method: "POST",
            path: "/console/session",
            query: "",
            headers: &parts,
        };
        let secret = SecretKey::new(person.secret.as_str());
        let signer = Signer {
            access_key_id: &person.id,
            secret: &secret,
            session_token: person.token.as_deref(),
            region: "us-east-1",
            service: "signin",
            now_epoch_seconds: self.world.now().as_second(),
            path_style: PathStyle::Standard,
        };
        let digest = sha2::Sha256::digest(body.to_string());
        let signed = signer
            .sign(&parts, &aws_types::hex::encode(digest))
            .unwrap();
        let mut more = vec![
            ("authorization", signed.authorization.as_str()),
            ("x-amz-date", signed.x_amz_date.as_str()),
        ];
        if let Some(token) = &signed.x_amz_security_token {
            more.push(("x-amz-security-token", token));
        }
        self.post_with("session", &body, &more).await
    }

    /// The session's credentials, as somebody who calls the APIs.
    pub(super) async fn credentials(&mut self) -> Person {
        let reply = self.post("session/credentials", &json!({})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        person(&reply)
    }

    /// The code of the refusal to give credentials.
    pub(super) async fn refusal(&mut self) -> String {
        let reply = self.post("session/credentials", &json!({})).await;
        assert_ne!(reply.status, 200);
        code(&reply)
    }
}

pub(super) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

pub(super) fn code(reply: &Reply) -> String {
    json_of(reply)["code"].as_str().unwrap().to_owned()
}

/// The credentials of an answer.
pub(super) fn person(reply: &Reply) -> Person {
    let given = json_of(reply);
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    Person {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        token: Some(text("sessionToken")),
    }
}

/// A user with a password and a policy.
pub(super) async fn user(world: &World, name: &str, statements: &str) -> Person {
    let person = world.user(&world.root, name, statements).await;
    password(world, name, false).await;
    person
}

pub(super) async fn password(world: &World, name: &str, reset: bool) {
    let input = iam::CreateLoginProfileRequest {
        user_name: Some(name.to_owned()),
        password: Some(PASSWORD.into()),
        password_reset_required: Some(reset),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateLoginProfile>(&world.root, &input)
        .await
        .unwrap();
}

/// Whether credentials are accepted.
pub(super) async fn works(world: &World, person: &Person) -> bool {
    let input = aws_api::sts::GetCallerIdentityRequest::default();
    let answer = world
        .aws::<aws_api::sts::ops::GetCallerIdentity>(person, &input)
        .await;
    match answer {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused.code, "InvalidClientTokenId", "{refused:?}");
            false
        }
    }
}

/// The events of a name.
pub(super) fn named<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events
        .iter()
        .filter(|event| event["eventName"] == name)
        .collect()
}
