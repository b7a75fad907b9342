"""Facts that hold for any writes, found by trying many.

A world is one record, the log of its commits, and what came of each push.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from rhtmx.messages import (
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    MergeStrategy,
    Push,
    PushFields,
    Winner,
)
from rhtmx_server.model import Commit, Context, Decision, Record
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.changes import decide_push
from rhtmx_server.trackers.fields import decide_push_fields
from rhtmx_server.trackers.merge import MAX_AHEAD
from rhtmx_server.trackers.policy import Policy
from rhtmx_server.trackers.state import clocks_of, fields_of, stored_write
from tests.unit.rhtmx_server.trackers.builders import (
    DELETE,
    NOW,
    SECOND,
    UPDATE,
    drop,
    push,
    push_fields,
    put,
    values,
)

Step = tuple[str | None, Push | PushFields]
"""Who pushes, and what."""

# Few names, values, times and authors: so that they meet.
names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from([None, b"1", b"1.0", b"true", b'"A"', b'"\\u0041"', b'{"x":1,"y":2}'])
moments = st.integers(NOW - 4, NOW + 4)
far_moments = st.sampled_from([NOW - 10**15, NOW, NOW + MAX_AHEAD, NOW + MAX_AHEAD + 1, 10**16])
authors = st.sampled_from([None, "ada", "bob"])
versions = st.none() | st.integers(0, 8)
policies = st.builds(
    Policy,
    default=st.sampled_from([s for s in MergeStrategy if s]),
    fields=st.dictionaries(names, st.sampled_from([s for s in MergeStrategy if s])),
)

COUNTS = Policy(default=MergeStrategy.COUNTER)


def updates(times: st.SearchStrategy[int]) -> st.SearchStrategy[FieldUpdate]:
    return st.builds(put, names, texts, times) | st.builds(drop, names, times)


def field_pushes(
    times: st.SearchStrategy[int] = moments, base: st.SearchStrategy[int | None] = versions
) -> st.SearchStrategy[PushFields]:
    fields = st.lists(updates(times), max_size=3, unique_by=lambda update: update.field)
    return st.builds(lambda many, seen: push_fields(*many, base_version=seen), fields, base)


objects = st.dictionaries(names, texts).map(
    lambda found: jsontext.join({name: jsontext.raw(text) for name, text in found.items()})
)
record_pushes = st.builds(push, objects | st.just(b"[1]"), st.sampled_from([UPDATE, DELETE]))


@dataclass
class World:
    """One record, and everything that happened to it."""

    policy: Policy = field(default_factory=Policy)
    version: int = 0
    now: int = NOW
    current: Record | None = None
    commits: list[Commit] = field(default_factory=list)

    def apply(self, step: Step) -> Decision:
        author, message = step
        context = Context("e1", self.version + 1, self.now, author)
        before = copy.deepcopy((message, self.current, context))
        decision = self._decide(message, context)
        assert (message, self.current, context) == before, "a decision changed its inputs"
        if decision.commit is not None:
            self.current = decision.commit.record
            self.version = self.current.version
            self.commits.append(decision.commit)
        return decision

    def _decide(self, message: Push | PushFields, context: Context) -> Decision:
        if isinstance(message, Push):
            return decide_push(message, self.current, context)
        if self.current and self.current.live and not jsontext.is_object(self.current.data):
            return Decision(reply=[])  # it would be refused: proved elsewhere
        return decide_push_fields(message, self.current, context, self.policy)

    def meaning(self) -> dict[str, bytes]:
        """The record's fields, however their values are spelled."""
        return {name: jsontext.canonical(text) for name, text in values(self.current).items()}


def _in_own_order(steps: Sequence[Step], order: Sequence[int]) -> list[Step]:
    """The steps as they might arrive elsewhere: each author's own stay in their order."""
    own = {author: iter([s for s in steps if s[0] == author]) for author, _ in steps}
    return [steps[at] if steps[at][0] is None else next(own[steps[at][0]]) for at in order]


@given(
    st.lists(
        st.tuples(authors, field_pushes(moments | far_moments, st.none())), max_size=6
    ).flatmap(lambda steps: st.tuples(st.just(steps), st.permutations(range(len(steps)))))
)
def test_last_write_wins_ends_in_one_state_whatever_the_order_of_arrival(
    orders: tuple[Sequence[Step], Sequence[int]],
) -> None:
    """As long as each author's writes arrive in its order; whatever its clock says."""
    steps, order = orders
    one, other = World(), World()
    for step in steps:
        one.apply(step)
    for step in _in_own_order(steps, order):
        other.apply(step)
    assert one.meaning() == other.meaning()
    assert (one.current is None) == (other.current is None)


