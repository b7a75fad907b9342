"""Facts about `rhtmx_server.config`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rhtmx_server.config import Config


def test_the_defaults_are_the_safe_ones() -> None:
    config = Config()
    assert (config.host, config.port, config.origins) == ("127.0.0.1", 3000, ())
    assert (config.max_size, config.outbox) == (64 * 1024, 256 * 1024)
    assert (config.subscriptions, config.requests, config.pushes_in_flight) == (128, 64, 256)
    assert (config.heartbeat, config.stall_timeout, config.stop_timeout) == (20, 10, 5)
    assert (config.history_days, config.tombstone_days) == (7, 30)
    assert (config.bad_messages, config.validator_timeout) == (10, 5)
    assert config.check_budget == 0.05
    assert (config.handshakes, config.handshake_timeout) == (6_000, 10)
    assert (config.connections, config.connections_per_address) == (20_000, 1_000)
    assert config.connections_per_subject == 1_000


def test_grpc_is_off_and_then_for_this_machine_only() -> None:
    config = Config()
    assert (config.grpc_port, config.grpc_host, config.grpc_cert) == (None, "127.0.0.1", None)
    assert (config.grpc_max_size, config.grpc_streams) == (4 * 1024 * 1024, 1000)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grpc_cert": "c.pem"}, "grpc_cert and grpc_key go together: give both, or neither"),
        ({"grpc_key": "k.pem"}, "grpc_cert and grpc_key go together: give both, or neither"),
        ({"grpc_client_ca": "ca.pem"}, "grpc_client_ca: needs grpc_cert and grpc_key"),
        (
            {"grpc_port": 1, "grpc_host": "0.0.0.0"},
            "grpc_host: 0.0.0.0 can be reached from other machines: give grpc_cert",
        ),
        (
            {"grpc_port": 1, "grpc_host": "example.com"},
            "grpc_host: example.com can be reached from other machines: give grpc_cert",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are compared)
        Config(**settings).agree()
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "settings",
    [
        {"grpc_port": 1, "grpc_host": "::1"},
        {"grpc_port": 1, "grpc_host": "localhost"},
        {"grpc_port": 1, "grpc_host": "127.8.8.8"},
        {"grpc_host": "0.0.0.0"},
        {"grpc_port": 1, "grpc_host": "0.0.0.0", "grpc_cert": "c", "grpc_key": "k"},
    ],
)
def test_settings_that_go_together_are_taken(settings: dict[str, Any]) -> None:
    Config(**settings).agree()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]


def test_a_changed_copy_is_checked_as_well() -> None:
    with pytest.raises(ValueError, match=r"^port: "):
        dataclasses.replace(Config(), port=-1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": 70_000}, "port: a whole number from 0 to 65535 expected, got 70000"),
        ({"port": "80"}, "port: a whole number from 0 to 65535 expected, got '80'"),
        ({"port": True}, "port: a whole number from 0 to 65535 expected, got True"),
        ({"host": " "}, "host: an address or a host name expected, got ' '"),
        ({"max_size": 0}, "max_size: a whole number from 1024 to 67108864 expected, got 0"),
        ({"requests": 1.5}, "requests: a whole number from 1 to 100000 expected, got 1.5"),
        ({"gzip_level": 10}, "gzip_level: a whole number from 1 to 9 expected, got 10"),
        ({"gzip_threshold": -1}, "gzip_threshold: a whole number from 0 on expected, got -1"),
        ({"handshakes": 0}, "handshakes: a whole number from 1 to 1000000 expected, got 0"),
        ({"connections": 0}, "connections: a whole number from 1 to 10000000 expected, got 0"),
        ({"handshake_timeout": 0}, "handshake_timeout: a number from 0.05 to 3600 expected, got 0"),
        ({"heartbeat": 0}, "heartbeat: a number from 0.05 to 3600 expected, got 0"),
        ({"stop_timeout": float("nan")}, "stop_timeout: a number from 0 to 3600 expected, got nan"),
        ({"grpc_port": 70_000}, "grpc_port: a whole number from 0 to 65535 expected, got 70000"),
        ({"grpc_host": ""}, "grpc_host: an address or a host name expected, got ''"),
        ({"grpc_cert": ""}, "grpc_cert: a file expected, got ''"),
        ({"deflate": 1}, "deflate: true or false expected, got 1"),
        ({"log_format": "xml"}, "log_format: text or json expected, got 'xml'"),
        ({"log_level": "INFO"}, "log_level: debug or info or warning or error expected, got"),
        ({"secret": "15 letters long"}, "secret: 16 characters or more expected, that nobody can"),
        (
            {"secret": b"a secret of 16 bytes"},
            "secret: 16 characters or more expected, that nobody",
        ),
        ({"receipt_seconds": -1}, "receipt_seconds: a number from 0 to 3600 expected, got -1"),
        ({"node_name": ""}, "node_name: 1 to 64 letters, digits and ._:- expected, got ''"),
        ({"node_name": "a b"}, "node_name: 1 to 64 letters, digits and ._:- expected, got 'a b'"),
        ({"node_name": 1}, "node_name: 1 to 64 letters, digits and ._:- expected, got 1"),
        ({"origins": "https://a.com"}, "origins: a list of origins expected, got 'https://a.com'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are compared)
        Config(**settings)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "origin",
    ["https://example.com", "http://localhost:8080", "http://[::1]:3000", "app://desktop"],
)
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert Config(origins=(origin,)).origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "example.com", "https://a.com/", "https://*.a.com", "https://a.com https://b.c"],
)
def test_an_origin_with_more_or_less_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match=r"^origins: scheme and host as browsers send them"):
        Config(origins=(origin,))


def test_only_what_there_is_can_be_left_out() -> None:
    without: Any = ["metrics", "legacy"]
    assert Config(without=without).without == ("metrics", "legacy")
    for wrong, words in (("metrics", "a list of"), (("legacy", "metric"), "one of")):
        names: Any = wrong
        with pytest.raises(ValueError, match=rf"^without: {words} client, .*, got 'metrics?'$"):
            Config(without=names)


def test_a_list_of_origins_becomes_a_tuple() -> None:
    origins: Any = ["https://example.com"]
    assert Config(origins=origins).origins == ("https://example.com",)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
    ],
)
def test_a_server_is_local_if_only_this_machine_reaches_it(host: str, local: bool) -> None:
    assert Config(host=host).local is local


@pytest.mark.parametrize(
    ("settings", "reached"),
    [
        ({}, None),
        ({"host": "127.0.0.2"}, None),
        ({"host": "192.0.2.1"}, "192.0.2.1"),
        ({"host": "::"}, "::"),
        ({"host": "example.com"}, "example.com"),
        ({"grpc_host": "0.0.0.0"}, None),
        ({"grpc_host": "0.0.0.0", "grpc_port": 1}, "0.0.0.0"),
        ({"grpc_host": "0.0.0.0", "grpc_port": 1, "grpc_client_ca": "ca.pem"}, None),
    ],
)
def test_a_server_that_other_machines_reach_without_a_certificate_says_where(
    settings: dict[str, Any], reached: str | None
) -> None:
    assert Config(**settings).reached_from == reached


def test_without_opentelemetry_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx_server.config.find_spec", lambda name: None)
    Config().agree()
    with pytest.raises(ValueError, match=r"tracing: .* pip install 'rhtmx\[otel\]'"):
        Config(tracing=True).agree()


def test_a_secret_is_in_no_log() -> None:
    secret = "a quiet afternoon"
    assert secret not in repr(Config(secret=secret))
    with pytest.raises(ValueError, match="secret: ") as wrong:
        Config(secret=secret[:15])
    assert secret[:15] not in str(wrong.value)
