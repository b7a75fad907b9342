"""Facts about `rhtmx.core.record_writes`."""

from __future__ import annotations

from rhtmx.core import build_message
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.record_writes import RecordWrites


def row(name: str) -> QueuedWrite:
    return QueuedWrite(name, build_message.push("tasks", "1", 1, None))


def test_only_what_comes_at_the_end_leaves_the_revision_as_it_is() -> None:
    one, two, between = row("1"), row("2"), row("between")
    rows = RecordWrites()
    rows.append(one)
    rows.append(two)
    assert (rows, rows.revision) == ([one, two], 0)
    rows.put_before(two, between)
    assert (rows, rows.revision) == ([one, between, two], 1)
    rows.take_out(one)
    assert (rows, rows.revision) == ([between, two], 2)
