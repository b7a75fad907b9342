"""Facts about `rhtmx.api.conflict_resolution`."""

from __future__ import annotations

from datetime import UTC, datetime

from rhtmx.api.conflict_resolution import Pending, RejectedWrite
from rhtmx.core import build_message
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import Mutation, StoredRejection
from rhtmx.errors import ErrorCode
from rhtmx.values.results import FieldPushResult, PushResult

AT = datetime(2026, 1, 1, tzinfo=UTC)
PATCH = build_message.push_fields("tasks", "1", {"a": 1}, ["b"], None, AT)


class Decisions:
    """Writes down what is decided."""

    def __init__(self) -> None:
        self.made: list[object] = []

    async def retry(self, request_id: str) -> PushResult | FieldPushResult | None:
        self.made.append(("retry", request_id))
        return None

    def discard(self, request_id: str) -> None:
        self.made.append(("discard", request_id))


def pending(message: Mutation) -> Pending:
    return Pending.of(QueuedWrite("r", message, seq=3, since=AT.timestamp(), stored=True))


def test_a_pending_write_says_what_it_writes() -> None:
    assert pending(PATCH) == Pending("r", 3, "tasks", "1", "patch", {"a": 1}, ("b",), AT, True)
    push = pending(build_message.push("tasks", "1", [1], None))
    assert (push.action, push.data, push.deleted) == ("update", [1], ())
    assert pending(build_message.push_delete("tasks", "1", None)).action == "delete"


async def test_a_rejected_write_says_why_and_what_may_be_done() -> None:
    made = Decisions()
    kept = StoredRejection("r", PATCH, ErrorCode.INVALID_DATA, "too short", b"{}", AT.timestamp())
    rejected = RejectedWrite.of(kept, made)
    assert (rejected.error.code, str(rejected.error)) == (ErrorCode.INVALID_DATA, "too short")
    assert (rejected.data, rejected.deleted, rejected.since) == ({"a": 1}, ("b",), AT)
    await rejected.retry()
    rejected.discard()
    assert made.made == [("retry", "r"), ("discard", "r")]
