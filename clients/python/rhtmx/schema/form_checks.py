"""Checks of what a text, or bytes, can be: addresses, hosts, names, identifiers.

Knows the rule and the words of each form. Must not know how a form is told (`formats` does).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rhtmx.schema import formats
from rhtmx.schema.checks import Check, Failure

__all__ = [
    "address",
    "email",
    "header_name",
    "header_value",
    "host_and_port",
    "hostname",
    "ip",
    "ip_bytes",
    "ip_prefix",
    "ip_with_prefixlen",
    "ipv4",
    "ipv4_bytes",
    "ipv4_prefix",
    "ipv4_with_prefixlen",
    "ipv6",
    "ipv6_bytes",
    "ipv6_prefix",
    "ipv6_with_prefixlen",
    "loose_header_name",
    "loose_header_value",
    "protobuf_dot_fqn",
    "protobuf_fqn",
    "tuuid",
    "ulid",
    "uri",
    "uri_ref",
    "uuid",
    "uuid_bytes",
    "web_url",
]

_IPV4_BYTES = 4
_IPV6_BYTES = 16


def _form(code: str, what: str, holds: Callable[[str], bool]) -> Check:
    """A check of a text's form. That "" has not got it, is a rule with an id of its own."""

    def check(value: str, _: None = None) -> Failure | None:
        if holds(value):
            return None
        return Failure(code if value else f"{code}_empty", f"must be {what}")

    check.__doc__ = f"It is {what}."
    return check


email: Final = _form("email", "an email address", formats.is_email)
hostname: Final = _form("hostname", "a host name", formats.is_hostname)
ip: Final = _form("ip", "an IP address", formats.is_ip)
ipv4: Final = _form("ipv4", "an IPv4 address", lambda text: formats.is_ip(text, 4))
ipv6: Final = _form("ipv6", "an IPv6 address", lambda text: formats.is_ip(text, 6))
uri: Final = _form("uri", "a URI", formats.is_uri)
uri_ref: Final = _form("uri_ref", "a URI reference", formats.is_uri_ref)
address: Final = _form("address", "a host name or an IP address", formats.is_address)
uuid: Final = _form("uuid", "a UUID", formats.is_uuid)
tuuid: Final = _form("tuuid", "a UUID without hyphens", formats.is_tuuid)
ulid: Final = _form("ulid", "a ULID", formats.is_ulid)
ip_with_prefixlen: Final = _form(
    "ip_with_prefixlen", "an IP address with the length of its prefix", formats.is_ip_prefix
)
ipv4_with_prefixlen: Final = _form(
    "ipv4_with_prefixlen",
    "an IPv4 address with the length of its prefix",
    lambda text: formats.is_ip_prefix(text, 4),
)
ipv6_with_prefixlen: Final = _form(
    "ipv6_with_prefixlen",
    "an IPv6 address with the length of its prefix",
    lambda text: formats.is_ip_prefix(text, 6),
)
ip_prefix: Final = _form(
    "ip_prefix", "an IP prefix", lambda text: formats.is_ip_prefix(text, 0, True)
)
ipv4_prefix: Final = _form(
    "ipv4_prefix", "an IPv4 prefix", lambda text: formats.is_ip_prefix(text, 4, True)
)
ipv6_prefix: Final = _form(
    "ipv6_prefix", "an IPv6 prefix", lambda text: formats.is_ip_prefix(text, 6, True)
)
host_and_port: Final = _form(
    "host_and_port", "a host and a port", lambda text: formats.is_host_and_port(text, True)
)
protobuf_fqn: Final = _form(
    "protobuf_fqn", "the full name of a part of a schema", formats.is_protobuf_fqn
)
protobuf_dot_fqn: Final = _form(
    "protobuf_dot_fqn",
    "the full name of a part of a schema, after a dot",
    formats.is_protobuf_dot_fqn,
)
header_name: Final = _form(
    "well_known_regex.header_name", "the name of an HTTP header", formats.is_header_name
)
loose_header_name: Final = _form(
    "well_known_regex.header_name",
    "the name of an HTTP header",
    lambda text: formats.is_header_name(text, False),
)
header_value: Final = _form(
    "well_known_regex.header_value", "the value of an HTTP header", formats.is_header_value
)
loose_header_value: Final = _form(
    "well_known_regex.header_value",
    "the value of an HTTP header",
    lambda text: formats.is_header_value(text, False),
)
web_url: Final = _form("web_url", "a web address (http:// or https://)", formats.is_web_url)


# Bytes that are addresses and the like


def _sized(code: str, what: str, *sizes: int) -> Check:
    def check(value: bytes, _: None = None) -> Failure | None:
        if len(value) in sizes:
            return None
        return Failure(code if value else f"{code}_empty", f"must be {what}")

    check.__doc__ = f"It is {what}."
    return check


ip_bytes: Final = _sized("ip", "an IP address", _IPV4_BYTES, _IPV6_BYTES)
ipv4_bytes: Final = _sized("ipv4", "an IPv4 address", _IPV4_BYTES)
ipv6_bytes: Final = _sized("ipv6", "an IPv6 address", _IPV6_BYTES)
uuid_bytes: Final = _sized("uuid", "a UUID", 16)
