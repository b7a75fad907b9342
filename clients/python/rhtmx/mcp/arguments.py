"""What an assistant asks for: the arguments of a tool, read and checked. Pure.

Knows which arguments belong to which action. Whether the values of fields keep the rules is the
server's to say: here only names are looked at, which a server would store as they are.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp.document import DeclaredMessage
from rhtmx.mcp.tools import MOST_LISTED, OPERATIONS, USUALLY_LISTED, ToolDescription
from rhtmx.values.field_operations import Add, FieldOperation, Increment, Remove
from rhtmx.values.json_value import Json

__all__ = [
    "NEEDS",
    "TAKES",
    "CreateRecord",
    "DeleteRecord",
    "EditRecord",
    "FillIn",
    "GetRecord",
    "ListRecords",
    "PastOfRecord",
    "ToolRequest",
    "request_of",
]


@dataclass(frozen=True, slots=True)
class ListRecords:
    """The records with some values.

    Attributes:
        where: the values, by field.
        limit: at most so many.
        after: only records behind this id; empty: from the beginning.
    """

    where: Mapping[str, Json]
    limit: int
    after: str


@dataclass(frozen=True, slots=True)
class GetRecord:
    """One record."""

    id: str


@dataclass(frozen=True, slots=True)
class CreateRecord:
    """A new record.

    Attributes:
        id: of it; `None`: a new one.
        data: all of it.
    """

    id: str | None
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class EditRecord:
    """Some fields of a record.

    Attributes:
        id: the record.
        values: new values, and operations.
        removed: the fields that go.
        version: what was read of the record; `None`: nothing is said of it.
    """

    id: str
    values: Mapping[str, Json | FieldOperation]
    removed: tuple[str, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """No such record any more; `version` as for `EditRecord`."""

    id: str
    version: int | None


@dataclass(frozen=True, slots=True)
class PastOfRecord:
    """The commits of a record.

    Attributes:
        id: the record.
        limit: at most so many.
        before: only those before this version; `None`: from the newest.
    """

    id: str
    limit: int
    before: int | None


@dataclass(frozen=True, slots=True)
class FillIn:
    """Values of a form, as the texts that somebody would enter."""

    values: Mapping[str, list[str]]


ToolRequest: TypeAlias = (
    ListRecords | GetRecord | CreateRecord | EditRecord | DeleteRecord | PastOfRecord | FillIn
)
"""What a tool is called for."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "list": (),
    "get": ("id",),
    "create": ("record",),
    "edit": ("id",),
    "delete": ("id",),
    "history": ("id",),
}
"""Action → the arguments that it has to have."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "list": ("where", "limit", "after"),
    "get": (),
    "create": ("id",),
    "edit": ("changes", *OPERATIONS, "version"),
    "delete": ("version",),
    "history": ("limit", "before"),
}
"""Action → the arguments that it may have, too."""


def request_of(tool: ToolDescription, given: Mapping[str, Json]) -> ToolRequest:
    """Read the arguments of a call.

    Args:
        tool: the one that is called.
        given: its arguments.

    Raises:
        RhtmxError: `BAD_MESSAGE`, they are not what the tool takes.
    """
    if tool.form:
        return _filled_in(tool, given)
    said = {name: value for name, value in given.items() if value is not None}
    known = tool.input_schema["properties"]
    for name in said:
        if name not in known:
            raise _wrong(f"no argument {name!r}{_close(name, known)}")
    action = said.pop("action", None)
    offered = known["action"]["enum"]
    if not isinstance(action, str) or action not in offered:
        shown = "" if action is None else f", got {json.dumps(action)[:40]}"
        raise _wrong(f"action: one of {', '.join(offered)} expected{shown}")
    _check_names(action, said)
    return _READERS[action](_Arguments(tool, said))


def _check_names(action: str, said: Collection[str]) -> None:
    needed, taken = NEEDS[action], TAKES[action]
    for name in said:
        if name not in needed and name not in taken:
            every = ", ".join((*needed, *taken)) or "nothing else"
            raise _wrong(f"{action} takes no {name!r}: it takes {every}")
    for name in needed:
        if name not in said:
            raise _wrong(f"{action}: {name!r} is missing")


class _Arguments:
    """The arguments of a call, each read as what it has to be.

    Args:
        tool: the one that is called.
        said: what it was called with.
    """

    def __init__(self, tool: ToolDescription, said: Mapping[str, Json]) -> None:
        self.declared = tool.declared
        self._tool = tool
        self._said = said

    def __contains__(self, name: str) -> bool:
        return name in self._said

    def offers(self, name: str) -> bool:
        """Whether the tool takes such an argument."""
        return name in self._tool.input_schema["properties"]

    @property
    def id(self) -> str:
        """The record."""
        found = self.text("id")
        return found if found else _refuse("id: a text that is not empty expected")

    def text(self, name: str) -> str:
        """A text; empty if it was left out."""
        value = self._said.get(name, "")
        return value if isinstance(value, str) else _refuse(f"{name}: a text expected")

    def whole(self, name: str, most: int | None = None) -> int | None:
        """A whole number from 1 on."""
        value = self._said.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            _refuse(f"{name}: a whole number from 1 on expected")
        return value if most is None else min(value, most)

    def fields(self, name: str) -> dict[str, Json]:
        """Values by field."""
        value = self._said.get(name, {})
        if not isinstance(value, Mapping):
            _refuse(f"{name}: an object expected, with values by field")
        keys = self._tool.keys(name)
        for key in value:
            if key not in keys:
                raise _wrong(f"{name}: {_no_field(self.declared, name, key, keys)}")
        return dict(value)


def _no_field(declared: DeclaredMessage, argument: str, key: str, keys: Collection[str]) -> str:
    field = declared.fields.get(key)
    if field is None:
        return f"'{declared.name}' has no field {key!r}{_close(key, keys)}"
    if argument in ("record", "changes") and field.read_only:
        return f"{key!r} is written by the server only: leave it out"
    if argument == "changes" and field.immutable:
        return f"{key!r} is written when the record is created, and never again: leave it out"
    return f"{key!r} cannot be used here, only {', '.join(keys)}"


def _list(given: _Arguments) -> ToolRequest:
    where = given.fields("where") if "where" in given else {}
    for key, value in where.items():
        if isinstance(value, dict | list):
            raise _wrong(f"where: {key!r}: a single value expected")
    limit = given.whole("limit", MOST_LISTED) or USUALLY_LISTED
    return ListRecords(where, limit, given.text("after"))


def _get(given: _Arguments) -> ToolRequest:
    return GetRecord(given.id)


def _create(given: _Arguments) -> ToolRequest:
    fields = given.fields("record")
    data = {key: value for key, value in fields.items() if value is not None}
    return CreateRecord(given.id if "id" in given else None, data)


def _edit(given: _Arguments) -> ToolRequest:
    values: dict[str, Json | FieldOperation] = {}
    removed: dict[str, None] = {}
    for key, value in given.fields("changes").items() if "changes" in given else ():
        if value is None:
            removed[key] = None
        else:
            values[key] = value
            removed |= dict.fromkeys(_others_of(given.declared, key))
    for name in OPERATIONS:
        for key, operand in given.fields(name).items() if name in given else ():
            if key in values or key in removed:
                raise _wrong(f"{name}: {key!r} is there twice: write its value, or {name} it")
            values[key] = _operation(name, key, operand)
    gone = tuple(key for key in removed if key not in values)
    if not values and not gone:
        takes = ", ".join(each for each in ("changes", *OPERATIONS) if given.offers(each))
        raise _wrong(f"edit: what is to be written is missing: give {takes}")
    return EditRecord(given.id, values, gone, given.whole("version"))


def _others_of(declared: DeclaredMessage, key: str) -> list[str]:
    """The other fields of its oneof: what sets one takes them away."""
    oneof = declared.fields[key].oneof
    return [
        each.key
        for each in declared.fields.values()
        if oneof and each.oneof == oneof and each.key != key
    ]


def _operation(name: str, key: str, operand: Json) -> FieldOperation:
    if name == "increment":
        if isinstance(operand, float) and operand.is_integer():
            operand = int(operand)
        if isinstance(operand, bool) or not isinstance(operand, int | str):
            raise _wrong(f"increment: {key!r}: a whole number, or a decimal one as text, expected")
        return Increment(operand)
    if not isinstance(operand, list) or not operand:
        raise _wrong(f"{name}: {key!r}: a list of elements expected")
    return Add(*operand) if name == "add" else Remove(*operand)


def _delete(given: _Arguments) -> ToolRequest:
    return DeleteRecord(given.id, given.whole("version"))


def _past(given: _Arguments) -> ToolRequest:
    limit = given.whole("limit", MOST_LISTED) or USUALLY_LISTED
    return PastOfRecord(given.id, limit, given.whole("before"))


_READERS: Mapping[str, Callable[[_Arguments], ToolRequest]] = {
    "list": _list,
    "get": _get,
    "create": _create,
    "edit": _edit,
    "delete": _delete,
    "history": _past,
}


def _filled_in(tool: ToolDescription, given: Mapping[str, Json]) -> FillIn:
    keys = tool.declared.fields
    values: dict[str, list[str]] = {}
    for key, value in given.items():
        if key not in keys:
            raise _wrong(f"the form '{tool.declared.name}' has no field {key!r}{_close(key, keys)}")
        entries = value if isinstance(value, list) else [value]
        if texts := [_entry(key, each) for each in entries if each is not None]:
            values[key] = texts
    return FillIn(values)


def _entry(key: str, value: Json) -> str:
    """A value as somebody enters it: a form is made of texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise _wrong(f"{key!r}: a single value expected, or a list of those")
    return json.dumps(value)


def _close(name: str, known: Collection[str]) -> str:
    found = difflib.get_close_matches(name, known, 1)
    return f": did you mean {found[0]!r}?" if found else f": there is {', '.join(known) or 'none'}"


def _wrong(words: str) -> RhtmxError:
    return RhtmxError(ErrorCode.BAD_MESSAGE, words)


def _refuse(words: str) -> NoReturn:
    raise _wrong(words)
