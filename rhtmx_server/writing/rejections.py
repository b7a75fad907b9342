"""Why a write is not allowed, or not valid, in the words of its answer. Pure.

Knows the errors. Must not know who judges, nor by what.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError, Violation, violation_details
from rhtmx_server.failures import MisuseError
from rhtmx_server.model import Mutation

__all__ = ["forbidden", "invalid", "title_of", "too_much"]


def title_of(mutation: Mutation) -> str:
    """What a mutation is about, for people."""
    write = mutation.write
    return f"{write.entity[:40]}/{write.entity_id[:40]}"


def forbidden(mutation: Mutation, words: str = "") -> RhtmxError:
    """The write is not allowed. One wording: it tells nobody whether there is such a record."""
    title = title_of(mutation)
    return RhtmxError(ErrorCode.FORBIDDEN, words or f"{title}: you may not write this")


def invalid(message: str, violations: Iterable[Violation]) -> RhtmxError:
    """The record would not be valid.

    Args:
        message: why, in words.
        violations: the fields that are at fault, at least one.

    Raises:
        MisuseError: something that the program added is no JSON.
    """
    try:
        details = msgspec.json.encode(violation_details(violations))
    except (TypeError, ValueError, RecursionError) as reason:
        raise MisuseError(
            f"a check gave metadata that is no JSON ({type(reason).__name__})"
        ) from None
    return RhtmxError(ErrorCode.INVALID, message, details=details)


def too_much(mutation: Mutation) -> RhtmxError:
    """The records of a transaction are too large to be read together."""
    return RhtmxError(
        ErrorCode.INVALID_DATA,
        f"transaction: the {len(mutation.writes)} records that it writes, with their open "
        "conflicts, are too large to be changed together, about 1 MiB is possible: write them in "
        "several transactions",
    )
