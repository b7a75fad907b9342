"""The least schema and value of which judges still disagree.

Knows which parts can be left out. Must not know judges: whether they disagree is asked.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.random_schemas.judges import Case
from tests.support.random_schemas.texts import Application, Message

__all__ = ["shrunk"]

Disagree = Callable[[Case], bool]


def shrunk(case: Case, disagree: Disagree, *, most: int = 400) -> Case:
    """The least case that is found.

    Args:
        case: a case of which judges disagree.
        disagree: whether they do of another one.
        most: so often that is asked.
    """
    left = most
    progress = True
    while progress and left > 0:
        progress = False
        for smaller in _smaller(case):
            left -= 1
            if left < 0:
                break
            if disagree(smaller):
                case, progress = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Cases that are somewhat smaller, the smallest first."""
    if case.spelling:
        yield case._replace(spelling=0)
    yield from _without_fields(case)
    yield from _without_rules(case)
    for value in _smaller_values(case.value):
        yield case._replace(value=value)


def _without_fields(case: Case) -> Iterator[Case]:
    for name, message in case.application.messages.items():
        for index, field in enumerate(message.fields):
            other = copy.deepcopy(case.application)
            del other.messages[name].fields[index]
            value = _without(case.value, other.root, case.application.root, name, field.name)
            yield case._replace(application=other, value=value)
    for name in list(case.application.messages)[1:]:
        other = copy.deepcopy(case.application)
        del other.messages[name]
        if not any(
            each.value.type == name for left in other.messages.values() for each in left.fields
        ):
            yield case._replace(application=other)


def _without(value: Any, new: Message, old: Message, name: str, field: str) -> Any:
    """A value without a field. Where it is within other messages, it stays, and is not written."""
    return {key: each for key, each in value.items() if old.name != name or key != field}


def _without_rules(case: Case) -> Iterator[Case]:
    def lists(application: Application) -> list[list[Any]]:
        found: list[list[Any]] = []
        for message in application.messages.values():
            found.append(message.rules)
            for field in message.fields:
                found += [rules for _, rules in field.places()]
                found.append(field.others)
        return found

    for place, rules in enumerate(lists(case.application)):
        for index in range(len(rules)):
            other = copy.deepcopy(case.application)
            del lists(other)[place][index]
            yield case._replace(application=other)
    if case.application.predefined:
        other = copy.deepcopy(case.application)
        other.predefined.clear()
        yield case._replace(application=other)


def _smaller_values(value: Any) -> Iterator[Any]:
    """A value with a part less, or with a smaller part."""
    if isinstance(value, dict):
        for key in value:
            yield {name: each for name, each in value.items() if name != key}
        for key, part in value.items():
            for smaller in _smaller_values(part):
                yield {**value, key: smaller}
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value[:index] + value[index + 1 :]
        for index, part in enumerate(value):
            for smaller in _smaller_values(part):
                yield [*value[:index], smaller, *value[index + 1 :]]
    elif isinstance(value, (str, bytes)) and value:
        half = len(value) // 2
        yield from (each for each in (value[:half], value[half:], value[:-1]) if each != value)
