"""Why a write is not allowed, or not valid, in the words of its answer. Pure.

Knows the errors. Must not know who judges, nor by what.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError, Violation, first_violations, violation_details
from rhtmx_server.failures import MisuseError
from rhtmx_server.model import Mutation
from rhtmx_server.ports import Moment

__all__ = ["begun_anew", "broken", "forbidden", "invalid", "now_in", "title_of", "too_much"]


def title_of(mutation: Mutation) -> str:
    """What a mutation is about, for people."""
    write = mutation.write
    return f"{write.entity[:40]}/{write.entity_id[:40]}"


def forbidden(mutation: Mutation, words: str = "") -> RhtmxError:
    """The write is not allowed. One wording: it tells nobody whether there is such a record."""
    title = title_of(mutation)
    return RhtmxError(ErrorCode.FORBIDDEN, words or f"{title}: you may not write this")


def begun_anew() -> RhtmxError:
    """The store has begun another epoch since this was sent: its number is void."""
    return RhtmxError(
        ErrorCode.STORAGE_FAILED,
        "the server's database has become another one: nothing was written, send it again",
    )


def now_in(epoch: str, moment: Moment) -> int:
    """Take the time of a moment, which has to be of an epoch; microseconds.

    Raises:
        RhtmxError: `STORAGE_FAILED`, it is of another one.
    """
    if moment.epoch != epoch:
        raise begun_anew()
    return moment.now


def invalid(message: str, violations: Iterable[Violation]) -> RhtmxError:
    """The record would not be valid.

    Args:
        message: why, in words.
        violations: the fields that are at fault, at least one; the first of them are told.

    Raises:
        MisuseError: something that the program added is no JSON.
    """
    try:
        told = first_violations(violations, lambda some: len(_encoded(some)) <= _MAX_DETAILS)
        details = _encoded(told)
    except (TypeError, ValueError, RecursionError) as reason:
        raise MisuseError(
            f"a check gave metadata that is no JSON ({type(reason).__name__})"
        ) from None
    return RhtmxError(ErrorCode.INVALID, message, details=details)


def broken(violations: Iterable[Violation]) -> RhtmxError:
    """The record breaks rules of the application's schema: each in words, with its field.

    A client says it alike of what it does not queue. Whoever sees nothing but the message, in a
    terminal or a log, learns which field it is.

    Args:
        violations: see `invalid`.
    """
    listed = list(violations)
    words = "; ".join(f"{each.field}: {each.message}".removeprefix(": ") for each in listed)
    if len(words) > _MAX_WORDS:
        words = f"{words[:_MAX_WORDS]}…"
    return invalid(words, listed)


_MAX_WORDS = 1000
"""Characters of a message: the details have all that is wrong."""

_MAX_DETAILS = 64 * 1024
"""Bytes of violations: each names its place, and the key of a map may be as long as a record."""


def _encoded(violations: Iterable[Violation]) -> bytes:
    return msgspec.json.encode(violation_details(violations))


def too_much(mutation: Mutation) -> RhtmxError:
    """The records of a transaction are too large to be read together."""
    return RhtmxError(
        ErrorCode.INVALID_DATA,
        f"transaction: the {len(mutation.writes)} records that it writes, with their open "
        "conflicts, are too large to be changed together, about 1 MiB is possible: write them in "
        "several transactions",
    )
