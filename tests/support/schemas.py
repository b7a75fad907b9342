"""Schemas that tests write as texts, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rhtmx_codegen.buf import compile_sources
from rhtmx_codegen.model import Schema
from rhtmx_codegen.read import read_schema
from rhtmx_codegen.sources import OWN, Sources

HEAD = """\
syntax = "proto3";
package app.v1;
import "buf/validate/validate.proto";
import "google/protobuf/timestamp.proto";
import "rhtmx/v1/schema.proto";
"""
"""What a schema begins with. All of it is imported, whether it is used or not."""


def descriptors(texts: Mapping[str, str]) -> bytes:
    """The descriptor set of files that are texts, by their names; all of them are compiled."""
    own = {path.relative_to(OWN).as_posix(): path.read_bytes() for path in OWN.rglob("*.proto")}
    given = {name: text.encode() for name, text in texts.items()}
    return compile_sources(Sources(tuple(texts), {**own, **given}, {}))


def schema_of(text: str, head: str = HEAD) -> Schema:
    """The schema that a text is, behind the usual lines."""
    return read_schema(descriptors({"app.proto": f"{head}{text}"}), ["app.proto"])


def write(folder: Path, name: str, text: str) -> Path:
    """A file of a schema, on the disk."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
