"""Tells whether a validator is the one that it was. Pure.

Knows functions: their names, their code, and what they were made with. Must not know forms, nor
what is done with a version.

A version is made of the module and name of a function, of its compiled code with all constants and
inner functions, and of its defaults and of what it closes over. A name alone would take an edited
rule for the one of before; source text is not there in every installation; and with the file and
line of the code another rule would be made of it wherever something moves. What a function finds
when it runs is not seen: a helper, a variable of its module, what is in a list, a database. Other
versions of Python compile to other code: there the versions differ, which costs one run.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, MutableSequence, Set
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType

from rhtmx_server.forms.canonical import canonical, packed

__all__ = ["rule_version"]


def rule_version(function: object) -> bytes:
    """A digest of a function, 32 bytes; another one when its code is another.

    Example:
        >>> rule_version(lambda value: value == "ada") == rule_version(lambda value: value == "bob")
        False
    """
    return hashlib.sha256(_Description().of(function)).digest()


class _Description:
    """Describes a function and all that belongs to it, each thing once."""

    def __init__(self) -> None:
        self._seen: dict[int, object] = {}

    def of(self, value: object) -> bytes:
        """A value as bytes. What can change while the program runs is told by its type alone."""
        if type(value) is tuple:
            return b"tuple" + packed(*map(self.of, value))
        if type(value) is frozenset:
            return b"set" + packed(*sorted(map(self.of, value)))
        if isinstance(value, Mapping | Set | MutableSequence):
            return b"changes" + type(value).__qualname__.encode()
        return canonical(value, self._other)

    def _other(self, value: object) -> bytes:
        # A function may close over itself. By identity, and kept alive, so that no id comes again.
        if id(value) in self._seen:
            return b"again"
        self._seen[id(value)] = value
        return packed(type(value).__qualname__.encode(), *self._parts(value))

    def _parts(self, value: object) -> Iterator[bytes]:
        match value:
            case CodeType():
                yield from (value.co_name.encode(), value.co_code)
                yield self.of((value.co_names, value.co_varnames, value.co_freevars))
                yield self.of(value.co_consts)
            case FunctionType():
                yield from (_name(value), self.of(value.__code__), self.of(value.__defaults__))
                yield self.of(tuple(sorted((value.__kwdefaults__ or {}).items())))
                yield self.of(tuple(map(_content, value.__closure__ or ())))
            case MethodType():
                yield from (self.of(value.__func__), self.of(value.__self__))
            case functools.partial():
                yield from (self.of(value.func), self.of(value.args))
                yield self.of(tuple(sorted(value.keywords.items())))
            case type() | BuiltinFunctionType():
                yield _name(value)
            case _:
                yield from (_name(type(value)), self.of(_call_of(type(value))))


def _name(value: FunctionType | BuiltinFunctionType | type) -> bytes:
    return f"{value.__module__}.{value.__qualname__}".encode()


def _call_of(kind: type) -> object:
    """What is run when an object of a class is called, if that is written in Python."""
    found = (vars(each)["__call__"] for each in kind.__mro__ if "__call__" in vars(each))
    call = next(found, None)
    return call if isinstance(call, FunctionType) else None


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
