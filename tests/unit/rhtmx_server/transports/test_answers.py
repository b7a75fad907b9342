"""Plain HTTP responses."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.transports.answers import JSON, answer, entity_tag, refuse, without_body


def test_every_response_forbids_sniffing_and_referrers_and_ends_the_connection() -> None:
    headers = answer(HTTPStatus.OK).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Connection"] == "close"
    assert headers["Date"].endswith("GMT")


def test_nothing_is_cached_unless_it_says_so() -> None:
    assert answer(HTTPStatus.OK).headers["Cache-Control"] == "no-store"
    said = answer(HTTPStatus.OK, headers=[("Cache-Control", "no-cache")])
    assert said.headers.get_all("Cache-Control") == ["no-cache"]


def test_a_body_comes_with_its_length_and_type() -> None:
    response = answer(HTTPStatus.OK, b"[1]", JSON)
    assert response.body == b"[1]"
    assert response.headers["Content-Length"] == "3"
    assert response.headers["Content-Type"] == "application/json"


def test_not_modified_describes_no_body() -> None:
    headers = answer(HTTPStatus.NOT_MODIFIED).headers
    assert "Content-Length" not in headers
    assert "Content-Type" not in headers


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.BAD_MESSAGE, 400),
        (ErrorCode.UNAUTHENTICATED, 401),
        (ErrorCode.FORBIDDEN, 403),
        (ErrorCode.UNKNOWN_ENTITY, 404),
        (ErrorCode.NOT_SUPPORTED, 404),
        (ErrorCode.INTERNAL, 500),
        (ErrorCode.STORAGE_FAILED, 503),
    ],
)
def test_an_error_code_has_a_status(code: ErrorCode, status: int) -> None:
    assert refuse(RhtmxError(code, "no")).status_code == status


def test_an_error_reads_like_the_error_of_a_socket() -> None:
    response = refuse(RhtmxError(ErrorCode.BAD_MESSAGE, "since: a version expected"))
    body = json.loads(response.body)
    assert body["type"] == "error"
    assert body["code"] == "bad_message"
    assert body["message"] == "since: a version expected"


def test_who_has_to_say_who_he_is_is_told_how() -> None:
    response = refuse(RhtmxError(ErrorCode.UNAUTHENTICATED, "a token expected"))
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_without_a_body_the_headers_stay() -> None:
    full = answer(HTTPStatus.OK, b"abc")
    head = without_body(full)
    assert head.body == b""
    assert head.headers["Content-Length"] == "3"


def test_an_entity_tag_is_quoted_and_depends_on_every_byte() -> None:
    assert entity_tag(b"a") == entity_tag(b"a")
    assert entity_tag(b"a") != entity_tag(b"b")
    assert entity_tag(b"a").startswith('"')
    assert entity_tag(b"a").endswith('"')
