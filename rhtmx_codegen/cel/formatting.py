"""`format`: a text with places, and what goes there.

Knows the clauses of CEL's `format`. Must not know syntax. The text is known when the rule is
compiled, so that nothing has to read it at run time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

from rhtmx_codegen.cel.build import call, constant, operation, plain
from rhtmx_codegen.cel.functions import CONCATENATED, FUNCTIONS, applied
from rhtmx_codegen.cel.loops import Loop
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.tree import Form, Node, Variable
from rhtmx_codegen.cel.types import BOOL, BYTES, DOUBLE, INT, NULL, STRING, UINT, Type, list_of

__all__ = ["formatted"]

_CLAUSE = re.compile(r"%(?:%|(?:\.([0-9]+))?([A-Za-z]))|%")
_MOST_DIGITS = 20
_JOINED = Form(
    '"[" + ", ".join({0}) + "]"',
    '`[${{{0:atom}.join(", ")}}]`',
    lambda items: f"[{', '.join(items)}]",
)


def _base(python: str, typescript: str) -> Form:
    return Form(
        f'format({{0}}, "{python}")', typescript, lambda value, spec=python: format(value, spec)
    )


_HEX_TEXT = Form(
    "{0:atom}.encode().hex()", "s.celHex(new TextEncoder().encode({0}))", lambda v: v.encode().hex()
)
_HEX_BYTES = Form("{0:atom}.hex()", "s.celHex({0})", bytes.hex)
_UPPER = Form("{0:atom}.upper()", "{0:atom}.toUpperCase()", str.upper)
_WHOLE = {
    "b": _base("b", "{0:atom}.toString(2)"),
    "o": _base("o", "{0:atom}.toString(8)"),
    "x": _base("x", "{0:atom}.toString(16)"),
    "X": _base("X", "{0:atom}.toString(16).toUpperCase()"),
}
_BIT = Form('format({0}, "d")', "String(Number({0}))", lambda value: format(value, "d"))


def formatted(text: str, arguments: Sequence[Node], offset: int) -> Node:
    """Return a text with its places filled.

    Args:
        text: with clauses such as `%s`.
        arguments: what goes there.
        offset: where the call stands.

    Raises:
        NotInSubset: a clause that is none, does not fit its argument, or has none.
    """
    pieces: list[Node] = []
    end, left = 0, list(arguments)
    for found in _CLAUSE.finditer(text):
        pieces.append(constant(STRING, text[end : found.start()]))
        end = found.end()
        if found[0] == "%%":
            pieces.append(constant(STRING, "%"))
            continue
        if not found[2]:
            raise NotInSubset("a % in a format begins no clause: write %% for the sign", offset)
        if not left:
            raise NotInSubset(f"there is no value for {found[0]}", offset)
        pieces.append(_filled(found[2], found[1], left.pop(0), offset))
    return _joined([*pieces, constant(STRING, text[end:])])


def _joined(pieces: list[Node]) -> Node:
    kept = [piece for piece in pieces if getattr(piece, "value", None) != ""]
    joined: list[Node] = []
    for piece in kept:
        if joined and hasattr(piece, "value") and hasattr(joined[-1], "value"):
            piece = operation(CONCATENATED[STRING], STRING, joined.pop(), piece)
        joined.append(piece)
    if not joined:
        return constant(STRING, "")
    return reduce(lambda one, other: operation(CONCATENATED[STRING], STRING, one, other), joined)


def _filled(clause: str, digits: str | None, value: Node, offset: int) -> Node:
    if clause in "fe" and value.type.bare == DOUBLE:
        count = int(digits or 6) if digits != "" else 6
        if count > _MOST_DIGITS:
            raise NotInSubset(f"%.{digits}{clause} has more than {_MOST_DIGITS} digits", offset)
        form = call("fixed" if clause == "f" else "scientific", 2)
        return operation(form, STRING, plain(value), constant(INT, count))
    if clause == "s" or (clause == "d" and plain(value).type.bare in {INT, UINT}):
        found = _as_text(value)
    else:
        found = _in_base(clause, plain(value))
    if found is None:
        raise NotInSubset(f"%{clause} does not write {value.type}", offset)
    return found


def _as_text(value: Node) -> Node | None:
    if value.type.bare == NULL:
        return constant(STRING, "null")
    if value.type.name == "list":
        return _as_list(value)
    return applied(FUNCTIONS["string"], [plain(value)])


def _as_list(value: Node) -> Node | None:
    item = value.type.of[0]
    variable = Variable(item, "each_", "each_")
    text = _as_text(variable)
    if text is None:
        return None
    if hasattr(value, "value"):
        texts = [_as_text(constant(item, each)) for each in value.value]
        if all(hasattr(each, "value") for each in texts):
            return constant(STRING, f"[{', '.join(each.value for each in texts)}]")  # type: ignore[union-attr]
    return operation(_JOINED, STRING, Loop(list_of(STRING), "map", value, variable, text))


def _in_base(clause: str, value: Node) -> Node | None:
    type_: Type = value.type.bare
    if clause in _WHOLE and type_ in {INT, UINT}:
        return operation(_WHOLE[clause], STRING, value)
    if clause == "b" and type_ == BOOL:
        return operation(_BIT, STRING, value)
    if clause in "xX" and type_ in {STRING, BYTES}:
        found = operation(_HEX_TEXT if type_ == STRING else _HEX_BYTES, STRING, value)
        return operation(_UPPER, STRING, found) if clause == "X" else found
    return None
