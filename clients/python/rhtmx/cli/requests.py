"""What can be asked of the tool, as plain values.

Holds what the options say, read and checked. Must not know how they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from rhtmx.core.address import shown
from rhtmx.core.where import WhereValues
from rhtmx.messages import Position
from rhtmx.values.form_value import FormValue
from rhtmx.values.json_value import Json

__all__ = [
    "Blame",
    "Check",
    "CliRequest",
    "Conflicts",
    "Invocation",
    "Log",
    "Mcp",
    "Push",
    "PushMany",
    "Resolve",
    "Server",
    "Sync",
    "Tail",
    "Undo",
    "Validate",
]


@dataclass(frozen=True, slots=True)
class Server:
    """Which server, and how to speak to it.

    Attributes:
        url: `ws://…` or `wss://…`.
        token: bearer token, if one was given.
        token_file: file that holds it; read again for each connection.
        format: how messages are written.
        timeout: seconds to wait for the connection, and for each answer.
        ca: file with whom to trust.
        cert: file with who this client is.
        key: file with the key to that, if it is not in the same.
    """

    url: str
    token: str | None
    token_file: Path | None
    format: Literal["json", "proto"]
    timeout: float
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def shown(self) -> str:
        """The URL as it may be printed: a password or a token in it may not."""
        return shown(self.url)


@dataclass(frozen=True, slots=True)
class Tail:
    """Follow changes.

    Attributes:
        entities: the collections.
        since: where to start; `None` with the next change.
        fields: field by field.
        count: end after so many; `None` never.
        where: the part of the entity; `None` for all of it.
    """

    entities: tuple[str, ...]
    since: Position | int | None
    fields: bool
    count: int | None
    where: WhereValues | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Write one record.

    Attributes:
        entity: the collection.
        entity_id: the record.
        data: the record, or the fields to merge into it: values, and operations.
        fields: merge.
        remove: fields to remove.
        delete: delete it.
        base_version: the version that this is based on.
    """

    entity: str
    entity_id: str
    data: Json
    fields: bool = False
    remove: tuple[str, ...] = ()
    delete: bool = False
    base_version: int | None = None


@dataclass(frozen=True, slots=True)
class PushMany:
    """Write the records that the lines of a file say.

    Attributes:
        entity: the collection.
        source: the file; `-` is standard input.
        fields: merge.
    """

    entity: str
    source: str
    fields: bool


@dataclass(frozen=True, slots=True)
class Sync:
    """Read everything after a position, once.

    Attributes:
        entity: the collection.
        since: the position.
        fields: field by field.
        where: the part of the entity; `None` for all of it.
    """

    entity: str
    since: Position | int
    fields: bool
    where: WhereValues | None = None


@dataclass(frozen=True, slots=True)
class Validate:
    """Ask whether a form is valid.

    Attributes:
        form: its name.
        values: what was entered, by field.
        field: the one field to ask for; `None` for the whole form.
    """

    form: str
    values: Mapping[str, FormValue]
    field: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """Read the commits of a record, the newest first.

    Attributes:
        entity: the collection.
        entity_id: the record.
        until: only those up to this time; `None` for all.
        count: end after so many; `None` for all that are kept.
    """

    entity: str
    entity_id: str
    until: datetime | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Blame:
    """Ask who wrote which field of a record.

    Attributes:
        entity: the collection.
        entity_id: the record.
    """

    entity: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Take a commit back, if nothing came after it.

    Attributes:
        entity: the collection.
        entity_id: the record.
        version: the commit.
    """

    entity: str
    entity_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Read the conflicts that nobody has answered yet.

    Attributes:
        entity: the collection.
        follow: go on, as they come and are answered.
        where: the part of the entity; `None` for all of it.
    """

    entity: str
    follow: bool = False
    where: WhereValues | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Answer a conflict.

    Attributes:
        entity: the collection.
        entity_id: the record.
        number: that of the conflict.
        side: which of both values is to stand; `None`: neither of them.
        value: else this one.
    """

    entity: str
    entity_id: str
    number: int
    side: Literal["lost", "standing"] | None
    value: Json = None


@dataclass(frozen=True, slots=True)
class Check:
    """Judge the records that are there by the rules of a schema.

    Attributes:
        schema: the generated package, as it is imported.
        entities: of these; none: of all that the schema has.
    """

    schema: str
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mcp:
    """Offer the application to an AI assistant.

    Attributes:
        only: these entities and forms; none: all of them.
        read_only: without what writes.
    """

    only: tuple[str, ...] = ()
    read_only: bool = False


CliRequest: TypeAlias = (
    Tail
    | Push
    | PushMany
    | Sync
    | Validate
    | Log
    | Blame
    | Undo
    | Conflicts
    | Resolve
    | Check
    | Mcp
)
"""One of the commands."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of the tool.

    Attributes:
        server: whom to ask.
        json: whether to print JSON lines.
        request: what to ask.
    """

    server: Server
    json: bool
    request: CliRequest
