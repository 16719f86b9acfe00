//! AWS's published signing test suite, every case of it. The package `aws-sigv4` ships it; cargo says
//! where that lies, and nothing of it is copied here.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    CredentialScope, Expected, PathStyle, RequestParts, SecretKey, SigError, Signer, canonical,
    parse, time,
};

/// How many cases the suite has: should a new version lose or gain some, somebody must look.
const CASES: usize = 40;

fn suite() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Of all platforms' packages cargo needs only this one's, which building the test has brought.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "aws-sigv4")
        .expect("`aws-sigv4` is a dev-dependency");
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.with_file_name("aws-signing-test-suite").join("v4")
}

/// A request as a file tells it: a request line, headers, an empty line, a body.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn read(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        // The path of a case may hold a space, and one case has no version.
        let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                // A folded line is one with a space between (RFC 9112, section 5.2).
                let (_, value) = headers.last_mut().unwrap();
                value.push(' ');
                value.push_str(line);
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let [method, path, query, body] = [method, path, query, body].map(str::to_owned);
        Self {
            method,
            path,
            query,
            headers,
            body,
        }
    }

    fn headers(&self) -> Vec<(&str, &[u8])> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect()
    }

    fn payload_sha256_hex(&self) -> String {
        aws_types::hex::encode(Sha256::digest(&self.body))
    }
}

struct Case {
    folder: PathBuf,
    name: String,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases: Vec<Self> = std::fs::read_dir(suite())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                Self {
                    folder: entry.path(),
                    name,
                }
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(cases.len(), CASES);
        cases
    }

    fn read(&self, file: &str) -> String {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        text.trim_end_matches('\n').to_owned()
    }

    /// The two cases of an older suite have no context: each shows the encoding of a path.
    fn is_old(&self) -> bool {
        self.name.starts_with("double-")
    }

    fn context(&self) -> Value {
        serde_json::from_str(&self.read("context.json")).unwrap()
    }

    fn path_style(&self, context: &Value) -> PathStyle {
        match (self.name.as_str(), context["normalize"].as_bool().unwrap()) {
            // The suite's one path with an escape in it is meant to be encoded once.
            ("get-space-normalized", _) => PathStyle::S3,
            (_, true) => PathStyle::Standard,
            (_, false) => PathStyle::Unnormalized,
        }
    }
}

