"""Conflicts that nobody has answered yet: shown, and answered.

Knows where they are heard of: in what this client has written itself, and in the conflict log of
an entity. Must not know how an answer is queued, sent or decided.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from rhtmx.api.pending_call import written
from rhtmx.core.conflict import ConflictSides, of_log
from rhtmx.core.conflict_log import is_removal, log_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.conflict_side import ConflictSide, merged
from rhtmx.values.json_value import Json
from rhtmx.values.record import Record
from rhtmx.values.results import FieldPushResult, PushResult, TransactionResult

__all__ = [
    "ConflictAnswerer",
    "ConflictAnswers",
    "LoggedConflicts",
    "OpenConflict",
    "logged_conflicts",
]

AnswerResult: TypeAlias = PushResult | FieldPushResult | None
"""What comes of an answer; `None` if it wrote nothing."""


class ConflictAnswerer(Protocol):
    """Who carries an answer out."""

    async def answer(self, conflict: OpenConflict, side: ConflictSide) -> AnswerResult:
        """Answer a conflict."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenConflict:
    """A write stood against one that its author had not seen. You may decide otherwise.

    Each is answered once, by whoever is first; an answer of somebody who was later is rejected
    with `CONFLICT`.

    Attributes:
        entity: the collection.
        entity_id: the record.
        number: the one under which it is open for all who may read and update the record;
            `None` if it is so for this client only.
        field: the top-level key; `None`: it is about the whole record, which
            was not written.
        key: the key in the field, if both wrote that key (`SetKey`): the two values are the
            key's, and an answer writes nothing else of the field.
        stored: what was there: its value, who wrote it and when.
        pushed: what arrived.
        winner: whose value the record had after it, `server` for what was stored, or `client`.
        standing: that one of the two.
        lost: the other one.
        mine: the value that this client wrote: a value, or an operation, which lost against a
            deletion; `None` if it was a deletion. Of a conflict of two others: what lost.
        theirs: what stood against it; `None` if it was a deletion.
        base_version: the version that the author of `pushed` had seen, if it said one.
        version: that of the record after it.
        strategy: the rule that decided.

    Example:
        >>> async for conflict in client.conflicts():
        ...     result = await conflict.merge(f"{conflict.theirs}: {conflict.mine}")
        ...     print(tasks.get("1").data["title"])
        Tell everyone: Keep it
    """

    sides: ConflictSides
    _answerer: ConflictAnswerer

    def __repr__(self) -> str:
        names = ("entity", "entity_id", "number", "field", "key", "lost", "standing", "strategy")
        return f"OpenConflict({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def entity(self) -> str:
        """The collection."""
        return self.sides.entity

    @property
    def entity_id(self) -> str:
        """The record."""
        return self.sides.entity_id

    @property
    def number(self) -> int | None:
        """The one under which it is open for everybody; `None`: for this client only."""
        return self.sides.number

    @property
    def field(self) -> str | None:
        """The top-level key; `None`: it is about the whole record."""
        return self.sides.field

    @property
    def key(self) -> str | None:
        """The key in the field, if the conflict is about one; `None`: about the whole field."""
        return self.sides.key

    @property
    def stored(self) -> ConflictSide:
        """What was there."""
        return self.sides.stored

    @property
    def pushed(self) -> ConflictSide:
        """What arrived."""
        return self.sides.pushed

    @property
    def standing(self) -> ConflictSide:
        """What the record had after it."""
        return self.sides.standing

    @property
    def lost(self) -> ConflictSide:
        """What it had not."""
        return self.sides.lost

    @property
    def mine(self) -> Json:
        """What this client wrote: a value or an operation; `None` if it was a deletion."""
        return self.sides.mine.value

    @property
    def theirs(self) -> Json:
        """What stood against it; `None` if it was a deletion."""
        return self.sides.theirs.value

    @property
    def winner(self) -> str:
        """Whose value the record had after it."""
        return self.sides.winner

    @property
    def base_version(self) -> int | None:
        """The version that the author of what was pushed had seen, if it said one."""
        return self.sides.base_version

    @property
    def version(self) -> int | None:
        """That of the record after it."""
        return self.sides.version

    @property
    def strategy(self) -> str | None:
        """The rule that decided; `None` for a whole record."""
        return self.sides.strategy

    async def keep_mine(self) -> AnswerResult:
        """Let mine stand; an operation is applied to what is there by then.

        The conflict is gone at once, also offline. Returns when that is durable.

        Returns:
            What came of the write; `None` if it stands already.

        Raises:
            RhtmxError: the write was rejected: it is in `client.rejected`. `CONFLICT`, in
                words: somebody else has answered it meanwhile.
        """
        return await self._answerer.answer(self, self.sides.mine)

    async def take_theirs(self) -> AnswerResult:
        """Let theirs stand; see `keep_mine`."""
        return await self._answerer.answer(self, self.sides.theirs)

    async def keep_lost(self) -> AnswerResult:
        """Let what lost stand; see `keep_mine`."""
        return await self._answerer.answer(self, self.sides.lost)

    async def keep_standing(self) -> AnswerResult:
        """Leave it as it is, and have the conflict answered; see `keep_mine`.

        It is no error if somebody else has answered it meanwhile.
        """
        return await self._answerer.answer(self, self.sides.standing)

    async def merge(self, value: Json) -> AnswerResult:
        """Let a third value stand, or apply an operation; see `keep_mine`.

        Args:
            value: for the record, the field, or the key.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it cannot be JSON.
        """
        return await self._answerer.answer(self, merged(value))


