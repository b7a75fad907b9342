"""Three versions of one schema, and what becomes of a write of one on a server of another.

Knows what the versions have changed, said a second time and in other words than the product's:
it is what the campaign `schema_versions` compares with. Must not know servers and clients.

=====  =============================================================================
new    what has changed
=====  =============================================================================
v2     `title` has the key `headline`, `degrees` the key `celsius`; `place` is called
       `location` and keeps its key; `owner`, `humidity` and the word `on_fire` are
       new; `note` is gone
v3     `headline` has the key `name`, and at most 12 characters; `minutes` is a
       Duration instead of a number; `station` is gone
=====  =============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from rhtmx.values.field_operations import FieldOperation, Increment
from rhtmx_codegen.emit import emit_typescript
from tests.support.generated import versions_of
from tests.support.schemas import schema_of

__all__ = [
    "KEYS",
    "ROOM",
    "Record",
    "Write",
    "first_in_typescript",
    "outcome",
    "packages",
    "rewritten",
    "value_of",
]

Record: TypeAlias = dict[str, Any]
"""A record in JSON."""

ROOM = 12
"""Characters that a name may have from version 3 on."""

_IMPORTS = 'import "google/protobuf/duration.proto";'

_HEAD = """
option (rhtmx.v1.schema) = {version: %d};
enum Priority {
  PRIORITY_UNSPECIFIED = 0;
  PRIORITY_LOW = 1;
  PRIORITY_HIGH = 2;
  %s
}
"""

_V1 = (
    _HEAD % (1, "")
    + """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  string title = 1;
  string place = 2;
  Priority priority = 3;
  int64 minutes = 4;
  string note = 5;
  int64 votes = 6 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64.gte = 0];
  repeated string labels = 7 [(rhtmx.v1.field).merge = MERGE_SET];
}
message Reading {
  option (rhtmx.v1.entity) = {name: "readings" whole: true};
  double degrees = 1;
  string station = 2;
  Priority priority = 3;
}
"""
)

_V2 = (
    _HEAD % (2, "PRIORITY_ON_FIRE = 3;")
    + """
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  reserved 5;
  reserved "note";
  string headline = 1;
  string location = 2 [json_name = "place"];
  Priority priority = 3;
  int64 minutes = 4;
  int64 votes = 6 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64.gte = 0];
  repeated string labels = 7 [(rhtmx.v1.field).merge = MERGE_SET];
  string owner = 8;
}
message Reading {
  option (rhtmx.v1.entity) = {name: "readings" whole: true};
  double celsius = 1;
  string station = 2;
  Priority priority = 3;
  double humidity = 4;
}
"""
)

_V3 = (
    _V2.replace("version: 2", "version: 3")
    .replace(
        "string headline = 1;", f"string name = 1 [(buf.validate.field).string.max_len = {ROOM}];"
    )
    .replace("int64 minutes = 4;", "google.protobuf.Duration minutes = 4;")
    .replace("string station = 2;", 'reserved 2;\n  reserved "station";')
)


def first_in_typescript(folder: Path) -> None:
    """Write the generated TypeScript of version 1.

    Args:
        folder: where to.
    """
    folder.mkdir()
    for name, text in emit_typescript(schema_of(_IMPORTS + _V1)).items():
        (folder / name).write_text(text.replace('.js";', '.ts";'), encoding="utf-8")


@cache
def packages() -> Mapping[int, ModuleType]:
    """The generated package of each version."""
    found = versions_of(*(_IMPORTS + each for each in (_V1, _V2, _V3)))
    return dict(enumerate(found, 1))


KEYS: Mapping[str, tuple[str, str, str]] = {
    "name": ("title", "headline", "name"),
    "place": ("place", "place", "place"),
    "priority": ("priority", "priority", "priority"),
    "minutes": ("minutes", "minutes", "minutes"),
    "note": ("note", "note", "note"),
    "votes": ("votes", "votes", "votes"),
    "labels": ("labels", "labels", "labels"),
    "owner": ("owner", "owner", "owner"),
    "degrees": ("degrees", "celsius", "celsius"),
    "station": ("station", "station", "station"),
    "humidity": ("humidity", "humidity", "humidity"),
}
"""The key of each field in each version."""


@dataclass(slots=True)
class Write:
    """A write that somebody has made.

    Attributes:
        version: the one under which it was made.
        entity: the collection.
        entity_id: the record.
        fields: what it says of fields, by their names here: values, and operations.
        whole: the whole record in JSON, where it writes that.
        deletes: it deletes the record.
        also: the other writes of the transaction that it begins.
    """

    version: int
    entity: str
    entity_id: str
    fields: Record = field(default_factory=dict)
    whole: Record | None = None
    deletes: bool = False
    also: tuple[Write, ...] = ()


def value_of(name: str, value: Any, version: int) -> Any:
    """A value as a version has it in JSON."""
    return f"{value * 60}s" if name == "minutes" and version >= 3 else value


def outcome(write: Write, server: int, oldest: int, records: Mapping[str, Record]) -> str | Record:
    """What comes of a write on a server.

    Args:
        write: a single one.
        server: the version of the server.
        oldest: the oldest that it takes.
        records: what there is, by entity and id with a slash between them.

    Returns:
        The word of the refusal, or the record after it.
    """
    if write.version < oldest:
        return "upgrade_required"
    before = records.get(f"{write.entity}/{write.entity_id}", {})
    now = max(write.version, server)
    if write.whole is not None:
        after = _carried(write.whole, write.version, now)
    else:
        if write.version < 3 <= server and isinstance(write.fields.get("minutes"), Increment):
            return "upgrade_required"
        after = dict(before)
        for name, value in write.fields.items():
            _set(after, KEYS[name][now - 1], value_of(name, value, now), value)
    return "invalid" if _breaks(after, before, write, server) else after


def _set(record: Record, key: str, value: Any, said: Any) -> None:
    if isinstance(said, Increment):
        record[key] = record.get(key, 0) + said.by
    elif isinstance(said, FieldOperation):
        record[key] = sorted({*record.get(key, []), *said.operand})
    else:
        record[key] = value


def _carried(whole: Record, version: int, now: int) -> Record:
    """A whole record of one version as one of another."""
    after = dict(whole)
    for name, keys in KEYS.items():
        old, new = keys[version - 1], keys[now - 1]
        if old in after and old != new:
            value = after.pop(old)
            # What was read and not known is only replaced by what somebody has entered.
            after[new] = value if value or new not in after else after[new]
        if name == "minutes" and version < 3 <= now and isinstance(after.get(new), int):
            after[new] = value_of(name, after[new], now)
    return after


def _breaks(after: Record, before: Record, write: Write, server: int) -> bool:
    """Whether the server's rules refuse what was written."""
    minutes = after.get("minutes")
    changed = {key for key, value in after.items() if before.get(key) != value}
    if server < 3:  # there it is a number
        return "minutes" in changed and isinstance(minutes, str)
    return "name" in changed and len(after["name"]) > ROOM


def rewritten(held: Record, version: int, changes: Record) -> Record:
    """A record that an old client has read whole, changed, and written whole.

    Args:
        held: what it has read.
        version: of the client.
        changes: what its user has entered, by the names of fields here.
    """
    zeros = {"degrees": 0.0, "priority": "unspecified"}
    zeros |= {"station": ""} if version < 3 else {}
    zeros |= {"humidity": 0.0} if version > 1 else {}
    known = {KEYS[name][version - 1]: zero for name, zero in zeros.items()}
    said = {KEYS[name][version - 1]: value for name, value in changes.items()}
    return {**known, **held, **said}
