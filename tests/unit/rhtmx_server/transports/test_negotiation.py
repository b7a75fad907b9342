"""Facts about `rhtmx_server.transports.negotiation`."""

from __future__ import annotations

import pytest

from rhtmx_server.transports.negotiation import choose, takes_gzip

OFFERS = ["application/schema+json", "application/json", "application/x-protobuf"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ([], OFFERS[0]),
        (["*/*"], OFFERS[0]),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], OFFERS[0]),
        (["application/json"], OFFERS[1]),
        (["APPLICATION/JSON ; charset=utf-8"], OFFERS[1]),
        (["application/json;q=0.5, application/x-protobuf"], OFFERS[2]),
        (["application/json;q=0.5", "application/x-protobuf;q=0.6"], OFFERS[2]),
        (["*/*;q=0.1, application/schema+json;q=0"], OFFERS[1]),
        (["application/*"], OFFERS[0]),
        (["text/plain"], None),
        (["application/json;q=0"], None),
        (["application/json;q=much"], None),
        ([",", ""], OFFERS[0]),
    ],
)
def test_the_form_that_is_wanted_most_is_chosen(accept: list[str], chosen: str | None) -> None:
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        ([], False),
        (["gzip"], True),
        (["br, GZIP;q=0.1"], True),
        (["*"], True),
        (["identity"], False),
        (["gzip;q=0"], False),
        (["gzip;q=nan"], False),
    ],
)
def test_gzip_is_for_those_who_take_it(accept: list[str], takes: bool) -> None:
    assert takes_gzip(accept) is takes
