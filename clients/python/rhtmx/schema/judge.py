"""Judges the JSON form of a record by the table of its message.

Knows in which order fields and rules are judged, and what a violation is. Must not know single
rules, nor where a record comes from. It is pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import copysign
from typing import Any

from rhtmx.errors import MORE, MOST_VIOLATIONS, Violation
from rhtmx.schema.cel import CelError
from rhtmx.schema.checks import Failure
from rhtmx.schema.kinds import UNREADABLE, Found, Kind, Words, report
from rhtmx.schema.message import CelRule, Field, FieldsRule, Message, MessageRule
from rhtmx.schema.rules import Checks
from rhtmx.schema.shown import shown_choices
from rhtmx.values.json_value import Json

__all__ = [
    "UNJUDGED",
    "Selection",
    "is_zero",
    "judge",
    "judge_message",
    "judge_selected",
    "judge_value",
    "read_values",
    "select",
]

UNJUDGED = "cannot be judged"
"""What the words of a rule in CEL begin with that fails; why, comes behind it."""


def judge(
    message: Message,
    data: Mapping[str, Json],
    *,
    changed: Collection[str] | None = None,
    now: int = 0,
) -> tuple[Violation, ...]:
    """Judge a record, or what has been changed of one.

    Args:
        message: the table of its rules.
        data: the record as a whole, as JSON.
        changed: the names, or keys, of the fields that were written. Only rules that read one of
            them are judged; `None`: all are, as for a record that is new.
        now: nanoseconds since 1970.

    Returns:
        What is wrong, in the order of fields and rules; nothing, if all is right. It stops after
        `MOST_VIOLATIONS`, and says so by another one, `MORE`.

    Example:
        >>> from rhtmx import schema as _s
        >>> task = _s.message(
        ...     "Task", _s.field("title", _s.STRING, (_s.min_len, 1)), _s.field("votes", _s.INT32)
        ... )
        >>> [(each.field, each.code) for each in judge(task, {"votes": "many"})]
        [('title', 'string.min_len'), ('votes', 'type')]
        >>> judge(task, {"votes": 1}, changed={"votes"})
        ()
    """
    return tuple(judge_selected(select(message, changed), data, now))


class Selection:
    """What is judged of a record: see `select`.

    Attributes:
        fields: those that are judged.
        rules: those about the record as a whole.
        others: the fields that these rules read, and that are not judged.
    """

    __slots__ = ("fields", "others", "rules")

    def __init__(
        self, fields: Sequence[Field], rules: Sequence[MessageRule], others: Sequence[Field]
    ) -> None:
        self.fields = fields
        self.rules = rules
        self.others = others


def select(message: Message, changed: Collection[str] | None = None) -> Selection:
    """Tell what is judged where certain fields were written; it can be used for many records.

    Args:
        message: the table of rules.
        changed: as for `judge`.

    Example:
        >>> from rhtmx import schema as _s
        >>> task = _s.message("Task", _s.field("title", _s.STRING), _s.field("votes", _s.INT32))
        >>> select(task, {"votes"}).fields
        [<Field votes: int32>]
    """
    if changed is None:
        return Selection(message.fields, message.rules, ())
    fields = [each for each in message.fields if each.name in changed]
    names = [each.name for each in fields]
    rules = [each for each in message.rules if not each.reads.isdisjoint(names)]
    others = {name for each in rules for name in each.reads}.difference(names)
    return Selection(fields, rules, [message.by_name[each] for each in others])


def judge_selected(selection: Selection, data: Mapping[str, Json], now: int) -> list[Violation]:
    """Judge what was selected of a record.

    Args:
        selection: what, see `select`.
        data: the record as a whole, as JSON.
        now: nanoseconds since 1970.

    Returns:
        What is wrong, as `judge` has it.
    """
    found = _First()
    values: dict[str, Any] = {}
    try:
        broken = _judge_fields(selection.fields, data, "", found, now, values)
        if selection.rules:
            broken |= _read_fields(selection.others, data, values)
            _judge_rules(selection.rules, values, broken, "", found, now)
    except _EnoughError:
        list.append(found, MORE)
    return list(found)


class _EnoughError(Exception):
    """Nobody reads more of what is wrong."""


class _First(list[Violation]):
    """Takes so many violations as are told."""

    def append(self, each: Violation) -> None:
        """Take one more.

        Raises:
            _EnoughError: it is not told any more.
        """
        if len(self) == MOST_VIOLATIONS:
            raise _EnoughError
        super().append(each)


def read_values(
    message: Message, data: Mapping[str, Json], names: Collection[str] = ()
) -> dict[str, Any] | None:
    """Read a record without judging it.

    Args:
        message: its table.
        data: the record, as JSON.
        names: of the fields that are wanted; empty for all.

    Returns:
        Their values, as rules have them, by name; `None` if one cannot be read.

    Example:
        >>> from rhtmx import schema as _s
        >>> read_values(_s.message("Task", _s.field("votes", _s.INT32)), {"votes": 5.0})
        {'votes': 5}
    """
    values: dict[str, Any] = {}
    wanted = [message.by_name[each] for each in names] if names else message.fields
    return None if _read_fields(wanted, data, values) else values


def judge_message(
    message: Message, data: Mapping[str, Json], path: str, found: Found, now: int
) -> Any:
    """Judge a message that is within another, and read it.

    Args:
        message: the table of its rules.
        data: it, as JSON.
        path: of it.
        found: where violations go; `None`: it is only read.
        now: nanoseconds since 1970.

    Returns:
        The values of its fields by name; `UNREADABLE` if that of a field cannot be read.
    """
    values: dict[str, Any] = {}
    if found is None:
        broken = _read_fields(message.fields, data, values)
    else:
        broken = _judge_fields(message.fields, data, f"{path}.", found, now, values)
        if message.rules:
            _judge_rules(message.rules, values, broken, path, found, now)
    return UNREADABLE if broken else values


def _judge_fields(
    fields: Iterable[Field],
    data: Mapping[str, Json],
    within: str,
    found: list[Violation],
    now: int,
    values: dict[str, Any],
) -> bool:
    """Judge fields, and keep their values; whether one could not be read.

    What is done here, is done for each field of a write.
    """
    get = data.get
    broken = False
    for field in fields:
        value = get(field.key)
        if value is None:
            value = field.absent
        elif value.__class__ is not field.exact:
            value = field.read(value, within + field.name, found, now, field.words)
            if value is UNREADABLE:
                values[field.name] = value
                broken = True
                continue
        values[field.name] = value
        if not value and field.guarded and not _goes_on(field, value, within, found):
            continue
        for check, argument in field.checks:
            failure = check(value, argument)
            if failure is not None:
                _fail(field.kind, failure, within + field.name, found, field.words)
        if field.extended:
            _judge_more(
                field.kind, field.rules, value, within + field.name, found, now, field.words
            )
    return broken


def _goes_on(field: Field, value: Any, within: str, found: list[Violation]) -> bool:
    """Whether a value that may be absent or zero is judged any further."""
    if field.presence:
        there = value is not None
        ignored = False
    else:
        there = not is_zero(value)
        ignored = not there and field.rules.ignore_zero
    if there or not (field.presence or field.rules.required or ignored):
        return True
    if field.rules.required:
        report(found, within + field.name, "required", "is required", field.words)
    return False


def is_zero(value: Any) -> bool:
    """It is what a field without presence has where nothing is said; -0 is not."""
    return not value and not (value.__class__ is float and copysign(1.0, value) < 0)


def judge_value(
    kind: Kind, rules: Checks, json: Json, path: str, found: Found, now: int, words: Words
) -> Any:
    """Judge one value within a list or a map, and read it.

    Args:
        kind: of the value.
        rules: of it.
        json: it, as JSON.
        path: of it.
        found: where violations go; `None`: it is only read.
        now: nanoseconds since 1970.
        words: of the application.

    Returns:
        Its value, or `UNREADABLE`.
    """
    if rules.ignore_zero and kind.empty is not None:
        value = kind.read(json, path, None, now, words)
        if value is not UNREADABLE and kind.empty(value):
            return value  # nothing inside of it is judged either
    value = json if json.__class__ is kind.exact else kind.read(json, path, found, now, words)
    if found is None or value is UNREADABLE:
        return value
    if rules.ignore_zero and not value:  # here minus zero is zero, as in protovalidate
        return value
    for check, argument in rules.checks:
        failure = check(value, argument)
        if failure is not None:
            _fail(kind, failure, path, found, words)
    if rules.timed or rules.cels:
        _judge_more(kind, rules, value, path, found, now, words)
    return value


def _judge_more(
    kind: Kind,
    rules: Checks,
    value: Any,
    path: str,
    found: list[Violation],
    now: int,
    words: Words,
) -> None:
    """Judge the rules that look at the time, and those in CEL."""
    for check, argument in rules.timed:
        failure = check(value, argument, now)
        if failure is not None:
            _fail(kind, failure, path, found, words)
    for code, usual, holds in rules.cels:
        message = _cel_words(usual, holds, value, now)
        if message:
            report(found, path, code, message, words)


def _cel_words(usual: str, holds: Any, this: Any, now: int) -> str:
    """What a rule in CEL says of a value; nothing if it holds."""
    try:
        held = holds(this, now)
    except (CelError, TypeError) as error:
        # A word of an enum that nobody knows has no number to compare.
        return f"{UNJUDGED}: {error if isinstance(error, CelError) else 'unknown value'}"
    if isinstance(held, str):
        return held
    return "" if held else usual


def _fail(kind: Kind, failure: Failure, path: str, found: list[Violation], words: Words) -> None:
    shown = [
        shown_choices(each, kind.show)
        if isinstance(each, (tuple, dict, frozenset))
        else kind.show(each)
        for each in failure.shown
    ]
    report(found, path, f"{kind.word}.{failure.code}", failure.words.format(*shown), words)


def _read_fields(fields: Iterable[Field], data: Mapping[str, Json], values: dict[str, Any]) -> bool:
    """Read fields that are not judged; whether one could not be."""
    broken = False
    for field in fields:
        json = data.get(field.key)
        value = field.absent if json is None else field.read(json, "", None, 0, field.words)
        values[field.name] = value
        broken = broken or value is UNREADABLE
    return broken


def _judge_rules(
    rules: Iterable[MessageRule],
    values: dict[str, Any],
    broken: bool,
    path: str,
    found: list[Violation],
    now: int,
) -> None:
    for rule in rules:
        if broken and any(values[name] is UNREADABLE for name in rule.reads):
            continue  # what is wrong with the field has been said
        if isinstance(rule, CelRule):
            words = _cel_words(rule.words, rule.holds, values, now)
            if words:
                found.append(Violation(path, rule.code, words))
        else:
            _judge_number(rule, values, path, found)


def _judge_number(
    rule: FieldsRule, values: dict[str, Any], path: str, found: list[Violation]
) -> None:
    """Judge how many of the fields of a rule are there."""
    count = 0
    for name in rule.fields:
        value = values[name]
        if value is not None if name in rule.present else not is_zero(value):
            count += 1
    if count > 1:
        code, words = rule.many, f"must have only one of {', '.join(rule.fields)}"
    elif rule.required and not count:
        code, words = rule.code, f"must have one of {', '.join(rule.fields)}"
    else:
        return
    at = f"{path}.{rule.path}" if path and rule.path else path or rule.path
    found.append(Violation(at, code, words))
