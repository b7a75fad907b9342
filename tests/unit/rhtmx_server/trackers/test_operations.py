"""Facts about `rhtmx_server.trackers.operations`, by way of the pushes that bring them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    FieldAction,
    FieldConflict,
    FieldPushAck,
    FieldUpdate,
    MergeStrategy,
    PushFields,
    Winner,
)
from rhtmx_server.model import Decision, Record
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.changes import decide_push
from rhtmx_server.trackers.fields import decide_push_fields
from rhtmx_server.trackers.policy import Policy, parse_policy
from tests.unit.rhtmx_server.trackers.builders import (
    DELETE,
    NOW,
    SECOND,
    context,
    drop,
    push,
    push_fields,
    put,
    record,
    values,
)

INCREMENT, ADD, REMOVE = FieldAction.INCREMENT, FieldAction.ADD, FieldAction.REMOVE


def do(field: str, action: FieldAction, operand: object, at: int = NOW) -> FieldUpdate:
    text = json.dumps(operand).encode()
    return FieldUpdate(field=field, value=text, action=action, timestamp=to_datetime(at))


class Log:
    """One record, and what comes to it."""

    def __init__(self, data: bytes | None = None, policy: Policy | None = None) -> None:
        self.current: Record | None = None if data is None else record(data)
        self.version = 0 if data is None else 1
        self.policy = policy or Policy()
        self.commits = 0

    def take(
        self, *updates: FieldUpdate, by: str = "ada", base: int | None = None, now: int = NOW
    ) -> list[Any]:
        """Push fields; returns the answer."""
        message = push_fields(*updates, base_version=base, seq=1)
        return self._keep(self._decide(message, by, now))

    def push(self, data: bytes | None, by: str = "ada", now: int = NOW) -> None:
        """Push a whole record, or delete it."""
        message = push(data) if data is not None else push(None, DELETE)
        self._keep(decide_push(message, self.current, context(self.version + 1, now, by)))

    def _decide(self, message: PushFields, by: str, now: int) -> Decision:
        when = context(self.version + 1, now, by)
        return decide_push_fields(message, self.current, when, self.policy)

    def _keep(self, decision: Decision) -> list[Any]:
        if decision.commit is not None:
            self.current = decision.commit.record
            self.version = self.current.version
            self.commits += 1
        return list(decision.reply)

    def __getitem__(self, field: str) -> Any:
        found = values(self.current).get(field)
        return None if found is None else json.loads(found)


def conflicts(reply: list[Any]) -> list[FieldConflict]:
    return [each for each in reply if isinstance(each, FieldConflict)]


# What two of them make of one field.


def test_increments_that_did_not_know_of_each_other_are_all_counted() -> None:
    log = Log(b'{"stock":10}')
    for clerk in ("ada", "bob"):
        for _ in range(3):
            reply = log.take(do("stock", INCREMENT, -1), by=clerk, base=1)
            assert not conflicts(reply)
    assert log["stock"] == 4


def test_an_increment_counts_on_top_of_a_value_that_its_author_had_not_seen() -> None:
    log = Log(b'{"stock":10}')
    log.take(put("stock", b"20"), by="bob", base=1)
    assert not conflicts(log.take(do("stock", INCREMENT, 1, NOW - SECOND), base=1))
    assert log["stock"] == 21


def test_a_value_that_is_older_than_an_increment_loses_against_it() -> None:
    log = Log(b'{"stock":10}')
    log.take(do("stock", INCREMENT, 1), by="bob", base=1)
    (conflict,) = conflicts(log.take(put("stock", b"5", NOW - SECOND), base=1))
    assert (conflict.winner, conflict.server_value) == (Winner.SERVER, b"11")
    assert log["stock"] == 11


def test_increments_and_plain_fields_of_one_push_are_one_commit() -> None:
    log = Log(b'{"stock":10}')
    (ack,) = log.take(do("stock", INCREMENT, 1), put("title", b'"x"'))
    assert isinstance(ack, FieldPushAck)
    assert (ack.applied, ack.version, log.commits) == (2, 2, 1)
    assert log.current is not None
    assert log.current.data == b'{"stock":11,"title":"x"}'


def test_an_operation_that_changes_nothing_is_no_commit() -> None:
    log = Log(b'{"stock":10,"best":7}')
    for update in (
        do("stock", INCREMENT, 0),
        do("best", FieldAction.MAX, 6),
        do("labels", REMOVE, ["x"]),
    ):
        (ack,) = log.take(update)
        assert isinstance(ack, FieldPushAck)
        assert ack.applied == 1
    assert not log.commits


def test_an_operation_begins_a_record() -> None:
    log = Log()
    log.take(do("votes", INCREMENT, 1), do("labels", ADD, ["a"]))
    assert (log["votes"], log["labels"]) == (1, ["a"])


# Sets.


def test_an_element_that_was_added_meanwhile_survives_a_remove() -> None:
    log = Log(b'{"labels":["a"]}')
    log.take(do("labels", ADD, ["a", "b"]), by="bob", base=1)
    assert not conflicts(log.take(do("labels", REMOVE, ["a", "b"]), base=1))
    assert log["labels"] == ["a", "b"]


def test_a_remove_takes_what_its_author_had_seen() -> None:
    log = Log(b'{"labels":["a"]}')
    log.take(do("labels", ADD, ["b"]), by="bob", base=1)
    log.take(do("labels", REMOVE, ["a", "b"]), base=1)
    assert log["labels"] == ["b"]
    log.take(do("labels", REMOVE, ["b"]), base=2)
    assert log["labels"] == []


def test_an_author_has_seen_its_own_adds() -> None:
    log = Log(b'{"labels":[]}')
    log.take(do("labels", ADD, ["a"]), base=1)
    log.take(do("labels", REMOVE, ["a"]), base=1)
    assert log["labels"] == []


def test_without_a_base_version_a_remove_takes_what_is_there() -> None:
    log = Log(b'{"labels":["a"]}')
    log.take(do("labels", ADD, ["b"]), by="bob")
    log.take(do("labels", REMOVE, ["a", "b"]))
    assert log["labels"] == []


def test_a_whole_value_writes_all_elements_anew() -> None:
    log = Log(b'{"labels":["a"]}')
    log.take(do("labels", ADD, ["b"]), by="bob", base=1)
    log.push(b'{"labels":["a","b","c"]}', by="eve")
    log.take(do("labels", REMOVE, ["a", "b", "c"]), base=2)
    assert log["labels"] == ["a", "b", "c"]  # all of them were written after version 2


def test_a_whole_record_that_leaves_a_set_alone_leaves_its_tags_alone() -> None:
    log = Log(b'{"labels":["a"],"n":1}')
    log.take(do("labels", ADD, ["b"]), by="bob", base=1)
    log.push(b'{"labels":["a","b"],"n":2}', by="eve")
    log.take(do("labels", REMOVE, ["a", "b"]), base=2)
    assert log["labels"] == []


# Keys.


def test_two_keys_of_an_object_do_not_meet() -> None:
    log = Log(b'{"sizes":{}}')
    log.take(do("sizes", FieldAction.SET_KEY, {"s": 1}), by="bob", base=1)
    assert not conflicts(log.take(do("sizes", FieldAction.SET_KEY, {"m": 2}), base=1))
    assert log["sizes"] == {"s": 1, "m": 2}


def test_who_replaces_a_key_that_they_had_not_seen_is_told() -> None:
    log = Log(b'{"sizes":{"s":0}}')
    log.take(do("sizes", FieldAction.SET_KEY, {"s": 1}), by="bob", base=1)
    reply = log.take(do("sizes", FieldAction.SET_KEY, {"s": 2, "m": 3}), base=1)
    (conflict,) = conflicts(reply)
    assert (conflict.field, conflict.key, conflict.winner) == ("sizes", "s", Winner.CLIENT)
    assert (conflict.server_value, conflict.client_value) == (b"1", b"2")
    assert log["sizes"] == {"s": 2, "m": 3}


def test_two_who_set_a_key_to_the_same_are_not_told() -> None:
    log = Log(b'{"sizes":{"s":0}}')
    log.take(do("sizes", FieldAction.SET_KEY, {"s": 1}), by="bob", base=1)
    assert not conflicts(log.take(do("sizes", FieldAction.SET_KEY, {"s": 1}), base=1))


def test_a_key_that_was_set_meanwhile_survives_its_delete() -> None:
    log = Log(b'{"sizes":{"s":0,"m":0}}')
    log.take(do("sizes", FieldAction.SET_KEY, {"s": 1}), by="bob", base=1)
    log.take(do("sizes", FieldAction.DELETE_KEY, ["s", "m"]), base=1)
    assert log["sizes"] == {"s": 1}


def test_a_key_that_is_named_twice_is_deleted_once() -> None:
    log = Log(b'{"sizes":{"s":0,"m":0}}')
    log.take(do("sizes", FieldAction.DELETE_KEY, ["s", "s"]), base=1)
    assert log["sizes"] == {"m": 0}


# Deletions.


@pytest.mark.parametrize("update", [do("n", INCREMENT, 1), do("n", ADD, ["a"])])
def test_an_operation_that_is_older_than_the_delete_of_its_record_loses(
    update: FieldUpdate,
) -> None:
    log = Log(b'{"n":null}')
    log.push(None, by="bob", now=NOW + SECOND)
    (conflict,) = conflicts(log.take(update, base=1))
    assert (conflict.winner, conflict.client_value) == (Winner.SERVER, update.value)
    assert conflict.server_value is None
    assert log.current is not None
    assert not log.current.live


def test_an_operation_that_is_later_than_a_delete_begins_anew() -> None:
    log = Log(b'{"n":5,"m":1}')
    log.take(drop("n"), by="bob", base=1)
    log.take(do("n", INCREMENT, 1, NOW + SECOND), base=2)
    assert log["n"] == 1


# What a field is declared to be.


COUNTERS = parse_policy({"stock": "counter", "labels": "set"})


def test_two_who_count_to_the_same_number_are_told() -> None:
    log = Log(b'{"stock":10}', COUNTERS)
    log.take(put("stock", b"9"), by="bob", base=1)
    (conflict,) = conflicts(log.take(put("stock", b"9", NOW + SECOND), base=1))
    assert conflict.strategy is MergeStrategy.COUNTER
    assert conflict.winner is Winner.CLIENT


def test_a_value_of_somebody_who_had_seen_all_increments_is_an_assignment() -> None:
    log = Log(b'{"stock":10}', COUNTERS)
    log.take(do("stock", INCREMENT, 1), by="bob", base=1)
    assert not conflicts(log.take(put("stock", b"3", NOW + SECOND), base=2))
    assert log["stock"] == 3


@pytest.mark.parametrize(
    ("update", "code", "words"),
    [
        (do("stock", ADD, ["a"]), "", "'stock' is declared as a counter: it takes increment"),
        (do("labels", INCREMENT, 1), "", "'labels' is declared as a set: it takes add and remove"),
        (
            do("stock", INCREMENT, "0.50"),
            ".decimals",
            r"'stock' is not declared to have decimals, as Counter\(scale=2\)",
        ),
        (do("other", INCREMENT, "0.50"), ".decimals", "'other' is not declared to have decimals"),
        (do("other", INCREMENT, True), ".operand", "increment of 'other': an integer"),
        (do("text", INCREMENT, 1), ".value", "'text' is a string: increment needs an integer"),
        (do("most", INCREMENT, 1), ".too_large", "it would have the value 9007199254740992"),
    ],
)
def test_a_field_takes_what_it_is_declared_to_take(
    update: FieldUpdate, code: str, words: str
) -> None:
    with pytest.raises(RhtmxError, match=words) as error:
        Log(b'{"text":"a","most":9007199254740991}', COUNTERS).take(update)
    (violation,) = error.value.violations
    assert (violation.field, violation.code) == (update.field, f"operation{code}")


def test_an_integer_as_a_text_is_counted_by_such_texts_without_being_declared() -> None:
    log = Log(b'{"id":"9007199254740993"}', COUNTERS)
    log.take(do("id", INCREMENT, "5"))
    assert log["id"] == "9007199254740998"
    with pytest.raises(RhtmxError, match="increment it by an integer"):
        Log(policy=COUNTERS).take(do("stock", INCREMENT, "5"))


# Many of them.

_OPERATIONS = st.one_of(
    st.tuples(st.just(ADD), st.lists(st.sampled_from("abc"), min_size=1, max_size=2)),
    st.tuples(st.just(REMOVE), st.lists(st.sampled_from("abc"), min_size=1, max_size=2)),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["ada", "bob", "eve"]), _OPERATIONS, st.integers(0, 20)),
        max_size=20,
    )
)
def test_a_set_is_what_was_added_and_not_removed_by_somebody_who_had_seen_it(
    steps: list[tuple[str, tuple[FieldAction, list[str]], int]],
) -> None:
    log = Log(b'{"labels":[]}')
    added: dict[str, tuple[int, str]] = {}
    for by, (action, named), back in steps:
        base = max(0, log.version - back)
        before = log.version
        log.take(do("labels", action, named), by=by, base=base)
        for each in named:
            if action is ADD:
                added[each] = (before + 1, by)
            elif each in added and (added[each][0] <= base or added[each][1] == by):
                del added[each]
        assert log["labels"] == sorted(added)


@given(st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.integers(-5, 5)), max_size=20))
def test_a_counter_is_the_sum_whatever_anybody_had_seen(steps: list[tuple[str, int]]) -> None:
    log = Log(b'{"votes":0}')
    for by, count in steps:
        assert not conflicts(log.take(do("votes", INCREMENT, count), by=by, base=1))
    assert log["votes"] == sum(count for _, count in steps)


def test_an_error_names_the_field() -> None:
    with pytest.raises(RhtmxError) as caught:
        Log(b'{"votes":"three"}').take(do("votes", INCREMENT, 1))
    assert caught.value.code is ErrorCode.INVALID_DATA
    assert json.loads(caught.value.details or b"{}")["field"] == "votes"
    (wrong,) = caught.value.violations
    assert (wrong.field, wrong.message) == ("votes", caught.value.message)
