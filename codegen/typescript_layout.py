"""How generated TypeScript is laid out.

Knows the header, comments, imports and the line length. Must not know any part
of the schema beyond a name.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["LINE_LENGTH", "comment", "header", "imports"]

LINE_LENGTH = 100


def header(purpose: str) -> str:
    """Open a file: what it is, and that nobody edits it."""
    generated = "Generated from proto/ by `nox -s codegen`. Do not edit."
    return f"/**\n * {purpose}\n *\n * {generated}\n */\n"


def comment(text: str, indent: str = "") -> str:
    """Write a documentation comment, or nothing for an empty text."""
    lines = [line.replace("*/", "*\\/") for line in text.splitlines()]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def imports(names: Iterable[str], module: str, *, types: bool = False) -> str:
    """Import some names, sorted, broken over lines if they have to be."""
    keyword = "import type" if types else "import"
    listed = sorted(names, key=str.lower)
    line = f'{keyword} {{ {", ".join(listed)} }} from "{module}";\n'
    if len(line) <= LINE_LENGTH:
        return line
    body = "".join(f"  {name},\n" for name in listed)
    return f'{keyword} {{\n{body}}} from "{module}";\n'
