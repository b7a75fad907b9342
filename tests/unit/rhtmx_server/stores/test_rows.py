from __future__ import annotations

import pytest

from rhtmx.messages import ChangeAction
from rhtmx_server.model import ClientRow, Clock, Granularity, HistoryEntry, Outcome, Record
from rhtmx_server.stores import rows


def record(action: ChangeAction = ChangeAction.CREATE) -> Record:
    return Record("tasks", "1", 7, action, b'{"a":1}', "c", 17)


@pytest.mark.parametrize("action", [ChangeAction.CREATE, ChangeAction.UPDATE, ChangeAction.DELETE])
def test_a_record_comes_back_from_its_row(action: ChangeAction) -> None:
    one = record(action)
    found = rows.record_of(rows.row_of_record(one))
    assert found == one
    assert found.action is action


def test_clocks_come_back_from_their_row() -> None:
    one = record()
    one.clocks = {
        "a": Clock(7, -1, "c", claimed=-2),
        "é": Clock(3, 2**60, None, deleted=True),
        "set": Clock(2, 5, items={"1": (2, None)}),
    }
    assert rows.record_of(rows.row_of_record(one)) == one


def test_clocks_from_before_they_knew_what_was_claimed_are_read() -> None:
    *columns, _, entered, hidden = rows.row_of_record(record())
    found = rows.record_of((*columns, b'{"a":[7,5,"c",false,null]}', entered, hidden))
    assert found.clocks == {"a": Clock(7, 5, "c")}


def test_a_record_without_clocks_stores_none() -> None:
    assert rows.row_of_record(record())[-1] is None


def test_two_records_without_clocks_do_not_share_them() -> None:
    first, second = (rows.record_of(rows.row_of_record(record())) for _ in range(2))
    assert first.clocks is not second.clocks


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("form", [Granularity.RECORDS, Granularity.FIELDS])
def test_a_history_entry_comes_back_from_its_row(form: Granularity, lost: bool) -> None:
    entry = HistoryEntry(record(), form, lost)
    found = rows.entry_of(rows.row_of_entry(entry))
    assert found == entry
    assert found.lost is lost
    assert found.granularity is form


@pytest.mark.parametrize("previous", [None, 0, 6])
def test_a_commit_keeps_which_one_was_before_it(previous: int | None) -> None:
    entry = HistoryEntry(record(), Granularity.RECORDS, previous=previous)
    assert rows.entry_of(rows.row_of_entry(entry)) == entry


def test_a_client_comes_back_from_its_row() -> None:
    client = ClientRow("c", "ada", 3, 17)
    assert rows.client_of(rows.row_of_client(client)) == client


@pytest.mark.parametrize("rejected", [False, True])
def test_an_outcome_comes_back_from_its_row(rejected: bool) -> None:
    outcome = Outcome("c", 3, b"\x00\xff", b"{}", rejected)
    found = rows.outcome_of(rows.row_of_outcome(outcome))
    assert found == outcome
    assert found.rejected is rejected


def test_rows_are_plain_tuples_of_what_the_driver_takes() -> None:
    row = rows.row_of_entry(HistoryEntry(record(), Granularity.FIELDS, True, 6))
    assert [type(column) for column in row] == [str, str, int, int, bytes, str, *[int] * 4]
