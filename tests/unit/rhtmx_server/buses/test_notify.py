"""Facts about `rhtmx_server.buses.notify` that need no database."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.buses.listener import MOST_NAME
from rhtmx_server.buses.notify import NotifyCarrier, channel_of

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,62}", fullmatch=True)
CLUSTERS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(NAMES, CLUSTERS)
def test_a_channel_is_never_longer_than_postgresql_keeps_of_it(schema: str, cluster: str) -> None:
    assert len(channel_of(schema, cluster)) <= 63


@given(st.tuples(NAMES, CLUSTERS), st.tuples(NAMES, CLUSTERS))
def test_two_stores_or_clusters_have_two_channels(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert (channel_of(*one) == channel_of(*other)) == (one == other)


def test_the_largest_message_with_the_longest_name_is_shorter_than_postgresql_takes() -> None:
    most = NotifyCarrier("postgresql://db/app").most_bytes
    lengths = [len(b64encode(b"x" * each)) + MOST_NAME + len(" ") for each in (most, most + 1)]
    assert lengths[0] < 8000 <= lengths[1] + 4
    assert most > 5900
