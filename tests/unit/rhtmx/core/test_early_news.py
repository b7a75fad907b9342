"""What has arrived waits, in its order, until it may be shown."""

from __future__ import annotations

import pytest

from rhtmx.core import early_news
from rhtmx.core.cursor import Cursor
from rhtmx.core.early_news import EarlyNews, News
from rhtmx.core.events import Delivered, Synced
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import PendingOps
from rhtmx.core.write_queue import WriteQueue
from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldUpdate, Position, PushFields


class Streams:
    """Two readers that have loaded, of orders and of their lines; and what was taken."""

    def __init__(self) -> None:
        self.queue = WriteQueue(PendingOps())
        self.early = EarlyNews(self.queue)
        self.orders, self.lines = Cursor(), Cursor()
        self.orders.checked = self.lines.checked = True
        self.entities = {self.orders: "orders", self.lines: "lines"}
        self.taken: list[str] = []

    def hear(self, news: News) -> None:
        if not self.early.keeps(self.entities[news.cursor], news):
            self._take(news)

    def change(self, cursor: Cursor, version: int, transaction: str | None = None) -> None:
        entity = self.entities[cursor]
        log = ChangeLog(entity, "1", ChangeAction.UPDATE, b"1", version, transaction=transaction)
        self.hear(Delivered(cursor, log, None))

    def synced(self, cursor: Cursor, version: int = 9) -> None:
        self.hear(Synced(cursor, Position("e", version)))

    def release(self) -> list[str]:
        for news in self.early.release():
            self._take(news)
        taken, self.taken = self.taken, []
        return taken

    def _take(self, news: News) -> None:
        entity = self.entities[news.cursor]
        what = f"{news.log.version}" if isinstance(news, Delivered) else "synced"
        self.taken.append(f"{entity} {what}")


@pytest.fixture
def streams() -> Streams:
    return Streams()


def test_what_is_part_of_nothing_is_taken_at_once(streams: Streams) -> None:
    streams.change(streams.orders, 1)
    streams.change(streams.lines, 1)
    assert streams.release() == ["orders 1", "lines 1"]


def test_a_transaction_is_taken_in_one_go_when_it_is_whole(streams: Streams) -> None:
    streams.change(streams.orders, 1, "t")
    streams.change(streams.lines, 1, "t")
    assert streams.release() == []
    streams.early.completed("t")
    assert streams.release() == ["orders 1", "lines 1"]


def test_what_comes_later_waits_behind_it(streams: Streams) -> None:
    streams.change(streams.orders, 1, "t")
    streams.change(streams.lines, 1)
    streams.change(streams.orders, 2, "u")
    streams.early.completed("u")
    assert streams.release() == []
    streams.early.completed("t")
    assert streams.release() == ["orders 1", "lines 1", "orders 2"]


def test_of_several_that_come_entity_by_entity_none_is_taken_in_halves(streams: Streams) -> None:
    """So they come of one tick of the server."""
    for cursor in (streams.orders, streams.lines):
        for version, name in enumerate("tuv", 1):
            streams.change(cursor, version, name)
    streams.early.completed("t")
    assert streams.release() == []
    streams.early.completed("u")
    assert streams.release() == []
    streams.early.completed("v")
    assert streams.release() == [f"{each} {n}" for each in ("orders", "lines") for n in (1, 2, 3)]


def test_a_transaction_is_given_back_with_the_later_one_that_it_lies_between(
    streams: Streams,
) -> None:
    streams.change(streams.orders, 1)
    streams.change(streams.orders, 2, "t")
    streams.change(streams.orders, 3, "u")
    streams.change(streams.lines, 1, "t")
    streams.change(streams.lines, 2, "open")
    streams.change(streams.lines, 3, "u")
    streams.early.completed("t")
    streams.early.completed("u")
    assert streams.release() == ["orders 1"]
    streams.early.completed("open")
    assert len(streams.release()) == 5


def test_nothing_is_shown_while_one_that_had_something_catches_up(streams: Streams) -> None:
    streams.early.behind(streams.lines)
    streams.change(streams.orders, 4)
    streams.change(streams.lines, 3)
    assert streams.release() == []
    streams.synced(streams.lines)
    assert streams.release() == ["orders 4", "lines 3", "lines synced"]


