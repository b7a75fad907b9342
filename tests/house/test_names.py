"""The law of names: one word, one thing."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.house.source import SOURCES, WRITTEN, Source, within

OURS = ("rhtmx_server", "codegen")
"""Whose classes are looked at: against one another's, the client's and the messages."""

APART = ("rhtmx_codegen",)
"""A compiler speaks of protobuf, of a grammar and of code, in words that nobody else reads.

It and `codegen` do not know one another.
"""

COUNTERPARTS = {
    "Access": "what a schema says of it, and what the server keeps to",
    "Answer": "what a request is answered with, on both sides",
    "Check": "one rule of a value, of a schema and of a form",
    "CommandError": "each command reports its own in the same way",
    "Connection": "the two ends of one connection",
    "Cursor": "a reader's place in a log, kept on both sides",
    "Entity": "what a schema says of it, and what the server keeps to",
    "Enum": "what generated code names, and the compiler of the protocol reads",
    "Field": "what generated code names, and the compiler of the protocol reads",
    "Form": "what a schema says of it, and what the server keeps to",
    "Granularity": "the same two, on both sides",
    "Invalid": "what a check says of a value, and what its author is told",
    "Kind": "what generated code names, and the compiler of the protocol reads",
    "MemoryStore": "each side's store without a file",
    "Message": "what generated code names, and the compiler of the protocol reads",
    "Mutation": "a write that one side sends and the other decides",
    "Record": "the same record, on both sides",
    "Schema": "what generated code names, and the compiler of the protocol reads",
    "Session": "the two ends of one conversation",
    "SqliteStore": "each side's store in a file",
    "Store": "where each side keeps what it has",
}
"""What has one name on both sides because it is one thing, seen from either."""


def classes(source: Source) -> list[str]:
    """The public classes of a module, and the types that it gives a name."""
    found = []
    for node in source.tree.body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                found.append(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                found.append(name)
    return found


def test_a_name_means_one_thing() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for source in WRITTEN:
        if any(within(source.module, room) for room in APART):
            continue
        for name in classes(source):
            places[name].append(source.module)
    several = {
        name: modules
        for name, modules in places.items()
        if len(modules) > 1 and any(within(each, ours) for each in modules for ours in OURS)
    }
    assert {name: where for name, where in several.items() if name not in COUNTERPARTS} == {}


def test_no_class_of_the_server_is_called_as_a_message_is() -> None:
    messages = {
        name
        for source in SOURCES
        if within(source.module, "rhtmx.messages.rhtmx")
        for name in classes(source)
    }
    assert "Push" in messages
    own = {name for source in WRITTEN if within(source.module, OURS[0]) for name in classes(source)}
    assert own & messages == set()
