"""One write, judged by the rules of its entity before and after it is decided. Pure.

Knows who may see and write what, and which parts a record is in. Must not know how a
kind of mutation is decided, nor how it is stored.

What becomes of a write, by what its author may see and do:

==========================  ==============  ====================  ====================
the record                  nothing would   it would write, and   it would write, and
                            be written      the rules allow it    they do not
==========================  ==============  ====================  ====================
is not there                decided         written, `create`     `FORBIDDEN`
is there, and theirs        decided, if     written, `update` or  `FORBIDDEN`
                            they may update `delete`
is there, and hidden        as if it were   `FORBIDDEN`           `FORBIDDEN`
                            not there
==========================  ==============  ====================  ====================

A hidden record is decided and checked as one that is not there, up to the last step:
only then is it said that the write is not allowed, in the words of any such write.

So it is with a deleted record, by the parts that it was in when it was deleted: to those who
could not see it, it never was. They may create it, and do not learn that they make it anew.

What is written over it keeps what it was (its clocks), for those who read from before that.
A write of somebody who does not see everything is not compared with what was gone when the
record last came before somebody new (`Record.entered`): a guessed name of a field would tell
them when it was removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from rhtmx.errors import RhtmxError, Violation
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    Transaction,
    TransactionAck,
)
from rhtmx.wire import ServerMessage
from rhtmx_server.access.entity import Action
from rhtmx_server.access.guard import Guard
from rhtmx_server.access.parts import MAX_VALUE, Values
from rhtmx_server.model import DELETED, Commit, Context, Decision, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.hidden import apart, mentions, together
from rhtmx_server.trackers.json_text import Fields
from rhtmx_server.trackers.state import fields_of, gone_before, live
from rhtmx_server.writing.entity_functions import EntityFunctions
from rhtmx_server.writing.hiding import decide_hiding
from rhtmx_server.writing.rejections import forbidden, invalid, title_of

__all__ = ["decide_judged", "keeps_secret", "shown_values", "without_values"]

T = TypeVar("T", bound=ServerMessage)

_parse = msgspec.json.Decoder().decode

_REMOVES = (FieldAction.DELETE, FieldAction.REMOVE, FieldAction.DELETE_KEY)
"""What would have left no value of its author in the record."""

_ACTIONS: dict[ChangeAction, Action] = {
    ChangeAction.CREATE: "create",
    ChangeAction.UPDATE: "update",
    ChangeAction.DELETE: "delete",
}


def decide_judged(
    guard: Guard,
    decide: Decide,
    mutation: Mutation,
    current: Record | None,
    left: frozenset[str],
    context: Context,
    functions: EntityFunctions,
) -> Decision:
    """Decide what becomes of a mutation, as far as its author may.

    Args:
        guard: the rules of its entity.
        decide: how its kind is decided.
        mutation: the mutation.
        current: the record as it is, a tombstone, or `None`.
        left: of a tombstone, the parts that its record was in when it was deleted.
        context: version, time and author.
        functions: calls those of the program.

    Raises:
        RhtmxError: what `decide` raises; `FORBIDDEN`, its author may not; `INVALID`,
            a check says so, or a field has a value by which no record can be divided.
        Exception: what a function of the program raises besides.
    """
    current = current and apart(current, guard.hidden) if guard.hidden else current
    shown, values = current, None
    if not guard.open:
        values = None if current is None or not current.live else guard.values_of(current.data)
        shown = _shown(guard, mutation, current, values, left)
    if guard.hidden or (shown is not None and shown.hidden is not None):
        decision = decide_hiding(guard.hidden, decide, mutation, shown, context)
    else:
        decision = decide(mutation.write, shown, context)
    seen = None if shown is None else values
    commit = decision.commit
    if commit is None:
        _judge_nothing(guard, mutation, seen)
        _judge_lost(guard, mutation, decision, functions)
        return decision
    filled: Fields = {}
    if guard.completes:
        filled = _complete(guard, mutation, shown, decision, context, functions)
    after = None if guard.open else _allowed_values(guard, mutation, commit, seen)
    _check(guard, mutation, shown, decision, commit, functions)
    if mutation.who is not None and shown is None and values is not None:
        raise forbidden(mutation)
    if filled:
        _tell(guard, mutation, decision, filled, after)
    if guard.divided:
        _note_parts(guard, commit, current, values, after)
    if current is not None and guard.closed:
        _keep_past(commit.record, current, hidden=shown is None)
        if guard.opens(commit.before if current.live else left, after):
            # What this commit removes was seen before it, and not after it.
            commit.record.entered = commit.record.version if current.live else context.version - 1
    return decision


def _shown(
    guard: Guard,
    mutation: Mutation,
    current: Record | None,
    values: Values | None,
    left: frozenset[str],
) -> Record | None:
    """The record as far as the author may see it."""
    who, reads = mutation.who, mutation.reads
    if current is None or who is None or not guard.closed or guard.sees_all(who, reads):
        return current
    sees = guard.saw(who, reads, left) if values is None else guard.sees(who, reads, values)
    if not sees:
        return None
    past = gone_before(current)
    if not past:
        return current
    known = {name: clock for name, clock in current.clocks.items() if name not in past}
    return replace(current, clocks=known)


def _note_parts(
    guard: Guard,
    commit: Commit,
    current: Record | None,
    values: Values | None,
    after: Values | None,
) -> None:
    """Have a commit say which parts its record was in, and which it is in now."""
    commit.before = guard.parts(values or {})
    # A reader of values gives the same object for the same ones: mostly nothing has moved.
    commit.after = commit.before if after is values else guard.parts(after or {})
    if commit.record.live and not commit.before <= commit.after:
        commit.held = sorted(fields_of(current))


def _keep_past(record: Record, current: Record, *, hidden: bool) -> None:
    """Have a record keep what its author was not to see: others read on from there.

    Args:
        record: as it was decided.
        current: as it was, maybe a tombstone.
        hidden: its author was not to see anything of it.
    """
    record.entered = current.entered
    past = current.clocks if hidden else gone_before(current)
    if past and record.live:
        record.clocks = {**past, **record.clocks}
    elif past:
        # A delete writes every field that it knows of; those keep the time when they went.
        fields = {name: clock for name, clock in past.items() if name != DELETED}
        record.clocks = {**record.clocks, **fields}


def _check(
    guard: Guard,
    mutation: Mutation,
    shown: Record | None,
    decision: Decision,
    commit: Commit,
    functions: EntityFunctions,
) -> None:
    """Have the schema and the program's checks look at the record as a whole, before and after."""
    before, after = _text(guard, shown), _text(guard, commit.record)
    if guard.judge is not None:
        written = _written(guard, shown, commit)
        measured = not guard.judge_is_ours
        functions.judge(guard.judge, mutation, before, after, written, measured=measured)
    if guard.checks:
        functions.check(guard.checks, mutation, before, after)
    if decision.lost:
        _judge_lost(guard, mutation, decision, functions)