def test_a_first_load_waits_for_nobody_and_nobody_for_it(streams: Streams) -> None:
    streams.lines.checked = False
    streams.early.behind(streams.orders)
    streams.change(streams.lines, 1)
    assert streams.release() == ["lines 1"]
    streams.synced(streams.orders)
    assert streams.release() == ["orders synced"]


def test_the_end_of_a_first_load_comes_when_the_others_have_caught_up(streams: Streams) -> None:
    """From there on what is shown of all is one state."""
    streams.lines.checked = False
    streams.early.behind(streams.orders)
    streams.change(streams.lines, 1)
    streams.synced(streams.lines)
    streams.change(streams.lines, 2)
    assert streams.release() == ["lines 1"]
    streams.synced(streams.orders)
    assert streams.release() == ["lines synced", "lines 2", "orders synced"]


def test_one_that_the_server_refuses_holds_nobody_up(streams: Streams) -> None:
    streams.early.behind(streams.lines)
    streams.change(streams.orders, 4)
    streams.early.caught_up(streams.lines)
    assert streams.release() == ["orders 4"]


def test_half_a_transaction_ends_when_those_that_have_a_part_have_caught_up(
    streams: Streams,
) -> None:
    """They were too slow for the rest, and the server tells them of no end then."""
    streams.change(streams.orders, 1, "t")
    streams.early.behind(streams.orders)
    streams.early.behind(streams.lines)
    streams.change(streams.lines, 1)
    streams.synced(streams.lines)
    assert streams.release() == []
    streams.synced(streams.orders)
    assert streams.release() == ["orders 1", "lines 1", "lines synced", "orders synced"]


def sent(streams: Streams, entity: str) -> QueuedWrite:
    update = FieldUpdate("n", b"1", FieldAction.INCREMENT)
    row = QueuedWrite("r", PushFields(entity, "1", [update]))
    streams.queue.add(row)
    streams.queue.due()
    return row


def test_an_operation_that_was_sent_holds_back_its_entity_and_what_comes_behind(
    streams: Streams,
) -> None:
    row = sent(streams, "orders")
    streams.change(streams.lines, 1)
    streams.change(streams.orders, 1)
    streams.change(streams.lines, 2)
    assert streams.release() == ["lines 1"]
    streams.queue.drop(row)
    assert streams.release() == ["orders 1", "lines 2"]


def test_of_what_all_have_caught_up_with_no_part_is_held_back_alone(streams: Streams) -> None:
    """A transaction that was read from the store is in it, and nothing says so any more."""
    streams.early.behind(streams.orders)
    streams.early.behind(streams.lines)
    streams.change(streams.orders, 1)
    streams.synced(streams.orders)
    row = sent(streams, "lines")
    streams.change(streams.lines, 1)
    streams.synced(streams.lines)
    streams.change(streams.orders, 10)
    assert streams.release() == []
    streams.queue.drop(row)
    assert streams.release() == [
        "orders 1", "orders synced", "lines 1", "lines synced", "orders 10",
    ]  # fmt: skip


def test_what_waits_goes_with_the_connection_and_is_named(streams: Streams) -> None:
    streams.change(streams.orders, 1, "t")
    assert streams.early.lost() == {"orders"}
    assert streams.release() == []
    streams.change(streams.orders, 1)
    assert streams.release() == ["orders 1"]


def test_what_waits_for_one_that_ends_is_given_back(streams: Streams) -> None:
    streams.change(streams.orders, 1, "t")
    streams.change(streams.lines, 1)
    (news,) = streams.early.end("orders", streams.orders)
    assert news.cursor is streams.orders
    assert streams.release() == ["lines 1"]


def test_too_much_is_not_kept(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_news, "MOST", 2)
    streams.early.behind(streams.lines)
    for version in (1, 2):
        streams.change(streams.orders, version)
    assert streams.release() == []
    streams.change(streams.orders, 3)
    assert streams.release() == ["orders 1", "orders 2", "orders 3"]
    streams.change(streams.orders, 4)
    assert streams.release() == [], "from here on it is kept again"
