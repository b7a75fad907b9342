"""Facts about `rhtmx_server.transports.documents`, beyond those of `tests/e2e/test_seen.py`."""

from __future__ import annotations

import json

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.schema.seen import SeenSchema
from rhtmx_server.transports.documents import Documents
from rhtmx_server.transports.target import parse_target
from tests.support.sample_schema import loaded

PATH = "/api/schema"


def documents(*, shared: bool = True) -> Documents:
    return Documents(SeenSchema(loaded().schema), shared=shared)


def asked(path: str = PATH, **headers: str) -> Request:
    return Request(path, Headers({"Host": "localhost", **headers}))


def test_a_document_is_made_once() -> None:
    made = documents()
    first = made.schema(asked(), parse_target(PATH), ())
    assert made.schema(asked(), parse_target(PATH), ()).body is first.body


def test_both_names_of_json_are_one_document() -> None:
    made = documents()
    bodies = [
        made.schema(asked(Accept=accept), parse_target(PATH), ()).body
        for accept in ("application/json", "application/schema+json")
    ]
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_compressed_copy_is_known_by_its_own_tag() -> None:
    made = documents()
    small = made.asyncapi(asked(**{"Accept-Encoding": "gzip"}), ())
    tag = small.headers["ETag"]
    again = made.asyncapi(asked(**{"Accept-Encoding": "gzip", "If-None-Match": tag}), ())
    assert again.status_code == 304
    assert "Content-Encoding" not in again.headers
    plain = made.asyncapi(asked(**{"If-None-Match": tag}), ())
    assert plain.status_code == 200


def test_what_only_some_may_read_is_not_for_caches_of_several() -> None:
    answer = documents(shared=False).asyncapi(asked(), ())
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("query", ["format=", "format=json&format=json", "format=JSON"])
def test_a_format_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(RhtmxError) as refused:
        documents().schema(asked(), parse_target(f"{PATH}?{query}"), ())
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert str(refused.value.message).startswith("format: json or protobuf expected")
