"""The protocol and an application's channels, as one document of AsyncAPI 3.0.

Knows the document of the protocol, which comes with the server, and an application's JSON Schema.
Must not know how either is served. It is pure, but for reading the file of the first.

Each entity and each form has a channel of its own, with those messages of the protocol that name
one: there `entity` is its name, and `data` one of its records. All channels are one socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, TypeAlias

__all__ = ["asyncapi", "protocol"]

_Document: TypeAlias = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_OWN = "app."
"""Before the names of the application's definitions: the protocol has a `Change`, too."""


def protocol() -> _Document:
    """The document of the protocol."""
    text = files("rhtmx_server").joinpath("static", "asyncapi.json").read_text(encoding="utf-8")
    document: _Document = json.loads(text)
    return document


def asyncapi(document: _Document, schema: Mapping[str, Any]) -> _Document:
    """The document of the protocol with an application's channels.

    Args:
        document: of the protocol; it stays as it is.
        schema: the application's, as JSON Schema.
    """
    said, components = schema["x-rhtmx"], document["components"]
    found: dict[str, _Document] = {"channels": {}, "operations": {}, "messages": {}}
    for member in ("entity", "form"):
        for name, link in said["entities" if member == "entity" else "forms"].items():
            definition = link["$ref"].rpartition("/")[2]
            declared = schema["$defs"][definition]["x-rhtmx"][member]
            whole = bool(declared.get("whole"))
            _Channel(document, member, name, definition, whole=whole).add(found)
    own = {f"{_OWN}{name}": _moved(each) for name, each in schema["$defs"].items()}
    versions = {each: said[each] for each in ("version", "oldest", "hash")}
    return {
        **document,
        "info": {**document["info"], "x-rhtmx": {"schema": versions}},
        "channels": {**document["channels"], **found["channels"]},
        "operations": {**document["operations"], **found["operations"]},
        "components": {
            "messages": {**components["messages"], **found["messages"]},
            "schemas": {**components["schemas"], **own},
        },
    }


class _Channel:
    """The channel of an entity or a form.

    Args:
        document: of the protocol.
        member: `entity` or `form`.
        name: its name.
        definition: the name of the definition of its records, or its values.
        whole: its records are written and read as a whole only.
    """

    def __init__(
        self, document: _Document, member: str, name: str, definition: str, *, whole: bool
    ) -> None:
        self._whole = whole
        self._document = document
        self._member = member
        self._name = name
        self._definition = definition
        self._id = f"{_OWN}{definition}.{member}"

    def add(self, found: dict[str, _Document]) -> None:
        """Add it, with its messages and operations."""
        (socket,) = self._document["channels"].values()
        messages = dict(self._messages())
        found["messages"] |= {self._of(name): each for name, each in messages.items()}
        found["channels"][self._id] = {
            "address": socket["address"],
            "title": self._name,
            "description": f"The {self._member} {self._name!r}, on the socket of all of them.",
            "messages": {
                name: {"$ref": f"#/components/messages/{self._of(name)}"} for name in messages
            },
            "bindings": socket["bindings"],
            "x-rhtmx": {self._member: self._name},
        }
        for name, operation in self._document["operations"].items():
            case = operation["messages"][0]["$ref"].rpartition("/")[2]
            if case in messages:
                found["operations"][self._of(name)] = self._operation(operation, set(messages))

    def _of(self, name: str) -> str:
        return f"{self._id}.{name}"

    def _messages(self) -> Iterator[tuple[str, _Document]]:
        """The messages of the protocol that name an entity, or a form, with the name of this."""
        components = self._document["components"]
        for name, message in components["messages"].items():
            if self._whole and "field" in name:
                continue
            part = self._part(message["payload"]["$ref"])
            if part is not None:
                payload = {"allOf": [message["payload"], part]}
                yield name, {**message, "title": f"{name} of {self._name}", "payload": payload}

    def _part(self, link: str) -> _Document | None:
        """What is known of a message of the protocol, if it is one of this."""
        known = self._known(self._properties(link))
        if known is not None:
            return known
        for key, each in self._properties(link).items():
            inner = _link(each)
            known = None if inner is None else self._known(self._properties(inner))
            if known is not None:
                return {"properties": {key: known}}
        return None

    def _properties(self, link: str) -> _Document:
        schemas = self._document["components"]["schemas"]
        found: _Document = schemas[link.removeprefix(_SCHEMAS)]["properties"]
        return found

    def _known(self, properties: _Document) -> _Document | None:
        if self._member not in properties:
            return None
        known: _Document = {self._member: {"const": self._name}}
        if self._member == "entity" and "data" in properties:
            record = {"$ref": f"{_SCHEMAS}{_OWN}{self._definition}"}
            known["data"] = {"anyOf": [record, {"type": "null"}]}
        return {"properties": known}

    def _operation(self, operation: _Document, names: set[str]) -> _Document:
        """An operation of the protocol, on this channel."""
        channel = {"$ref": f"#/channels/{self._id}"}
        found = {**operation, "channel": channel, "messages": self._here(operation["messages"])}
        reply = operation.get("reply")
        if reply is not None:
            answers = [each["$ref"].rpartition("/")[2] for each in reply["messages"]]
            if names.issuperset(answers):  # others do not say what they are about
                found["reply"] = {"channel": channel, "messages": self._here(reply["messages"])}
        return found

    def _here(self, messages: list[_Document]) -> list[_Document]:
        names = [each["$ref"].rpartition("/")[2] for each in messages]
        return [{"$ref": f"#/channels/{self._id}/messages/{name}"} for name in names]


def _link(schema: _Document) -> str | None:
    """The definition that a property is one of, and not a list of."""
    for each in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in each:
            return str(each["$ref"])
        for inner in each.get("anyOf", ()):
            if "$ref" in inner:
                return str(inner["$ref"])
    return None


def _moved(schema: Any) -> Any:
    """A definition whose links lead to where definitions are in this document."""
    if isinstance(schema, dict):
        found = {key: _moved(value) for key, value in schema.items()}
        link = found.get("$ref")
        if isinstance(link, str):
            found["$ref"] = link.replace("#/$defs/", f"{_SCHEMAS}{_OWN}", 1)
        return found
    return [_moved(each) for each in schema] if isinstance(schema, list) else schema
