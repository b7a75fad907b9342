"""What the entities of an app say about who reads what, in one object.

Knows rules, parts and the program's functions. Must not know records, stores, the
wire or the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.declaration_error import DeclarationError
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import WHOLE, Part
from rhtmx_server.access.where import common_parts, parse_where
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.model import NOWHERE, Scope

__all__ = ["Access", "AskScope"]

AskScope: TypeAlias = Callable[[Grant], Awaitable[frozenset[Part]]]
"""Asks the program which parts of an entity somebody reads; raises `RhtmxError` only."""

_EVERYTHING = frozenset({WHOLE})
_NOTHING: frozenset[Part] = frozenset()


class Access:
    """Who reads what, and what is asked about writes.

    Args:
        entities: those that were declared, by name. What changes there afterwards is
            not seen.
        scopes: functions of the program, by the name of the entity.

    Attributes:
        guards: for each entity that has access, functions or parts, what judges its writes.
        changes: grows when what somebody reads may have changed: answers of before are void.

    Raises:
        DeclarationError: something that cannot work; in words that say what to write.
    """

    def __init__(
        self,
        entities: Mapping[str, Entity] | None = None,
        scopes: Mapping[str, AskScope] | None = None,
    ) -> None:
        entities = entities or {}
        self._scopes = dict(scopes or {})
        self._partitions = {name: each.partitions for name, each in entities.items()}
        self._read = {name: each.rules.get("read") for name, each in entities.items() if each.rules}
        for name in self._scopes:
            if name not in entities:
                raise DeclarationError(
                    f"app.scope({name!r}): there is no such entity: declare "
                    f"app.entity({name!r}, partition=[…])"
                )
        self._questions: dict[str, set[object]] = {}
        self.changes = 0
        self.guards: dict[str, Guard] = {}
        for name, entity in entities.items():
            scoped = name in self._scopes
            entity.verify(scoped=scoped)
            functions = entity.checks, entity.prepares
            asked = scoped or entity.rules or any(functions) or entity.hidden or entity.judge
            if asked or entity.partitions is not None:
                self.guards[name] = Guard(
                    entity.partitions,
                    entity.rules,
                    *functions,
                    judge=entity.judge,
                    judge_is_ours=entity.judge_is_ours,
                    normalize=entity.normalize,
                    judge_lost=entity.judge_lost,
                    scoped=scoped,
                    hidden=entity.hidden,
                )

    @property
    def entities(self) -> tuple[str, ...]:
        """Those that were declared, and their conflict logs as far as rules or parts need it."""
        return tuple(self._partitions)

    @property
    def open(self) -> tuple[str, ...]:
        """Those that everybody reads and writes, where others have access."""
        closed = {name for name, guard in self.guards.items() if guard.closed}
        # Where an entity is open, its conflict log is, too.
        said = (name for name in self._partitions if closed and not name.startswith(RESERVED))
        return tuple(name for name in said if name not in closed)

    def declared(self, entity: str) -> str:
        """How an entity is divided, always spelt the same; empty for not at all."""
        partitions = self._partitions.get(entity)
        return "" if partitions is None else partitions.spelt

    def partitions(self, entity: str) -> tuple[tuple[str, ...], ...]:
        """By which fields an entity is divided: those of each partition, by name."""
        partitions = self._partitions.get(entity)
        return () if partitions is None else partitions.declared

    def parts_of(self, entity: str, data: bytes | None) -> frozenset[str]:
        """The keys of the parts that a record is in, by its data."""
        partitions = self._partitions.get(entity)
        if partitions is None:
            return NOWHERE
        return frozenset(part.key for part in partitions.parts_of(data))

    @property
    def asks_the_program(self) -> bool:
        """Whether a function of the program says what somebody reads of some entity."""
        return bool(self._scopes)

    def whole(self, entity: str) -> bool:
        """Whether everybody reads all of an entity, whoever they are."""
        return entity not in self._read and entity not in self._scopes

    def waits(self, entity: str) -> bool:
        """Whether `readable` of an entity may have to wait: it asks the program."""
        return entity in self._scopes

    async def readable(self, entity: str, who: Grant | None, where: bytes | None = None) -> Scope:
        """What somebody is sent of an entity.

        Waits for nothing but a function of the program, if there is one for the entity.

        Args:
            entity: its name.
            who: who reads; `None` for the program itself, which may read everything.
            where: what they ask for: a JSON object, as in `parse_where`.

        Returns:
            The keys of the parts; `None` for the whole entity, none for nothing.

        Raises:
            RhtmxError: `FORBIDDEN`, no part of it could be theirs; `BAD_MESSAGE`,
                `where` is not one; `NOT_SUPPORTED`, the entity is not divided by its
                fields; what the program's function raises, and `INTERNAL` if it fails.
        """
        right = _EVERYTHING if who is None else await self._right(entity, who)
        if where is None and WHOLE in right:
            return None
        partitions = self._partitions.get(entity)
        return common_parts(entity, right, parse_where(entity, where, partitions), partitions)

    async def _right(self, entity: str, who: Grant) -> frozenset[Part]:
        ask = self._scopes.get(entity)
        if ask is not None:
            return await self._asked(ask, who)
        if entity not in self._read:
            return _EVERYTHING
        rule = self._read[entity]
        right = _NOTHING if rule is None else rule.parts(who)
        if not right and (rule is None or rule.shapes <= {()}):
            raise RhtmxError(ErrorCode.FORBIDDEN, f"'{entity[:40]}': you may not read it")
        return right

    async def _asked(self, ask: AskScope, who: Grant) -> frozenset[Part]:
        question = object()
        while True:
            waiting = self._questions.setdefault(who.subject, set())
            waiting.add(question)
            try:
                right = await ask(who)
            finally:
                current = self._questions.get(who.subject) is waiting
                waiting.discard(question)
                if current and not waiting:
                    del self._questions[who.subject]
            if current:  # else the program may have answered by what was before
                return right

    def changed(self, subject: str) -> None:
        """Take note that a subject may read something else now: questions begin anew."""
        self.changes += 1
        self._questions.pop(subject, None)
