"""What has become of a record, as far as somebody may see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Blame,
    ChangeAction,
    History,
    HistoryCommit,
    HistoryResult,
    Push,
    PushFields,
)
from rhtmx_server.delivery import record_history
from rhtmx_server.delivery.record_history import MOST_COMMITS, RecordHistory
from rhtmx_server.model import Mutation, Scope
from rhtmx_server.times import to_datetime
from rhtmx_server.writing.batch import Batch
from tests.support.divided import DividedStore, SimpleAccess, part
from tests.unit.rhtmx_server.delivery.reading_world import DECIDERS, run
from tests.unit.rhtmx_server.fakes import NOW, push_fields, update

RED, BLUE = frozenset({part(team="red")}), frozenset({part(team="blue")})
CANARY = "canary"


class World:
    """A server's records, and what is asked about them."""

    def __init__(self) -> None:
        self.store = DividedStore()
        self.now = NOW
        self.past = RecordHistory(self.store, SimpleAccess())

    def write(self, message: Push | PushFields, client: str | None = None, by: str = "") -> None:
        self.now += 1
        mutation = Mutation(message, lambda _: None, client, by)
        batch = Batch([mutation], DECIDERS, "e", self.now)
        run(self.store.commit(batch.wanted(), batch.decide))

    def put(self, data: Any, client: str | None = None, by: str = "", id_: str = "1") -> None:
        action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
        text = None if data is None else json.dumps(data).encode()
        self.write(Push("tasks", id_, action, text), client, by)

    def ask(
        self,
        scope: Scope = None,
        *,
        before: int | None = None,
        until: int | None = None,
        limit: int | None = None,
    ) -> HistoryResult:
        time = None if until is None else to_datetime(until)
        return run(self.past.commits(History("tasks", "1", before, time, limit), scope))

    def missing(self, scope: Scope = None) -> bool:
        with pytest.raises(RhtmxError) as caught:
            self.ask(scope)
        assert caught.value.message == "there is no record tasks/1"
        return caught.value.code is ErrorCode.NOT_FOUND


def world(*data: Any) -> World:
    made = World()
    for each in data:
        made.put(each)
    return made


def told(answer: HistoryResult) -> list[tuple[int, str, list[str]]]:
    """Version, what was done, and to which fields, of each commit."""
    return [(_log(each).version, _done(each), each.changed) for each in answer.commits]


def _log(commit: HistoryCommit) -> Any:
    assert commit.change is not None
    return commit.change


def _done(commit: HistoryCommit) -> str:
    log = _log(commit)
    return "left" if log.left else str(log.action.name).lower()


# Whole entities.


def test_the_commits_say_what_they_changed() -> None:
    past = world({"a": 1, "b": 1}, {"a": 1.5, "c": 1}, {"c": 1, "a": 1.50}, None, {"d": 1})
    assert told(past.ask()) == [
        (5, "create", ["d"]),
        (4, "delete", ["a", "c"]),
        (3, "update", []),
        (2, "update", ["a", "b", "c"]),
        (1, "create", ["a", "b"]),
    ]
    assert [_log(each).data for each in past.ask().commits][:2] == [b'{"d": 1}', None]
    assert (past.ask().before, past.ask().complete) == (None, True)


def test_a_record_that_is_no_object_has_no_fields_that_change() -> None:
    past = world([1], {"a": 1}, 2)
    assert told(past.ask()) == [(3, "update", []), (2, "update", ["a"]), (1, "create", [])]


def test_the_commits_of_other_records_are_not_among_them() -> None:
    past = world({"a": 1})
    past.put({"b": 1}, id_="2")
    past.put({"a": 2})
    assert told(past.ask()) == [(3, "update", ["a"]), (1, "create", ["a"])]


def test_who_wrote_it_is_told_as_far_as_it_is_known() -> None:
    past = World()
    past.put({"a": 1}, "c1", "ada")
    past.put({"a": 2}, "c2")
    past.put({"a": 3})
    commits = past.ask().commits
    assert [(_log(each).client_id, each.subject) for each in commits] == [
        (None, None),
        ("c2", None),
        ("c1", "ada"),
    ]


def test_a_page_says_before_which_version_the_next_one_begins() -> None:
    past = world(*({"n": n} for n in range(5)))
    first = past.ask(limit=2)
    assert (told(first)[-1][0], first.before, first.complete) == (4, 4, False)
    second = past.ask(before=4, limit=2)
    assert ([each[0] for each in told(second)], second.before) == ([3, 2], 2)
    last = past.ask(before=2, limit=2)
    assert (told(last), last.before, last.complete) == ([(1, "create", ["n"])], None, True)
    exact = past.ask(before=3, limit=2)
    assert ([each[0] for each in told(exact)], exact.before, exact.complete) == ([2, 1], None, True)


