"""The signature of a webhook request: HMAC-SHA256 with the secret that pmslink and the receiver share."""

from __future__ import annotations

import hmac
from hashlib import sha256


def compute_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return HMAC-SHA256 over `timestamp`, a full stop and `body`, in hexadecimal digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def signature_headers(secret: str, timestamp: str, body: bytes) -> dict[str, list[str]]:
    """Return the headers that let a receiver verify who sent a request, and when.

    `timestamp` is in whole seconds since 1970 UTC.
    """
    return {
        "x-pmslink-timestamp": [timestamp],
        "x-pmslink-signature": [f"sha256={compute_signature(secret, timestamp, body)}"],
    }
