"""Which keys a token may be signed with, and when to fetch them anew.

Knows keys by their id, and times. Must not know tokens, networks, clocks or the loop.

=========  ===========================  =============================================
state      asked for a known key        asked for a key that is not there
=========  ===========================  =============================================
empty      --                           fetch, wait for it
fresh      use it                       fetch if `allowance` permits, wait for it
old        use it, fetch beside it      fetch if `allowance` permits, wait for it
=========  ===========================  =============================================

A fetch that succeeds leads to *fresh*, and the time makes that *old*. One that fails
changes nothing: the last good keys are kept, and the next fetch waits `pause`. Keys
that are not in the fetched set are gone: whoever withdraws a key wants that.

An id that is not there may be a key that was just made, so it is worth a fetch at
once; and anybody can make up ids. Hence the allowance: a handful of fetches at once,
and then one in a while, as with a token bucket.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Advice", "KeyCache", "KeyCacheLimits"]

Key = TypeVar("Key")


class Advice(enum.Enum):
    """What to do before a token is judged."""

    USE = enum.auto()
    """Judge it with what is there."""
    USE_AND_FETCH = enum.auto()
    """The same, and fetch the keys beside it."""
    FETCH_FIRST = enum.auto()
    """Wait for a fetch; one that is under way will do."""


@dataclass(frozen=True, slots=True)
class KeyCacheLimits:
    """How often keys are fetched.

    Args:
        lifetime: seconds after which keys are old.
        pause: seconds after a fetch that failed, before the next one.
        burst: fetches for unknown ids at once.
        refill: seconds after which one more of these is allowed.
    """

    lifetime: float = 300.0
    pause: float = 5.0
    burst: int = 5
    refill: float = 10.0


class KeyCache(Generic[Key]):
    """The keys of one issuer.

    Args:
        limits: how often they are fetched.
    """

    def __init__(self, limits: KeyCacheLimits = KeyCacheLimits()) -> None:
        self._limits = limits
        self._keys: Mapping[str | None, Key] | None = None
        self._old_at = 0.0
        self._not_before = 0.0
        self._allowance = float(limits.burst)
        self._counted_at = 0.0

    @property
    def empty(self) -> bool:
        """Whether no fetch has ever succeeded."""
        return self._keys is None

    def find(self, key_id: str | None) -> Key | None:
        """The key of this id. Without an id: the only key there is."""
        keys = self._keys or {}
        if key_id is None and len(keys) == 1:
            return next(iter(keys.values()))
        return keys.get(key_id)

    def ask(self, key_id: str | None, now: float) -> Advice:
        """Say what to do about a token that names this key.

        A `FETCH_FIRST` is counted as one of the fetches that are allowed.

        Args:
            key_id: as the token names it, `None` if it names none.
            now: seconds, of a clock that does not jump.
        """
        may_fetch = now >= self._not_before
        if self.find(key_id) is not None:
            return Advice.USE_AND_FETCH if may_fetch and now >= self._old_at else Advice.USE
        if not may_fetch or not (self.empty or self._take(now)):
            return Advice.USE
        return Advice.FETCH_FIRST

    def fetched(self, keys: Mapping[str | None, Key], now: float) -> None:
        """Take the place of the keys before."""
        self._keys = dict(keys)
        self._old_at = now + self._limits.lifetime
        self._not_before = now

    def failed(self, now: float) -> None:
        """Keep the keys that there are."""
        self._not_before = now + self._limits.pause

    def _take(self, now: float) -> bool:
        limits = self._limits
        gained = (now - self._counted_at) / limits.refill
        self._allowance = min(limits.burst, self._allowance + gained)
        self._counted_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
