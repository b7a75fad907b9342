"""Facts about `rhtmx.core.tls_failures`."""

from __future__ import annotations

import ssl

import pytest

from rhtmx.core.tls_failures import failure


def unverified(code: int, words: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, words
    return error


def broken(reason: str | None, words: str = "") -> ssl.SSLError:
    error = ssl.SSLError(1, words)
    error.reason = reason  # type: ignore[assignment]  # None where OpenSSL has no name for it
    return error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "its certificate is not valid yet: is the clock of this machine right?"),
        (10, "its certificate has expired"),
        (18, "its certificate is signed by itself: name the authority"),
        (19, "its certificate is signed by an authority that nobody here trusts"),
        (20, "its certificate is signed by an authority that nobody here trusts"),
        (62, "its certificate is for another host name"),
        (64, "its certificate is for another address"),
        (23, "its certificate cannot be verified: certificate revoked"),
    ],
)
def test_what_is_wrong_with_a_servers_certificate_may_pass(code: int, words: str) -> None:
    said, final = failure(unverified(code, "certificate revoked"))
    assert said.startswith(words)
    assert not final


@pytest.mark.parametrize("reason", ["WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"])
def test_what_is_no_tls_may_pass(reason: str) -> None:
    assert failure(broken(reason)) == (
        "what answers is no TLS: is it a port without TLS, for ws:// instead of wss://?",
        False,
    )


@pytest.mark.parametrize(
    ("reason", "alert"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate required"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate expired"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "bad certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "unknown ca"),
        ("TLSV1_ALERT_ACCESS_DENIED", "access denied"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake failure"),
    ],
)
def test_what_the_server_says_of_this_clients_certificate_is_final(reason: str, alert: str) -> None:
    said, final = failure(broken(reason))
    assert f"(TLS alert: {alert})" in said
    assert final


def test_an_end_in_the_middle_may_pass() -> None:
    said, final = failure(broken("UNEXPECTED_EOF_WHILE_READING"))
    assert said.startswith("the other side broke off the TLS handshake")
    assert not final


@pytest.mark.parametrize("reason", ["TLSV1_ALERT_INTERNAL_ERROR", "INTERNAL_ERROR", None])
def test_what_else_goes_wrong_may_pass(reason: str | None) -> None:
    assert failure(broken(reason, "the end")) == ("no TLS connection: the end", False)
