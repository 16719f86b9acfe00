//! An identity provider on loopback: its discovery document and keys over TLS, and tokens.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::certificate::Certificate;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The audience of the tokens.
pub const AUDIENCE: &str = "bench";
/// A client that says nothing is left after this time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A running issuer. Its thread ends with the process.
pub struct Issuer {
    pub url: String,
    /// The certificate authority that the server must trust, as a PEM file.
    pub authority: PathBuf,
    key: EcdsaKeyPair,
}

impl Issuer {
    /// Starts an issuer; `dir` is for its certificate.
    pub fn start(dir: &Path) -> Result<Issuer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://127.0.0.1:{}", listener.local_addr()?.port());
        let certificate = Certificate::new(dir)?;
        let tls = certificate.server()?;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let documents = documents(&url, &key);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(error) = answer(stream, &tls, &documents) {
                    eprintln!("the issuer could not answer: {error}");
                }
            }
        });
        Ok(Issuer {
            url,
            authority: certificate.authority,
            key,
        })
    }

    /// A token that is valid for an hour.
    pub fn token(&self) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({"alg": "ES256", "kid": "bench", "typ": "JWT"});
        let claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "job", "iat": now, "exp": now + 3600,
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The discovery document and the keys (OpenID Connect Discovery 1.0, RFC 7517).
fn documents(url: &str, key: &EcdsaKeyPair) -> [(&'static str, String); 2] {
    let discovery = json!({
        "issuer": url, "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    // An uncompressed point: a byte, then both coordinates (SEC 1, section 2.3.3).
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let keys = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "bench",
        "x": encode(x), "y": encode(y),
    }]});
    [
        ("/.well-known/openid-configuration", discovery.to_string()),
        ("/keys", keys.to_string()),
    ]
}

/// Answers one request and closes the connection.
fn answer(stream: TcpStream, tls: &Arc<ServerConfig>, documents: &[(&str, String)]) -> Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(tls))?, stream);
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            // Who only looks at the certificate hangs up.
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => head.extend_from_slice(&chunk[..read?]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let found = documents.iter().find(|(at, _)| *at == path);
    let (status, body) = match found {
        Some((_, body)) => ("200 OK", body.as_str()),
        None => ("404 Not Found", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}
