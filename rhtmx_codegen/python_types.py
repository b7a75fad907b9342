"""What a field is in Python: its type, its default, how it stands in JSON, what an edit takes.

Knows kinds of values. Must not know how a module is put together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rhtmx_codegen.emit_fields import is_counter, is_required, is_secret, is_set
from rhtmx_codegen.emit_names import Names, constants, module_of
from rhtmx_codegen.model import Enum, Field, Kind, Schema, Type
from rhtmx_codegen.python_layout import Call, Code
from rhtmx_codegen.types import INTEGERS

__all__ = ["PythonTypes"]

_NUMBERS = INTEGERS | {Kind.FLOAT, Kind.DOUBLE}

_TYPES: Mapping[Kind, str] = {
    Kind.STRING: "str",
    Kind.BOOL: "bool",
    Kind.BYTES: "bytes",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "float",
    Kind.TIMESTAMP: "datetime",
    Kind.DURATION: "timedelta",
}
_CODECS: Mapping[Kind, str] = {
    Kind.STRING: "TEXT",
    Kind.BOOL: "BOOL",
    Kind.BYTES: "BYTES",
    Kind.FLOAT: "FLOAT",
    Kind.DOUBLE: "DOUBLE",
    Kind.TIMESTAMP: "TIME",
    Kind.DURATION: "SPAN",
    Kind.ANY: "OBJECT",
    Kind.STRUCT: "OBJECT",
    Kind.FIELD_MASK: "PATHS",
    Kind.VALUE: "VALUE",
    Kind.LIST_VALUE: "LIST",
}
_ZEROS: Mapping[Kind, str] = {
    Kind.STRING: '""',
    Kind.BOOL: "False",
    Kind.BYTES: 'b""',
    Kind.FLOAT: "0.0",
    Kind.DOUBLE: "0.0",
}
_BORROWED: Mapping[str, str] = {
    "datetime": "datetime",
    "timedelta": "datetime",
    "field": "dataclasses",
    **dict.fromkeys(("bool", "bytes", "dict", "float", "int", "list", "str"), "builtins"),
}
"""Names that generated code takes from elsewhere, and from where."""


@dataclass(slots=True)
class PythonTypes:
    """Types as one module writes them. Takes note of what the module has to import for them.

    Attributes:
        schema: of which.
        names: of everything in it.
        file: whose module it is.
        imported: names from Python's own modules: (module, name, what it is called here).
        foreign: names from other generated modules: (module, name).
        rooms: which of `codecs`, `convert` and `declared` are used.
    """

    schema: Schema
    names: Names
    file: str
    imported: set[tuple[str, str, str]] = field(default_factory=set)
    foreign: set[tuple[str, str]] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)

    def own(self, full_name: str) -> str:
        """The class of a message or an enum."""
        name, home = self.names.of(full_name), self.names.home(full_name)
        if home != self.file:
            self.foreign.add((module_of(home), name))
        return name

    def borrowed(self, name: str, taken: Collection[str] = ()) -> str:
        """A name of Python's, or another one for it where a field has that name."""
        called = f"_{name}" if name in taken else name
        module = _BORROWED[name]
        if module != "builtins" or called != name:
            self.imported.add((module, name, called))
        return called

    def single(self, type_: Type, taken: Collection[str] = ()) -> str:
        """The type of one value."""
        if type_.kind in (Kind.MESSAGE, Kind.ENUM):
            return self.own(type_.name)
        if type_.kind in INTEGERS:
            return self.borrowed("int", taken)
        if type_.kind in _TYPES:
            return self.borrowed(_TYPES[type_.kind], taken)
        return self._open(type_.kind, taken)

    def _open(self, kind: Kind, taken: Collection[str]) -> str:
        if kind is Kind.FIELD_MASK:
            return f"{self.borrowed('list', taken)}[{self.borrowed('str', taken)}]"
        self.rooms.add("declared")
        if kind is Kind.VALUE:
            return "_d.Json"
        if kind is Kind.LIST_VALUE:
            return f"{self.borrowed('list', taken)}[_d.Json]"
        return f"{self.borrowed('dict', taken)}[{self.borrowed('str', taken)}, _d.Json]"

    def of(self, each: Field, taken: Collection[str] = ()) -> str:
        """The type of a field, without `None`."""
        one = self.single(each.type, taken)
        if each.map_key is not None:
            return f"{self.borrowed('dict', taken)}[{self.single(each.map_key, taken)}, {one}]"
        return f"{self.borrowed('list', taken)}[{one}]" if each.repeated else one

    def attribute(self, each: Field, taken: Collection[str]) -> str:
        """What stands behind the name of a field in a dataclass: its type, and its default."""
        type_ = self.of(each, taken)
        if is_secret(each):
            return self._secret(each, type_, taken)
        if each.presence:
            default = "" if is_required(each) else " = None"
            return f"{type_}{default}" if type_ == "_d.Json" else f"{type_} | None{default}"
        return type_ if is_required(each) else f"{type_} = {self._zero(each, taken)}"

    def _secret(self, each: Field, type_: str, taken: Collection[str]) -> str:
        """The same of a field that the class's `repr` does not show."""
        said = ["repr=False"]
        if each.presence:
            type_ = type_ if type_ == "_d.Json" else f"{type_} | None"
        if not is_required(each):
            many = each.map_key is not None or each.repeated
            maker = self.borrowed("dict" if each.map_key is not None else "list", taken)
            zero = "None" if each.presence else self._zero(each, taken)
            said.insert(0, f"default_factory={maker}" if many else f"default={zero}")
        return f"{type_} = {self.borrowed('field', taken)}({', '.join(said)})"

    def _zero(self, each: Field, taken: Collection[str]) -> str:
        maker = "dict" if each.map_key is not None else "list" if each.repeated else ""
        if maker:
            made = self.borrowed(maker, taken)
            return f"{self.borrowed('field', taken)}(default_factory={made})"
        if each.type.kind is Kind.ENUM:
            enum = self.schema.enums[each.type.name]
            return f"{self.own(enum.full_name)}.{_zero_of(enum)}"
        return _ZEROS.get(each.type.kind, "0")

    def codec(self, each: Field) -> Code:
        """How a field stands in JSON."""
        one = self._codec(each.type)
        self.rooms.add("codecs")
        if each.map_key is not None:
            return Call("_c.map_of(", [self._codec(each.map_key), one])
        return Call("_c.list_of(", [one]) if each.repeated else one

    def _codec(self, type_: Type) -> Code:
        if type_.kind is Kind.MESSAGE:
            self.rooms.add("convert")
            return f"_v.record_of(lambda: {self.own(type_.name)})"
        self.rooms.add("codecs")
        if type_.kind is Kind.ENUM:
            return f"_c.word_of({self.own(type_.name)})"
        if type_.kind in INTEGERS:
            return "_c.INTEGER_TEXT" if type_.text else "_c.INTEGER"
        return f"_c.{_CODECS[type_.kind]}"

    def edit(self, each: Field) -> str:
        """What an edit takes for a field: a value, an operation that fits, `None` if it may go."""
        type_ = self.of(each)
        options = [type_, *(f"_o.{name}" for name in _operations(each))]
        if each.presence and type_ != "_d.Json":
            options.append("None")
        return " | ".join(options)


def _zero_of(enum: Enum) -> str:
    named = zip(constants(enum), enum.values, strict=True)
    return next(name for name, value in named if value.number == 0)


def _operations(each: Field) -> list[str]:
    if each.map_key is not None:
        return ["SetKey", "DeleteKey"]
    if each.repeated:
        return ["Add", "Remove"] if is_set(each) else ["Append"]
    if each.type.kind in INTEGERS:
        counted = each.type.text or is_counter(each)
        return ["Increment"] if counted else ["Increment", "Max", "Min"]
    if each.type.kind in _NUMBERS:
        return ["Max", "Min"]
    if each.type.kind is Kind.STRING:
        return ["Increment"] if is_counter(each) else ["Max", "Min"]
    return []
