"""From a name of the schema to a word of JSON.

Knows spellings only. Must not know descriptors, nor a schema.
"""

from __future__ import annotations

import re

__all__ = ["camel", "is_reserved", "python_attribute", "snake", "word_of"]

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KEYWORDS = frozenset(
    re.findall(
        "[A-Za-z]+",
        "False None True and as assert async await break class continue def del elif else except "
        "finally for from global if import in is lambda nonlocal not or pass raise return try "
        "while with yield",
    )
)
"""Of Python, written down: what is generated does not depend on the Python that generates it."""

_OF_TYPESCRIPT = frozenset(
    re.findall(
        "[a-z]+",
        "any arguments bigint boolean case catch const debugger default delete do enum eval export "
        "extends false function implements instanceof interface let never new null number object "
        "package private protected public s schema static string super switch symbol this throw "
        "true typeof undefined unknown var void",
    )
)
"""What is no name of a type there, and what each generated module has for itself."""


def snake(name: str) -> str:
    """A name in lower case, its parts divided by `_`.

    Example:
        >>> snake("SignUp"), snake("HTTPRoute"), snake("IN_PROGRESS"), snake("Level2Support")
        ('sign_up', 'http_route', 'in_progress', 'level2_support')
    """
    return _BORDER.sub("_", name).lower()


def camel(name: str) -> str:
    """What protobuf takes as a field's `json_name` where none is written.

    Example:
        >>> camel("due_date"), camel("_a__b1_2"), camel("Due")
        ('dueDate', 'AB12', 'Due')
    """
    return re.sub("_+(.?)", lambda found: found[1].upper(), name)


def word_of(enum: str, value: str) -> str:
    """The word of an enum's value: its name without the enum's, in snake_case.

    The enum's name stays where what is left would not begin with a letter.

    Args:
        enum: the plain name of the enum.
        value: the name of the value.

    Example:
        >>> word_of("TaskState", "TASK_STATE_IN_PROGRESS"), word_of("State", "DONE")
        ('in_progress', 'done')
        >>> word_of("Version", "VERSION_2")
        'version_2'
    """
    rest = value.removeprefix(f"{snake(enum).upper()}_")
    return snake(rest if rest[:1].isalpha() else value)


def is_reserved(name: str) -> bool:
    """Whether one of the languages does not take the name for a type, or takes it for its own.

    Example:
        >>> is_reserved("None"), is_reserved("interface"), is_reserved("Task")
        (True, True, False)
    """
    return name in _KEYWORDS or name in _OF_TYPESCRIPT


def python_attribute(field: str) -> str:
    """The name that a field has in Python: its own, with `_` behind if it is a keyword.

    Example:
        >>> python_attribute("class"), python_attribute("title")
        ('class_', 'title')
    """
    return f"{field}_" if field in _KEYWORDS else field
