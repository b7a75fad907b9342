"""What generated classes, constants and files are called, in both languages.

Knows names of the schema. Must not know what is generated under them.
"""

from __future__ import annotations

from rhtmx_codegen.model import Enum, Message, Schema
from rhtmx_codegen.names import flat_name, module_of
from rhtmx_codegen.words import snake

__all__ = ["Names", "constants", "module_of", "table_name"]


class Names:
    """The names of everything in a schema: each class has one name, in all of its files.

    Args:
        schema: of which.

    Attributes:
        files: all files with messages or enums: what is compiled first, then what that reaches.
    """

    def __init__(self, schema: Schema) -> None:
        declared: list[Message | Enum] = [*schema.messages.values(), *schema.enums.values()]
        self._names = {each.full_name: flat_name(each.name) for each in declared}
        self._homes = {each.full_name: each.file for each in declared}
        self.files = tuple(dict.fromkeys([*schema.files, *sorted(self._homes.values())]))

    def of(self, full_name: str) -> str:
        """The name of the class of a message or an enum."""
        return self._names[full_name]

    def home(self, full_name: str) -> str:
        """The file in which a message or an enum is declared."""
        return self._homes[full_name]

    def free(self, name: str) -> str:
        """A name, with `_` behind if a message or an enum has it."""
        while name in self._names.values():
            name += "_"
        return name


def table_name(name: str) -> str:
    """The name of the table of a message's rules.

    Example:
        >>> table_name("SignUp")
        '_SIGN_UP'
    """
    return f"_{snake(name).upper()}"


def constants(enum: Enum) -> list[str]:
    """The names of the values of an enum, without its own, in upper case."""
    prefix = f"{snake(enum.name.rpartition('.')[2]).upper()}_"
    names: list[str] = []
    for value in enum.values:
        rest = value.name.removeprefix(prefix)
        name = (rest if rest[:1].isalpha() else value.name).upper()
        names.append(value.name if name in names else name)
    return names
