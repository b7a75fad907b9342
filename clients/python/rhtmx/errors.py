"""The one error type of the project.

Knows the error codes of the schema. Must not know how an error travels: the
wire turns it into an `error` message, gRPC into a status, a client raises it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rhtmx.messages import ErrorCode
from rhtmx.messages.tables import ERRORS
from rhtmx.unknown_enum_values import is_known

__all__ = [
    "MORE",
    "MOST_VIOLATIONS",
    "ErrorCode",
    "Invalid",
    "RhtmxError",
    "Violation",
    "first_violations",
    "violation_details",
]


_WORDS = ("field", "code", "message")


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one field of a write.

    Attributes:
        field: the top-level key; empty for the record as a whole.
        code: a word of the application for it, by which a program can tell it; may be empty.
        message: why, in words for the user.
        metadata: what the server's check adds: any JSON value.
        write: of a transaction, which of its writes, from 0; `None` for a single write.

    Example:
        >>> Violation("end", "too_early", "ends before it starts").field
        'end'
    """

    field: str
    code: str
    message: str
    metadata: Any = None
    write: int | None = None


class RhtmxError(Exception):
    """Something that was asked for could not be done.

    Args:
        code: what kind of failure, one of the schema's codes. One that only a newer
            server knows is equal to `UNSPECIFIED`, and its `name` is the server's word.
        message: what was wrong, where, and what to do, in words for a person.
        request_id: the request that failed, where it had an id.
        seq: the mutation that failed, where it had a number.
        details: what the code adds, as one JSON value in UTF-8.
        retry_after: seconds to wait before the same is sent again, where that is known.
        retryable: the same may succeed later; what `code` means, if left out. Of a code
            that is not known, a time to wait says so.

    Example:
        >>> raise RhtmxError(ErrorCode.UNKNOWN_FORM, "no form 'sign-up': is it registered?")
        Traceback (most recent call last):
        ...
        rhtmx.errors.RhtmxError: no form 'sign-up': is it registered?
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        request_id: str | None = None,
        seq: int | None = None,
        details: bytes | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message if is_known(code) else f"{message} ({code.name})")
        row = ERRORS.get(code)
        if retryable is None:
            retryable = retry_after is not None if row is None else row.retryable
        self.retryable = retryable
        self.code = code
        self.message = message
        self.request_id = request_id
        self.seq = seq
        self.details = details
        self.retry_after = retry_after

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The fields that are wrong, each with its words; none if the error is about no field.

        Of a transaction, those of all of its writes.

        Example:
            >>> details = b'{"violations": [{"field": "end", "code": "", "message": "is missing"}]}'
            >>> error = RhtmxError(ErrorCode.INVALID, "is missing", details=details)
            >>> {each.field: each.message for each in error.violations}
            {'end': 'is missing'}
        """
        details = _parsed(self.details)
        found = list(_violations(details, None))
        for each in _list(details, "writes"):
            if isinstance(each, dict):
                found += _violations(each.get("details"), each.get("index"))
        return tuple(found)


class Invalid(RhtmxError):  # noqa: N818 (what a write is)
    """A record would break a rule of the application's schema: nothing was written.

    Its code is `INVALID`, as if the server had said so: it would have, with the same
    violations.

    Args:
        violations: what is wrong: at least one.

    Example:
        >>> error = Invalid([Violation("title", "required", "is required")])
        >>> str(error), error.violations[0].code
        ('title: is required', 'required')
    """

    def __init__(self, violations: Iterable[Violation]) -> None:
        listed = list(violations)
        words = "; ".join(f"{each.field}: {each.message}".removeprefix(": ") for each in listed)
        details = json.dumps(violation_details(listed), ensure_ascii=False).encode()
        super().__init__(ErrorCode.INVALID, words, details=details)


MOST_VIOLATIONS = 100
"""Violations of one record that are told. After them comes `MORE`, if there are more."""

MORE = Violation("", "more", "there is more that is wrong")


def first_violations(
    violations: Iterable[Violation], fits: Callable[[Sequence[Violation]], bool] | None = None
) -> list[Violation]:
    """The first of some violations, and `MORE` if these are not all.

    Args:
        violations: all of them.
        fits: whether there is room for some; by default for as many as are ever told.

    Returns:
        All of them, if they fit.
    """
    listed = list(violations)
    if len(listed) <= MOST_VIOLATIONS and (fits is None or fits(listed)):
        return listed
    count = min(len(listed), MOST_VIOLATIONS)
    while count and fits is not None and not fits([*listed[:count], MORE]):
        count -= max(1, count // 8)
    return [*listed[:count], MORE]


def violation_details(violations: Iterable[Violation]) -> dict[str, Any]:
    """What `details` say of fields that are wrong; what the first one adds, stands beside them."""
    listed = list(violations)
    first = listed[0]
    details: dict[str, Any] = {"field": first.field} if first.field else {}
    if first.metadata is not None:
        details["metadata"] = first.metadata
    details["violations"] = [_spelt(each) for each in listed]
    return details


def _spelt(violation: Violation) -> dict[str, Any]:
    told = {name: getattr(violation, name) for name in _WORDS}
    return told if violation.metadata is None else {**told, "metadata": violation.metadata}


def _violations(details: object, write: Any) -> Iterator[Violation]:
    for each in _list(details, "violations"):
        if isinstance(each, dict):
            field, code, words = (str(each.get(name) or "") for name in _WORDS)
            yield Violation(field, code, words, each.get("metadata"), write)


def _parsed(details: bytes | None) -> object:
    try:
        return json.loads(details or b"null")
    except ValueError:  # of a server that says something else there
        return None


def _list(details: object, name: str) -> list[Any]:
    found = details.get(name) if isinstance(details, dict) else None
    return found if isinstance(found, list) else []