def _written(guard: Guard, shown: Record | None, commit: Commit) -> Collection[str]:
    """The keys that a commit has changed.

    Also where it does not say so: of what is hidden, of what is kept without fields, and of a
    record that is written as it was.
    """
    if commit.changed and not guard.hidden:
        return commit.changed
    record, former = commit.record, live(shown)
    data, hidden = (None, None) if former is None else (former.data, former.hidden)
    written = commit.changed or jsontext.differing_keys(data, record.data)
    return [*written, *jsontext.differing_keys(hidden, record.hidden)] if guard.hidden else written


def _text(guard: Guard, record: Record | None) -> bytes | None:
    """A record with all of its fields; `None` for none, which one that holds `null` is not."""
    if record is None or not record.live:
        return None
    data = together(record.data, record.hidden) if guard.hidden else record.data
    return b"null" if data is None else data


def _complete(
    guard: Guard,
    mutation: Mutation,
    shown: Record | None,
    decision: Decision,
    context: Context,
    functions: EntityFunctions,
) -> Fields:
    """Make the record what is kept; returns the fields that are otherwise than written."""
    commit = decision.commit
    assert commit is not None
    filled = _normalize(guard, mutation, shown, commit, functions)
    prepared = _prepare(guard, mutation, decision, context, functions)
    if prepared:
        filled |= prepared | _normalize(guard, mutation, shown, commit, functions)
    return filled


def _normalize(
    guard: Guard,
    mutation: Mutation,
    shown: Record | None,
    commit: Commit,
    functions: EntityFunctions,
) -> Fields:
    """Have texts kept as the schema says; returns the fields that are otherwise than written."""
    if guard.normalize is None or not commit.record.live:
        return {}
    # Nothing else: of a field that is not told as changed, nobody would hear that it is.
    keys = _written(guard, shown, commit)
    return functions.normalize(guard.normalize, mutation, commit, keys, guard.hidden)


def _prepare(
    guard: Guard,
    mutation: Mutation,
    decision: Decision,
    context: Context,
    functions: EntityFunctions,
) -> Fields:
    """Have the program fill in a record that is created; returns the fields that it set."""
    commit, ack = decision.commit, decision.reply[-1]
    assert commit is not None
    # Of a hidden record the decider was not told: it is filled in like any new one.
    if not guard.prepares or commit.record.action is not ChangeAction.CREATE:
        return {}
    written = set(commit.changed)
    filled = functions.prepare(guard.prepares, mutation, commit, context, guard.hidden)
    if isinstance(ack, FieldPushAck):
        ack.applied -= len(written & filled.keys())
    return filled


def _tell(
    guard: Guard, mutation: Mutation, decision: Decision, filled: Fields, after: Values | None
) -> None:
    """Tell the author what is otherwise than they wrote it, if they may read the record."""
    ack, who = decision.reply[-1], mutation.who
    assert isinstance(ack, PushAck | FieldPushAck)
    if who is None or guard.sees(who, mutation.reads, after or {}):
        ack.prepared = jsontext.join(filled)


def _judge_nothing(guard: Guard, mutation: Mutation, seen: Values | None) -> None:
    """Judge a mutation that changes nothing: what lost is kept in the history, too."""
    # To delete what is not there is no write, and answered as everybody is answered.
    if mutation.who is None or isinstance(mutation.write, Push):
        return
    if not guard.may("create" if seen is None else "update", mutation.who, seen):
        raise forbidden(mutation)


