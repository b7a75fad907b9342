"""Rules of an application's schema: from `buf.validate`'s options to tables in both languages.

Which imports which: `python`, `typescript` -> `table`, `traits`; `left` -> `compiling` ->
`standard`, `custom` -> `table`; `compiling` -> `ids` -> `table`.
"""

from __future__ import annotations

from rhtmx_codegen.emit_names import Names
from rhtmx_codegen.model import Kind, Message, Schema
from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.rules import python, typescript
from rhtmx_codegen.rules.compiling import Compiled, compile_schema
from rhtmx_codegen.rules.left import LeftRule, left_rules

__all__ = [
    "Compiled",
    "LeftRule",
    "compile_schema",
    "messages_within",
    "python_tables",
    "server_rules",
    "typescript_tables",
]


def python_tables(schema: Schema) -> dict[str, list[str]]:
    """The lines of the table of each message, by its full name.

    They call `rhtmx.schema` `_s`, and take each enum's class to be in their module, and the tables
    of the messages within, `emit_names.table_name` of these.

    Args:
        schema: of which.

    Raises:
        SchemaError: a rule cannot be compiled.
    """
    compiled, names = _compiled(schema), Names(schema)
    return {name: python.table_lines(each, names) for name, each in compiled.tables.items()}


def typescript_tables(schema: Schema) -> dict[str, list[str]]:
    """The lines of the table of each message, and of the kind of each enum, by its full name.

    They call the module `@rhtmx/client/schema` `s`. Kinds of enums stand before the tables that
    name them.

    Args:
        schema: of which.

    Raises:
        SchemaError: a rule cannot be compiled.
    """
    compiled, names = _compiled(schema), Names(schema)
    enums = {name: typescript.enum_lines(each, names) for name, each in schema.enums.items()}
    tables = {name: typescript.table_lines(each, names) for name, each in compiled.tables.items()}
    return {**enums, **tables}


def server_rules(schema: Schema) -> list[LeftRule]:
    """The rules that only the server judges, each by itself.

    Args:
        schema: of which.

    Raises:
        SchemaError: a rule cannot be compiled.
    """
    return left_rules(schema, _compiled(schema))


def messages_within(message: Message) -> tuple[str, ...]:
    """The full names of the messages and enums that the table of a message names.

    Args:
        message: whose table it is. Those of other files have to be imported.
    """
    kinds = (Kind.MESSAGE, Kind.ENUM)
    found = {each.type.name: None for each in message.fields if each.type.kind in kinds}
    return tuple(found)


def _compiled(schema: Schema) -> Compiled:
    compiled = compile_schema(schema)
    if compiled.problems:
        raise SchemaError(compiled.problems)
    return compiled
