"""The ready-made rules of a form field, combined into one.

Knows which rules there are, for which fields, and in which order they speak. Must
not know forms, messages, or anything that waits: a field that has no other rules
is judged at once.

A field may have several values, and each of them has to pass. White space alone is
an empty value, as is a file that was not chosen: `required` wants one that is not
empty, and no other rule looks at those that are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias, TypedDict, TypeVar

from rhtmx.values.form_value import Entry, File
from rhtmx_server.forms.entries import TEXT, FieldKind, is_empty, text
from rhtmx_server.forms.file_rules import FileCheck, accept, max_size
from rhtmx_server.forms.rules import (
    BOUNDS,
    Check,
    email,
    max_length,
    min_length,
    number,
    one_of,
    pattern,
    url,
)

__all__ = [
    "MAX_ADDRESSES",
    "Cleaner",
    "FileRules",
    "FilesRules",
    "Rules",
    "Ruleset",
    "TextRules",
    "TextsRules",
    "check_all",
    "clean_all",
]

T = TypeVar("T")

MAX_ADDRESSES = 100
"""Values of a field of email addresses that are looked at, where no `max_items` says
otherwise: one takes up to 0.3 ms, and a message has room for thousands."""

_SHOWN = 40
"""Characters of a value that an error repeats."""

Ruleset: TypeAlias = Callable[[Sequence[Entry]], str | None]
"""All ready-made rules of a field: returns what is wrong with what it has, or `None`."""

Cleaner: TypeAlias = Callable[[Sequence[Entry]], object]
"""Makes the value of a field of what it has, where that was found valid."""


class _AnyRules(TypedDict, total=False):
    required: bool
    message: str


class _ManyRules(TypedDict, total=False):
    min_items: int
    max_items: int


class TextRules(_AnyRules, total=False):
    """The rules of a field that holds a text: see `Rules`."""

    min_length: int
    max_length: int
    type: type[int] | type[float]
    ge: float | Decimal
    gt: float | Decimal
    le: float | Decimal
    lt: float | Decimal
    pattern: str | re.Pattern[str]
    one_of: Sequence[str]
    email: bool
    url: bool


class TextsRules(TextRules, _ManyRules, total=False):
    """The rules of a field that holds several texts."""


class FileRules(_AnyRules, total=False):
    """The rules of a field where a file is chosen."""

    max_size: int
    accept: str


class FilesRules(FileRules, _ManyRules, total=False):
    """The rules of a field where several files are chosen."""


class Rules(TextRules, FileRules, _ManyRules, total=False):
    """The ready-made rules of a field, checked in this order.

    Attributes:
        required: refuse an empty field. Without it an empty one is valid.
        min_items: at least so many values that are not empty, if there are any; with `many`.
        max_items: at most so many; with `many`. Where it is left out, `email` takes 100.
        min_length: at least so many characters (see `min_length`).
        max_length: at most so many characters.
        type: `int` or `float`: the value must be such a number.
        ge: a number, at least this.
        gt: a number, above this.
        le: a number, at most this.
        lt: a number, below this.
        pattern: a pattern of RE2 that the whole value must match (see `pattern`).
        one_of: the value must be one of these.
        email: the value must be an email address.
        url: the value must be an `http` or `https` address.
        max_size: a file, of at most so many bytes.
        accept: a file of one of these kinds, as the attribute of HTML has them:
            `"image/*,.pdf"`.
        message: takes the place of what these rules would say.
    """


def check_all(rules: Rules, kind: FieldKind = TEXT) -> Ruleset:
    """Build one rule out of several: the first that fails speaks.

    Args:
        rules: what to check, as given to `Form.field`.
        kind: of which kind the field is.

    Raises:
        TypeError: there is no rule of that name.
        ValueError: a rule makes no sense, or not for such a field, with the reason.

    Example:
        >>> check = check_all({"required": True, "ge": 18})
        >>> check(["17"])
        'must be 18 or more'
        >>> check(["36", "17"])
        '“17” must be 18 or more'
    """
    _refuse_strangers(rules, kind)
    required, message = rules.get("required", False), rules.get("message")
    count = _items(rules, "files" if kind.file else "values")
    judge = _judge(rules, kind)

    def check(entries: Sequence[Entry]) -> str | None:
        filled = entries
        if len(entries) != 1 or is_empty(entries[0]):  # one that is not empty: the usual case
            filled = [each for each in entries if not is_empty(each)]
        if not filled:
            return (message or "is required") if required else None
        if count is not None and (error := count(len(filled))) is not None:
            return message or error
        for each in filled:
            error = judge(each)
            if error is not None:
                return message or (error if len(filled) == 1 else f"“{_shown(each)}” {error}")
        return None

    return check


def clean_all(rules: Rules, kind: FieldKind = TEXT) -> Cleaner | None:
    """How a field's value is made of texts that passed the rules; `None`: it is a text, or texts.

    Args:
        rules: as given to `Form.field`.
        kind: of which kind the field is.

    Example:
        >>> clean = clean_all({"ge": 18, "type": int})
        >>> clean([" 36 "]), clean([""])
        (36, None)
    """
    if any(name in rules for name in ("type", *BOUNDS)):
        return _reading(rules.get("type", float), kind)
    if rules.get("email") or rules.get("url"):
        return _reading(str.strip, kind, "")  # the space around it was not looked at
    return None


def _reading(read: Callable[[str], object], kind: FieldKind, nothing: object = None) -> Cleaner:
    def clean(entries: Sequence[Entry]) -> object:
        if kind.many:
            return [read(text(each)) for each in entries if not is_empty(each)]
        last = entries[-1:]  # as a validator of the field is given
        return nothing if not last or is_empty(last[0]) else read(text(last[0]))

    return clean


def _refuse_strangers(rules: Rules, kind: FieldKind) -> None:
    known = Rules.__annotations__
    for name in sorted(rules):
        if name not in known:
            raise TypeError(f"no ready-made rule {name!r}: there are {', '.join(known)}")
        if name in _ManyRules.__annotations__ and not kind.many:
            raise ValueError(f"{name}: is for several values: register the field with many=True")
        if name in ("max_size", "accept") and not kind.file:
            raise ValueError(f"{name}: is for files: register the field with file=True")
        if kind.file and name not in FilesRules.__annotations__:
            there = ", ".join(FilesRules.__annotations__)
            raise ValueError(f"{name}: is for texts: a field of files may have {there}")


def _shown(value: Entry) -> str:
    words = text(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


def _items(rules: Rules, what: str) -> Callable[[int], str | None] | None:
    least = rules.get("min_items", 0)
    most = rules.get("max_items", MAX_ADDRESSES if rules.get("email") else None)
    for name, limit in (("min_items", least), ("max_items", most)):
        if name in rules and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ValueError(f"{name}: a whole number from 1 on expected, got {limit!r}")
    if most is not None and least > most:
        raise ValueError(f"min_items {least} is above max_items {most}: nothing would be valid")
    if not least and most is None:
        return None

    def check(count: int) -> str | None:
        if count < least:
            return f"has too few {what}: {count}, at least {least} needed"
        if most is not None and count > most:
            return f"has too many {what}: {count}, at most {most} allowed"
        return None

    return check


def _judge(rules: Rules, kind: FieldKind) -> Callable[[Entry], str | None]:
    if kind.file:
        of_files = _file_checks(rules)
        return lambda each: _first(of_files, each) if isinstance(each, File) else "is not a file"
    of_texts = _text_checks(rules)
    return lambda each: _first(of_texts, each if isinstance(each, str) else each.name)


def _first(checks: Sequence[Callable[[T], str | None]], value: T) -> str | None:
    for check in checks:
        error = check(value)
        if error is not None:
            return error
    return None


def _file_checks(rules: Rules) -> tuple[FileCheck, ...]:
    checks: list[FileCheck] = []
    if "max_size" in rules:
        checks.append(max_size(rules["max_size"]))
    if "accept" in rules:
        checks.append(accept(rules["accept"]))
    return tuple(checks)


def _text_checks(rules: Rules) -> tuple[Check, ...]:
    checks: list[Check] = []
    least, most = rules.get("min_length"), rules.get("max_length")
    if least is not None and most is not None and least > most:
        raise ValueError(f"min_length {least} is above max_length {most}: nothing would be valid")
    # First of all: what comes after it never sees a text of a megabyte.
    if most is not None:
        checks.append(max_length(most))
    if least is not None:
        checks.append(min_length(least))
    if any(name in rules for name in ("type", "ge", "gt", "le", "lt")):
        bounds = {name: bound for name, bound in rules.items() if name in BOUNDS}
        checks.append(number(rules.get("type", float), bounds))
    if "pattern" in rules:
        checks.append(pattern(rules["pattern"]))
    if "one_of" in rules:
        checks.append(one_of(rules["one_of"]))
    if rules.get("email"):
        checks.append(email)
    if rules.get("url"):
        checks.append(url)
    return tuple(checks)