def test_the_last_one_of_a_page_says_what_it_changed_too() -> None:
    past = world({"a": 1}, {"a": 1, "b": 2})
    assert told(past.ask(limit=1)) == [(2, "update", ["b"])]


def test_a_record_as_it_was_is_the_one_commit_up_to_that_time() -> None:
    past = world({"n": 1}, {"n": 2}, {"n": 3})
    assert told(past.ask(until=NOW + 2, limit=1)) == [(2, "update", ["n"])]
    assert told(past.ask(until=NOW + 99, limit=1)) == [(3, "update", ["n"])]
    never = past.ask(until=NOW, limit=1)
    assert (never.commits, never.before, never.complete) == ([], None, True)


def test_what_is_forgotten_is_not_said_to_be_the_beginning() -> None:
    past = world({"n": 1}, {"n": 2}, {"n": 3})
    run(past.store.collect(history_before=NOW + 3, tombstones_before=0))
    answer = past.ask()
    assert (told(answer), answer.before, answer.complete) == ([(3, "update", [])], None, False)
    gone = past.ask(until=NOW + 2)
    assert (gone.commits, gone.before, gone.complete) == ([], None, False)
    run(past.store.collect(history_before=NOW + 9, tombstones_before=0))
    assert told(past.ask()) == [(3, "update", [])]


def test_of_a_create_it_is_known_what_was_before_it_whatever_is_forgotten() -> None:
    past = world({"n": 1}, None, {"m": 3})
    run(past.store.collect(history_before=NOW + 3, tombstones_before=0))
    answer = past.ask()
    assert (told(answer), answer.complete) == ([(3, "create", ["m"])], False)


def test_of_a_deleted_record_there_is_all_that_was() -> None:
    past = world({"n": 1}, None)
    assert told(past.ask()) == [(2, "delete", ["n"]), (1, "create", ["n"])]
    assert told(past.ask(before=3, limit=2)) == told(past.ask())


def test_what_never_was_or_is_forgotten_is_not_there() -> None:
    assert World().missing()
    past = world({"n": 1}, None)
    run(past.store.collect(history_before=2**60, tombstones_before=2**60))
    assert past.missing()


@pytest.mark.parametrize("limit", [0, -1, MOST_COMMITS + 1])
def test_an_impossible_limit_is_refused_in_words(limit: int) -> None:
    with pytest.raises(RhtmxError, match=r"history.limit: a number from 1 to 1000 expected") as no:
        world(1).ask(limit=limit)
    assert no.value.code is ErrorCode.BAD_MESSAGE


def test_a_hundred_come_where_nobody_says_how_many() -> None:
    past = world(*range(102))
    assert (len(past.ask().commits), past.ask().before) == (100, 3)
    assert len(past.ask(limit=MOST_COMMITS).commits) == 102


def test_an_answer_ends_before_it_weighs_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_history, "ANSWER_BYTES", 1000)
    past = world(*({"text": f"{n}" * 300} for n in range(5)))
    first = past.ask()
    assert ([each[0] for each in told(first)], first.before, first.complete) == ([5], 5, False)
    seen = []
    before: int | None = 99
    while before is not None:
        answer = past.ask(before=before)
        seen += told(answer)
        before = answer.before
    assert [each[0] for each in seen] == [5, 4, 3, 2, 1]
    assert answer.complete


# Parts of entities.


def red(**more: Any) -> Any:
    return {"team": "red", **more}


def blue(**more: Any) -> Any:
    return {"team": "blue", **more}


def test_a_record_that_may_not_be_seen_is_not_there_whatever_it_was() -> None:
    assert world(red(), blue()).missing(RED)
    assert world(red(), blue(), None).missing(RED)
    assert world(blue()).missing(frozenset())
    assert told(world(red(), blue()).ask(BLUE))


def test_of_what_was_out_of_sight_nothing_is_told() -> None:
    past = world(red(a=1), blue(secret=CANARY), blue(secret=CANARY, b=1), red(b=1), red(b=2))
    answer = past.ask(RED)
    assert told(answer) == [
        (5, "update", ["b"]),
        (4, "update", ["b", "team"]),
        (2, "left", []),
        (1, "create", ["a", "team"]),
    ]
    assert "secret" not in repr(answer)
    assert CANARY not in repr(answer)
    assert answer.complete


def test_who_took_a_record_out_of_sight_is_not_told() -> None:
    past = World()
    past.put(red(), "c1", "ada")
    past.put(blue(), "c2", "eve")
    past.put(red(), "c1", "ada")
    commits = past.ask(RED).commits
    assert [(_log(each).client_id, each.subject) for each in commits] == [
        ("c1", "ada"),
        (None, None),
        ("c1", "ada"),
    ]


