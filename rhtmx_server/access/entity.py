"""What an application declares of one entity: its parts, and who may do what with it.

Knows rules and parts, and refuses those that cannot work together. Must not know
records, stores or the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, TypeVar

from rhtmx.errors import Violation
from rhtmx_server.access.declaration_error import DeclarationError
from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.rules import Rule
from rhtmx_server.access.where import partitions_with
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.functions import blocks, name_of, require_arguments

__all__ = [
    "ACTIONS",
    "Action",
    "Entity",
    "EntityCheck",
    "EntityJudge",
    "EntityJudgeLost",
    "EntityNormalize",
    "EntityPrepare",
    "Partition",
    "check_entity_name",
    "parse_partition",
]

Action: TypeAlias = Literal["read", "create", "update", "delete"]
"""What somebody may do with a record."""

ACTIONS: tuple[Action, ...] = ("read", "create", "update", "delete")
_WRITES = ACTIONS[1:]

Partition: TypeAlias = Sequence[str] | Sequence[Sequence[str]] | None
"""How an application says by what an entity is divided: one partition, or a list of them."""

EntityCheck: TypeAlias = Callable[[Any, Any, Any], None]
"""A rule of the program: takes who writes, and the record before and after as JSON values."""

EntityJudge: TypeAlias = Callable[[Any, Any, Any, Any, bool], None]
"""The rules of a schema: takes who writes, the record before and after as JSON texts, the keys
that the write has changed, where that is known, and whether it named them."""

EntityNormalize: TypeAlias = Callable[[Any, Any], Mapping[str, Any]]
"""What a schema has kept in the place of texts that are not normalised: takes the record and the
keys that were written; returns the fields that are otherwise."""

EntityJudgeLost: TypeAlias = Callable[[Any, Any], None]
"""The rules of a schema for what lost: takes who writes, and the values by key, as JSON texts, or
`None` where there is nothing but that the field was written."""

EntityPrepare: TypeAlias = Callable[[Any, Any], Mapping[str, Any] | None]
"""Fills in a record that is created: takes who writes and the record, returns fields."""

C = TypeVar("C", bound=EntityCheck)
P = TypeVar("P", bound=EntityPrepare)

_MOST_PARTITIONS = 16


def parse_partition(entity: str, partition: Partition, impossible: Collection[str]) -> Partitions:
    """Read what an application says about an entity's parts.

    Args:
        entity: its name, for errors.
        partition: see `App.entity`.
        impossible: names that no field can have.

    Raises:
        TypeError: it is something else.
        ValueError: it makes no sense.

    Example:
        >>> parse_partition("tasks", [["team"], ["team", "status"]], ()).declared
        (('team',), ('status', 'team'))
    """
    where = f"entity {entity[:40]!r}: partition"
    if isinstance(partition, str) or not isinstance(partition, list | tuple):
        raise TypeError(f"{where}: a list of fields expected, such as ['team'], got {partition!r}")
    one = all(isinstance(each, str) for each in partition)
    declared: list[Any] = [partition] if one and partition else list(partition)
    if not declared or len(declared) > _MOST_PARTITIONS:
        raise ValueError(f"{where}: 1 to {_MOST_PARTITIONS} lists of fields expected")
    for fields in declared:
        if isinstance(fields, str) or not isinstance(fields, list | tuple):
            raise TypeError(f"{where}: a list of lists expected, such as [['team'], ['owner']]")
        for field in fields:
            if not isinstance(field, str):
                raise TypeError(f"{where}: {field!r} is no name of a field")
            if not 1 <= len(field.encode()) <= 255 or field in impossible:
                raise ValueError(f"{where}: no record can have the field {field[:40]!r}")
    try:
        return Partitions(declared)
    except ValueError as reason:
        raise ValueError(f"entity {entity[:40]!r}: {reason}") from None


def check_entity_name(name: object, forbidden: Collection[str]) -> None:
    """Refuse what cannot be the name of an entity.

    Raises:
        ValueError: it is not one, or no client could read it.
    """
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= 255:
        raise ValueError(f"entity {str(name)[:40]!r}: a name of 1 to 255 bytes expected")
    if name.startswith(RESERVED):
        raise ValueError(
            f"entity {name[:40]!r}: names that begin with '$' are the server's own (conflict "
            "logs): take another name"
        )
    if name in forbidden:
        raise ValueError(f"entity {name!r}: no client could read it, take another name")


class Entity:
    """One declared entity. Made by `App.entity`.

    Args:
        name: as clients name it.
        running: whether the app runs: then nothing of this can be changed any more.

    Attributes:
        partitions: by which fields it is divided; `None` for not at all.
        rules: who may do what; empty for everybody everything.
        prepares: what fills in each record that is created.
        checks: what each write has to pass.
        judge: what each write has to pass by the schema of the application, before the checks.
        judge_lost: what a write of a field has to pass by the schema, also where it loses: it is
            kept, and others are told it.
        judge_is_ours: nothing but our own code judges, which need not be measured.
        normalize: see `EntityNormalize`; `None` if all is kept as it is written.
        hidden: the fields that never leave the server, see `hide`.

    Example:
        >>> from rhtmx_server.access import nobody, owner, role
        >>> orders = Entity("orders")
        >>> orders.divide(Partitions([["customer"]]))
        >>> _ = orders.access(
        ...     read=owner("customer") | role("clerk"),
        ...     create=owner("customer"), update=role("clerk"), delete=nobody,
        ... )
    """

    def __init__(self, name: str, running: Callable[[], bool] = lambda: False) -> None:
        self.name = name
        self.partitions: Partitions | None = None
        self.rules: dict[Action, Rule] = {}
        self.prepares: tuple[EntityPrepare, ...] = ()
        self.checks: tuple[EntityCheck, ...] = ()
        self.judge: EntityJudge | None = None
        self.judge_is_ours = True
        self.normalize: EntityNormalize | None = None
        self.judge_lost: EntityJudgeLost | None = None
        self.hidden: Mapping[str, Violation] = {}
        self._read_is_named = False
        self._running = running

    def __repr__(self) -> str:
        """Its name."""
        return f"Entity({self.name!r})"

    def divide(self, partitions: Partitions) -> None:
        """Say by which fields it is divided."""
        self._require_stopped("partition")
        self.partitions = partitions

    def hide(self, fields: Mapping[str, Violation]) -> None:
        """Have some fields never leave the server, and be written by its own program only.

        Args:
            fields: their keys, each with what a client is told who writes it.
        """
        self._require_stopped("hide")
        self.hidden = dict(fields)

    def access(
        self,
        *,
        all: Rule | None = None,  # noqa: A002 (as an application reads it best)
        read: Rule | None = None,
        write: Rule | None = None,
        create: Rule | None = None,
        update: Rule | None = None,
        delete: Rule | None = None,
    ) -> Self:
        """Say who may do what with its records. What is named nowhere, nobody may.

        An entity of which nothing is said belongs to everybody. The program of the
        server itself (`app.changes`, `app.fields`) may do everything.

        To update or delete a record one has to be able to read it, too: to anybody else
        it is not there. An update has to be allowed both of the record as it is and as
        it would be.

        Args:
            all: whatever the others leave open.
            read: who is sent which records. Their fields have to be a partition.
            write: create, update and delete, where these leave it open.
            create: records that are not there.
            update: records that are there.
            delete: records that are there.

        Returns:
            The entity.

        Raises:
            TypeError: one of them is no rule.
            ValueError: nothing is said, or access was given before.
            RuntimeError: the app runs already.

        Example:
            >>> from rhtmx_server.access import anyone, backend
            >>> _ = Entity("prices").access(read=anyone, write=backend)
        """
        self._require_stopped("access")
        given = {
            "all": all, "read": read, "write": write,
            "create": create, "update": update, "delete": delete,
        }  # fmt: skip
        for name, rule in given.items():
            if rule is not None and not isinstance(rule, Rule):
                raise TypeError(
                    f"entity {self.name!r}: access({name}=…): a rule such as role('clerk') or "
                    f"owner('customer') expected, got {rule!r}"
                )
        rules: dict[Action, Rule | None] = {"read": read or all}
        for action in _WRITES:
            rules[action] = given[action] or write or all
        if not any(rules.values()):
            raise ValueError(f"entity {self.name!r}: access(): say who: access(all=nobody)")
        if self.rules:
            raise ValueError(
                f"entity {self.name!r}: access was given before: say all of it in one call"
            )
        self._read_is_named = read is not None
        self.rules = {action: rule for action, rule in rules.items() if rule is not None}
        return self

    def prepare(self, function: P) -> P:
        """Register a function that fills in each record that is created. A decorator.

        The function takes who writes (`None` for the program of the server itself), and the
        record as its author wants it: an object. It returns the fields to set, as a dict,
        or `None`; what it returns replaces what the author wrote. It is called where no
        record was before, or a deleted one, before access and checks look at it. Several
        are called in their order. What else would be created, a list or a number, is
        rejected.

        The fields are part of the same commit, and the author is told them with the
        acknowledgement. Like a check it is plain, and waits for nothing.

        Raises:
            TypeError: the function takes other arguments, or is `async`.
            RuntimeError: the app runs already.

        Example:
            >>> from datetime import UTC, datetime
            >>> orders = Entity("orders")
            >>> @orders.prepare
            ... def stamp(who, after):
            ...     customer = who.subject if who else after["customer"]
            ...     return {"customer": customer, "created_at": datetime.now(UTC)}
        """
        self._require_plain("prepare", function, 2, "(who, after)")
        self.prepares = (*self.prepares, function)
        return function

    def check(self, function: C) -> C:
        """Register a check of each write, run in its transaction. A decorator.

        The function takes who writes (`None` for the program of the server itself), and the
        record before and after the write, as JSON values: `None` where there is none, or
        none that the author may see. After a write of some fields, or an operation, it is
        the whole record that would come of it. It raises `Invalid` or `Forbidden`, and
        returns nothing. It is plain and does not wait for anything: all other writes wait
        for it.

        Raises:
            TypeError: the function takes other arguments, or is `async`.
            RuntimeError: the app runs already.

        Example:
            >>> from rhtmx_server import Invalid
            >>> events = Entity("events")
            >>> @events.check
            ... def ends_after_it_starts(who, before, after):
            ...     if after and after["start"] > after["end"]:
            ...         raise Invalid("ends before it starts", field="end", code="too_early")
        """
        self._require_plain("check", function, 3, "(who, before, after)")
        self.checks = (*self.checks, function)
        return function

    def verify(self, *, scoped: bool) -> None:
        """Refuse what cannot work, once everything is said.

        Args:
            scoped: whether a function says what somebody may read of it.

        Raises:
            DeclarationError: in words that say what to write.
        """
        self._require_told()
        read = self.rules.get("read")
        if scoped and self._read_is_named:
            raise DeclarationError(
                f"entity {self.name!r}: app.scope({self.name!r}) and access(read={read!r}) both "
                "say who reads what: leave one of them out"
            )
        if scoped and self.partitions is None:
            raise DeclarationError(
                f"app.scope({self.name!r}): it says which parts somebody reads, and there are "
                f"none: declare app.entity({self.name!r}, partition=[…])"
            )
        if scoped or read is None:
            return
        for shape in sorted(read.shapes - {()}):
            if self.partitions is None or shape not in self.partitions.declared:
                raise DeclarationError(
                    f"entity {self.name!r}: read={read!r} asks for {', '.join(map(repr, shape))}, "
                    "and no partition has just these fields: declare "
                    f"{partitions_with(self.name, shape, self.partitions)}"
                )

    def _require_told(self) -> None:
        """Refuse parts and rules by what is hidden: who reads a part knows its value."""
        shapes = {shape for rule in self.rules.values() for shape in rule.shapes}
        shapes |= set(() if self.partitions is None else self.partitions.declared)
        for field in sorted({field for shape in shapes for field in shape} & self.hidden.keys()):
            raise DeclarationError(
                f"entity {self.name!r}: access or partition by {field!r}, which is server_only: "
                "who reads such a part is told its value. Take another field"
            )

    def _require_plain(self, kind: str, function: object, count: int, rule: str) -> None:
        """Refuse what cannot run in a transaction."""
        self._require_stopped(kind)
        name = f"entity {self.name!r}: {kind} {name_of(function)}"
        require_arguments(function, name, count, rule)
        assert callable(function)
        if not blocks(name, function, None):
            raise TypeError(
                f"{name}: is async: a {kind} runs in the transaction, and waits for nothing"
            )

    def _require_stopped(self, what: str) -> None:
        if self._running():
            raise RuntimeError(f"entity {self.name!r}: {what}: the app is running: say it before")
