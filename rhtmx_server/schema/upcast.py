"""Writes that were made under an older version of the schema, made ones of today. Pure.

Knows versions, the keys that were renamed since, and the functions of the program that say what
else has changed. Must not know who writes, nor what is decided: it sees edits, not records.

Step by step: for each version after the one under which a write was made, first the keys that
this version has renamed get their new names, then its functions are called, in the order in
which they were declared. What a write says of other fields stays as it is, to the digit.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, Push, PushFields, SchemaVersion
from rhtmx.schema.declared import Retired, Schema
from rhtmx.values.field_operations import FieldOperation, operand_text, operation_of
from rhtmx.values.json_value import Json, from_json, to_json
from rhtmx.values.operations import OPERATIONS
from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_ITEMS, MAX_NAME
from rhtmx_server.failures import MisuseError, unexpected
from rhtmx_server.functions import name_of, require_one_argument
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.verdicts import Invalid
from rhtmx_server.writing.rejections import invalid

__all__ = ["Edit", "UpcastFunction", "Upcaster", "check_place", "check_upcast", "version_of"]


@dataclass(slots=True)
class Edit:
    """What a write says, as a function of the program changes it: in place, or by another one.

    Args:
        entity: the collection.
        entity_id: the record.
        whole: it writes the whole record, and what is in no field of it is gone. Else it writes
            some fields, and leaves the others.
        values: new values by key. In a whole record that an older client has read and written
            back there may be keys and values that a newer one wrote: leave those as they are.
        deleted: keys that go; none of a whole record.
        operations: what is to be done with fields, such as `Increment(1)`, by key; none of a
            whole record.
    """

    entity: str
    entity_id: str
    whole: bool
    values: dict[str, Json] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    operations: dict[str, FieldOperation] = field(default_factory=dict)


UpcastFunction: TypeAlias = Callable[[Edit], Edit | None]
"""Makes an edit of an older version one of a certain version."""


def check_upcast(function: object, name: str) -> None:
    """Make sure that a function can be one that up-casts.

    Args:
        function: what was registered.
        name: what it is called, for the error.

    Raises:
        TypeError: it takes something else, or waits.
    """
    require_one_argument(function, name, "(edit)")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name}: a plain function expected: it is called where nothing may wait")


def check_place(schema: Schema | None, entity: str, version: int, name: str) -> None:
    """Make sure that there is something to up-cast.

    Args:
        schema: that of the application, if it has one.
        entity: of whose writes.
        version: to which they are up-cast.
        name: what the function is called, for the error.

    Raises:
        ValueError: there is no such entity or version.
    """
    if schema is None or entity not in schema.entities:
        raise ValueError(f"{name}: the schema of the application has no such entity")
    if not 2 <= version <= schema.version:
        raise ValueError(
            f"{name}: a version from 2 to {schema.version}, which the schema has, expected: the "
            "one that older writes become writes of"
        )


def version_of(schema: Schema) -> SchemaVersion:
    """What a server says of its schema.

    Args:
        schema: it.
    """
    return SchemaVersion(version=schema.version, hash=schema.hash, oldest=schema.oldest)


class Upcaster:
    """Makes writes of older versions of a schema ones of today.

    Args:
        schema: of today.
        functions: those of the program, by entity and version.
        declared: the entities that there are, also by the program alone.
    """

    def __init__(
        self,
        schema: Schema,
        functions: Mapping[tuple[str, int], Sequence[UpcastFunction]] | None = None,
        declared: Collection[str] = (),
    ) -> None:
        self._oldest = schema.oldest
        #: The version in which an entity that is no more was gone.
        self._gone: dict[str, int] = {}
        self._steps: dict[str, dict[int, _Step]] = {}
        for each in schema.renames:
            step, entity = self._step(each.entity, each.version), schema.entities.get(each.entity)
            step.renames[each.old] = each.new
            if entity is not None and (member := entity.keys.get(each.new)) is not None:
                step.zeros[each.new] = member.codec.write(member.codec.zero())
        for name in schema.retired:
            if name.path:
                self._step(name.entity, name.version).retired.append(name)
            elif name.entity not in declared and name.entity not in schema.entities:
                self._gone[name.entity] = name.version
        for place, those in (functions or {}).items():
            self._step(*place).functions = those
        self._steps = {name: dict(sorted(steps.items())) for name, steps in self._steps.items()}

    def _step(self, entity: str, version: int) -> _Step:
        return self._steps.setdefault(entity, {}).setdefault(version, _Step())

    def of_today(self, write: Push | PushFields, version: int) -> Push | PushFields:
        """What a write of a version says today: the write itself, if that is the same.

        Args:
            write: it has passed the checks of messages.
            version: the one under which it was made. One that is newer than the server's is taken
                for the server's.

        Raises:
            RhtmxError: `UPGRADE_REQUIRED`, it is too old, or nothing is left of it; `INVALID` or
                another code, as a function says; `INTERNAL`, a function failed.
        """
        if version < self._oldest:
            raise too_old(version, self._oldest)
        if version < self._gone.get(write.entity, 0):
            raise _untranslated(f"there is no entity '{write.entity[:40]}' any more")
        if isinstance(write, Push) and write.action is ChangeAction.DELETE:
            return write
        all_of_them = self._steps.get(write.entity, {})
        steps = [step for number, step in all_of_them.items() if number > version]
        if not steps or not _has_fields(write):
            return write
        draft = _Draft(write)
        for step in steps:
            draft.rename(step.renames, step.zeros)
            if not step.functions:
                draft.require_known(step.retired)
            for function in step.functions:
                draft.apply(function)
        return draft.written()


def _has_fields(write: Push | PushFields) -> bool:
    """Whether it says something of fields: a record may be any JSON value."""
    return jsontext.is_object(write.data) if isinstance(write, Push) else bool(write.fields)


def too_old(version: int, oldest: int) -> RhtmxError:
    """The refusal of a write that was made under a version too old for the server."""
    return RhtmxError(
        ErrorCode.UPGRADE_REQUIRED,
        f"this was written under version {version} of the application's schema, and the server "
        f"takes none before {oldest}: upgrade the application, and write it again",
    )


def _untranslated(what: str) -> RhtmxError:
    """The refusal of a write that nobody can make one of today."""
    return RhtmxError(
        ErrorCode.UPGRADE_REQUIRED,
        f"{what} in today's version of the application's schema: upgrade the application, and "
        "write it again",
    )


def _is_in(value: Json, path: Sequence[str], word: str | None) -> bool:
    """Whether a value has a name that is no more: see `Retired`."""
    if not path:
        return value is not None if word is None else value == word
    head, rest = path[0], path[1:]
    if head:
        return isinstance(value, dict) and _is_in(value.get(head), rest, word)
    items = list(value.values()) if isinstance(value, dict) else value
    return isinstance(items, list) and any(_is_in(each, rest, word) for each in items)


@dataclass(slots=True)
class _Step:
    """What one version changes of the writes of one entity."""

    renames: dict[str, str] = field(default_factory=dict)
    zeros: dict[str, Json] = field(default_factory=dict)
    retired: list[Retired] = field(default_factory=list)
    functions: Sequence[UpcastFunction] = ()


def _called(function: UpcastFunction, edit: Edit) -> Edit:
    """What a function makes of an edit.

    Raises:
        MisuseError: it returned something else.
    """
    answer = function(edit)
    if answer is None:
        return edit
    if inspect.iscoroutine(answer):
        answer.close()  # else Python says that it was never awaited, and not where
    if not isinstance(answer, Edit):
        raise MisuseError(f"it returned {type(answer).__name__}: return the edit, or nothing")
    return answer


@dataclass(frozen=True, slots=True)
class _Said:
    """What a write says of one field, in its own text."""

    action: FieldAction
    text: bytes | None
    timestamp: datetime | None = None


def _is_nothing(said: _Said, zero: Json) -> bool:
    """Whether it is the value of a field that nobody has set."""
    if said.action is not FieldAction.UPDATE:
        return False
    value = from_json(said.text)
    return not value or value in ("0", zero)


class _Draft:
    """A write while it is made one of today."""

    def __init__(self, write: Push | PushFields) -> None:
        self._write = write
        self._said: dict[str, _Said] = {}
        self._time: datetime | None = None
        if isinstance(write, Push):
            for key, text in jsontext.split(write.data).items():
                self._said[key] = _Said(FieldAction.UPDATE, jsontext.value(text))
        else:
            for each in write.fields:
                self._said[each.field] = _Said(each.action, each.value, each.timestamp)
            self._time = max(
                (each.timestamp for each in write.fields if each.timestamp), default=None
            )

    def rename(self, renames: Mapping[str, str], zeros: Mapping[str, Json]) -> None:
        """Call fields by other keys, all at once: two may be exchanged.

        In a whole record there may be the new key beside the old one: an older client has read
        it, and does not know it. The old one is what its user has seen, unless that is nothing.
        """
        if renames.keys().isdisjoint(self._said):
            return
        moved: dict[str, _Said] = {}
        for key, said in self._said.items():
            name = renames.get(key, key)
            there = moved.get(name)
            old, new = (said, there) if key in renames else (there, said)
            if there is None or old is None or new is None:
                moved[name] = said
            else:
                moved[name] = new if _is_nothing(old, zeros.get(name)) else old
        self._said = moved

    def require_known(self, retired: Sequence[Retired]) -> None:
        """Refuse what has a name that is no more, and that nobody translates.

        Raises:
            RhtmxError: `UPGRADE_REQUIRED`.
        """
        for each in retired:
            said = self._said.get(each.path[0])
            if said is not None and _is_in(from_json(said.text), each.path[1:], each.word):
                name = each.path[-1] if each.word is None else each.word
                raise _untranslated(f"'{name[:40]}' in '{each.path[0][:40]}' is called otherwise")

    def apply(self, function: UpcastFunction) -> None:
        """Have a function of the program change it."""
        write, whole = self._write, isinstance(self._write, Push)
        edit = Edit(write.entity, write.entity_id, whole)
        for key, said in self._said.items():
            if said.action is FieldAction.DELETE:
                edit.deleted.add(key)
            elif said.action in OPERATIONS:
                edit.operations[key] = operation_of(said.action, said.text)
            else:
                edit.values[key] = from_json(said.text)
        name = f"upcast {name_of(function)} of {write.entity!r}"
        try:
            self._take(_called(function, edit))
        except Invalid as verdict:
            found = [
                Violation(str(each.field), str(each.code), str(each.message), each.metadata)
                for each in verdict.violations
            ]
            raise invalid(str(verdict.message), found) from None
        except RhtmxError:
            raise
        except (Exception, SystemExit) as failure:  # of the program: it does not end the server
            raise unexpected(failure, name) from failure

    def written(self) -> Push | PushFields:
        """The write of today: another object, the one that came stays as it is."""
        write = copy.copy(self._write)
        if isinstance(write, Push):
            texts = {key: jsontext.raw(said.text) for key, said in self._said.items()}
            write.data = jsontext.join(texts)
            return write
        if not self._said:
            raise RhtmxError(
                ErrorCode.UPGRADE_REQUIRED,
                "nothing of this is left in today's version of the application's schema: upgrade "
                "the application, and write it again",
            )
        fields = [
            FieldUpdate(field=key, value=said.text, action=said.action, timestamp=said.timestamp)
            for key, said in self._said.items()
        ]
        write.fields = fields
        return write

    def _take(self, edit: Edit) -> None:
        """Say what a function has said; what it has left as it was, to the digit."""
        whole = isinstance(self._write, Push)
        keys = [*edit.values, *edit.deleted, *edit.operations]
        _check_keys(keys)
        if whole and (edit.deleted or edit.operations):
            raise MisuseError("of a whole record there are values only: leave out what is to go")
        said: dict[str, _Said] = {}
        for key, value in edit.values.items():
            said[key] = self._kept(key, FieldAction.UPDATE, _text(key, value))
        for key in sorted(edit.deleted):
            said[key] = self._kept(key, FieldAction.DELETE, None)
        for key, operation in edit.operations.items():
            text = _operand(key, operation)  # first: it may be no operation at all
            said[key] = self._kept(key, operation.action, text)
        # In the order in which they were: what is new comes last.
        self._said = {key: said[key] for key in self._said if key in said} | said

    def _kept(self, key: str, action: FieldAction, text: bytes | None) -> _Said:
        before = self._said.get(key)
        if before is None:
            return _Said(action, text, self._time)
        if before.action is action and jsontext.same(before.text, text):
            return before
        return _Said(action, text, before.timestamp)


def _check_keys(keys: Sequence[object]) -> None:
    for key in keys:
        fits = isinstance(key, str) and 1 <= len(key.encode()) <= MAX_NAME
        if not fits or key in FORBIDDEN_KEYS:
            raise MisuseError("it gave a field a name that none can have")
    if len(set(keys)) != len(keys):
        raise MisuseError("it said two things of one field: a value, that it goes, an operation")
    if len(keys) > MAX_ITEMS:
        raise MisuseError(f"it wrote {len(keys)} fields, and {MAX_ITEMS} are possible")


def _text(key: str, value: Json) -> bytes | None:
    try:
        return to_json(value, key)
    except RhtmxError as error:
        raise MisuseError(f"it gave a field what is no JSON: {error.message}") from None


def _operand(key: str, operation: FieldOperation) -> bytes | None:
    try:
        return operand_text(operation, key, key)
    except (RhtmxError, AttributeError) as error:
        raise MisuseError(f"it gave a field what is no operation: {error}") from None
