"""Tells whether a validator is the one that it was. Pure.

Knows functions: their names, their code, and what they were made with. Must not know forms, nor
what is done with a version.

A version is made of the module and name of a function, of its compiled code with all constants and
inner functions, and of its defaults and of what it closes over: values that never change by what
they are, objects and what can change by their type alone. A name alone would take an edited
rule for the one of before; source text is not there in every installation; and with the file and
line of the code another rule would be made of it wherever something moves. What a function finds
when it runs is not seen: a helper, a variable of its module, what is in a list, a database. Other
versions of Python compile to other code: there the versions differ, which costs one run.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, MutableSequence, Sequence, Set
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType

from rhtmx_server.forms.canonical import canonical, packed

__all__ = ["rule_version"]

_PLAIN = (Decimal, Fraction, date, time, timedelta, tzinfo, PurePath, range)
"""Values that never change, and show themselves whole."""


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
        self._seen: dict[int, tuple[int, object]] = {}

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
            return b"again" + str(self._seen[id(value)][0]).encode()
        self._seen[id(value)] = len(self._seen), value
        return packed(type(value).__qualname__.encode(), *self._parts(value))

    def _parts(self, value: object) -> Iterator[bytes]:
        match value:
            case CodeType():
                yield from (value.co_name.encode(), value.co_code)
                # Which statements a `try` is about stands beside the code.
                yield value.co_exceptiontable
                yield self.of((value.co_argcount, value.co_posonlyargcount))
                yield self.of((value.co_kwonlyargcount, value.co_flags))
                yield self.of((value.co_names, value.co_varnames, value.co_freevars))
                yield self.of((value.co_cellvars, value.co_consts))
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
            case re.Pattern():
                yield self.of((value.pattern, value.flags))
            case Enum():
                yield from (_name(type(value)), value.name.encode(), self.of(value.value))
            case _ if isinstance(value, _PLAIN):
                yield repr(value).encode()
            case _:
                if _is_frozen(value):
                    yield self.of(tuple(getattr(value, each.name) for each in _fields(value)))
                yield from (_name(type(value)), self.of(_call_of(type(value))))


def _name(value: FunctionType | BuiltinFunctionType | type) -> bytes:
    return f"{value.__module__}.{value.__qualname__}".encode()


def _call_of(kind: type) -> object:
    """What is run when an object of a class is called, if that is written in Python."""
    found = (vars(each)["__call__"] for each in kind.__mro__ if "__call__" in vars(each))
    call = next(found, None)
    return call if isinstance(call, FunctionType) else None


def _fields(value: object) -> Sequence[dataclasses.Field[object]]:
    return dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()


def _is_frozen(value: object) -> bool:
    """Whether it is an object of a dataclass whose fields never change."""
    return bool(getattr(getattr(value, "__dataclass_params__", None), "frozen", False))


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
