"""Receipts: what a server has found valid, in a text that a page sends back. Pure.

Knows a key, and bytes that say of one rule all that its verdict rests on (`rule_facts`). Must not
know rules, forms or clocks: time is an argument.

A receipt is the time of its issue, and a tag for each rule, in order:

==========  =====  ===================================================================
part        bytes  what it is
==========  =====  ===================================================================
format      1      `1`
issued      8      microseconds since 1970, big-endian
tags        16     each: HMAC-SHA-256 of the time and the facts of one rule, cut to 16
==========  =====  ===================================================================

Whoever takes it makes the facts anew, of what is before them now, and compares: so nothing in a
receipt is believed, nor read. A rule is skipped only where the server itself, with this key, has
found the same rule valid for the same inputs; anything else that comes, is worth nothing and no
error. Each tag stands alone: a field that was changed costs the rules that read it, and no others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from rhtmx_server.forms.canonical import packed

__all__ = ["MOST_LENGTH", "MOST_RULES", "Receipts"]

MOST_RULES = 64
"""Rules of one form that are attested; those that follow are run each time."""

_FORMAT = b"\x01"
_TIME = 8
_TAG = 16
"""Bytes. Nobody can try offline whether one fits, and nobody without the key can make two inputs
with the same one."""

_HEAD = len(_FORMAT) + _TIME

MOST_LENGTH = -(-(_HEAD + MOST_RULES * _TAG) * 4 // 3)
"""Characters of the longest receipt."""

_AHEAD = 5_000_000
"""Microseconds. The clock of another server of the cluster may be so far ahead."""


class Receipts:
    """Issues receipts, and tells what those that come back attest.

    Args:
        secret: the key is made of it: servers with the same one take each other's.
        seconds: how long a receipt is worth something; 0: there are none.

    Example:
        >>> receipts = Receipts(b"a secret of 16 bytes or more", 300)
        >>> receipt = receipts.issue([b"email ada is free"], now=0)
        >>> receipts.attested(receipt, [b"email ada is free"], now=1_000_000)
        frozenset({0})
        >>> receipts.attested(receipt, [b"email bob is free"], now=1_000_000)
        frozenset()
    """

    def __init__(self, secret: bytes, seconds: float) -> None:
        self._key = hashlib.sha256(packed(b"rhtmx receipts", secret)).digest()
        self._most_age = int(seconds * 1_000_000)

    def issue(self, facts: Sequence[bytes], now: int) -> str | None:
        """Attest that rules were found valid.

        Args:
            facts: what each of them has judged, in their order; at most `MOST_RULES` count.
            now: microseconds since 1970, from before the rules were run.

        Returns:
            The receipt; `None` if there is nothing to attest.
        """
        if not facts or not self._most_age:
            return None
        issued = now.to_bytes(_TIME, "big")
        tags = [self._tag(issued, each) for each in facts[:MOST_RULES]]
        return _text(b"".join((_FORMAT, issued, *tags)))

    def attested(self, receipt: str, facts: Sequence[bytes], now: int) -> frozenset[int]:
        """Which rules need not be run again.

        Args:
            receipt: whatever came.
            facts: what each rule would judge now, in the same order as then.
            now: microseconds since 1970.

        Returns:
            Their places among the facts.
        """
        raw = _bytes(receipt)
        if raw is None:
            return frozenset()
        issued, tags = raw[len(_FORMAT) : _HEAD], raw[_HEAD:]
        age = now - int.from_bytes(issued, "big")
        if not -_AHEAD <= age < self._most_age:
            return frozenset()
        given = [tags[at : at + _TAG] for at in range(0, len(tags), _TAG)]
        # As many comparisons whatever is in it, and each takes as long whether it fits or not.
        return frozenset(
            place
            for place, (tag, each) in enumerate(zip(given, facts, strict=False))
            if hmac.compare_digest(tag, self._tag(issued, each))
        )

    def _tag(self, issued: bytes, facts: bytes) -> bytes:
        return hmac.digest(self._key, packed(issued, facts), "sha256")[:_TAG]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(receipt: str) -> bytes | None:
    """What a receipt is made of, if it can be one at all."""
    if len(receipt) > MOST_LENGTH or not receipt.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4))
    except (binascii.Error, ValueError):
        return None
    # Decoding passes over what is no letter of base64: only what was written here is taken.
    if _text(raw) != receipt or raw[:1] != _FORMAT or (len(raw) - _HEAD) % _TAG:
        return None
    return raw if len(raw) > _HEAD else None
