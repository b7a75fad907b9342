"""What the program's own functions say of a value or a write: valid, not valid, not allowed.

Knows the words. Must not know who asks, nor what becomes of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Forbidden", "Invalid", "Valid"]


class Invalid(Exception):  # noqa: N818 (a verdict on a value, not an error)
    """The value is not valid. Raised by a validator of a form, or the check of an entity.

    Args:
        message: why, in words for the user.
        metadata: what else helps: any value that JSON can hold.
        field: which field is at fault; empty for the form or the record as a whole. A
            validator of one field need not say it.
        code: of the check of an entity, a word of the application for what is wrong, by
            which a program can tell it.

    Attributes:
        violations: all that it says: itself, or those that it was made of.

    Example:
        >>> raise Invalid("already registered", metadata={"hint": "sign in instead?"})
        Traceback (most recent call last):
        ...
        rhtmx_server.verdicts.Invalid: already registered
    """

    def __init__(
        self, message: str, metadata: object = None, field: str = "", code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata
        self.field = field
        self.code = code
        self._parts: tuple[Invalid, ...] = ()

    @classmethod
    def several(cls, violations: Iterable[Invalid]) -> Invalid:
        """Say of several fields at once that they are not valid. For the check of an entity.

        Args:
            violations: one or more.

        Raises:
            ValueError: there are none: then there is nothing to raise.

        Example:
            >>> wrong = [Invalid("is empty", field="title"), Invalid("is missing", field="end")]
            >>> raise Invalid.several(wrong)
            Traceback (most recent call last):
            ...
            rhtmx_server.verdicts.Invalid: is empty; is missing
        """
        parts = tuple(part for each in violations for part in each.violations)
        if not parts:
            raise ValueError("Invalid.several(): nothing is wrong, so there is nothing to raise")
        if len(parts) == 1:
            return parts[0]
        whole = cls("; ".join(str(each.message) for each in parts))
        whole._parts = parts
        return whole

    @property
    def violations(self) -> tuple[Invalid, ...]:
        """All that it says."""
        return self._parts or (self,)


class Forbidden(Exception):  # noqa: N818 (a verdict on a write, not an error)
    """The write is not allowed to its author. Raised by the check of an entity.

    Args:
        message: why, in words for the user; by default those of every write that is
            not allowed.

    Example:
        >>> raise Forbidden("only its author may close a task")
        Traceback (most recent call last):
        ...
        rhtmx_server.verdicts.Forbidden: only its author may close a task
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Valid:
    """The value is valid, and there is more to say. Returned by a validator.

    Args:
        metadata: any value that JSON can hold: a suggestion, a strength, a price.

    Example:
        >>> def strength(value: str) -> Valid:
        ...     return Valid({"strength": len(set(value))})
        >>> strength("secret").metadata
        {'strength': 5}
    """

    metadata: object = None
