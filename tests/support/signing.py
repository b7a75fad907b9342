"""Keys and tokens of an issuer, for tests."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import get_default_algorithms

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
ISSUER, AUDIENCE = "https://login.example.com", "tasks"


def public_pem(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def jwk(key: Any, algorithm: str, key_id: str | None, **more: Any) -> dict[str, Any]:
    made = dict(get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True))
    named = {} if key_id is None else {"kid": key_id}
    return {**made, "alg": algorithm, "use": "sig", **named, **more}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims, with some changed; those that are `None` are left out."""
    made = {
        "sub": "ada",
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 600,
        "roles": ["clerk"],
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(
    key: Any = RSA, algorithm: str = "RS256", key_id: str | None = None, **changed: Any
) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers=headers)
