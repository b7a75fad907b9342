"""What has become of a record: its commits, who wrote it, and how a commit is taken back.

Knows what is asked for it, and what the answers mean. Must not know how they are asked, nor
what a write that takes a commit back looks like.
"""

from __future__ import annotations

from datetime import datetime

from rhtmx import messages
from rhtmx.api.pending_call import written
from rhtmx.core.undo import undoing
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import BlameResult, ChangeAction, HistoryResult
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.history import FieldAuthor, History, HistoryCommit
from rhtmx.values.results import FieldPushResult, PushResult, TransactionResult
from rhtmx.wire.check_outgoing import checked

__all__ = ["as_of", "blame", "history", "undo"]


async def history(
    runtime: ClientRuntime,
    entity: str,
    entity_id: str,
    before: int | None,
    until: datetime | None,
    limit: int | None,
) -> History:
    """The commits of a record; see `Collection.history`."""
    asked = messages.History(entity, entity_id, before, until, limit)
    return History.of(await _commits(runtime, asked))


async def as_of(
    runtime: ClientRuntime, entity: str, entity_id: str, time: datetime
) -> HistoryCommit | None:
    """A record as it was; see `Collection.as_of`."""
    told = await _commits(runtime, messages.History(entity, entity_id, until=time, limit=1))
    if not told.commits:
        if told.complete:
            return None
        words = f"what '{entity}/{entity_id}' was at {time.isoformat()} is not kept any more"
        raise RhtmxError(ErrorCode.NOT_FOUND, words)
    change = told.commits[0].change
    if change is not None and change.action is ChangeAction.DELETE:
        return None
    return HistoryCommit.of(told.commits[0])


async def blame(runtime: ClientRuntime, entity: str, entity_id: str) -> dict[str, FieldAuthor]:
    """Who wrote which field of a record; see `Collection.blame`."""
    answer = await runtime.ask(checked(messages.Blame(entity, entity_id)))
    assert isinstance(answer.message, BlameResult)
    return {each.field: FieldAuthor.of(each) for each in answer.message.fields}


async def undo(
    runtime: ClientRuntime, entity: str, entity_id: str, version: int
) -> PushResult | FieldPushResult:
    """Take a commit back; see `Collection.undo`."""
    asked = messages.History(entity, entity_id, before=version + 1, limit=2)
    told = await _commits(runtime, asked)
    now = runtime.now()
    write = undoing(entity, entity_id, version, told, now)
    result = written(write, await runtime.write(write, now).answer)
    assert not isinstance(result, TransactionResult)
    return result


async def _commits(runtime: ClientRuntime, asked: messages.History) -> HistoryResult:
    answer = await runtime.ask(checked(asked))
    assert isinstance(answer.message, HistoryResult)
    return answer.message
