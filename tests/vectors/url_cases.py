"""The inputs of `urls.json`: what may be shown of a URL, and of a text with URLs in it.

Knows URLs as users write them, wrong ones too. Must not know who shows them. What is
secret in one has an `s3cr3t` in it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TEXTS", "URLS", "Shown"]


class Shown(NamedTuple):
    """A text, and what may be printed of it."""

    given: str
    shown: str


URLS = [
    Shown("ws://h:1/api/ws", "ws://h:1/api/ws"),
    Shown("ws://[::1]:3000/api/ws", "ws://[::1]:3000/api/ws"),
    Shown("wss://bücher.example/ä", "wss://bücher.example/ä"),
    Shown("wss://ada:s3cr3t@h/api/ws?token=s3cr3t#s3cr3t", "wss://h/api/ws"),
    Shown("wss://s3cr3t@h/", "wss://h/"),
    Shown("wss://ada:s3cr3t@s3cr3t@h:1/", "wss://h:1/"),
    Shown("wss://ada:s3cr3t%2Fs3cr3t@h", "wss://h"),
    Shown("ws://ada:s3cr3t s3cr3t@h/", "ws://h/"),
    Shown("ws://ada:s3cr3t\ns3cr3t@h/", "ws://h/"),
    Shown("ws://ada:s3cr3t\\s3cr3t@h/", "ws://h/"),
    # What begins a path, a query or a fragment in a URL begins it in a password, too: such a
    # name and the start of such a password look like a host and its port.
    Shown("wss://s3cr3t:12/34@h/api/ws", "wss://…"),
    Shown("wss://s3cr3t:12?34@h/", "wss://…"),
    Shown("wss://s3cr3t:12#34@h/", "wss://…"),
    Shown("wss://s3cr3t/s3cr3t@h/", "wss://…"),
    Shown("wss://s3cr3t@s3cr3t/s3cr3t@h/", "wss://…"),
    Shown("ws://s3cr3t/s3 cr3t\n@h/", "ws://…"),
    Shown("wss://h/api/ws?token=s3cr3t@s3cr3t", "wss://…"),
    Shown("wss://h/@me/ws", "wss://…"),
    Shown("/api/ws?token=s3cr3t", "/api/ws"),
    Shown("//ada:s3cr3t@h/x", "//h/x"),
    Shown("ada:s3cr3t@h/x", "h/x"),
    Shown("s3cr3t/s3cr3t@h/x", "…"),
    Shown("localhost:3000", "localhost:3000"),
    Shown("ws://?s3cr3t", "ws://"),
    Shown("::", "::"),
    Shown("", ""),
]

TEXTS = [
    Shown("http://ada:s3cr3t@p:1 isn't a proxy: why?", "http://p:1 isn't a proxy: why?"),
    Shown("cannot go to ws://h/x?t=s3cr3t now", "cannot go to ws://h/x now"),
    Shown("from ws://ada:s3cr3t@a/ to ws://s3cr3t:1/2@b/", "from ws://a/ to ws://…"),
    Shown("did it end? yes, ask ada@example.com", "did it end? yes, ask ada@example.com"),
]
