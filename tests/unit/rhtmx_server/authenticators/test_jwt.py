"""Facts about `rhtmx_server.authenticators.jwt`."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.request import Request
from rhtmx_server.authenticators import jwt_tokens
from tests.support.signing import (
    AUDIENCE,
    EC,
    ED,
    ISSUER,
    RSA,
    claims,
    jwk,
    key_set,
    public_pem,
    token,
)

SECRET = "a secret of more than thirty-two bytes"
EXPECTED: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE}


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "public.pem"
    path.write_bytes(public_pem(RSA))
    return path


async def refuses(authenticate: Any, presented: str) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        await authenticate(Request(presented))
    return caught.value


async def test_a_good_token_becomes_a_grant(pem: Path) -> None:
    end = int(time.time()) + 600
    grant = await jwt_tokens(key_file=pem, **EXPECTED, leeway=0)(
        Request(token(exp=end, team="red"))
    )
    assert (grant.subject, grant.expires, grant.roles) == ("ada", end * 1_000_000, {"clerk"})
    assert grant.claims["team"] == "red"


async def test_the_session_lasts_as_long_as_the_token_is_taken(pem: Path) -> None:
    end = int(time.time()) + 600
    grant = await jwt_tokens(key_file=pem, **EXPECTED, leeway=30)(Request(token(exp=end)))
    assert grant.expires == (end + 30) * 1_000_000


async def test_a_secret_is_a_key() -> None:
    good = jwt.encode(claims(), SECRET, algorithm="HS256")
    assert (await jwt_tokens(secret=SECRET, **EXPECTED)(Request(good))).subject == "ada"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exp": int(time.time()) - 100}, "the token has expired"),
        ({"exp": None}, "the token has no 'exp'"),
        ({"nbf": int(time.time()) + 1000}, "not valid yet"),
        ({"iss": "https://evil.example.com"}, f"not of the issuer '{ISSUER}'"),
        ({"iss": None}, "the token has no 'iss'"),
        ({"aud": "other"}, f"not meant for the audience '{AUDIENCE}'"),
        ({"aud": None}, "the token has no 'aud'"),
        ({"sub": None}, "no subject in 'sub'"),
        ({"sub": ""}, "no subject in 'sub'"),
        ({"sub": ["ada"]}, "no subject in 'sub'"),
        ({"sub": True}, "no subject in 'sub'"),
    ],
)
async def test_what_a_token_says_is_judged(pem: Path, changed: dict[str, Any], words: str) -> None:
    error = await refuses(jwt_tokens(key_file=pem, **EXPECTED), token(**changed))
    assert error.code is ErrorCode.UNAUTHENTICATED
    assert words in error.message


async def test_one_of_several_audiences_is_enough(pem: Path) -> None:
    grant = await jwt_tokens(key_file=pem, **EXPECTED)(Request(token(aud=["other", AUDIENCE])))
    assert grant.subject == "ada"


async def test_a_token_for_an_audience_is_not_taken_where_none_is_expected(pem: Path) -> None:
    authenticate = jwt_tokens(key_file=pem, issuer=None, audience=None)
    assert "audience" in (await refuses(authenticate, token())).message
    assert (await authenticate(Request(token(aud=None)))).subject == "ada"


async def test_the_algorithm_is_that_of_the_key_and_never_that_of_the_token(pem: Path) -> None:
    authenticate = jwt_tokens(key_file=pem, **EXPECTED)
    for other in ("RS384", "PS256"):
        assert "not signed as" in (await refuses(authenticate, token(algorithm=other))).message


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(pem: Path) -> None:
    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    import hashlib
    import hmac

    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims())
    mac = hmac.new(public_pem(RSA), signed, hashlib.sha256).digest()
    forged = signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")
    error = await refuses(jwt_tokens(key_file=pem, **EXPECTED), forged.decode())
    assert error.code is ErrorCode.UNAUTHENTICATED


async def test_a_token_without_a_signature_is_refused(pem: Path) -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none")
    error = await refuses(jwt_tokens(key_file=pem, **EXPECTED), unsigned)
    assert error.code is ErrorCode.UNAUTHENTICATED


async def test_a_token_of_another_key_is_refused(pem: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    error = await refuses(jwt_tokens(key_file=pem, **EXPECTED), token(other))
    assert "not signed as" in error.message


@pytest.mark.parametrize("presented", ["", "hello", "a.b.c", "..", "é.é.é", "a" * 4000])
async def test_what_is_no_token_is_refused_and_not_repeated(pem: Path, presented: str) -> None:
    error = await refuses(jwt_tokens(key_file=pem, **EXPECTED), presented)
    assert error.code is ErrorCode.UNAUTHENTICATED
    assert not presented or presented not in error.message


@pytest.mark.parametrize(
    ("roles", "said", "expected"),
    [
        ("roles", {"roles": ["a", "b"]}, {"a", "b"}),
        ("scope", {"scope": "read write"}, {"read", "write"}),
        ("realm.roles", {"realm": {"roles": ["a"]}}, {"a"}),
        ("https://x.example/roles", {"https://x.example/roles": ["a"]}, {"a"}),
        ("roles", {"roles": [1, None, "a"]}, {"a"}),
        ("roles", {"roles": {"a": 1}}, set()),
        ("none.there", {}, set()),
        (None, {"roles": ["a"]}, set()),
    ],
)
async def test_roles_are_found_where_issuers_put_them(
    pem: Path, roles: str | None, said: dict[str, Any], expected: set[str]
) -> None:
    authenticate = jwt_tokens(key_file=pem, **EXPECTED, roles=roles)
    assert (await authenticate(Request(token(**{"roles": None, **said})))).roles == expected


async def test_of_a_file_with_several_keys_the_token_names_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(jwk(RSA, "RS256", "r"), jwk(EC, "ES256", "e"), jwk(ED, "EdDSA", "d")))
    authenticate = jwt_tokens(key_set=path, **EXPECTED)
    for key, algorithm, key_id in ((RSA, "RS256", "r"), (EC, "ES256", "e"), (ED, "EdDSA", "d")):
        assert (await authenticate(Request(token(key, algorithm, key_id)))).subject == "ada"
    assert "not known here" in (await refuses(authenticate, token(RSA, "RS256"))).message
    assert "not known here" in (await refuses(authenticate, token(RSA, "RS256", "x"))).message
    assert "not signed as" in (await refuses(authenticate, token(RSA, "RS256", "e"))).message


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"secret": SECRET, "key_set": "https://login.example.com/keys"},
        {"key_set": "https://login.example.com/keys", "algorithm": "RS256"},
        {"key_set": "http://login.example.com/keys"},
        {"key_set": "ftp://login.example.com/keys"},
        {"secret": "short"},
    ],
)
def test_keys_that_make_no_sense_are_refused_at_once(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".{10}"):
        jwt_tokens(**given, **EXPECTED)


def test_a_file_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        jwt_tokens(key_file="/no/such/file.pem", **EXPECTED)
