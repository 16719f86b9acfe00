//! A request that can be signed, changed and shown to a server.
#![allow(clippy::unwrap_used, dead_code)]

use sigv4::{Expected, Lifetime, PathStyle, RequestParts, SecretKey, SigError, Signer, parse};

pub const NOW: i64 = 1_440_938_160; // 20150830T123600Z
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub payload_sha256_hex: String,
}

impl Request {
    pub fn get(path: &str, query: &str) -> Self {
        Self {
            method: "GET".into(),
            path: path.into(),
            query: query.into(),
            headers: vec![("Host".into(), b"sts.example.com".to_vec())],
            payload_sha256_hex: EMPTY.into(),
        }
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self
    }

    pub fn header(&self, name: &str) -> String {
        let found = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    }

    /// The same with another text in a header.
    pub fn replaced(self, name: &str, from: &str, to: &str) -> Self {
        let old = self.header(name);
        assert!(old.contains(from), "{old}");
        self.without(name).with(name, old.replacen(from, to, 1))
    }

    pub fn requeried(mut self, from: &str, to: &str) -> Self {
        assert!(self.query.contains(from), "{}", self.query);
        self.query = self.query.replacen(from, to, 1);
        self
    }

    fn seen<T>(&self, look: impl FnOnce(&RequestParts<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        look(&RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
        })
    }

    pub fn signed(self) -> Self {
        self.signed_with(None)
    }

    pub fn signed_with(self, token: Option<&str>) -> Self {
        let secret = SecretKey::new(SECRET);
        let payload = self.payload_sha256_hex.clone();
        let signed = self
            .seen(|parts| signer(&secret, token).sign(parts, &payload))
            .unwrap();
        let mut request = self
            .with("X-Amz-Date", signed.x_amz_date)
            .with("Authorization", signed.authorization);
        if let Some(token) = signed.x_amz_security_token {
            request = request.with("X-Amz-Security-Token", token);
        }
        request
    }

    pub fn presigned(mut self, expires_seconds: u32) -> Self {
        let secret = SecretKey::new(SECRET);
        let payload = self.payload_sha256_hex.clone();
        self.query = self
            .seen(|parts| signer(&secret, None).presign(parts, &payload, expires_seconds))
            .unwrap();
        self
    }

    /// What a server says to it at this time.
    pub fn shown_at(&self, now: i64) -> Result<(), SigError> {
        let expected = Expected {
            service: "sts",
            region: Some("us-east-1"),
            payload_sha256_hex: &self.payload_sha256_hex,
            now_epoch_seconds: now,
            path_style: PathStyle::Standard,
            lifetime: Lifetime::Stated,
        };
        let secret = SecretKey::new(SECRET);
        self.seen(|parts| parse(parts)?.verify(parts, &secret, &expected))
    }

    pub fn shown(&self) -> Result<(), SigError> {
        self.shown_at(NOW)
    }
}

fn signer<'a>(secret: &'a SecretKey, session_token: Option<&'a str>) -> Signer<'a> {
    Signer {
        access_key_id: "AKIDEXAMPLE",
        secret,
        session_token,
        region: "us-east-1",
        service: "sts",
        now_epoch_seconds: NOW,
        path_style: PathStyle::Standard,
    }
}
