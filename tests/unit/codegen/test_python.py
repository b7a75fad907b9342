from __future__ import annotations

import ast
import dataclasses

from codegen import python
from codegen.model import Schema


def test_the_same_schema_gives_the_same_text(schema: Schema) -> None:
    assert python.emit(schema) == python.emit(dataclasses.replace(schema))


def test_every_file_is_python_with_a_docstring(schema: Schema) -> None:
    for path, text in python.emit(schema).items():
        assert ast.get_docstring(ast.parse(text, path)), path