@given(
    policies,
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob"]),
            record_pushes | field_pushes(moments | far_moments),
            st.integers(-2, 2),
        ),
        max_size=12,
    ),
)
def test_no_own_earlier_write_ever_beats_an_own_later_one(
    policy: Policy, steps: list[tuple[str, Push | PushFields, int]]
) -> None:
    world = World(policy)
    wrote: dict[tuple[str, str], bytes | None] = {}
    for author, message, seconds in steps:
        world.now += seconds * SECOND  # the server's clock may step back, too
        before = world.current
        decision = world.apply((author, message))
        if not decision.reply:
            continue
        _note(wrote, author, message, before, world.current)
        if isinstance(message, PushFields):
            clashes = [each for each in decision.reply if isinstance(each, FieldConflict)]
            foreign = {each.field for each in clashes}
            assert all(_writer(before, name) != author for name in foreign)
        _assert_last_words(wrote, world.current)


def _note(
    wrote: dict[tuple[str, str], bytes | None],
    author: str,
    message: Push | PushFields,
    before: Record | None,
    after: Record | None,
) -> None:
    """Take down what an author said last of each field."""
    if isinstance(message, PushFields):
        for update in message.fields:
            wrote[author, update.field] = _pushed(update).get(update.field)
        return
    # A push is a write of what it changes; a delete of everything that ever was.
    held, had = values(after), values(before)
    gone = {name for _, name in wrote} | set(had) if after and not after.live else set(had)
    for name in held.keys() | gone:
        if after is not None and not after.live:
            wrote[author, name] = None
        elif not _same_field(held.get(name), had.get(name)):
            wrote[author, name] = held.get(name)


def _writer(record: Record | None, name: str) -> str | None:
    """Who wrote a field last."""
    written = stored_write(name, fields_of(record), clocks_of(record, fields_of(record)))
    return None if written is None else written.clock.client_id


def _assert_last_words(wrote: dict[tuple[str, str], bytes | None], record: Record | None) -> None:
    held = values(record)
    for (author, name), value in wrote.items():
        if _writer(record, name) == author:
            assert _same_field(held.get(name), value), f"{author}'s last word on {name} is lost"


@given(policies, st.lists(st.tuples(authors, record_pushes | field_pushes()), max_size=10))
def test_every_field_of_a_push_is_applied_or_reported_and_kept(
    policy: Policy, steps: list[Step]
) -> None:
    world = World(policy)
    for step in steps:
        before = values(world.current)
        decision = world.apply(step)
        message = step[1]
        if not isinstance(message, PushFields) or not decision.reply:
            continue
        *conflicts, ack = decision.reply
        assert isinstance(ack, FieldPushAck)
        reported = [each for each in conflicts if isinstance(each, FieldConflict)]
        losers = {each.field for each in reported if each.winner is Winner.SERVER}
        assert ack.conflicts == len(conflicts) == len(reported)
        assert ack.applied + len(losers) == len(message.fields)
        assert losers == {lost.field for lost in decision.lost}
        after = values(world.current)
        for update in message.fields:
            kept = before if update.field in losers else _pushed(update)
            assert _same_field(kept.get(update.field), after.get(update.field))


def _pushed(update: FieldUpdate) -> dict[str, bytes]:
    if update.action is update.action.DELETE:
        return {}
    return {update.field: b"null" if update.value is None else update.value}


def _same_field(one: bytes | None, other: bytes | None) -> bool:
    if one is None or other is None:
        return one is other
    return jsontext.same(one, other)


@given(
    policies,
    st.lists(st.tuples(authors, record_pushes | field_pushes()), max_size=6),
    st.tuples(authors, field_pushes(moments | far_moments)),
)
# By nobody known, with a clock that is behind: what is stored has another time than its copy.
@example(
    COUNTS,
    [(None, push(b'{"a":1}'))],
    (None, push_fields(drop("a", NOW - 1), base_version=1)),
)
@example(
    COUNTS,
    [(None, push(b'{"a":1}'))],
    (None, push_fields(put("a", b"true", NOW - 1), put("b", None, NOW - 1), base_version=1)),
)
def test_a_field_push_that_arrives_twice_has_one_effect(
    policy: Policy, steps: list[Step], twice: Step
) -> None:
    world = World(policy)
    for step in steps:
        world.apply(step)
    first = world.apply(twice)
    again = world.apply(twice)
    assert again.commit is None
    assert again.lost == first.lost


