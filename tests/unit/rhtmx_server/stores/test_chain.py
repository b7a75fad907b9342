"""Facts about `rhtmx_server.stores.chain`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from rhtmx.messages import ChangeAction
from rhtmx_server.model import Granularity, HistoryEntry, Record
from rhtmx_server.record_page import CommitPage
from rhtmx_server.stores import chain
from rhtmx_server.stores.chain import steps_back, walk, walk_afar


class Log:
    """Commits of one record by their versions, each with the one before it."""

    def __init__(self, commits: Mapping[int, int | None], data: bytes = b"{}") -> None:
        self.data = data
        self.commits = {
            version: HistoryEntry(self.record(version), Granularity.RECORDS, previous=previous)
            for version, previous in commits.items()
        }
        self.found: list[int] = []

    def record(self, version: int) -> Record:
        time = 10 * version
        return Record("tasks", "1", version, ChangeAction.UPDATE, self.data, None, time)

    def find(self, version: int) -> HistoryEntry | None:
        self.found.append(version)
        return self.commits.get(version)

    def page(
        self,
        newest: int,
        *,
        start: int | None = None,
        before: int | None = None,
        until: int | None = None,
        limit: int = 100,
        page_bytes: int = 1000,
    ) -> CommitPage:
        steps = steps_back(
            self.record(newest),
            start=start,
            before=before,
            until=until,
            limit=limit,
            page_bytes=page_bytes,
        )
        return walk(self.find, steps)


def told(page: CommitPage) -> tuple[list[int], int | None, bool]:
    return [each.record.version for each in page], page.next, page.whole


NINE = {9: 6, 6: 4, 4: 1, 1: 0}


def test_each_commit_leads_to_the_one_before_it() -> None:
    log = Log(NINE)
    assert told(log.page(9)) == ([9, 6, 4, 1], None, True)
    assert log.found == [9, 6, 4, 1]


async def test_a_commit_may_have_to_be_waited_for() -> None:
    log = Log(NINE)

    async def find(version: int) -> HistoryEntry | None:
        await asyncio.sleep(0)
        return log.find(version)

    steps = steps_back(log.record(9), start=None, before=5, until=None, limit=100)
    assert told(await walk_afar(find, steps)) == ([4, 1], None, True)
    assert log.found == [5, 4, 4, 1]


def test_pages_follow_one_another() -> None:
    log = Log(NINE)
    assert told(log.page(9, limit=3)) == ([9, 6, 4], 1, False)
    assert told(log.page(9, limit=3, start=1)) == ([1], None, True)
    assert told(log.page(9, limit=4)) == ([9, 6, 4, 1], None, True)


@pytest.mark.parametrize("newest", [9, 12])
def test_the_newest_commit_is_the_record_itself_where_it_is_kept_nowhere(newest: int) -> None:
    page = Log({}).page(newest)
    assert told(page) == ([newest], None, False)
    assert page[0].record == Log({}).record(newest)


def test_where_a_commit_is_gone_all_of_before_is() -> None:
    log = Log({9: 6, 4: 1, 1: 0})
    assert told(log.page(9)) == ([9], None, False)
    assert told(log.page(9, start=6)) == ([], None, False)


def test_a_commit_of_which_it_was_not_noted_ends_the_chain_and_is_not_the_first() -> None:
    assert told(Log({9: 6, 6: None, 4: 0}).page(9)) == ([9, 6], None, False)


def test_what_is_not_wanted_is_left_out() -> None:
    log = Log(NINE)
    assert told(log.page(9, until=69)) == ([6, 4, 1], None, True)
    assert told(log.page(9, until=60, limit=1)) == ([6], 4, False)
    assert told(log.page(9, until=9)) == ([], None, True)
    assert told(log.page(9, before=6)) == ([4, 1], None, True)
    assert told(log.page(9, before=99)) == ([9, 6, 4, 1], None, True)
    assert told(log.page(9, before=1)) == ([], None, True)
    assert told(log.page(9, before=0)) == ([], None, True)
    assert told(log.page(9, before=6, until=10)) == ([1], None, True)


@pytest.mark.parametrize(("before", "looks"), [(4, [4, 4, 1]), (5, [5, 4, 4, 1])])
def test_who_names_a_commit_or_the_version_after_it_is_not_led_there_from_the_end(
    before: int, looks: list[int]
) -> None:
    log = Log(NINE)
    assert [each.record.version for each in log.page(9, before=before)] == [4, 1][5 - before :]
    assert log.found == looks


def test_another_version_is_looked_for_from_the_end() -> None:
    log = Log(NINE)
    assert told(log.page(9, before=3)) == ([1], None, True)
    assert log.found == [3, 2, 9, 6, 4, 1]


def test_a_page_has_a_weight_and_at_least_one_commit() -> None:
    log = Log(NINE, data=b'"1234567"')
    assert told(log.page(9, page_bytes=20)) == ([9, 6], 4, False)
    assert told(log.page(9, page_bytes=20, start=4)) == ([4, 1], None, True)
    assert told(log.page(9, page_bytes=1)) == ([9], 6, False)
    assert told(log.page(9, page_bytes=1, start=1)) == ([1], None, True)


def test_after_so_many_commits_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "STEPS", 3)
    log = Log(NINE)
    assert told(log.page(9)) == ([9, 6, 4], 1, False)
    assert told(log.page(9, until=10)) == ([], 1, False)
    assert told(log.page(9, until=10, start=1)) == ([1], None, True)
