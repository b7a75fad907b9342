"""Keys that tokens are signed with, each with the one algorithm that it is good for.

Knows PEM files (RFC 7468), JSON Web Keys (RFC 7517) and PyJWT. Must not know where
they come from, nor tokens.

The algorithm belongs to the key and never comes from the token: otherwise whoever
writes a token chooses how it is checked (RFC 8725 section 3.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt import PyJWK
from jwt.exceptions import PyJWTError

__all__ = ["VerifyingKey", "key_of_pem", "key_of_secret", "keys_of_set"]

_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""A key is at least as long as the hash (RFC 7518 section 3.2)."""

_OF_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_RSA_BITS = 2048
"""RFC 7518 section 3.3."""

_OF_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, and how it is used.

    Args:
        algorithm: the only one that a token under this key may have.
        key: as PyJWT takes it.
    """

    algorithm: str
    key: Any


def key_of_secret(secret: str | bytes, algorithm: str | None = None) -> VerifyingKey:
    """A secret that the issuer shares with this server.

    Args:
        secret: at least as long as the hash of the algorithm.
        algorithm: `HS256` by default.

    Raises:
        ValueError: the secret is too short, or the algorithm not one of secrets.
    """
    algorithm = algorithm or "HS256"
    least = _SECRET_BYTES.get(algorithm)
    if least is None:
        raise _wrong_algorithm("a secret", algorithm, tuple(_SECRET_BYTES))
    raw = secret.encode() if isinstance(secret, str) else secret
    if len(raw) < least:
        raise ValueError(
            f"secret: at least {least} bytes expected for {algorithm}, got {len(raw)}: "
            "`openssl rand -base64 48` makes a good one"
        )
    if raw.lstrip().startswith(b"-----BEGIN"):
        raise ValueError("secret: this is a key file, not a secret: give it as key_file")
    return VerifyingKey(algorithm, raw)


def key_of_pem(pem: bytes, algorithm: str | None = None) -> VerifyingKey:
    """A public key, or a certificate, in PEM.

    Args:
        pem: the content of the file.
        algorithm: by default that of the kind of key: `RS256`, `ES256` and so on, `EdDSA`.

    Raises:
        ValueError: it is no public key, too weak, or of another algorithm.
    """
    if b"PRIVATE KEY-----" in pem:
        raise ValueError("a private key: this server needs only the public one, to verify")
    try:
        if b"BEGIN CERTIFICATE-----" in pem:
            key: Any = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except ValueError as reason:
        raise ValueError(f"no public key in PEM: {reason}") from None
    return VerifyingKey(_algorithm_of(key, algorithm), key)


def keys_of_set(text: bytes | str) -> dict[str | None, VerifyingKey]:
    """The keys of a JSON Web Key Set by their ids, as far as they are of use here.

    Left out are keys that are not for signatures, secrets (a set is public), and
    those of kinds that are not known: RFC 7517 section 5 asks for that.

    Raises:
        ValueError: it is no key set, or no key of it can be used.
    """
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    keys = parsed.get("keys") if isinstance(parsed, Mapping) else None
    if not isinstance(keys, list):
        raise ValueError('no JSON Web Key Set: {"keys": [...]} expected')
    found: dict[str | None, VerifyingKey] = {}
    reasons: list[str] = []
    for jwk in keys:
        try:
            found.setdefault(_id_of(jwk), _key_of_jwk(jwk))
        except (ValueError, PyJWTError) as reason:
            reasons.append(str(reason)[:80])
    if not found:
        raise ValueError(f"no key of the set can be used: {'; '.join(reasons) or 'it is empty'}")
    return found


def _id_of(jwk: object) -> str | None:
    key_id = jwk.get("kid") if isinstance(jwk, Mapping) else None
    return key_id if isinstance(key_id, str) else None


def _key_of_jwk(jwk: object) -> VerifyingKey:
    if not isinstance(jwk, Mapping):
        raise ValueError("a key that is no object")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ValueError("a key that is not for signatures")
    if jwk.get("kty") == "oct":
        raise ValueError("a secret in a public set")
    # Of a private key only the public half is taken over.
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
    try:
        parsed = PyJWK(public)
    except PyJWTError:
        raise ValueError(f"a key of kind {str(jwk.get('kty'))[:20]!r}") from None
    return VerifyingKey(_algorithm_of(parsed.key, parsed.algorithm_name), parsed.key)


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


def _algorithm_of(key: object, wanted: str | None) -> str:
    """The algorithm of a public key, as wanted if that fits its kind."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _RSA_BITS:
            raise ValueError(f"an RSA key of {key.key_size} bits: at least {_RSA_BITS} expected")
        fitting: tuple[str, ...] = _OF_RSA
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _OF_CURVES:
        fitting = (_OF_CURVES[key.curve.name],)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        fitting = ("EdDSA",)
    else:
        raise ValueError(f"a key of kind {type(key).__name__}: RSA, P-256 to P-521 or Ed25519")
    if wanted is None:
        return fitting[0]
    if wanted not in fitting:
        raise _wrong_algorithm("this key", wanted, fitting)
    return wanted


def _wrong_algorithm(what: str, got: str, fitting: tuple[str, ...]) -> ValueError:
    return ValueError(f"algorithm: for {what} {' or '.join(fitting)} expected, got {got[:20]!r}")
