"""A write of a record that has fields which never leave the server. Pure.

Knows which fields those are, and that only the program of the server writes them. Must not
know how a kind of mutation is decided: what is hidden and what is told are decided apart,
each as if there were nothing else.

============================  ===========================================================
the write                     what becomes of the hidden fields
============================  ===========================================================
a client's, that names one    `INVALID`, with the code `server_only`; nothing is written
a client's, other             they stay: also where it writes the whole record, of which
                              it cannot know them
the program's, whole record   those that it names are replaced, the others stay
the program's, some fields    those that it names are written, removed, or changed by its
                              operation
a delete                      they go with the record
============================  ===========================================================

Only the program writes them, so nothing is in conflict: what comes later stays, whatever its
time. None of them has a clock of its own; `if_unchanged` goes by the version of the record.

Where only they change there is a commit all the same. To whoever reads records the record
comes once more as it was, with its new version; to whoever reads fields nothing has changed.

An entity may hide a field no more: what was hidden stays so, until somebody writes the field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.messages import ChangeAction, FieldPushAck, Push, PushFields
from rhtmx_server.model import Clock, Commit, Context, Decision, Granularity, Mutation, Record
from rhtmx_server.ports import Decide
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.draft import RecordDraft
from rhtmx_server.trackers.hidden import hidden_object, mentions, whole
from rhtmx_server.trackers.json_text import Fields
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.trackers.state import live
from rhtmx_server.trackers.views import record_json, title
from rhtmx_server.writing.rejections import invalid, title_of

__all__ = ["decide_hiding"]

_FIRST = Clock(0, -(2**62))
"""Of what is hidden: before any write, so that none is in conflict with it."""


def decide_hiding(
    hides: Mapping[str, Violation],
    decide: Decide,
    mutation: Mutation,
    current: Record | None,
    context: Context,
) -> Decision:
    """Decide what becomes of a mutation, and of what is hidden of its record.

    Args:
        hides: the keys of the hidden fields, each with what a client is told who writes it.
        decide: how its kind is decided.
        mutation: the mutation.
        current: the record as it is, without hidden fields in its data; a tombstone, or `None`.
        context: version, time and author.

    Raises:
        RhtmxError: `INVALID`, a client names a hidden field; `CONFLICT`, the program wants
            one to be unchanged, and it may not be; and what `decide` raises.
    """
    write = mutation.write
    named = _named(write, hides)
    if named and mutation.who is not None:
        wrong = [hides[name] for name in named]
        words = "; ".join(each.message for each in wrong)
        raise invalid(f"{title_of(mutation)}: {words}", wrong)
    existing = live(current)
    kept = {} if existing is None else jsontext.split(existing.hidden)
    if not named:
        decision = decide(write, current, context)
    elif isinstance(write, Push):
        told, hidden = _divided(write, named)
        decision = decide(told, current, context)
        kept |= hidden
    else:
        decision, kept = _decide_fields(write, named, kept, decide, current, context)
    if decision.commit is not None and kept and decision.commit.record.live:
        _keep(decision.commit, kept, hides)
    return decision


def _named(write: Push | PushFields, hides: Collection[str]) -> list[str]:
    """The hidden fields that a write names."""
    if isinstance(write, PushFields):
        return [each.field for each in write.fields if each.field in hides]
    if write.action is ChangeAction.DELETE or not mentions(write.data, hides):
        return []
    return [name for name in jsontext.split(write.data) if name in hides]


def _divided(push: Push, named: Collection[str]) -> tuple[Push, Fields]:
    """A push without its hidden fields, and those."""
    fields = jsontext.split(push.data)
    hidden = {name: fields.pop(name) for name in named}
    return replace(push, data=jsontext.join(fields)), hidden


def _decide_fields(
    push: PushFields,
    named: Collection[str],
    kept: Fields,
    decide: Decide,
    current: Record | None,
    context: Context,
) -> tuple[Decision, Fields]:
    """Decide a push of fields, some of which are hidden; returns those with it."""
    if push.if_unchanged:
        _require_unchanged(push, named, kept, current)
    hidden = [each for each in push.fields if each.field in named]
    told = [each for each in push.fields if each.field not in named]
    decision = decide(replace(push, fields=told), current, context)
    # A record of nothing else, so that nothing of it gets into the other's decision.
    apart = Record(
        entity=push.entity,
        entity_id=push.entity_id,
        version=0,
        action=ChangeAction.UPDATE,
        data=jsontext.join(kept),
        client_id=None,
        time=0,
        clocks=dict.fromkeys(kept, _FIRST),
    )
    alone = replace(push, fields=hidden, base_version=None, if_unchanged=None)
    beside = decide(alone, apart, context)
    ack, other = decision.reply[-1], beside.reply[-1]
    assert isinstance(ack, FieldPushAck)
    assert isinstance(other, FieldPushAck)
    ack.applied += other.applied
    ack.clamped = ((ack.clamped or 0) + (other.clamped or 0)) or None
    if beside.commit is None:
        return decision, kept
    if decision.commit is None:
        # As it was: with the new version, and nothing that anybody could be told.
        same = RecordDraft(current, context, Policy(), None).record(push.entity, push.entity_id)
        decision.commit, ack.version = Commit(same, Granularity.RECORDS), context.version
    return decision, jsontext.split(beside.commit.record.data)


def _require_unchanged(
    push: PushFields, named: Collection[str], kept: Fields, current: Record | None
) -> None:
    """Refuse where a hidden field may have been written: only its record has a version."""
    version, base = 0 if current is None else current.version, push.base_version
    written = [name for name in named if (name in kept if base is None else version > base)]
    if written:
        expected = "no write of it" if base is None else f"none after version {base}"
        raise RhtmxError(
            ErrorCode.CONFLICT,
            f"push_fields.if_unchanged: '{written[0][:40]}' of "
            f"{title(push.entity, push.entity_id)} may have been written up to version {version}, "
            f"{expected} was expected; nothing was written",
            details=None if current is None else record_json(whole(current), fields=written),
        )


def _keep(commit: Commit, kept: Fields, hides: Collection[str]) -> None:
    """Have a record keep its hidden fields, but for those that are like all others by now."""
    record = commit.record
    former = kept.keys() - hides
    if former:
        # An entity that is kept without fields does not say what changed.
        told = jsontext.split(record.data).keys() | commit.changed
        kept = {name: text for name, text in kept.items() if name in hides or name not in told}
    record.hidden = hidden_object(kept)