@given(
    policies,
    st.lists(st.tuples(authors, record_pushes | field_pushes()), max_size=6),
    st.tuples(authors, field_pushes(moments | far_moments)),
    st.integers(-100, 100),
)
# With a clock that is ahead: a second later its copy is brought back to another time.
@example(Policy(), [], (None, push_fields(put("a", b"1", NOW + 2 * MAX_AHEAD))), 1)
@example(Policy(), [], ("ada", push_fields(put("a", b"1", NOW + 2 * MAX_AHEAD))), 1)
def test_what_was_written_is_not_written_again_nor_in_conflict_whenever_its_copy_arrives(
    policy: Policy, steps: list[Step], twice: Step, seconds: int
) -> None:
    world = World(policy)
    for step in steps:
        world.apply(step)
    first = world.apply(twice)
    written = set() if first.commit is None else set(first.commit.changed)
    world.now += seconds * SECOND
    again = world.apply(twice)
    assert again.commit is None or written.isdisjoint(again.commit.changed)
    clashes = {each.field for each in again.reply if isinstance(each, FieldConflict)}
    assert written.isdisjoint(clashes)


@given(policies, st.lists(st.tuples(authors, field_pushes(moments | far_moments)), max_size=8))
def test_no_clock_is_more_than_a_minute_ahead(policy: Policy, steps: list[Step]) -> None:
    world = World(policy)
    for step in steps:
        world.apply(step)
        if world.current is not None:
            newest = max((c.timestamp for c in world.current.clocks.values()), default=0)
            # Each write that follows one from the limit is a microsecond later.
            assert newest <= NOW + MAX_AHEAD + len(steps)


@given(
    policies,
    st.lists(
        st.tuples(authors, record_pushes | field_pushes(moments | far_moments), st.integers(-2, 2)),
        max_size=12,
    ),
    st.data(),
)
def test_both_granularities_tell_of_one_state(
    policy: Policy, steps: list[tuple[str | None, Push | PushFields, int]], data: st.DataObject
) -> None:
    world = World(policy)
    replicas: list[dict[str, bytes]] = [{}]
    positions = [0]
    for author, message, seconds in steps:
        world.now += seconds * SECOND
        decision = world.apply((author, message))
        if decision.commit is not None:
            replicas.append(_follow(replicas[-1], decision.commit))
            positions.append(world.version)
            _assert_alike(replicas[-1], world.current)
    if world.current is None:
        return
    # Who resumes anywhere gets what was written since, and ends in the same state.
    start = data.draw(st.integers(0, len(positions) - 1))
    newer = [n for n, clock in world.current.clocks.items() if clock.version > positions[start]]
    resumed = _take(replicas[start], world.current, newer)
    _assert_alike(resumed, world.current)


@given(policies, st.lists(st.tuples(authors, record_pushes | field_pushes()), max_size=10))
def test_the_clock_of_a_field_never_goes_back(policy: Policy, steps: list[Step]) -> None:
    world = World(policy)
    for step in steps:
        before = world.current
        world.apply(step)
        if before is None or world.current is None:
            continue
        assert before.clocks.keys() <= world.current.clocks.keys()
        for name, clock in before.clocks.items():
            after = world.current.clocks[name]
            assert (after.timestamp, after.version) >= (clock.timestamp, clock.version)


@given(policies, st.lists(st.tuples(authors, record_pushes | field_pushes()), max_size=10))
def test_commits_are_numbered_without_a_hole(policy: Policy, steps: list[Step]) -> None:
    world = World(policy)
    for step in steps:
        world.apply(step)
    assert [commit.record.version for commit in world.commits] == list(range(1, world.version + 1))


def _follow(replica: dict[str, bytes], commit: Commit) -> dict[str, bytes]:
    """What a field subscriber holds after a commit."""
    assert list(commit.changed) == sorted(set(commit.changed))
    return _take(replica, commit.record, commit.changed)


def _take(replica: dict[str, bytes], record: Record, changed: Sequence[str]) -> dict[str, bytes]:
    replica = dict(replica)
    held = values(record)
    for name in changed:
        if record.clocks[name].deleted:
            replica.pop(name, None)
        else:
            replica[name] = held[name]
    return replica


def _assert_alike(replica: dict[str, bytes], record: Record | None) -> None:
    held = values(record)
    assert replica.keys() == held.keys()
    assert all(jsontext.same(replica[name], held[name]) for name in held)
    assert record is not None
    assert {n for n, clock in record.clocks.items() if not clock.deleted} == held.keys()
