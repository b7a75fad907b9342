"""Facts about `rhtmx_server.buses.nats_url`."""

from __future__ import annotations

import pytest

from rhtmx_server.buses.nats_url import NatsOptions, read_nats_url


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("nats://localhost", NatsOptions(("nats://localhost",))),
        ("nats://[::1]:4222/", NatsOptions(("nats://[::1]:4222",))),
        ("nats://a:1,b:2?subject=shop.bus", NatsOptions(("nats://a:1", "nats://b:2"), "shop.bus")),
        (
            "nats://app:p%40ss%3A@a",
            NatsOptions(("nats://a",), user="app", password="p@ss:"),
        ),
        ("nats://t%2Fken@a,b", NatsOptions(("nats://a", "nats://b"), token="t/ken")),
        (
            "tls://a?ca=/ca.pem&cert=own.pem&key=own.key&credentials=a.creds",
            NatsOptions(
                ("tls://a",), credentials="a.creds", ca="/ca.pem", cert="own.pem", key="own.key"
            ),
        ),
    ],
)
def test_a_url_says_where_and_how(url: str, options: NatsOptions) -> None:
    assert read_nats_url(url) == options


def test_only_tls_is_encrypted_for_sure() -> None:
    assert read_nats_url("tls://a").encrypted
    assert not read_nats_url("nats://a").encrypted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nats://", "host:port expected"),
        ("nats://a:1,", "host:port expected"),
        ("nats://a:port", "host:port expected"),
        ("nats://a/path", "host:port expected"),
        ("nats://app:secret@a:1/0", "host:port expected"),
        ("nats://app:sec/ret@a", "host:port expected"),
        ("nats://a b", "host:port expected"),
        ("nats://a?subject=", "says nothing"),
        ("nats://a?subject=a..b", "words of letters"),
        ("nats://a?subject=a.*", "words of letters"),
        ("nats://a?subject=" + "x" * 201, "words of letters"),
        ("nats://a?subjekt=b", "subject, credentials, ca"),
        ("nats://a?ca=x", "tls://"),
        ("tls://a?cert=x", "go together"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused_with_what_to_write(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"expected|nothing|only|write|together") as refused:
        read_nats_url(url)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "sec/ret" not in str(refused.value)
