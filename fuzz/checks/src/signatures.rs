//! AWS signatures in requests: parsed, checked, and verified against requests that were signed.

use sigv4::{Expected, Lifetime, PathStyle, Presented, RequestParts, SecretKey, SigError, Signer};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW_EPOCH_SECONDS: i64 = 1_795_700_000;
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request as lines: the method, the path, the query, then headers as `name: value`.
///
/// Nothing that an attacker sends is accepted without the secret: whatever was parsed, verification
/// with another secret fails, and so does the same request with one part changed.
pub fn parse(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).ok();
    let (Some(method), Some(path), Some(query)) = (text(), text(), text()) else {
        return;
    };
    let headers: Vec<(&str, &[u8])> = lines
        .filter_map(|line| {
            let at = line.windows(2).position(|pair| pair == b": ")?;
            Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 2..]))
        })
        .collect();
    let parts = RequestParts {
        method,
        path,
        query,
        headers: &headers,
    };
    match sigv4::parse(&parts) {
        Ok(presented) => presented_invariants(&presented, &parts),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Requests that are signed with the secret: in their headers and in their query, with and without a
/// session token.
pub fn seeds() -> Vec<Vec<u8>> {
    let secret = SecretKey::new(SECRET);
    let headers: [(&str, &[u8]); 3] = [
        ("host", b"api.ecr.us-east-1.amazonaws.com"),
        ("content-type", b"application/x-amz-json-1.1"),
        (
            "x-amz-target",
            b"AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        ),
    ];
    let mut seeds = Vec::new();
    for session_token in [None, Some("FwoGZXIvYXdzEBYaDHnc")] {
        let signer = Signer {
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            secret: &secret,
            session_token,
            region: "us-east-1",
            service: "ecr",
            now_epoch_seconds: NOW_EPOCH_SECONDS,
            path_style: PathStyle::Standard,
        };
        for (path, query) in [("/", ""), ("/a%20b/../c", "x=1&y=%2F&x=0")] {
            let parts = RequestParts {
                method: "POST",
                path,
                query,
                headers: &headers,
            };
            let signed = signer.sign(&parts, EMPTY_SHA256).expect("a signature");
            let mut lines = request(&parts, query);
            lines.push_str(&format!("\nx-amz-date: {}", signed.x_amz_date));
            if let Some(token) = &signed.x_amz_security_token {
                lines.push_str(&format!("\nx-amz-security-token: {token}"));
            }
            lines.push_str(&format!("\nauthorization: {}", signed.authorization));
            seeds.push(lines.into_bytes());
            let presigned = signer
                .presign(&parts, EMPTY_SHA256, 60)
                .expect("a signature");
            seeds.push(request(&parts, &presigned).into_bytes());
        }
    }
    seeds
}

fn request(parts: &RequestParts<'_>, query: &str) -> String {
    let mut lines = format!("{}\n{}\n{query}", parts.method, parts.path);
    for (name, value) in parts.headers {
        lines.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value)));
    }
    lines
}

fn presented_invariants(presented: &Presented, parts: &RequestParts<'_>) {
    let headers = presented.signed_headers();
    assert!(headers.is_sorted(), "{headers:?}");
    let lower = |name: &String| !name.bytes().any(|byte| byte.is_ascii_uppercase());
    assert!(headers.iter().all(lower), "{headers:?}");
    let secret = SecretKey::new(SECRET);
    for path_style in [PathStyle::Standard, PathStyle::Unnormalized, PathStyle::S3] {
        let expected = Expected {
            service: "ecr",
            region: None,
            payload_sha256_hex: EMPTY_SHA256,
            now_epoch_seconds: presented.signed_at_epoch_seconds(),
            path_style,
            lifetime: Lifetime::Stated,
        };
        let verified = presented.verify(parts, &secret, &expected);
        let other = presented.verify(parts, &SecretKey::new("another"), &expected);
        assert!(other.is_err(), "verified with another secret");
        if verified.is_ok() {
            let changed = RequestParts {
                method: "TRACE",
                ..*parts
            };
            let changed = presented.verify(&changed, &secret, &expected);
            assert!(matches!(
                changed,
                Err(SigError::SignatureDoesNotMatch { .. })
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_signed() {
        for seed in seeds() {
            let text = String::from_utf8(seed).expect("text");
            let mut lines = text.lines();
            let mut line = || lines.next().expect("a line");
            let (method, path, query) = (line(), line(), line());
            let headers = lines.map(|line| line.split_once(": ").expect("a header"));
            let headers: Vec<(&str, &[u8])> = headers
                .map(|(name, value)| (name, value.as_bytes()))
                .collect();
            let parts = RequestParts {
                method,
                path,
                query,
                headers: &headers,
            };
            let presented = sigv4::parse(&parts).expect("a signature");
            let expected = Expected {
                service: "ecr",
                region: Some("us-east-1"),
                payload_sha256_hex: EMPTY_SHA256,
                now_epoch_seconds: NOW_EPOCH_SECONDS,
                path_style: PathStyle::Standard,
                lifetime: Lifetime::Stated,
            };
            let verified = presented.verify(&parts, &SecretKey::new(SECRET), &expected);
            assert!(verified.is_ok(), "{verified:?} {text}");
        }
    }
}