class ConflictAnswers:
    """Carries the answers of one client out.

    Args:
        runtime: the client's.
    """

    def __init__(self, runtime: ClientRuntime) -> None:
        self._runtime = runtime

    async def conflicts(self) -> AsyncGenerator[OpenConflict, None]:
        """The conflicts of this client's writes that nobody has answered, then each new one."""
        self._runtime.check_open()
        async with aclosing(self._runtime.router.conflicts.listen()) as conflicts:
            async for each in conflicts:
                yield OpenConflict(each, self)

    async def answer(self, conflict: OpenConflict, side: ConflictSide) -> AnswerResult:
        """Answer a conflict."""
        runtime, sides = self._runtime, conflict.sides
        request_id = runtime.session.answer(sides, side, runtime.now())
        conflicts = runtime.router.conflicts.drop(sides.is_same)
        rejections = runtime.router.rejections.drop(lambda each: each.id == sides.rejected)
        row = runtime.session.local.writes.queue.get(request_id or "")
        if row is None or request_id is None:
            runtime.changed()
            return None
        message = row.message
        try:
            result = written(message, await runtime.answer(request_id))
        except RhtmxError as error:
            if is_removal(message) and error.code is ErrorCode.CONFLICT:
                return None  # answered it is
            if row.not_kept is not None:  # by the store: it is as open as before
                runtime.router.conflicts.restore(conflicts)
                runtime.router.rejections.restore(rejections)
            raise
        if is_removal(message):
            return None
        return result.results[0] if isinstance(result, TransactionResult) else result


class LoggedConflicts:
    """The open conflicts of an entity, from its conflict log.

    A conflict is the same object as long as nothing about it changes, and all of them are the
    same tuple as long as nothing has.

    Args:
        entity: the collection.
        answerer: carries an answer out.
    """

    def __init__(self, entity: str, answerer: ConflictAnswerer) -> None:
        self._entity = entity
        self._answerer = answerer
        self._read: dict[str, tuple[Record, str | None, list[OpenConflict]]] = {}
        self._shown: tuple[OpenConflict, ...] = ()

    def of(
        self, records: Iterable[Record], client_id: str, epoch: str | None
    ) -> tuple[OpenConflict, ...]:
        """All of them, the oldest first.

        Args:
            records: what the log has.
            client_id: that of this client.
            epoch: that of the log.
        """
        before, self._read = self._read, {}
        for record in records:
            known = before.get(record.id)
            if known is None or known[0] is not record or known[1] != epoch:
                told = of_log(self._entity, record.id, record.data, client_id, epoch)
                known = record, epoch, self._open(told, known[2] if known else ())
            self._read[record.id] = known
        found = (each for _, _, conflicts in self._read.values() for each in conflicts)
        shown = tuple(sorted(found, key=lambda each: each.number or 0))
        if shown != self._shown:  # each is equal only to itself
            self._shown = shown
        return self._shown

    def _open(
        self, told: Iterable[ConflictSides], shown: Iterable[OpenConflict]
    ) -> list[OpenConflict]:
        known = {each.sides: each for each in shown}
        return [known.get(each) or OpenConflict(each, self._answerer) for each in told]


async def logged_conflicts(
    runtime: ClientRuntime, entity: str, changes: AsyncGenerator[Iterable[Record], None]
) -> AsyncGenerator[tuple[OpenConflict, ...], None]:
    """The open conflicts of an entity now, and each time that they have changed.

    Args:
        runtime: the client's.
        entity: the collection.
        changes: the records of its conflict log, now and after each change.
    """
    logged, seen = LoggedConflicts(entity, ConflictAnswers(runtime)), None
    local = runtime.session.local
    async with aclosing(changes) as each:
        async for records in each:
            epoch = local.epoch(log_of(entity), None)
            now = logged.of(records, local.identity.client_id, epoch)
            if now is not seen:
                seen = now
                yield now
