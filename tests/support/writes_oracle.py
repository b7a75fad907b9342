"""What writes come to, said once more: records, operations, transactions, numbers. Pure.

Knows the promises of `docs/guarantees.md` (Once, Merging, Operations, Transactions). Must not
use anything of the server that decides: it is what that is compared with. Values are those
of Python; numbers are integers, and the elements of sets strings.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, Push, PushFields, Transaction
from rhtmx.values.transaction_writes import writes_of
from rhtmx_server.times import to_micros

__all__ = ["KINDS", "Effect", "Expected", "Oracle", "Rules"]

KINDS: Mapping[str, str] = {"votes": "counter", "labels": "set"}
"""The fields that are declared to be of a kind."""

Mutation: TypeAlias = Push | PushFields | Transaction
Key: TypeAlias = tuple[str, str]
Data: TypeAlias = dict[str, Any]

_MINUTE = 60_000_000
_DELETED = ""
_ITEMS = (FieldAction.ADD, FieldAction.REMOVE, FieldAction.SET_KEY, FieldAction.DELETE_KEY)


class _Refused(Exception):  # noqa: N818 (an answer)
    """The write is refused with this code."""


@dataclass
class _Last:
    """The last write of a field: when and by whom, and that of each thing in it."""

    version: int
    at: int
    author: str | None
    gone: bool = False
    items: dict[str, tuple[int, str | None]] | None = None


@dataclass
class _Record:
    """A record; what is in `data` and `last` is replaced, and never changed."""

    version: int
    time: int
    data: Data | None
    last: dict[str, _Last]

    def copy(self) -> _Record:
        """One that can be changed."""
        return replace(self, last=dict(self.last))


class Effect(NamedTuple):
    """One commit.

    Args:
        entity: the collection.
        entity_id: the record.
        version: its place in the log.
        data: the record after it; `None` if it was deleted.
    """

    entity: str
    entity_id: str
    version: int
    data: Data | None


@dataclass
class Expected:
    """What comes of a mutation.

    Attributes:
        code: why it is refused; empty if it is not.
        effects: its commits.
        fields: for each write that is one of fields, how many agree, and how many were in conflict.
        duplicate: it has been answered before.
    """

    code: str = ""
    effects: list[Effect] = field(default_factory=list)
    fields: list[tuple[int, int]] = field(default_factory=list)
    duplicate: bool = False


class Rules:
    """What is declared of entities; here, of the fields of `KINDS` what they are."""

    def kind(self, entity: str, field: str) -> str | None:
        """How a field is merged: the name of its strategy; `None` for the last write wins."""
        return KINDS.get(field)

    def broken(
        self, entity: str, after: Mapping[str, Any], changed: Collection[str] | None
    ) -> Iterable[str]:
        """What is wrong with a record.

        Args:
            entity: the collection.
            after: the record.
            changed: the fields that were written; `None`: it is new.
        """
        return ()

    def broken_alone(self, entity: str, values: Mapping[str, Any]) -> Iterable[str]:
        """What is wrong with single values of fields."""
        return ()


class Oracle:
    """See the head of the file.

    Args:
        rules: what is declared.

    Attributes:
        done: for each client, the request ids of what has taken effect, in order; under an empty
            name those of the program of the server.
        heads: the last version of each entity.
        last: the last number of each client.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self.last: defaultdict[str, int] = defaultdict(int)
        self.heads: defaultdict[str, int] = defaultdict(int)
        self.done: defaultdict[str, list[str]] = defaultdict(list)
        self._records: dict[Key, _Record] = {}
        self._answers: defaultdict[str, dict[int, Expected]] = defaultdict(dict)

    def backup(self) -> Oracle:
        """What is so now, of which a restored server knows."""
        return copy.deepcopy(self)

    def states(self, entity: str) -> dict[str, Data]:
        """Every record of an entity."""
        return {
            entity_id: record.data
            for (each, entity_id), record in self._records.items()
            if each == entity and record.data is not None
        }

    def forget(self, before: int) -> None:
        """What was deleted before this time is remembered no more."""
        for key, record in list(self._records.items()):
            if record.data is None and record.time < before:
                del self._records[key]

    def confirm(self, client: str, seq: int) -> None:
        """A client has its answers up to this number."""
        answers = self._answers[client]
        for each in [each for each in answers if each <= seq]:
            del answers[each]

    def take(self, message: Mutation, client: str | None, now: int) -> Expected:
        """A mutation is decided; returns what has to come of it."""
        seq = message.seq
        if client is None or seq is None:
            expected = self._decide(message, client, now)
            if client is None and not expected.code:
                self.done[""].append(message.request_id or "")
            return expected
        if seq <= self.last[client]:
            known = self._answers[client].get(seq)
            if known is None:
                return Expected("out_of_order")
            return replace(known, effects=[], duplicate=True)
        if seq > self.last[client] + 1:
            return Expected("out_of_order")
        self.last[client] = seq
        expected = self._answers[client][seq] = self._decide(message, client, now)
        if not expected.code:
            self.done[client].append(message.request_id or "")
        return expected

    def _decide(self, message: Mutation, client: str | None, now: int) -> Expected:
        writes = writes_of(message)
        keys = [(each.entity, each.entity_id) for each in writes]
        before = {key: self._records.get(key) for key in keys}
        heads = dict(self.heads)
        expected = Expected()
        for write in writes:
            try:
                self._write(write, client, now, expected)
            except _Refused as refused:
                expected.code = expected.code or str(refused)
        if expected.code:
            self.heads = defaultdict(int, heads)
            for key, record in before.items():
                if record is None:
                    self._records.pop(key, None)
                else:
                    self._records[key] = record
            return Expected(expected.code)
        return expected

    def _write(
        self, write: Push | PushFields, client: str | None, now: int, into: Expected
    ) -> None:
        key = write.entity, write.entity_id
        record = (self._records.get(key) or _Record(0, now, None, {})).copy()
        version = self.heads[write.entity] + 1
        is_new, lost = record.data is None, dict[str, Any]()
        if isinstance(write, Push):
            before = record.data or {}
            wrote = _replace(record, write, _Last(version, now, client))
            changed = _differing(before, record.data or {})
        else:
            draft = _Draft(record, write.base_version, self._kinds(write.entity))
            for update in write.fields:
                at = to_micros(update.timestamp) if update.timestamp else 0
                draft.write(update, _Last(version, min(at, now + _MINUTE), client))
            record, wrote = draft.record, bool(draft.written)
            changed, lost = draft.written, draft.lost
            into.fields.append((draft.agreed, draft.conflicts))
        judges, after = self._rules, record.data
        if wrote and after is not None:
            wrong = [*judges.broken(write.entity, after, None if is_new else changed)]
            _refuse_if(wrong)
        _refuse_if([*judges.broken_alone(write.entity, lost)])
        if wrote:
            record.version, record.time = version, now
            self._records[key] = record
            self.heads[write.entity] = version
            into.effects.append(Effect(*key, version, record.data))

    def _kinds(self, entity: str) -> Callable[[str], str | None]:
        return lambda field: self._rules.kind(entity, field)


