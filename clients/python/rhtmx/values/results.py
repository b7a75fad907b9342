"""What comes of a write or a question, as plain frozen values.

Knows the messages that they are made from. Must not know sessions, sockets or
the loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from rhtmx.messages import (
    FieldConflict,
    FieldPushAck,
    FormValidationResult,
    Position,
    Push,
    PushAck,
    Transaction,
    TransactionAck,
    ValidationResult,
)
from rhtmx.messages.tables import MERGE_STRATEGY_SPELLINGS, WINNER_SPELLINGS
from rhtmx.unknown_enum_values import spelled
from rhtmx.values.json_value import Json, from_json
from rhtmx.values.transaction_writes import conflicts_of, writes_of

__all__ = [
    "Conflict",
    "FieldPushResult",
    "FormError",
    "FormValidation",
    "PushResult",
    "SyncResult",
    "TransactionResult",
    "Validation",
    "WriteResult",
    "filled_in",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pushed field was in conflict with a write that this client had not seen.

    Attributes:
        entity: the collection.
        entity_id: the record.
        field: the top-level key.
        server_value: the value that was stored; `None` if it was deleted, too.
        server_timestamp: when that was written.
        client_value: the value that was pushed, or the operand of an operation; `None` if
            that was a delete, too.
        client_timestamp: when that was written, as merged.
        version: the version of the record now.
        winner: whose value the field has now, `server` or `client`; another word of a
            newer server: neither's, perhaps.
        strategy: the rule that decided.
        key: the key in the field, if the conflict is about one (`SetKey`): both values are
            of that key.
        server_deleted: whether what was stored is a deletion, if its value is `None`; `None`:
            an older server cannot tell.
        client_deleted: the same of what was pushed.
        server_client_id: the client that wrote the stored value, if known.
        number: the one under which the conflict is open until somebody answers it, if it is;
            see `Collection.conflicts`.
    """

    entity: str
    entity_id: str
    field: str
    server_value: Json
    server_timestamp: datetime
    client_value: Json
    client_timestamp: datetime
    version: int | None
    winner: str | None
    strategy: str | None
    key: str | None = None
    server_deleted: bool | None = None
    client_deleted: bool | None = None
    server_client_id: str | None = None
    number: int | None = None

    @classmethod
    def of(cls, message: FieldConflict) -> Conflict:
        """Make it from the message."""
        assert message.server_timestamp is not None
        assert message.client_timestamp is not None
        winner, strategy = message.winner, message.strategy
        return cls(
            message.entity,
            message.entity_id,
            message.field,
            from_json(message.server_value),
            message.server_timestamp,
            from_json(message.client_value),
            message.client_timestamp,
            message.version,
            None if winner is None else spelled(WINNER_SPELLINGS, winner),
            None if strategy is None else spelled(MERGE_STRATEGY_SPELLINGS, strategy),
            message.key,
            message.server_deleted,
            message.client_deleted,
            message.server_client_id,
            message.conflict,
        )


@dataclass(frozen=True, slots=True)
class PushResult:
    """A record was written, and that is durable.

    Attributes:
        entity: the collection.
        entity_id: the record.
        version: the version that it got; for a delete of what was not there,
            the version of the collection.
        duplicate: it had arrived before, and the answer had been lost.
        prepared: the fields that are kept otherwise than they were written: the server's program
            filled them in when the record was created, or the schema has them normalised.
    """

    entity: str
    entity_id: str
    version: int
    duplicate: bool
    prepared: Mapping[str, Json] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, message: PushAck) -> PushResult:
        """Make it from the message."""
        return cls(
            message.entity,
            message.entity_id,
            message.version,
            bool(message.duplicate),
            filled_in(message.prepared),
        )


