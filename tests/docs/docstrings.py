"""Runs the examples of docstrings, also those that await something.

Knows doctests, and that an example may read for ever: it is ended once it has printed what
is shown. Must not know what the examples need.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

from tests.support.sockets import PATIENCE

FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | annotations.compiler_flag

_CHECK = doctest.OutputChecker()
_OPTIONS = doctest.ELLIPSIS


def modules(*packages: str) -> Iterator[types.ModuleType]:
    """All modules of some packages, but for those that are programs, and for generated ones."""
    for package in packages:
        root = importlib.import_module(package)
        yield root
        for each in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{package}."):
            last = each.name.rpartition(".")[2]
            if last != "__main__" and not {"messages", "generated"} & set(each.name.split(".")):
                yield importlib.import_module(each.name)


def documented(module: types.ModuleType) -> list[doctest.DocTest]:
    """The docstrings of a module, by name."""
    return doctest.DocTestFinder().find(module)


def waits(test: doctest.DocTest) -> bool:
    """Whether an example has to be awaited."""
    return any(
        compile(each.source, test.name, "single", FLAGS).co_flags & inspect.CO_COROUTINE
        for each in test.examples
    )


async def wrong(
    test: doctest.DocTest,
    names: Mapping[str, Any],
    instead: Mapping[str, str],
    *,
    in_thread: bool = False,
) -> str:
    """What is wrong with the examples of a docstring, in words; empty for nothing.

    Args:
        test: the docstring.
        names: what the examples know, beside what their module knows.
        instead: what is run in the place of some words, such as addresses.
        in_thread: it shows a program that has no event loop.
    """
    known = {**test.globs, **names}
    for example in test.examples:
        source = example.source
        for word, other in instead.items():
            source = source.replace(word, other)
        code = compile(source, test.name, "single", FLAGS)
        got = await _printed(code, example, known, in_thread=in_thread)
        if not _CHECK.check_output(_wanted(example), got, _OPTIONS):
            words = _CHECK.output_difference(example, got, _OPTIONS)
            return f"{test.filename}: {test.name}:\n{example.source}{words}"
    return ""


def _wanted(example: doctest.Example) -> str:
    return example.want if example.exc_msg is None else example.exc_msg


class _EnoughError(BaseException):
    """All that is shown was printed."""


class _Output(io.StringIO):
    """What is printed; an example that reads is ended as soon as that is what is shown."""

    def __init__(self, example: doctest.Example) -> None:
        super().__init__()
        self._want = example.want if "async for" in example.source else ""

    def write(self, text: str) -> int:
        """Take it, and look whether it is enough."""
        written = super().write(text)
        if self._want and _CHECK.check_output(self._want, self.getvalue(), _OPTIONS):
            raise _EnoughError
        return written


async def _printed(
    code: types.CodeType, example: doctest.Example, known: dict[str, Any], *, in_thread: bool
) -> str:
    output = _Output(example)

    def show(value: object) -> None:
        if value is not None:
            output.write(f"{value!r}\n")

    with contextlib.redirect_stdout(output), patch.object(sys, "displayhook", show):
        try:
            run = types.FunctionType(code, known)
            coroutine = await asyncio.to_thread(run) if in_thread else run()
            if coroutine is not None:
                async with asyncio.timeout(PATIENCE):
                    await coroutine
        except _EnoughError:
            pass
        except Exception as error:
            return output.getvalue() + "".join(traceback.format_exception_only(error))
    return output.getvalue()