def test_a_record_was_not_there_at_a_time_when_it_was_out_of_sight() -> None:
    past = world(red(), blue(), blue(n=1), red())
    for time in (NOW + 2, NOW + 3):
        (commit,) = past.ask(RED, until=time, limit=1).commits
        assert (_log(commit).version, _done(commit)) == (2, "left")


def test_a_delete_is_shown_to_those_who_saw_what_was_deleted() -> None:
    past = world(red(a=1), None, blue(secret=1), None, red(b=1))
    assert told(past.ask(RED)) == [
        (5, "create", ["b", "team"]),
        (2, "delete", ["a", "team"]),
        (1, "create", ["a", "team"]),
    ]


def test_a_deleted_record_is_there_for_those_who_saw_it_last() -> None:
    past = world(blue(), red(a=1), None)
    assert told(past.ask(RED)) == [(3, "delete", ["a", "team"]), (2, "update", ["a", "team"])]
    assert past.missing(BLUE)


def test_also_where_what_it_was_is_forgotten() -> None:
    past = world(blue(), red(a=1), None)
    run(past.store.collect(history_before=NOW + 3, tombstones_before=0))
    answer = past.ask(RED)
    assert (told(answer), answer.complete) == ([(3, "delete", [])], False)
    assert past.missing(BLUE)


def test_what_cannot_be_known_to_have_been_seen_is_not_shown() -> None:
    past = world(red(), None, red(), blue(), red())
    run(past.store.collect(history_before=NOW + 2, tombstones_before=0))
    assert told(past.ask(RED))[-1] == (3, "create", ["team"]), "of the delete nobody knows"
    run(past.store.collect(history_before=NOW + 4, tombstones_before=0))
    assert told(past.ask(RED)) == [(5, "update", ["team"])], "nor that the record left"


STATES = st.lists(
    st.one_of(
        st.none(),
        st.builds(red, r=st.integers(0, 2)),
        st.builds(blue, b=st.integers(0, 2), canary=st.just(CANARY)),
    ),
    min_size=1,
    max_size=12,
)


def expected(states: Sequence[Any]) -> list[tuple[int, str, list[str]]]:
    """What red sees of it, oldest first as it happened."""
    seen: list[tuple[int, str, list[str]]] = []
    before: Any = None
    version = 0
    for data in states:
        if data is None and before is None:
            continue  # to delete what is not there is no commit
        version += 1
        was = before is not None and before["team"] == "red"
        done = "create" if before is None else "delete" if data is None else "update"
        if data is not None and data["team"] == "red":
            old = before if was else {}
            changed = [n for n in {**old, **data} if old.get(n) != data.get(n)]
            seen.append((version, done, sorted(changed)))
        elif was:
            seen.append((version, "left" if data else "delete", [] if data else sorted(before)))
        before = data
    return seen[::-1]


@given(STATES, st.integers(1, 5))
def test_pages_of_any_size_are_what_a_reader_of_the_part_has_seen(
    states: list[Any], limit: int
) -> None:
    past = world(*states)
    last = [each for each in states if each is not None]
    shown = expected(states)
    gone = shown and shown[0][1] == "left"
    if not last or not shown or gone or last[-1]["team"] == "blue":
        assert past.missing(RED)
        return
    pages = [past.ask(RED, limit=limit)]
    while (before := pages[-1].before) is not None:
        assert not pages[-1].complete
        pages.append(past.ask(RED, limit=limit, before=before))
    assert [each for page in pages for each in told(page)] == shown
    assert all(len(page.commits) <= limit for page in pages)
    assert pages[-1].complete
    assert CANARY not in repr(pages)


# Blame.


def blamed(past: World, scope: Scope = None) -> list[tuple[str, int, str | None, str | None]]:
    answer = run(past.past.blame(Blame("tasks", "1", "r1"), scope))
    assert answer.request_id == "r1"
    return [(each.field, each.version, each.client_id, each.subject) for each in answer.fields]


def test_each_field_has_its_last_author() -> None:
    past = World()
    past.put({"a": 1, "b": 1, "c": 1}, "c1", "ada")
    past.write(push_fields(update("b", b"2", NOW + 1)), "c2", "eve")
    past.put({"a": 1, "b": 2, "d": 3})
    assert blamed(past) == [
        ("a", 1, "c1", "ada"),
        ("b", 2, "c2", "eve"),
        ("d", 3, None, None),
    ]
    answer = run(past.past.blame(Blame("tasks", "1")))
    assert answer.fields[0].timestamp == to_datetime(NOW + 1)


def test_what_is_no_object_has_no_fields_to_blame_anybody_for() -> None:
    assert blamed(world([1])) == []


@pytest.mark.parametrize("states", [(), (1, None), (red(), blue())])
def test_nobody_is_blamed_for_what_is_not_there(states: tuple[Any, ...]) -> None:
    with pytest.raises(RhtmxError) as caught:
        blamed(world(*states), RED)
    assert caught.value.code is ErrorCode.NOT_FOUND
