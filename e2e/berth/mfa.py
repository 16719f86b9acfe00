"""Codes of MFA devices."""

import base64
import hashlib
import hmac


def code(seed, step):
    """The code that an authenticator shows (RFC 6238)."""
    tag = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = tag[19] & 15
    return f"{(int.from_bytes(tag[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"
