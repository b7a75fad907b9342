"""Facts about `rhtmx_server.authenticators.keys`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rhtmx_server.authenticators.keys import key_of_pem, key_of_secret, keys_of_set
from tests.support.signing import (
    EC,
    ED,
    RSA,
    jwk,
    key_set,
    private_pem,
    public_pem,
)

P384 = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA, "RS256"),
        (EC, "ES256"),
        (ED, "EdDSA"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    ],
)
def test_a_public_key_brings_the_algorithm_of_its_kind(key: Any, algorithm: str) -> None:
    assert key_of_pem(public_pem(key)).algorithm == algorithm


def test_an_rsa_key_may_be_meant_for_another_algorithm_of_rsa() -> None:
    assert key_of_pem(public_pem(RSA), "PS256").algorithm == "PS256"


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256", "RS1"])
def test_a_public_key_is_taken_for_no_algorithm_of_another_kind(algorithm: str) -> None:
    with pytest.raises(ValueError, match=r"algorithm: for this key RS256 or .* expected"):
        key_of_pem(public_pem(RSA), algorithm)


def test_a_private_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="needs only the public one") as caught:
        key_of_pem(private_pem(EC))
    assert "BEGIN" not in str(caught.value)


def test_a_weak_rsa_key_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(ValueError, match="1024 bits: at least 2048"):
        key_of_pem(public_pem(weak))


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no public key in PEM"):
        key_of_pem(b"hello")


@pytest.mark.parametrize(
    ("algorithm", "size"), [(None, 32), ("HS256", 32), ("HS384", 48), ("HS512", 64)]
)
def test_a_secret_is_at_least_as_long_as_its_hash(algorithm: str | None, size: int) -> None:
    assert key_of_secret(b"x" * size, algorithm).key == b"x" * size
    with pytest.raises(ValueError, match=f"at least {size} bytes expected"):
        key_of_secret(b"x" * (size - 1), algorithm)


@pytest.mark.parametrize("algorithm", ["RS256", "none"])
def test_a_secret_is_taken_for_no_algorithm_of_another_kind(algorithm: str) -> None:
    with pytest.raises(ValueError, match="for a secret HS256 or"):
        key_of_secret(b"x" * 64, algorithm)


def test_a_public_key_is_not_taken_for_a_secret() -> None:
    with pytest.raises(ValueError, match="give it as key_file"):
        key_of_secret(public_pem(RSA))


def test_keys_of_a_set_are_found_by_their_ids_with_their_algorithms() -> None:
    keys = keys_of_set(
        key_set(jwk(RSA, "PS256", "r"), jwk(EC, "ES256", "e"), jwk(ED, "EdDSA", "d"))
    )
    assert {key_id: key.algorithm for key_id, key in keys.items()} == {
        "r": "PS256",
        "e": "ES256",
        "d": "EdDSA",
    }


def test_keys_of_a_set_that_are_of_no_use_here_are_left_out() -> None:
    good = jwk(EC, "ES256", "good")
    odd: list[Any] = [
        jwk(RSA, "RS256", "encrypts", use="enc"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "XYZ", "kid": "new kind"},
        jwk(RSA, "RS256", "only signs", key_ops=["sign"]),
        {**jwk(RSA, "RS256", "wrong"), "alg": "HS256"},
        "no object",
        7,
    ]
    assert list(keys_of_set(key_set(*odd, good))) == ["good"]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": []}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_key_set_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"no JSON Web Key Set|no key of the set"):
        keys_of_set(text)


def test_of_a_private_key_in_a_set_only_the_public_half_is_kept() -> None:
    private = {**jwk(EC, "ES256", "p"), "d": "AA"}
    key = keys_of_set(json.dumps({"keys": [private]}))["p"]
    assert isinstance(key.key, ec.EllipticCurvePublicKey)