#[test]
fn every_case_is_signed_and_verified_in_the_header() {
    for case in Case::all().iter().filter(|case| !case.is_old()) {
        let context = case.context();
        let credentials = &context["credentials"];
        let secret = SecretKey::new(credentials["secret_access_key"].as_str().unwrap());
        let token = credentials["token"].as_str();
        // Some services want the token beside the signature and not under it.
        let token_is_unsigned = context["omit_session_token"] == true;
        let style = case.path_style(&context);
        let iso = context["timestamp"]
            .as_str()
            .unwrap()
            .replace(['-', ':'], "");
        let now = time::parse_iso_basic(&iso).unwrap();

        let mut request = Request::read(&case.read("request.txt"));
        let payload = request.payload_sha256_hex();
        if context["sign_body"] == true {
            request
                .headers
                .push(("x-amz-content-sha256".into(), payload.clone()));
        }
        let headers = request.headers();
        let parts = RequestParts {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let signer = Signer {
            access_key_id: credentials["access_key_id"].as_str().unwrap(),
            secret: &secret,
            session_token: token.filter(|_| !token_is_unsigned),
            region: context["region"].as_str().unwrap(),
            service: context["service"].as_str().unwrap(),
            now_epoch_seconds: now,
            path_style: style,
        };
        let signed = signer.sign(&parts, &payload).unwrap();
        let (_, signature) = signed.authorization.rsplit_once('=').unwrap();
        assert_eq!(
            signature,
            case.read("header-signature.txt"),
            "{}",
            case.name
        );

        // The request as the suite signed it, on the server's side.
        let request = Request::read(&case.read("header-signed-request.txt"));
        let headers = request.headers();
        let parts = RequestParts {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let presented = parse(&parts).unwrap();
        let text = canonical::request(&parts, presented.signed_headers(), &payload, style).unwrap();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            case.read("header-canonical-request.txt"),
            "{}",
            case.name
        );
        assert_eq!(
            canonical::string_to_sign(&iso, presented.scope(), &text),
            case.read("header-string-to-sign.txt"),
            "{}",
            case.name
        );
        let expected = Expected {
            service: "service",
            region: Some("us-east-1"),
            payload_sha256_hex: &payload,
            now_epoch_seconds: now,
            path_style: style,
            lifetime: crate::Lifetime::Stated,
        };
        let verified = presented.verify(&parts, &secret, &expected);
        if token_is_unsigned && token.is_some() {
            assert_eq!(
                verified,
                Err(SigError::must_be_signed("X-Amz-Security-Token"))
            );
        } else {
            assert_eq!(verified, Ok(()), "{}", case.name);
            assert_eq!(presented.session_token(), token);
        }
    }
}

#[test]
fn every_case_is_signed_and_verified_in_the_query() {
    for case in Case::all().iter().filter(|case| !case.is_old()) {
        let context = case.context();
        let credentials = &context["credentials"];
        let secret = SecretKey::new(credentials["secret_access_key"].as_str().unwrap());
        let token = credentials["token"].as_str();
        let token_is_unsigned = context["omit_session_token"] == true;
        let style = case.path_style(&context);
        let iso = context["timestamp"]
            .as_str()
            .unwrap()
            .replace(['-', ':'], "");
        let now = time::parse_iso_basic(&iso).unwrap();
        let expires = context["expiration_in_seconds"].as_u64().unwrap();

        let request = Request::read(&case.read("request.txt"));
        let payload = request.payload_sha256_hex();
        let headers = request.headers();
        let parts = RequestParts {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let signer = Signer {
            access_key_id: credentials["access_key_id"].as_str().unwrap(),
            secret: &secret,
            session_token: token.filter(|_| !token_is_unsigned),
            region: context["region"].as_str().unwrap(),
            service: context["service"].as_str().unwrap(),
            now_epoch_seconds: now,
            path_style: style,
        };
        let query = signer
            .presign(&parts, &payload, u32::try_from(expires).unwrap())
            .unwrap();
        let (_, signature) = query.rsplit_once('=').unwrap();
        assert_eq!(signature, case.read("query-signature.txt"), "{}", case.name);

        let request = Request::read(&case.read("query-signed-request.txt"));
        let headers = request.headers();
        let parts = RequestParts {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let presented = parse(&parts).unwrap();
        assert!(presented.is_presigned());
        let expected = Expected {
            service: "service",
            region: Some("us-east-1"),
            payload_sha256_hex: &payload,
            now_epoch_seconds: now + i64::try_from(expires).unwrap(),
            path_style: style,
            lifetime: crate::Lifetime::Stated,
        };
        let verified = presented.verify(&parts, &secret, &expected);
        if token_is_unsigned && token.is_some() {
            assert_eq!(
                verified,
                Err(SigError::mismatch()),
                "a token was added to the query"
            );
            continue;
        }
        assert_eq!(verified, Ok(()), "{}", case.name);
        assert_eq!(presented.session_token(), token);
        let text = canonical::request(&parts, presented.signed_headers(), &payload, style).unwrap();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            case.read("query-canonical-request.txt"),
            "{}",
            case.name
        );
        assert_eq!(
            canonical::string_to_sign(&iso, presented.scope(), &text),
            case.read("query-string-to-sign.txt"),
            "{}",
            case.name
        );
    }
}

#[test]
fn the_older_cases_encode_their_paths_twice() {
    let old: Vec<Case> = Case::all().into_iter().filter(Case::is_old).collect();
    assert_eq!(old.len(), 2);
    for case in old {
        let wanted = case.read("header-canonical-request.txt");
        let mut request = Request::read(&case.read("request.txt"));
        // One of them has a time in its request and another one in its canonical request.
        let date = wanted
            .split("x-amz-date:")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned();
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case("x-amz-date") {
                value.clone_from(&date);
            }
        }
        let headers = request.headers();
        let parts = RequestParts {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
        };
        let names = ["host".to_owned(), "x-amz-date".to_owned()];
        let payload = request.payload_sha256_hex();
        let text = canonical::request(&parts, &names, &payload, PathStyle::Standard).unwrap();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            wanted,
            "{}",
            case.name
        );
        if case.name == "double-url-encode" {
            let scope = CredentialScope {
                date: "20210511".into(),
                region: "us-east-2".into(),
                service: "lambda".into(),
            };
            let string = canonical::string_to_sign(&date, &scope, &text);
            assert_eq!(string, case.read("header-string-to-sign.txt"));
        }
    }
}
