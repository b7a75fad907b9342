"""Accounts of NATS: an operator, an account, a user, each with a JWT that the former signs."""

from __future__ import annotations

import json
import secrets
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import nkeys

__all__ = ["credentials_and_settings"]

_OPERATOR, _ACCOUNT, _USER = 14 << 3, 0, 20 << 3
"""Which letter a public key begins with: O, A, U."""


def credentials_and_settings() -> tuple[str, tuple[str, ...]]:
    """Make a user's `.creds` file, and the lines of a server's configuration that let it in."""
    operator, account, user = map(_pair, (_OPERATOR, _ACCOUNT, _USER))
    limits = {"conn": -1, "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1}
    of_operator = _jwt(operator, operator, {"type": "operator"})
    of_account = _jwt(account, operator, {"type": "account", "limits": limits})
    limits = {"subs": -1, "data": -1, "payload": -1}
    of_user = _jwt(user, account, {"type": "user", **limits})
    credentials = (
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    return credentials, (
        f"operator: {of_operator}",
        "resolver: MEMORY",
        f"resolver_preload: {{ {account.public_key.decode()}: {of_account} }}",
    )


def _pair(prefix: int) -> Any:
    return nkeys.from_seed(nkeys.encode_seed(secrets.token_bytes(32), prefix))


def _jwt(subject: Any, issuer: Any, claims: dict[str, Any]) -> str:
    payload = {
        "iat": 1_700_000_000,
        "iss": issuer.public_key.decode(),
        "name": claims["type"],
        "nats": {"version": 2, **claims},
        "sub": subject.public_key.decode(),
    }
    digest = sha256(json.dumps(payload).encode()).digest()
    payload["jti"] = b32encode(digest).decode().rstrip("=")
    head = _base64(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
    signed = f"{head}.{_base64(json.dumps(payload).encode())}"
    return f"{signed}.{_base64(issuer.sign(signed.encode()))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