def _refuse_if(wrong: Collection[str]) -> None:
    if wrong:
        raise _Refused("invalid")


def _differing(before: Data, after: Data) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _replace(record: _Record, push: Push, by: _Last) -> bool:
    """Write a whole record, or delete it; returns whether anything is written."""
    base, deletes = push.base_version, push.action is ChangeAction.DELETE
    if base is not None and base != record.version and (base or record.data is not None):
        raise _Refused("conflict")
    if deletes and record.data is None:
        return False
    old = record.data or {}
    record.data = None if deletes else json.loads(push.data or b"null")
    new = record.data or {}
    for name, value in new.items():
        if name not in old or old[name] != value:
            record.last[name] = _after(replace(by), record.last.get(name))
    for name in {_DELETED, *record.last} if deletes else old.keys() - new.keys():
        record.last[name] = _after(replace(by, gone=True), record.last.get(name))
    return True


def _after(mine: _Last, other: _Last | None) -> _Last:
    """A write that comes after another looks later, too."""
    if other is not None and mine.at <= other.at:
        mine.at = other.at + 1
    return mine


class _Draft:
    """Fields that are written together."""

    def __init__(
        self, record: _Record, base: int | None, kind_of: Callable[[str], str | None]
    ) -> None:
        self.record = record
        self.written: set[str] = set()
        self.lost: Data = {}
        self._kind_of = kind_of
        self.agreed = 0
        self.conflicts = 0
        self._base = base
        self._exists = record.data is not None
        self._fields = dict(record.data or {})

    def write(self, update: FieldUpdate, by: _Last) -> None:
        """One field."""
        name, action = update.field, update.action
        stored = self._last(name)
        value = json.loads(update.value) if update.value is not None else None
        if action not in (FieldAction.UPDATE, FieldAction.DELETE):
            self._operate(name, action, value, stored, by)
            return
        by.gone = action is FieldAction.DELETE
        kind, deleted = self._kind_of(name), self.record.last.get(_DELETED)
        if kind == "client_wins" and deleted and stored and stored.version == deleted.version:
            kind = None  # against the delete of a record, time comes first
        verdict = _merge(stored, self._fields.get(name), by, value, self._base, kind)
        self._verdict(name, verdict, value, by)

    def _last(self, name: str) -> _Last | None:
        last, deleted = self.record.last.get(name), self.record.last.get(_DELETED)
        if deleted is not None and (last is None or last.version < deleted.version):
            return deleted
        return last

    def _verdict(self, name: str, verdict: str, value: Any, by: _Last) -> None:
        self.agreed += verdict != "lost"
        self.conflicts += verdict in ("won", "lost")
        if verdict == "lost" and not by.gone and value is not None:
            self.lost[name] = value
        if verdict in ("taken", "won"):
            self.written.add(name)
            self.record.last[name] = by
            if by.gone:
                self._fields.pop(name, None)
            else:
                self._fields[name] = value
            self.record.data = dict(self._fields)

    def _operate(
        self, name: str, action: FieldAction, given: Any, stored: _Last | None, by: _Last
    ) -> None:
        kind = self._kind_of(name)
        if kind == "counter" and action is not FieldAction.INCREMENT:
            raise _Refused("invalid_data")
        if kind == "set" and action not in (FieldAction.ADD, FieldAction.REMOVE):
            raise _Refused("invalid_data")
        held = self._fields.get(name)
        if held is not None and not isinstance(held, _NEEDS[action]):
            raise _Refused("invalid_data")
        if stored is not None and stored.gone:
            self._revive(name, action, given, stored, by)
            return
        if stored is not None:
            mine = by.author is not None and by.author == stored.author
            by = replace(by, at=max(by.at, stored.at)) if mine else _after(by, stored)
        if action in _ITEMS:
            self._on_items(name, action, given, stored, by)
            return
        value = _DO[action](held, given)
        same = stored is not None and value == held
        self._verdict(name, "settled" if same else "taken", value, by)

    def _revive(self, name: str, action: FieldAction, given: Any, stored: _Last, by: _Last) -> None:
        """Somebody has said that there is to be nothing: the later one has it."""
        verdict = _merge(stored, None, by, given, self._base, None)
        if action in (FieldAction.REMOVE, FieldAction.DELETE_KEY):
            self._verdict(name, "lost" if verdict == "lost" else "settled", None, by)
            return
        if action in _ITEMS:
            by.items = dict.fromkeys(given, (by.version, by.author))
        self._verdict(name, verdict, _DO[action](None, given), by)

    def _on_items(
        self, name: str, action: FieldAction, given: Any, stored: _Last | None, by: _Last
    ) -> None:
        held: Any = self._fields.get(name)
        written: dict[str, tuple[int, str | None]] = {}
        if stored is not None:
            whole = stored.version, stored.author
            written = {item: (stored.items or {}).get(item, whole) for item in held or ()}
        unseen = {item for item, tag in written.items() if not self._seen(tag, by)}
        if action in (FieldAction.REMOVE, FieldAction.DELETE_KEY):
            taken = {item for item in given if item in written and item not in unseen}
            for item in taken:
                del written[item]
            by.items = written
            self._verdict(name, "taken" if taken else "settled", _DO[action](held, taken), by)
            return
        if action is FieldAction.SET_KEY:
            self.conflicts += sum(i in unseen and held[i] != each for i, each in given.items())
        by.items = written | dict.fromkeys(given, (by.version, by.author))
        self._verdict(name, "taken", _DO[action](held, given), by)

    def _seen(self, tag: tuple[int, str | None], by: _Last) -> bool:
        version, author = tag
        own = author is not None and author == by.author
        return self._base is None or version <= self._base or own


