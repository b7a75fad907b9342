"""The document: a definition for each message of a schema.

Knows how it is laid out. Must not know what a definition says.
"""

from __future__ import annotations

from typing import Any

from rhtmx_codegen.emit_names import Names
from rhtmx_codegen.entities import entity_name, form_name
from rhtmx_codegen.json_schema.fields import Describer
from rhtmx_codegen.json_schema.messages import message_schema
from rhtmx_codegen.model import Schema
from rhtmx_codegen.rules import compile_schema
from rhtmx_codegen.snapshot import hash_of
from rhtmx_codegen.visible import hidden_of

__all__ = ["json_schema"]


def json_schema(schema: Schema) -> dict[str, Any]:
    """A schema as one document of JSON Schema 2020-12.

    A record of an entity, or the values of a form, is right if its definition in `$defs` takes it
    and it keeps the rules that stand under `x-rhtmx`. A definition is called as the class that is
    generated of the message. `server_only` fields are not in it.

    Args:
        schema: it; its rules can be compiled.

    Returns:
        The document, of JSON values only.
    """
    names, hidden = Names(schema), hidden_of(schema)
    describer = Describer(schema, names, hidden)
    tables = compile_schema(schema).tables
    found = {
        names.of(name): message_schema(table, describer, hidden)
        for name, table in sorted(tables.items())
        if name not in hidden.types
    }
    messages = schema.messages.values()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ", ".join(schema.files),
        "x-rhtmx": {
            "version": schema.version,
            "oldest": schema.oldest,
            "hash": hash_of(schema),
            "entities": {
                entity_name(each): _link(names, each.full_name)
                for each in messages
                if each.entity is not None
            },
            "forms": {
                form_name(each): _link(names, each.full_name)
                for each in messages
                if each.form is not None
            },
        },
        "$defs": found,
    }


def _link(names: Names, full_name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{names.of(full_name)}"}
