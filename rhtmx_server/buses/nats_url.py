"""Where a NATS is, and how it is used: the URL of a bus.

Knows URLs. Must not connect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["NatsOptions", "read_nats_url"]

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@\s]+)(:[0-9]{1,5})?")
_SUBJECT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_MOST_SUBJECT = 200
_OPTIONS = ("subject", "credentials", "ca", "cert", "key")
_PASSWORD = re.compile(r"(?<=//).*@")


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """How NATS is used.

    Args:
        servers: `nats://host:port` of each, or `tls://host:port`.
        subject: what the subject of each message begins with.
        user: who logs in with `password`; may be empty.
        password: of `user`.
        token: what to log in with in their place; may be empty.
        credentials: the path of a `.creds` file, with a JWT and its seed; may be empty.
        ca: the path of the certificates that are trusted in the place of the system's.
        cert: the path of this node's own certificate.
        key: the path of its key.
    """

    servers: tuple[str, ...]
    subject: str = "rhtmx"
    user: str = ""
    password: str = ""
    token: str = ""
    credentials: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether nothing is sent but through TLS."""
        return self.servers[0].startswith("tls://")


def read_nats_url(url: str) -> NatsOptions:
    """Read the URL of a bus on NATS.

    Args:
        url: `nats://user:password@host:port,host2:port` or `nats://token@host`; `tls://` for TLS
            and nothing else. Options: `subject=` (by default `rhtmx`), `credentials=` a `.creds`
            file, and with `tls://` `ca=`, `cert=` and `key=`, files in PEM.

    Raises:
        ValueError: a URL that makes no sense, with what to write instead.

    Example:
        >>> read_nats_url("nats://app:secret@a:4222,b:4222?subject=shop").servers
        ('nats://a:4222', 'nats://b:4222')
    """
    shown = _PASSWORD.sub("…@", url)
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    servers = hosts.split(",")
    if not all(map(_HOST.fullmatch, servers)) or parts.path.strip("/") or parts.fragment:
        raise ValueError(
            f"{shown!r}: nats://host:port expected, of several servers with commas between them; "
            "in a password write %2F for /, %3F for ?, %23 for #, %40 for @"
        )
    given = _options(parts.query)
    if parts.scheme != "tls" and given.keys() & {"ca", "cert", "key"}:
        raise ValueError(f"{shown!r}: ca, cert and key are of TLS: write tls:// for nats://")
    if ("cert" in given) != ("key" in given):
        raise ValueError(f"{shown!r}: cert and key go together")
    user, separator, password = login.partition(":")
    return NatsOptions(
        tuple(f"{parts.scheme}://{each}" for each in servers),
        user=unquote(user) if separator else "",
        password=unquote(password),
        token="" if separator else unquote(user),
        **given,
    )


def _options(query: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in given.items():
        if name not in _OPTIONS:
            raise ValueError(
                f"{name}: there is no such option of a bus, only {', '.join(_OPTIONS)}"
            )
        if not value:
            raise ValueError(f"{name}= says nothing: leave it out")
    subject = given.get("subject", "rhtmx")
    if not _SUBJECT.fullmatch(subject) or len(subject) > _MOST_SUBJECT:
        raise ValueError(
            f"subject={subject}: words of letters, digits, _ and - expected, with dots between "
            "them, such as shop.bus"
        )
    return given