def _merge(
    stored: _Last | None, held: Any, by: _Last, value: Any, base: int | None, kind: str | None
) -> str:
    """Which of two values a field has; `by` may get another time."""
    if stored is None:
        return "taken"
    same = stored.gone == by.gone and held == value
    if by.author and by.author == stored.author:
        if by.at <= stored.at:
            if same:
                return "settled"
            by.at = stored.at
        return "taken"
    mine, other = _rank(by, value), _rank(stored, held)
    later = mine > other
    concurrent = not later if base is None else stored.version > base
    if later and not concurrent:
        return "taken"
    if same and not (concurrent and kind == "counter" and mine != other):
        return "taken" if later else "settled"
    if not later:
        _after(by, stored)
    if not concurrent:
        return "taken"
    if kind in ("keep_both", "server_wins"):
        return "lost"
    return "won" if later or kind == "client_wins" else "lost"


def _rank(last: _Last, value: Any) -> tuple[int, str, str]:
    return last.at, last.author or "", "" if last.gone else json.dumps(value, sort_keys=True)


_DO: Mapping[FieldAction, Callable[[Any, Any], Any]] = {
    FieldAction.INCREMENT: lambda held, given: (held or 0) + given,
    FieldAction.MAX: lambda held, given: given if held is None else max(held, given),
    FieldAction.MIN: lambda held, given: given if held is None else min(held, given),
    FieldAction.APPEND: lambda held, given: [*(held or ()), *given],
    FieldAction.ADD: lambda held, given: sorted({*(held or ()), *given}),
    FieldAction.REMOVE: lambda held, given: sorted({*(held or ())} - {*given}),
    FieldAction.SET_KEY: lambda held, given: {**(held or {}), **given},
    FieldAction.DELETE_KEY: lambda held, given: {
        key: value for key, value in (held or {}).items() if key not in given
    },
}
_NEEDS: Mapping[FieldAction, type] = {
    FieldAction.INCREMENT: int,
    FieldAction.MAX: int,
    FieldAction.MIN: int,
    FieldAction.APPEND: list,
    FieldAction.ADD: list,
    FieldAction.REMOVE: list,
    FieldAction.SET_KEY: dict,
    FieldAction.DELETE_KEY: dict,
}
