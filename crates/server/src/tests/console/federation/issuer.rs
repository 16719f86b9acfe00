//! An OIDC issuer on loopback over TLS, with a token endpoint.

use std::sync::{Arc, Mutex};

use aws_api::{berth, iam};
use base64::Engine as _;
use identity::federation::oidc::Algorithm;
use identity::federation::provider_key;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::browser::Browser;
use crate::tests::web_identity::jose::Signer;
use crate::tests::world::{ACCOUNT, Reply, World};

pub(super) const CLIENT: &str = "berth-console";

/// What the issuer answers, and what it was asked.
struct State {
    discovery: Value,
    keys: Vec<u8>,
    /// Status and body of the token endpoint.
    token: (u16, String),
    /// Heads and bodies of the calls to the token endpoint.
    asked: Vec<String>,
}

pub(super) struct Issuer {
    /// Its URL without the scheme.
    name: String,
    pub(super) signer: Signer,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    async fn start() -> (Issuer, CertificateDer<'static>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let signer = Signer::new(Algorithm::Es256);
        let url = format!("https://{name}");
        let state = State {
            discovery: json!({
                "issuer": url,
                "jwks_uri": format!("{url}/keys"),
                "authorization_endpoint": format!("{url}/authorize?tenant=1"),
                "token_endpoint": format!("{url}/token"),
            }),
            keys: signer.jwks("k1"),
            token: (400, r#"{"error":"invalid_grant"}"#.to_owned()),
            asked: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(serve(listener, acceptor, Arc::clone(&state)));
        let issuer = Issuer {
            name,
            signer,
            state,
        };
        (issuer, certificate)
    }

    /// Two issuers, and a world whose server may call them.
    pub(super) async fn two_with_world() -> (Issuer, Issuer, World) {
        let (first, one) = Issuer::start().await;
        let (second, other) = Issuer::start().await;
        let world = World::with(|settings| {
            settings.outbound.extra_roots = vec![one, other];
            settings.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        (first, second, world)
    }

    pub(super) async fn with_world() -> (Issuer, World) {
        let (issuer, _, world) = Issuer::two_with_world().await;
        (issuer, world)
    }

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.name)
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", self.name)
    }

    pub(super) fn key(&self) -> String {
        provider_key(&self.arn())
    }

    pub(super) fn set_discovery(&self, name: &str, value: Value) {
        self.state.lock().unwrap().discovery[name] = value;
    }

    /// The calls to the token endpoint.
    pub(super) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The provider in IAM, through which people sign in to the console.
    pub(super) async fn create(&self, world: &World) {
        let input = iam::CreateOpenIDConnectProviderRequest {
            url: self.url(),
            client_id_list: Some(vec!["other".to_owned(), CLIENT.to_owned()]),
            thumbprint_list: Some(vec!["0".repeat(40)]),
            ..Default::default()
        };
        let made = world
            .aws::<iam::ops::CreateOpenIDConnectProvider>(&world.root, &input)
            .await;
        made.unwrap();
        super::put_settings(world, self.settings()).await.unwrap();
    }

    pub(super) fn settings(&self) -> berth::PutProviderSettingsRequest {
        berth::PutProviderSettingsRequest {
            provider_arn: self.arn(),
            console_sign_in: Some(berth::ConsoleSignIn {
                display_name: Some("Company".to_owned()),
                client_id: Some(CLIENT.to_owned()),
                client_secret: Some("hush: very".into()),
                scopes: None,
                has_client_secret: None,
            }),
            ..Default::default()
        }
    }

    pub(super) async fn delete(&self, world: &World) {
        let input = iam::DeleteOpenIDConnectProviderRequest {
            open_id_connect_provider_arn: self.arn(),
        };
        let gone = world
            .aws::<iam::ops::DeleteOpenIDConnectProvider>(&world.root, &input)
            .await;
        gone.unwrap();
    }

    /// The claims of alice's ID token.
    pub(super) fn claims(&self, world: &World, nonce: &str) -> Value {
        let now = world.now().as_second();
        json!({
            "iss": self.url(), "sub": "u-1", "aud": CLIENT, "iat": now - 10, "exp": now + 300, "nonce": nonce,
            "email": "alice@example.com",
        })
    }

    /// Makes the token endpoint answer an ID token.
    pub(super) fn give(&self, token: &str) {
        let answer = json!({"access_token": "x", "token_type": "Bearer", "id_token": token});
        self.state.lock().unwrap().token = (200, answer.to_string());
    }

    /// Signs in as who these claims are about, from begin to end.
    pub(super) async fn sign_in(&self, browser: &mut Browser<'_>, more: &Value) -> Reply {
        let url = super::begin(browser, &self.key(), "/console/roles?x=1").await;
        let sent = super::query(&url);
        let mut claims = self.claims(browser.world, &sent["nonce"]);
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.give(&self.signer.token("k1", &claims));
        let answered = self.answer(&sent["state"]);
        browser.post("federation/finish", &answered).await
    }

    /// What the page posts that the browser comes back to.
    pub(super) fn answer(&self, state: &str) -> Value {
        json!({"kind": "oidc", "provider": self.key(), "state": state, "code": "code-1"})
    }
}

/// S256 of a code verifier.
pub(super) fn challenge(verifier: &str) -> String {
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, state: Arc<Mutex<State>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = tls.accept(stream).await else {
            continue;
        };
        let mut request = Vec::new();
        while !is_whole(&request) {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                break;
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let (status, body) = {
            let mut state = state.lock().unwrap();
            if request.starts_with("GET /keys ") {
                (200, state.keys.clone())
            } else if request.starts_with("POST /token ") {
                state.asked.push(request);
                (state.token.0, state.token.1.clone().into_bytes())
            } else {
                (200, state.discovery.to_string().into_bytes())
            }
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Answer\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        // A client that went away is none of the issuer's business.
        let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        let _ = stream.shutdown().await;
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}
