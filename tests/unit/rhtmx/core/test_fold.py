"""Facts about `rhtmx.core.fold`; how a write looks, `test_overlay` says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.core import build_message, fold
from rhtmx.core.fold import Folds, fold_rows
from rhtmx.core.granularity import Granularity
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.record_writes import RecordWrites
from rhtmx.core.storage_ops import HeldRecord, Mutation, PendingOps, Settled
from rhtmx.core.write_queue import WriteQueue
from rhtmx.values.field_operations import Increment

AT = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = ("tasks", "1")


def patch(fields: dict[str, Any], delete: tuple[str, ...] = ()) -> Mutation:
    return build_message.push_fields(*RECORD, fields, delete, None, AT)


WRITES = st.one_of(
    st.builds(lambda n: patch({"n": n}), st.integers(0, 3)),
    st.builds(lambda n: patch({"votes": Increment(n)}), st.integers(0, 3)),
    st.just(patch({}, ("n",))),
    st.builds(lambda n: build_message.push(*RECORD, {"whole": n}, None), st.integers(0, 3)),
    st.just(build_message.push_delete(*RECORD, None)),
)
LOST = {"n": b'"theirs"'}
STEPS = st.lists(
    st.one_of(
        WRITES,
        st.sampled_from(["settle", "lose", "drop first", "drop last", "held"]),
    ),
    max_size=40,
)


@given(STEPS, st.sampled_from(Granularity))
def test_however_writes_come_and_go_a_record_is_what_it_is_put_together_anew(
    steps: list[Any], granularity: Granularity
) -> None:
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(fold, "FEW", 1)
        queue, folds = WriteQueue(PendingOps()), Folds("tasks", granularity)
        held: HeldRecord | None = None
        for number, step in enumerate(steps):
            waiting = list(queue)
            match step:
                case "held":
                    held = HeldRecord(number, b'{"n":%d,"votes":2}' % number)
                case "settle" | "lose" if waiting:
                    lost = LOST if step == "lose" else {}
                    queue.settle(waiting[0], Settled(number, "e", lost))
                case "drop first" if queue.of(*RECORD):
                    queue.drop(queue.of(*RECORD)[0])
                case "drop last" if queue.of(*RECORD):
                    queue.drop(queue.of(*RECORD)[-1])
                case str():
                    pass
                case _:
                    queue.add(QueuedWrite(str(number), step))
            rows = queue.of(*RECORD)
            anew = fold.fold(
                held, [(each, row.settled) for row in rows for each in row.writes], granularity
            )
            assert repr(folds.of("1", held, rows)) == repr(anew)
            assert repr(fold_rows(held, rows, RECORD, granularity)) == repr(anew)


def test_one_more_write_is_put_on_top_of_what_is_known() -> None:
    rows, folds = RecordWrites(), Folds("tasks", Granularity.RECORDS)
    for number in range(20):
        rows.append(QueuedWrite(str(number), patch({"votes": Increment(1)})))
    assert folds.of("1", None, rows) == (True, {"votes": 20})
    rows[:19] = [QueuedWrite("other", patch({"votes": Increment(100)}))] * 19
    rows.append(QueuedWrite("last", patch({"votes": Increment(1)})))
    assert folds.of("1", None, rows) == (True, {"votes": 21}), "nobody has said that these changed"
    rows.revision += 1
    assert folds.of("1", None, rows) == (True, {"votes": 1902})


def test_what_was_shown_may_be_changed_by_whoever_has_it() -> None:
    rows, folds = RecordWrites(), Folds("tasks", Granularity.RECORDS)
    rows.extend(QueuedWrite(str(each), patch({"tags": ["a"]})) for each in range(20))
    _, shown = folds.of("1", None, rows)
    shown["tags"].append("b")
    rows.append(QueuedWrite("last", patch({"n": 1})))
    assert folds.of("1", None, rows) == (True, {"tags": ["a"], "n": 1})
