"""What becomes of an operation on a field: an increment, an element of a set, and the like. Pure.

Knows values, clocks, and what the author had seen. Must not know records, messages or
strategies that decide between values.

An operation says what to do, not what comes of it. So it is applied to what is there when
it arrives, and two of them never compete. What its author had seen matters for three things:

- **A deletion** of the field or its record says that there is to be nothing. To that an
  operation is a write like any other: the later of the two stays.
- **A remove** (`remove`, `delete_key`) takes what its author had seen. What somebody else
  has added since stays: of an add and a remove that are concurrent, the add wins.
- **A key** that is set (`set_key`) replaces what is there, and if its author had not seen
  that, it is told.

For the last two each element and each key has a tag: the version that wrote it last, and who
wrote that. Tags of a field are kept from its first such operation on; before that, and after
a whole value was written, all that is in it was written with the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from rhtmx.messages import FieldAction, MergeStrategy
from rhtmx.values.operations import apply, element_text, elements
from rhtmx_server.model import Clock
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.merge import FieldWrite, MergeOutcome, follow, merge, move

__all__ = ["OperationResult", "ReplacedKey", "operate"]

Tag: TypeAlias = tuple[int, str | None]
"""The version that wrote an element or a key last, and who."""

_REMOVES = frozenset({FieldAction.REMOVE, FieldAction.DELETE_KEY})
_TAGGED = frozenset({FieldAction.ADD, FieldAction.SET_KEY, *_REMOVES})

_texts = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ReplacedKey:
    """A key whose value was replaced by an author who had not seen it.

    Args:
        key: the key.
        stored: its value before.
        pushed: its value now.
    """

    key: str
    stored: FieldWrite
    pushed: FieldWrite


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of an operation.

    Args:
        outcome: as for a value that was written.
        value: of the field, if that has to be stored.
        clock: of the field, if that has to be stored.
        replaced: the keys that its author has to be told of.
    """

    outcome: MergeOutcome
    value: bytes | None
    clock: Clock
    replaced: tuple[ReplacedKey, ...] = ()


def operate(
    action: FieldAction,
    stored: FieldWrite | None,
    pushed: FieldWrite,
    base_version: int | None,
    where: str,
) -> OperationResult:
    """Decide what becomes of an operation.

    Args:
        action: which one.
        stored: the field as it is, a deletion included; `None` if it was never written.
        pushed: the operand, and who wrote it when, already clamped.
        base_version: the version that its author had seen; `None`: all that is there.
        where: the name of the field, for the error.

    Raises:
        RhtmxError: as `rhtmx.values.operations.apply`.
    """
    clock = pushed.clock
    if stored is not None and stored.clock.deleted:
        outcome, clock = merge(stored, pushed, MergeStrategy.LAST_WRITE_WINS, base_version)
        value = apply(action, None, pushed.value, where)
        if outcome is MergeOutcome.LOST:
            return OperationResult(outcome, None, clock)
        if value is None:
            return OperationResult(MergeOutcome.SETTLED, None, clock)
        if action in _TAGGED:
            clock = _tagged(
                clock, dict.fromkeys(_items(action, value), (clock.version, clock.client_id))
            )
        return OperationResult(outcome, value, clock)
    if stored is not None:
        clock = _after(stored.clock, clock)
    if action in _TAGGED:
        return _on_items(action, stored, pushed, clock, base_version, where)
    before = None if stored is None else stored.value
    value = apply(action, before, pushed.value, where)
    # `increment` by 0 and the like: nothing to store, and nobody to tell.
    same = stored is not None and before is not None and jsontext.same(value, before)
    return OperationResult(MergeOutcome.SETTLED if same else MergeOutcome.TAKEN, value, clock)


def _on_items(
    action: FieldAction,
    stored: FieldWrite | None,
    pushed: FieldWrite,
    clock: Clock,
    base_version: int | None,
    where: str,
) -> OperationResult:
    """Apply what is about elements or keys, each with its tag."""
    before = None if stored is None else stored.value
    value = apply(action, before, pushed.value, where)  # raises, if the two do not fit
    tags = {} if stored is None else _tags(action, stored)
    unseen = {
        item for item, tag in tags.items() if not _had_seen(tag, clock.client_id, base_version)
    }
    named = _named(action, pushed.value)
    if action in _REMOVES:
        taken = [item for item in named if item in tags and item not in unseen]
        if not taken:
            return OperationResult(MergeOutcome.SETTLED, None, clock)
        if len(taken) < len(named):
            value = apply(action, before, _operand(action, taken), where)
        for item in taken:
            del tags[item]
        return OperationResult(MergeOutcome.TAKEN, value, _tagged(clock, tags))
    replaced: tuple[ReplacedKey, ...] = ()
    if action is FieldAction.SET_KEY and unseen:
        replaced = tuple(_replaced(stored, pushed, tags, [i for i in named if i in unseen]))
    tags |= dict.fromkeys(named, (clock.version, clock.client_id))
    return OperationResult(MergeOutcome.TAKEN, value, _tagged(clock, tags), replaced)


def _after(stored: Clock, pushed: Clock) -> Clock:
    """Let an operation come after what it was applied to: a late copy of that must not win."""
    if pushed.client_id and pushed.client_id == stored.client_id:
        return move(pushed, max(pushed.timestamp, stored.timestamp))
    return follow(pushed, stored)


def _had_seen(tag: Tag, author: str | None, base_version: int | None) -> bool:
    version, by = tag
    # A client's own writes arrive in its order: it has seen them, whatever its base version.
    return base_version is None or version <= base_version or (by is not None and by == author)


def _tags(action: FieldAction, stored: FieldWrite) -> dict[str, Tag]:
    """The tags of all that is in a field. A new dict."""
    clock = stored.clock
    known = clock.items or {}
    whole = (clock.version, clock.client_id)
    return {item: known.get(item, whole) for item in _items(action, stored.value)}


def _items(action: FieldAction, value: bytes | None) -> Iterable[str]:
    """What is in a field: the texts of its elements, or its keys."""
    if action is FieldAction.ADD or action is FieldAction.REMOVE:
        return map(element_text, elements(value) or ())
    return jsontext.split(value)


def _named(action: FieldAction, operand: bytes | None) -> list[str]:
    """What an operand is about, in the same words, each once."""
    if action is FieldAction.DELETE_KEY:
        return list(dict.fromkeys(_texts(operand or b"[]")))
    return list(_items(action, operand))


def _operand(action: FieldAction, items: list[str]) -> bytes:
    if action is FieldAction.DELETE_KEY:
        return _encode(items)
    return f"[{','.join(items)}]".encode()


def _replaced(
    stored: FieldWrite | None, pushed: FieldWrite, tags: Mapping[str, Tag], keys: Iterable[str]
) -> Iterable[ReplacedKey]:
    assert stored is not None  # there was something that its author had not seen
    old, new = jsontext.split(stored.value), jsontext.split(pushed.value)
    for key in keys:
        if not jsontext.same(old[key], new[key]):
            version, by = tags[key]
            clock = Clock(version, stored.clock.timestamp, by)
            yield ReplacedKey(
                key,
                FieldWrite(jsontext.value(old[key]), clock),
                FieldWrite(jsontext.value(new[key]), pushed.clock),
            )


def _tagged(clock: Clock, tags: Mapping[str, Tag]) -> Clock:
    return msgspec.structs.replace(clock, items=tags)
