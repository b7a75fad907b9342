"""Finds the app that `--app module:attribute` names.

Knows importing, and how to say in a line what went wrong with it. Must not know
what an app is: its class is an argument.
"""

from __future__ import annotations

import difflib
import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from rhtmx_server.cli.errors import FAILED, USAGE, CommandError

__all__ = ["load"]

T = TypeVar("T")


def load(spec: str, kind: type[T], folder: Path, *, named: str = "--app") -> T:
    """Import a module and take an object out of it.

    Args:
        spec: `module:attribute`, as in `app:app` or `shop.live:app`.
        kind: the class that the object must have.
        folder: where modules are looked for first.
        named: by what; for the errors.

    Raises:
        CommandError: there is no such module or attribute, it is something
            else, or the module cannot be imported; with the place of the error.
    """
    name, _, attribute = spec.partition(":")
    if not all(part.isidentifier() for part in [*name.split("."), attribute]):
        hint = f": write {Path(name).stem}:{attribute or 'app'}" if name.endswith(".py") else ""
        raise CommandError(
            f"{named} {spec}: module:attribute expected, such as app:app{hint}", USAGE
        )
    module = _import(name, f"{named} {spec}", folder)
    found = getattr(module, attribute, None)
    if found is None:
        others = _of_kind(module, kind)
        close = difflib.get_close_matches(attribute, others) or others
        hint = f": did you mean {name}:{close[0]}?" if close else ""
        raise CommandError(f"no {attribute!r} in module {name!r} ({named} {spec}){hint}", USAGE)
    if not isinstance(found, kind):
        raise CommandError(
            f"{attribute!r} in module {name!r} is a {type(found).__name__}, "
            f"not a rhtmx_server.{kind.__name__} ({named} {spec})",
            USAGE,
        )
    return found


def _of_kind(module: ModuleType, kind: type) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, kind)]


def _import(name: str, named: str, folder: Path) -> ModuleType:
    # As `python -m` does: a console script has its own folder there instead.
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except Exception as failure:
        what = f"cannot import {name!r} ({named})"
        # A module that the program itself imports and does not find is a failure of the program.
        if isinstance(failure, ModuleNotFoundError) and _is_part(failure.name, name):
            where = "the current directory" if folder == Path.cwd() else str(folder)
            raise CommandError(f"{what}: no module of that name in {where}", USAGE) from None
        reason = f"{type(failure).__name__}: {_words(failure)}{_place(failure, folder)}"
        raise CommandError(f"{what}: {reason}", FAILED) from failure


def _is_part(missing: str | None, name: str) -> bool:
    """Whether the module that is missing is the one asked for, or a package around it."""
    return missing is not None and f"{name}.".startswith(f"{missing}.")


def _words(failure: Exception) -> str:
    text = failure.msg if isinstance(failure, SyntaxError) else str(failure)
    return " ".join(text.split())


def _place(failure: Exception, folder: Path) -> str:
    """File and line of the error: the last ones that lie in the user's folder."""
    if isinstance(failure, SyntaxError) and failure.filename is not None:
        return f" ({_relative(failure.filename, folder)}, line {failure.lineno})"
    frames = traceback.extract_tb(failure.__traceback__)
    # The last of its own lines is where to look; what a library did with it is not.
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)] or frames
    return f" ({_relative(own[-1].filename, folder)}, line {own[-1].lineno})"


def _relative(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