def _judge_lost(
    guard: Guard, mutation: Mutation, decision: Decision, functions: EntityFunctions
) -> None:
    """Have the schema look at what lost, too: the history has it, and so have open conflicts."""
    if guard.judge_lost is None or not decision.lost:
        return
    write = mutation.write
    if isinstance(write, Push):
        return
    removes = {each.field for each in write.fields if each.action in _REMOVES}
    lost = {each.field: None if each.field in removes else each.value for each in decision.lost}
    measured = not guard.judge_is_ours
    functions.judge_lost(guard.judge_lost, mutation, lost, measured=measured)


def _allowed_values(
    guard: Guard, mutation: Mutation, commit: Commit, seen: Values | None
) -> Values | None:
    """The values of the record after a write, which fit its entity and which its author may write.

    Args:
        guard: the rules of its entity.
        mutation: the write.
        commit: what comes of it.
        seen: the values of the record before, as far as its author may see it.
    """
    after = guard.values_of(commit.record.data) if commit.record.live else None
    misfit = None if after is None else guard.misfit(commit.record.data, after)
    if misfit is not None:
        words = (
            f"{title_of(mutation)}: '{misfit[:40]}' divides its entity: a text, a number or a "
            f"boolean of at most {MAX_VALUE} bytes expected, or null"
        )
        raise invalid(words, [Violation(misfit, "partition", words)])
    if guard.closed:
        _require_right(guard, mutation, commit, seen, after)
    return after


def _require_right(
    guard: Guard, mutation: Mutation, commit: Commit, seen: Values | None, after: Values | None
) -> None:
    who = mutation.who
    if who is None:  # the program of the server may do everything
        return
    # Of a hidden record the decider was not told: to it each write is a create.
    action = _ACTIONS[commit.record.action]
    for values in (seen, after):
        if values is not None and not guard.may(action, who, values):
            raise forbidden(mutation)


def shown_values(guard: Guard, mutation: Mutation, current: Record | None) -> Values | None:
    """The values that say who may see a record, where the answer to a write may tell of it.

    Args:
        guard: the rules of the entity.
        mutation: which is decided.
        current: the record as it was before, a tombstone, or `None`.
    """
    if mutation.who is None or current is None or not current.live:
        return None
    try:
        values = guard.values_of(current.data)
        return values if guard.sees(mutation.who, mutation.reads, values) else None
    except RhtmxError:  # nobody may see any
        return None


def keeps_secret(
    guard: Guard,
    mutation: Mutation,
    current: Record | None,
    then: Values | None,
    reply: Sequence[ServerMessage],
) -> bool:
    """Whether an answer that was given before may hold what its author may not see now.

    Args:
        guard: the rules of the entity.
        mutation: which is sent once more.
        current: the record as it is, a tombstone, or `None`.
        then: what `shown_values` said when it was decided: what it was then its author may not
            see any more, though they see what it is.
        reply: the answer; a field that is hidden now may not have been so then.
    """
    who = mutation.who
    if who is not None and guard.hidden and any(_tells(each, guard.hidden) for each in reply):
        return True
    if who is None or not guard.closed or guard.sees_all(who, mutation.reads):
        return False
    if current is None or not current.live:
        return True
    all_of_it = [guard.values_of(current.data), *([] if then is None else [then])]
    return not all(guard.sees(who, mutation.reads, values) for values in all_of_it)


def _tells(message: ServerMessage, hides: Collection[str]) -> bool:
    """Whether an answer has one of these fields."""
    if isinstance(message, FieldConflict):
        return message.field in hides
    if isinstance(message, PushAck | FieldPushAck):
        return mentions(message.prepared, hides)
    if isinstance(message, TransactionAck):
        return any(mentions(each.prepared, hides) for each in message.results)
    return isinstance(message, Error) and _has_key(_parse(message.details or b"null"), hides)


def _has_key(value: Any, names: Collection[str]) -> bool:
    """Whether an object has one of these keys, at any depth: a record may be in the details."""
    if isinstance(value, dict):
        return any(key in names or _has_key(each, names) for key, each in value.items())
    return isinstance(value, list) and any(_has_key(each, names) for each in value)


def without_values(reply: Sequence[T], mutation: Mutation) -> list[T]:
    """Take out of the answer to a mutation what it may say of the record."""
    kept: list[T] = [each for each in reply if not isinstance(each, FieldConflict)]
    several = isinstance(mutation.message, Transaction)
    for message in kept:
        # None of the conflicts is told.
        if isinstance(message, PushAck):
            message.prepared = None
        elif isinstance(message, FieldPushAck):
            message.conflicts, message.prepared = 0, None
        elif isinstance(message, TransactionAck):
            for result in message.results:
                result.conflicts, result.prepared = 0, None
        elif isinstance(message, Error) and (
            several or message.message != forbidden(mutation).message
        ):
            message.message = "it was rejected when it came first; you may not see the record now"
            message.details = None
    return kept
