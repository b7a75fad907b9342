"""Does what an assistant calls a tool for.

Knows the client's calls, and what becomes of a write whose answer does not come in time. Must not
know what arguments look like, nor how an answer is shown.

A write is sent once, and the client sends it again by itself after a lost connection: its number
makes that take effect once. So a write without an answer must not be repeated: it is told what
became of it with the next call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from random import random
from typing import Any, TypeVar

from rhtmx.api.client import Client
from rhtmx.api.collection import Collection as ClientCollection
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp.answers import ToolAnswer, ToolAnswers, failed, judged, with_earlier
from rhtmx.mcp.application import RunningApplication
from rhtmx.mcp.arguments import (
    CreateRecord,
    DeleteRecord,
    EditRecord,
    FillIn,
    GetRecord,
    ListRecords,
    PastOfRecord,
    request_of,
)
from rhtmx.mcp.document import DeclaredMessage, SchemaDocument
from rhtmx.mcp.listing import KnownRecord, KnownRecords, page_of, part_in
from rhtmx.mcp.tools import ToolDescription, tools_of
from rhtmx.values.json_value import Json
from rhtmx.values.results import FieldPushResult, PushResult
from rhtmx.values.uuid7 import uuid7

__all__ = ["ToolCaller"]

T = TypeVar("T")


class ToolCaller:
    """The tools of an application, and what they do.

    Args:
        application: it.
        only: the names of entities and forms that are offered; none: all.
        read_only: nothing is written.
    """

    def __init__(
        self, application: RunningApplication, *, only: Collection[str] = (), read_only: bool
    ) -> None:
        self.application = application
        self._only = only
        self._read_only = read_only
        self._made: tuple[SchemaDocument, dict[str, ToolDescription]] | None = None
        self._known: dict[str, KnownRecords] = {}
        self._reading: dict[str, asyncio.Lock] = {}
        self._unanswered: dict[asyncio.Task[Any], str] = {}

    @property
    def tools(self) -> Mapping[str, ToolDescription]:
        """The tools by their names, as the schema is now."""
        document = self.application.document
        if self._made is None or self._made[0] is not document:
            made = tools_of(document, only=self._only, read_only=self._read_only)
            self._made = document, made
        return self._made[1]

    async def call(self, name: str, arguments: Mapping[str, Json]) -> ToolAnswer:
        """Call a tool.

        Args:
            name: of it.
            arguments: as the assistant gave them.
        """
        tool = self.tools.get(name)
        try:
            client = await self.application.ready()
            tool = self.tools.get(name)  # the schema may be another one now
            if tool is None:
                raise RhtmxError(
                    ErrorCode.NOT_SUPPORTED,
                    f"there is no tool {name!r}: list the tools again, the application may have "
                    "another schema now",
                )
            request = request_of(tool, arguments)
            answer = await _DOES[type(request)](self, client, tool.declared, request)
        except RhtmxError as error:
            declared = None if tool is None else tool.declared
            answer = failed(error, declared, str(arguments.get("action", "")))
        return with_earlier(answer, self._answered())

    async def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._unanswered:
            task.cancel()
        await asyncio.gather(*self._unanswered, return_exceptions=True)

    # Reading

    async def list_records(
        self, client: Client, entity: DeclaredMessage, request: ListRecords
    ) -> ToolAnswer:
        """Read a page of records."""
        part = part_in(entity, request.where)
        # One after the other: a client reads an entity, or a part of it, in one go.
        async with self._reading.setdefault(entity.name, asyncio.Lock()):
            known = self._known_of(entity) if part is None else KnownRecords()
            read = client.sync(entity.name, known.position, where=part)
            known.take(await self._answer(f"'{entity.name}'", read))
            records = known.all()
        page = page_of(records, entity, request.where, limit=request.limit, after=request.after)
        return self._answers(entity).page(page)

    def _known_of(self, entity: DeclaredMessage) -> KnownRecords:
        return self._known.setdefault(entity.name, KnownRecords())

    async def get_record(
        self, client: Client, entity: DeclaredMessage, request: GetRecord
    ) -> ToolAnswer:
        """Read a record."""
        record = await self._there(client, entity, request.id)
        return self._answers(entity).record(record)

    async def past(
        self, client: Client, entity: DeclaredMessage, request: PastOfRecord
    ) -> ToolAnswer:
        """Read what became of a record."""
        asked = client.collection(entity.name).history(
            request.id, before=request.before, limit=request.limit
        )
        found = await self._answer(f"'{entity.name}/{request.id}'", asked)
        return self._answers(entity).history(found)

    async def _there(self, client: Client, entity: DeclaredMessage, entity_id: str) -> KnownRecord:
        """A record as it is now: its newest commit is always kept."""
        asked = client.collection(entity.name).history(entity_id, limit=1)
        what = f"{entity.name}/{entity_id}"
        newest = next(iter(await self._answer(what, asked)), None)
        if newest is None or newest.action == "delete":
            raise RhtmxError(ErrorCode.NOT_FOUND, f"there is no record {what}")
        return KnownRecord(entity_id, newest.version, newest.data)

    async def _answer(self, what: str, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.application.timeout):
                return await asked
        except TimeoutError:
            raise RhtmxError(
                ErrorCode.TIMEOUT,
                f"{what}: no answer from '{self.application.shown}' within "
                f"{self.application.timeout:g} s; nothing was written",
            ) from None

    # Writing

    async def create(
        self, client: Client, entity: DeclaredMessage, request: CreateRecord
    ) -> ToolAnswer:
        """Write a new record."""
        entity_id = request.id or uuid7(datetime.now(UTC), random)
        writing = self._collection(client, entity).set(entity_id, request.data, base_version=0)
        return await self._written(entity, entity_id, "create", writing)

    async def edit(
        self, client: Client, entity: DeclaredMessage, request: EditRecord
    ) -> ToolAnswer:
        """Write some fields of a record that is there."""
        record = await self._there(client, entity, request.id)
        _check_version(entity, record, request.version)
        collection = self._collection(client, entity)
        if entity.whole:
            data = record.data if isinstance(record.data, dict) else {}
            after = {**data, **request.values}
            for key in request.removed:
                after.pop(key, None)
            base = request.version or record.version
            writing: Any = collection.set(request.id, after, base_version=base)
        else:
            writing = collection.patch(
                request.id,
                request.values,
                delete=request.removed,
                base_version=request.version,
                if_unchanged=request.version is not None,
            )
        return await self._written(entity, request.id, "edit", writing)

    async def delete(
        self, client: Client, entity: DeclaredMessage, request: DeleteRecord
    ) -> ToolAnswer:
        """Delete a record that is there."""
        record = await self._there(client, entity, request.id)
        _check_version(entity, record, request.version)
        collection = self._collection(client, entity)
        writing = collection.delete(request.id, base_version=request.version)
        return await self._written(entity, request.id, "delete", writing)

    def _collection(self, client: Client, entity: DeclaredMessage) -> ClientCollection[Json]:
        collection: ClientCollection[Json] = client.collection(entity.name)
        # So that a server with another schema knows what is meant, or refuses it.
        collection.schema_version = self.application.document.version
        return collection

    async def _written(
        self,
        entity: DeclaredMessage,
        entity_id: str,
        action: str,
        writing: Awaitable[PushResult | FieldPushResult],
    ) -> ToolAnswer:
        """Wait until a write is durable."""
        what = f"{action} of '{entity.name}/{entity_id}'"
        task = asyncio.ensure_future(writing)
        try:
            await asyncio.wait({task}, timeout=self.application.timeout)
        finally:
            if not task.done():  # also if the assistant waits no longer
                self._unanswered[task] = what
        if not task.done():
            raise RhtmxError(
                ErrorCode.TIMEOUT,
                f"{what}: no answer from '{self.application.shown}' within "
                f"{self.application.timeout:g} s. It is on its way, and is written once, as soon "
                "as the server answers. Do not repeat it: what became of it is said with a later "
                "call",
                retryable=False,
            )
        return self._answers(entity).written(task.result())

    def _answered(self) -> list[str]:
        """What became of the writes that had not been answered in time."""
        done = [task for task in self._unanswered if task.done()]
        return [f"{self._unanswered.pop(task)}: {_outcome(task)}" for task in done]

    # Forms

    async def fill_in(self, client: Client, form: DeclaredMessage, request: FillIn) -> ToolAnswer:
        """Ask whether a form is valid."""
        asked = client.validate_form(form.name, request.values)
        return judged(await self._answer(f"the form '{form.name}'", asked))

    def _answers(self, entity: DeclaredMessage) -> ToolAnswers:
        return ToolAnswers(entity, self.application.document)


def _check_version(entity: DeclaredMessage, record: KnownRecord, version: int | None) -> None:
    """Refuse a version that nobody can have read: behind it, nothing would be written over."""
    if version is not None and version > record.version:
        raise RhtmxError(
            ErrorCode.CONFLICT,
            f"{entity.name}/{record.id} is in version {record.version}, version {version} was "
            "expected; nothing was written",
        )


def _outcome(task: asyncio.Task[Any]) -> str:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        return f"not written, or nobody knows: {error}"
    return f"written, version {task.result().version}"


_DOES: Mapping[type[Any], Callable[..., Awaitable[ToolAnswer]]] = {
    ListRecords: ToolCaller.list_records,
    GetRecord: ToolCaller.get_record,
    CreateRecord: ToolCaller.create,
    EditRecord: ToolCaller.edit,
    DeleteRecord: ToolCaller.delete,
    PastOfRecord: ToolCaller.past,
    FillIn: ToolCaller.fill_in,
}
"""What is asked for → what does it."""
