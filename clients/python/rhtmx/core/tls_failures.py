"""What a failed TLS handshake means, in words. Pure.

Knows OpenSSL's reasons. Must not know sockets.

A certificate that does not verify may be another one tomorrow: it is renewed, a
clock is set, the page of a café's network is clicked away. So the client goes on
trying, and says so aloud; where somebody waits for the first connection, that fails
at once. What the *server* says against *this* client's certificate is final.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

__all__ = [
    "SOCKET",
    "TlsOptions",
    "broken_off",
    "failure",
    "maybe_certificate",
    "no_password",
    "no_tls",
]


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How a user says what TLS is done with.

    Args:
        ca: whom to trust.
        cert: who this client is.
        plain: that there is none.
    """

    ca: str
    cert: str
    plain: str


SOCKET = TlsOptions("ssl=, --ca", "ssl=, --cert", "ws:// instead of wss://")
"""For a WebSocket."""


def broken_off(options: TlsOptions) -> str:
    """What it means where TCP stands, and TLS does not come about."""
    return (
        "the other side broke off the TLS handshake: does it speak TLS on this port, or is it one "
        f"for {options.plain}? Does it ask for a certificate of this client ({options.cert})?"
    )


def maybe_certificate(options: TlsOptions) -> str:
    """What it means where TLS stands, and the other side says nothing at all."""
    return (
        "the server ended the connection without an answer: is the port right? If it asks for a "
        f"certificate of this client, give one ({options.cert})"
    )


def no_tls(options: TlsOptions) -> str:
    """What it means where what answers is no TLS, or nothing."""
    return f"is it a port without TLS, for {options.plain}?"


_TRUST = "name the authority that signed it ({ca}), if you trust it"

_UNVERIFIED = {
    9: "is not valid yet: is the clock of this machine right?",
    10: "has expired: who runs the server has to renew it, unless the clock here is wrong",
    18: f"is signed by itself: {_TRUST}",
    19: f"is signed by an authority that nobody here trusts: {_TRUST}",
    20: f"is signed by an authority that nobody here trusts: {_TRUST}",
    21: f"is signed by an authority that nobody here trusts: {_TRUST}",
    62: "is for another host name: connect under a name that stands in it",
    64: "is for another address: connect under a name that stands in it",
}
"""`X509_V_ERR_…` → what is wrong with the server's certificate (OpenSSL, x509_vfy.h)."""

_FOREIGN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
"""How OpenSSL calls an answer that is no TLS; 3.2 changed the first into the second."""

_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE")
"""Words of the alerts against a client's certificate (RFC 8446, section 6.2). TLS 1.2
says `handshake_failure` where there is none."""


def no_password() -> str:
    """Asked for by OpenSSL where a key is encrypted; it would wait at the terminal otherwise.

    Raises:
        ValueError: always.
    """
    raise ValueError("the key has a password")


def failure(error: ssl.SSLError, options: TlsOptions = SOCKET) -> tuple[str, bool]:
    """Why there is no TLS, in words for a person, and whether that is final.

    Args:
        error: what OpenSSL says.
        options: how a user would say it right.
    """
    reason = getattr(error, "reason", None) or ""  # it is not there where Python made the error
    if isinstance(error, ssl.SSLCertVerificationError):
        more = _UNVERIFIED.get(error.verify_code, f"cannot be verified: {error.verify_message}")
        return f"its certificate {more.replace('{ca}', options.ca)}", False
    if reason in _FOREIGN:
        return f"what answers is no TLS: {no_tls(options)}", False
    if reason.startswith("UNEXPECTED_EOF"):
        return broken_off(options), False
    if "_ALERT_" in reason and any(word in reason for word in _ALERTS):
        said = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        return (
            "the server does not take this client's certificate, or asks for one "
            f"(TLS alert: {said}): give the right one ({options.cert})",
            True,
        )
    return f"no TLS connection: {error.strerror or reason or error}", False
