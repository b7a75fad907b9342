"""Python from the schema: tables, descriptor, the glue of both formats, direct writers.

Knows which files the Python side is given. Must not know how the text of each
is made, nor touch a file: `Schema` in, text out.
"""

from __future__ import annotations

from codegen.model import Schema
from codegen.python_changes import emit_changes
from codegen.python_json import emit_json_glue
from codegen.python_names import GLUE, MESSAGES, NOTICE
from codegen.python_proto import emit_proto_glue
from codegen.python_tables import emit_descriptor, emit_package, emit_tables

__all__ = ["emit"]


def emit(schema: Schema) -> dict[str, str]:
    """Make all generated Python but the message classes, which betterproto2 makes.

    Returns:
        The files by path, relative to the root of the repository, not yet
        formatted; the same for the same schema.
    """
    return {
        f"{MESSAGES}/__init__.py": emit_package(schema),
        f"{MESSAGES}/tables.py": emit_tables(schema),
        f"{MESSAGES}/descriptor.py": emit_descriptor(schema),
        f"{GLUE}/__init__.py": f'"""The generated half of the wire.\n\n{NOTICE}\n"""\n',
        f"{GLUE}/changes.py": emit_changes(schema),
        f"{GLUE}/json_glue.py": emit_json_glue(schema),
        f"{GLUE}/proto_glue.py": emit_proto_glue(schema),
    }