@dataclass(frozen=True, slots=True)
class FieldPushResult:
    """Fields were merged into a record, and that is durable.

    Attributes:
        entity: the collection.
        entity_id: the record.
        applied: how many fields have the pushed value now.
        conflicts: what was in conflict.
        version: the version of the record now.
        duplicate: it had arrived before, and the answer had been lost.
        clamped: how many timestamps lay in the future and were brought back.
        prepared: the fields that are kept otherwise than they were written: the server's program
            filled them in when the record was created, or the schema has them normalised.

    Example:
        >>> result = await client.push_fields("tasks", "1", {"done": True, "by": "Ada"})
        >>> result.applied, result.conflicts
        (2, ())
    """

    entity: str
    entity_id: str
    applied: int
    conflicts: tuple[Conflict, ...]
    version: int | None
    duplicate: bool
    clamped: int
    prepared: Mapping[str, Json] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, message: FieldPushAck, conflicts: Sequence[FieldConflict]) -> FieldPushResult:
        """Make it from the messages."""
        return cls(
            message.entity,
            message.entity_id,
            message.applied,
            tuple(Conflict.of(each) for each in conflicts),
            message.version,
            bool(message.duplicate),
            message.clamped or 0,
            filled_in(message.prepared),
        )


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """Several records were written together, and that is durable.

    Attributes:
        transaction: its id, which every change of it contains; empty if nothing was written.
        results: what came of each write, in their order.
        duplicate: it had arrived before, and the answer had been lost.

    Example:
        >>> async with client.transaction() as both:
        ...     both.set("orders", "7", {"lines": 1})
        ...     both.set("lines", "7-1", {"order": "7", "goods": "tea"})
        >>> [each.version for each in both.result.results]
        [1, 1]
    """

    transaction: str
    results: tuple[PushResult | FieldPushResult, ...]
    duplicate: bool

    @classmethod
    def nothing(cls) -> TransactionResult:
        """What comes of a transaction in which nothing is written."""
        return cls("", (), duplicate=False)

    @classmethod
    def of(
        cls, message: Transaction, answer: TransactionAck, conflicts: Sequence[FieldConflict]
    ) -> TransactionResult:
        """Make it from the messages: what was to be written, and what the server says of it."""
        duplicate = bool(answer.duplicate)
        results: list[PushResult | FieldPushResult] = []
        for write, each in zip(writes_of(message), answer.results, strict=True):
            about, prepared = (each.entity, each.entity_id), filled_in(each.prepared)
            if isinstance(write, Push):
                results.append(PushResult(*about, each.version or 0, duplicate, prepared))
            else:
                lost = tuple(map(Conflict.of, conflicts_of(write, conflicts)))
                results.append(
                    FieldPushResult(
                        *about,
                        each.applied,
                        lost,
                        each.version,
                        duplicate,
                        each.clamped or 0,
                        prepared,
                    )
                )
        return cls(answer.transaction, tuple(results), duplicate)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What was in conflict, in all of the writes."""
        fields = [each for each in self.results if isinstance(each, FieldPushResult)]
        return tuple(conflict for each in fields for conflict in each.conflicts)


WriteResult: TypeAlias = PushResult | FieldPushResult | TransactionResult
"""What comes of a write that succeeds."""


def filled_in(prepared: bytes | None) -> dict[str, Any]:
    """What an acknowledgement says that the server's program filled in."""
    fields = from_json(prepared)
    return fields if isinstance(fields, dict) else {}


@dataclass(frozen=True, slots=True)
class Validation:
    """Whether one value of a form is valid. False in a condition if it is not.

    Attributes:
        valid: whether it is.
        error: if not, why, in words for the user.
        metadata: what the validator adds.

    Example:
        >>> answer = await client.validate_field("signup", "email", "ada@example.com")
        >>> answer.valid, answer.error
        (False, 'is already registered')
    """

    valid: bool
    error: str | None
    metadata: Json

    @classmethod
    def of(cls, message: ValidationResult) -> Validation:
        """Make it from the message."""
        return cls(message.valid, message.error, from_json(message.metadata))

    def __bool__(self) -> bool:
        return self.valid


@dataclass(frozen=True, slots=True)
class FormError:
    """What is wrong with one field of a form; `field` is empty for the form as a whole."""

    field: str
    error: str


@dataclass(frozen=True, slots=True)
class FormValidation:
    """Whether a whole form is valid. False in a condition if it is not.

    Attributes:
        valid: whether it is.
        errors: everything that is wrong.
        receipt: if it was asked for: attests what the server's validators have found. A handler
            that is sent the same values with it, need not run them again. `None` if it is not
            valid, or has no validators.

    Example:
        >>> answer = await client.validate_form("signup", {"email": "eve@example.com"})
        >>> [(each.field, each.error) for each in answer.errors]
        [('age', 'is required')]
    """

    valid: bool
    errors: tuple[FormError, ...]
    receipt: str | None = None

    @classmethod
    def of(cls, message: FormValidationResult) -> FormValidation:
        """Make it from the message."""
        errors = tuple(FormError(each.field, each.error) for each in message.errors)
        return cls(message.valid, errors, message.receipt)

    def __bool__(self) -> bool:
        return self.valid


@dataclass(frozen=True, slots=True)
class SyncResult(Generic[T]):
    """What changed after a position, each record or field once, at its latest.

    Attributes:
        changes: in version order.
        position: where to go on: pass it as `since`.
        reset: the asked position could not be resumed; `changes` is everything
            there is, and what was held before is void.

    Example:
        >>> result = await client.sync("users")
        >>> [change.data for change in result]
        [{'name': 'Ada'}]
        >>> len(await client.sync("users", result.position))
        0
    """

    changes: tuple[T, ...]
    position: Position
    reset: bool

    def __iter__(self) -> Iterator[T]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)
