"""The records of an entity: filled in where they are created, and judged at each write.

Knows the tables of a schema. Must not know how a write is decided or stored. It is pure: the
clock and the randomness are given.

Which rules are judged: of a record that is created, all; of one that is there, those that read a
field which the write changed. So a row that is older than a rule is in nobody's way who writes
something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from rhtmx.errors import MOST_VIOLATIONS, Violation, first_violations
from rhtmx.schema.declared import Entity
from rhtmx.schema.judge import UNJUDGED, Selection, judge, judge_selected, select
from rhtmx.schema.message import Default, Field, message, normal_fields, normalizes
from rhtmx.schema.ownership import NOT_YOURS
from rhtmx.schema.same_value import same_value
from rhtmx.schema.times import write_timestamp
from rhtmx_server.access.grant import BACKEND, Grant
from rhtmx_server.schema.deliverable import undeliverable
from rhtmx_server.schema.engine import Engine
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.verdicts import Invalid

__all__ = ["RecordRules"]

_MICROSECOND = 1_000
_MOST_KNOWN = 1_000
"""Combinations of fields of which is kept what is asked of a write of them."""

_parse = msgspec.json.Decoder().decode


class _Asked:
    """What is asked of a write, by what it has changed.

    Args:
        names: of the fields; `None` for all of a record that is new.
        selection: what is judged of the record.
        fixed: those of the fields that not everybody may write, or not any more.
    """

    __slots__ = ("fixed", "names", "selection")

    def __init__(
        self, names: Collection[str] | None, selection: Selection, fixed: Sequence[Field]
    ) -> None:
        self.names = names
        self.selection = selection
        self.fixed = fixed


class RecordRules:
    """What the schema has to say of the writes of one entity.

    Args:
        entity: what the schema says of it.
        now: nanoseconds since 1970.
        new_id: makes a UUID of version 7, as a text.
        engine: judges the rules that are not compiled; `None` if all are.
    """

    def __init__(
        self,
        entity: Entity[Any],
        now: Callable[[], int],
        new_id: Callable[[], str],
        engine: Engine | None = None,
    ) -> None:
        self._engine = engine
        self._table = entity.rules
        self._fields = entity.rules.fields
        #: Without the rules about a record as a whole.
        self._values = message(entity.rules.name, *self._fields)
        self._names = {each.key: each.name for each in self._fields}
        self._now = now
        self._new_id = new_id
        self._server_owned = tuple(each for each in self._fields if each.read_only)
        self._kept = tuple(each for each in self._fields if each.read_only or each.immutable)
        #: The fields that never leave the server, by key: what a client is told who writes one.
        self.hidden = {
            each.key: _violation(each, "server_only") for each in self._fields if each.server_only
        }
        self._mailed = [each for each in self._fields if each.deliverable]
        self._asks_more = bool(self._mailed) or engine is not None
        untold = {each.name for each in self._fields if each.server_only}
        self._untold = untold | {
            each.code for each in entity.rules.rules if not untold.isdisjoint(each.reads)
        }
        self._names_of_server = {
            each.name for each in self._fields if each.read_only or each.server_only
        }
        self._filled = [(each, each.default) for each in self._fields if each.default is not None]
        self._asked_of_all = _Asked(None, select(entity.rules), ())
        # Of few combinations, which come again with each write.
        self._asked_of = lru_cache(maxsize=_MOST_KNOWN)(self._ask)

    @property
    def uses_engine(self) -> bool:
        """Whether some of its rules are judged by what is not ours."""
        return self._engine is not None

    @property
    def normalizes(self) -> bool:
        """Whether texts of its records are kept otherwise than they are written."""
        return normalizes(self._table)

    def normalize(self, record: Mapping[str, Any], keys: Collection[str]) -> Mapping[str, Any]:
        """What is kept in the place of texts that are not normalised: see `EntityNormalize`."""
        return normal_fields(self._table, record, keys)

    @property
    def fills(self) -> bool:
        """Whether a record that is created has to pass `prepare`."""
        return bool(self._filled or self._server_owned)

    def prepare(self, who: Grant | None, after: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in a record that is created: see `Entity.prepare`.

        What only the server writes is what it says, whoever creates the record; its own
        program, and services with the role `backend`, may say it, too.

        Raises:
            Invalid: its author set what only the server sets.
        """
        trusted = _is_trusted(who)
        filled: dict[str, Any] = {}
        for field, default in self._filled:
            if after.get(field.key) is None or (field.read_only and not trusted):
                filled[field.key] = self._value(default, who)
        wrong = [
            _violation(field, "read_only")
            for field in self._server_owned
            if not trusted and field.default is None and not same_value(field, {}, after)
        ]
        if wrong:
            raise _invalid(wrong)
        return filled

    def judge(
        self,
        who: Grant | None,
        before: bytes | None,
        after: bytes | None,
        written: Collection[str] = (),
        named: bool = False,
    ) -> None:
        """Judge a write: see `Entity.judge`.

        Args:
            who: who writes; `None` for the program of the server itself.
            before: the record before it, as JSON; `None` for none that its author may see. One
                that holds `null` is none of these.
            after: the record that would come of it, as JSON; `None` for none.
            written: the keys that it has changed, where that is known.
            named: its author has named these; else they wrote the record as a whole.

        Raises:
            Invalid: all that is wrong, by field, with the id of each rule.
        """
        if after is None:
            return
        record = _parse(after)
        if not isinstance(record, dict):
            raise Invalid("an object expected", code="type")
        changed = judged = self._asked_of_all
        if before is not None:
            keys = written or jsontext.differing_keys(before, after)
            # What clients make up is in no combination: there is no end of that.
            changed = judged = self._asked_of(tuple(filter(self._names.__contains__, keys)))
            if not jsontext.is_object(before):
                judged = self._asked_of_all  # of what was no object no rule was ever kept
        found = judge_selected(judged.selection, record, self._now())
        if self._asks_more:
            found += self._beyond(record, judged.names, found)
        if (found or changed.fixed) and not _is_trusted(who):
            found = [self._not_theirs(self._told(each)) for each in found]
            # Who names a field writes it, also by the value that it has. Who writes a record back
            # may spell what is not theirs as their language does.
            found += self._touched(changed.fixed, None if named else before, record)
        if found:
            raise _invalid(first_violations(found))

    def _ask(self, keys: tuple[str, ...]) -> _Asked:
        """What is asked of a write of these keys, which are all of the schema."""
        names = {self._names[key] for key in keys}
        fixed = [each for each in self._kept if each.name in names]
        return _Asked(names, select(self._table, names), fixed)

    def _beyond(
        self,
        record: Mapping[str, Any],
        changed: Collection[str] | None,
        said: Collection[Violation],
        fields: Collection[str] | None = None,
    ) -> list[Violation]:
        """What only the server finds, and has not said already; of `fields`, if there are some."""
        if len(said) > MOST_VIOLATIONS:  # there is more than anybody reads
            return []
        found = list(undeliverable(self._mailed, record, changed))
        if self._engine is not None:
            judged = self._engine.judge(record, changed, fields=fields)
            found += islice(judged, MOST_VIOLATIONS + 1)
        known = {(each.field, each.code) for each in said}
        return [each for each in found if (each.field, each.code) not in known]

    def judge_lost(self, who: Grant | None, lost: Mapping[str, bytes | None]) -> None:
        """Judge what was written and is not in the record: see `Entity.judge_lost`.

        Each value by the rules of its field, as if it had won. The rules about a record as a whole
        are about what is in it.

        Raises:
            Invalid: as for `judge`.
        """
        values = {key: _parse(text) for key, text in lost.items() if text is not None}
        there = {self._names[key] for key in values if key in self._names}
        found = list(judge(self._values, values, changed=there, now=self._now()))
        found += self._beyond(values, there, found, fields=there)
        if not _is_trusted(who):
            found = [self._not_theirs(self._told(each)) for each in found]
            fixed = [each for each in self._kept if each.key in lost]
            found += self._touched(fixed, None, values)
        if found:
            raise _invalid(first_violations(found))

    def _told(self, found: Violation) -> Violation:
        """A violation without the reason of a rule that fails, if that may be a hidden value."""
        about = re.split(r"[.[]", found.field, maxsplit=1)[0] or found.code
        if about in self._untold and found.message.startswith(UNJUDGED):
            return replace(found, message=UNJUDGED)
        return found

    def _not_theirs(self, found: Violation) -> Violation:
        """A violation, in words that say so if its author could not have written the field."""
        if found.field not in self._names_of_server:
            return found
        return replace(found, message=f"{NOT_YOURS['read_only']}, and {found.message}")

    def _touched(
        self, fixed: Iterable[Field], before: bytes | None, after: Mapping[str, Any]
    ) -> Iterator[Violation]:
        """What was written that nobody may write any more.

        Args:
            fixed: the fields that were written, of those that not everybody may write.
            before: the record before, as JSON; `None` where what was in it does not count.
            after: the record after.
        """
        for field in fixed:
            if before is None or not same_value(field, _parse(before), after):
                yield _violation(field, "read_only" if field.read_only else "immutable")

    def _value(self, default: Default, who: Grant | None) -> Any:
        if default.source == "now":
            return write_timestamp(self._now() // _MICROSECOND * _MICROSECOND)
        if default.source == "subject":
            return None if who is None else who.subject
        if default.source == "uuid7":
            return self._new_id()
        return default.value


def _violation(field: Field, code: str) -> Violation:
    return Violation(field.name, code, field.words.get(code, NOT_YOURS[code]))


def _is_trusted(who: Grant | None) -> bool:
    """The program of the server itself, and the application's services."""
    return who is None or who.has_role(BACKEND)


def _invalid(found: Collection[Violation]) -> Invalid:
    return Invalid.several(
        Invalid(each.message, field=each.field, code=each.code) for each in found
    )
