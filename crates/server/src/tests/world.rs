//! A server on a fresh database with people who call it, and a clock that is moved.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_api::{Op, Service, iam, sts};
use aws_types::SystemEntropy;
use base64::Engine as _;
use blobs::{Blobs, Owner};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use identity::{Caller, Identity, MasterKey, Sealer};
use jiff::Timestamp;
use sigv4::{PathStyle, RequestParts, SecretKey, Signer};
use store::testing::TestStore;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::outbound::OutboundSettings;
use crate::probe::DiskSettings;
use crate::serve::{Server, Settings};
use crate::transport::TransportSettings;
use authz::{Client, RequestContext};

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const OTHER: &str = "444455556666";

pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) address: SocketAddr,
    pub(super) root: Person,
    pub(super) directory: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _store: TestStore,
}

/// Somebody with an access key or a session's credentials.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The code of a registry's error.
    pub(super) fn oci_code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["errors"][0]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// An error of an AWS API, as a client sees it.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl World {
    pub(super) async fn new() -> World {
        World::with(|_| {}).await
    }

    /// A world whose server has other settings.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> World {
        World::over(|blobs| blobs, change).await
    }

    /// A world whose server has another store of bytes.
    pub(super) async fn over(
        blobs: impl FnOnce(Blobs) -> Blobs,
        change: impl FnOnce(&mut Settings),
    ) -> World {
        let store = store::testing::sqlite().await;
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_795_348_800)); // 2026-11-22T12:00:00Z
        let now = Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
        let entropy = Arc::new(SystemEntropy);
        let master = MasterKey::generate(&*entropy).unwrap();
        let sealer = Sealer::load(store.store.clone(), &master, entropy.clone(), now)
            .await
            .unwrap();
        let settings = identity::Settings::default();
        let identity = Identity::open(store.store.clone(), sealer, entropy, settings).unwrap();
        let root = account(&identity, ACCOUNT, now).await;
        let owner = Owner {
            database: store.store.id(),
            is_shared: true,
        };
        let directory_store = Blobs::open_directory(directory.path().join("blobs"), owner)
            .await
            .unwrap();
        let blobs = blobs(directory_store);
        let ticking = Arc::clone(&clock);
        let mut settings = Settings {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            public_url: None,
            region: "us-east-1".parse().unwrap(),
            account_id: ACCOUNT.parse().unwrap(),
            tls: None,
            audit_dir: directory.path().join("audit"),
            history: registry::HistoryLimits::default(),
            collect_after: std::time::Duration::from_secs(24 * 3600),
            backup_dir: Some(directory.path().join("backups")),
            scrub: registry::integrity::ScrubPace::default(),
            disks: DiskSettings::default(),
            outbound: OutboundSettings::default(),
            token_auth: false,
            transport: TransportSettings::default(),
            clock: Arc::new(move || {
                Timestamp::from_second(ticking.load(Ordering::SeqCst)).unwrap()
            }),
        };
        change(&mut settings);
        let server = Server::bind(settings, store.store.clone(), blobs, identity)
            .await
            .unwrap();
        let address = server.addresses()[0];
        let app = server.app();
        // Before any request, so that it comes first in the log.
        app.record_service_events().await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        World {
            app,
            address,
            root,
            directory,
            clock,
            stop: Some(stop),
            running,
            _store: store,
        }
    }

    /// Makes the account of a request now: what the job of it does, which the
    /// server's own runner may have done already.
    pub(super) async fn finish_account(&self, request: &str) {
        let organizations = self.app.identity.organizations();
        organizations
            .finish_account(authz::ServiceName::Organizations, request, self.now())
            .await
            .unwrap();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Stops the server in its orderly way and answers the audit log's events.
    pub(super) async fn stop(mut self) -> Vec<serde_json::Value> {
        self.stop.take().unwrap().send(()).unwrap();
        drop(self.app);
        self.running.await.unwrap();
        let mut events = Vec::new();
        let files = std::fs::read_dir(self.directory.path().join("audit"));
        // None were written where nothing happened.
        for file in files.into_iter().flatten() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            events.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
        }
        events
    }

    /// The root user of another account.
    pub(super) async fn other_account(&self) -> Person {
        account(&self.app.identity, OTHER, self.now()).await
    }

    /// A user of `root`'s account with an inline policy of `statements`.
    pub(super) async fn user(&self, root: &Person, name: &str, statements: &str) -> Person {
        let user_name = name.to_owned();
        let input = iam::CreateUserRequest {
            user_name,
            ..Default::default()
        };
        self.aws::<iam::ops::CreateUser>(root, &input)
            .await
            .unwrap();
        if !statements.is_empty() {
            self.policy(root, name, statements).await;
        }
        let input = iam::CreateAccessKeyRequest {
            user_name: Some(name.to_owned()),
        };
        let key = self
            .aws::<iam::ops::CreateAccessKey>(root, &input)
            .await
            .unwrap()
            .access_key;
        Person {
            id: key.access_key_id,
            secret: key.secret_access_key.expose().clone(),
            token: None,
        }
    }

    /// Replaces a user's inline policy.
    pub(super) async fn policy(&self, root: &Person, user: &str, statements: &str) {
        let input = iam::PutUserPolicyRequest {
            user_name: user.to_owned(),
            policy_name: "inline".to_owned(),
            policy_document: document(statements),
        };
        self.aws::<iam::ops::PutUserPolicy>(root, &input)
            .await
            .unwrap();
    }

    pub(super) async fn repository(&self, root: &Person, name: &str) {
        let input = aws_api::ecr::CreateRepositoryRequest {
            repository_name: name.to_owned(),
            ..Default::default()
        };
        self.aws::<aws_api::ecr::ops::CreateRepository>(root, &input)
            .await
            .unwrap();
    }

    /// A role that `trusted` may assume, with an inline policy of `statements`.
    pub(super) async fn role(&self, root: &Person, name: &str, trusted: &str, statements: &str) {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{trusted}"}},"Action":["sts:AssumeRole","sts:TagSession"]}}"#
        );
        let input = iam::CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: document(&statement),
            ..Default::default()
        };
        self.aws::<iam::ops::CreateRole>(root, &input)
            .await
            .unwrap();
        let input = iam::PutRolePolicyRequest {
            role_name: name.to_owned(),
            policy_name: "inline".to_owned(),
            policy_document: document(statements),
        };
        self.aws::<iam::ops::PutRolePolicy>(root, &input)
            .await
            .unwrap();
    }

    pub(super) async fn assume(
        &self,
        person: &Person,
        input: &sts::AssumeRoleRequest,
    ) -> Result<Person, Refused> {
        let answer = self.aws::<sts::ops::AssumeRole>(person, input).await?;
        let credentials = answer.credentials.unwrap();
        Ok(Person {
            id: credentials.access_key_id,
            secret: credentials.secret_access_key.expose().clone(),
            token: Some(credentials.session_token.expose().clone()),
        })
    }

    /// Who a person is to the server.
    pub(super) async fn caller(&self, person: &Person) -> Arc<Caller> {
        let identity = &self.app.identity;
        let token = person.token.as_deref();
        let key = identity.find_key(&person.id, token).await.unwrap();
        identity.caller(&key.principal, self.now()).await.unwrap()
    }

    pub(super) async fn context(&self, person: &Person) -> RequestContext {
        let caller = self.caller(person).await;
        RequestContext {
            account: caller.account,
            caller,
            region: "us-east-1".parse().unwrap(),
            now: self.now(),
            request_id: "test".into(),
            client: Client {
                address: "127.0.0.1".parse().unwrap(),
                secure: false,
                user_agent: "test".into(),
                referer: None,
            },
        }
    }

    /// The `Authorization` header of a docker login, made without asking whether the person may.
    pub(super) async fn login(&self, person: &Person) -> String {
        let caller = self.caller(person).await;
        let made = self
            .app
            .identity
            .issue_registry_password(&caller, self.now());
        let password = format!("AWS:{}", made.unwrap().0.expose());
        let password = base64::engine::general_purpose::STANDARD.encode(password);
        format!("Basic {password}")
    }

    /// Calls an operation as a client does: written, signed, sent, read.
    pub(super) async fn aws<O: Op>(
        &self,
        person: &Person,
        input: &O::Input,
    ) -> Result<O::Output, Refused> {
        let request = aws_api::encode_request::<O>(input);
        let service = O::OPERATION.service();
        let sent = super::sample::Sent::from((O::OPERATION, request));
        let reply = self.call_operation(person, service, &sent).await;
        match reply.status {
            200 => Ok(aws_api::decode_response::<O>(&reply.body).unwrap()),
            _ => Err(refused(service, &reply)),
        }
    }

    /// Sends a signed request to `/`.
    pub(super) async fn call(
        &self,
        person: &Person,
        service: Service,
        target: Option<&str>,
        content_type: &str,
        body: Bytes,
    ) -> Reply {
        let headers = self.signed(person, service, target, content_type, &body);
        let headers: Vec<_> = headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        self.send(Method::POST, "/", &headers, body).await
    }

    /// Sends a signed request of any protocol.
    pub(super) async fn call_operation(
        &self,
        person: &Person,
        service: Service,
        sent: &super::sample::Sent,
    ) -> Reply {
        let line = (sent.method.as_str(), sent.path.as_str());
        let target = sent.target.as_deref();
        let kind = sent.content_type;
        let headers = self.signed_at("us-east-1", person, service, line, target, kind, &sent.body);
        let headers: Vec<_> = headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        self.send(sent.method.clone(), &sent.path, &headers, sent.body.clone())
            .await
    }

    /// The headers of a signed request.
    pub(super) fn signed(
        &self,
        person: &Person,
        service: Service,
        target: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        self.signed_for("us-east-1", person, service, target, content_type, body)
    }

    /// The same for another region.
    pub(super) fn signed_for(
        &self,
        region: &str,
        person: &Person,
        service: Service,
        target: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        let line = ("POST", "/");
        self.signed_at(region, person, service, line, target, content_type, body)
    }

    /// The same for another method and path.
    #[allow(clippy::too_many_arguments)]
    fn signed_at(
        &self,
        region: &str,
        person: &Person,
        service: Service,
        (method, path): (&str, &str),
        target: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        use sha2::Digest as _;
        let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
        if let Some(target) = target {
            headers.push(("x-amz-target".to_owned(), target.to_owned()));
        }
        let host = self.address.to_string();
        let mut parts: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        parts.extend(headers.iter().map(|(k, v)| (k.as_str(), v.as_bytes())));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts = RequestParts {
            method,
            path,
            query,
            headers: &parts,
        };
        let secret = SecretKey::new(person.secret.as_str());
        let signer = Signer {
            access_key_id: &person.id,
            secret: &secret,
            session_token: person.token.as_deref(),
            region,
            service: service.signing_name(),
            now_epoch_seconds: self.now().as_second(),
            path_style: PathStyle::Standard,
        };
        let signed = signer
            .sign(&parts, &aws_types::hex::encode(sha2::Sha256::digest(body)))
            .unwrap();
        headers.push(("authorization".to_owned(), signed.authorization));
        headers.push(("x-amz-date".to_owned(), signed.x_amz_date));
        if let Some(token) = signed.x_amz_security_token {
            headers.push(("x-amz-security-token".to_owned(), token));
        }
        headers
    }

    /// One request on a connection of its own.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        connection.abort();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }
}

pub(super) fn refused(service: Service, reply: &Reply) -> Refused {
    let error_type = reply.header("x-amzn-errortype");
    let error_type = (!error_type.is_empty()).then_some(error_type);
    let error = aws_api::decode_error(service, error_type, &reply.body);
    Refused {
        status: reply.status,
        code: error.code,
        message: error.message,
    }
}

async fn account(identity: &Identity, id: &str, now: Timestamp) -> Person {
    let id = id.parse().unwrap();
    let root = identity
        .create_account(authz::ServiceName::FirstStart, id, "test", None, now)
        .await
        .unwrap();
    Person {
        id: root.access_key_id,
        secret: root.secret.expose().clone(),
        token: None,
    }
}

pub(super) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// `{"Effect":…,"Action":…,"Resource":…}`
pub(super) fn statement(effect: &str, actions: &[&str], resource: &str) -> String {
    let statement = HashMap::from([
        ("Effect", serde_json::json!(effect)),
        ("Action", serde_json::json!(actions)),
        ("Resource", serde_json::json!(resource)),
    ]);
    serde_json::to_string(&statement).unwrap()
}
