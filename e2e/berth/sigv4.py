"""AWS Signature Version 4 in a page, written from its description (IAM User Guide, "Create a signed AWS API request").

boto3 signs well; this signs as badly as a test asks for: at any time, for any service, with any body.
"""

import datetime
import hashlib
import hmac
import urllib.parse


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signature(credentials, scope, stamp, canonical):
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return _hmac(key, to_sign).hex()


def sign(credentials, host, body, service, region="us-east-1", now=None, headers=None, method="POST", path="/"):
    """The headers of a signed request; `now` may be any time, `headers` are signed too."""
    stamp = (now or datetime.datetime.now(datetime.UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed = {"host": host, "x-amz-date": stamp} | {k.lower(): v for k, v in (headers or {}).items()}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(signed))
    canonical = "\n".join([
        method, path, "", *(f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)), "", names,
        hashlib.sha256(body).hexdigest(),
    ])
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, "
        f"Signature={_signature(credentials, scope, stamp, canonical)}"
    )
    return signed


def presign(credentials, host, query, service, region="us-east-1", now=None, expires_s=60):
    """The path and query of a presigned GET."""
    stamp = (now or datetime.datetime.now(datetime.UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    full = query | {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": stamp, "X-Amz-Expires": str(expires_s), "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        full["X-Amz-Security-Token"] = credentials.session_token
    text = "&".join(f"{_quote(k)}={_quote(v)}" for k, v in sorted(full.items()))
    canonical = "\n".join(["GET", "/", text, f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()])
    return f"/?{text}&X-Amz-Signature={_signature(credentials, scope, stamp, canonical)}"


def _quote(text):
    return urllib.parse.quote(text, safe="-_.~")
