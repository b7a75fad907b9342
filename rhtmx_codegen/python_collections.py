"""What only type checkers see of an entity: its collection, and by what its parts are named.

Knows which fields can be edited, and with what. Must not know what comes of it at run time:
there, `rhtmx.api.typed_collection` takes whatever it is given, and looks at it.
"""

from __future__ import annotations

from rhtmx_codegen.emit_fields import editable
from rhtmx_codegen.emit_names import Names
from rhtmx_codegen.model import Field, Message
from rhtmx_codegen.python_layout import WIDTH, Call, Code, lines_of, quoted
from rhtmx_codegen.python_types import PythonTypes
from rhtmx_codegen.words import python_attribute

__all__ = ["collection_lines", "collection_name", "is_divided", "where_name"]


def collection_name(message: Message, names: Names) -> str:
    """The class of the collection of an entity."""
    return names.free(f"{names.of(message.full_name)}Collection")


def where_name(message: Message, names: Names) -> str:
    """The class of what names a part of an entity."""
    return names.free(f"{names.of(message.full_name)}Where")


def collection_lines(message: Message, names: Names, types: PythonTypes) -> list[str]:
    """Both classes.

    Args:
        message: of the entity.
        names: of everything.
        types: how its module writes types.
    """
    where = _where(message, names, types)
    return [*where, "", "", *_collection(message, names, types)]


def is_divided(message: Message) -> bool:
    """Parts of an entity can be read alone."""
    return bool(message.entity.partition)


def _where(message: Message, names: Names, types: PythonTypes) -> list[str]:
    parts = {name for each in message.entity.partition for name in each.fields}
    fields = [each for each in message.fields if each.name in parts]
    taken = {each.name for each in fields}
    name, called = names.of(message.full_name), where_name(message, names)
    options = {
        each.name: f"{types.of(each, taken)} | Sequence[{types.of(each, taken)}]" for each in fields
    }
    if any(python_attribute(each) != each for each in options):
        # A class cannot have such a name.
        rows: list[Code] = [f"{quoted(each)}: {options[each]}" for each in options]
        arguments: list[Code] = [quoted(called), Call("{", rows, "}"), "total=False"]
        return lines_of(Call(f"{called} = TypedDict(", arguments))
    says = f'    """A part of what is kept of each {name}."""'
    lines = [f"class {called}(TypedDict, total=False):", says, ""]
    lines += [f"    {each}: {options[each]}" for each in options]
    return lines if options else lines[:-1]


def _collection(message: Message, names: Names, types: PythonTypes) -> list[str]:
    name = names.of(message.full_name)
    fields = editable(message)
    result = "_t.Written" if message.entity.whole else "_t.Edited"
    taken = {python_attribute(each.name) for each in fields}
    first = [_free("self", taken), f"{_free('entity_id', taken)}: str", "/"]
    arguments = [*first, *(["*"] if fields else []), *(_argument(each, types) for each in fields)]
    one = f"    def edit({', '.join(arguments)}) -> {result}:"
    signature = [one]
    if len(one) + _STEP > WIDTH:
        signature = [
            "    def edit(",
            *(f"        {each}," for each in arguments),
            f"    ) -> {result}:",
        ]
    return [
        f"class {collection_name(message, names)}(_t.TypedCollection[{name}]):",
        f'    """What a client has of each {name}."""',
        "",
        *signature,
        '        """Write some fields of a record, and leave the others."""',
        "        ...",
    ]


_STEP = 4
"""All of this is in a block."""


def _free(name: str, taken: set[str]) -> str:
    return f"{name}_" if name in taken else name


def _argument(each: Field, types: PythonTypes) -> str:
    return f"{python_attribute(each.name)}: {types.edit(each)} = ..."
